//! GSG205: a session at rest that nobody uses and nobody closes.

use crate::events::transport::{How, Reason};
use crate::events::{Confidence, Side};
use crate::rules::departure::established;
use crate::rules::{Fault, Finding, Findings, Part, Severity, Subject};
use crate::session::outcome::seconds;
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// A session that was used, then fell silent for the rest of the capture with nothing owed, nothing closed and no
    /// keep-alive.
    ///
    /// # Why it matters
    /// Nobody can tell such a session from one whose peer is dead. Boxes on the way forget it, and the next use fails.
    ///
    /// # How it is decided
    /// The silence lasts to the end of the capture and is far longer than the pauses of the session itself. It is a fact
    /// (info) at first. It is a warning when it lasts longer than NATs must keep a connection (2 h 4 min), or
    /// when a logged-in client opened and closed at least three later sessions with the same
    /// service in far less time and never came back to this one.
    ///
    /// # What it cannot know
    /// Whether it would have been used after the end of the capture: connections in a pool rest by design. Many
    /// that only grow in number are GSG209.
    ///
    /// # How to mend it
    /// Close what is not needed; for what is, turn on keep-alive with an interval below half of the shortest idle timer on the
    /// way, and set an idle limit on the server.
    ///
    /// # Sources
    /// RFC 5382 REQ-5 (2 h 4 min); RFC 9293 section 3.8.4; `domain.md` D.5, D.9.
    "GSG205", "idle-unreleased", "a session rests, and nobody closes it", Info, Session, Session(check)
}

/// What a NAT keeps an established connection for at least (RFC 5382 REQ-5).
const GHOST_IDLE: Span = Span::from_secs(7_440);

/// Less is no rest.
const REST: Span = Span::from_secs(3);

/// Longer than its own longest pause so many times, it has not merely paused.
const PAUSES: i64 = 5;

/// Later sessions of the same client that were released show what is usual.
const COMPARABLE: usize = 3;

/// Sessions of the same client that are looked through.
const LOOKED_THROUGH: usize = 512;

/// Since when a session rests, and for how long; none where it does not.
fn resting(subject: Subject<'_>, part: Part<'_>) -> Option<(Timestamp, Span)> {
    let (connection, leg) = (part.connection, part.leg);
    let open = connection.ended.how == How::CaptureEnd && connection.ended.reason == Reason::CaptureEnded;
    let spoke = |side: Side| connection.sides[side].payload_bytes > 0;
    let kept_alive = leg.clocks.last_keepalive().is_some();
    if !open || !established(part) || !part.sees_both() || !spoke(Side::Client) || !spoke(Side::Server) {
        return None;
    }
    let stuck = Side::BOTH
        .iter()
        .any(|side| connection.sides[*side].unacked_bytes > 0 || connection.sides[*side].zero_windows > 0);
    if kept_alive || stuck || !leg.dialog.open.is_empty() || leg.works.open().next().is_some() {
        return None;
    }
    let last = Side::BOTH.iter().filter_map(|side| connection.sides[*side].last_payload).max()?;
    let silent = subject.population.watched_after(connection, last);
    (silent >= REST && silent.0 > connection.longest_idle.0.saturating_mul(PAUSES)).then_some((last, silent))
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    let Some(part) = subject.last() else { return };
    let Some((since, silent)) = resting(subject, part) else { return };
    let passed_over = subject
        .population
        .of_pair(subject.session.client.ip, subject.session.server)
        .take(LOOKED_THROUGH)
        .filter(|other| other.session.start > since && other.session.outcome.reason == Reason::Released)
        .filter(|other| other.session.duration().0.saturating_mul(20) < silent.0)
        .count();
    let left = part.leg.logins.granted() && part.leg.readable > 0 && passed_over >= COMPARABLE;
    let reason = if silent >= GHOST_IDLE {
        "longer than a NAT on the way must remember it (RFC 5382: 2 h 4 min), and no keep-alive was sent"
            .to_owned()
    } else if left {
        format!("while the same client began and released {passed_over} later sessions with the service")
    } else {
        "to the end of the capture, without keep-alive".to_owned()
    };
    let loud = silent >= GHOST_IDLE || left;
    findings.add(
        Finding::of_part(&RULE, &subject, part, format!("the session rests for {}, {reason}", seconds(silent)))
            .severity(if loud { Severity::Warning } else { Severity::Info })
            .confidence(Confidence::Medium)
            .fault(if loud { Fault::Client } else { Fault::Unknown })
            .why("nothing is owed, nothing was closed, and neither side shows that it still lives")
            .advice("close it when done; else send keep-alives more often than half of the shortest idle timer on the way, and set an idle limit on the server")
            .seconds("silent_s", silent)
            .seconds("longest_pause_s", part.connection.longest_idle)
            .context_point(part.leg.last, "the last that was said")
            .absence(
                (since, Timestamp(since.0.saturating_add(silent.0))),
                [part.connection.last],
                "neither data nor keep-alive nor close",
            ),
    );
}
