//! GSC702: long work failed, and not one point of it had been confirmed.

use crate::rules::interrupted::interrupted;
use crate::rules::{Fault, Finding, Findings, Severity, Subject};
use crate::session::outcome::seconds;
use crate::time::Span;

rule! {
    /// # What it finds
    /// A large or long unit of work that was broken off before anything of it was confirmed, though the protocol has a way to
    /// confirm parts.
    ///
    /// # Why it matters
    /// All of it is lost at once. With a checkpoint now and then only the last piece would be.
    ///
    /// # How it is decided
    /// At least 100 MiB were sent, or a minute passed, and no position was confirmed. The server offers a way to go on, or
    /// work was taken up again in this session.
    ///
    /// # What it cannot know
    /// Whether the receiver kept what it got without saying so.
    ///
    /// # How to mend it
    /// Send in parts that are confirmed one by one.
    ///
    /// # Sources
    /// X.215 section 7 (minor synchronization); `domain.md` D.8, D.9.
    "GSC702", "long-work-without-checkpoint", "long work failed with nothing confirmed", Warning, Application, Session(check)
}

/// So many bytes are much work (`domain.md` D.9).
const MUCH: u64 = 100 << 20;

/// So long is long work (`domain.md` D.9).
const LONG: Span = Span::from_secs(60);

fn check(subject: Subject<'_>, findings: &mut Findings) {
    let mut offered = subject.session.legs.iter().flat_map(|leg| &leg.leg.resumptions.offered);
    let possible = offered.any(|(mechanism, _)| !mechanism.starts_with("tls"));
    for (index, one) in interrupted(subject).into_iter().enumerate() {
        let end = one.work.ended.map_or(one.part.connection.end, |(_, at)| at.time);
        let took = end.since(one.work.begun.time);
        let large = one.reached.is_some_and(|bytes| bytes >= MUCH) || took >= LONG;
        if !large || one.confirmed > 0 || one.given_up || one.finished_later {
            continue;
        }
        findings.add(
            Finding::of_part(
                &RULE,
                &subject,
                one.part,
                format!("{} was lost after {} with nothing confirmed", one.described(), seconds(took)),
            )
            .key(format!("{} {index}", one.part.connection.id))
            .severity(if possible { Severity::Warning } else { Severity::Info })
            .fault(Fault::Unknown)
            .why("no position of it was confirmed between its begin and its end")
            .advice("send it in parts that are confirmed one by one")
            .seconds("took_s", took)
            .number("reached_bytes", one.reached.unwrap_or(0))
            .context_point(one.work.begun, "it begins")
            .shows(one.part.connection.ended.frames.iter().copied(), "it is lost"),
        );
    }
}
