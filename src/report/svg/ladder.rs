//! A ladder as a picture: two sides, what each said to the other, the silence between, and what it meant.

use std::io;

use super::super::markup::{Attribute, Markup};
use super::super::text::amounts::moment;
use super::super::text::story::cited;
use super::{Scene, WIDTH, cut, lines};
use crate::events::Side;
use crate::session::Session;
use crate::story::ladder::{Ladder, Row, Step};
use crate::story::narrative::Proof;

/// Where the times end, the sides stand, and the meaning begins.
const TIME: i64 = 92;
const CLIENT: i64 = 168;
const SERVER: i64 = 588;
const MEANING: i64 = 604;

/// Height of a line of text, and what a row has beside its lines.
const LINE: i64 = 14;
const AIR: i64 = 10;
/// Height of the heads of the two sides.
const HEAD: i64 = 24;

/// Characters that fit between the sides, behind them, and from side to the right edge.
const BETWEEN: usize = 62;
const BEHIND: usize = 53;
const ACROSS: usize = 116;
/// Lines of a meaning, or of a sentence.
const MOST: usize = 4;

/// A ladder whose rows are chosen and measured.
#[derive(Debug)]
pub(super) struct Drawn<'a> {
    ladder: &'a Ladder,
    label: String,
    rungs: Vec<Rung<'a>>,
}

/// What stands in one row of the picture.
#[derive(Debug)]
enum Rung<'a> {
    Row {
        row: &'a Row,
        time: String,
        gap: String,
        lines: Vec<String>,
        cited: bool,
    },
    /// So many rows are not shown.
    Left(usize),
}

impl Rung<'_> {
    fn height(&self) -> i64 {
        match self {
            Self::Row { lines, .. } => lines.len().max(1) as i64 * LINE + AIR,
            Self::Left(_) => LINE + AIR,
        }
    }
}

/// Which rows are shown where not all are: the beginning, the end, and what findings cite.
fn shown(rows: &[Row], is_cited: impl Fn(&Row) -> bool, most: usize) -> Vec<usize> {
    if rows.len() <= most {
        return (0..rows.len()).collect();
    }
    let third = most / 3;
    let middle = third..rows.len().saturating_sub(third);
    let proof: Vec<usize> =
        middle.filter(|place| rows.get(*place).is_some_and(&is_cited)).take(third).collect();
    (0..third).chain(proof).chain(rows.len() - third..rows.len()).collect()
}

impl<'a> Drawn<'a> {
    /// Chooses at most so many rows, and measures them.
    pub(super) fn new(ladder: &'a Ladder, session: &Session, scene: &Scene<'_>, most: usize) -> Self {
        let frames = scene.cited(session);
        let is_cited = |row: &Row| row.frames.iter().any(|at| frames.contains(&at.number));
        let mut rungs = Vec::new();
        let mut next = 0;
        for place in shown(&ladder.rows, is_cited, most) {
            if place > next {
                rungs.push(Rung::Left(place - next));
            }
            next = place + 1;
            let Some(row) = ladder.rows.get(place) else { continue };
            let before = place.checked_sub(1).and_then(|before| ladder.rows.get(before));
            let gap = before.map(|before| row.time.since(before.time)).filter(|gap| gap.0 >= 1_000);
            rungs.push(Rung::Row {
                row,
                time: moment(row.time, scene.origin, scene.clock),
                gap: gap.map(|gap| format!("+{gap}")).unwrap_or_default(),
                lines: said(row, ladder.several, scene.several_captures()),
                cited: is_cited(row),
            });
        }
        let label = format!("Ladder of {}: what the client and the server said", session.name());
        Self { ladder, label, rungs }
    }

    /// How high it will be.
    pub(super) fn height(&self) -> i64 {
        HEAD + self.rungs.iter().map(Rung::height).sum::<i64>() + 4
    }

