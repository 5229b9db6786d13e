//! Text for people: written for a tired engineer at two in the morning.
//!
//! The worst comes first, every claim stands beside the filter that shows it, colour only repeats what the words
//! say, and nothing from the wire is printed raw.

pub(super) mod amounts;
pub(super) mod captures;
pub(super) mod concern;
mod connections;
pub(super) mod ends;
pub(super) mod events;
pub(super) mod findings;
pub mod follow;
pub mod gate;
mod paint;
mod problems;
pub(super) mod sessions;
pub(super) mod story;
mod summary;
pub(super) mod table;
mod worst;

pub use concern::rank;
pub(super) use concern::rank_of;
pub(super) use paint::{Paint, Tone};
pub use problems::{Naming, sentence};

use std::io::{self, Write};

use super::{Part, Request, columns};
use crate::analysis::Analysis;
use crate::escape;
use crate::events::Endpoint;
use crate::time::Timestamp;

/// How times are shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// Seconds since the first frame of the run.
    #[default]
    Relative,
    /// Date and time in UTC.
    Utc,
    /// Seconds since 1970-01-01T00:00:00Z.
    Epoch,
}

/// How text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Colours and bold; without them the text says the same.
    pub colour: bool,
    /// How times are shown.
    pub clock: Clock,
    /// Everything, instead of what fits one screen.
    pub verbose: bool,
}

/// Widest line where the text can be broken.
const WIDTH: usize = 80;

/// Writes the part that is asked for.
pub(super) fn write(analysis: &Analysis, request: &Request, out: &mut dyn Write) -> io::Result<()> {
    match request.part {
        Part::Summary => summary::write(analysis, request.look, out),
        // Who names columns wants them for a script.
        Part::Connections if !request.columns.is_empty() => columns::fields(analysis, request, out),
        Part::Connections => connections::write(analysis, request, out),
        Part::Everything => {
            summary::write(analysis, request.look, out)?;
            writeln!(out)?;
            connections::write(analysis, request, out)
        }
    }
}

/// The moment that relative times count from: the first frame of the run.
pub(super) fn origin(analysis: &Analysis) -> Timestamp {
    let of_files = analysis.files.iter().filter_map(|file| file.first).min();
    of_files.or_else(|| analysis.connections.iter().map(|c| c.start).min()).unwrap_or_default()
}

/// An end of a connection, by the name that the user gave to it or to its host.
fn named(analysis: &Analysis, end: Endpoint) -> String {
    escape::terminal(&analysis.options.names.in_text(&end.to_string()))
}

/// Breaks text at spaces so that no line passes [`WIDTH`] with its indent, unless one word does.
fn wrapped(text: &str, indent: usize) -> Vec<String> {
    wrapped_to(text, indent, WIDTH)
}

/// The same for lines of another width.
pub(super) fn wrapped_to(text: &str, indent: usize, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if indent + line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A paragraph in lines that fit, for pages of text.
pub(super) fn paragraph(text: &str, indent: usize) -> Vec<String> {
    wrapped_to(text, indent, 96)
}

/// Puts parts with a comma between them on as few lines as [`WIDTH`] allows; no part is broken.
fn flowed(parts: &[String], indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let comma = if index + 1 < parts.len() { "," } else { "" };
        match lines.last_mut() {
            Some(line) if indent + line.chars().count() + 2 + part.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(part);
                line.push_str(comma);
            }
            _ => lines.push(format!("{part}{comma}")),
        }
    }
    lines
}

/// Writes lines below each other: the first after `first`, the others after as many spaces.
fn hanging(out: &mut dyn Write, first: &str, lines: &[String]) -> io::Result<()> {
    let indent = first.chars().count();
    for (number, line) in lines.iter().enumerate() {
        if number == 0 {
            writeln!(out, "{first}{line}")?;
        } else {
            writeln!(out, "{:indent$}{line}", "")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stay_whole() {
        let parts: Vec<String> = (0..12).map(|n| format!("part {n} of 12")).collect();
        let lines = flowed(&parts, 6);
        assert!(lines.len() > 1);
        assert!(lines.iter().all(|line| line.len() + 6 <= WIDTH));
        assert_eq!(lines.join(" "), parts.join(", "));
    }

    #[test]
    fn lines_break_at_spaces() {
        let text = "word ".repeat(30);
        let lines = wrapped(text.trim_end(), 10);
        assert!(lines.len() > 1);
        assert!(lines.iter().all(|line| line.len() <= WIDTH - 10));
        assert_eq!(lines.join(" "), text.trim_end());
        assert_eq!(wrapped(&"x".repeat(200), 4).len(), 1);
    }
}
