//! Annotations of a GitHub action: a line each for the worst few, since the platform shows about ten a step.

use std::io::{self, Write};

use super::{Judged, level, worst_first};

/// Annotations that are written.
const SHOWN: usize = 10;

pub(super) fn write(judged: &Judged<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut left = SHOWN;
    let mut hidden = 0;
    let mut line =
        |kind: &str, file: &str, at: Option<usize>, title: &str, message: &str, out: &mut dyn Write| {
            if left == 0 {
                hidden += 1;
                return Ok(());
            }
            left -= 1;
            let at = at.map_or(String::new(), |line| format!(",line={line}"));
            writeln!(out, "::{kind} file={}{at},title={}::{}", property(file), property(title), data(message))
        };
    let policy = judged.policy.unwrap_or("policy.toml");
    for outcome in judged.verdict.asserts.iter().filter(|outcome| !outcome.holds()) {
        line("error", policy, Some(outcome.line), &outcome.name, &outcome.sentence(), out)?;
    }
    for wrong in &judged.verdict.capture {
        line("error", policy, None, "capture", wrong, out)?;
    }
    for (severity, (count, most)) in &judged.verdict.overruns {
        let message = format!("{count} findings of severity {}, {most} allowed", severity.name());
        line("error", policy, None, "budget", &message, out)?;
    }
    let failing = worst_first(judged.cases().filter(|(case, _)| case.fails).collect());
    for (case, finding) in failing {
        let (file, _) = judged.place(finding);
        let title = format!("{} {}", finding.rule.code, finding.rule.name);
        let message = format!("{}\nmend: {}", finding.message, finding.advice);
        line(level(case.severity), &file, None, &title, &message, out)?;
    }
    if hidden > 0 {
        writeln!(out, "::notice title=ghostshark::{hidden} more in the report")?;
    }
    Ok(())
}

/// The platform's escapes for messages.
fn data(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(crate::escape::terminal).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same for properties.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
