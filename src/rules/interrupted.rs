//! Work that was interrupted: all attempts at one object together, how far they came, and whether anybody finished it.

use std::collections::BTreeMap;

use super::departure::side;
use super::{Part, Subject};
use crate::events::Unit;
use crate::events::transport::{How, Reason};
use crate::session::{ResumeResult, Resumption, Verdict, Work};

/// Later sessions of the same two hosts in which the work may have been finished.
const LOOKED_THROUGH: usize = 256;

/// A unit of work that was begun, in one or more attempts, and not finished in its session.
#[derive(Debug)]
pub(super) struct Interrupted<'a> {
    /// Where the last attempt was made.
    pub part: Part<'a>,
    /// The last attempt.
    pub work: &'a Work,
    /// How often it was begun.
    pub attempts: usize,
    /// Bytes that the furthest attempt sent; none where it is not counted in bytes.
    pub reached: Option<u64>,
    /// Bytes that were confirmed at most.
    pub confirmed: u64,
    /// An attempt to go on that was refused.
    pub refused: Option<&'a Resumption>,
    /// Whether it can go on.
    pub verdict: Verdict,
    /// Whether whoever wanted it left it himself.
    pub given_up: bool,
    /// Whether it was finished in a later session.
    pub finished_later: bool,
}

impl Interrupted<'_> {
    /// Bytes to be sent again if it is taken up where the protocol allows.
    pub(super) fn redo(&self) -> Option<u64> {
        let reached = self.reached?;
        let base = if self.verdict == Verdict::Restart { 0 } else { self.confirmed };
        Some(reached.saturating_sub(base))
    }

    /// Bytes sent past the last confirmed point.
    pub(super) fn at_risk(&self) -> Option<u64> {
        Some(self.reached?.saturating_sub(self.confirmed))
    }
}

/// All work that this session left unfinished though its connection did not merely outlive the capture.
pub(super) fn interrupted(subject: Subject<'_>) -> Vec<Interrupted<'_>> {
    let mut objects: BTreeMap<Option<&str>, Vec<(Part<'_>, &Work)>> = BTreeMap::new();
    for part in subject.parts() {
        for work in &part.leg.works.list {
            objects.entry(work.object.as_deref()).or_default().push((part, work));
        }
    }
    let mut found = Vec::new();
    for (object, mut attempts) in objects {
        attempts.sort_by_key(|(_, work)| work.begun.time);
        let Some((part, work)) = attempts.last().copied().filter(|(_, work)| work.is_broken()) else {
            continue;
        };
        let ended = &part.connection.ended;
        let still_going =
            work.is_open() && (ended.how == How::CaptureEnd || ended.reason == Reason::CaptureEnded);
        if still_going || !part.sees_both() {
            continue;
        }
        found.push(of(subject, object, &attempts, part, work));
    }
    found.sort_by_key(|one| one.work.begun.time);
    found
}

fn of<'a>(
    subject: Subject<'a>,
    object: Option<&str>,
    attempts: &[(Part<'a>, &'a Work)],
    part: Part<'a>,
    work: &'a Work,
) -> Interrupted<'a> {
    let bytes = |position: crate::events::Position| (position.unit == Unit::Bytes).then_some(position.value);
    let reached = attempts.iter().filter_map(|(_, work)| work.reached.and_then(bytes)).max();
    let confirmed = attempts
        .iter()
        .filter_map(|(_, work)| work.confirmed.and_then(|(position, _)| bytes(position)))
        .max()
        .unwrap_or(0);
    let refused = subject.session.resumptions().find(|resume| {
        let refused = matches!(resume.result, ResumeResult::Refused | ResumeResult::Silent);
        let same = resume.object.is_none() || resume.object.as_deref() == object;
        refused
            && same
            && !resume.mechanism.starts_with("tls")
            && resume.begun.time >= attempts_begin(attempts)
    });
    let offered = subject.session.legs.iter().flat_map(|leg| &leg.leg.resumptions.offered);
    let offered = offered.map(|(mechanism, _)| *mechanism).any(|mechanism| !mechanism.starts_with("tls"));
    let risk = subject.session.at_risk.as_ref().filter(|risk| risk.object.as_deref() == object);
    let verdict = match risk {
        _ if refused.is_some() => Verdict::Restart,
        Some(risk) => risk.verdict,
        None if part.leg.readable == 0 => Verdict::Unknown,
        None if offered => Verdict::ResumeUnproven,
        None => Verdict::Restart,
    };
    let ended = &part.connection.ended;
    let closed = matches!(ended.how, How::Fin | How::Rst);
    let given_up = work.is_open() && closed && side(ended.by) == Some(work.by);
    let mut later = subject.later_of_pair().take(LOOKED_THROUGH).flat_map(|other| other.session.works());
    let finished_later =
        object.is_some() && later.any(|other| other.object.as_deref() == object && !other.is_broken());
    Interrupted {
        part,
        work,
        attempts: attempts.len(),
        reached,
        confirmed,
        refused,
        verdict,
        given_up,
        finished_later,
    }
}

fn attempts_begin(attempts: &[(Part<'_>, &Work)]) -> crate::time::Timestamp {
    attempts.first().map_or_else(Default::default, |(_, work)| work.begun.time)
}
