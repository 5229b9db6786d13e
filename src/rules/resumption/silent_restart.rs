//! GSR314: a transfer that could have gone on was begun anew.

use crate::events::{Confidence, Position, Stage, Unit};
use crate::rules::earlier_attempts::of_object;
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Subject};
use crate::session::{ResumeResult, Work};

rule! {
    /// # What it finds
    /// A transfer that broke off, and is begun again from zero although the server offers to go on (`Accept-Ranges`,
    /// `REST STREAM`, tus), or did so before.
    ///
    /// # Why it matters
    /// What was there travels again. Where the path breaks more often than a whole transfer takes, it never ends.
    ///
    /// # How it is decided
    /// The same object was transferred before by the same client with the same server and broke off behind its
    /// beginning; the new transfer asks for nothing but the whole. It counts from 1 MiB on, or a tenth of the object.
    ///
    /// # What it cannot know
    /// Whether the user wanted to begin anew, or the client has no place to keep a part.
    ///
    /// # How to mend it
    /// Let the client keep its part with the validator, and ask for the rest: `Range` with `If-Range`, `REST`,
    /// `Upload-Offset`.
    ///
    /// # Sources
    /// RFC 9110 section 14; RFC 3659 section 5; tus 1.0.0; `domain.md` D.8, D.9.
    "GSR314", "silent-restart", "a transfer that could have gone on was begun anew", Warning, Application, Session(check)
}

/// So much is worth going on for.
const WORTH: u64 = 1 << 20;

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        for (index, work) in part.leg.works.list.iter().enumerate() {
            let (Some(object), Some(Position { unit: Unit::Bytes, of, .. })) = (&work.object, work.reached)
            else {
                continue;
            };
            let resumed = work.resumed_at.is_some() || asked_for(part, work);
            let Some(former) = of_object(subject, object, work.begun).filter(|_| !resumed) else { continue };
            let worth = former.reached >= WORTH
                || former.whole.or(of).is_some_and(|whole| former.reached.saturating_mul(10) >= whole);
            let same = former.whole.zip(of).is_none_or(|(old, new)| old == new);
            let Some(mechanism) = offered(subject).filter(|_| worth && same) else { continue };
            // Only what began at zero and went on past what was there did the work twice.
            let twice = work.reached.is_some_and(|reached| reached.value > 0)
                || matches!(work.ended, Some((Stage::Granted, _)));
            if !twice {
                continue;
            }
            findings.add(
                Finding::of(
                    &RULE,
                    &subject,
                    format!("{object} was begun anew though {} bytes of it had come, and the server offers to go on by {mechanism}", former.reached),
                )
                .confidence(Confidence::High)
                .on([former.connection, part.connection.id])
                .key(format!("{} {index}", part.connection.id))
                .at(work.begun.time)
                .fault(Fault::Client)
                .why("the earlier transfer of the same object broke off, and the new one asks for the whole")
                .advice(format!("keep the part with its validator, and ask for the rest by {mechanism}"))
                .number("had", former.reached)
                .context_point(former.at, "the earlier transfer breaks off")
                .shows_point(work.begun, "the new one begins at zero"),
            );
        }
    }
}

/// Whether the rest was asked for, whatever became of it.
fn asked_for(part: Part<'_>, work: &Work) -> bool {
    part.leg.resumptions.list.iter().any(|resume| {
        let same = resume.object.is_none() || resume.object == work.object;
        same && resume.begun.time <= work.begun.time && resume.asked.is_none_or(|asked| asked.value > 0)
    })
}

/// The way to go on that the server offered this client, or granted it.
fn offered(subject: Subject<'_>) -> Option<&'static str> {
    let own = subject.session;
    let near = subject.population.of_pair(own.client.ip, own.server).take(64);
    let work =
        |mechanism: &&'static str| matches!(*mechanism, "http-range" | "ftp-rest" | "ftp-appe" | "tus");
    near.flat_map(Subject::parts).find_map(|part| {
        let list = &part.leg.resumptions;
        let granted =
            list.list.iter().filter(|one| one.result == ResumeResult::Granted).map(|one| one.mechanism);
        list.offered.iter().map(|(mechanism, _)| *mechanism).chain(granted).find(work)
    })
}
