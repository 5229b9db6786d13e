//! GSA505: the session's key stayed the same over a login.

use crate::events::{Confidence, IdentityKind, Use};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Severity, Subject};
use crate::session::{Known, Login, LoginResult};

rule! {
    /// # What it finds
    /// A session cookie that was shown before a login, and that goes on being the key of the session after it.
    ///
    /// # Why it matters
    /// Whoever knew the cookie before the login is logged in now (session fixation).
    ///
    /// # How it is decided
    /// A cookie of the kind that names a session was shown before a form login that succeeded and was shown after it,
    /// and the server issued no session cookie with or after the login. Where the connection can be read by anybody on the way,
    /// it is a warning.
    ///
    /// # What it cannot know
    /// Whether the cookie names a device and not the session; another cookie that was not read may be the key.
    ///
    /// # How to mend it
    /// Let the server issue a new session id at every login.
    ///
    /// # Sources
    /// OWASP Session Management Cheat Sheet ("Renew the session ID after any privilege level change"); RFC 6265 section
    /// 8.4; `domain.md` D.9.
    "GSA505", "session-id-not-rotated", "the session id stayed the same over a login", Info, Session, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.mains() {
        let logins = part.leg.logins.list.iter();
        for login in
            logins.filter(|login| login.result == LoginResult::Granted && login.mechanism == Some("form"))
        {
            let Some(kept) = kept_over(&part, login) else { continue };
            let clear = part.leg.security.is_none();
            findings.add(
                Finding::of(&RULE, &subject, "the session cookie is the same before and after the login")
                    .severity(if clear { Severity::Warning } else { Severity::Info })
                    .confidence(Confidence::High)
                    .on([part.connection.id])
                    .at(login.last.time)
                    .key(format!("{} {}", part.connection.id, login.begun.first.number))
                    .fault(Fault::Server)
                    .why("the same cookie was shown before the login and after it, and no session cookie was issued with or after the login")
                    .advice("let the server issue a new session id at every login")
                    .shows_point(kept.first, "the cookie before the login")
                    .shows_point(login.last, "the login succeeds")
                    .shows_point(kept.last, "the same cookie after the login"),
            );
        }
    }
}

/// The session cookie that was shown before this login and after it, if no other was issued.
fn kept_over<'a>(part: &Part<'a>, login: &Login) -> Option<&'a Known> {
    let cookies = || part.leg.identities.iter().filter(|known| known.identity.kind == IdentityKind::Cookie);
    let issued =
        cookies().any(|known| known.identity.used == Use::Issues && known.last.time >= login.begun.time);
    let mut shown = cookies().filter(|known| known.identity.used == Use::Shows);
    let kept = shown.find(|known| known.first.time < login.begun.time && known.last.time > login.last.time);
    kept.filter(|_| !issued)
}
