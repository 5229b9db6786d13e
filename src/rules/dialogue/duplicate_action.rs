//! GSD401: the same unsafe action was carried out twice.

use crate::events::Confidence;
use crate::rules::retries::{self, Retry};
use crate::rules::{Fault, Finding, Findings, Population, Severity};

rule! {
    /// # What it finds
    /// An action that must not happen twice (an order, a payment, an append) was asked for again on another connection
    /// because its answer never reached the asker, and the server carried out both.
    ///
    /// # Why it matters
    /// There are two orders now. Neither side knows it: to the client the first one failed, to the server both are real.
    ///
    /// # How it is decided
    /// Both requests have the same fingerprint (operation, target and content), the second follows within two minutes on
    /// another connection of the same client and server, the answer to the first was never acknowledged by the client's
    /// host or came when the client had already closed, and both answers say yes. Two answers that name different
    /// results (two places, two queue ids) prove it; without such names it is an error and not critical. Requests that
    /// the same client makes four times and more with success are its habit, and are left alone.
    ///
    /// # What it cannot know
    /// Whether the server knew the second request by its content, and did nothing the second time. Mails are told of by
    /// `GSD405`.
    ///
    /// # How to mend it
    /// Send a key with every unsafe request (`Idempotency-Key`) and let the server keep its answer under that key; or ask
    /// for the state of the first before trying again. Let the client wait longer than the server works.
    ///
    /// # Sources
    /// RFC 9110 section 9.2.2 (a client should not retry what is not idempotent); `domain.md` D.6, D.9.
    "GSD401", "duplicate-action", "the same unsafe action was carried out twice", Critical, Application, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for retry in retries::all(population) {
        if let Some(finding) = judge(&retry) {
            findings.add(finding);
        }
    }
}

fn judge(retry: &Retry<'_>) -> Option<Finding> {
    let (first, second) = (retry.first.granted()?, retry.second.granted()?);
    let results = retry.results();
    let differ = results.is_some_and(|(one, other)| one != other);
    let known_by_key = retry.has_token() && !differ;
    let same = results.is_some_and(|(one, other)| one == other);
    if !retry.is_unsafe() || retry.second.is_mail() || known_by_key || same {
        return None;
    }
    let what = retry.second.name();
    let after = retry.after();
    let mut finding = Finding::of(
        &RULE,
        &retry.second.subject,
        format!("{what} was carried out twice: asked again {after} after the first, and both were answered with success"),
    )
    .on(retry.connections())
    .at(retry.second.acted.asked.time)
    .key(retry.key())
    .fault(Fault::Client)
    .why(format!("both requests are equal, and of the first {}", retry.because()))
    .advice("send a key with the request by which the server knows it again (Idempotency-Key), or ask what became of the first before repeating it; let the client wait longer than the server needs")
    .shows_point(retry.first.acted.asked, "the first request")
    .shows_point(first, format!("its answer says yes, but {}", retry.because()))
    .shows_point(retry.second.acted.asked, "the same request again")
    .shows_point(second, "its answer says yes too")
    .seconds("repeated_after_s", after)
    .ruled_out("a retransmission of TCP: the second request came on another connection");
    if let Some((one, other)) = results {
        finding = finding.why(format!("the two answers name different results: {one} and {other}"));
    } else {
        finding = finding.severity(Severity::Error).confidence(Confidence::High);
    }
    Some(finding)
}
