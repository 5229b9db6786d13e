//! GSG210: handshakes that the client never completes.

use crate::events::Connection;
use crate::events::transport::{By, How, Reason};
use crate::rules::{Fault, Finding, Findings, Population, Severity};
use crate::time::Span;

rule! {
    /// # What it finds
    /// Connections whose SYN-ACK the server repeated without ever getting the last packet of the handshake.
    ///
    /// # Why it matters
    /// One is a lost client or a scan. Many at a time fill the server's queue of half-made connections, and real clients are
    /// turned away (a SYN flood, or a path that carries one direction only).
    ///
    /// # How it is decided
    /// The SYN-ACK was sent at least three times and neither an acknowledgement nor a reset came. Fifty of them within ten
    /// seconds to one service are a warning, less is a fact.
    ///
    /// # What it cannot know
    /// Whether the SYNs were forged, and whether the answers took a way that the capture does not see.
    ///
    /// # How to mend it
    /// SYN cookies on the server; for single clients look at the way back to them.
    ///
    /// # Sources
    /// RFC 9293 section 3.5; RFC 4987; `domain.md` D.5, D.9.
    "GSG210", "embryonic", "handshakes that the client never completes", Info, Transport, Population(check)
}

/// So many within [`WITHIN`] are a flood (`domain.md` D.9).
const FLOOD: usize = 50;

/// See [`FLOOD`].
const WITHIN: Span = Span::from_secs(10);

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (server, connections) in population.served() {
        let mut list: Vec<&Connection> = connections
            .into_iter()
            .filter(|connection| {
                let ended = &connection.ended;
                let unmade = ended.reason == Reason::EstablishTimeout && ended.by == By::Client;
                unmade && ended.how == How::Silence && connection.sides.server.packets > 0
            })
            .collect();
        let Some(first) = list.first().copied() else { continue };
        list.sort_by_key(|connection| (connection.start, connection.id));
        let flood = list.windows(FLOOD).any(|some| match some {
            [one, .., other] => other.start.since(one.start) <= WITHIN,
            _ => false,
        });
        let count = list.len();
        let mut finding = Finding::about(
            &RULE,
            first.start,
            format!(
                "{} port {}: {count} of its handshakes never completed by the client",
                server.ip, server.port
            ),
        )
        .severity(if flood { Severity::Warning } else { Severity::Info })
        .on(list.iter().map(|connection| connection.id))
        .key(format!("{} {}", server.ip, server.port))
        .fault(if flood { Fault::Client } else { Fault::Unknown })
        .why("the server repeated its SYN-ACK, and neither an acknowledgement nor a reset came")
        .advice("turn on SYN cookies; for a single client look at the way back to it")
        .number("handshakes", count)
        .occurrences(count);
        for connection in list.iter().take(3) {
            finding = finding.shows(
                connection.ended.frames.iter().copied(),
                format!("connection {}: SYN, and SYN-ACKs without an answer", connection.id),
            );
        }
        findings.add(finding);
    }
}
