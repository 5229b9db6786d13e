//! GSQ912: a bound was reached, and something was left out.

use crate::problem::ProblemKind;
use crate::rules::{Fault, Finding, Findings, Population};

rule! {
    /// # What it finds
    /// A bound on memory that was reached, so that something of the capture was not looked at.
    ///
    /// # Why it matters
    /// The account is not complete.
    ///
    /// # How it is decided
    /// The stages tell what they left out.
    ///
    /// # What it cannot know
    /// What it would have shown.
    ///
    /// # How to mend it
    /// Split the capture or filter it.
    ///
    /// # Sources
    /// `limits.rs` of the project names every bound and its reason.
    "GSQ912", "limits-hit", "a bound was reached, and something was left out", Warning, Capture, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for problem in population.problems.iter().filter(|problem| problem.kind == ProblemKind::LimitReached) {
        findings.add(
            Finding::about(&RULE, population.window.0, problem.message.clone())
                .fault(Fault::Capture)
                .key(format!("{:?} {}", problem.file, problem.message))
                .why("a bound of the analysis was reached; what lies beyond was counted and not judged")
                .advice("split the capture, or filter it by hosts")
                .number("count", problem.count),
        );
    }
}
