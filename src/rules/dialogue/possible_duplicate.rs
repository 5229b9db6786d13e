//! GSD402: an unsafe action was repeated, and nobody knows whether the first was carried out.

use crate::events::Confidence;
use crate::rules::retries::{self, Heard};
use crate::rules::{Fault, Finding, Findings, Population};

rule! {
    /// # What it finds
    /// An action that must not happen twice was received by the server's host and never answered; the client asked again
    /// on another connection, and that time it succeeded.
    ///
    /// # Why it matters
    /// The first may have been carried out too. Only the server's own records can tell.
    ///
    /// # How it is decided
    /// Both requests have the same fingerprint, all bytes of the first were acknowledged, no answer to it was seen though
    /// both directions were recorded (or a proxy answered that it had given up waiting), its connection is over, and the
    /// second was answered with success within two minutes. A first request that was not wholly acknowledged was never
    /// read, and repeating it is safe. A key by which the server can know the second settles the question.
    ///
    /// # What it cannot know
    /// What the server did with the first.
    ///
    /// # How to mend it
    /// Look the first request up in the server's log by the time given here. Send a key with every unsafe request.
    ///
    /// # Sources
    /// RFC 9110 section 9.2.2; `domain.md` D.6, D.9.
    "GSD402", "possible-duplicate", "an unsafe action was repeated, and the first may have been carried out", Warning, Application, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for retry in retries::all(population) {
        let unsure = matches!(retry.heard, Heard::Nothing | Heard::GivenUp(_));
        let Some(second) = retry.second.granted().filter(|_| unsure) else { continue };
        let (first, asked) = (retry.first, retry.second.acted.asked);
        if !retry.is_unsafe() || !first.arrived() || retry.has_token() || first.is_mail() {
            continue;
        }
        let what = first.name();
        let mut finding = Finding::of(
            &RULE,
            &retry.second.subject,
            format!("{what} was repeated {} after the first, of which {}", retry.after(), retry.because()),
        )
        .on(retry.connections())
        .at(asked.time)
        .key(retry.key())
        .confidence(Confidence::High)
        .fault(Fault::Client)
        .why("all of the first request was acknowledged by the server's host, so it may have been carried out; the second succeeded")
        .advice("look the first request up in the server's log; send a key with the request (Idempotency-Key) so that the server knows a repetition")
        .shows_point(first.acted.asked, "the first request")
        .shows_point(asked, "the same request again")
        .shows_point(second, "which succeeds")
        .seconds("repeated_after_s", retry.after());
        finding = match retry.heard {
            Heard::GivenUp(at) => finding.shows_point(at, "the answer says that somebody gave up waiting"),
            _ => finding.absence(
                (first.acted.asked.time, first.part.connection.end),
                first.part.connection.ended.frames.iter().copied(),
                "no answer to the first until its connection ended",
            ),
        };
        findings.add(finding);
    }
}
