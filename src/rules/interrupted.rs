//! Work that was interrupted: all attempts at one object together, how far they came, and whether anybody finished it.

use std::collections::BTreeMap;

use super::departure::side;
use super::{Part, Subject};
use crate::events::transport::{How, Reason};
use crate::events::{Position, Side, Stage, Unit};
use crate::session::outcome::describe;
use crate::session::{ResumeResult, Resumption, Role, Verdict, Work};

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

    /// What it is, and how far its furthest attempt came, for people.
    pub(super) fn described(&self) -> String {
        let Some(bytes) = self.reached else { return describe(self.work) };
        let whole = self.work.reached.and_then(|position| position.of);
        describe(&Work { reached: Some(Position::bytes(bytes).of(whole)), ..self.work.clone() })
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
        let broken = |(_, work): &(Part<'_>, &Work)| work.is_broken() || undone(subject, work);
        let Some(last) = attempts.iter().rposition(broken) else { continue };
        if attempts.iter().skip(last).any(|(_, work)| finished(work)) {
            continue;
        }
        let (part, work) = attempts[last];
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
    let own = attempts.iter().filter_map(|(_, work)| work.reached.and_then(bytes)).max();
    let carried = attempts.iter().filter_map(|(_, work)| carried(subject, work)).max();
    let reached = own.max(carried);
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
    // It is the client who wants something done, whichever side spoke of it first.
    let left = |part: Part<'_>| {
        let ended = &part.connection.ended;
        matches!(ended.how, How::Fin | How::Rst) && side(ended.by) == Some(Side::Client)
    };
    let cut = !matches!(work.ended, Some((Stage::Refused, _)));
    let given_up = cut && left(part)
        || data_of(subject, work).is_some_and(|data| left(data) && data.connection.ended.how == How::Rst);
    let mut later = subject.later_of_pair().take(LOOKED_THROUGH).flat_map(|other| other.session.works());
    let finished_later =
        object.is_some() && later.any(|other| other.object.as_deref() == object && finished(other));
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

/// The side channel that carried this work, where it has one.
fn data_of<'a>(subject: Subject<'a>, work: &Work) -> Option<Part<'a>> {
    let end = work.ended.map(|(_, at)| at.time);
    subject
        .parts()
        .filter(|part| part.leg.role == Role::Data && part.connection.end >= work.begun.time)
        .filter(|part| end.is_none_or(|end| part.connection.start <= end))
        .find(|part| Side::BOTH.iter().any(|side| part.connection.sides[*side].payload_bytes > 0))
}

/// Bytes that its side channel carried.
fn carried(subject: Subject<'_>, work: &Work) -> Option<u64> {
    let sides = data_of(subject, work)?.connection.sides;
    Some(sides.client.delivered_bytes.max(sides.server.delivered_bytes))
}

/// Whether it came to its good end.
fn finished(work: &Work) -> bool {
    matches!(work.ended, Some((Stage::Granted, _)))
}

/// Whether it was refused after part of it had been carried.
fn undone(subject: Subject<'_>, work: &Work) -> bool {
    matches!(work.ended, Some((Stage::Refused, _))) && carried(subject, work).is_some_and(|bytes| bytes > 0)
}

fn attempts_begin(attempts: &[(Part<'_>, &Work)]) -> crate::time::Timestamp {
    attempts.first().map_or_else(Default::default, |(_, work)| work.begun.time)
}
