//! GSW607: a client came to another backend, which did not know its session.

use crate::events::{Confidence, IdentityKind, Use};
use crate::rules::{Fault, Finding, Findings, Subject};
use crate::session::{Known, Point};

rule! {
    /// # What it finds
    /// A session whose load balancer changes the backend (its own cookie gets another value), and whose next refusal says
    /// that the state is not known.
    ///
    /// # Why it matters
    /// The session still lives, on a backend that the client no longer reaches. Users are thrown out at random.
    ///
    /// # How it is decided
    /// The balancer's cookie had one value, later another, and after that a login or a state was refused that had served
    /// before. A change without a refusal is none: the backends share their sessions.
    ///
    /// # What it cannot know
    /// Why the balancer changed: a health check, a restart, a full backend.
    ///
    /// # How to mend it
    /// Share sessions between backends, or let the balancer keep clients where they are while a backend is drained.
    ///
    /// # Sources
    /// `domain.md` D.9.
    "GSW607", "affinity-broken", "a client came to another backend that did not know its session", Error, Session, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    let mut markers: Vec<&Known> = subject
        .session
        .legs
        .iter()
        .flat_map(|part| &part.leg.identities)
        .filter(|known| known.identity.kind == IdentityKind::Affinity && known.identity.used == Use::Issues)
        .collect();
    markers.sort_by_key(|known| known.first.time);
    let changed = markers.windows(2).find_map(|pair| match pair {
        [old, new] if old.identity.hash != new.identity.hash && old.identity.hint == new.identity.hint => {
            Some((*old, *new))
        }
        _ => None,
    });
    let Some((old, new)) = changed else { return };
    // The change is announced with the answer of the other backend, which may be the refusal itself.
    let denied = |at: &Point| at.time >= new.first.time;
    let refusals = subject.session.legs.iter().flat_map(|part| {
        part.leg.lost.iter().map(|lost| lost.at).chain(part.leg.logins.expired.iter().copied())
    });
    let Some(refusal) = refusals.filter(denied).min_by_key(|at| at.time) else { return };
    let name = new.identity.hint.as_deref().unwrap_or("the balancer's cookie");
    let on = subject
        .session
        .legs
        .iter()
        .filter(|part| part.leg.key == refusal.connection || part.leg.key == new.first.connection);
    findings.add(
        Finding::of(&RULE, &subject, format!("{name} changed, and the new backend did not know the session"))
            .confidence(Confidence::High)
            .on(on.map(|part| part.connection))
            .at(refusal.time)
            .fault(Fault::Middlebox)
            .why("the balancer's own cookie got another value, and the refusal after it says that the state is gone")
            .advice("share sessions between the backends, or keep clients where they are while a backend is drained")
            .context_point(old.first, "the first backend")
            .shows_point(new.first, "another backend")
            .shows_point(refusal, "which does not know the session"),
    );
}
