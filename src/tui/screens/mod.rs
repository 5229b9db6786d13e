//! The screens: which panes they have, what stands in them, where an Enter leads.

pub mod detail;
pub mod diff;
pub mod findings;
pub mod help;
pub mod hosts;
pub mod over;
pub mod overview;
pub mod packets;
pub mod sessions;
pub mod stats;

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::clock::Clock;
use super::keys;
use super::rows;
use super::seek::Seek;
use super::state::{Pane, Screen, Stage, State, Tab, Visit};
use super::theme::{Theme, Tone};
use super::widgets::canvas::{Canvas, Drawn, top_for};
use super::widgets::table::{self, Column, Row};
use super::widgets::{hex, text};
use crate::place::PacketRef;
use crate::story::amounts::{bytes, count, counted};

/// Where an Enter leads.
#[derive(Debug, Clone)]
pub enum Link {
    /// To the chosen one of these frames, among the packets of these connections.
    Frames(Vec<PacketRef>, Vec<u32>),
    /// To the packets between two frames, of these connections: there nothing is to be seen.
    Between(PacketRef, PacketRef, Vec<u32>),
    /// To the evidence of a session, to the findings of this rule.
    Evidence(u32, &'static str),
    /// To a screen.
    Visit(Box<Visit>),
}

impl Link {
    /// To a screen.
    pub fn to(visit: Visit) -> Self {
        Self::Visit(Box::new(visit))
    }
}

/// A line of a pane of text.
#[derive(Debug, Clone, Default)]
pub struct Item {
    /// The line.
    pub line: Line<'static>,
    /// Where an Enter leads.
    pub link: Option<Link>,
    /// Whether `n` goes here: the beginning of a finding, of a turn.
    pub stop: bool,
}

impl Item {
    /// A line that leads nowhere.
    pub fn new(line: impl Into<Line<'static>>) -> Self {
        Self { line: line.into(), ..Self::default() }
    }

    /// The same with a place to go to.
    #[must_use]
    pub fn link(mut self, link: Option<Link>) -> Self {
        self.link = link;
        self
    }

    /// The same as a place where `n` stops.
    #[must_use]
    pub fn stop(mut self) -> Self {
        self.stop = true;
        self
    }
}

/// Text that wraps: a first line with a label before it, further lines under the text, all with one link.
pub fn paragraph(
    theme: &Theme,
    label: &[(String, Tone)],
    said: &str,
    tone: Tone,
    width: usize,
    link: Option<&Link>,
) -> Vec<Item> {
    let lead: usize = label.iter().map(|(part, _)| text::width(part)).sum();
    hung(theme, label, said, tone, (width, lead.min(width / 2)), link)
}

/// The same with further lines so many cells from the left: `(width, hang)`.
pub fn hung(
    theme: &Theme,
    label: &[(String, Tone)],
    said: &str,
    tone: Tone,
    (width, hang): (usize, usize),
    link: Option<&Link>,
) -> Vec<Item> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for (part, tone) in label {
        let part = text::cut(part, width.saturating_sub(used), theme.glyphs.ellipsis);
        used += text::width(&part);
        spans.push(Span::styled(part, theme.style(*tone)));
    }
    let mut items = Vec::new();
    let mut rest = said;
    // The first line has what the label leaves; where that is nothing worth, the text begins on the next.
    if used + 12 <= width || used <= hang {
        let first = text::wrap(said, width.saturating_sub(used)).into_iter().next().unwrap_or_default();
        rest = said.get(first.len()..).unwrap_or_default().trim_start();
        spans.push(Span::styled(first, theme.style(tone)));
    }
    items.push(Item::new(spans).link(link.cloned()));
    if !rest.is_empty() {
        for line in text::wrap(rest, width.saturating_sub(hang).max(8)) {
            let spans = vec![Span::raw(" ".repeat(hang)), Span::styled(line, theme.style(tone))];
            items.push(Item::new(spans).link(link.cloned()));
        }
    }
    items
}

/// What stands in a pane of text; only the lines that are seen are made.
pub struct Content<'a> {
    /// How many lines there are.
    pub rows: usize,
    /// The line of a number.
    pub line: Box<dyn Fn(usize) -> Item + 'a>,
}

impl std::fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Content<'_> {
    /// Lines that are there already.
    pub fn of(items: Vec<Item>) -> Self {
        Self { rows: items.len(), line: Box::new(move |row| items.get(row).cloned().unwrap_or_default()) }
    }
}

