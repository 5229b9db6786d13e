//! GSN814: the service address moved to another host.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::events::transport::{Reason, RstClass};
use crate::events::{Confidence, Connection};
use crate::rules::{Fault, Finding, Findings, Population, Severity, Value};

rule! {
    /// # What it finds
    /// A server address whose segments come from another link-layer address or another distance from some moment on, and never
    /// again from the former.
    ///
    /// # Why it matters
    /// A standby took over. It knows nothing of the sessions of the one before, and resets them or leaves them hanging.
    ///
    /// # How it is decided
    /// All connections of a client with the address before the moment share one hop limit and link-layer source, and all after
    /// it share another; two or more on each side. It is a remark, and a warning where a session of the former host was
    /// lost at that time.
    ///
    /// # What it cannot know
    /// Whether the host or a router before it changed: both change the link-layer address. Behind a router only the distance
    /// can tell.
    ///
    /// # How to mend it
    /// Share session state between the pair, or let clients reconnect at once; announce planned changes by draining.
    ///
    /// # Sources
    /// RFC 9568 (VRRP); RFC 5227 (address announcements); `domain.md` D.9.
    "GSN814", "server-failover", "the service address moved to another host", Info, Transport, Population(check)
}

/// Connections on each side of the change.
const ENOUGH: usize = 2;

/// By what a host is known from here.
type Look = (u8, u32);

fn look(connection: &Connection) -> Option<Look> {
    let server = &connection.sides.server;
    (server.payload_bytes > 0).then_some((server.ttl?, server.link))
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    // Two places of recording see two distances.
    if population.captures.len() > 1 {
        return;
    }
    let mut by_pair: BTreeMap<(IpAddr, IpAddr), Vec<(&Connection, Look)>> = BTreeMap::new();
    for connection in population.connections {
        if let Some(look) = look(connection) {
            by_pair.entry((connection.client.ip, connection.server.ip)).or_default().push((connection, look));
        }
    }
    for ((client, server), list) in &by_pair {
        let Some((_, first)) = list.first() else { continue };
        let change = list.partition_point(|(_, look)| look == first);
        let (before, after) = list.split_at(change);
        let Some((_, second)) = after.first() else { continue };
        let clean =
            after.iter().all(|(_, look)| look == second) && before.iter().all(|(_, look)| look == first);
        if clean && before.len() >= ENOUGH && after.len() >= ENOUGH {
            report((*client, *server), before, after, findings);
        }
    }
}

fn report(
    (client, server): (IpAddr, IpAddr),
    before: &[(&Connection, Look)],
    after: &[(&Connection, Look)],
    findings: &mut Findings,
) {
    let (Some((last, old)), Some((next, new))) = (before.last(), after.first()) else { return };
    let broken: Vec<&Connection> = before
        .iter()
        .map(|(connection, _)| *connection)
        .filter(|connection| {
            let ended = &connection.ended;
            let stateless =
                ended.rst.is_some_and(|rst| matches!(rst.class, RstClass::NoState | RstClass::Forged));
            ended.reason == Reason::PeerVanished || stateless
        })
        .collect();
    let what = if old.1 == new.1 { "another distance" } else { "another link-layer address" };
    let mut finding = Finding::about(
        &RULE,
        next.start,
        format!("{server} answers {client} from {what} since {}: another host has its address", next.start.rfc3339()),
    )
    .on(broken.iter().map(|connection| connection.id).chain([last.id, next.id]))
    .key(format!("{client} {server}"))
    .confidence(if broken.is_empty() { Confidence::Medium } else { Confidence::High })
    .fault(Fault::Server)
    .why(format!(
        "{} connections before had the hop limit {} and {} after have {}; none of the former look came again",
        before.len(),
        old.0,
        after.len(),
        new.0
    ))
    .advice("share session state between the two hosts, or let clients reconnect at once; drain before a planned change")
    .shows([last.first, last.last], "the last connection with the former host")
    .shows([next.first], "the first with the new one")
    .value("ttl_before", Value::Number(old.0.into()))
    .value("ttl_after", Value::Number(new.0.into()));
    if !broken.is_empty() {
        finding = finding.severity(Severity::Warning).number("lost", broken.len());
        for connection in broken.iter().take(3) {
            finding =
                finding.context(connection.ended.frames.iter().copied(), "a session that was lost by it");
        }
    }
    findings.add(finding);
}
