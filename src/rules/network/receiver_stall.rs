//! GSN805: a receiver stopped taking data.

use crate::events::Side;
use crate::events::transport::{How, Reason};
use crate::events::trouble::ClosedWindow;
use crate::rules::subject::Part;
use crate::rules::{Finding, Findings, Severity, Subject};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A side whose receive window stayed at zero: its program does not read what has arrived, and the sender must wait.
    ///
    /// # Why it matters
    /// The transfer stands still, and it looks as if the sender or the network were slow. Neither is: the receiver's
    /// operating system answers every probe, and says "not now".
    ///
    /// # How it is decided
    /// The window was zero for 3 s at a time or 10 s in all. Where it opened again and the connection went on to a good end
    /// it is a remark: a paused player or a slow printer does so on purpose. Where it never opened it is a warning, and
    /// an error if the connection ended in it.
    ///
    /// # What it cannot know
    /// Why the program does not read: it may be stopped, blocked by something else, overloaded, or mean it.
    ///
    /// # How to mend it
    /// Look at the receiving program, not at the network: is it blocked, stopped, or waiting for a disk or a lock? A time-out
    /// on the sender keeps it from waiting for ever.
    ///
    /// # Sources
    /// RFC 9293 section 3.8.6.1 (zero-window probing); RFC 6429 (senders stuck in persist); `domain.md` D.1, D.9.
    "GSN805", "receiver-stall", "a receiver stopped reading, and the window stayed closed", Warning, Transport, Session(check)
}

/// More than two probes at a timeout of one second (`domain.md` D.1, `zero_window_bad`).
const SINGLE: Span = Span::from_secs(3);

/// The same for all closed times together.
const TOTAL: Span = Span::from_secs(10);

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        let Some(trouble) = part.connection.trouble.as_deref() else { continue };
        for side in Side::BOTH {
            let total = part.connection.sides[side].zero_window_time;
            if let Some(closed) = trouble.sides[side].closed_window
                && (closed.span >= SINGLE || total >= TOTAL)
                // A RST or a FIN announces a window of zero too, and so does a side that has said all.
                && part.connection.sides[side.other()].payload_bytes > 0
            {
                report(subject, part, side, closed, findings);
            }
        }
    }
}

/// How much it hurt.
fn severity(part: Part<'_>, closed: ClosedWindow) -> Severity {
    let ended = &part.connection.ended;
    match (closed.opened, ended.how, ended.reason) {
        (None, How::CaptureEnd, _) if closed.probes > 1 => Severity::Warning,
        (Some(_), ..) | (None, How::CaptureEnd, _) | (None, _, Reason::Released) => Severity::Info,
        (None, ..) => Severity::Error,
    }
}

fn report(subject: Subject<'_>, part: Part<'_>, side: Side, closed: ClosedWindow, findings: &mut Findings) {
    let facts = &part.connection.sides[side];
    let total = facts.zero_window_time.max(closed.span);
    let name = side.name();
    let outcome = match closed.opened {
        Some(_) => "and opened again",
        None => "and never opened again",
    };
    let mut finding = Finding::of_part(
        &RULE,
        &subject,
        part,
        format!("the {name}'s receive window was closed for {} {outcome}: its program did not read", closed.span),
    )
    .severity(severity(part, closed))
    .key(format!("{} {name}", part.connection.id))
    .at(closed.closed.time)
    .fault(side)
    .why(format!(
        "its own segments announced a window of 0, {} time{} and {total} in all; the {} probed it {} time{} meanwhile",
        facts.zero_windows,
        if facts.zero_windows == 1 { "" } else { "s" },
        side.other().name(),
        closed.probes,
        if closed.probes == 1 { "" } else { "s" }
    ))
    .advice(format!(
        "find out why the program on the {name} does not read: stopped, blocked, or busy; give the {} a time-out for writes",
        side.other().name()
    ))
    .shows([closed.closed.at], "the window is closed here")
    .seconds("closed_s", closed.span)
    .seconds("closed_total_s", total)
    .number("probes", closed.probes)
    .ruled_out("the network: the receiver's host answers");
    finding = match closed.opened {
        Some(opened) => finding.shows([opened.at], "and opened here"),
        None => finding
            .context(part.connection.ended.frames.iter().copied(), "the end, with the window still closed"),
    };
    findings.add(finding);
}
