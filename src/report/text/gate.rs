//! The verdict of the gate on one screen: what fails and why, then what does not count, then the counts.

use std::io::{self, Write};

use super::amounts::counted;
use super::paint::{Paint, Tone};
use super::{Look, hanging, wrapped_to};
use crate::analysis::Analysis;
use crate::escape;
use crate::gate::{Case, Outcome, State, Verdict};
use crate::report::filter;
use crate::report::words::Word;
use crate::rules::{Finding, Severity};

/// Width of the lines.
const WIDTH: usize = 100;

/// Failing findings that are told whole; of more only the names, so that a screen is enough.
const WHOLE: usize = 4;

/// Failing findings that are named.
const NAMED: usize = 12;

/// Sessions that are named for an assert.
const SESSIONS: usize = 8;

/// Writes the verdict for people.
///
/// # Errors
/// What `out` says.
pub fn write(analysis: &Analysis, verdict: &Verdict, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let failing: Vec<(&Case, &Finding)> = verdict
        .cases
        .iter()
        .filter(|case| case.fails)
        .filter_map(|case| Some((case, analysis.findings.get(case.finding)?)))
        .collect();
    let broken: Vec<&Outcome> = verdict.asserts.iter().filter(|outcome| !outcome.holds()).collect();
    if verdict.passes() {
        writeln!(out, "{}", paint.tone(Tone::Good, "PASS"))?;
    } else {
        let mut reasons = Vec::new();
        if !failing.is_empty() {
            reasons.push(counted(failing.len() as u64, "finding"));
        }
        if !broken.is_empty() {
            reasons.push(counted(broken.len() as u64, "assert"));
        }
        reasons.extend(verdict.overruns.iter().map(|(severity, (count, most))| {
            format!("{count} of severity {}, {most} allowed", severity.word())
        }));
        if !verdict.capture.is_empty() {
            reasons.push("the capture itself".to_owned());
        }
        if verdict.stale_fails && !verdict.stale.is_empty() {
            reasons.push(format!("{} of the baseline did not come again", verdict.stale.len()));
        }
        writeln!(out, "{}  {}", paint.tone(Tone::Bad, "FAIL"), reasons.join(", "))?;
    }
    for wrong in &verdict.capture {
        hanging(out, "  capture  ", &wrapped_to(&escape::terminal(wrong), 11, WIDTH))?;
    }
    for outcome in broken {
        assert(outcome, paint, out)?;
    }
    for (place, (case, finding)) in failing.iter().enumerate().take(NAMED) {
        one(analysis, case, finding, place < WHOLE, paint, out)?;
    }
    if failing.len() > NAMED {
        writeln!(out, "  and {} more", failing.len() - NAMED)?;
    }
    rest(verdict, paint, out)
}

fn assert(outcome: &Outcome, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let name = paint.tone(Tone::Bad, format!("assert {:?}", escape::terminal(&outcome.name)));
    writeln!(out, "  {name} (line {}): {}", outcome.line, outcome.sentence())?;
    let against = outcome.against();
    if !against.is_empty() {
        let named: Vec<String> = against.iter().take(SESSIONS).map(|id| format!("S-{id:04}")).collect();
        let more = against.len().saturating_sub(SESSIONS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "    against it: {}{more}", named.join(" "))?;
    }
    Ok(())
}

fn one(
    analysis: &Analysis,
    case: &Case,
    finding: &Finding,
    whole: bool,
    paint: Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let tone = if case.severity >= Severity::Error { Tone::Bad } else { Tone::Odd };
    let session = finding.session.map_or(String::new(), |id| format!("  S-{id:04}"));
    let about = [&finding.about.protocol, &finding.about.service];
    let about: Vec<&str> = about.into_iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
    writeln!(
        out,
        "  {} {} {}  {}{session}  {}",
        paint.tone(tone, case.severity.word()),
        finding.rule.code,
        finding.rule.name,
        finding.name(),
        escape::terminal(&about.join(" ")),
    )?;
    hanging(out, "    ", &wrapped_to(&escape::terminal(&finding.message), 4, WIDTH))?;
    if !whole {
        return Ok(());
    }
    if let Some(timer) = &case.timer {
        let known = format!("the policy knows this timer: {timer}");
        hanging(out, "    timer  ", &wrapped_to(&escape::terminal(&known), 11, WIDTH))?;
    }
    hanging(out, "    mend   ", &wrapped_to(&escape::terminal(&finding.advice), 11, WIDTH))?;
    if let Some(shown) = filter::finding(finding, analysis).first() {
        writeln!(out, "    filter {}", escape::terminal(&shown.filter))?;
    }
    Ok(())
}

/// What does not count, and what was expected and did not come.
fn rest(verdict: &Verdict, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let held = verdict.asserts.iter().filter(|outcome| outcome.holds()).count();
    let mut counts = Vec::new();
    if !verdict.asserts.is_empty() {
        counts.push(format!("{held} of {} hold", counted(verdict.asserts.len() as u64, "assert")));
    }
    let below = verdict.cases.iter().filter(|case| case.state == State::New && !case.fails).count();
    for (count, what) in [
        (below, "below the gate"),
        (verdict.count("known"), "known"),
        (verdict.count("muted"), "muted"),
        (verdict.count("off"), "switched off"),
    ] {
        if count > 0 {
            counts.push(format!("{} {what}", counted(count as u64, "finding")));
        }
    }
    if verdict.has_baseline && !verdict.stale.is_empty() {
        counts.push(format!("{} of the baseline did not come again", verdict.stale.len()));
    }
    if !counts.is_empty() {
        writeln!(out, "{}", paint.tone(Tone::Aside, counts.join("; ")))?;
    }
    for (line, day) in &verdict.expired {
        writeln!(out, "{}", paint.tone(Tone::Odd, format!("the mute in line {line} expired on {day}")))?;
    }
    Ok(())
}
