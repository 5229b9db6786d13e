//! GSA509: a login is good for work after its logout.

use crate::events::{Confidence, Safety, Use};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Subject};
use crate::session::{Acted, Known, LoginResult};

rule! {
    /// # What it finds
    /// A key (cookie, token) with which work was done after the server had acknowledged the logout that ends it.
    ///
    /// # Why it matters
    /// The user believes to be logged out, and whoever has the key goes on.
    ///
    /// # How it is decided
    /// An identity was given up by a logout that was answered, the same identity was shown again later on the same
    /// connection, and a request that changes something was granted from then on, with no login between. Reading pages
    /// proves nothing: they may be public or cached.
    ///
    /// # What it cannot know
    /// Whether the work would have been granted to anybody.
    ///
    /// # How to mend it
    /// Let the server forget the key at the logout, and not only ask the browser to do so.
    ///
    /// # Sources
    /// OWASP Session Management Cheat Sheet ("Manual session expiration"); `domain.md` D.9.
    "GSA509", "logout-not-honoured", "a login is good for work after its logout", Error, Session, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.mains() {
        let Some((dropped, worked)) = used_after_logout(&part) else { continue };
        let Some((_, granted)) = worked.answer else { continue };
        findings.add(
            Finding::of(&RULE, &subject, "work was done with a login after its logout")
                .on([part.connection.id])
                .at(granted.time)
                .key(part.connection.id.to_string())
                .confidence(Confidence::High)
                .fault(Fault::Server)
                .why("the key that the logout gave up was shown again, and a request that changes something was granted with it")
                .advice("let the server forget the key at the logout, and not only ask the browser to drop it")
                .shows_point(dropped.last, "the logout")
                .shows_point(worked.asked, "work with the same key")
                .shows_point(granted, "which is granted"),
        );
    }
}

fn used_after_logout<'a>(part: &Part<'a>) -> Option<(&'a Known, &'a Acted)> {
    let known = &part.leg.identities;
    let dropped = known.iter().find(|known| known.identity.used == Use::Drops)?;
    let shown = known.iter().find(|other| {
        other.identity.used == Use::Shows
            && other.identity.hash == dropped.identity.hash
            && other.last.time > dropped.last.time
    })?;
    let logged_in = part
        .leg
        .logins
        .list
        .iter()
        .any(|login| login.result == LoginResult::Granted && login.last.time > dropped.last.time);
    let worked = part.leg.actions.iter().rfind(|acted| {
        acted.asked.time > dropped.last.time
            && acted.asked.time <= shown.last.time
            && acted.action.safety != Safety::Safe
            && acted.answer.is_some_and(|(granted, _)| granted)
            && acted.reply.as_ref().and_then(|reply| reply.code.number()).is_none_or(|code| code < 300)
    })?;
    (!logged_in).then_some((dropped, worked))
}
