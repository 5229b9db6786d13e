//! How the connections ended, counted: the most interesting first.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::Look;
use super::amounts::{count, counted};
use super::concern::{concern, meaning, rank};
use super::paint::{Paint, Tone};
use crate::analysis::Analysis;
use crate::events::transport::{By, How, Reason};
use crate::packet::Transport;
use crate::report::words::Word;

/// Rows beyond which the ways of ending are told together for each reason.
const SHOWN: usize = 9;

/// How many connections ended alike; the rank comes first, so that it orders.
type Counts = BTreeMap<(usize, Reason, How, By), u64>;

/// A table of ends: reason, closing act, who, how many, and what it means.
pub(super) fn write(analysis: &Analysis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let mut rows = Counts::new();
    let (mut tcp, mut udp) = (0_u64, 0_u64);
    for connection in &analysis.connections {
        match connection.transport {
            Transport::Tcp => tcp += 1,
            Transport::Udp => {
                udp += 1;
                // Nothing closes a UDP conversation; only what went wrong with one is worth a row.
                if matches!(connection.ended.how, How::Silence | How::CaptureEnd) {
                    continue;
                }
            }
        }
        let ended = &connection.ended;
        *rows.entry((rank(ended), ended.reason, ended.how, ended.by)).or_default() += 1;
    }
    let mut title = format!("{} TCP, {} UDP", count(tcp), count(udp));
    if analysis.totals.folded_connections > 0 {
        let folded = counted(analysis.totals.folded_connections, "connection");
        let _ = write!(title, ", and {folded} over the limit, counted only");
    }
    writeln!(out, "{}  {title}", paint.tone(Tone::Heading, "CONNECTIONS"))?;
    let rows = readable(rows, look);
    let width = rows.iter().map(|row| count(row.number).len()).max().unwrap_or(0).max(4);
    for Row { reason, act, number } in rows {
        let line = format!("{:<18} {act:<21}", reason.word());
        writeln!(
            out,
            "{:>width$}  {} {}",
            count(number),
            paint.tone(concern(reason).tone(), line),
            paint.tone(Tone::Aside, meaning(reason)),
        )?;
    }
    if tcp + udp == 0 {
        writeln!(out, "      no TCP or UDP in what was read")?;
    }
    Ok(())
}

/// A line of the table.
struct Row {
    reason: Reason,
    act: String,
    number: u64,
}

/// By interest, and within one reason the frequent first. Where that would be too many lines, one line a reason.
fn readable(counts: Counts, look: Look) -> Vec<Row> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|((rank, _, how, by), number)| (*rank, Reverse(*number), *how, *by));
    let merge = !look.verbose && counts.len() > SHOWN;
    let mut rows: Vec<Row> = Vec::new();
    for ((_, reason, how, by), number) in counts {
        match rows.last_mut() {
            Some(row) if merge && row.reason == reason => {
                row.number += number;
                "in several ways".clone_into(&mut row.act);
            }
            _ => {
                let act = match how {
                    How::CaptureEnd => String::new(),
                    how => format!("{} {}", how.word(), by_phrase(by)),
                };
                rows.push(Row { reason, act, number });
            }
        }
    }
    rows
}

/// `by client`; nothing where the capture does not tell.
pub(in crate::report) fn by_phrase(by: By) -> String {
    match by {
        By::Unknown => String::new(),
        known => format!("by {}", known.word()),
    }
}
