//! GSQ907: frames were recorded twice.

use crate::rules::recordings::about;
use crate::rules::{Findings, Population, Value};

rule! {
    /// # What it finds
    /// Frames that stand in the capture twice, as a mirror port with two sources or two recorders on one path
    /// write them.
    ///
    /// # Why it matters
    /// Counted naively they look like retransmissions and duplicate acknowledgments. They are left out of all
    /// figures here, while Wireshark counts them.
    ///
    /// # How it is decided
    /// The same segment with the same IP identification within a millisecond, or one hop later within 20 ms;
    /// more than one in a hundred.
    ///
    /// # What it cannot know
    /// A copy of a segment without identification may be taken for a repetition.
    ///
    /// # How to mend it
    /// Mirror one port or one direction only; remove copies with `editcap -d`.
    ///
    /// # Sources
    /// `domain.md` C.4, D.9.
    "GSQ907", "duplicated-frames", "frames were recorded twice", Info, Capture, Population(check)
}

/// From this share on it is worth telling.
const SHARE: f64 = 0.01;

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (index, capture) in
        population.captures.iter().enumerate().filter(|(_, capture)| capture.duplicate_ratio > SHARE)
    {
        let doubled: Vec<_> = population
            .connections
            .iter()
            .filter(|connection| {
                usize::from(connection.first.file.0) == index && connection.visibility.duplicates > 0
            })
            .take(1_000)
            .collect();
        let mut finding = about(
            &RULE,
            population,
            capture,
            format!("{:.0} % of the TCP segments were recorded twice", capture.duplicate_ratio * 100.0),
        )
        .on(doubled.iter().map(|connection| connection.id))
        .why("the copies agree in all header fields and follow at once; they are counted once")
        .advice("mirror one port or one direction only, or remove copies with editcap -d")
        .value("duplicate_ratio", Value::Ratio(capture.duplicate_ratio));
        for connection in doubled.iter().take(4) {
            finding = finding.shows([connection.first, connection.last], "a connection with doubled frames");
        }
        findings.add(finding);
    }
}
