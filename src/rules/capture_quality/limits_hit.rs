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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;

    #[test]
    fn only_what_it_is_about_is_told() {
        let told = |kind| {
            let problem = Problem {
                kind,
                file: None,
                frame: None,
                offset: Some(24),
                count: 1,
                message: "something was met".to_owned(),
            };
            let mut findings = Findings::default();
            check(&Population::new(&[], &[], &[], &[problem], |_| false), &mut findings);
            findings.len()
        };
        assert_eq!((told(ProblemKind::LimitReached), told(ProblemKind::UnknownBlock)), (1, 0));
    }
}
