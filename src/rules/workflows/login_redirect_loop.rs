//! GSW605: a client is sent to the login, logs in, and is sent there again.

use crate::events::Confidence;
use crate::rules::{Fault, Finding, Findings, Population, Severity, Subject};
use crate::session::{LoginResult, Point};
use crate::time::Span;

rule! {
    /// # What it finds
    /// The same page that sends a client to the login at least three times within a minute, though it was served by the
    /// login between.
    ///
    /// # Why it matters
    /// The user cannot get in, and browsers give up with "too many redirects".
    ///
    /// # How it is decided
    /// The redirects to the login are counted for each page asked for; between each two of them a login was accepted, or
    /// another page was served and led back at once (two seconds at most, faster than people are). From five rounds on it
    /// is an error.
    ///
    /// # What it cannot know
    /// Which attribute of the cookie keeps it from coming back, unless it is seen.
    ///
    /// # How to mend it
    /// Let the cookie of the login be good for the page: its domain, path, `Secure` (behind a proxy that ends TLS, the
    /// application has to know that the client speaks TLS) and `SameSite`.
    ///
    /// # Sources
    /// RFC 6265 section 5.4; `domain.md` D.9.
    "GSW605", "login-redirect-loop", "a client is sent to the login over and over", Warning, Application, Population(check)
}

/// So many rounds in this time.
const ROUNDS: usize = 3;
const WINDOW: Span = Span::from_secs(60);

/// A round that no human makes.
const FAST: Span = Span::from_secs(2);

/// From here on nobody believes in chance.
const ENDLESS: usize = 5;

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (_, subjects) in population.pairs() {
        let mut away: Vec<(&str, Point, u32)> = subjects
            .iter()
            .flat_map(|subject| subject.parts())
            .flat_map(|part| {
                part.leg
                    .sent_away
                    .iter()
                    .map(move |(object, at)| (object.as_deref().unwrap_or("/"), *at, part.connection.id))
            })
            .collect();
        away.sort_by_key(|(object, at, _)| (*object, at.time));
        for group in away.chunk_by(|one, other| one.0 == other.0) {
            let close = |window: &&[(&str, Point, u32)]| {
                let span =
                    window.first().zip(window.last()).map(|(first, last)| last.1.time.since(first.1.time));
                span.is_some_and(|span| span <= WINDOW)
                    && window
                        .windows(2)
                        .all(|pair| matches!(pair, [one, other] if led_back(&subjects, one.1, other.1)))
            };
            let Some(window) = group.windows(ROUNDS).find(close) else { continue };
            let ([(object, first, _), ..], Some(subject)) = (window, subjects.first()) else { continue };
            let severity = if group.len() >= ENDLESS { Severity::Error } else { Severity::Warning };
            findings.add(
                Finding::of(&RULE, subject, format!("{object} sent the client to the login {} times, though the login was served between", group.len()))
                    .severity(severity)
                    .confidence(Confidence::High)
                    .on(group.iter().map(|(.., id)| *id))
                    .key(*object)
                    .at(first.time)
                    .fault(Fault::Server)
                    .why("between each two of these redirects the login was accepted or led back to the page")
                    .advice("check domain, path, Secure and SameSite of the login's cookie, and that the application knows by which scheme the client speaks")
                    .number("rounds", group.len())
                    .shows(group.iter().flat_map(|(_, at, _)| at.frames()), "the client is sent to the login"),
            );
        }
    }
}

/// Whether the client was at the login and came back between these moments.
fn led_back(subjects: &[Subject<'_>], from: Point, to: Point) -> bool {
    let between = |at: Point| at.time > from.time && at.time < to.time;
    subjects.iter().any(|subject| {
        let logged_in =
            subject.session.logins().any(|login| login.result == LoginResult::Granted && between(login.last));
        // Nobody but a program is led around so fast.
        let fast = to.time.since(from.time) <= FAST;
        let served = fast
            && subject.session.legs.iter().flat_map(|part| &part.leg.actions).any(|acted| {
                acted.answer.is_some_and(|(granted, at)| granted && between(at))
                    && acted.asked.time > from.time
            });
        logged_in || served
    })
}
