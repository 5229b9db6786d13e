//! GSW606: a server sets a session cookie again and again, and never sees it.

use std::collections::{BTreeMap, BTreeSet};

use crate::events::{Confidence, Hash128, IdentityKind, Side, Use};
use crate::rules::{Fault, Finding, Findings, Population};
use crate::session::Point;

rule! {
    /// # What it finds
    /// A session cookie of one name that the server sets three or more times to one client, each time with another value,
    /// and that the client never sends back, where the client is sent to the login for it.
    ///
    /// # Why it matters
    /// No login holds: each request begins a session that nobody uses, and the server keeps them all.
    ///
    /// # How it is decided
    /// Cookies are compared by name over all connections of the client with the server. Clients that do without cookies
    /// and are served all the same are no case.
    ///
    /// # What it cannot know
    /// What the client refuses the cookie for: an attribute that does not fit (`Secure` over plain HTTP, a foreign domain),
    /// or no cookies at all.
    ///
    /// # How to mend it
    /// Let domain, path, `Secure` and `SameSite` fit to how the client reaches the server; let programs keep a cookie jar.
    ///
    /// # Sources
    /// RFC 6265 sections 4.1.2, 5.3, 5.4; `domain.md` D.9.
    "GSW606", "cookie-not-returned", "a session cookie is set over and over and never comes back", Warning, Application, Population(check)
}

/// So many values.
const TIMES: usize = 3;

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (_, subjects) in population.pairs() {
        let mut issued: BTreeMap<&str, Vec<(Hash128, Point, u32)>> = BTreeMap::new();
        let mut shown: BTreeSet<&str> = BTreeSet::new();
        let mut away = 0;
        for part in subjects.iter().flat_map(|subject| subject.parts()) {
            away += part.leg.sent_away.len();
            for known in
                part.leg.identities.iter().filter(|known| known.identity.kind == IdentityKind::Cookie)
            {
                let Some(name) = known.identity.hint.as_deref() else { continue };
                match (known.identity.used, known.side) {
                    (Use::Issues, Side::Server) => {
                        issued.entry(name).or_default().push((
                            known.identity.hash,
                            known.first,
                            part.connection.id,
                        ));
                    }
                    (_, Side::Client) => {
                        shown.insert(name);
                    }
                    _ => {}
                }
            }
        }
        for (name, all) in
            issued.into_iter().filter(|(name, all)| all.len() >= TIMES && !shown.contains(name))
        {
            let values: BTreeSet<Hash128> = all.iter().map(|(hash, ..)| *hash).collect();
            let Some(subject) = subjects.first().filter(|_| away > 1 && values.len() >= TIMES) else {
                continue;
            };
            findings.add(
                Finding::of(&RULE, subject, format!("the cookie {name} was set {} times and never came back", values.len()))
                    .confidence(Confidence::High)
                    .on(all.iter().map(|(.., id)| *id))
                    .key(name)
                    .at(all.first().map_or(subject.session.start, |(_, at, _)| at.time))
                    .fault(Fault::Unknown)
                    .why("each answer sets another value, no request has one, and the client is sent to the login for it")
                    .advice("let domain, path, Secure and SameSite of the cookie fit to how the client reaches the server; give the client a cookie jar")
                    .number("values", values.len())
                    .number("sent_to_login", away)
                    .shows(all.iter().flat_map(|(_, at, _)| at.frames()), "the cookie is set"),
            );
        }
    }
}
