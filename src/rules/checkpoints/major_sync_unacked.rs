//! GSC706: work was handed over whole, and whether it was taken nobody can tell.

use crate::events::transport::{How, Reason};
use crate::events::{Confidence, Grade};
use crate::rules::departure::established;
use crate::rules::{Finding, Findings, Part, Subject};
use crate::session::Confirmed;
use crate::session::outcome::seconds;

rule! {
    /// # What it finds
    /// A unit of work that was complete, and whose last confirmation never reached the side that waited for it: it was never
    /// sent, or it was sent and never arrived.
    ///
    /// # Why it matters
    /// The outcome is unknown. Who sends again may do it twice; who does not may lose it. This is where mails are delivered
    /// twice and files are taken for missing.
    ///
    /// # How it is decided
    /// The last step (the final dot, the end of a transfer) is in the capture, and the connection ended without the answer; or
    /// the answer was sent again and again, and TCP never acknowledged it.
    ///
    /// # What it cannot know
    /// Whether the receiver of the work has kept it.
    ///
    /// # How to mend it
    /// Make the last step repeatable (a key, a unique name), so that asking again does no harm; answer it before slow work.
    ///
    /// # Sources
    /// RFC 1047 (duplicate messages and SMTP); X.215 section 7 (major synchronization); `domain.md` D.8, D.9.
    "GSC706", "major-sync-unacked", "the confirmation of finished work never arrived", Warning, Session, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        let ended = &part.connection.ended;
        let over = ended.how != How::CaptureEnd && ended.reason != Reason::CaptureEnded;
        if !over || !part.sees_both() || !established(part) {
            continue;
        }
        let (point, sent) = match (unanswered(part), undelivered(part)) {
            (Some(point), _) => (point, false),
            (None, Some(point)) => (point, true),
            (None, None) => continue,
        };
        let what = point.object.as_deref().map_or(String::new(), |object| format!(" of {object}"));
        let waited = part.connection.end.since(point.at.time);
        let message = if sent {
            format!(
                "the confirmation{what} was sent again and again for {} and never arrived",
                seconds(waited)
            )
        } else {
            format!("the last step{what} was never answered in {}", seconds(waited))
        };
        findings.add(
            Finding::of_part(&RULE, &subject, part, message)
                .on(legs_at_work(subject, part, point))
                .confidence(Confidence::High)
                .fault(ended.by)
                .why(ended.because.clone())
                .advice("make the last step repeatable (a key or a unique name by which the server knows it again), and find out by other means whether it was done")
                .seconds("waited_s", waited)
                .shows_point(point.at, if sent { "the confirmation" } else { "the last step" })
                .shows(ended.frames.iter().copied(), "the end of the connection"),
        );
    }
}

/// The last step that nobody answered: after it the other side said nothing more.
fn unanswered(part: Part<'_>) -> Option<&Confirmed> {
    let proposed = part.leg.works.proposed.as_deref().filter(|point| point.grade == Grade::Major)?;
    let open = part.leg.dialog.open.iter().find(|question| question.at.time >= proposed.at.time)?;
    let peer = part.leg.dialog.last[open.by.other()].as_ref();
    peer.is_none_or(|turn| turn.at.time <= proposed.at.time).then_some(proposed)
}

/// A confirmation that was the last word of its side, repeated, and never acknowledged.
fn undelivered(part: Part<'_>) -> Option<&Confirmed> {
    let last = part.leg.works.last_confirmed.as_deref().filter(|point| point.grade == Grade::Major)?;
    crate::events::Side::BOTH.into_iter().find_map(|side| {
        let facts = &part.connection.sides[side];
        let spoke = part.leg.dialog.last[side].as_ref()?;
        let is_last_word = spoke.at.time <= last.at.time && spoke.at.last == last.at.last;
        (is_last_word && facts.unacked_bytes > 0 && facts.retransmitted_segments > 0).then_some(last)
    })
}

/// The connection, and those that carried the data of the same work.
fn legs_at_work(subject: Subject<'_>, part: Part<'_>, point: &Confirmed) -> Vec<u32> {
    let begun =
        part.leg.works.list.iter().rev().find(|work| work.object == point.object).map(|work| work.begun.time);
    let data = subject.parts().filter(|other| {
        other.leg.role == crate::session::Role::Data
            && begun
                .is_some_and(|begun| other.connection.end >= begun && other.connection.start <= point.at.time)
    });
    let mut legs: Vec<u32> = data.map(|other| other.connection.id).collect();
    legs.push(part.connection.id);
    legs
}