    /// Draws it.
    pub(super) fn write(&self, markup: &mut Markup<'_>, place: &[Attribute<'_>]) -> io::Result<()> {
        let (width, height) = (WIDTH.to_string(), self.height().to_string());
        let view = format!("0 0 {width} {height}");
        let mut attributes = vec![
            ("class", "ladder"),
            ("width", width.as_str()),
            ("height", height.as_str()),
            ("viewBox", view.as_str()),
            ("role", "img"),
            ("aria-label", self.label.as_str()),
        ];
        attributes.extend_from_slice(place);
        markup.open("svg", &attributes)?;
        // What findings cite lies on a band, below everything else.
        let mut y = HEAD;
        for rung in &self.rungs {
            if let Rung::Row { cited: true, .. } = rung {
                let (y, height) = (y.to_string(), (rung.height() - 2).to_string());
                let band = [("class", "cited"), ("y", &y), ("width", &width), ("height", &height)];
                markup.empty("rect", &band)?;
            }
            y += rung.height();
        }
        for (x, who, anchor) in [
            (CLIENT, format!("client {}", self.ladder.client), "start"),
            (SERVER, format!("server {}", self.ladder.server), "end"),
        ] {
            let x = x.to_string();
            let attributes = [("x", x.as_str()), ("y", "12"), ("class", "name"), ("text-anchor", anchor)];
            markup.element("text", &attributes, &cut(&who, BETWEEN / 2))?;
            let line = format!("M{x} {}V{height}", HEAD - 6);
            markup.empty("path", &[("class", "side"), ("d", &line)])?;
        }
        let mut y = HEAD;
        for rung in &self.rungs {
            match rung {
                Rung::Row { row, time, gap, lines, .. } => {
                    line(markup, time, TIME, y, "aside", "end")?;
                    line(markup, gap, CLIENT - 8, y, "gap", "end")?;
                    self.rung(markup, row, lines, y)?;
                }
                Rung::Left(rows) => {
                    let said = format!("… {rows} rows not shown …");
                    line(markup, &said, i64::midpoint(CLIENT, SERVER), y, "aside", "middle")?;
                }
            }
            y += rung.height();
        }
        markup.close("svg")
    }

    fn rung(&self, markup: &mut Markup<'_>, row: &Row, lines: &[String], y: i64) -> io::Result<()> {
        let times = if row.count > 1 { format!(" ×{}", row.count) } else { String::new() };
        let label = cut(&row.label, BETWEEN.saturating_sub(times.chars().count())) + &times;
        let middle = i64::midpoint(CLIENT, SERVER);
        match row.step {
            Step::Message(side) => {
                let (class, from, to, head) = match side {
                    Side::Client => ("tc", CLIENT + 4, SERVER - 2, -7),
                    Side::Server => ("ts", SERVER - 4, CLIENT + 2, 7),
                };
                line(markup, &label, middle, y, class, "middle")?;
                let at = y + LINE + 3;
                let arrow = format!("M{from} {at}H{to}m{head} -4L{to} {at}l{head} 4");
                let class = if side == Side::Client { "ac" } else { "as" };
                markup.empty("path", &[("class", class), ("d", &arrow)])?;
            }
            Step::Silence => {
                let at = y + LINE / 2 + 4;
                line(markup, &format!("{label}"), middle, y, "quiet", "middle")?;
                let room = label.chars().count() as i64 * 7 / 2 + 8;
                let dots = format!(
                    "M{} {at}H{}M{} {at}H{}",
                    CLIENT + 6,
                    (middle - room).max(CLIENT + 6),
                    (middle + room).min(SERVER - 6),
                    SERVER - 6
                );
                markup.empty("path", &[("class", "dots"), ("d", &dots)])?;
            }
            Step::Joint => {
                for (number, text) in lines.iter().enumerate() {
                    line(markup, text, CLIENT + 8, y + number as i64 * LINE, "name", "start")?;
                }
                return Ok(());
            }
        }
        for (number, text) in lines.iter().enumerate() {
            line(markup, text, MEANING, y + number as i64 * LINE, "mean", "start")?;
        }
        Ok(())
    }
}

/// What stands beside a row, or of a joint in its place: what it means, and its frames.
fn said(row: &Row, several: bool, several_captures: bool) -> Vec<String> {
    let frames = match &row.frames[..] {
        [] => String::new(),
        frames => format!("[{}]", cited(&Proof::Frames(frames.to_vec()), several_captures)),
    };
    match row.step {
        Step::Joint => {
            let parts = [row.label.as_str(), row.meaning.as_str(), frames.as_str()];
            lines(&joined(&parts), ACROSS, MOST)
        }
        Step::Message(_) | Step::Silence => {
            let connection = if several { format!("#{}", row.connection) } else { String::new() };
            lines(&joined(&[&connection, &row.meaning, &frames]), BEHIND, MOST)
        }
    }
}

fn joined(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

fn line(
    markup: &mut Markup<'_>,
    text: &str,
    x: i64,
    y: i64,
    class: &'static str,
    anchor: &'static str,
) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let (x, y) = (x.to_string(), (y + 11).to_string());
    markup.element("text", &[("x", &x), ("y", &y), ("class", class), ("text-anchor", anchor)], text)
}

/// A ladder with at most so many rows.
pub(in crate::report) fn ladder(
    markup: &mut Markup<'_>,
    ladder: &Ladder,
    session: &Session,
    scene: &Scene<'_>,
    most: usize,
) -> io::Result<()> {
    Drawn::new(ladder, session, scene, most).write(markup, &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn of_a_long_ladder_the_proof_stays() {
        let row = |number: u32| Row {
            time: Timestamp(0),
            connection: number,
            step: Step::Silence,
            label: String::new(),
            meaning: String::new(),
            count: 1,
            frames: Vec::new(),
        };
        let rows: Vec<Row> = (0..100).map(row).collect();
        assert_eq!(shown(&rows, |_| true, 100).len(), 100);
        assert_eq!(shown(&rows, |row| row.connection == 50, 6), [0, 1, 50, 98, 99]);
        assert_eq!(shown(&rows, |_| true, 6), [0, 1, 2, 3, 98, 99]);
    }
}
