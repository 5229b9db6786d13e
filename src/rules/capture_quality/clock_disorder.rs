//! GSQ906: times of the recording are not in order, or two recorders' clocks are apart.

use std::collections::BTreeMap;

use crate::events::Connection;
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

/// The same connection in two captures at two times.
fn apart(population: &Population<'_>, findings: &mut Findings) {
    let mut seen: BTreeMap<_, &Connection> = BTreeMap::new();
    for connection in population.connections {
        let (Some(client), Some(server)) = (connection.sides.client.isn, connection.sides.server.isn) else {
            continue;
        };
        let known = *seen.entry((connection.client, connection.server, client, server)).or_insert(connection);
        let offset = connection.start.since(known.start);
        if known.first.file == connection.first.file || offset <= PATH {
            continue;
        }
        findings.add(
            Finding::about(
                &RULE,
                known.start,
                format!("the clocks of two captures are {offset} apart: both hold the connection of {} to {}", known.client, known.server),
            )
            .severity(if offset > BAD { Severity::Warning } else { Severity::Info })
            .fault(Fault::Capture)
            .key(format!("{} {}", known.first.file.0, connection.first.file.0))
            .on([known.id, connection.id])
            .why("both handshakes have the same initial sequence numbers, so they are one; it is counted twice")
            .advice(format!("synchronize the recorders, or shift one file by {offset} with editcap -t"))
            .shows([known.first], "its first frame in one capture")
            .shows([connection.first], "and in the other")
            .seconds("offset_s", offset),
        );
    }
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
