//! GSR302: a pre-shared key of TLS 1.3 was offered, and the server did not select it.

use crate::rules::tls_offers::passed_over;
use crate::rules::{Findings, Population};

rule! {
    /// # What it finds
    /// A client that offers a pre-shared key from an earlier TLS 1.3 session, and a server whose hello selects none.
    ///
    /// # Why it matters
    /// Every connection pays for certificates and signatures again, and early data are lost with the key.
    ///
    /// # How it is decided
    /// The last server hello (not a request to try again) has no `pre_shared_key`. It is a warning where the name took
    /// such a key before in the capture, or where at least half of six or more offers were passed over. Else a remark:
    /// the tickets of TLS 1.3 are issued encrypted, so that nobody sees how old one is.
    ///
    /// # What it cannot know
    /// The age and the issuer of the ticket; whether the server uses each only once, or was restarted.
    ///
    /// # How to mend it
    /// Share and rotate the ticket keys over all backends, keep the former key until its tickets have run out, and do not
    /// announce a longer lifetime than that.
    ///
    /// # Sources
    /// RFC 8446 sections 2.2, 4.2.11, 4.6.1; `domain.md` D.9.
    "GSR302", "tls13-psk-refused", "a pre-shared key of TLS 1.3 was offered and not selected", Warning, Presentation, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for offer in passed_over(population, &["tls-psk"], &["tls-psk"]) {
        if offer.facts.resumed != Some(false) {
            continue;
        }
        let message = format!("{} did not select the pre-shared key that the client offered", offer.name());
        let mut finding = offer
            .claim(
                &RULE,
                message,
                "the server's hello selects no key",
                "the ticket was issued out of sight, so that the server may have had reason",
            )
            .advice("share the ticket keys between the backends, and keep the former one until its tickets have run out");
        if offer.facts.retried {
            finding = finding.ruled_out("a request to try again: the hello after it is the one that counts");
        }
        findings.add(finding);
    }
}
