//! The list of packets, and the one under the cursor as a tree of fields and as bytes.

use std::fmt::Write as _;

use ratatui::layout::Rect;
use ratatui::text::Span;

use super::super::data::Data;
use super::super::index::{PacketRow, parties, title as called};
use super::super::state::{Pane, Screen, Stage, State, Subject};
use super::super::theme::Tone;
use super::super::widgets::table::{Cell, Row, figures, words};
use super::super::widgets::{hex, text, tree};
use super::{Content, Inside, Item, Sheet, halves, sides};
use crate::story::amounts::count;

pub(super) fn areas(body: Rect, split: u16) -> Vec<(Pane, Rect)> {
    let (above, below) = halves(body, split);
    let (left, right) = sides(below, if body.width >= 110 { 54 } else { 56 });
    vec![(Pane::List, above), (Pane::Tree, left), (Pane::Bytes, right)]
}

pub(super) fn title(state: &State, pane: Pane) -> (String, String) {
    let (title, below) = match pane {
        Pane::List => {
            let shown = count(state.list_length() as u64);
            (
                format!("Packets  {shown} shown"),
                "i session  f follow  < > same session  Tab fields".to_owned(),
            )
        }
        Pane::Tree => ("Fields".to_owned(), "h l fold  y copy  Y filter".to_owned()),
        _ => ("Bytes".to_owned(), state.lit().map_or(String::new(), |(said, _)| said)),
    };
    (title, below)
}

pub(super) fn inside(state: &State, pane: Pane, width: usize) -> Inside<'_> {
    match pane {
        Pane::Tree => Inside::Text(fields(state, width)),
        Pane::Bytes => Inside::Text(bytes(state, width)),
        _ => match &state.data {
            Some(data) => list(state, data, width),
            None => Inside::Text(Content::of(vec![Item::new("nothing is known yet")])),
        },
    }
}

fn list<'a>(state: &'a State, data: &'a Data, width: usize) -> Inside<'a> {
    let visit = state.visit();
    let clock = state.clock();
    let wide = width >= 100;
    let columns = vec![
        figures("no.", 8, 0),
        figures("time", 15, 1),
        words("src", 7, 22, 4),
        words("dst", 7, 22, 4),
        words("proto", 3, 10, 1),
        figures("len", 5, 3),
        figures("sess", 6, 2),
        words("info", 10, 200, 0),
    ];
    let hidden = move |title: &str| {
        // Where there is little room, the session says who talks, and what is said counts.
        let narrow = !wide && matches!(title, "src" | "dst" | "len");
        narrow || state.hidden.iter().any(|(screen, hidden)| *screen == Screen::Packets && *hidden == title)
    };
    let titles: Vec<&'static str> = columns.iter().map(|column| column.title).collect();
    let row = move |place: usize| {
        let Some(row) = state.packet_at(visit, place) else { return Row::default() };
        let before = place.checked_sub(1).and_then(|place| state.packet_at(visit, place)).map(|row| row.time);
        let cells = cells(state, data, &row, clock.say(row.time, before, if wide { 6 } else { 3 }));
        let cells = cells
            .into_iter()
            .zip(&titles)
            .filter(|(_, title)| !hidden(title))
            .map(|(cell, _)| cell)
            .collect();
        Row { cells, tagged: state.kept.tags.contains(&Subject::Packet(row.at.number)), hit: false }
    };
    let empty = match (&state.stage, state.index.is_empty()) {
        (Stage::Listing(..), true) => "the packets are being listed".to_owned(),
        (_, true) if state.is_loading() => "packets are listed when the captures are read".to_owned(),
        (_, true) => "no packets are listed: what was read cannot be read again".to_owned(),
        _ => format!("no packet passes: hidden by {}. \\ switches it off", state.filter_words()),
    };
    Inside::Sheet(Sheet {
        columns: columns.into_iter().filter(|column| !hidden(column.title)).collect(),
        rows: state.list_length(),
        row: Box::new(row),
        link: Box::new(|_| None),
        sorted: None,
        drawn: None,
        empty,
    })
}

fn cells(state: &State, data: &Data, row: &PacketRow, time: String) -> Vec<Cell> {
    let connection = row.connection().and_then(|id| data.analysis.connections.get(id as usize));
    let parties = connection.map(|connection| parties(row, connection.client, connection.server));
    let (from, to) = parties.map(|(from, to)| (from.to_string(), to.to_string())).unwrap_or_default();
    let session = row.connection().and_then(|id| data.sessions_of.get(&id));
    let cited: Vec<&str> = data
        .cited
        .get(&row.at.number)
        .into_iter()
        .flatten()
        .filter_map(|place| data.analysis.findings.get(*place as usize))
        .map(|finding| finding.rule.code)
        .collect();
    let summary = state.summaries.get(&row.at.number);
    let transport = connection.map(|connection| connection.transport);
    let mut info = match summary {
        Some(summary) => text::clean(&summary.info),
        None => called(row, transport),
    };
    let mut cited = cited;
    cited.dedup();
    if !cited.is_empty() {
        let _ = write!(info, "  [{}]", cited.join(" "));
    }
    let protocol = match (summary, transport) {
        (Some(summary), _) if !summary.protocol.is_empty() => text::clean(&summary.protocol),
        (_, Some(transport)) => transport.name().to_uppercase(),
        _ => "-".to_owned(),
    };
    let tone = if cited.is_empty() { Tone::Plain } else { Tone::Error };
    vec![
        Cell::plain(state.frame_name(&row.at)),
        Cell::plain(time),
        Cell::plain(from),
        Cell::plain(to),
        Cell::plain(protocol),
        Cell::plain(row.original.to_string()),
        Cell::plain(session.map_or("-".to_owned(), |id| format!("S-{id:04}"))),
        Cell::toned(info, tone),
    ]
}

