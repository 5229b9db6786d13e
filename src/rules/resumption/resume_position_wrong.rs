//! GSR318: a transfer went on at a place that leaves a hole.

use crate::rules::data_channel::{came, data_of};
use crate::rules::{Fault, Finding, Findings, Population, Subject};
use crate::session::{Point, ResumeResult, Work};

rule! {
    /// # What it finds
    /// A transfer that was taken up behind the last byte that had come: the bytes between were never sent. Or a server that
    /// gives a part from a later place than was asked for.
    ///
    /// # Why it matters
    /// The file has the right length and is wrong inside. Nothing reports an error.
    ///
    /// # How it is decided
    /// The bytes that the earlier data connection carried are counted, in a capture that lost none of them, and the place
    /// at which the server agreed to go on is read. Players that jump about in a film are no case: only restarts of whole
    /// transfers count.
    ///
    /// # What it cannot know
    /// Whether the client filled the hole from elsewhere, outside of the capture.
    ///
    /// # How to mend it
    /// Take the place to go on at from what was written and flushed, never from what was asked for or announced; check the
    /// file by a digest.
    ///
    /// # Sources
    /// RFC 3659 section 5.4; RFC 9110 section 14.4; `domain.md` D.8, D.9.
    "GSR318", "resume-position-wrong", "a transfer went on at a place that leaves a hole", Critical, Application, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for subject in population.subjects() {
        for part in subject.parts() {
            for work in
                part.leg.works.list.iter().filter(|work| work.resumed_at.is_some() || starts_late(work))
            {
                hole(subject, work, findings);
            }
            for resume in &part.leg.resumptions.list {
                let (Some(asked), Some(told), Some(answer)) = (resume.asked, resume.told, resume.answered)
                else {
                    continue;
                };
                let elsewhere = resume.result == ResumeResult::Refused && told.value > asked.value;
                if elsewhere && !resume.state_lost {
                    let object = resume.object.as_deref().unwrap_or("the object");
                    let message = format!(
                        "{object} was asked for from byte {} on, and goes on at {}",
                        asked.value, told.value
                    );
                    findings.add(claim(
                        subject,
                        message,
                        (asked.value, told.value),
                        resume.begun,
                        answer,
                        Fault::Server,
                    ));
                }
            }
        }
    }
}

/// Whether a transfer begins in the middle by its own word.
fn starts_late(work: &Work) -> bool {
    !work.op.is_empty() && work.reached.is_some_and(|reached| reached.value > 0) && work.confirmed.is_none()
}

/// The earlier transfer of the same object did not come as far as this one begins.
fn hole(subject: Subject<'_>, work: &Work, findings: &mut Findings) {
    let Some(start) = work.resumed_at.or(work.reached).map(|position| position.value) else { return };
    let same = |other: &&Work| {
        other.object == work.object
            && other.op == work.op
            && other.begun.time < work.begun.time
            && other.is_broken()
    };
    let former = subject.session.works().filter(same).last();
    let Some((former, data)) = former.and_then(|former| Some((former, data_of(subject, former)?))) else {
        return;
    };
    let whole =
        data.visibility.gap_count == 0 && data.visibility.snapped == 0 && !data.visibility.began_before;
    let had = came(former, Some(data));
    // What was under way when it broke may have arrived behind the end of the capture's view.
    let under_way = data.sides.client.unacked_bytes + data.sides.server.unacked_bytes;
    if !whole || start <= had.saturating_add(under_way) || start == 0 {
        return;
    }
    let object = work.object.as_deref().unwrap_or("the file");
    let message = format!("{object} goes on at byte {start}, though only {had} bytes of it had come");
    let ended = former.ended.map_or(former.begun, |(_, at)| at);
    findings.add(
        claim(subject, message, (had, start), ended, work.begun, Fault::Client).on([data.id]
            .into_iter()
            .chain(
                subject
                    .parts()
                    .filter(|part| part.leg.key == work.begun.connection)
                    .map(|part| part.connection.id),
            )),
    );
}

fn claim(
    subject: Subject<'_>,
    message: String,
    (from, to): (u64, u64),
    before: Point,
    at: Point,
    fault: Fault,
) -> Finding {
    Finding::of(&RULE, &subject, message)
        .key(format!("{from} {to}"))
        .at(at.time)
        .fault(fault)
        .why(format!("the {} bytes between were sent neither before nor after", to - from))
        .advice("take the place to go on at from what was written and flushed; fetch the object anew, and check it by a digest")
        .number("had", from)
        .number("goes_on_at", to)
        .context_point(before, "how far it had come")
        .shows_point(at, "where it goes on")
}
