//! GSA504: after an interruption the client shows a login that is worth nothing any more, and does not learn.

use crate::events::{Confidence, Hash128, IdentityKind, Marks, Use};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Population, Subject};
use crate::session::{LoginResult, Point};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A client that comes again with the login of an earlier connection (cookie, token, user), is refused, and shows
    /// the same again, or gives up without logging in anew.
    ///
    /// # Why it matters
    /// The user believes to be logged in. Every click fails until the program is restarted.
    ///
    /// # How it is decided
    /// The earlier connection of the same client and server was served under the same identity. On the later ones the
    /// server refused it twice and more, or once and no new login was tried for ten seconds, and no login succeeded.
    /// Refused once and then logged in anew is how it ought to be.
    ///
    /// # What it cannot know
    /// Why the server forgot: a restart, a timer, an administrator.
    ///
    /// # How to mend it
    /// Let the client throw away a login that is refused, and log in anew.
    ///
    /// # Sources
    /// RFC 9110 section 15.5.2; RFC 6750 section 3.1; `domain.md` D.9.
    "GSA504", "stale-login-after-reconnect", "the client keeps showing a login that is refused", Error, Session, Population(check)
}

/// Who has not logged in anew by then will not.
const LEARNING: Span = Span::from_secs(10);

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (_, sessions) in population.pairs() {
        let mut parts: Vec<(Subject<'_>, Part<'_>)> =
            sessions.iter().flat_map(|subject| subject.mains().map(|part| (*subject, part))).collect();
        parts.sort_by_key(|(_, part)| (part.connection.start, part.connection.id));
        let mut run: Vec<(Subject<'_>, Part<'_>, Point)> = Vec::new();
        let mut good: Option<Part<'_>> = None;
        for (subject, part) in parts {
            let refused = refusal(&part);
            let shown = good.filter(|earlier| shows_same(earlier, &part));
            match refused {
                Some(at) if shown.is_some() && !part.leg.logins.granted() => run.push((subject, part, at)),
                _ => {
                    report(good, &run, findings, false);
                    run.clear();
                    if is_served(&part) {
                        good = Some(part);
                    }
                }
            }
        }
        report(good, &run, findings, true);
    }
}

/// Whether this connection was served under its login, or with a key that needs none.
fn is_served(part: &Part<'_>) -> bool {
    let logins = &part.leg.logins;
    logins.granted() || (logins.list.is_empty() && part.leg.dialog.answered > part.leg.dialog.refused)
}

/// Where a login was refused on this connection.
fn refusal(part: &Part<'_>) -> Option<Point> {
    // "Too many" says nothing of the login itself.
    let refused = part
        .leg
        .logins
        .list
        .iter()
        .find(|login| login.result == LoginResult::Refused && !login.marks.has(Marks::LIMIT));
    part.leg.logins.expired.first().copied().or(refused.map(|login| login.last))
}

/// How often.
fn refusals(part: &Part<'_>) -> usize {
    let refused: u32 = part.leg.logins.list.iter().map(|login| login.refusals).sum();
    part.leg.logins.expired.len() + refused as usize
}

fn keys<'a>(part: &Part<'a>) -> impl Iterator<Item = Hash128> + use<'a> {
    let leg = part.leg;
    let names = leg.identities.iter().filter(|known| {
        let login = matches!(
            known.identity.kind,
            IdentityKind::Cookie | IdentityKind::Token | IdentityKind::User | IdentityKind::SessionId
        );
        login && known.identity.used != Use::Drops
    });
    names.map(|known| known.identity.hash)
}

fn shows_same(earlier: &Part<'_>, later: &Part<'_>) -> bool {
    let known: Vec<Hash128> = keys(earlier).collect();
    keys(later).any(|key| known.contains(&key))
}

fn report(
    good: Option<Part<'_>>,
    run: &[(Subject<'_>, Part<'_>, Point)],
    findings: &mut Findings,
    last: bool,
) {
    let (Some(good), Some((subject, part, at))) = (good, run.first()) else { return };
    let count: usize = run.iter().map(|(_, part, _)| refusals(part)).sum();
    let gave_up = last && part.watched_after(at.time) >= LEARNING;
    if count < 2 && !gave_up {
        return;
    }
    let connections = run.iter().map(|(_, part, _)| part.connection.id).chain([good.connection.id]);
    findings.add(
        Finding::of(
            &RULE,
            subject,
            format!("the client came again with an earlier login, was refused {count} times, and did not log in anew"),
        )
        .on(connections)
        .at(at.time)
        .key(part.connection.id.to_string())
        .confidence(Confidence::Certain)
        .fault(Fault::Client)
        .why("the same identity was served on an earlier connection and is refused on the later ones, and no login succeeded after")
        .advice("let the client throw away a login that is refused, and log in anew")
        .context_point(good.leg.last, "the last that was said on the earlier connection")
        .shows(run.iter().flat_map(|(_, _, at)| at.frames()), "the refusals")
        .number("refusals", count),
    );
}
