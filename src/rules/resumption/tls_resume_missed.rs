//! GSR301: a TLS session of version 1.2 or before was offered, and a full handshake followed.

use crate::rules::tls_offers::passed_over;
use crate::rules::{Findings, Population};

rule! {
    /// # What it finds
    /// A client that offers a session id or a ticket (TLS up to 1.2), and a server that answers with a full handshake.
    ///
    /// # Why it matters
    /// Every connection pays for a whole handshake: one more round trip, and the server's private key. Behind a load
    /// balancer it shows that the backends do not know each other's sessions.
    ///
    /// # How it is decided
    /// The server's hello has another session id, or its flight has a certificate. It is a warning where the offer could
    /// have been expected to be taken: it was issued in this capture for the same name and is not older than its lifetime,
    /// the name took one before, or at least half of six or more offers to the name were passed over. Else it is a remark.
    ///
    /// # What it cannot know
    /// Whether the server was restarted, or forgets on purpose. A session issued before the capture may be too old.
    ///
    /// # How to mend it
    /// Share the session cache or the ticket keys between the backends, keep ticket keys over reloads, and make the cache
    /// large enough for the lifetime that is announced.
    ///
    /// # Sources
    /// RFC 5246 section 7.4.1.3; RFC 5077 section 3.4; `domain.md` D.9.
    "GSR301", "tls-resume-missed", "a TLS session was offered, and a full handshake followed", Warning, Presentation, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for offer in passed_over(population, &["tls-session-id", "tls-ticket"], &["tls-session-id", "tls-ticket"])
    {
        // A server that speaks a newer version has nothing to resume of an older one.
        let old = offer.facts.version.is_none_or(|version| version < 0x0304);
        if offer.facts.resumed != Some(false) || !old {
            continue;
        }
        let what = if offer.resume.mechanism == "tls-ticket" { "ticket" } else { "session id" };
        let message = format!("{} did not go on from the {what} that the client offered", offer.name());
        let finding = offer.claim(
            &RULE,
            message,
            "a full handshake followed",
            "where it was issued is not in the capture, so that the server may have had reason",
        );
        findings.add(finding.advice("share the session cache or the ticket keys between the backends, and keep them over reloads for as long as the lifetime that is announced"));
    }
}
