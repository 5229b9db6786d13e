//! GSQ914: the capture looks as if it had been filtered.

use std::collections::BTreeSet;

use crate::rules::recordings::about;
use crate::rules::{Findings, Population};

rule! {
    /// # What it finds
    /// A capture that holds one service and nothing else.
    ///
    /// # Why it matters
    /// Name look-ups, ICMP errors and side channels of the sessions are not there. That none came means
    /// nothing.
    ///
    /// # How it is decided
    /// All connections go to one port, and there is no frame of another kind in at least 20 frames.
    ///
    /// # What it cannot know
    /// Whether there was anything else.
    ///
    /// # How to mend it
    /// Record without a filter, or with one by hosts instead of ports: `host A and host B`.
    ///
    /// # Sources
    /// `domain.md` C.4, D.9.
    "GSQ914", "port-filtered", "the capture was filtered", Info, Capture, Population(check)
}

/// Fewer frames show no filter.
const FRAMES: u64 = 20;

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (index, capture) in population.captures.iter().enumerate() {
        let own =
            population.connections.iter().filter(|connection| usize::from(connection.first.file.0) == index);
        let icmp = own
            .clone()
            .any(|connection| connection.trouble.as_deref().is_some_and(|trouble| trouble.icmp.is_some()));
        let ports: BTreeSet<u16> = own.map(|connection| connection.server.port).take(100_000).collect();
        let mut ports = ports.into_iter();
        let (Some(port), None) = (ports.next(), ports.next()) else { continue };
        if capture.other_frames > 0 || icmp || capture.packets < FRAMES {
            continue;
        }
        findings.add(
            about(&RULE, population, capture, format!("the capture holds port {port} and nothing else: it was filtered"))
                .why(format!("{} frames, all of connections to port {port}; that no ICMP, DNS or side channel is seen means nothing", capture.packets))
                .advice("record by hosts instead of ports: host A and host B")
                .number("port", port),
        );
    }
}
