//! GSQ906: times of the recording are not in order, or two recorders' clocks are apart.

use std::collections::BTreeMap;

use crate::events::Connection;
use crate::place::PacketRef;
use crate::rules::recordings::about;
use crate::rules::{Fault, Finding, Findings, Population, Severity};
use crate::time::Span;

rule! {
    /// # What it finds
    /// Frames whose time is before that of an earlier frame, or one connection in two captures whose clocks
    /// differ.
    ///
    /// # Why it matters
    /// Durations, waits and idle times are wrong by as much. What looks like waiting may be the clock.
    ///
    /// # How it is decided
    /// The times of one file run backwards, or the same handshake (both initial sequence numbers) is in two
    /// captures at different times. It is a warning from one second on.
    ///
    /// # What it cannot know
    /// Which clock is right.
    ///
    /// # How to mend it
    /// Synchronize the recorders (NTP, PTP), or correct a file with `editcap -t`; record interfaces with one
    /// clock.
    ///
    /// # Sources
    /// RFC 8915 and RFC 5905 (network time); `domain.md` C.4, D.9.
    "GSQ906", "clock-disorder", "time runs backwards, or clocks are apart", Info, Capture, Population(check)
}

/// Out of order by so much, waits and timers cannot be trusted.
const BAD: Span = Span::from_secs(1);

/// Two recorders on one path are apart by the time that a packet takes, which is less than this.
const PATH: Span = Span::from_millis(300);

fn check(population: &Population<'_>, findings: &mut Findings) {
    for capture in population.captures.iter().filter(|capture| capture.disorder > Span::ZERO) {
        findings.add(
            about(
                &RULE,
                population,
                capture,
                format!("time runs backwards {} time(s), by up to {}", capture.backward, capture.disorder),
            )
            .severity(if capture.disorder > BAD { Severity::Warning } else { Severity::Info })
            .why(
                "frames carry times before those of earlier frames; waits and durations are wrong by as much",
            )
            .advice("record interfaces with one clock, or bring the file in order with reordercap")
            .seconds("disorder_s", capture.disorder)
            .number("backward", capture.backward),
        );
    }
    if population.captures.len() > 1 {
        apart(population, findings);
    }
}

/// One connection in two captures: how far apart, its first frame in each, and what it is called here.
struct Twin<'a> {
    offset: Span,
    first: &'a Connection,
    again: PacketRef,
    ids: [u32; 2],
}

/// The same connections in two captures at two times.
fn apart(population: &Population<'_>, findings: &mut Findings) {
    let mut seen: BTreeMap<_, &Connection> = BTreeMap::new();
    let mut pairs: BTreeMap<(u16, u16), Vec<Twin<'_>>> = BTreeMap::new();
    for connection in population.connections {
        let again = connection.trouble.as_deref().and_then(|trouble| trouble.recorded_again);
        let within = again.map(|again| (connection, again.at, again.time));
        let isns = connection.sides.client.isn.zip(connection.sides.server.isn);
        let known =
            isns.map(|isns| *seen.entry((connection.client, connection.server, isns)).or_insert(connection));
        let other = known
            .filter(|known| known.first.file != connection.first.file)
            .map(|known| (known, connection.first, connection.start));
        for (first, again, time) in within.into_iter().chain(other) {
            let offset = time.since(first.start);
            if offset > PATH {
                let twin = Twin { offset, first, again, ids: [first.id, connection.id] };
                pairs.entry((first.first.file.0, again.file.0)).or_default().push(twin);
            }
        }
    }
    for twins in pairs.values_mut() {
        twins.sort_by_key(|twin| twin.offset);
        report(twins, findings);
    }
}

fn report(twins: &[Twin<'_>], findings: &mut Findings) {
    let Some(Twin { offset, first, again, .. }) = twins.get(twins.len() / 2) else { return };
    let (client, server) = (first.client, first.server);
    findings.add(
        Finding::about(
            &RULE,
            first.start,
            format!("the clocks of two captures are {offset} apart: both hold the connection of {client} to {server}"),
        )
        .severity(if *offset > BAD { Severity::Warning } else { Severity::Info })
        .fault(Fault::Capture)
        .key(format!("{} {}", first.first.file.0, again.file.0))
        .on(twins.iter().take(1_000).flat_map(|twin| twin.ids))
        .occurrences(twins.len())
        .why("the same SYN is in both, with the same initial sequence number")
        .advice(format!("synchronize the recorders, or shift one file by {offset} with editcap -t"))
        .shows([first.first], "its first frame in one capture")
        .shows([*again], "and in the other")
        .seconds("offset_s", *offset),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::CaptureFacts;

    #[test]
    fn time_that_runs_backwards_is_told() {
        let told = |disorder| {
            let capture = CaptureFacts { disorder, backward: 1, ..CaptureFacts::default() };
            let mut findings = Findings::default();
            check(&Population::new(&[], &[], &[capture], &[], |_| false), &mut findings);
            findings.len()
        };
        assert_eq!((told(Span::ZERO), told(Span::from_secs(2))), (0, 1));
    }
}
