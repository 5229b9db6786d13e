//! GSQ905: the recorder lost packets.

use std::collections::BTreeMap;

use crate::events::visibility::Sight;
use crate::events::{Connection, Side};
use crate::rules::recordings::about;
use crate::rules::{Findings, Population, Value};

rule! {
    /// # What it finds
    /// Packets that were on the wire and are not in the capture.
    ///
    /// # Why it matters
    /// What is missing may be the answer, the FIN or the login. Claims are made with less confidence, and
    /// claims of absence not at all where much is missing.
    ///
    /// # How it is decided
    /// Bytes were acknowledged that the capture never shows (more than one in a thousand), or the recorder
    /// itself counted drops.
    ///
    /// # What it cannot know
    /// Asymmetric routing looks the same. Which packets were lost.
    ///
    /// # How to mend it
    /// Give the recorder a larger buffer (`tcpdump -B`), a filter or a short snap length, or record on a faster
    /// disk.
    ///
    /// # Sources
    /// `domain.md` C.4, D.9.
    "GSQ905", "capture-loss", "the recorder lost packets", Warning, Capture, Population(check)
}

/// Acknowledged bytes never seen ÷ acknowledged bytes, from which on confidence drops (`domain.md` C.4).
const LOSS: f64 = 0.001;

/// Bytes that were acknowledged and never seen, in holes.
fn unseen(connection: &Connection) -> u64 {
    let holes = connection.visibility.gaps.iter().filter(|gap| gap.acknowledged);
    holes.map(|gap| gap.length).sum()
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    let mut by_file: BTreeMap<u16, Vec<&Connection>> = BTreeMap::new();
    for connection in
        population.connections.iter().filter(|connection| connection.visibility.sight == Sight::Both)
    {
        by_file.entry(connection.first.file.0).or_default().push(connection);
    }
    for (index, capture) in population.captures.iter().enumerate() {
        let own = by_file.get(&(index as u16)).map_or(&[][..], Vec::as_slice);
        let missing: u64 = own.iter().map(|connection| unseen(connection)).sum();
        let seen: u64 = own
            .iter()
            .flat_map(|connection| Side::BOTH.map(|side| connection.sides[side].delivered_bytes))
            .sum();
        let ratio = (missing as f64 / (missing + seen).max(1) as f64).max(capture.loss_ratio);
        if ratio <= LOSS && capture.drops == 0 {
            continue;
        }
        let dropped = if capture.drops > 0 {
            format!(", and the recorder counted {} dropped packets", capture.drops)
        } else {
            String::new()
        };
        let holed =
            |connection: &&&Connection| connection.visibility.loss_ratio > 0.0 || unseen(connection) > 0;
        let mut finding = about(
            &RULE,
            population,
            capture,
            format!("{:.2} % of the acknowledged bytes are not in the capture{dropped}", ratio * 100.0),
        )
        .on(own.iter().filter(holed).take(1_000).map(|connection| connection.id))
        .why("these bytes were acknowledged by their receiver, so they were on the wire; confidence is lowered where they are missing")
        .advice("give the recorder a larger buffer, a filter or a shorter snap length, or record where less passes")
        .value("loss_ratio", Value::Ratio(ratio))
        .number("drops", capture.drops);
        for connection in own.iter().filter(holed).take(4) {
            finding = finding.shows(
                [connection.first, connection.last],
                "bytes of this connection were acknowledged and never seen",
            );
        }
        findings.add(finding);
    }
}
