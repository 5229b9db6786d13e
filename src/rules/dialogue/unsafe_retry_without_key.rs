//! GSD404: a client repeats unsafe actions without a key by which the server could know them.

use crate::events::Confidence;
use crate::rules::retries;
use crate::rules::{Fault, Finding, Findings, Population, Severity};

rule! {
    /// # What it finds
    /// A client that repeats an action which must not happen twice, though it does not know what became of the first, and
    /// without a key by which the server could know the second.
    ///
    /// # Why it matters
    /// Whether the work is done once or twice is left to chance, at every fault of the network.
    ///
    /// # How it is decided
    /// Both requests have the same fingerprint, stand on different connections, and the first had no answer that its
    /// asker heard when the second was made. What became of the second does not matter. Where the first was surely not
    /// received as a whole (its bytes were never acknowledged) repeating it was safe, and this is only told (info).
    ///
    /// # What it cannot know
    /// Whether a person or a program repeated it.
    ///
    /// # How to mend it
    /// Send a key with every unsafe request; repeat only what is safe or idempotent without one.
    ///
    /// # Sources
    /// RFC 9110 section 9.2.2; `domain.md` D.6, D.9.
    "GSD404", "unsafe-retry-without-key", "an unsafe action was repeated without a key", Warning, Application, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for retry in retries::all(population) {
        let (first, second) = (retry.first, retry.second);
        let tokens = [first, second].map(|asking| asking.acted.action.token.is_some());
        if !retry.is_unsafe() || tokens.contains(&true) {
            continue;
        }
        let safe = !first.arrived();
        let why = if safe {
            "the first was never received as a whole: its bytes were not acknowledged, so repeating it was safe"
        } else {
            "neither request carries a key, and the first had been received by the server's host"
        };
        let mut finding = Finding::of(
            &RULE,
            &second.subject,
            format!(
                "{} was repeated {} after the first without a key, though of the first {}",
                second.name(),
                retry.after(),
                retry.because()
            ),
        )
        .on(retry.connections())
        .at(second.acted.asked.time)
        .key(retry.key())
        .confidence(Confidence::High)
        .fault(Fault::Client)
        .why(why)
        .advice("send a key with every unsafe request (Idempotency-Key), or do not repeat it by yourself")
        .shows_point(first.acted.asked, "the first request")
        .shows_point(second.acted.asked, "the same request again")
        .context(first.part.connection.ended.frames.iter().copied(), "the end of the first connection")
        .seconds("repeated_after_s", retry.after());
        if safe {
            finding = finding.severity(Severity::Info);
        }
        findings.add(finding);
    }
}
