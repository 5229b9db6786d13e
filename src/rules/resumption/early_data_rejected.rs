//! GSR303: data sent before the handshake was over were rejected.

use crate::rules::tls_offers::passed_over;
use crate::rules::{Findings, Population};

rule! {
    /// # What it finds
    /// A client that sends early data (TLS 1.3 0-RTT), and a server that does not take them: it selects no key, or asks to
    /// try again.
    ///
    /// # Why it matters
    /// The early data travelled for nothing and are sent again: the fast path costs more than the slow one.
    ///
    /// # How it is decided
    /// By the server's hello: with another try asked for, or without a key, early data are rejected (RFC 8446 section
    /// 4.2.10). It is a warning where the name took a key or early data before in the capture, or rejects at least half of six or
    /// more; else it may be the server's policy, and is a remark.
    ///
    /// # What it cannot know
    /// What the encrypted extensions say: with a key selected, a rejection is not to be seen from outside.
    ///
    /// # How to mend it
    /// Share the ticket keys and the record of used tickets between the backends, or do not offer early data at all.
    ///
    /// # Sources
    /// RFC 8446 sections 2.3, 4.2.10, 8; RFC 8470 section 5.2; `domain.md` D.9.
    "GSR303", "early-data-rejected", "early data of TLS 1.3 were rejected", Warning, Presentation, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for offer in passed_over(population, &["tls-early-data"], &["tls-psk", "tls-early-data"]) {
        let how =
            if offer.facts.retried { "the server asked to try again" } else { "the server selected no key" };
        let message = format!("{} rejected the early data of the client", offer.name());
        let finding =
            offer.claim(&RULE, message, how, "that it ever takes early data, the capture does not show");
        findings.add(finding.advice("share the ticket keys and the record of used tickets between the backends, or switch early data off at the client"));
    }
}
