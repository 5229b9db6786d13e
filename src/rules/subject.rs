//! What a session rule looks at: one session, its connections, and its neighbours.

use super::population::Population;
use crate::events::transport::Opened;
use crate::events::visibility::Sight;
use crate::events::{Connection, Side, Strength};
use crate::session::{Leg, Role, Session, SessionLeg};
use crate::time::{Span, Timestamp};

/// Acknowledged bytes never seen ÷ acknowledged bytes, from which on confidence drops (`domain.md` C.4).
const LOSS_DOUBTFUL: f64 = 0.001;

/// The same, from which on nothing is concluded from absence.
const LOSS_BLIND: f64 = 0.02;

/// A session under a rule's eyes.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The session.
    pub session: &'a Session,
    /// All others, and the capture.
    pub population: &'a Population<'a>,
}

/// A connection's part in a session, with its facts.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// How it belongs.
    pub part: &'a SessionLeg,
    /// What was said on it.
    pub leg: &'a Leg,
    /// Its facts.
    pub connection: &'a Connection,
}

impl<'a> Subject<'a> {
    /// Its connections in order.
    pub fn parts(self) -> impl DoubleEndedIterator<Item = Part<'a>> {
        self.session.legs.iter().filter_map(move |part| {
            let connection = self.population.connections.get(part.connection as usize)?;
            Some(Part { part, leg: &part.leg, connection })
        })
    }

    /// Those that carry the session itself.
    pub fn mains(self) -> impl DoubleEndedIterator<Item = Part<'a>> {
        self.parts().filter(|part| part.leg.role == Role::Main)
    }

    /// The one that its end is judged by.
    pub fn last(self) -> Option<Part<'a>> {
        self.mains().next_back().or_else(|| self.parts().next_back())
    }

    /// Whether a joint of it is only suggested by circumstances.
    pub(super) fn is_guessed(self) -> bool {
        let circumstances =
            |part: &SessionLeg| part.stitch.is_some_and(|stitch| stitch.by.strength() == Strength::Heuristic);
        self.session.legs.iter().any(circumstances)
    }

    /// How many levels of confidence its joints and its capture cost (`domain.md` D.1).
    pub(super) fn doubts(self) -> u8 {
        let lossy = self.parts().any(Part::is_lossy);
        u8::from(self.is_guessed()) + u8::from(lossy)
    }

    /// Later sessions of the same client host with the same server, in order.
    pub fn later_of_pair(self) -> impl Iterator<Item = Subject<'a>> {
        let (population, own) = (self.population, self.session);
        population
            .of_pair(own.client.ip, own.server)
            .filter(move |other| other.session.id != own.id && other.session.start >= own.start)
    }

    /// Earlier sessions of the same client host with the same server, in order.
    pub fn earlier_of_pair(self) -> impl Iterator<Item = Subject<'a>> {
        let (population, own) = (self.population, self.session);
        population
            .of_pair(own.client.ip, own.server)
            .filter(move |other| other.session.id != own.id && other.session.start < own.start)
    }
}

impl Part<'_> {
    /// Whether so much was lost that every claim is a level less sure.
    pub(super) fn is_lossy(self) -> bool {
        self.connection.visibility.loss_ratio > LOSS_DOUBTFUL
    }

    /// Whether both directions were recorded, without so much loss that absence proves nothing.
    pub fn sees_both(self) -> bool {
        let visibility = &self.connection.visibility;
        // A few packets of one side and none of the other are no proof of a filter, and no sight of both either.
        let half = self.connection.opened == Opened::MidCapture
            && Side::BOTH.iter().any(|side| self.connection.sides[*side].packets == 0);
        !half && visibility.sight == Sight::Both && visibility.loss_ratio <= LOSS_BLIND && !visibility.evicted
    }

    /// Whether this side had begun to say something that was never read as a whole: its last bytes are no message.
    pub fn says_in_part(self, side: Side) -> bool {
        let heard = self.connection.sides[side].last_payload;
        let read = self.leg.dialog.last[side].as_ref().map(|turn| turn.at.time);
        let ping = self.leg.clocks.application.last.map(|(_, at)| at.time);
        self.leg.security.is_none() && self.leg.readable > 0 && heard > read.max(ping)
    }

    /// Whether every byte of this side's talk was there to be read, so that "it never said" can be claimed.
    pub fn reads_all_of(self, side: Side) -> bool {
        let visibility = &self.connection.visibility;
        self.sees_both()
            && visibility.snapped == 0
            && visibility.gap_bytes[side] == 0
            && self.leg.opaque == 0
            && self.leg.readable > 0
    }

    /// Whether all of both sides' talk was there to be read from its beginning: then what is open at the end is open
    /// indeed, and not merely ended out of our sight.
    pub fn reads_whole(self) -> bool {
        !self.connection.visibility.began_before && Side::BOTH.into_iter().all(|side| self.reads_all_of(side))
    }

    /// For how long it was watched after this moment: to the end of its capture.
    pub fn watched_after(self, time: Timestamp) -> Span {
        let tail = self.connection.visibility.tail.0.max(0);
        Timestamp(self.connection.end.0.saturating_add(tail)).since(time)
    }
}
