//! GST117: a transfer stood still in the middle.

use crate::events::transport::How;
use crate::events::{Confidence, Marks, Side, Stage, Unit};
use crate::place::PacketRef;
use crate::rules::{Finding, Findings, Part, Severity, Subject};
use crate::session::outcome::describe;
use crate::session::{Quiet, Role, Work};
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// A transfer in the middle of which nothing came for long, though the receiver could have taken more. It is an error
    /// where the transfer ended so.
    ///
    /// # Why it matters
    /// The user sees a bar that does not move. Timers on both sides run, and the first one that fires is blamed.
    ///
    /// # How it is decided
    /// Between two payloads of a unit of work lay ten seconds or more (or three, where that is fifty times what the
    /// transfer had taken until then), no closed window explains it, and no bytes were being repeated. A transfer that
    /// went on and came to its end paused only (info).
    ///
    /// # What it cannot know
    /// Whether the sender computed, waited for its disk, or was slowed down on purpose.
    ///
    /// # How to mend it
    /// Look at the sender; let it show life while it computes, or raise the receiver's timer for pauses.
    ///
    /// # Sources
    /// RFC 959 section 5.4; `domain.md` D.9.
    "GST117", "transfer-stalled", "a transfer stood still in the middle", Warning, Application, Session(check)
}

/// A pause that is long in any transfer.
const LONG: Span = Span::from_secs(10);

/// A pause that is long where the transfer before it took much less.
const PAUSE: Span = Span::from_millis(2_900);

/// So much less.
const FAR: i64 = 50;

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        for (index, work) in part.leg.works.list.iter().enumerate() {
            let counted = work.reached.is_some_and(|position| {
                position.unit == Unit::Bytes && (position.value > 0 || position.of.is_some())
            });
            let carriers: Vec<Part<'_>> = carriers(&subject, &part, work);
            for carrier in carriers.into_iter().filter(|_| counted) {
                if let Some(finding) = stall(&subject, &part, &carrier, work) {
                    findings.add(
                        finding.key(format!("{} {} {index}", part.connection.id, carrier.connection.id)),
                    );
                }
            }
        }
    }
}

/// The connections that the bytes of a work go over: its own, or those that were announced for it and overlap with it.
fn carriers<'a>(subject: &Subject<'a>, part: &Part<'a>, work: &Work) -> Vec<Part<'a>> {
    let until = work.ended.map_or(part.connection.end, |(_, at)| at.time);
    let data: Vec<Part<'a>> = subject
        .parts()
        .filter(|other| other.leg.role == Role::Data)
        .filter(|other| other.connection.start <= until && other.connection.end >= work.begun.time)
        .collect();
    // Bytes that go over announced connections which the capture lacks are not seen at all.
    if data.is_empty() && part.leg.expects.is_empty() { vec![*part] } else { data }
}

fn stall(subject: &Subject<'_>, part: &Part<'_>, carrier: &Part<'_>, work: &Work) -> Option<Finding> {
    let until = work.ended.map_or(carrier.connection.end, |(_, at)| at.time);
    let (gap, from, frames) = gap(carrier, work.begun.time, until)?;
    let before = from.since(work.begun.time);
    let quick = gap >= PAUSE && gap.0 / FAR > before.0;
    let closed =
        Side::BOTH.iter().any(|side| carrier.connection.sides[*side].zero_window_time.0 > gap.0 / 10);
    let repeated = Side::BOTH.iter().any(|side| {
        let facts = &carrier.connection.sides[*side];
        facts.retransmitted_segments > 3 && u64::from(facts.retransmitted_segments) * 50 > facts.packets
    });
    if (gap < LONG && !quick) || closed || repeated || !carrier.sees_both() {
        return None;
    }
    let done = work.ended.is_some_and(|(stage, _)| stage == Stage::Granted);
    let ended_so =
        work.ended.is_none_or(|(stage, at)| stage != Stage::Granted && at.time.since(from) <= gap + PAUSE);
    let told = part.leg.farewell.as_deref().is_some_and(|said| said.marks.has(Marks::TIMER));
    let severity = match (done, ended_so || told) {
        (true, _) => Severity::Info,
        (false, true) if carrier.connection.ended.how != How::CaptureEnd => Severity::Error,
        _ => Severity::Warning,
    };
    let sender =
        carrier.connection.sides.client.delivered_bytes > carrier.connection.sides.server.delivered_bytes;
    let sender = if sender { Side::Client } else { Side::Server };
    Some(
        Finding::of(&RULE, subject, format!("{} stood still for {gap}", describe(work)))
            .severity(severity)
            .confidence(Confidence::High)
            .on([part.connection.id, carrier.connection.id])
            .at(from)
            .fault(sender)
            .why("the receiver's window was open, nothing was being repeated, and the sender had more to send")
            .advice(format!("look at what the {} waited for; let it show life meanwhile, or raise the other side's timer above {gap}", sender.name()))
            .seconds("idle_s", gap)
            .context_point(work.begun, "the transfer begins")
            .shows(frames, "the pause")
            .context(carrier.connection.ended.frames.iter().copied(), "the end of the connection"),
    )
}

/// The longest pause of a connection within a time: how long, from when, and its frames.
fn gap(carrier: &Part<'_>, begun: Timestamp, until: Timestamp) -> Option<(Span, Timestamp, Vec<PacketRef>)> {
    let start = |quiet: &Quiet| Timestamp(quiet.until.time.0.saturating_sub(quiet.span.0));
    let inside = |quiet: &&Quiet| start(quiet) > begun && quiet.until.time <= until;
    let longest = carrier.leg.clocks.quiet.iter().filter(inside).max_by_key(|quiet| quiet.span);
    let longest = longest.map(|quiet| (quiet.span, start(quiet), quiet.until.frames()));
    // The pause that nothing but the end of the connection ended.
    let last = carrier.connection.closing.as_deref().and_then(|act| {
        let quiet = act.quiet?;
        let from = Timestamp(act.time.0.saturating_sub(quiet.0));
        let frames: Vec<_> = act.spoke_last.map(|(_, at)| at).into_iter().chain([act.at]).collect();
        (from > begun && from <= until).then_some((quiet, from, frames))
    });
    longest.into_iter().chain(last).max_by_key(|(span, ..)| *span)
}
