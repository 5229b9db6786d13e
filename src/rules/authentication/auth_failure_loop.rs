//! GSA501: a client fails to log in, again and again.

use crate::events::Marks;
use crate::rules::{Fault, Finding, Findings, Population, Severity, Subject};
use crate::session::{Login, LoginResult};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A client whose logins are refused three times and more within five minutes, with no success between.
    ///
    /// # Why it matters
    /// A program with a wrong password tries for ever: it locks the account, fills logs, and looks like an attack.
    ///
    /// # How it is decided
    /// The refusals of one client host at one server are counted over all its connections in order of time; a login that
    /// succeeds begins the count anew. Rounds of one login (a challenge and its answer) are no refusals. Ten a minute, or
    /// a server that says that there were too many, is an error.
    ///
    /// # What it cannot know
    /// Whether a person or a program tries, and whether it is the same person behind one address.
    ///
    /// # How to mend it
    /// Correct the stored credentials of that client; let it stop after the first refusal.
    ///
    /// # Sources
    /// RFC 4954 section 4; RFC 959 section 4.2 (530); RFC 9110 section 15.5.2; `domain.md` D.9.
    "GSA501", "auth-failure-loop", "logins are refused again and again", Warning, Application, Population(check)
}

/// So many refusals are a loop.
const MANY: u32 = 3;

/// Within so long.
const WINDOW: Span = Span::from_secs(300);

/// So many a minute are an attack, or look like one.
const FAST: u32 = 10;

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (_, sessions) in population.pairs() {
        let mut logins: Vec<(Subject<'_>, &Login)> = sessions
            .iter()
            .flat_map(|subject| subject.session.logins().map(|login| (*subject, login)))
            .collect();
        logins.sort_by_key(|(_, login)| login.begun.time);
        let mut run: Vec<(Subject<'_>, &Login)> = Vec::new();
        for (subject, login) in logins {
            let stale = run.last().is_some_and(|(_, last)| login.begun.time.since(last.last.time) > WINDOW);
            if stale {
                report(&run, findings);
                run.clear();
            }
            match login.result {
                LoginResult::Refused => run.push((subject, login)),
                // Somebody who mistyped and got in after all.
                LoginResult::Granted => run.clear(),
                LoginResult::Unanswered | LoginResult::Abandoned => {}
            }
        }
        report(&run, findings);
    }
}

fn report(run: &[(Subject<'_>, &Login)], findings: &mut Findings) {
    let refusals: u32 = run.iter().map(|(_, login)| login.refusals).sum();
    let (Some((subject, first)), Some((_, last))) = (run.first(), run.last()) else { return };
    if refusals < MANY {
        return;
    }
    let took = last.last.time.since(first.begun.time);
    let fast = refusals >= FAST && i64::from(refusals) * 60 >= i64::from(FAST) * took.0 / 1_000_000_000;
    let limited = run.iter().any(|(_, login)| login.marks.has(Marks::LIMIT));
    let who = if first.principal.is_some() { "one user" } else { "the client" };
    let connections =
        run.iter().flat_map(|(subject, _)| subject.session.legs.iter().map(|leg| leg.connection));
    let mut finding = Finding::of(&RULE, subject, format!("{refusals} logins of {who} were refused within {took}"))
        .on(connections)
        .at(last.last.time)
        .key(first.begun.first.number.to_string())
        .occurrences(run.len())
        .fault(Fault::Client)
        .why("the server refused each of them, and none succeeded between")
        .advice("correct the stored credentials of this client, and let it stop after a refusal; look whether the account is locked by now")
        .number("refusals", refusals)
        .seconds("within_s", took);
    for (_, login) in run.iter().take(4) {
        finding = finding.shows_point(login.last, "refused");
    }
    if fast || limited {
        finding = finding.severity(Severity::Error);
    }
    findings.add(finding);
}
