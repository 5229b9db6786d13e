//! GSQ909: the capture has times without any frame.

use crate::events::Connection;
use crate::rules::recordings::about;
use crate::rules::{Findings, Population, Severity};
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// A time in which the capture has no frame at all, though there were many before and after.
    ///
    /// # Why it matters
    /// If the recorder stood still, what happened meanwhile is not known: it counts for no wait and no silence.
    /// If nothing was said, all is well.
    ///
    /// # How it is decided
    /// At least one second and twenty times the usual distance of frames. It is a warning where at least five
    /// connections were under way in it: that all fall silent at once is rare.
    ///
    /// # What it cannot know
    /// Whether the recorder or the network was silent.
    ///
    /// # How to mend it
    /// Record on a machine with less to do, or with a larger buffer; a heartbeat (ping) in the capture would
    /// tell.
    ///
    /// # Sources
    /// `domain.md` C.4, D.9.
    "GSQ909", "blackout", "the capture has times without any frame", Info, Capture, Population(check)
}

/// That so many connections pause together is no accident.
const BUSY: usize = 5;

/// Blackouts listed of one capture.
const LISTED: usize = 4;

fn check(population: &Population<'_>, findings: &mut Findings) {
    let mut starts: Vec<(u16, Timestamp)> =
        population.connections.iter().map(|connection| (file(connection), connection.start)).collect();
    let mut ends: Vec<(u16, Timestamp)> =
        population.connections.iter().map(|connection| (file(connection), connection.end)).collect();
    starts.sort_unstable();
    ends.sort_unstable();
    for (index, capture) in population.captures.iter().enumerate() {
        let mut dark: Vec<(Span, usize, (Timestamp, Timestamp))> = capture
            .blackouts
            .iter()
            .map(|&(start, end)| {
                let file = index as u16;
                // Begun before it, less those that were over before its end.
                let begun = starts.partition_point(|of| *of <= (file, start));
                let over = ends.partition_point(|of| *of < (file, end));
                (end.since(start), begun.saturating_sub(over), (start, end))
            })
            .collect();
        dark.sort_by_key(|(span, under_way, _)| std::cmp::Reverse((*under_way, *span)));
        dark.retain(|(_, under_way, _)| *under_way > 0);
        let Some((span, under_way, (since, _))) = dark.first().copied() else { continue };
        let mut finding = about(
            &RULE,
            population,
            capture,
            format!("no frame was recorded for {span}, with {under_way} connection(s) under way; {} such time(s) in all", dark.len()),
        )
        .at(since)
        .severity(if under_way >= BUSY { Severity::Warning } else { Severity::Info })
        .why("frames came far more often before and after; these times count for no wait and no silence")
        .advice("if traffic was expected then, give the recorder a larger buffer or a quieter machine")
        .seconds("longest_s", dark.iter().map(|(span, ..)| *span).max().unwrap_or_default())
        .number("blackouts", dark.len())
        .number("under_way", under_way);
        for (_, _, window) in dark.iter().take(LISTED) {
            finding = finding.absence(*window, [], "no frame at all");
        }
        findings.add(finding);
    }
}

fn file(connection: &Connection) -> u16 {
    connection.first.file.0
}
