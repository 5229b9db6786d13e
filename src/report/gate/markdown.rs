//! Markdown for the summary of a step or for a comment: the verdict, a table, and one block a finding.

use std::io::{self, Write};

use super::{Judged, account, worst_first};
use crate::escape;

/// Findings with a block of their own; platforms bound a comment to 64 KiB.
const BLOCKS: usize = 30;

/// Rows of the table.
const ROWS: usize = 200;

pub(super) fn write(judged: &Judged<'_>, out: &mut dyn Write) -> io::Result<()> {
    let verdict = judged.verdict;
    let word = if verdict.passes() { "passed" } else { "failed" };
    writeln!(out, "## ghostshark: {word}\n\n{}\n", escape::markdown(&judged.captures()))?;
    if !verdict.asserts.is_empty() {
        writeln!(out, "| assert | holds | how |\n|---|---|---|")?;
        for outcome in &verdict.asserts {
            let holds = if outcome.holds() { "yes" } else { "**no**" };
            writeln!(
                out,
                "| {} | {holds} | {} |",
                escape::markdown(&outcome.name),
                escape::markdown(&outcome.sentence())
            )?;
        }
        writeln!(out)?;
    }
    for wrong in &verdict.capture {
        writeln!(out, "- **capture**: {}", escape::markdown(wrong))?;
    }
    for (severity, (count, most)) in &verdict.overruns {
        writeln!(out, "- **budget**: {count} findings of severity {}, {most} allowed", severity.name())?;
    }
    let cases = worst_first(judged.cases().filter(|(_, finding)| finding.caused_by.is_none()).collect());
    if cases.is_empty() {
        return writeln!(out, "No findings.");
    }
    writeln!(out, "| severity | rule | state | session | what |\n|---|---|---|---|---|")?;
    for (case, finding) in cases.iter().take(ROWS) {
        let state = if case.fails { "**fails**" } else { case.state.name() };
        let session = finding.session.map_or(String::new(), |id| format!("S-{id:04}"));
        writeln!(
            out,
            "| {} | {} {} | {state} | {session} | {} |",
            case.severity.name(),
            finding.rule.code,
            finding.rule.name,
            escape::markdown(&finding.message)
        )?;
    }
    if cases.len() > ROWS {
        writeln!(out, "\n{} more are not shown.", cases.len() - ROWS)?;
    }
    for (_, finding) in cases.iter().filter(|(case, _)| case.fails).take(BLOCKS) {
        writeln!(
            out,
            "\n<details><summary>{} {}: {}</summary>\n",
            finding.rule.code,
            finding.rule.name,
            escape::markdown(&finding.message)
        )?;
        for line in account(judged, finding).lines() {
            writeln!(out, "- {}", escape::markdown(line))?;
        }
        writeln!(out, "\n</details>")?;
    }
    Ok(())
}
