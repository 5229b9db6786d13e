//! The verdict of the gate in the forms that pipelines read.
//!
//! Every form tells the same cases in the same order; none of them decides anything.

mod annotations;
mod code_quality;
mod junit;
mod markdown;
mod sarif;
mod tap;

use std::io::{self, Write};

use super::{HTML, html};
use crate::analysis::Analysis;
use crate::gate::{Case, Verdict};
use crate::rules::{Finding, Severity};

/// What is judged, by what, and where that stands.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'j> {
    /// The result.
    pub analysis: &'j Analysis,
    /// What the gate says of it.
    pub verdict: &'j Verdict,
    /// The policy's path as it was typed; none without a policy.
    pub policy: Option<&'j str>,
    /// Whether alerts stand at the policy's lines, which a reviewer can see, and not at octets of the capture.
    pub anchored: bool,
}

/// A form of the verdict.
#[derive(Debug)]
pub struct GateFormat {
    /// What users type.
    pub name: &'static str,
    /// One line for the help.
    pub about: &'static str,
    /// Writes it.
    pub write: fn(&Judged<'_>, &mut dyn Write) -> io::Result<()>,
}

/// All forms.
pub static GATE_FORMATS: [GateFormat; 7] = [
    GateFormat { name: "junit", about: "JUnit XML: a case for each assert and rule", write: junit::write },
    GateFormat { name: "sarif", about: "SARIF 2.1.0, for alerts beside code", write: sarif::write },
    GateFormat { name: "github", about: "annotations of a GitHub action", write: annotations::write },
    GateFormat { name: "gitlab", about: "code quality report of GitLab", write: code_quality::write },
    GateFormat { name: "md", about: "Markdown for a step summary or a comment", write: markdown::write },
    GateFormat { name: "tap", about: "Test Anything Protocol", write: tap::write },
    GateFormat { name: HTML.name, about: HTML.about, write: html::judged },
];

impl GateFormat {
    /// Whether it tells more of an analysis that kept its events.
    pub fn tells_stories(&self) -> bool {
        self.name == HTML.name
    }
}

impl<'j> Judged<'j> {
    /// Every finding with its standing, in order.
    fn cases(&self) -> impl Iterator<Item = (&'j Case, &'j Finding)> {
        let findings = &self.analysis.findings;
        self.verdict.cases.iter().filter_map(|case| Some((case, findings.get(case.finding)?)))
    }

    /// The names of the captures, as they were given.
    fn captures(&self) -> String {
        let names: Vec<String> =
            self.analysis.files.iter().map(|file| file.path.display().to_string()).collect();
        names.join(" ")
    }

    /// The capture that holds the finding's first frame, and that frame.
    fn place(&self, finding: &Finding) -> (String, Option<u64>) {
        let first = finding.frames().first().copied();
        let file = first.map_or(0, |at| usize::from(at.file.0));
        let path =
            self.analysis.files.get(file).map_or(String::new(), |file| file.path.display().to_string());
        (path, first.map(|at| at.frame))
    }
}

/// The findings of the worst severity first, then in order.
fn worst_first<'j>(mut cases: Vec<(&'j Case, &'j Finding)>) -> Vec<(&'j Case, &'j Finding)> {
    cases.sort_by_key(|(case, _)| std::cmp::Reverse(case.severity));
    cases
}

/// What a finding says to people who have nothing but this text: claim, proof, remedy.
fn account(judged: &Judged<'_>, finding: &Finding) -> String {
    let mut lines = vec![finding.message.clone()];
    for piece in &finding.evidence {
        let frames: Vec<String> = piece.frames.iter().map(|at| at.frame.to_string()).collect();
        let frames =
            if frames.is_empty() { String::new() } else { format!(" [frames {}]", frames.join(", ")) };
        lines.push(format!("{}: {}{frames}", piece.role.name(), piece.sentence));
    }
    if !finding.why.is_empty() {
        lines.push(format!("why: {}", finding.why));
    }
    lines.push(format!("mend: {}", finding.advice));
    if let Some(shown) = super::filter::finding(finding, judged.analysis).first() {
        lines.push(format!("filter: {}", shown.filter));
    }
    lines.iter().map(|line| crate::escape::terminal(line)).collect::<Vec<_>>().join("\n")
}

/// `error` for what hurts, `warning`, or `notice`: the three that platforms know.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    }
}
