//! GSN803: many sessions between two networks stood still at once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::events::trouble::Stall;
use crate::events::{Confidence, Connection, Side};
use crate::rules::{Fault, Finding, Findings, Population, Severity};
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// Several sessions between the same two networks that got nothing through at the same time, with different hosts or with
    /// hosts that knew their sessions afterwards.
    ///
    /// # Why it matters
    /// One cause, many symptoms: each session alone looks as if its peer had vanished or a box had forgotten it.
    ///
    /// # How it is decided
    /// At least three sessions and half of those that lived between the two networks repeated themselves for more than a
    /// second without a single segment of the other side, all at one moment, while the capture itself went on. A process
    /// that hangs is no outage: its host still acknowledges.
    ///
    /// # What it cannot know
    /// Where the path was broken. If all sessions were with one host and none came back, it may be the host (GSG201, GSG207).
    ///
    /// # How to mend it
    /// Look at routers, links and failover between the two networks at that time. Time-outs of the applications that are longer
    /// than the usual failover let sessions live through it.
    ///
    /// # Sources
    /// RFC 9293 section 3.8.3 (giving up); RFC 5880 (detecting outages); `domain.md` D.3, D.9.
    "GSN803", "path-outage", "sessions between two networks stood still at once", Error, Transport, Population(check)
}

/// Sessions that make an outage.
const SESSIONS: usize = 3;

/// A stall that is none of the usual retransmission timeouts.
const STALL: Span = Span::from_secs(1);

/// An outage shorter than this that all sessions live through only hurts a little.
const SHORT: Span = Span::from_secs(10);

type Stalled<'a> = (&'a Connection, Stall);

/// The network of an address: /24 or /64, as people number them.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            IpAddr::from([a, b, c, 0])
        }
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

fn until(stalled: &Stalled<'_>) -> Timestamp {
    stalled.1.ended.map_or(stalled.0.end, |mark| mark.time)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    let mut pairs: BTreeMap<(IpAddr, IpAddr), Vec<&Connection>> = BTreeMap::new();
    for connection in population.connections.iter().filter(|connection| connection.sides.server.packets > 0) {
        pairs
            .entry((network(connection.client.ip), network(connection.server.ip)))
            .or_default()
            .push(connection);
    }
    for connections in pairs.values() {
        let mut stalls: Vec<Stalled<'_>> = connections
            .iter()
            .filter_map(|connection| Some((*connection, connection.trouble.as_deref()?.stall?)))
            .filter(|stalled| {
                until(stalled).since(stalled.1.first.time) >= STALL
                    && stalled.0.sides.server.payload_bytes > 0
            })
            .collect();
        stalls.sort_by_key(|(connection, stall)| (stall.first.time, connection.id));
        let (mut starts, mut ends): (Vec<_>, Vec<_>) =
            connections.iter().map(|connection| (connection.start, connection.end)).unzip();
        starts.sort_unstable();
        ends.sort_unstable();
        // Those that share a moment belong together.
        let mut rest = stalls.as_slice();
        while let Some(first) = rest.first() {
            let mut common = until(first);
            let together = rest
                .iter()
                .take_while(|stalled| {
                    common = common.min(until(stalled));
                    stalled.1.first.time <= common
                })
                .count()
                .max(1);
            let (group, others) = rest.split_at(together);
            let moment = group.iter().map(|(_, stall)| stall.first.time).max().unwrap_or_default();
            let alive =
                starts.partition_point(|start| *start <= moment) - ends.partition_point(|end| *end < moment);
            judge(population, group, alive, findings);
            rest = others;
        }
    }
}

fn judge(population: &Population<'_>, group: &[Stalled<'_>], alive: usize, findings: &mut Findings) {
    let sessions: BTreeSet<u32> = group
        .iter()
        .filter_map(|(connection, _)| population.session_of(connection.id))
        .map(|subject| subject.session.id)
        .collect();
    // One host of which nothing more is heard by anybody is gone itself.
    let silent = |(connection, stall): &Stalled<'_>| match stall.by {
        Side::Client => connection.server.ip,
        Side::Server => connection.client.ip,
    };
    let hosts: BTreeSet<IpAddr> = group.iter().map(silent).collect();
    let recovered = group.iter().filter(|(_, stall)| stall.ended.is_some()).count();
    if sessions.len() < SESSIONS || group.len() * 2 < alive || (hosts.len() < 2 && recovered == 0) {
        return;
    }
    let from = group.iter().map(|(_, stall)| stall.first.time).min().unwrap_or_default();
    let to = group.iter().map(until).max().unwrap_or_default();
    let blind =
        |(start, end): &(Timestamp, Timestamp)| *start <= to && *end >= from && end.since(*start) >= STALL;
    if group.len() == alive
        && population.captures.iter().flat_map(|capture| &capture.blackouts).any(blind)
        && recovered == group.len()
    {
        // Nothing at all was recorded in that time: it may be the recorder that stood still.
        return;
    }
    report(group, alive, (from, to), recovered, findings);
}

fn report(
    group: &[Stalled<'_>],
    alive: usize,
    (from, to): (Timestamp, Timestamp),
    recovered: usize,
    findings: &mut Findings,
) {
    let Some((first, _)) = group.first() else { return };
    let (clients, servers) = (network(first.client.ip), network(first.server.ip));
    let span = to.since(from);
    let count = group.len();
    let mut finding = Finding::about(
        &RULE,
        from,
        format!("{count} of {alive} connections between the networks of {clients} and {servers} got nothing through for up to {span}"),
    )
    .on(group.iter().map(|(connection, _)| connection.id))
    .confidence(Confidence::High)
    .fault(Fault::Network)
    .why(format!("they repeated themselves at the same time without a single segment of the other side; {recovered} of them went on afterwards"))
    .advice("look at links, routers and failover between the two networks at that time; time-outs longer than the usual failover let sessions live through it")
    .occurrences(count)
    .number("stalled", count)
    .number("alive", alive)
    .number("recovered", recovered)
    .seconds("outage_s", span);
    for (connection, stall) in group.iter().take(4) {
        finding = finding.absence(
            (stall.first.time, until(&(*connection, *stall))),
            [stall.first.at, stall.last.at],
            format!("{} sent {} times and heard nothing", stall.by.name(), stall.transmissions),
        );
    }
    if recovered == count && span < SHORT {
        finding = finding.severity(Severity::Warning);
    }
    findings.add(finding);
}
