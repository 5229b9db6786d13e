//! GSR316: a client that fails tries again at once, each time as soon as before.

use crate::rules::failure_rows::rows;
use crate::rules::{Fault, Finding, Findings, Population};
use crate::time::Span;

rule! {
    /// # What it finds
    /// At least five failures in a row whose distances are equal (within a tenth) and shorter than two seconds, or become
    /// shorter.
    ///
    /// # Why it matters
    /// A server that comes back meets all its clients at once, each at full speed.
    ///
    /// # How it is decided
    /// By the times at which the connections begin. A repeated SYN is no attempt: it belongs to the same connection.
    ///
    /// # What it cannot know
    /// Whether there is an upper bound behind the end of the capture.
    ///
    /// # How to mend it
    /// Double the wait after each failure up to a bound (a minute or so), with chance in it.
    ///
    /// # Sources
    /// RFC 1122 section 4.2.3.5; RFC 5681; `domain.md` D.9.
    "GSR316", "no-backoff", "a client that fails tries again as soon as before", Warning, Session, Population(check)
}

/// Equal waits from here on are not too short.
const SOON: Span = Span::from_secs(2);

fn check(population: &Population<'_>, findings: &mut Findings) {
    for row in rows(population) {
        let waits = row.intervals();
        let (shortest, longest) = row.extremes();
        let constant = row.is_constant() && longest < SOON;
        // Each at most a twentieth longer than the one before, and the last much shorter than the first.
        let falls = waits.windows(2).all(|pair| matches!(pair, [old, new] if new.0 <= old.0 + old.0 / 20));
        let falling = falls
            && waits
                .first()
                .zip(waits.last())
                .is_some_and(|(first, last)| last.0.saturating_mul(10) < first.0.saturating_mul(7));
        let [first, .., _] = row.attempts[..] else { continue };
        if !constant && !falling {
            continue;
        }
        let how = if constant { "always" } else { "ever sooner," };
        findings.add(
            Finding::about(
                &RULE,
                first.start,
                format!(
                    "{} tries {} again {how} within {:.2} to {:.2} s of the last failure, {} times",
                    row.client,
                    row.server,
                    shortest.as_secs(),
                    longest.as_secs(),
                    row.attempts.len()
                ),
            )
            .on(row.attempts.iter().map(|attempt| attempt.id))
            .key(format!("{} {} {}", row.client, row.server, first.id))
            .fault(Fault::Client)
            .why("the distances between the attempts do not grow, though each of them fails")
            .advice("double the wait after each failure up to a bound, with chance in it")
            .seconds("shortest_wait_s", shortest)
            .seconds("longest_wait_s", longest)
            .number("attempts", row.attempts.len())
            .shows(row.attempts.iter().map(|attempt| attempt.first), "the attempts begin"),
        );
    }
}
