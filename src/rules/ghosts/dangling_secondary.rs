//! GSG212: a side channel without its session.

use crate::events::transport::How;
use crate::events::{Confidence, Side};
use crate::rules::{Finding, Findings, Part, Severity, Subject};
use crate::session::Role;
use crate::session::outcome::seconds;
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// A data connection that stays open and silent after the session that opened it is over; or side channels that were
    /// announced again and again and never used.
    ///
    /// # Why it matters
    /// Nobody will ever use or close what is left: ports and descriptors stay taken, and a firewall keeps a hole open.
    ///
    /// # How it is decided
    /// The control connection has ended and its data connection has not, though nothing was sent on it any more for a minute,
    /// or for twenty times as long as the session's other data connections lived. Or three announced places saw no connection,
    /// though others of the same session did.
    ///
    /// # What it cannot know
    /// Whether an unused place was tried on a way that the capture does not see.
    ///
    /// # How to mend it
    /// Close data connections with their control connection; announce a place only when it is going to be used.
    ///
    /// # Sources
    /// RFC 959 sections 3.2 and 5.2; `domain.md` D.5, D.9.
    "GSG212", "dangling-secondary", "a side channel is left without its session", Warning, Session, Session(check)
}

/// So long may a side channel outlive its session in silence (`domain.md` D.9).
const LEFT: Span = Span::from_secs(60);

/// Less is nothing, whatever is usual.
const SHORT: Span = Span::from_secs(3);

/// Announcements without a connection that are a habit (`domain.md` D.9).
const UNUSED: usize = 3;

fn check(subject: Subject<'_>, findings: &mut Findings) {
    let data: Vec<Part<'_>> = subject.parts().filter(|part| part.leg.role == Role::Data).collect();
    if data.is_empty() {
        return;
    }
    unused(subject, &data, findings);
    let Some(control) = subject.mains().next_back() else { return };
    if control.connection.ended.how == How::CaptureEnd {
        return;
    }
    let over = control.connection.end;
    let mut lives: Vec<Span> = data
        .iter()
        .filter(|part| part.connection.ended.how != How::CaptureEnd && part.connection.end <= over)
        .map(|part| part.connection.end.since(part.connection.start))
        .collect();
    lives.sort_unstable();
    let usual = lives.get(lives.len() / 2).map(|life| Span(life.0.saturating_mul(20)).max(SHORT));
    for part in
        data.iter().copied().filter(|part| part.connection.ended.how == How::CaptureEnd && part.sees_both())
    {
        let last = Side::BOTH.iter().filter_map(|side| part.connection.sides[*side].last_payload).max();
        let silent = subject
            .population
            .watched_after(part.connection, last.unwrap_or(part.connection.start).max(over));
        if silent < usual.unwrap_or(LEFT).min(LEFT) {
            continue;
        }
        findings.add(
            Finding::of_part(
                &RULE,
                &subject,
                part,
                format!(
                    "a data connection is still open {} after its control connection ended",
                    seconds(silent)
                ),
            )
            .confidence(Confidence::High)
            .fault(Side::Server)
            .why("the control connection is over, and its data connection is silent and not closed")
            .advice("close the data connection with the session that opened it; bound its idle time")
            .seconds("silent_s", silent)
            .context(control.connection.ended.frames.iter().copied(), "the end of the control connection")
            .shows(
                [part.connection.first, part.connection.last],
                "the data connection, from its first to its last frame",
            ),
        );
    }
}

/// Places that were announced and that nobody came to.
fn unused(subject: Subject<'_>, data: &[Part<'_>], findings: &mut Findings) {
    for control in subject.mains().filter(|part| part.sees_both()) {
        let came = |port: u16| data.iter().any(|part| part.connection.server.port == port);
        // What was begun after an announcement used it, though the capture may not hold the connection.
        let began = |from: Timestamp, to: Option<Timestamp>| {
            let mut works = control.leg.works.list.iter().map(|work| work.begun.time);
            works.any(|begun| begun >= from && to.is_none_or(|to| begun < to))
        };
        let announced = &control.leg.expects;
        let unused: Vec<_> = announced
            .iter()
            .enumerate()
            .filter(|(index, (expectation, at))| {
                let next = announced.get(index + 1).map(|(_, next)| next.time);
                !came(expectation.listener.1) && !began(at.time, next)
            })
            .map(|(_, one)| one)
            .collect();
        if unused.len() < UNUSED {
            continue;
        }
        let mut finding = Finding::of_part(
            &RULE,
            &subject,
            control,
            format!("{} of {} announced side channels were never used", unused.len(), control.leg.expects.len()),
        )
        .severity(Severity::Warning)
        .confidence(Confidence::Medium)
        .why("the place was announced, and no connection to it is in the capture, though others of the session are")
        .advice("announce a place only when it is going to be used, and close the listener when it is not")
        .number("unused", unused.len());
        for (_, at) in unused.iter().take(4) {
            finding = finding.shows_point(*at, "an announced place");
        }
        findings.add(finding);
    }
}
