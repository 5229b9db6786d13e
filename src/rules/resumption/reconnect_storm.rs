//! GSR315: a client comes back again and again, and fails each time.

use crate::rules::failure_rows::rows;
use crate::rules::{Fault, Finding, Findings, Population};
use crate::time::Span;

rule! {
    /// # What it finds
    /// At least five attempts of one client at one server within a minute, one after the other, of which each fails: the
    /// connection or the login is refused, not answered, or thrown out within two seconds.
    ///
    /// # Why it matters
    /// The client is of no use to anybody, and its attempts load a server that is in trouble already.
    ///
    /// # How it is decided
    /// Attempts that run at the same time count once, and any success ends the row. Probes without data at a constant
    /// period of two seconds or more are somebody's check, and scans that never finish the handshake are none of it.
    ///
    /// # What it cannot know
    /// What the client does after the capture.
    ///
    /// # How to mend it
    /// Find out why the first attempt fails. Let the client wait longer after each failure, with chance in it, and give up
    /// on errors that waiting does not mend (a refused login).
    ///
    /// # Sources
    /// RFC 6585 section 4; RFC 1122 section 4.2.3.5; `domain.md` D.1, D.9.
    "GSR315", "reconnect-storm", "a client comes back again and again and fails each time", Error, Session, Population(check)
}

/// In this time.
const WINDOW: Span = Span::from_secs(60);

fn check(population: &Population<'_>, findings: &mut Findings) {
    for row in rows(population) {
        let close = |pair: &[&crate::events::Connection]| match pair {
            [first, .., last] => last.start.since(first.start) <= WINDOW,
            _ => false,
        };
        if row.is_check() || !row.attempts.windows(crate::rules::failure_rows::MANY).any(close) {
            continue;
        }
        let [first, .., last] = row.attempts[..] else { continue };
        let took = last.start.since(first.start);
        let (shortest, longest) = row.extremes();
        let count = row.attempts.len();
        findings.add(
            Finding::about(
                &RULE,
                first.start,
                format!("{} tried to reach {} {count} times in {:.1} s, and failed each time", row.client, row.server, took.as_secs()),
            )
            .on(row.attempts.iter().map(|attempt| attempt.id))
            .key(format!("{} {} {}", row.client, row.server, first.id))
            .fault(Fault::Client)
            .why(format!("each attempt began when the one before had failed; the first failed so: {}", first.ended.because))
            .advice("mend the cause of the first failure; let the client wait longer after each failure, with chance in it, and give up on refusals")
            .number("attempts", count)
            .seconds("shortest_wait_s", shortest)
            .seconds("longest_wait_s", longest)
            .shows(row.attempts.iter().map(|attempt| attempt.first), "the attempts begin")
            .shows(row.attempts.iter().filter_map(|attempt| attempt.ended.frames.first().copied()), "and fail"),
        );
    }
}
