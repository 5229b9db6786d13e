//! GST114: nobody answered a connection's SYNs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::events::transport::{Opened, Reason};
use crate::events::{Confidence, Transport};
use crate::rules::{Fault, Finding, Findings, Population, Severity};
use crate::session::outcome::seconds;
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// A connection that was tried several times and never answered, neither with yes nor with no.
    ///
    /// # Why it matters
    /// Silence makes the client wait for its whole connect timer, where a refusal would have let it go on at once.
    ///
    /// # How it is decided
    /// At least three SYNs without any answer. That the host answers on other connections tells a filter from a host that
    /// is down. Clients that knock at ten doors or more are scanners, and a client that was let in by the other address
    /// family within two seconds lost nothing (both info). A capture that shows one direction only proves nothing.
    ///
    /// # What it cannot know
    /// Who dropped the packets: a firewall, a router, a full backlog.
    ///
    /// # How to mend it
    /// If the host answers elsewhere, look for a firewall rule or a full listen queue; else find out whether it is up.
    /// Let firewalls reject what they do not want.
    ///
    /// # Sources
    /// RFC 9293 section 3.8.3; RFC 8305; `domain.md` D.9.
    "GST114", "connect-timeout", "nobody answered a connection's SYNs", Error, Transport, Population(check)
}

/// Doors that a scanner knocks at.
const DOORS: usize = 10;

/// A second address that succeeds this soon makes the first one's failure harmless.
const HAPPY: Span = Span::from_secs(2);

/// Whether the capture holds talk of one direction only: a client's words, and nothing of those it talks to.
fn is_one_sided(population: &Population<'_>) -> bool {
    population.connections.iter().filter(|connection| connection.transport == Transport::Tcp).any(
        |connection| {
            let (client, server) = (&connection.sides.client, &connection.sides.server);
            (client.payload_bytes > 0 && server.packets == 0)
                || (server.payload_bytes > 0 && client.packets == 0)
        },
    )
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    if is_one_sided(population) {
        return;
    }
    let mut doors: BTreeMap<IpAddr, BTreeSet<(IpAddr, u16)>> = BTreeMap::new();
    let mut alive: BTreeSet<IpAddr> = BTreeSet::new();
    let mut opened: BTreeMap<(u16, bool), BTreeSet<Timestamp>> = BTreeMap::new();
    for connection in
        population.connections.iter().filter(|connection| connection.transport == Transport::Tcp)
    {
        let server = connection.server;
        if connection.opened == Opened::Never {
            doors.entry(connection.client.ip).or_default().insert((server.ip, server.port));
            if connection.sides.server.packets > 0 {
                alive.insert(server.ip);
            }
        } else {
            alive.insert(server.ip);
            opened.entry((server.port, server.ip.is_ipv4())).or_default().insert(connection.start);
        }
    }
    let quiet = population.captures.iter().all(|capture| capture.other_frames == 0);
    for connection in population.connections {
        let unheard = connection.sides.server.packets == 0;
        if connection.ended.reason != Reason::EstablishTimeout || !unheard {
            continue;
        }
        let Some(subject) = population.session_of(connection.id) else { continue };
        let scans = doors.get(&connection.client.ip).is_some_and(|doors| doors.len() >= DOORS);
        let other_family = (connection.server.port, !connection.server.ip.is_ipv4());
        let soon = Timestamp(connection.start.0.saturating_sub(HAPPY.0))..=connection.start + HAPPY;
        let other_family =
            opened.get(&other_family).is_some_and(|starts| starts.range(soon).next().is_some());
        let severity = match () {
            () if scans || other_family => Severity::Info,
            // A recording in which nobody ever answers may hold one direction only.
            () if alive.is_empty() && quiet => Severity::Warning,
            () => Severity::Error,
        };
        let up = alive.contains(&connection.server.ip);
        let tried = connection.end.since(connection.start);
        let mut finding = Finding::of(
            &RULE,
            &subject,
            format!(
                "{} SYNs to port {} over {} had no answer",
                connection.sides.client.packets, connection.server.port, seconds(tried)
            ),
        )
        .severity(severity)
        .on([connection.id])
        .at(connection.start)
        .key(connection.id.to_string())
        .fault(if up { Fault::Network } else { Fault::Unknown })
        .why(connection.ended.because.clone())
        .advice(if up {
            "the host answers on other connections: look for a firewall that drops, or a full listen queue; let it reject instead"
        } else {
            "find out whether the host is up and reachable (ARP, ping); if a firewall drops, let it reject instead"
        })
        .seconds("tried_s", tried)
        .number("syns", connection.sides.client.packets)
        .shows(connection.ended.frames.iter().copied(), "the first and the last SYN")
        .absence((connection.start, connection.end + connection.visibility.tail), [connection.last], "no answer of the server");
        if connection.visibility.tail < Span::from_secs(1) {
            finding = finding.confidence(Confidence::High);
        }
        if up {
            finding = finding.ruled_out("the host is not down: it answered on other connections");
        }
        findings.add(finding);
    }
}
