//! Test Anything Protocol, version 14: a line for each assert and each rule that found something.

use std::io::{self, Write};

use super::{Judged, account};
use crate::gate::State;

pub(super) fn write(judged: &Judged<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut lines: Vec<(bool, String, Option<String>, Option<String>)> = Vec::new();
    for outcome in &judged.verdict.asserts {
        let told = (!outcome.holds()).then(|| outcome.sentence());
        lines.push((outcome.holds(), format!("assert {}", outcome.name), None, told));
    }
    for wrong in &judged.verdict.capture {
        lines.push((false, "capture quality".to_owned(), None, Some(wrong.clone())));
    }
    for (severity, (count, most)) in &judged.verdict.overruns {
        let told = format!("{count} found, {most} allowed");
        lines.push((false, format!("budget of severity {}", severity.name()), None, Some(told)));
    }
    for (case, finding) in judged.cases() {
        let skip = match &case.state {
            State::New => None,
            State::Known => Some("known".to_owned()),
            State::Muted(reason) => Some(reason.clone()),
            State::Off => Some("off".to_owned()),
        };
        let about = format!("{} {} {}", finding.rule.code, finding.rule.name, finding.about.service);
        let told = case.fails.then(|| account(judged, finding));
        lines.push((!case.fails, about, skip, told));
    }
    writeln!(out, "TAP version 14\n1..{}", lines.len())?;
    for (index, (good, name, skip, told)) in lines.iter().enumerate() {
        let sign = if *good { "ok" } else { "not ok" };
        let skip = skip.as_ref().map_or(String::new(), |reason| format!(" # SKIP {}", one_line(reason)));
        writeln!(out, "{sign} {} - {}{skip}", index + 1, one_line(name))?;
        for line in told.iter().flat_map(|told| told.lines()) {
            writeln!(out, "# {}", crate::escape::terminal(line))?;
        }
    }
    Ok(())
}

/// A name without what would begin a directive.
fn one_line(text: &str) -> String {
    crate::escape::terminal(text).replace('#', "\\#").replace('\n', " ")
}
