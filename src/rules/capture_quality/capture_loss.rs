//! GSQ905: the recorder lost packets.

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

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (index, capture) in population.captures.iter().enumerate() {
        if capture.loss_ratio <= LOSS && capture.drops == 0 {
            continue;
        }
        let mut holes: Vec<_> = population
            .connections
            .iter()
            .filter(|connection| {
                usize::from(connection.first.file.0) == index && connection.visibility.loss_ratio > 0.0
            })
            .collect();
        holes.truncate(1_000);
        let dropped = if capture.drops > 0 {
            format!(", and the recorder counted {} dropped packets", capture.drops)
        } else {
            String::new()
        };
        let mut finding = about(
            &RULE,
            population,
            capture,
            format!("{:.2} % of the acknowledged bytes are not in the capture{dropped}", capture.loss_ratio * 100.0),
        )
        .on(holes.iter().map(|connection| connection.id))
        .why("these bytes were acknowledged by their receiver, so they were on the wire; confidence is lowered where they are missing")
        .advice("give the recorder a larger buffer, a filter or a shorter snap length, or record where less passes")
        .value("loss_ratio", Value::Ratio(capture.loss_ratio))
        .number("drops", capture.drops);
        for connection in holes.iter().take(4) {
            finding = finding.shows(
                [connection.first, connection.last],
                "bytes of this connection were acknowledged and never seen",
            );
        }
        findings.add(finding);
    }
}
