//! The summary: one screen that says what happened, to whom, why, how sure, and where to look.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::amounts::{bytes, count};
use super::paint::{Paint, Tone};
use super::{Look, Naming, captures, ends, findings, named, sentence, sessions, worst, wrapped};
use crate::analysis::Analysis;
use crate::escape;
use crate::events::Connection;
use crate::events::transport::How;
use crate::problem::Problem;
use crate::report::words::Word;

/// Capture quality, ends by count, the worst, the longest, the problems.
pub(super) fn write(analysis: &Analysis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    captures::write(analysis, look, out)?;
    writeln!(out)?;
    ends::write(analysis, look, out)?;
    sessions::counted(analysis, look, out)?;
    if !analysis.connections.is_empty() {
        let told = findings::worst(analysis, look, out)?;
        worst::write(analysis, told, look, out)?;
        longest(analysis, look, out)?;
    }
    problems(analysis, look, out)
}

/// The connections that lived longest.
fn longest(analysis: &Analysis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let shown = if look.verbose { 10 } else { 3 };
    let age = |connection: &&Connection| connection.end.since(connection.start);
    let mut all: Vec<&Connection> = analysis.connections.iter().collect();
    let last = shown.min(all.len());
    if last < all.len() {
        all.select_nth_unstable_by_key(last, |c| (Reverse(age(c)), c.id));
        all.truncate(last);
    }
    all.sort_by_key(|c| (Reverse(age(c)), c.id));
    let paint = Paint { on: look.colour };
    writeln!(out)?;
    writeln!(out, "{}", paint.tone(Tone::Heading, "LONGEST"))?;
    let ends: Vec<String> = all
        .iter()
        .map(|c| format!("{} -> {}", named(analysis, c.client), named(analysis, c.server)))
        .collect();
    let width = ends.iter().map(String::len).max().unwrap_or(0);
    let ids = all.iter().map(|c| c.id.to_string().len()).max().unwrap_or(0);
    for (connection, who) in all.iter().zip(&ends) {
        let sides = &connection.sides;
        let payload = sides.client.payload_bytes.saturating_add(sides.server.payload_bytes);
        let ended = &connection.ended;
        let end = match ended.how {
            How::CaptureEnd => "open at the end".to_owned(),
            _ => ended.reason.word().to_owned(),
        };
        let id = format!("#{}", connection.id);
        let duration = age(connection).to_string();
        writeln!(out, "  {id:<0$} {who:<width$}  {duration:>8}  {1:>7}  {2}", ids + 1, bytes(payload), end)?;
    }
    Ok(())
}

/// What was wrong in the inputs and yet survived.
fn problems(analysis: &Analysis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    // What the remarks on the captures have told is not told again.
    let told: Vec<&Problem> =
        (0..analysis.files.len()).filter_map(|index| captures::first_damage(analysis, index)).collect();
    let mut ordered: Vec<&Problem> = analysis
        .problems
        .iter()
        .filter(|problem| !told.iter().any(|told| std::ptr::eq(*told, *problem)))
        .collect();
    if ordered.is_empty() {
        return Ok(());
    }
    let shown = if look.verbose { usize::MAX } else { 3 };
    let naming = if analysis.files.len() > 1 { Naming::Index } else { Naming::Nothing };
    let paint = Paint { on: look.colour };
    writeln!(out)?;
    writeln!(out, "{}", paint.tone(Tone::Heading, "PROBLEMS"))?;
    // Damage before oddities; within each the fixed order of the result.
    ordered.sort_by_key(|problem| !problem.kind.is_damage());
    for problem in ordered.iter().take(shown) {
        let text = sentence(analysis, problem, naming);
        let text = format!("{}: {}", problem.kind.word(), escape::terminal(&text));
        let lines = wrapped(&text, 4);
        writeln!(
            out,
            "  {}",
            lines.join(
                "
    "
            )
        )?;
    }
    if ordered.len() > shown {
        writeln!(out, "  {} more (-v shows all)", count((ordered.len() - shown) as u64))?;
    }
    Ok(())
}
