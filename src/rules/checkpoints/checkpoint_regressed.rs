//! GSC704: what had been confirmed is confirmed no longer.

use std::collections::BTreeMap;

use crate::events::{Position, Side};
use crate::rules::{Finding, Findings, Part, Subject};
use crate::session::{Point, ResumeResult};

rule! {
    /// # What it finds
    /// A server that names a position which lies before one that it had confirmed earlier for the same object.
    ///
    /// # Why it matters
    /// Data that the client was told are safe are not: what was sent and confirmed between the two positions is lost, and a
    /// client that trusted the first answer has thrown it away.
    ///
    /// # How it is decided
    /// The client asked how far the object is, and the answer is lower than a position that the same server had confirmed. A
    /// client that asks for an earlier part of its own will is no case.
    ///
    /// # What it cannot know
    /// Whether the object was deleted and created again under the same name.
    ///
    /// # How to mend it
    /// Let the server write through before it confirms, and keep uploads where all its instances see them.
    ///
    /// # Sources
    /// tus resumable upload protocol 1.0.0 (Upload-Offset); X.215 section 7; `domain.md` D.8, D.9.
    "GSC704", "checkpoint-regressed", "a confirmed position went back", Error, Application, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    let mut confirmed: BTreeMap<&str, Vec<(Position, Point)>> = BTreeMap::new();
    for part in subject.parts() {
        for work in &part.leg.works.list {
            if let (Some(object), Some(known)) = (work.object.as_deref(), work.confirmed) {
                confirmed.entry(object).or_default().push(known);
            }
        }
        for resume in &part.leg.resumptions.list {
            if let (Some(object), Some(position), Some(at)) =
                (resume.object.as_deref(), resume.granted, resume.answered)
                && resume.asked.is_none()
            {
                confirmed.entry(object).or_default().push((position, at));
            }
        }
    }
    for part in subject.parts() {
        judge(subject, part, &confirmed, findings);
    }
}

fn judge(
    subject: Subject<'_>,
    part: Part<'_>,
    confirmed: &BTreeMap<&str, Vec<(Position, Point)>>,
    findings: &mut Findings,
) {
    for (index, resume) in part.leg.resumptions.list.iter().enumerate() {
        // Only where the server says by itself how far it is.
        let told = resume.result == ResumeResult::Granted && resume.asked.is_none();
        let (Some(position), Some(at), Some(object)) =
            (resume.granted.filter(|_| told), resume.answered, resume.object.as_deref())
        else {
            continue;
        };
        let before = confirmed.get(object).into_iter().flatten().filter(|(known, point)| {
            known.unit == position.unit && point.time < resume.begun.time && known.value > position.value
        });
        let Some((known, point)) = before.max_by_key(|(known, _)| known.value) else { continue };
        findings.add(
            Finding::of_part(
                &RULE,
                &subject,
                part,
                format!(
                    "the server confirmed {object} up to {} {} and later only up to {}",
                    known.value,
                    known.unit.name(),
                    position.value
                ),
            )
            .key(format!("{} {index}", part.connection.id))
            .at(at.time)
            .fault(Side::Server)
            .why("the same object, the same server, and the later answer is the lower one")
            .advice("write through before confirming; keep the state of uploads where every instance of the server sees it")
            .number("confirmed", known.value)
            .number("now", position.value)
            .shows_point(*point, "the higher position is confirmed")
            .shows_point(at, "the lower position is named"),
        );
    }
}
