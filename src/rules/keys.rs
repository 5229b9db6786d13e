//! Keys of logins (cookies, tokens) over the connections of one client: where each was good, and where it was not.

use std::collections::{BTreeMap, BTreeSet};

use super::subject::{Part, Subject};
use crate::events::{Hash128, IdentityKind, Safety, Use};
use crate::session::{Known, LoginResult, Point};

/// Where a key was good.
#[derive(Debug, Clone, Copy)]
pub struct Served<'a> {
    /// On which connection.
    pub part: Part<'a>,
    /// What shows it: the login that issued it, or work that was granted.
    pub at: Point,
    /// Whether work was granted with it.
    pub worked: bool,
}

/// A key that was good, and is not any more on another connection.
#[derive(Debug, Clone, Copy)]
pub struct Worn<'a> {
    /// The session of the refusal.
    pub subject: Subject<'a>,
    /// The connection of the refusal.
    pub part: Part<'a>,
    /// The refusal.
    pub refused: Point,
    /// Where the key was good before.
    pub served: Served<'a>,
}

/// The keys of these sessions (of one client with one server) that were good on one connection and later refused on
/// another, with no logout between; once a connection.
pub fn worn<'a>(sessions: &[Subject<'a>]) -> Vec<Worn<'a>> {
    let mut served: BTreeMap<Hash128, Served<'a>> = BTreeMap::new();
    let mut dropped: BTreeSet<Hash128> = BTreeSet::new();
    let parts = || sessions.iter().flat_map(|subject| subject.mains().map(|part| (*subject, part)));
    for (_, part) in parts() {
        for known in keys(&part) {
            if known.identity.used == Use::Drops {
                dropped.insert(known.identity.hash);
            } else if let Some((at, worked)) = good(&part, known) {
                let new = Served { part, at, worked };
                let kept = served.entry(known.identity.hash).or_insert(new);
                if at.time < kept.at.time {
                    *kept = Served { worked: worked || kept.worked, ..new };
                } else {
                    kept.worked |= worked;
                }
            }
        }
    }
    parts()
        .filter_map(|(subject, part)| {
            let refused = refusal(&part)?;
            let shown = keys(&part)
                .filter(|known| known.identity.used == Use::Shows && known.first.time <= refused.time);
            let mut before = shown.filter_map(|known| {
                let served = served.get(&known.identity.hash)?;
                let elsewhere = served.part.connection.id != part.connection.id;
                let kept = !dropped.contains(&known.identity.hash);
                (elsewhere && kept && served.at.time < refused.time).then_some(*served)
            });
            before.next().map(|served| Worn { subject, part, refused, served })
        })
        .collect()
}

fn keys<'a>(part: &Part<'a>) -> impl Iterator<Item = &'a Known> + use<'a> {
    let known = part.leg.identities.iter();
    known.filter(|known| matches!(known.identity.kind, IdentityKind::Cookie | IdentityKind::Token))
}

/// Where this connection shows that the key is good, and whether work was granted with it.
fn good(part: &Part<'_>, known: &Known) -> Option<(Point, bool)> {
    if refusal(part).is_some() {
        return None;
    }
    let login = part.leg.logins.list.iter().find(|login| login.result == LoginResult::Granted);
    let work = part.leg.actions.iter().find(|acted| {
        let plain = acted.reply.as_ref().and_then(|reply| reply.code.number()).is_none_or(|code| code < 300);
        let changes = !matches!(acted.action.safety, Safety::Safe | Safety::Unknown);
        changes && plain && acted.asked.time >= known.first.time
    });
    let granted = work.and_then(|acted| acted.answer).filter(|(granted, _)| *granted).map(|(_, at)| at);
    match (known.identity.used, granted, login) {
        (Use::Shows, Some(at), _) => Some((at, true)),
        (_, _, Some(login)) => Some((login.last, false)),
        _ => None,
    }
}

/// Where this connection was asked to log in, or refused a login, and nobody could log in on it before that.
fn refusal(part: &Part<'_>) -> Option<Point> {
    let refused = part.leg.logins.list.iter().find(|login| login.result == LoginResult::Refused);
    let away = part.leg.sent_away.first().map(|(_, at)| *at);
    let refused = away.or(refused.map(|login| login.last))?;
    let mut logins = part.leg.logins.list.iter();
    let logged_in =
        logins.any(|login| login.result == LoginResult::Granted && login.last.time < refused.time);
    (!logged_in && part.leg.logins.expired.is_empty()).then_some(refused)
}
