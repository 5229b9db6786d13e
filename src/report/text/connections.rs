//! One line a connection, in columns as wide as they need to be.

use std::io::{self, Write};

use super::amounts::{bytes, moment};
use super::concern::concern;
use super::ends::by_phrase;
use super::paint::{Paint, Tone};
use super::{Look, named};
use crate::analysis::Analysis;
use crate::escape;
use crate::events::Connection;
use crate::events::transport::How;
use crate::report::words::Word;
use crate::report::{Request, chosen};

/// Columns before the end, which is the last and needs no width.
const COLUMNS: usize = 9;
const HEADINGS: [&str; COLUMNS] =
    ["id", "stream", "start", "lasted", "client", "server", "packets", "c>s", "s>c"];
/// Which columns hold numbers and lean right.
const RIGHT: [bool; COLUMNS] = [true, false, true, true, false, false, true, true, true];

/// A heading, and one line for each connection that is asked for.
pub(super) fn write(analysis: &Analysis, request: &Request, out: &mut dyn Write) -> io::Result<()> {
    let look = request.look;
    let paint = Paint { on: look.colour };
    let chosen = chosen(analysis, request);
    // Two passes instead of keeping every line: the widths first.
    let mut widths = HEADINGS.map(str::len);
    for connection in &chosen {
        for (width, cell) in widths.iter_mut().zip(cells(analysis, connection, look)) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let heading = format!("{}  ended", aligned(&HEADINGS.map(str::to_owned), &widths));
    writeln!(out, "{}", paint.tone(Tone::Heading, heading))?;
    for connection in chosen {
        let line = aligned(&cells(analysis, connection, look), &widths);
        let ended = &connection.ended;
        let end = match ended.how {
            How::CaptureEnd => ended.reason.word().to_owned(),
            how => format!("{} {} {}", ended.reason.word(), how.word(), by_phrase(ended.by)),
        };
        let end = paint.tone(concern(ended.reason).tone(), end.trim_end());
        writeln!(out, "{line}  {end} ({})", ended.confidence.word())?;
        if look.verbose {
            more(connection, out)?;
        }
    }
    Ok(())
}

fn cells(analysis: &Analysis, connection: &Connection, look: Look) -> [String; COLUMNS] {
    let origin = super::origin(analysis);
    let sides = &connection.sides;
    [
        connection.id.to_string(),
        match connection.stream {
            Some(stream) => format!("{}/{stream}", connection.transport.word()),
            None => connection.transport.word().to_owned(),
        },
        moment(connection.start, origin, look.clock),
        connection.end.since(connection.start).to_string(),
        named(analysis, connection.client),
        named(analysis, connection.server),
        format!("{}+{}", sides.client.packets, sides.server.packets),
        bytes(sides.client.payload_bytes),
        bytes(sides.server.payload_bytes),
    ]
}

fn aligned(cells: &[String; COLUMNS], widths: &[usize; COLUMNS]) -> String {
    let mut line = String::new();
    for ((cell, width), right) in cells.iter().zip(widths).zip(RIGHT) {
        if !line.is_empty() {
            line.push_str("  ");
        }
        let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
        let (before, after) = if right { (padding.as_str(), "") } else { ("", padding.as_str()) };
        line.push_str(before);
        line.push_str(cell);
        line.push_str(after);
    }
    line
}

/// With `-v`: why it ended so, and what Zeek would call it.
fn more(connection: &Connection, out: &mut dyn Write) -> io::Result<()> {
    if !connection.ended.because.is_empty() {
        writeln!(out, "      {}", escape::terminal(&connection.ended.because))?;
    }
    writeln!(
        out,
        "      opened {}, client known by {}, Zeek {} {}",
        connection.opened.word(),
        connection.role_evidence.word(),
        connection.conn_state,
        connection.history,
    )
}
