//! GSG204: a program that leaves one connection after the other half-closed.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::events::{Confidence, Side};
use crate::rules::departure::{left_open, side};
use crate::rules::{Finding, Findings, Population};

rule! {
    /// # What it finds
    /// Five or more connections of one program that its peers closed and that it never closed itself.
    ///
    /// # Why it matters
    /// It is a leak: each of them keeps a descriptor, and when those run out the service refuses everybody.
    ///
    /// # How it is decided
    /// The same as for one half-closed connection (GSG203), counted by the end that did not close: the server's address and
    /// port, or the client's host.
    ///
    /// # What it cannot know
    /// How many were leaked before the capture, and when the limit is reached.
    ///
    /// # How to mend it
    /// Look for the path in the program that returns without closing; `ss -tanp state close-wait` on that host names it.
    ///
    /// # Sources
    /// RFC 9293 section 3.3.2 (CLOSE-WAIT); `domain.md` D.9.
    "GSG204", "close-wait-leak", "a program leaks half-closed connections", Error, Application, Population(check)
}

/// Half-closed connections of one program that make a leak (`domain.md` D.9).
const LEAK: usize = 5;

fn check(population: &Population<'_>, findings: &mut Findings) {
    let mut holders: BTreeMap<(Side, IpAddr, Option<u16>), Vec<u32>> = BTreeMap::new();
    let parts = population.subjects().flat_map(|subject| subject.parts().map(move |part| (subject, part)));
    for (subject, part) in parts {
        let (connection, ended) = (part.connection, &part.connection.ended);
        if left_open(subject, part).is_none() {
            continue;
        }
        let holder = match side(ended.by) {
            Some(Side::Client) => (Side::Server, connection.server.ip, Some(connection.server.port)),
            Some(Side::Server) => (Side::Client, connection.client.ip, None),
            None => continue,
        };
        holders.entry(holder).or_default().push(connection.id);
    }
    for ((holder, ip, port), mut leaked) in holders {
        if leaked.len() < LEAK {
            continue;
        }
        leaked.sort_unstable();
        let connections: Vec<_> =
            leaked.iter().filter_map(|id| population.connections.get(*id as usize)).collect();
        let Some(last) = connections.iter().map(|connection| connection.end).max() else { continue };
        let place = port.map_or_else(|| ip.to_string(), |port| format!("{ip} port {port}"));
        let mut finding = Finding::about(
            &RULE,
            last,
            format!("{place} left {} connections half-closed after its peers had closed them", leaked.len()),
        )
        .on(leaked.iter().copied())
        .key(format!("{place} {}", holder.name()))
        .fault(holder)
        .confidence(Confidence::High)
        .why("each of them was closed by its peer, the close was acknowledged, and neither data nor a close came back")
        .advice("close the socket when the input ends, on every path; `ss -tanp state close-wait` on that host names the program")
        .number("connections", leaked.len())
        .occurrences(leaked.len());
        for connection in connections.iter().take(4) {
            finding = finding.shows(
                connection.ended.frames.iter().copied(),
                format!("connection {}: closed by its peer only", connection.id),
            );
        }
        findings.add(finding);
    }
}
