//! The summary: one screen that says what happened, to whom, why, how sure, and where to look.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::amounts::{bytes, count};
use super::ends::by_phrase;
use super::paint::{Paint, Tone};
use super::{Look, captures, ends, worst, wrapped};
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
    worst::write(analysis, look, out)?;
    longest(analysis, look, out)?;
    problems(analysis, look, out)
}

/// The connections that lived longest.
fn longest(analysis: &Analysis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let shown = if look.verbose { 10 } else { 3 };
    if analysis.connections.is_empty() {
        return Ok(());
    }
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
    let ends: Vec<String> = all.iter().map(|c| format!("{} -> {}", c.client, c.server)).collect();
    let width = ends.iter().map(String::len).max().unwrap_or(0);
    let ids = all.iter().map(|c| c.id.to_string().len()).max().unwrap_or(0);
    for (connection, who) in all.iter().zip(&ends) {
        let sides = &connection.sides;
        let payload = sides.client.payload_bytes.saturating_add(sides.server.payload_bytes);
        let ended = &connection.ended;
        let end = match ended.how {
            How::CaptureEnd => "open at the end".to_owned(),
            _ => format!("{} {}", ended.reason.word(), by_phrase(ended.by)),
        };
        let id = format!("#{}", connection.id);
        let duration = age(connection).to_string();
        writeln!(
            out,
            "  {id:<0$} {who:<width$}  {duration:>8}  {1:>7}  {2}",
            ids + 1,
            bytes(payload),
            end.trim_end()
        )?;
    }
    Ok(())
}

/// What was wrong in the inputs and yet survived.
fn problems(analysis: &Analysis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if analysis.problems.is_empty() {
        return Ok(());
    }
    let shown = if look.verbose { usize::MAX } else { 4 };
    let paint = Paint { on: look.colour };
    writeln!(out)?;
    writeln!(out, "{}", paint.tone(Tone::Heading, "PROBLEMS"))?;
    // Damage before oddities; within each the fixed order of the result.
    let mut ordered: Vec<&Problem> = analysis.problems.iter().collect();
    ordered.sort_by_key(|problem| !problem.kind.is_damage());
    for problem in ordered.iter().take(shown) {
        let text = format!("{}: {}", problem.kind.word(), sentence(problem, analysis.files.len() > 1));
        for (number, part) in wrapped(&text, 4).iter().enumerate() {
            writeln!(out, "{}{part}", if number == 0 { "  " } else { "    " })?;
        }
    }
    if ordered.len() > shown {
        writeln!(out, "  {} more (-v shows all)", count((ordered.len() - shown) as u64))?;
    }
    Ok(())
}

/// Where, what, how often.
fn sentence(problem: &Problem, several_captures: bool) -> String {
    let mut place = Vec::new();
    if let Some(file) = problem.file.filter(|_| several_captures) {
        place.push(format!("capture [{}]", file.0));
    }
    if let Some(frame) = problem.frame {
        place.push(format!("frame {frame}"));
    }
    if let Some(offset) = problem.offset {
        place.push(format!("byte {offset}"));
    }
    let mut text = escape::terminal(&problem.message);
    if !place.is_empty() {
        text = format!("{}: {text}", place.join(", "));
    }
    if problem.count > 1 {
        text = format!("{text} ({} times)", count(problem.count));
    }
    text
}
