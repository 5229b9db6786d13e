//! GSA511: a login that is bound to its connection has to be made again for every request.

use crate::events::Confidence;
use crate::rules::{Fault, Finding, Findings, Subject};
use crate::session::LoginResult;

rule! {
    /// # What it finds
    /// A client that goes through the whole exchange of an NTLM login for every single request, though one is meant to
    /// last as long as its connection.
    ///
    /// # Why it matters
    /// Each request takes three times as long, and the directory server is asked each time.
    ///
    /// # How it is decided
    /// On one connection credentials of NTLM were sent ten times and more (five exchanges of two messages), none of them
    /// refused.
    ///
    /// # What it cannot know
    /// Whether a proxy mixes several users on one connection, which makes this necessary.
    ///
    /// # How to mend it
    /// Let the server keep the login for the connection (`AuthPersistSingleRequest` off in IIS), and let proxies tie a
    /// client's connection to one of the server's.
    ///
    /// # Sources
    /// RFC 4559 section 6; MS-NTHT section 3.1; `domain.md` D.9.
    "GSA511", "connection-bound-auth-broken", "a whole login for every request", Warning, Session, Session(check)
}

/// Credentials sent in so many exchanges of two messages.
const MANY: u32 = 10;

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.mains() {
        let ntlm = part.leg.logins.list.iter().filter(|login| {
            login.mechanism == Some("ntlm") && login.refusals == 0 && login.result == LoginResult::Granted
        });
        let (attempts, first, last) = ntlm.fold((0_u32, None, None), |(attempts, first, _), login| {
            (attempts.saturating_add(login.attempts), first.or(Some(login.begun)), Some(login.last))
        });
        let (Some(first), Some(last)) = (first, last) else { continue };
        if attempts < MANY {
            continue;
        }
        findings.add(
            Finding::of(&RULE, &subject, format!("credentials were sent {attempts} times on one connection, though one login lasts as long as it"))
                .on([part.connection.id])
                .at(last.time)
                .key(part.connection.id.to_string())
                .confidence(Confidence::Certain)
                .fault(Fault::Server)
                .why("the server challenged the client again and again and refused none of its answers")
                .advice("let the server keep the login for the connection (IIS: authPersistSingleRequest off), and let proxies tie each client's connection to one of the server's")
                .shows_point(first, "the first exchange begins")
                .shows_point(last, "the last one ends")
                .number("credentials_sent", attempts),
        );
    }
}