/// What stands in a pane with columns.
pub struct Sheet<'a> {
    /// The columns.
    pub columns: Vec<Column>,
    /// How many rows there are.
    pub rows: usize,
    /// The row of a number.
    pub row: Box<dyn Fn(usize) -> Row + 'a>,
    /// Where an Enter on a row leads.
    pub link: Box<dyn Fn(usize) -> Option<Link> + 'a>,
    /// By which column it is sorted, and whether downwards.
    pub sorted: Option<(usize, bool)>,
    /// What is said where there is no row.
    pub empty: String,
    /// A column that is drawn for its width, and what draws it.
    pub drawn: Option<Drawer<'a>>,
}

/// A column and what draws it: the row, and the cells that there are.
pub type Drawer<'a> = (usize, Box<dyn Fn(usize, usize) -> String + 'a>);

impl std::fmt::Debug for Sheet<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sheet").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// A pane has text or columns in it.
#[derive(Debug)]
pub enum Inside<'a> {
    /// Lines.
    Text(Content<'a>),
    /// Columns.
    Sheet(Sheet<'a>),
}

impl Inside<'_> {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        match self {
            Self::Text(content) => content.rows,
            Self::Sheet(sheet) => sheet.rows,
        }
    }

    /// Where an Enter on a row leads.
    pub fn link(&self, row: usize) -> Option<Link> {
        match self {
            Self::Text(content) => (row < content.rows).then(|| (content.line)(row).link).flatten(),
            Self::Sheet(sheet) => (row < sheet.rows).then(|| (sheet.link)(row)).flatten(),
        }
    }

    /// The text of a row.
    pub fn text(&self, row: usize) -> String {
        match self {
            Self::Text(content) => (content.line)(row).line.to_string(),
            Self::Sheet(sheet) => {
                let cells = (sheet.row)(row).cells;
                cells
                    .iter()
                    .map(|cell| cell.text.as_str())
                    .filter(|text| !text.is_empty())
                    .collect::<Vec<_>>()
                    .join("  ")
            }
        }
    }
}

/// What stands in a pane of the screen that is seen, in so many cells.
pub fn inside(state: &State, pane: Pane, width: usize) -> Inside<'_> {
    let visit = state.visit();
    match (visit.screen, visit.tab) {
        (Screen::Overview, _) => overview::inside(state, pane, width),
        (Screen::Sessions, _) => sessions::inside(state, pane, width),
        (Screen::Findings, _) => findings::inside(state, pane, width),
        (Screen::Packets, _) | (Screen::Session(_), Tab::Packets) => packets::inside(state, pane, width),
        (Screen::Stats, _) => stats::inside(state),
        (Screen::Hosts, _) => hosts::inside(state, pane, width),
        (Screen::Session(id), tab) => detail::inside(state, id, tab, pane, width),
        (Screen::Diff(one, other), _) => diff::inside(state, one, other, width),
        (Screen::Help, _) => help::inside(state, width),
    }
}

/// Where the panes lie.
fn areas(state: &State, body: Rect) -> Vec<(Pane, Rect)> {
    let visit = state.visit();
    let small = body.width < 70 || body.height < 14;
    if visit.zoomed || small {
        return vec![(visit.focus, body)];
    }
    match (visit.screen, visit.tab) {
        (Screen::Overview, _) => overview::areas(state, body),
        (Screen::Sessions | Screen::Findings | Screen::Hosts, _) => {
            let (above, below) = halves(body, visit.split);
            let second = visit.panes().get(1).copied().unwrap_or(Pane::Story);
            vec![(Pane::List, above), (second, below)]
        }
        (Screen::Packets, _) | (Screen::Session(_), Tab::Packets) => packets::areas(body, visit.split),
        (Screen::Session(_), Tab::Ladder) => {
            let findings = body.height / 4;
            let above = Rect { height: body.height - findings, ..body };
            let below = Rect { y: above.bottom(), height: findings, ..body };
            vec![(Pane::Body, above), (Pane::Findings, below)]
        }
        _ => vec![(visit.focus, body)],
    }
}

/// Two parts above each other.
pub fn halves(body: Rect, percent: u16) -> (Rect, Rect) {
    let least = 4.min(body.height / 2);
    let height = (u32::from(body.height) * u32::from(percent) / 100) as u16;
    let height = height.clamp(least, body.height.saturating_sub(least).max(least));
    let above = Rect { height, ..body };
    (above, Rect { y: above.bottom(), height: body.height.saturating_sub(height), ..body })
}

