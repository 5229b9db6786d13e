//! GSA503: a login that had been good is refused, and nobody logged out.

use std::fmt::Write as _;

use crate::events::{Confidence, Use};
use crate::rules::keys::{self, Worn};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Population, Severity, Subject};
use crate::session::Point;

rule! {
    /// # What it finds
    /// A cookie, token or password that the server had accepted and later refuses, or answers with its login page, with
    /// no logout between.
    ///
    /// # Why it matters
    /// The user is thrown out in the middle. What had been entered and not yet sent is lost.
    ///
    /// # How it is decided
    /// The protocol's dissector remembers which credentials were accepted on a connection, and marks their later refusal.
    /// Over connections the same key was issued by a login, or shown with work that was granted, on one, and is sent to
    /// the login page or refused on a later one.
    /// It is an error where work had been confirmed under that login or was under way: then a workflow breaks. Time
    /// since the last question, and since the login, are told side by side; a limit of idleness and one of age look alike
    /// in a single case.
    ///
    /// # What it cannot know
    /// Whether the server forgot the login by a timer, by a restart, or on purpose.
    ///
    /// # How to mend it
    /// Let the login live longer than a user needs between two steps, or renew it while it is used; let the client renew
    /// it before it ends, and keep what was entered.
    ///
    /// # Sources
    /// RFC 6265 section 5.3; RFC 6750 section 3.1; `domain.md` D.9.
    "GSA503", "login-expired-midway", "a login that was good is refused", Warning, Session, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (_, sessions) in population.pairs() {
        for subject in &sessions {
            on_one_connection(*subject, findings);
        }
        for worn in keys::worn(&sessions) {
            findings.add(over_connections(&worn));
        }
    }
}

/// The key was good on an earlier connection.
fn over_connections(worn: &Worn<'_>) -> Finding {
    let after = worn.refused.time.since(worn.served.at.time);
    let finding = Finding::of(
        &RULE,
        &worn.subject,
        format!("a login that had been good on another connection was refused {after} later"),
    )
    .on([worn.served.part.connection.id, worn.part.connection.id])
    .at(worn.refused.time)
    .key(worn.part.connection.id.to_string())
    .confidence(Confidence::High)
    .fault(Fault::Server)
    .why("the same cookie or token was good on an earlier connection, and no logout was seen between")
    .advice(format!("let the server keep a login for longer than {after}, or let the client renew it before, and keep what the user has entered"))
    .context_point(worn.served.at, "the key is good")
    .shows_point(worn.refused, "the refusal")
    .seconds("age_s", after);
    if worn.served.worked { finding.severity(Severity::Error) } else { finding }
}

fn on_one_connection(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        let Some(refused) = part.leg.logins.expired.first().copied() else { continue };
        if gave_up(&part, refused) {
            continue;
        }
        let leg = part.leg;
        let in_work = leg.works.open().any(|work| work.begun.time < refused.time)
            || leg.works.last_confirmed.as_ref().is_some_and(|point| point.at.time < refused.time);
        let login =
            leg.logins.list.iter().rfind(|login| login.last.time <= refused.time && login.refusals == 0);
        let mut quiet = leg.clocks.quiet.iter().filter(|quiet| quiet.until.time <= refused.time);
        let idle = quiet.next_back().map(|quiet| quiet.span);
        let age = login.map(|login| refused.time.since(login.last.time));
        let mut message = String::from("a login that had been accepted was refused");
        if let Some(age) = age {
            let _ = write!(message, " {age} after it was made");
        }
        if let Some(idle) = idle {
            let _ = write!(message, ", after {idle} without a question");
        }
        let mut finding = Finding::of(&RULE, &subject, message)
            .on([part.connection.id])
            .at(refused.time)
            .key(part.connection.id.to_string())
            .confidence(Confidence::High)
            .fault(Fault::Server)
            .why("the same credential was accepted before on this connection, and no logout was seen between")
            .advice(match idle {
                Some(idle) => format!("let the server keep a login for longer than {idle} of idleness, or let the client renew it before"),
                None => String::from("let the client renew its login before it ends, and keep what the user has entered"),
            })
            .shows_point(refused, "the refusal");
        if in_work {
            finding = finding.severity(Severity::Error);
        }
        if let Some(confirmed) =
            leg.works.last_confirmed.as_ref().filter(|point| point.at.time < refused.time)
        {
            finding = finding.shows_point(confirmed.at, "work that was confirmed under this login");
        }
        if let Some(login) = login {
            finding = finding.context_point(login.last, "the login");
        }
        if let Some(idle) = idle {
            finding = finding.seconds("idle_s", idle);
        }
        if let Some(age) = age {
            finding = finding.seconds("age_s", age);
        }
        findings.add(finding);
    }
}

/// Whether an identity was given up before: a logout.
fn gave_up(part: &Part<'_>, refused: Point) -> bool {
    let mut known = part.leg.identities.iter();
    known.any(|known| known.identity.used == Use::Drops && known.first.time < refused.time)
}
