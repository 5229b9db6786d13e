//! GSQ904: frames were cut by the recorder.

use crate::rules::recordings::{counted, of_connections, of_sessions};
use crate::rules::{Findings, Population, Severity, Value};

rule! {
    /// # What it finds
    /// Frames of which the recorder kept only the first bytes.
    ///
    /// # Why it matters
    /// Headers are good, and what the protocols said is not: dissectors stop at the first cut byte, and nothing
    /// is concluded from words that are missing.
    ///
    /// # How it is decided
    /// The captured length is smaller than the one on the wire. It is a warning where a session in clear could
    /// have been read.
    ///
    /// # What it cannot know
    /// What the cut bytes were.
    ///
    /// # How to mend it
    /// Record without a limit (`tcpdump -s 0`, `dumpcap -s 0`).
    ///
    /// # Sources
    /// `domain.md` C.4, D.9.
    "GSQ904", "snaplen-cut", "frames were cut by the recorder", Info, Capture, Population(check)
}

/// A limit from which on frames are whole.
const WHOLE: u32 = 65_535;

fn check(population: &Population<'_>, findings: &mut Findings) {
    let cut =
        of_sessions(population, |subject| subject.parts().any(|part| part.connection.visibility.snapped > 0));
    let ratio = population.captures.iter().map(|capture| capture.snapped_ratio).fold(0.0, f64::max);
    if cut.is_empty() {
        return;
    }
    let clear = population.subjects().any(|subject| {
        subject.parts().any(|part| part.connection.visibility.snapped > 0 && part.leg.readable > 0)
    });
    let limit =
        population.captures.iter().filter_map(|capture| capture.snaplen).filter(|bytes| *bytes < WHOLE).min();
    let limit =
        limit.map_or(String::new(), |bytes| format!("; the recorder kept {bytes} bytes of a frame at most"));
    findings.add(
        of_connections(
            &RULE,
            population,
            &cut,
            format!("frames of {} were cut by the recorder", counted(cut.len(), "connection")),
            "a connection with cut frames",
        )
        .severity(if clear { Severity::Warning } else { Severity::Info })
        .why(format!("{:.0} % of the frames are shorter than they were on the wire{limit}; what was said in them is not judged", ratio * 100.0))
        .advice("record whole frames: tcpdump -s 0, dumpcap -s 0")
        .value("snapped_ratio", Value::Ratio(ratio)),
    );
}
