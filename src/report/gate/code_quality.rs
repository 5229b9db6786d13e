//! The code quality report of GitLab: an array of issues, each with a name that stays the same.

use std::io::{self, Write};

use serde::Serialize;

use super::Judged;
use crate::gate::State;
use crate::rules::Severity;

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    /// The frame: the only number of a capture that a reader can look up.
    begin: u64,
}

pub(super) fn write(judged: &Judged<'_>, out: &mut dyn Write) -> io::Result<()> {
    let new = judged.cases().filter(|(case, _)| case.state == State::New);
    let issues: Vec<Issue> = new
        .map(|(case, finding)| {
            let (path, frame) = judged.place(finding);
            Issue {
                description: format!(
                    "{} {}: {}",
                    finding.rule.code,
                    finding.rule.name,
                    crate::escape::terminal(&finding.message)
                ),
                check_name: finding.rule.code,
                fingerprint: finding.fingerprint.hex(),
                severity: severity(case.severity),
                location: Location { path, lines: Lines { begin: frame.unwrap_or(1) } },
            }
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    out.write_all(b"\n")
}

/// The five that the platform knows.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "minor",
        Severity::Error => "major",
        Severity::Critical => "critical",
    }
}