impl State {
    /// What the packet is in the analysis: its session, its findings. They stand above its fields.
    fn known_of_packet(&self) -> Vec<(String, Tone)> {
        let (Some(data), Some(row)) = (&self.data, self.shown_packet()) else { return Vec::new() };
        let mut lines = Vec::new();
        if self.frame.as_ref().is_some_and(|frame| frame.cut && frame.number == row.at.number) {
            let said = "Of its long connection the beginning and the packets just before this one were read: what is \
                        counted from the beginning may be less than it was";
            lines.push((said.to_owned(), Tone::Dim));
        }
        if let Some(note) = self.kept.notes.get(&Subject::Packet(row.at.number)) {
            lines.push((format!("Note: {}", text::clean(note)), Tone::Tagged));
        }
        for finding in data.cited.get(&row.at.number).into_iter().flatten() {
            if let Some(finding) = data.analysis.findings.get(*finding as usize) {
                lines.push((
                    format!(
                        "Finding {} {}: {}",
                        finding.rule.code,
                        finding.rule.name,
                        text::clean(&finding.message)
                    ),
                    Tone::Error,
                ));
            }
        }
        let session =
            row.connection().and_then(|id| data.sessions_of.get(&id)).and_then(|id| data.session(*id));
        if let Some(session) = session {
            let phase = session.phases.iter().rev().find(|phase| phase.start <= row.time);
            let phase = phase.map(|phase| format!(", {}", phase.name.name())).unwrap_or_default();
            lines.push((format!("Session {} ({}){phase}", session.name(), session.protocol), Tone::Heading));
        }
        lines
    }

    /// The field under the cursor of the tree: what it is for the bytes, and which they are.
    pub(in crate::tui) fn lit(&self) -> Option<(String, Option<std::ops::Range<u32>>)> {
        let place = self.field_at()?;
        let frame = self.frame.as_ref()?;
        let field = frame.dissection.as_ref()?.fields.get(place)?;
        let said = match &field.bytes {
            Some(range) => {
                format!("offset {} length {}  {}", range.start, range.end - range.start, field.name)
            }
            None => field.name.to_owned(),
        };
        Some((said, field.bytes.clone()))
    }

    /// The place of the field under the cursor of the tree.
    pub(in crate::tui) fn field_at(&self) -> Option<usize> {
        let frame = self.frame.as_ref()?;
        if frame.number != self.shown_packet()?.at.number {
            return None;
        }
        let fields = &frame.dissection.as_ref()?.fields;
        let visit = self.visit();
        let above = self.known_of_packet().len();
        let row = visit.cursor(Pane::Tree).at.checked_sub(above)?;
        tree::shown(fields, &visit.folded).get(row).copied()
    }

    /// The row of the tree in which a field stands.
    pub(in crate::tui) fn row_of_field(&self, place: usize) -> Option<usize> {
        let fields = &self.frame.as_ref()?.dissection.as_ref()?.fields;
        let rows = tree::shown(fields, &self.visit().folded);
        rows.iter().position(|row| *row == place).map(|row| row + self.known_of_packet().len())
    }
}

fn fields(state: &State, width: usize) -> Content<'_> {
    let theme = &state.theme;
    let known = state.known_of_packet();
    let mut items: Vec<Item> = known
        .into_iter()
        .map(|(said, tone)| {
            Item::new(Span::styled(text::cut(&said, width, theme.glyphs.ellipsis), theme.style(tone)))
        })
        .collect();
    let Some(row) = state.shown_packet() else { return Content::of(items) };
    let Some(frame) = state.frame.as_ref().filter(|frame| frame.number == row.at.number) else {
        items.push(Item::new(Span::styled("reading…", theme.style(Tone::Dim))));
        return Content::of(items);
    };
    if let Some(trouble) = &frame.trouble {
        items.push(Item::new(Span::styled(text::clean(trouble), theme.style(Tone::Warning))));
    }
    let Some(dissection) = &frame.dissection else {
        if frame.trouble.is_none() {
            items.push(Item::new(Span::styled(
                "not decoded here; the bytes are beside",
                theme.style(Tone::Dim),
            )));
        }
        return Content::of(items);
    };
    let visit = state.visit();
    for place in tree::shown(&dissection.fields, &visit.folded) {
        let Some(field) = dissection.fields.get(place) else { continue };
        let sign = if !tree::holds(&dissection.fields, place) {
            " "
        } else if visit.folded.contains(tree::key(field)) {
            theme.glyphs.shut
        } else {
            theme.glyphs.open
        };
        let indent = "  ".repeat(usize::from(field.depth.min(12)));
        let tone = match (field.depth, field.computed) {
            (0, _) => Tone::Heading,
            (_, true) => Tone::Dim,
            _ => Tone::Plain,
        };
        let said = format!("{indent}{sign} {}", tree::line(field));
        items
            .push(Item::new(Span::styled(text::cut(&said, width, theme.glyphs.ellipsis), theme.style(tone))));
    }
    Content::of(items)
}

fn bytes(state: &State, width: usize) -> Content<'_> {
    let Some(row) = state.shown_packet() else { return Content::of(Vec::new()) };
    let Some(frame) = state.frame.as_ref().filter(|frame| frame.number == row.at.number) else {
        return Content::of(Vec::new());
    };
    let lit = state.lit().and_then(|(_, range)| range);
    Content::of(
        hex::lines(&frame.bytes, lit.as_ref(), width, &state.theme).into_iter().map(Item::new).collect(),
    )
}
