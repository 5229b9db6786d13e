//! Pictures of sessions: their life along time, and who said what to whom. As files of their own, and inside other reports.

mod gantt;
mod ladder;

pub(in crate::report) use gantt::{gantt, life};
pub(in crate::report) use ladder::ladder;

use std::collections::BTreeSet;
use std::io::{self, Write};

use self::ladder::Drawn;
use super::markup::{Fixed, Markup};
use super::text::{self, Clock};
use crate::analysis::Analysis;
use crate::escape;
use crate::session::Session;
use crate::story::{Ladder, Teller};
use crate::time::Timestamp;

/// How wide pictures are, in units of the drawing.
const WIDTH: i64 = 960;

/// Rows of a ladder in a file of its own; of a longer one its beginning, its end and its evidence.
const ROWS: usize = 400;

/// Between two sessions, and around them.
const MARGIN: i64 = 16;

/// The colours where no page gives them.
const STYLE: Fixed = Fixed(include_str!("style.css"));

/// What pictures of one run have in common.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Scene<'a> {
    /// The result.
    pub(in crate::report) analysis: &'a Analysis,
    /// What relative times count from.
    pub(in crate::report) origin: Timestamp,
    /// Time of the last frame.
    pub(in crate::report) last: Timestamp,
    /// How times are shown.
    pub(in crate::report) clock: Clock,
}

impl<'a> Scene<'a> {
    /// Of this result.
    pub(in crate::report) fn new(analysis: &'a Analysis, clock: Clock) -> Self {
        let origin = text::origin(analysis);
        let of_files = analysis.files.iter().filter_map(|file| file.last).max();
        let last = of_files.or_else(|| analysis.connections.iter().map(|c| c.end).max()).unwrap_or(origin);
        Self { analysis, origin, last: last.max(Timestamp(origin.0.saturating_add(1))), clock }
    }

    /// Whether frames have to name their capture.
    pub(in crate::report) fn several_captures(&self) -> bool {
        self.analysis.files.len() > 1
    }

    /// Running numbers of the frames that findings about a session cite.
    fn cited(&self, session: &Session) -> BTreeSet<u64> {
        let findings = self.analysis.findings_of(session);
        findings.flat_map(crate::rules::Finding::frames).map(|at| at.number).collect()
    }
}

/// One document with these sessions below each other.
pub(super) fn write(
    analysis: &Analysis,
    sessions: &[&Session],
    teller: &Teller<'_>,
    clock: Clock,
    out: &mut dyn Write,
) -> io::Result<()> {
    let scene = Scene::new(analysis, clock);
    let ladders: Vec<Ladder> = sessions.iter().map(|session| teller.ladder(session)).collect();
    let mut drawn = Vec::new();
    let mut y = MARGIN;
    for (session, ladder) in sessions.iter().zip(&ladders) {
        let life = gantt::height(session, &scene);
        let rows = Drawn::new(ladder, session, &scene, ROWS);
        let place = (y, y + 24, y + 24 + life + 8);
        y = place.2 + rows.height() + 2 * MARGIN;
        drawn.push((*session, place, rows));
    }
    let (width, height) = ((WIDTH + 2 * MARGIN).to_string(), y.to_string());
    let mut markup = Markup::new(out);
    markup.open(
        "svg",
        &[
            ("xmlns", "http://www.w3.org/2000/svg"),
            ("width", &width),
            ("height", &height),
            ("viewBox", &format!("0 0 {width} {height}")),
            ("font-family", "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"),
            ("font-size", "11"),
        ],
    )?;
    markup.open("style", &[])?;
    markup.fixed(&STYLE)?;
    markup.close("style")?;
    markup.line()?;
    markup.empty("rect", &[("class", "ground"), ("width", &width), ("height", &height)])?;
    let x = MARGIN.to_string();
    for (session, (heading, life, rows), ladder) in drawn {
        let said = text::story::heading(analysis, session, true);
        let baseline = (heading + 13).to_string();
        markup.element(
            "text",
            &[("x", &x), ("y", &baseline), ("class", "name"), ("font-size", "13")],
            &said,
        )?;
        gantt(&mut markup, session, &scene, &[("x", &x), ("y", &life.to_string())])?;
        ladder.write(&mut markup, &[("x", &x), ("y", &rows.to_string())])?;
        markup.line()?;
    }
    markup.close("svg")?;
    markup.line()
}

/// How many letters wide a sign is when it is written.
fn wide(c: char) -> usize {
    match c {
        ' '..='[' | ']'..='~' => 1,
        // Scripts of East Asia and signs beyond the basic plane are about as wide as two letters.
        '\u{1100}'.. if !c.is_control() => {
            escape::terminal(c.encode_utf8(&mut [0; 4])).chars().count().max(2)
        }
        c => escape::terminal(c.encode_utf8(&mut [0; 4])).chars().count(),
    }
}

/// Text that fits so many letters as it will be written: what does not fit is left out, with a sign.
fn cut(text: &str, most: usize) -> String {
    if text.chars().map(wide).sum::<usize>() <= most {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut left = most.saturating_sub(1);
    for c in text.chars() {
        let Some(rest) = left.checked_sub(wide(c)) else { break };
        left = rest;
        short.push(c);
    }
    short.push('…');
    short
}

/// Text in at most so many lines of at most so many characters.
fn lines(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> =
        text::wrapped_to(text, 0, width).into_iter().map(|line| cut(&line, width)).collect();
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = cut(&format!("{last} …"), width);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits_its_place() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "long…");
        assert_eq!(cut("日本語", 5), "日本…");
        // What is shown as eight letters takes their room.
        assert_eq!(cut("ab\u{202e}c", 9), "ab…");
        assert_eq!(cut("ab\u{202e}c", 11), "ab\u{202e}c");
        assert_eq!(lines("one two three four", 9, 2), ["one two", "three …"]);
        assert_eq!(lines(&"x".repeat(40), 9, 2).len(), 1);
    }
}
