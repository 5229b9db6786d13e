//! GSQ903: only one direction was recorded.

use crate::events::visibility::Sight;
use crate::rules::recordings::{counted, of_connections, tcp};
use crate::rules::{Findings, Population, Severity};

rule! {
    /// # What it finds
    /// Connections of which the capture holds one direction only.
    ///
    /// # Why it matters
    /// What the other side said, and whether it answered at all, is not there. Nothing that rests on a missing
    /// answer is claimed of these.
    ///
    /// # How it is decided
    /// At least five segments one way and none the other way. It is a warning where more than a fifth of the
    /// connections are so.
    ///
    /// # What it cannot know
    /// Whether the other direction takes another way (asymmetric routing), or the mirror port copies one
    /// direction only.
    ///
    /// # How to mend it
    /// Mirror both directions of the port (`rx` and `tx`), record on the host itself, or add the capture of the
    /// other path to the run.
    ///
    /// # Sources
    /// `domain.md` C.4, D.9.
    "GSQ903", "one-sided", "only one direction of connections was recorded", Info, Capture, Population(check)
}

/// The share of one-sided connections from which on the capture is hardly of use.
const MANY: f64 = 0.2;

fn check(population: &Population<'_>, findings: &mut Findings) {
    let half = tcp(population, |connection| connection.visibility.sight != Sight::Both);
    if half.is_empty() {
        return;
    }
    let many = population.captures.iter().any(|capture| capture.one_sided_ratio > MANY);
    let message = format!("recorded in one direction only: {}", counted(half.len(), "connection"));
    findings.add(
        of_connections(&RULE, population, &half, message, "frames of one direction only")
            .severity(if many { Severity::Warning } else { Severity::Info })
            .why("five segments or more went one way, and none the other; unanswered requests, silence and half-open ends of these are not judged")
            .advice("mirror both directions of the port, or record on the host itself"),
    );
}
