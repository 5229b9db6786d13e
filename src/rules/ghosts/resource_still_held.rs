//! GSG208: what an earlier session opened is still held, and its owner is turned away.

use crate::events::{Confidence, Side};
use crate::rules::departure::vanished;
use crate::rules::{Fault, Finding, Findings, Part, Severity, Subject};
use crate::session::outcome::seconds;
use crate::time::Timestamp;

rule! {
    /// # What it finds
    /// A refusal because a file, a mailbox or a lock is in use, where the user is an earlier session of the same client or the
    /// same person that was never released.
    ///
    /// # Why it matters
    /// The owner locks himself out: until the server notices that the earlier session is dead, nobody can go on.
    ///
    /// # How it is decided
    /// The server says that somebody holds what was asked for. An earlier session of the same client host, or of the same login,
    /// worked on the same object, said no good-bye, and its client had not spoken any more.
    ///
    /// # What it cannot know
    /// Whether somebody outside of the capture held the object too. Where no such session was seen, it is a fact (info).
    ///
    /// # How to mend it
    /// Let locks end with their connection, or give them short leases; shorten the keep-alive by which the server notices dead
    /// clients.
    ///
    /// # Sources
    /// RFC 959 section 4.2.2 (450); RFC 4918 section 11.3 (423 Locked); `domain.md` D.5, D.9.
    "GSG208", "resource-still-held", "an earlier session still holds what is asked for", Error, Session, Session(check)
}

/// Earlier sessions that are looked through.
const LOOKED_THROUGH: usize = 256;

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        let Some(held) = part.leg.held.as_deref() else { continue };
        let (population, own) = (subject.population, subject.session);
        let of_person =
            own.principal.iter().flat_map(|who| population.of_principal(who.hash).take(LOOKED_THROUGH));
        let of_host = population.of_pair(own.client.ip, own.server).take(LOOKED_THROUGH);
        let holder = of_host
            .chain(of_person)
            .flat_map(Subject::parts)
            .filter(|other| {
                other.connection.id != part.connection.id && other.connection.start < held.at.time
            })
            .find(|other| used(*other, held.object.as_deref()) && left(*other, held.at.time));
        let what = held.object.as_deref().unwrap_or("what was asked for");
        let finding = match holder {
            Some(other) => {
                let since = other.connection.sides.client.last_payload.unwrap_or(other.connection.start);
                let silent = held.at.time.since(since);
                Finding::of_part(
                    &RULE,
                    &subject,
                    part,
                    format!(
                        "{what} was refused as in use, and its user is connection {} of the same client, silent for {}",
                        other.connection.id,
                        seconds(silent)
                    ),
                )
                .on([part.connection.id, other.connection.id])
                .confidence(Confidence::High)
                .fault(Fault::Server)
                .seconds("silent_s", silent)
                .context_point(other.leg.last, "the last that was said on the earlier connection")
                .shows(other.connection.ended.frames.iter().copied(), "how the earlier connection ended")
            }
            None => Finding::of_part(
                &RULE,
                &subject,
                part,
                format!("{what} was refused as in use by somebody else"),
            )
            .severity(Severity::Info),
        };
        findings.add(
            finding
                .at(held.at.time)
                .why("the server says that somebody holds it")
                .advice("let locks end with their connection, or lease them for a short time; notice dead clients sooner")
                .shows_point(held.at, "the refusal"),
        );
    }
}

/// Whether a session worked on this object.
fn used(part: Part<'_>, object: Option<&str>) -> bool {
    let Some(object) = object else { return false };
    let works = part.leg.works.list.iter().map(|work| work.object.as_deref());
    let actions = part.leg.actions.iter().map(|acted| acted.object.as_deref());
    works.chain(actions).any(|known| known == Some(object))
}

/// Whether a session had not been released at this moment, and its client no longer spoke.
fn left(part: Part<'_>, now: Timestamp) -> bool {
    let released = part.leg.goodbye.as_ref().is_some_and(|goodbye| goodbye.at.time <= now);
    let spoke_after = part.connection.sides.client.last_payload.is_some_and(|last| last > now);
    let gone = vanished(part).is_some_and(|departure| departure.gone == Side::Client);
    !released && !spoke_after && (gone || part.connection.end >= now)
}
