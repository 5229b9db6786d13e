//! The ends that hurt: who, when, why, how sure, and the filter that shows it. Alike ones are told once.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::amounts::{counted, said_moment};
use super::concern::{Concern, concern, meaning, rank};
use super::ends::by_phrase;
use super::paint::{Paint, Tone};
use super::{Look, origin, wrapped};
use crate::analysis::Analysis;
use crate::escape;
use crate::events::Connection;
use crate::events::transport::{By, Confidence, How, Reason};
use crate::packet::Endpoint;
use crate::report::filter;
use crate::report::words::Word;

/// Groups shown without being asked for more.
const SHOWN: usize = 4;

/// What makes two ends alike for the reader: the same thing happened with the same server.
type Alike = (usize, Reason, How, By, Endpoint);

/// The worst, grouped; nothing at all where nothing hurts.
pub(super) fn write(analysis: &Analysis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let mut groups: BTreeMap<Alike, (u64, &Connection)> = BTreeMap::new();
    for connection in &analysis.connections {
        let ended = &connection.ended;
        if concern(ended.reason) != Concern::Hurts {
            continue;
        }
        let key = (rank(ended), ended.reason, ended.how, ended.by, connection.server);
        let group = groups.entry(key).or_insert((0, connection));
        group.0 += 1;
        // The surest one speaks for its group; of equals the first.
        if ended.confidence > group.1.ended.confidence {
            group.1 = connection;
        }
    }
    if groups.is_empty() {
        return Ok(());
    }
    let total = groups.len();
    let mut groups: Vec<_> = groups.into_iter().collect();
    // What is hardly more than a guess comes after what is known, and then the frequent before the rare.
    groups.sort_by_key(|((rank, ..), (number, connection))| {
        (connection.ended.confidence == Confidence::Low, *rank, u64::MAX - number, connection.id)
    });
    let shown = if look.verbose { total } else { SHOWN };
    writeln!(out)?;
    writeln!(out, "{}", paint.tone(Tone::Heading, "WORST"))?;
    for (_, (number, connection)) in groups.iter().take(shown) {
        one(analysis, connection, *number, look, out)?;
    }
    if total > shown {
        let rest: u64 = groups.iter().skip(shown).map(|(_, (number, _))| number).sum();
        writeln!(
            out,
            "  {} of {} (-v shows all; `ghostshark connections --sort concern` lists them)",
            counted(rest, "more"),
            counted((total - shown) as u64, "other kind"),
        )?;
    }
    Ok(())
}

fn one(
    analysis: &Analysis,
    connection: &Connection,
    number: u64,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let ended = &connection.ended;
    let reason = match ended.detail {
        Some(detail) => format!("{} ({detail})", ended.reason.word()),
        None => ended.reason.word().to_owned(),
    };
    let act = format!("{} {}", ended.how.word(), by_phrase(ended.by));
    let alike = if number > 1 { format!(", {} more like it", number - 1) } else { String::new() };
    writeln!(
        out,
        "  {}  {}, {} confidence{alike}",
        paint.tone(Tone::Bad, reason),
        act.trim_end(),
        ended.confidence.word(),
    )?;
    writeln!(
        out,
        "    #{}  {} -> {}  ended {} after {}",
        connection.id,
        connection.client,
        connection.server,
        said_moment(connection.end, origin(analysis), look.clock),
        connection.end.since(connection.start),
    )?;
    let because = if ended.because.is_empty() {
        meaning(ended.reason).to_owned()
    } else {
        escape::terminal(&ended.because)
    };
    for part in wrapped(&because, 4) {
        writeln!(out, "    {part}")?;
    }
    filters(analysis, connection, look, out)
}

/// The filter, or one for each capture.
fn filters(analysis: &Analysis, connection: &Connection, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    for shown in filter::ending(connection, analysis.files.len() > 1) {
        let place = match shown.capture {
            Some(file) => format!("[{}] ", file.0),
            None => String::new(),
        };
        writeln!(out, "    {place}{}", paint.tone(Tone::Aside, shown.filter))?;
    }
    Ok(())
}
