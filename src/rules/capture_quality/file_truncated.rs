//! GSQ913: a capture file is damaged or cut.

use crate::problem::{Problem, ProblemKind};
use crate::rules::{Fault, Finding, Findings, Population};

rule! {
    /// # What it finds
    /// A file that ends in the middle of a record, holds bytes that are no record, or could not be read.
    ///
    /// # Why it matters
    /// What is behind the damage is missing, and so is the end of every session in it.
    ///
    /// # How it is decided
    /// The reader tells where it stopped or what it skipped. What is valid was read.
    ///
    /// # What it cannot know
    /// What was there.
    ///
    /// # How to mend it
    /// Copy the file again; stop the recorder before copying; repair with `pcapfix` or `editcap`.
    ///
    /// # Sources
    /// The pcapng specification, section 3; `domain.md` C.4, D.9.
    "GSQ913", "file-truncated", "a capture file is damaged or cut", Warning, Capture, Population(check)
}

/// Whether the problem says that a file is damaged.
fn is_damage(problem: &Problem) -> bool {
    problem.kind.is_damage() || problem.kind == ProblemKind::BadRecord
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for problem in population.problems.iter().filter(|problem| is_damage(problem)) {
        let path = problem
            .file
            .and_then(|file| population.captures.get(usize::from(file.0)))
            .map(|capture| capture.path.clone());
        let place = problem.offset.map_or(String::new(), |offset| format!(", at byte {offset}"));
        findings.add(
            Finding::about(&RULE, population.window.1, problem.message.clone())
                .fault(Fault::Capture)
                .key(format!("{:?} {:?} {}", problem.file, problem.kind, problem.message))
                .why(format!(
                    "{} was read as far as it is valid{place}",
                    path.unwrap_or_else(|| "the input".to_owned())
                ))
                .advice("stop the recorder before copying its file, and copy it again")
                .number("count", problem.count),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!((told(ProblemKind::CutShort), told(ProblemKind::UnknownBlock)), (1, 0));
    }
}
