//! The ends that hurt and that no finding tells of: who, when, why, how sure, and the filter that shows it. Alike ones are told once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::amounts::{count, said_moment};
use super::concern::{Concern, concern, meaning, rank};
use super::ends::by_phrase;
use super::paint::{Paint, Tone};
use super::{Look, flowed, hanging, named, origin, wrapped};
use crate::analysis::Analysis;
use crate::escape;
use crate::events::Connection;
use crate::events::transport::{By, Confidence, How, Reason};
use crate::packet::Endpoint;
use crate::report::filter;
use crate::report::words::Word;
use crate::rules::Severity;

/// Groups shown without being asked for more.
const SHOWN: usize = 4;

/// What makes two ends alike for the reader: the same thing happened with the same server.
type Alike = (usize, Reason, How, By, Endpoint);

/// The worst, grouped; `findings` were told before.
pub(super) fn write(analysis: &Analysis, findings: usize, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let mut groups: BTreeMap<Alike, (u64, &Connection)> = BTreeMap::new();
    // What a finding tells of is not told again.
    let told: BTreeSet<u32> = analysis
        .findings
        .iter()
        .filter(|finding| finding.severity > Severity::Info)
        .flat_map(|finding| finding.connections.iter().copied())
        .collect();
    for connection in &analysis.connections {
        let ended = &connection.ended;
        if concern(ended.reason) != Concern::Hurts || told.contains(&connection.id) {
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
    if groups.is_empty() && findings > 0 {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "{}", paint.tone(Tone::Heading, if findings > 0 { "OTHER BAD ENDS" } else { "WORST" }))?;
    if groups.is_empty() {
        let line = "no connection ended badly, as far as the captures show";
        return writeln!(out, "  {}", paint.tone(Tone::Good, line));
    }
    let groups = ordered(groups);
    let shown = if look.verbose { groups.len() } else { SHOWN.saturating_sub(findings).max(1) };
    for (number, connection) in groups.iter().take(shown) {
        one(analysis, connection, *number, look, out)?;
    }
    if groups.len() > shown {
        let rest: u64 = groups.iter().skip(shown).map(|(number, _)| number).sum();
        let line =
            format!("{} more; `connections --sort concern` lists them, -v shows them here", count(rest));
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// The groups in the order of telling: what is known before what is hardly more than a guess, one group of every
/// kind before the second of any (a scan of a hundred ports must not hide the one peer that vanished), what is
/// hard to find before what a log says anyway, and the frequent before the rare.
fn ordered(groups: BTreeMap<Alike, (u64, &Connection)>) -> Vec<(u64, &Connection)> {
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|((rank, ..), (number, connection))| (*rank, Reverse(*number), connection.id));
    let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
    let mut told: Vec<_> = groups
        .into_iter()
        .map(|((rank, ..), (number, connection))| {
            let turn = seen.entry(rank).or_default();
            *turn += 1;
            (connection.ended.confidence == Confidence::Low, *turn, number, connection)
        })
        .collect();
    // Stable: within one turn the order of rank stays.
    told.sort_by_key(|(guess, turn, ..)| (*guess, *turn));
    told.into_iter().map(|(_, _, number, connection)| (number, connection)).collect()
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
    let times = if number > 1 { format!("{} x ", count(number)) } else { String::new() };
    let act = format!("{} {}", ended.how.word(), by_phrase(ended.by));
    let sure = match ended.confidence {
        Confidence::Certain => "certain".to_owned(),
        unsure => format!("{} confidence", unsure.word()),
    };
    writeln!(out, "  {times}{}  {}, {sure}", paint.tone(Tone::Bad, reason), act.trim_end())?;
    let facts = [
        format!("{} -> {}", named(analysis, connection.client), named(analysis, connection.server)),
        format!("lived {}", connection.end.since(connection.start)),
        format!("ended {}", said_moment(connection.end, origin(analysis), look.clock)),
    ];
    let id = format!("    #{}  ", connection.id);
    hanging(out, &id, &flowed(&facts, id.len()))?;
    let because = if ended.because.is_empty() {
        meaning(ended.reason).to_owned()
    } else {
        escape::terminal(&ended.because)
    };
    hanging(out, "    ", &wrapped(&because, 4))?;
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
