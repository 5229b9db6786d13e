//! Sessions that ended because another connection took their identity.

use std::collections::BTreeMap;

use super::population::Population;
use super::subject::{Part, Subject};
use crate::events::{Endpoint, Hash128, IdentityKind, Marks, Use};
use crate::session::Point;
use crate::time::{Span, Timestamp};

/// A server that closes the old connection for the new one's sake does so within this time of the new one's coming.
const AT_ONCE: Span = Span::from_secs(1);

/// One takeover.
#[derive(Debug, Clone, Copy)]
pub struct Takeover<'a> {
    /// The session that lost.
    pub subject: Subject<'a>,
    /// The connection that was closed.
    pub old: Part<'a>,
    /// The connection that came.
    pub new: Part<'a>,
    /// Where it showed the identity.
    pub came: Point,
    /// When the server closed the old one.
    pub closed: Timestamp,
    /// Whether the server said so itself.
    pub said: bool,
}

impl Takeover<'_> {
    /// Whether the one who lost its connection was still there: it went on talking, or closed in its turn.
    pub fn was_alive(&self) -> bool {
        self.old.connection.sides.client.last.is_some_and(|last| last > self.closed)
    }

    /// Whether both came from the same host.
    pub fn same_host(&self) -> bool {
        self.old.connection.client.ip == self.new.connection.client.ip
    }
}

/// Where a connection of a session shows a name.
type Showing<'a> = (Subject<'a>, Part<'a>, Point);

/// All takeovers of each name that clients give themselves, in order of time.
pub fn all<'a>(population: &'a Population<'a>) -> BTreeMap<(Endpoint, Hash128), Vec<Takeover<'a>>> {
    let mut shown: BTreeMap<(Endpoint, Hash128), Vec<Showing<'a>>> = BTreeMap::new();
    for subject in population.subjects() {
        for part in subject.mains() {
            for known in &part.leg.identities {
                if known.identity.kind == IdentityKind::ClientId && known.identity.used == Use::Shows {
                    let name = (subject.session.server, known.identity.hash);
                    shown.entry(name).or_default().push((subject, part, known.first));
                }
            }
        }
    }
    let mut takeovers = BTreeMap::new();
    for (name, mut parts) in shown {
        parts.sort_by_key(|(_, part, first)| (first.time, part.connection.id));
        let found: Vec<Takeover<'a>> = parts
            .windows(2)
            .filter_map(|pair| match pair {
                [(subject, old, _), (_, new, came)] => takeover(*subject, *old, *new, *came),
                _ => None,
            })
            .collect();
        if !found.is_empty() {
            takeovers.insert(name, found);
        }
    }
    takeovers
}

fn takeover<'a>(subject: Subject<'a>, old: Part<'a>, new: Part<'a>, came: Point) -> Option<Takeover<'a>> {
    let sides = &old.connection.sides;
    let closed = sides.server.closed?;
    let said = old.leg.farewell.as_ref().is_some_and(|farewell| farewell.marks.has(Marks::TAKEN_OVER));
    let at_once = closed >= came.time && closed.since(came.time) <= AT_ONCE;
    let client_was_there = sides.client.closed.is_none_or(|left| left > closed);
    let unprovoked = old.leg.goodbye.is_none();
    let is_one = client_was_there && unprovoked && at_once;
    is_one.then_some(Takeover { subject, old, new, came, closed, said })
}
