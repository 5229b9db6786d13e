//! GSR304: whether a TLS session goes on depends on which backend is asked.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::events::{Confidence, Connection};
use crate::rules::{Fault, Finding, Findings, Population, Subject};
use crate::time::Timestamp;

rule! {
    /// # What it finds
    /// A server name behind several addresses, where offers to resume are taken at the address that served the client
    /// last, and passed over at the others.
    ///
    /// # Why it matters
    /// The more backends there are, the fewer handshakes are short; clients pay for it with each change of address.
    ///
    /// # How it is decided
    /// For each client and name, the address of its last handshake is the home of what it offers. At least three offers
    /// were taken at home and at least three passed over elsewhere, none the other way round, and the two kinds take turns
    /// in time: a change of keys would part them.
    ///
    /// # What it cannot know
    /// Backends behind one address.
    ///
    /// # How to mend it
    /// Give all backends the same ticket keys, changed together, or bind clients to one of them.
    ///
    /// # Sources
    /// RFC 8446 section 4.6.1; RFC 5077 section 4; `domain.md` D.9.
    "GSR304", "ticket-keys-not-shared", "whether a TLS session goes on depends on the backend", Warning, Presentation, Population(check)
}

/// So many of each kind.
const EACH: usize = 3;

/// A handshake with a name: when, by whom, where, whether something was offered, and what became of it.
struct Shake<'a> {
    at: Timestamp,
    client: IpAddr,
    connection: &'a Connection,
    offered: bool,
    resumed: bool,
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    let mut names: BTreeMap<&str, Vec<Shake<'_>>> = BTreeMap::new();
    for part in population.subjects().flat_map(Subject::parts) {
        let Some(facts) = part.leg.security.as_deref() else { continue };
        let (Some(name), Some(resumed)) = (facts.sni.as_deref(), facts.resumed) else { continue };
        let offered = facts.offered.psk || facts.offered.ticket || facts.offered.session_id;
        let (connection, client) = (part.connection, part.connection.client.ip);
        names.entry(name).or_default().push(Shake {
            at: connection.start,
            client,
            connection,
            offered,
            resumed,
        });
    }
    for (name, mut shakes) in names {
        shakes.sort_by_key(|shake| (shake.at, shake.connection.id));
        let mut homes: BTreeMap<IpAddr, IpAddr> = BTreeMap::new();
        // Offers at home and elsewhere, with what became of them, in order.
        let mut offers: Vec<(bool, bool, &Connection)> = Vec::new();
        for shake in &shakes {
            let place = shake.connection.server.ip;
            if let Some(home) = homes.insert(shake.client, place).filter(|_| shake.offered) {
                offers.push((home == place, shake.resumed, shake.connection));
            }
        }
        let count =
            |kind: (bool, bool)| offers.iter().filter(|(home, taken, _)| (*home, *taken) == kind).count();
        let (taken, passed) = (count((true, true)), count((false, false)));
        let against = count((true, false)) + count((false, true));
        let turns = offers.windows(2).filter(|pair| matches!(pair, [one, other] if one.1 != other.1)).count();
        if taken < EACH || passed < EACH || against > 0 || turns < EACH {
            continue;
        }
        let Some((.., first)) = offers.first() else { continue };
        let refused = || offers.iter().filter(|(_, taken, _)| !taken).map(|(.., connection)| *connection);
        findings.add(
            Finding::about(
                &RULE,
                first.start,
                format!("{name} goes on from sessions only at the address that served the client last: {taken} offers were taken there, {passed} passed over elsewhere"),
            )
            .confidence(Confidence::High)
            .on(refused().map(|connection| connection.id))
            .key(name)
            .fault(Fault::Server)
            .why("whether an offer is taken depends on the address alone, and the two kinds take turns in time")
            .advice("give all backends the same ticket keys, changed together, or bind clients to one backend")
            .ruled_out("a change of keys: that would part taken and passed offers in time")
            .number("taken_at_home", taken)
            .number("passed_elsewhere", passed)
            .shows(refused().map(|connection| connection.first), "offers passed over at another address"),
        );
    }
}
