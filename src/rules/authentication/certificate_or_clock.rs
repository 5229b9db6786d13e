//! GSA510: a certificate was not accepted.

use crate::events::security::ClientCertificate;
use crate::events::{Code, Confidence, Side};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Population, Severity, Subject};

rule! {
    /// # What it finds
    /// A security handshake that ended because one side did not accept the other's certificate, or wanted one and got
    /// none.
    ///
    /// # Why it matters
    /// No session comes to be. After a renewal that went wrong all clients stand outside.
    ///
    /// # How it is decided
    /// The alert that refuses the handshake says so: bad, unsupported, revoked, expired or unknown certificate, unknown
    /// authority, certificate required. Where every client of this server has it (three and more), it is an error and
    /// the certificate of the server is to blame.
    ///
    /// # What it cannot know
    /// Alerts of TLS 1.3 are encrypted: then the place of the alert is all that is known. Whether a certificate is out of date or a clock wrong, only its dates tell.
    ///
    /// # How to mend it
    /// Compare the dates of the certificate with the clocks of both sides; check that the chain is sent as a whole and
    /// that the client knows its root.
    ///
    /// # Sources
    /// RFC 8446 section 6.2; RFC 5246 section 7.2.2; `domain.md` D.9.
    "GSA510", "certificate-or-clock", "a certificate was not accepted", Warning, Presentation, Population(check)
}

/// So many clients that all fail show that it is not a single client's matter.
const ALL: usize = 3;

/// The handshake failed, without a word on why (RFC 5246 section 7.2.2).
const FAILURE: u32 = 40;

/// What an alert says of a certificate, and how to mend that (RFC 8446 section 6.2).
fn blame(alert: u32) -> Option<(&'static str, &'static str)> {
    Some(match alert {
        42 => (
            "the certificate is corrupt or its signature wrong",
            "check the certificate and the key that signs",
        ),
        43 => {
            ("the certificate is of an unsupported kind", "use a certificate of a kind that both sides know")
        }
        44 => ("the certificate is revoked", "install a new certificate"),
        45 => (
            "the certificate has expired or is not valid yet",
            "renew the certificate; compare the clocks of both sides with its dates",
        ),
        46 => ("the certificate is not acceptable", "look into the log of the side that refused it"),
        48 => (
            "the authority that signed it is not known",
            "send the whole chain, and let the other side trust its root",
        ),
        116 => ("a certificate is required and none was shown", "give the client a certificate"),
        _ => return None,
    })
}

/// What the refusal says, and how to mend it. An alert that is encrypted does not say what it means.
fn refusal(part: &Part<'_>) -> Option<(&'static str, &'static str)> {
    let refused = part.leg.refused.as_ref()?;
    let security = part.leg.security.as_ref()?;
    let wants_proof = security.client_certificate != ClientCertificate::NotSeen;
    match refused.code {
        Code::Decimal(FAILURE) if wants_proof && refused.by == Side::Server => Some((
            "it had asked the client for a certificate",
            "give the client a certificate that the server trusts",
        )),
        Code::Decimal(alert) => blame(alert),
        Code::None if refused.confidence < Confidence::Certain => Some((
            "its alert is encrypted, and comes where certificates are judged",
            "look into the log of the side that refused; check the dates of the certificate, its names, and whether its chain leads to a root that the other side knows",
        )),
        _ => None,
    }
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (_, sessions) in population.servers() {
        let secured =
            sessions.iter().filter(|subject| subject.mains().any(|part| part.leg.security.is_some()));
        let all = secured.count();
        let failed: Vec<(Subject<'_>, Part<'_>)> = sessions
            .iter()
            .filter_map(|subject| Some((*subject, subject.mains().find(|part| refusal(part).is_some())?)))
            .collect();
        let everybody = failed.len() == all && all >= ALL;
        for (subject, part) in failed {
            if let Some(finding) = judge(subject, part) {
                findings.add(if everybody {
                    finding.severity(Severity::Error).number("clients_failing", all)
                } else {
                    finding
                });
            }
        }
    }
}

fn judge(subject: Subject<'_>, part: Part<'_>) -> Option<Finding> {
    let (refused, (what, mend)) = (part.leg.refused.as_ref()?, refusal(&part)?);
    let read = refused.code.number();
    let finding = Finding::of(
        &RULE,
        &subject,
        format!("the {} refused the handshake: {what}", refused.by.name()),
    )
    .on([part.connection.id])
    .at(refused.at.time)
    .confidence(if read.is_some() { Confidence::Certain } else { Confidence::Medium })
    .fault(Fault::from(refused.by.other()))
    .why(read.map_or_else(
        || {
            String::from(
                "the handshake ended with a record that is as long as an alert, and with the connection",
            )
        },
        |alert| format!("the alert {alert} says so"),
    ))
    .advice(mend)
    .shows_point(refused.at, "the alert")
    .shows(part.connection.ended.frames.iter().copied(), "the end of the connection");
    Some(match read {
        Some(alert) => finding.number("alert", alert),
        None => finding,
    })
}
