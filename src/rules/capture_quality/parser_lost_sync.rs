//! GSQ911: a dissector gave up.

use crate::problem::ProblemKind;
use crate::rules::{Fault, Finding, Findings, Population};

rule! {
    /// # What it finds
    /// A connection whose bytes ceased to fit its protocol.
    ///
    /// # Why it matters
    /// What came after that place was not read: no word of it is in the account.
    ///
    /// # How it is decided
    /// The dissector met what its protocol does not allow, several times, and stopped. The rest is judged from
    /// outside.
    ///
    /// # What it cannot know
    /// Whether the sender broke the protocol, the capture lost bytes, or this dissector does not know an
    /// extension.
    ///
    /// # How to mend it
    /// Look at the place; if the bytes are right, report it with a small capture.
    ///
    /// # Sources
    /// `domain.md` C.4, D.9.
    "GSQ911", "parser-lost-sync", "a dissector gave up", Info, Capture, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for problem in population.problems.iter().filter(|problem| problem.kind == ProblemKind::DissectorStopped)
    {
        findings.add(
            Finding::about(&RULE, population.window.0, problem.message.clone())
                .fault(Fault::Capture)
                .key(format!("{:?} {:?} {}", problem.file, problem.frame, problem.message))
                .occurrences(usize::try_from(problem.count).unwrap_or(usize::MAX))
                .why(format!(
                    "the bytes did not fit the protocol any more, first at frame {}",
                    problem.frame.map_or("unknown".to_owned(), |frame| frame.to_string())
                ))
                .advice("look at the place; if the bytes are right, report it with a small capture"),
        );
    }
}