/// Two parts beside each other.
pub fn sides(body: Rect, percent: u16) -> (Rect, Rect) {
    let width = (u32::from(body.width) * u32::from(percent) / 100) as u16;
    let left = Rect { width, ..body };
    (left, Rect { x: left.right(), width: body.width - width, ..body })
}

/// Title of a pane, and what can be done in it.
fn title(state: &State, pane: Pane) -> (String, String) {
    let visit = state.visit();
    match (visit.screen, visit.tab) {
        (Screen::Overview, _) => overview::title(state, pane),
        (Screen::Sessions, _) => sessions::title(state, pane),
        (Screen::Findings, _) => findings::title(state, pane),
        (Screen::Packets, _) => packets::title(state, pane),
        (Screen::Session(id), tab) => detail::title(state, id, tab, pane),
        (Screen::Stats, _) => stats::title(state),
        (Screen::Hosts, _) => hosts::title(state, pane),
        (Screen::Diff(one, other), _) => (format!("S-{one:04} beside S-{other:04}"), String::new()),
        (Screen::Help, _) => ("Keys of this place".to_owned(), String::new()),
    }
}

/// Draws the whole screen.
pub fn draw(state: &State, buffer: &mut Buffer) -> Drawn {
    let whole = buffer.area;
    let mut canvas = Canvas::new(buffer, &state.theme);
    if whole.width < 40 || whole.height < 10 {
        let said = [
            format!("{}x{} is too small.", whole.width, whole.height),
            "40x10 or more is needed.".to_owned(),
            "Q quits.".to_owned(),
        ];
        for (row, line) in said.iter().enumerate().take(usize::from(whole.height)) {
            canvas.say(whole.x, whole.y + row as u16, usize::from(whole.width), line, Tone::Plain);
        }
        return canvas.drawn;
    }
    over::header(state, &mut canvas);
    let above = over::lines_above(state, whole);
    let body = Rect { y: above, height: whole.height.saturating_sub(above + 1), ..whole };
    for (pane, area) in areas(state, body) {
        draw_pane(state, &mut canvas, pane, area);
    }
    over::status(state, &mut canvas);
    over::dialog(state, &mut canvas, body);
    canvas.drawn
}

fn draw_pane(state: &State, canvas: &mut Canvas<'_>, pane: Pane, area: Rect) {
    let visit = state.visit();
    let focused = visit.focus == pane;
    let (mut title, below) = title(state, pane);
    let width = usize::from(area.width.saturating_sub(2));
    let inside = inside(state, pane, width);
    let rows = inside.rows();
    let cursor = visit.cursor(pane);
    if rows > usize::from(area.height.saturating_sub(2)) && pane != Pane::Bytes {
        let at = cursor.at.min(rows.saturating_sub(1)) + 1;
        title = format!("{title}  {} / {}", count(at as u64), count(rows as u64));
    }
    let inner = canvas.frame(area, &title, &below, focused);
    if inner.height == 0 {
        return;
    }
    if matches!(visit.screen, Screen::Session(_)) {
        detail::mark_tabs(canvas, area);
    }
    match inside {
        Inside::Sheet(sheet) => {
            let hit = |row: usize| {
                visit.find.as_ref().is_some_and(|find| {
                    let cells = (sheet.row)(row).cells;
                    cells.iter().any(|cell| find.is_in(&cell.text))
                })
            };
            let row = |number: usize| {
                let mut row = (sheet.row)(number);
                row.hit = hit(number);
                row
            };
            let table = table::Table {
                columns: &sheet.columns,
                rows: sheet.rows,
                row: &row,
                cursor,
                focused,
                sorted: sheet.sorted,
                empty: &sheet.empty,
                marks: pane == Pane::List,
                drawn: sheet.drawn.as_ref().map(|(column, draw)| (*column, draw.as_ref())),
            };
            table::draw(canvas, pane, area, inner, &table);
        }
        Inside::Text(content) => {
            let height = usize::from(inner.height);
            let at = cursor.at.min(rows.saturating_sub(1));
            let top = top_for(at, cursor.top, height, rows);
            for row in top..rows.min(top + height) {
                let mut item = (content.line)(row);
                let hit = |find: &Seek| match (pane, &state.frame) {
                    (Pane::Bytes, Some(frame)) => {
                        let step = hex::per_line(width);
                        in_line(find, &frame.bytes, row * step..(row + 1) * step)
                    }
                    _ => find.is_in(&item.line.to_string()),
                };
                if visit.find.as_ref().is_some_and(hit) {
                    item.line = item.line.patch_style(canvas.style(Tone::Match));
                }
                let y = inner.y + (row - top) as u16;
                let place = Rect { y, height: 1, ..inner };
                canvas.lines(place, &[item.line], 0);
                if focused && row == at {
                    let style = canvas.style(Tone::Selected);
                    canvas.paint(place, style);
                }
            }
            canvas.note(pane, area, inner, top, rows);
        }
    }
}

