//! GSC707: work went on, from before the point that it had reached.

use std::collections::BTreeMap;

use crate::events::{Position, Unit};
use crate::rules::{Finding, Findings, Severity, Subject};
use crate::session::{Point, ResumeResult};

rule! {
    /// # What it finds
    /// Interrupted work that was taken up again at a position before the one it had reached, so that a part was done twice.
    ///
    /// # Why it matters
    /// It is how resuming works, and costs something. Where it happens again and again, or where much is sent twice, the cause
    /// of the interruptions or the steps between confirmations are worth a look.
    ///
    /// # How it is decided
    /// An attempt at the object was broken off, a later one was granted from a lower position. One is a fact; three, or 1 MiB
    /// sent twice, are a warning. A player that seeks in a stream that was not broken is no case.
    ///
    /// # What it cannot know
    /// Whether the receiver compared what came twice.
    ///
    /// # How to mend it
    /// Confirm more often; take up where the receiver is, not where the sender's last step was.
    ///
    /// # Sources
    /// X.215 section 7 (resynchronization); RFC 9110 section 14; `domain.md` D.8, D.9.
    "GSC707", "resynchronised", "work went on from an earlier point", Info, Application, Session(check)
}

/// So often is a habit (`domain.md` D.9).
const OFTEN: usize = 3;

/// So many bytes sent twice are much (`domain.md` D.9).
const MUCH: u64 = 1 << 20;

fn check(subject: Subject<'_>, findings: &mut Findings) {
    // How far broken attempts came, by object.
    let mut broken: BTreeMap<&str, Vec<(Position, Point)>> = BTreeMap::new();
    for work in subject.session.works().filter(|work| work.is_broken()) {
        if let (Some(object), Some(reached)) = (work.object.as_deref(), work.reached) {
            let at = work.ended.map_or(work.begun, |(_, at)| at);
            broken.entry(object).or_default().push((reached, at));
        }
    }
    let mut again: Vec<(&str, u64, Point, Point)> = Vec::new();
    for resume in subject.session.resumptions().filter(|resume| resume.result == ResumeResult::Granted) {
        let (Some(object), Some(position)) = (resume.object.as_deref(), resume.granted.or(resume.asked))
        else {
            continue;
        };
        let reached = broken.get(object).into_iter().flatten().filter(|(reached, at)| {
            reached.unit == Unit::Bytes && position.unit == Unit::Bytes && at.time < resume.begun.time
        });
        if let Some((reached, at)) = reached.max_by_key(|(reached, _)| reached.value)
            && reached.value > position.value
        {
            let answered = resume.answered.unwrap_or(resume.begun);
            again.push((object, reached.value - position.value, *at, answered));
        }
    }
    let Some((object, ..)) = again.first().copied() else { return };
    let bytes: u64 = again.iter().map(|(_, bytes, ..)| *bytes).sum();
    let loud = again.len() >= OFTEN || bytes >= MUCH;
    let times = if again.len() == 1 { "once".to_owned() } else { format!("{} times", again.len()) };
    let legs: Vec<u32> = subject
        .session
        .legs
        .iter()
        .filter(|leg| {
            again.iter().any(|(_, _, from, to)| [from.connection, to.connection].contains(&leg.leg.key))
        })
        .map(|leg| leg.connection)
        .collect();
    let mut finding = Finding::of(
        &RULE,
        &subject,
        format!("{object} was taken up again {times} from before the point it had reached: {bytes} bytes were sent twice"),
    )
    .severity(if loud { Severity::Warning } else { Severity::Info })
    .on(legs)
    .why("an attempt was broken off, and a later one was granted from a lower position")
    .advice("confirm more often, and go on from where the receiver is")
    .number("times", again.len())
    .number("redone_bytes", bytes);
    for (_, _, from, to) in again.iter().take(3) {
        finding = finding.context_point(*from, "as far as it had come").shows_point(*to, "where it goes on");
    }
    findings.add(finding);
}
