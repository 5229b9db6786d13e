//! GSW609: protection or another protocol was asked for on a connection, and refused.

use crate::events::Scope;
use crate::rules::{Fault, Finding, Findings, Severity, Subject};

rule! {
    /// # What it finds
    /// STARTTLS, AUTH TLS, an SSL request or an upgrade that the other side refuses. It is a warning where credentials
    /// follow in clear.
    ///
    /// # Why it matters
    /// A client that goes on without protection shows its password to the path; somebody between may be the one who
    /// refused.
    ///
    /// # How it is decided
    /// The refusal is read, and what follows on the same connection: a login of which every word could be read.
    ///
    /// # What it cannot know
    /// Whether the client's owner wants it so.
    ///
    /// # How to mend it
    /// Enable TLS at the server, and have the client insist on it.
    ///
    /// # Sources
    /// RFC 3207 section 4.1; RFC 4217; RFC 8314 section 3; RFC 9110 section 7.8; `domain.md` D.9.
    "GSW609", "upgrade-refused", "an upgrade was asked for and refused", Warning, Presentation, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.mains() {
        let Some(refused) = part.leg.refused.as_deref() else { continue };
        // A refusal of the security layer itself, by an alert, is a failed handshake.
        let asked = refused.scope == Scope::Security && part.leg.security.is_none();
        let after = part.leg.dialog.last.client.as_ref().is_some_and(|turn| turn.at.time > refused.at.time);
        if !asked {
            continue;
        }
        let login = part
            .leg
            .logins
            .list
            .iter()
            .find(|login| login.begun.time > refused.at.time && login.attempts > 0);
        let clear = login.filter(|_| part.leg.opaque == 0);
        let (severity, consequence) = match (clear, after) {
            (Some(_), _) => (Severity::Warning, ", and sent its credentials in clear"),
            (None, true) => (Severity::Info, ", and went on without it"),
            (None, false) => (Severity::Info, ", and left"),
        };
        let mut finding = Finding::of(
            &RULE,
            &subject,
            format!("the client asked for protection, was refused ({}){consequence}", refused.code),
        )
        .severity(severity)
        .on([part.connection.id])
        .key(part.connection.id.to_string())
        .at(refused.at.time)
        .fault(if clear.is_some() { Fault::Client } else { Fault::Server })
        .why("the refusal and what follows it are read in clear")
        .advice("enable TLS at the server, and have the client insist on it")
        .shows_point(refused.at, "the refusal");
        if let Some(login) = clear {
            finding = finding.shows_point(login.begun, "credentials in clear");
        }
        findings.add(finding);
    }
}