/// Whether something that is looked for in a packet's bytes lies in this part of them, if only with its end.
pub fn in_line(seek: &Seek, packet: &[u8], part: std::ops::Range<usize>) -> bool {
    let mut from = 0;
    while let Some(found) = seek.in_bytes(packet, from) {
        if found.start >= part.end {
            return false;
        }
        if found.end > part.start && !found.is_empty() {
            return true;
        }
        from = found.start + 1;
    }
    false
}

impl State {
    /// The clock of this run.
    pub fn clock(&self) -> Clock {
        let origin = self.data.as_ref().map_or_else(Default::default, |data| data.origin);
        Clock::new(self.times, self.reference.unwrap_or(origin))
    }

    /// The limits and the filter in force, as one filter text.
    pub fn filter_words(&self) -> String {
        let visit = self.visit();
        let Some(data) = &self.data else { return String::new() };
        let limits: &[_] = if matches!(visit.screen, Screen::Session(_)) { &[] } else { &visit.narrow[..] };
        let mut words: Vec<String> =
            limits.iter().map(|narrow| text::clean(&rows::words(data, narrow))).collect();
        words.extend(visit.filter.as_ref().map(|filter| text::clean(&filter.text)));
        words.join(" && ")
    }

    /// What all of it is, in one line.
    fn totals(&self, wide: bool) -> String {
        let name = self.inputs.first().map(|name| text::clean(name)).unwrap_or_default();
        let more = if self.inputs.len() > 1 { format!(" +{}", self.inputs.len() - 1) } else { String::new() };
        let size = if self.bytes > 0 { format!("  {}", bytes(self.bytes)) } else { String::new() };
        let mut said = format!("{name}{more}{}", if wide { size } else { String::new() });
        let number = |number: u64, noun: &str, short: &str| {
            if wide { counted(number, noun) } else { format!("{} {short}", count(number)) }
        };
        if let Some(data) = &self.data {
            let star = if data.partial { "*" } else { "" };
            let _ = write!(
                said,
                "  {}  {}",
                number(data.analysis.totals.packets, "packet", "pkts"),
                number(data.analysis.sessions.len() as u64, "session", "sess")
            );
            for (place, letter) in [(3, "C"), (2, "E"), (1, "W"), (0, "I")] {
                let number = data.severities.get(place).copied().unwrap_or(0);
                if number > 0 {
                    let _ = write!(said, "  {letter} {}", count(number as u64));
                }
            }
            said.push_str(star);
        }
        said
    }

    /// How far the reading is, in a few cells.
    fn progress(&self) -> String {
        match &self.stage {
            Stage::Waiting => "opening".to_owned(),
            Stage::Reading(at) => {
                let pause = if self.held { "paused " } else { "" };
                match at.total.filter(|total| *total > 0) {
                    Some(total) => format!("{pause}read {}%", at.read.saturating_mul(100) / total),
                    None => format!("{pause}read {}", bytes(at.read)),
                }
            }
            Stage::Judging => "judging".to_owned(),
            Stage::Listing(read, Some(total)) if *total > 0 => {
                format!("packet list {}%", read.saturating_mul(100) / total)
            }
            Stage::Listing(read, _) => format!("packet list {}", bytes(*read)),
            Stage::Stopped => "stopped: half a result *".to_owned(),
            Stage::Failed(_) => "failed".to_owned(),
            Stage::Following if self.held => "following, held".to_owned(),
            Stage::Following => "following".to_owned(),
            Stage::Done => String::new(),
        }
    }

    /// The help bar.
    fn help_bar(&self, cells: usize) -> String {
        keys::bar(self.visit().place(), &self.remapped, cells)
    }
}
