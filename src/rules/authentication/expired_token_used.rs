//! GSA502: a token was shown after its time.

use crate::events::{Confidence, Side, Timer};
use crate::rules::{Fault, Finding, Findings, Severity, Subject};
use crate::session::LoginResult;
use crate::time::Span;

rule! {
    /// # What it finds
    /// A token that names the end of its own validity, shown after that end.
    ///
    /// # Why it matters
    /// The server refuses it, and the client has to fail before it learns what it could have read.
    ///
    /// # How it is decided
    /// The token's own claim (`exp`) lies more than a minute before the time at which it was sent, by the clock of the
    /// recorder. Where the server refused it this is certain. Where the server accepted it, the recorder's clock may be
    /// wrong, or the server does not check: then it is only told (info).
    ///
    /// # What it cannot know
    /// Whose clock is right. Tokens that nobody outside can read.
    ///
    /// # How to mend it
    /// Let the client renew its token before `exp`; compare the clocks of client and issuer.
    ///
    /// # Sources
    /// RFC 7519 section 4.1.4; RFC 6750 section 3.1; `domain.md` D.1, D.9.
    "GSA502", "expired-token-used", "a token was shown after its time", Warning, Session, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        let declared = part.leg.clocks.declared.iter();
        let over = |(side, declared, _): &&(Side, crate::events::Declared, crate::session::Point)| {
            *side == Side::Client && declared.timer == Timer::Lifetime && declared.span == Span::ZERO
        };
        for (_, _, at) in declared.filter(over) {
            let refused = part
                .leg
                .logins
                .list
                .iter()
                .find(|login| login.result == LoginResult::Refused && login.last.time >= at.time)
                .map(|login| login.last)
                .or_else(|| part.leg.logins.expired.iter().find(|expired| expired.time >= at.time).copied());
            let mut finding = Finding::of(&RULE, &subject, "a token was shown after the end of its own validity")
                .on([part.connection.id])
                .at(at.time)
                .key(part.connection.id.to_string())
                .fault(Fault::Client)
                .why("the end that the token itself names lies more than a minute before it was sent")
                .advice("let the client renew its token before the end that it names; compare the clocks of client, issuer and server")
                .shows_point(*at, "the token is shown");
            finding = match refused {
                Some(refused) => {
                    finding.confidence(Confidence::Certain).shows_point(refused, "the server refuses it")
                }
                None => finding.confidence(Confidence::Medium).severity(Severity::Info),
            };
            findings.add(finding);
        }
    }
}
