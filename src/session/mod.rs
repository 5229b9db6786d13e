//! Events to sessions: which connections are one session, how it lived, how it ended, and what of its work is safe.
//!
//! This stage knows no protocol. It reads the twelve words ([`crate::events`]) in their one order, keeps one [`Leg`]
//! a connection, and at the end joins legs into [`Session`]s by what they have in common.

pub mod access;
pub mod clocks;
pub mod dialog;
mod history;
pub mod joining;
mod leg;
pub mod lifecycle;
pub mod outcome;
pub mod point;
pub mod resumption;
pub mod risk;
mod tracker;
pub mod work;

pub use access::{Login, LoginResult};
pub use clocks::{Clocks, Layer, Quiet, Rhythm};
pub use dialog::{Dialog, Floor, Mode, Question};
pub use joining::{JoinedBy, Stitch};
pub use leg::{Acted, Excuse, Known, Leg, Lost, Reply, Role, Subscribed};
pub use lifecycle::{Phase, PhaseName};
pub use outcome::Outcome;
pub use point::Point;
pub use resumption::{ResumeResult, Resumption};
pub use risk::{AtRisk, Verdict};
pub use tracker::Tracker;
pub use work::{Confirmed, Work};

use crate::events::{Endpoint, Hash128, Identity, Principal};
use crate::time::{Span, Timestamp};

/// What the user would call one session: one to many connections with one life.
#[derive(Debug, Clone)]
pub struct Session {
    /// Counts from 1 in order of first frame; printed as `S-0001`.
    pub id: u32,
    /// The stable name of its first connection.
    pub uid: u64,
    /// Catalogue name of its protocol: the innermost one that was understood, else `tls`, else `opaque`.
    pub protocol: &'static str,
    /// Who asked.
    pub client: Endpoint,
    /// Who was asked.
    pub server: Endpoint,
    /// What it is known by: each identity once, in order of appearance.
    pub identities: Vec<Identity>,
    /// Who logged in, or tried to.
    pub principal: Option<Principal>,
    /// Its connections in order, siblings and successors.
    pub legs: Vec<SessionLeg>,
    /// First frame's time.
    pub start: Timestamp,
    /// Last frame's time.
    pub end: Timestamp,
    /// Its states in order; they touch, and cover it from start to end.
    pub phases: Vec<Phase>,
    /// How it ended, by whom, why, and how sure that is.
    pub outcome: Outcome,
    /// The letters of its life: `s` set-up, `a` login, `A` login refused, `D` and `#` talk, `.` idle, `k` keep-alive, `o` and `O`
    /// checkpoints, `!` break, `R` resumed, `n` begun anew instead, `x` reset, `f` closed, `g` held by one side only,
    /// `?` not seen.
    pub history: String,
    /// How much of it was readable.
    pub clear: Clarity,
    /// What would be lost, and whether it can go on.
    pub at_risk: Option<AtRisk>,
    /// The same action asked for again.
    pub repeats: Vec<Repeat>,
}

/// A connection's part in a session.
#[derive(Debug, Clone)]
pub struct SessionLeg {
    /// Id of the connection.
    pub connection: u32,
    /// What was said on it.
    pub leg: Box<Leg>,
    /// How it came to belong to the session; none for the first.
    pub stitch: Option<Stitch>,
}

/// How much of a session was readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clarity {
    /// All of it was read in clear.
    Clear,
    /// Some of it was encrypted or unknown.
    Mixed,
    /// It was seen from outside only.
    Opaque,
}

impl Clarity {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Mixed => "mixed",
            Self::Opaque => "opaque",
        }
    }
}

/// The same action, asked for again (`domain.md` D.6).
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    /// What it is known by.
    pub key: Hash128,
    /// What it is, for people.
    pub object: Option<Box<str>>,
    /// First time.
    pub first: Point,
    /// Whether the first was answered, and how, before the second was sent.
    pub first_answer: Option<(bool, Point)>,
    /// Second time.
    pub second: Point,
    /// What became of the second.
    pub second_answer: Option<(bool, Point)>,
    /// Whether both carry the same token, by which the server can know it.
    pub token: bool,
    /// Whether doing it twice matters.
    pub safety: crate::events::Safety,
}

impl Session {
    /// Its name for users: `S-0001`.
    pub fn name(&self) -> String {
        format!("S-{:04}", self.id)
    }

    /// From its first to its last frame.
    pub fn duration(&self) -> Span {
        self.end.since(self.start)
    }

    /// All logins, in order.
    pub fn logins(&self) -> impl Iterator<Item = &Login> {
        self.legs.iter().flat_map(|part| part.leg.logins.list.iter())
    }

    /// All resumptions, in order.
    pub fn resumptions(&self) -> impl Iterator<Item = &Resumption> {
        self.legs.iter().flat_map(|part| part.leg.resumptions.list.iter())
    }

    /// All units of work kept, in order.
    pub fn works(&self) -> impl Iterator<Item = &Work> {
        self.legs.iter().flat_map(|part| part.leg.works.list.iter())
    }

    /// The last confirmed checkpoint of all.
    pub fn last_confirmed(&self) -> Option<&Confirmed> {
        self.legs
            .iter()
            .filter_map(|part| part.leg.works.last_confirmed.as_deref())
            .max_by_key(|point| point.at.time)
    }

    /// The last leg that carries the session itself, and no side channel of it.
    pub fn last_main(&self) -> Option<&SessionLeg> {
        self.legs.iter().rev().find(|part| part.leg.role != Role::Data).or(self.legs.last())
    }

    /// The longest time without payload on any of its legs.
    pub fn longest_quiet(&self) -> Option<&Quiet> {
        self.legs.iter().filter_map(|part| part.leg.clocks.longest_quiet()).max_by_key(|quiet| quiet.span)
    }

    /// All time without payload on its main legs, pauses below a second not counted.
    pub fn quiet_total(&self) -> Span {
        Span(
            self.legs
                .iter()
                .filter(|part| part.leg.role != Role::Data)
                .map(|part| part.leg.clocks.quiet_total.0)
                .sum(),
        )
    }
}
