//! GSA512: after a reconnection the client goes on without logging in.

use crate::events::{Confidence, Word};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Population, Subject};
use crate::session::LoginResult;

rule! {
    /// # What it finds
    /// A client that had logged in on an earlier connection to the same server, comes again, and asks for work without
    /// logging in: the server refuses and asks for a login.
    ///
    /// # Why it matters
    /// The part of the program that connects again forgot what the part that connects first knows. All work fails until
    /// somebody restarts it.
    ///
    /// # How it is decided
    /// On the later connection the server answered a question with "log in first", the client sent no credentials on it
    /// at any time, and an earlier connection of the same client host with the same server had a login that was accepted.
    ///
    /// # What it cannot know
    /// Whether another program on the same host made the earlier connection.
    ///
    /// # How to mend it
    /// Log in wherever a connection is made, not only at the start of the program.
    ///
    /// # Sources
    /// RFC 959 section 4.2 (530); RFC 4954 section 6 (530 5.7.0); `domain.md` D.9.
    "GSA512", "login-missing-after-reconnect", "the client came again and did not log in", Error, Application, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (_, sessions) in population.pairs() {
        let mut parts: Vec<(Subject<'_>, Part<'_>)> =
            sessions.iter().flat_map(|subject| subject.mains().map(|part| (*subject, part))).collect();
        parts.sort_by_key(|(_, part)| (part.connection.start, part.connection.id));
        let mut before: Option<Part<'_>> = None;
        for (subject, part) in parts {
            if let Some(earlier) = before.filter(|earlier| earlier.leg.protocol() == part.leg.protocol()) {
                findings_of(subject, earlier, part, findings);
            }
            if part.leg.logins.granted() {
                before = Some(part);
            }
        }
    }
}

fn findings_of(subject: Subject<'_>, earlier: Part<'_>, part: Part<'_>, findings: &mut Findings) {
    let logins = &part.leg.logins;
    let asked =
        logins.list.iter().find(|login| login.result == LoginResult::Abandoned && login.attempts == 0);
    let none_sent = logins.list.iter().all(|login| login.attempts == 0);
    let Some(asked) = asked.filter(|_| none_sent && part.leg.dialog.refused > 0) else { return };
    let Some(login) = earlier.leg.logins.list.iter().find(|login| login.result == LoginResult::Granted)
    else {
        return;
    };
    findings.add(
        Finding::of(
            &RULE,
            &subject,
            "the client asked for work on a new connection without logging in, as it had on the earlier one",
        )
        .on([earlier.connection.id, part.connection.id])
        .at(asked.begun.time)
        .key(part.connection.id.to_string())
        .confidence(Confidence::Certain)
        .fault(Fault::Client)
        .why(format!(
            "the server refused and asked for a login, and the client sent no {} on this connection",
            Word::Authenticate.name()
        ))
        .advice("log in wherever a connection is made, not only at the start of the program")
        .context_point(login.last, "the login on the earlier connection")
        .shows_point(asked.begun, "the server asks for a login on the new one")
        .number("refused", part.leg.dialog.refused),
    );
}
