//! GST116: state was claimed after the time for which it is held.

use crate::events::{Confidence, Timer};
use crate::rules::{Fault, Finding, Findings, Severity, Subject};
use crate::session::outcome::seconds;
use crate::session::{Point, ResumeResult};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A resumption that was refused because it came later than the state was promised to be held: an MQTT session after
    /// its expiry, an upload after its deadline, a ticket after its lifetime.
    ///
    /// # Why it matters
    /// The refusal is right, and the work begins anew. Nothing is broken but two numbers that do not fit.
    ///
    /// # How it is decided
    /// A hold time was declared on an earlier connection of the session, the resumption was asked later than that after
    /// the connection had ended, and it was refused or passed over.
    ///
    /// # What it cannot know
    /// Whether the state would have been there in time: the server may have lost it before.
    ///
    /// # How to mend it
    /// Come back sooner, or ask for a longer hold.
    ///
    /// # Sources
    /// MQTT 5 section 3.1.2.11.2; RFC 8446 section 4.6.1; `domain.md` D.9.
    "GST116", "lease-or-hold-expired", "state was claimed after the time for which it is held", Error, Session, Session(check)
}

/// A promise of how long state is held: the time, where it was made, and from when it counts.
type Promise = (Timer, Span, Point, crate::time::Timestamp);

fn check(subject: Subject<'_>, findings: &mut Findings) {
    let mut promises: Vec<Promise> = Vec::new();
    for part in subject.parts() {
        for (index, resume) in part.leg.resumptions.list.iter().enumerate() {
            if !matches!(resume.result, ResumeResult::Refused | ResumeResult::Silent) {
                continue;
            }
            let security = resume.mechanism.starts_with("tls-");
            let wanted = if security { Timer::Lifetime } else { Timer::Hold };
            let promise = promises.iter().rev().find(|(timer, ..)| *timer == wanted);
            let Some((_, held, declared, from)) = promise.copied() else { continue };
            let away = resume.begun.time.since(from);
            if away <= held {
                continue;
            }
            let object = resume.object.as_deref().unwrap_or("the session");
            let mut finding = Finding::of(
                &RULE,
                &subject,
                format!(
                    "{object} was claimed {} after it was left, and is held for {}",
                    seconds(away),
                    seconds(held)
                ),
            )
            .on([promised_connection(&subject, declared), part.connection.id])
            .at(resume.begun.time)
            .key(format!("{} {index}", part.connection.id))
            .fault(Fault::Client)
            .why("the hold time was declared, and the claim came after it")
            .advice(format!(
                "come back within {held}, or ask for more than the {} that were needed",
                seconds(away)
            ))
            .seconds("held_s", held)
            .seconds("away_s", away)
            .context_point(declared, "the time is declared")
            .shows_point(resume.begun, "the claim");
            if let Some(answer) = resume.answered {
                finding = finding.shows_point(answer, "the refusal");
            }
            if security {
                finding = finding.severity(Severity::Info).confidence(Confidence::High);
            }
            findings.add(finding);
        }
        let end = part.connection.end;
        promises.extend(part.leg.clocks.declared.iter().filter_map(
            |(_, declared, at)| match declared.timer {
                // A ticket ages from its issue, a session from the loss of its connection.
                Timer::Lifetime => Some((declared.timer, declared.span, *at, at.time)),
                Timer::Hold => Some((declared.timer, declared.span, *at, end)),
                _ => None,
            },
        ));
    }
}

/// The connection on which something was said.
fn promised_connection(subject: &Subject<'_>, point: Point) -> u32 {
    let part = subject.parts().find(|part| part.leg.key == point.connection);
    part.map_or(subject.session.legs.first().map_or(0, |leg| leg.connection), |part| part.connection.id)
}
