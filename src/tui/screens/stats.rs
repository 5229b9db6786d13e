//! Tables over all sessions: timers, idle times, resumptions, logins, set-up times, ends, protocols.

use super::super::data::Data;
use super::super::state::{Only, Screen, State, Visit};
use super::super::widgets::table::{Cell, Column, Row, figures, words};
use super::super::widgets::text;
use super::{Content, Inside, Item, Link, Sheet};
use crate::story::amounts::count;
use crate::story::tables;

pub(super) fn title(state: &State) -> (String, String) {
    let Some(data) = &state.data else { return ("Stats".to_owned(), String::new()) };
    let table = state.visit().table;
    let names: Vec<String> = data
        .tables
        .iter()
        .enumerate()
        .map(|(place, (name, _))| if place == table { format!("[{name}]") } else { (*name).to_owned() })
        .collect();
    (names.join(" | "), "[ ] table  s sort  Enter sessions".to_owned())
}

/// A table's rows in the order that the user wants.
pub(in crate::tui) fn order(data: &Data, visit: &Visit) -> Vec<usize> {
    let Some((_, table)) = data.tables.get(visit.table) else { return Vec::new() };
    let mut rows: Vec<usize> = (0..table.rows.len()).collect();
    let (column, down) = visit.sort;
    // The first of all sorts is the table's own.
    if let Some(column) = column.checked_sub(3) {
        rows.sort_by(|a, b| {
            let cell = |row: &usize| table.rows.get(*row).and_then(|row| row.get(column));
            let key = |row: &usize| match cell(row) {
                Some(tables::Cell::Number(number)) => (1, std::cmp::Reverse(*number), String::new()),
                Some(tables::Cell::Time(span)) => (1, std::cmp::Reverse(span.0.max(0) as u64), String::new()),
                Some(tables::Cell::Text(text)) => (0, std::cmp::Reverse(0), text.clone()),
                Some(tables::Cell::Empty) | None => (2, std::cmp::Reverse(0), String::new()),
            };
            key(a).cmp(&key(b))
        });
    }
    if down {
        rows.reverse();
    }
    rows
}

pub(super) fn inside(state: &State) -> Inside<'_> {
    let Some(data) = &state.data else {
        return Inside::Text(Content::of(vec![Item::new("nothing is known yet")]));
    };
    let visit = state.visit();
    let Some((_, table)) = data.tables.get(visit.table) else {
        return Inside::Text(Content::of(Vec::new()));
    };
    let columns: Vec<Column> = table
        .headings
        .iter()
        .enumerate()
        .map(|(place, heading)| {
            let is_words = table.rows.iter().all(|row| {
                matches!(row.get(place), Some(tables::Cell::Text(_) | tables::Cell::Empty) | None)
            });
            if is_words { words(heading, 6, 48, place as u8) } else { figures(heading, 12, place as u8) }
        })
        .collect();
    let order = order(data, visit);
    let rows = order.len();
    let at = order.clone();
    Inside::Sheet(Sheet {
        columns,
        rows,
        row: Box::new(move |row| {
            let cells = order.get(row).and_then(|row| table.rows.get(*row));
            let cells = cells.into_iter().flatten().map(|cell| {
                Cell::plain(match cell {
                    tables::Cell::Text(said) => text::clean(said),
                    tables::Cell::Number(number) => count(*number),
                    tables::Cell::Time(span) => span.to_string(),
                    tables::Cell::Empty => "-".to_owned(),
                })
            });
            Row { cells: cells.collect(), ..Row::default() }
        }),
        link: Box::new(move |row| {
            let row = at.get(row).and_then(|row| table.rows.get(*row))?;
            only(data, row).map(|only| Link::to(Visit::new(Screen::Sessions).only(only)))
        }),
        sorted: visit.sort.0.checked_sub(3).map(|column| (column, visit.sort.1)),
        drawn: None,
        empty: "nothing of this kind in what was read".to_owned(),
    })
}

/// The sessions that a row counts, as far as its words name them: a server, else a protocol.
pub(in crate::tui) fn only(data: &Data, row: &[tables::Cell]) -> Option<Only> {
    let words: Vec<&str> = row
        .iter()
        .filter_map(|cell| match cell {
            tables::Cell::Text(said) => Some(said.as_str()),
            _ => None,
        })
        .collect();
    let server = data
        .services
        .iter()
        .find(|service| {
            let name = service.server.to_string();
            words.iter().any(|word| word.split(' ').any(|part| part == name))
        })
        .map(|service| Only::Server(service.server));
    let protocol =
        || data.protocols.iter().find(|(name, _)| words.contains(name)).map(|(name, _)| Only::Protocol(name));
    server.or_else(protocol)
}
