//! GSD410: the two sides do not speak the same protocol, or not the same version of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::events::security::ClientCertificate;
use crate::events::{Code, Confidence, Endpoint, Side};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Population, Severity};
use crate::session::Point;

rule! {
    /// # What it finds
    /// A conversation that fails at its first words because the two sides do not speak the same language: TLS to a
    /// service in clear or the reverse, or versions that have nothing in common.
    ///
    /// # Why it matters
    /// It never works. Clients that try again and again hide it behind timeouts.
    ///
    /// # How it is decided
    /// The security handshake was refused with an alert that says so (unexpected message, handshake failure, protocol
    /// version, insufficient security, no application protocol); or the client began a security handshake and the
    /// server's first words were none of that language. A client that fails so at more than ten services looks around,
    /// and is only told of (info).
    ///
    /// # What it cannot know
    /// Which of the two is configured as was meant.
    ///
    /// # How to mend it
    /// Compare the port and the scheme in the client's configuration with what the server expects there; compare the
    /// versions and ciphers that both allow.
    ///
    /// # Sources
    /// RFC 8446 sections 4.2.1 and 6.2; RFC 7301 section 3.2; `domain.md` D.9.
    "GSD410", "protocol-mismatch", "the two sides do not speak the same protocol", Error, Presentation, Population(check)
}

/// A client that fails so at more services than this looks around, and means no service in particular.
const SCAN: usize = 10;

/// The handshake failed (RFC 8446 section 6.2).
const FAILURE: u32 = 40;

/// What an alert says about the languages of the two (RFC 8446 section 6.2, RFC 7301 section 3.2).
fn meaning(alert: u32) -> Option<&'static str> {
    Some(match alert {
        10 => "a message came that does not belong there",
        FAILURE => "they found no common parameters",
        70 => "the version of the protocol is not supported",
        71 => "the other side's parameters are not secure enough",
        86 => "falling back to an older version is refused",
        120 => "they have no application protocol in common",
        _ => return None,
    })
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    let mut failed: BTreeMap<IpAddr, BTreeSet<Endpoint>> = BTreeMap::new();
    for subject in
        population.subjects().filter(|subject| subject.mains().any(|part| mismatch(&part).is_some()))
    {
        let servers = failed.entry(subject.session.client.ip).or_default();
        servers.insert(subject.session.server);
    }
    for subject in population.subjects() {
        for part in subject.mains() {
            let Some((what, at, by)) = mismatch(&part) else { continue };
            let mut finding =
                Finding::of(&RULE, &subject, format!("the conversation failed at its first words: {what}"))
                    .on([part.connection.id])
                    .at(at.time)
                    .key(part.connection.id.to_string())
                    .confidence(Confidence::Certain)
                    .fault(Fault::Unknown)
                    .why(format!("the {} said so, and nothing else was agreed on", by.name()))
                    .advice("compare port, scheme and versions in the client's configuration with what the server offers there")
                    .context_point(part.leg.first, "the connection begins")
                    .shows_point(at, "the refusal");
            if failed.get(&subject.session.client.ip).is_some_and(|servers| servers.len() > SCAN) {
                finding = finding.severity(Severity::Info);
            }
            findings.add(finding);
        }
    }
}

fn mismatch(part: &Part<'_>) -> Option<(&'static str, Point, Side)> {
    let refused = part.leg.refused.as_ref()?;
    let security = part.leg.security.as_ref()?;
    // A server that wants a certificate and gets none may say no more than that the handshake failed.
    let wants_proof = security.client_certificate != ClientCertificate::NotSeen;
    let what = match refused.code {
        Code::Decimal(FAILURE) if wants_proof => return None,
        Code::Decimal(alert) => meaning(alert)?,
        // What is only guessed from outside, an encrypted alert, says nothing of languages.
        Code::None if refused.confidence == Confidence::Certain && refused.by == Side::Server => {
            "the client began a security handshake, and the server answered in clear"
        }
        _ => return None,
    };
    Some((what, refused.at, refused.by))
}
