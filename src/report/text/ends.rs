//! How the connections ended, counted: the most interesting first.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::Look;
use super::amounts::{count, counted};
use super::concern::{concern, meaning, rank};
use super::paint::{Paint, Tone};
use crate::analysis::Analysis;
use crate::events::transport::{By, How};
use crate::packet::Transport;
use crate::report::words::Word;

/// Rows shown without being asked for more.
const SHOWN: usize = 9;

/// A table of ends: reason, closing act, who, how many, and what it means.
pub(super) fn write(analysis: &Analysis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let mut rows = BTreeMap::new();
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
        *rows.entry((rank(ended), ended.reason, ended.how, ended.by)).or_insert(0_u64) += 1;
    }
    let mut title = format!("{} TCP, {} UDP", count(tcp), count(udp));
    if analysis.totals.folded_connections > 0 {
        let folded = counted(analysis.totals.folded_connections, "connection");
        let _ = write!(title, ", and {folded} over the limit, counted only");
    }
    writeln!(out, "{}  {title}", paint.tone(Tone::Heading, "CONNECTIONS"))?;
    let mut rows: Vec<_> = rows.into_iter().collect();
    // By interest, and within one reason the frequent first.
    rows.sort_by_key(|((rank, reason, how, by), number)| (*rank, *reason, u64::MAX - number, *how, *by));
    let shown = if look.verbose { rows.len() } else { SHOWN };
    let width = rows.iter().map(|(_, number)| count(*number).len()).max().unwrap_or(0).max(4);
    for ((_, reason, how, by), number) in rows.iter().take(shown) {
        let act = match how {
            How::CaptureEnd => String::new(),
            _ => format!("{} {}", how.word(), by_phrase(*by)),
        };
        let line = format!("{:<18} {:<21}", reason.word(), act);
        writeln!(
            out,
            "{:>width$}  {} {}",
            count(*number),
            paint.tone(concern(*reason).tone(), line),
            paint.tone(Tone::Aside, meaning(*reason)),
        )?;
    }
    if rows.len() > shown {
        let rest: u64 = rows.iter().skip(shown).map(|(_, number)| number).sum();
        writeln!(out, "{:>width$}  ended otherwise (-v shows all)", count(rest))?;
    }
    if tcp + udp == 0 {
        writeln!(out, "      no TCP or UDP in what was read")?;
    }
    Ok(())
}

/// `by client`; nothing where the capture does not tell.
pub(super) fn by_phrase(by: By) -> String {
    match by {
        By::Unknown => String::new(),
        known => format!("by {}", known.word()),
    }
}
