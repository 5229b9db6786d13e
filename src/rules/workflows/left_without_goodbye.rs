//! GSW612: the protocol has a good-bye, and it was not said.

use crate::events::transport::{By, How, Reason};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Severity, Subject};

rule! {
    /// # What it finds
    /// A session whose protocol has a good-bye (`QUIT`, `DISCONNECT`) and whose connection was closed without it, though
    /// nothing was owed.
    ///
    /// # Why it matters
    /// The server cannot tell an intended end from a crash: it may keep locks, deliver a last will, or hold the login.
    ///
    /// # How it is decided
    /// The connection ended by a FIN or RST of one end after at least one answered question, no good-bye was read, no
    /// answer was owed and no work open. It is a remark, and a warning where the client left a will with the server (which
    /// is published now), or where at least half of four or more of its sessions end so. TLS without `close_notify` and
    /// plain HTTP are no case: there the end of the message says it all.
    ///
    /// # What it cannot know
    /// Whether the process was killed or its author never wrote the good-bye.
    ///
    /// # How to mend it
    /// Close the session by its protocol before closing the socket; stop services with a signal that they handle.
    ///
    /// # Sources
    /// RFC 959 section 4.1.1 (QUIT); RFC 5321 section 4.1.1.10; MQTT 5 section 3.14; `domain.md` D.9.
    "GSW612", "left-without-goodbye", "the connection was closed without the protocol's good-bye", Info, Session, Session(check)
}

/// Sessions of the same client that are looked at for its habits.
const LOOKED_AT: usize = 64;

/// From so many sessions of a client with a server on, half of them without a good-bye are a habit.
const HABIT: usize = 4;

fn check(subject: Subject<'_>, findings: &mut Findings) {
    let Some((part, by)) = left(subject) else { return };
    let will = part.leg.will.filter(|_| by == Fault::Client);
    let (without, all) = habit(subject, by);
    let habitual = without * 2 >= all && all >= HABIT;
    let severity = if will.is_some() || habitual { Severity::Warning } else { Severity::Info };
    let consequence = match (will, habitual) {
        (Some(_), _) => ": the server publishes its last will, as if it had crashed".to_owned(),
        (None, true) => format!(", as in {without} of its {all} sessions here"),
        (None, false) => String::new(),
    };
    let mut finding = Finding::of(
        &RULE,
        &subject,
        format!("the {} closed without the good-bye of {}{consequence}", by.name(), part.leg.protocol()),
    )
    .severity(severity)
    .on([part.connection.id])
    .fault(by)
    .why("the connection was closed though nothing was owed, and no good-bye was read before")
    .advice("end the session by its protocol before closing the socket")
    .number("without", without)
    .number("sessions", all)
    .context_point(part.leg.last, "the last that was said")
    .shows(part.connection.ended.frames.iter().copied(), "the end of the connection");
    if let Some(will) = will {
        finding =
            finding.shows_point(will, "the client left word for the case that it goes without a good-bye");
    }
    findings.add(finding);
}

/// The part by which a session was left without a good-bye, and by whom.
fn left(subject: Subject<'_>) -> Option<(Part<'_>, Fault)> {
    let part = subject.last()?;
    let ended = &part.connection.ended;
    let by = match (ended.how, ended.by) {
        (How::Fin | How::Rst, By::Client) => Fault::Client,
        (How::Fin | How::Rst, By::Server) => Fault::Server,
        _ => return None,
    };
    let leg = part.leg;
    let talked = leg.dialog.answered > 0 && leg.readable > 0 && leg.opaque == 0;
    let unsaid =
        subject.population.has_goodbye(leg.protocol()) && leg.goodbye.is_none() && leg.farewell.is_none();
    let free = leg.dialog.debt().is_none() && leg.works.open().next().is_none();
    // Timers, shutdowns and outages have causes of their own, and whoever is refused need not be polite.
    let plain =
        matches!(ended.reason, Reason::Released | Reason::Abort | Reason::HalfReleased | Reason::Unknown);
    let refused = leg.refused.is_some() || (!leg.logins.list.is_empty() && !leg.logins.granted());
    (talked && unsaid && free && plain && !refused && part.sees_both()).then_some((part, by))
}

/// How many of the sessions of this client with this server were left so by the same side, and how many there were.
fn habit(subject: Subject<'_>, by: Fault) -> (usize, usize) {
    let own = subject.session;
    let mut counts = (0, 0);
    for other in subject.population.of_pair(own.client.ip, own.server).take(LOOKED_AT) {
        if other
            .last()
            .is_some_and(|part| part.connection.ended.how != How::CaptureEnd && part.leg.readable > 0)
        {
            counts.1 += 1;
            counts.0 += usize::from(left(other).is_some_and(|(_, side)| side == by));
        }
    }
    counts
}
