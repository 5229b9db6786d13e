//! GSQ915: one connection was recorded on both sides of an address translation.

use std::collections::BTreeMap;

use crate::events::Connection;
use crate::rules::{Fault, Finding, Findings, Population};
use crate::time::Span;

rule! {
    /// # What it finds
    /// Two connections in the run that are one: before and after a NAT rewrote its addresses or ports.
    ///
    /// # Why it matters
    /// Counted as two, one session looks like two clients. Which is the true client is told by the inner one.
    ///
    /// # How it is decided
    /// Both handshakes have the same two initial sequence numbers, which no third connection has and which is no accident,
    /// and the addresses or ports differ.
    ///
    /// # What it cannot know
    /// A proxy that ends the connection and begins another one has other numbers, and is not found by this.
    ///
    /// # How to mend it
    /// None is needed. For one account of each session record on one side only.
    ///
    /// # Sources
    /// RFC 2663 and RFC 5382 (NAT for TCP); `domain.md` C.4, D.9.
    "GSQ915", "address-translated", "one connection was recorded before and after address translation", Info, Capture, Population(check)
}

/// Both recordings of one handshake are at most so far apart, clocks included.
const APART: Span = Span::from_secs(10);

fn check(population: &Population<'_>, findings: &mut Findings) {
    let numbers = |connection: &Connection| connection.sides.client.isn.zip(connection.sides.server.isn);
    let mut seen: BTreeMap<(u32, u32), Vec<&Connection>> = BTreeMap::new();
    for connection in population.connections {
        if let Some(both) = numbers(connection) {
            seen.entry(both).or_default().push(connection);
        }
    }
    for alike in seen.values() {
        // Who meets the same two numbers again and again does not draw them: a program made these packets.
        let [first, connection] = alike[..] else { continue };
        let other_ends = (first.client, first.server) != (connection.client, connection.server);
        if !other_ends || connection.start.since(first.start) > APART {
            continue;
        }
        findings.add(
            Finding::about(
                &RULE,
                first.start,
                format!(
                    "{} to {} and {} to {} are one connection, before and after address translation",
                    first.client, first.server, connection.client, connection.server
                ),
            )
            .fault(Fault::Capture)
            .key(format!("{} {}", first.id, connection.id))
            .on([first.id, connection.id])
            .why("both handshakes have the same initial sequence numbers on both sides")
            .advice("count them once; the inner addresses are those of the true client")
            .shows([first.first], "one side of the translation")
            .shows([connection.first], "the other side"),
        );
    }
}
