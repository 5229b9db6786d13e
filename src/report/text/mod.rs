//! Text for people: written for a tired engineer at two in the morning.
//!
//! The worst comes first, every claim stands beside the filter that shows it, colour only repeats what the words
//! say, and nothing from the wire is printed raw.

mod amounts;
mod captures;
mod concern;
mod connections;
mod ends;
mod paint;
mod summary;
mod worst;

pub use concern::rank;

use std::io::{self, Write};

use super::{Part, Request};
use crate::analysis::Analysis;
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
        Part::Connections => connections::write(analysis, request, out),
        Part::Everything => {
            summary::write(analysis, request.look, out)?;
            writeln!(out)?;
            connections::write(analysis, request, out)
        }
    }
}

/// The moment that relative times count from: the first frame of the run.
fn origin(analysis: &Analysis) -> Timestamp {
    let of_files = analysis.files.iter().filter_map(|file| file.first).min();
    of_files.or_else(|| analysis.connections.iter().map(|c| c.start).min()).unwrap_or_default()
}

/// Breaks text at spaces so that no line passes [`WIDTH`] with its indent, unless one word does.
fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if indent + line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

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
