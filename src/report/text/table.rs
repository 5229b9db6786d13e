//! Cells in columns as wide as they need to be.

use std::io::{self, Write};

use super::paint::{Paint, Tone};
use crate::escape;
use crate::story::amounts::count;
use crate::story::tables::{Cell, Table};

/// Where a cell stands in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// At the left.
    Left,
    /// At the right.
    Right,
}

/// The widths that the columns need.
pub(super) fn widths(headings: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    widths
}

/// One line.
pub(super) fn aligned(cells: &[String], widths: &[usize], align: &[Align]) -> String {
    let mut line = String::new();
    for (index, ((cell, width), align)) in cells.iter().zip(widths).zip(align).enumerate() {
        if index > 0 {
            line.push_str("  ");
        }
        let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
        match align {
            Align::Left => line.extend([cell.as_str(), padding.as_str()]),
            Align::Right => line.extend([padding.as_str(), cell.as_str()]),
        }
    }
    line
}

/// A table of statistics.
pub(in crate::report) fn write(table: &Table, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => escape::terminal(text),
        Cell::Number(number) => count(*number),
        Cell::Time(span) => span.to_string(),
        Cell::Empty => "-".to_owned(),
    };
    let rows: Vec<Vec<String>> = table.rows.iter().map(|row| row.iter().map(text).collect()).collect();
    let headings: Vec<String> = table.headings.iter().map(|heading| (*heading).to_owned()).collect();
    let align: Vec<Align> = (0..headings.len())
        .map(|column| {
            let leans = |row: &Vec<Cell>| matches!(row.get(column), Some(Cell::Number(_) | Cell::Time(_)));
            if table.rows.iter().any(leans) { Align::Right } else { Align::Left }
        })
        .collect();
    let widths = widths(&headings, &rows);
    writeln!(out, "{}", paint.tone(Tone::Heading, aligned(&headings, &widths, &align).trim_end()))?;
    for row in &rows {
        writeln!(out, "{}", aligned(row, &widths, &align).trim_end())?;
    }
    Ok(())
}
