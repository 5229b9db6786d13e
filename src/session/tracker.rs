//! Takes the events of each connection in their order, keeps one leg a connection, and makes sessions of them at the
//! end. Only what joins legs needs the whole run; until then each shard keeps the legs of its own connections.

use hashbrown::HashMap;

use super::joining::{self, Part};
use super::leg::{Leg, Role};
use super::lifecycle;
use super::{Clarity, Outcome, Repeat, Session, SessionLeg, outcome, risk};
use crate::events::transport::{How, Reason};
use crate::events::{Connection, ConnectionKey, Event, Safety};
use crate::limits::SESSION_LEGS;
use crate::time::Span;

/// The legs of all connections so far.
#[derive(Debug, Default)]
pub struct Tracker {
    /// Boxed: a leg is large, and neither a growing table nor a list of parts has to move it about.
    legs: HashMap<ConnectionKey, Box<Leg>>,
}

impl Tracker {
    /// Takes the next event. Those of one connection come in their order.
    pub fn event(&mut self, event: &Event) {
        self.legs.entry(event.connection).or_insert_with(|| Box::new(Leg::new(event))).note(event);
    }

    /// Its connection became a mere count: nothing will be told of it.
    pub fn forget(&mut self, key: ConnectionKey) {
        self.legs.remove(&key);
    }

    /// Takes over the legs of another part of the run, which has no connection in common with this one.
    pub fn join(&mut self, other: Self) {
        self.legs.extend(other.legs);
    }

    /// Nothing more comes. `connections` are all of the run in order of id, `names` their keys; `has_goodbye` tells of
    /// a protocol whether its users are expected to say good-bye.
    pub fn finish(
        mut self,
        connections: &[Connection],
        names: &[(ConnectionKey, u32)],
        has_goodbye: impl Fn(&str) -> bool,
    ) -> Vec<Session> {
        let mut parts: Vec<Part<'_>> = names
            .iter()
            .filter_map(|(key, id)| {
                let connection = connections.get(*id as usize)?;
                self.legs.remove(key).map(|leg| Part { leg, connection })
            })
            .collect();
        parts.sort_by_key(|part| part.connection.id);
        let joined = joining::join(&mut parts);
        let mut parts: Vec<Option<Part<'_>>> = parts.into_iter().map(Some).collect();
        let mut sessions: Vec<Session> = joined
            .groups
            .iter()
            .filter_map(|group| {
                let parts: Vec<_> = group
                    .iter()
                    .filter_map(|index| {
                        let part = parts.get_mut(*index)?.take()?;
                        Some((part, joined.stitches.get(*index).copied().flatten()))
                    })
                    .collect();
                assemble(parts, &has_goodbye)
            })
            .collect();
        for (index, session) in sessions.iter_mut().enumerate() {
            session.id = index as u32 + 1;
        }
        sessions
    }
}

/// One session out of the parts that belong together, in order.
fn assemble(
    mut parts: Vec<(Part<'_>, Option<super::Stitch>)>,
    has_goodbye: &impl Fn(&str) -> bool,
) -> Option<Session> {
    if let Some((part, _)) = parts.iter_mut().find(|(part, _)| part.leg.role == Role::Main) {
        part.leg.resumptions.forget_first_visits();
        if part.leg.resumptions.list.is_empty() {
            part.leg.history.strike('n');
        }
    }
    let main =
        parts.iter().find(|(part, _)| part.leg.role == Role::Main).or(parts.first()).map(|(part, _)| part)?;
    let last = parts
        .iter()
        .rev()
        .find(|(part, _)| part.leg.role == Role::Main)
        .or(parts.last())
        .map(|(part, _)| part)?;
    let (client, server, uid) = (main.connection.client, main.connection.server, main.connection.uid);
    let protocol = parts
        .iter()
        .filter(|(part, _)| part.leg.role == Role::Main)
        .map(|(part, _)| part.leg.protocol())
        .max_by_key(|name| match *name {
            "opaque" => 0,
            "tls" => 1,
            _ => 2,
        })
        .unwrap_or_else(|| main.leg.protocol());
    let outcome = outcome::judge(&last.leg, last.connection, has_goodbye(last.leg.protocol()));
    let start = parts.iter().map(|(part, _)| part.connection.start).min()?;
    let end = parts.iter().map(|(part, _)| part.connection.end).max()?;
    let phases = phases(&mut parts, &outcome, end);
    let history = history(&parts, &outcome);
    let (readable, opaque) = parts.iter().fold((0_u64, 0_u64), |(clear, dark), (part, _)| {
        (clear + u64::from(part.leg.readable), dark + u64::from(part.leg.opaque))
    });
    let clear = match (readable, opaque) {
        (0, _) => Clarity::Opaque,
        (_, 0) => Clarity::Clear,
        _ => Clarity::Mixed,
    };
    let mut identities: Vec<crate::events::Identity> = Vec::new();
    let mut principal = None;
    for (part, _) in &parts {
        for known in &part.leg.identities {
            let same = |other: &crate::events::Identity| {
                (other.kind, other.hash) == (known.identity.kind, known.identity.hash)
            };
            if !identities.iter().any(same) && identities.len() < crate::limits::IDENTITIES_KEPT {
                identities.push(known.identity.clone());
            }
        }
        for login in &part.leg.logins.list {
            principal = login.principal.clone().or(principal);
        }
    }
    let repeats = repeats(&parts);
    let legs = parts
        .into_iter()
        .take(SESSION_LEGS)
        .map(|(part, stitch)| SessionLeg { connection: part.connection.id, leg: part.leg, stitch })
        .collect();
    let mut session = Session {
        id: 0,
        uid,
        protocol,
        client,
        server,
        identities,
        principal,
        legs,
        start,
        end,
        phases,
        outcome,
        history,
        clear,
        at_risk: None,
        repeats,
    };
    session.at_risk = risk::of(&session);
    Some(session)
}

fn phases(
    parts: &mut [(Part<'_>, Option<super::Stitch>)],
    outcome: &Outcome,
    end: crate::time::Timestamp,
) -> Vec<super::Phase> {
    let legs = parts.iter_mut().filter(|(part, _)| part.leg.role == Role::Main).map(|(part, _)| {
        let released = part.leg.goodbye.is_some() || part.connection.ended.reason == Reason::Released;
        (std::mem::take(&mut part.leg.phases).until(part.connection.end), released)
    });
    let open = outcome.reason == Reason::CaptureEnded;
    lifecycle::of_session(legs, (!open).then_some((end, "connection over")))
}

fn history(parts: &[(Part<'_>, Option<super::Stitch>)], outcome: &Outcome) -> String {
    let mut letters = super::history::History::default();
    let mains: Vec<_> = parts.iter().filter(|(part, _)| part.leg.role == Role::Main).collect();
    for (index, (part, _)) in mains.iter().enumerate() {
        if part.connection.visibility.began_before {
            letters.push('?');
        }
        for letter in part.leg.history.letters().chars() {
            letters.push(letter);
        }
        let broken = !matches!(part.connection.ended.reason, Reason::Released | Reason::CaptureEnded);
        if index + 1 < mains.len() && broken {
            letters.push('!');
        }
    }
    match (outcome.reason, mains.last().map(|(part, _)| part.connection.ended.how)) {
        (Reason::CaptureEnded, _) => letters.push('?'),
        (Reason::HalfReleased | Reason::PeerVanished, _) => letters.push('g'),
        (Reason::EstablishRefused | Reason::EstablishTimeout | Reason::AuthRefused, _) => letters.push('!'),
        (Reason::Released | Reason::IdleTimeout, Some(How::Fin)) => letters.push('f'),
        (_, Some(How::Rst)) => letters.push('x'),
        (Reason::Abort | Reason::AppTimeout, _) => letters.push('!'),
        _ => {}
    }
    letters.letters().to_owned()
}

/// The same action asked for twice, the second time soon after the first (`domain.md` D.6).
fn repeats(parts: &[(Part<'_>, Option<super::Stitch>)]) -> Vec<Repeat> {
    const WINDOW: Span = Span::from_secs(120);
    let mut repeats = Vec::new();
    let acted: Vec<_> = parts.iter().flat_map(|(part, _)| &part.leg.actions).collect();
    let mut latest: HashMap<crate::events::Hash128, usize> = HashMap::new();
    for (index, second) in acted.iter().enumerate() {
        if second.action.safety == Safety::Safe {
            continue;
        }
        if let Some(first) = latest.insert(second.action.key, index).and_then(|first| acted.get(first))
            && second.asked.time.since(first.asked.time) <= WINDOW
            && repeats.len() < crate::limits::REPEATS_KEPT
        {
            let answered_before = first.answer.filter(|(_, at)| at.time <= second.asked.time);
            repeats.push(Repeat {
                key: second.action.key,
                object: second.object.clone(),
                first: first.asked,
                first_answer: answered_before,
                second: second.asked,
                second_answer: second.answer,
                token: first.action.token.is_some() && first.action.token == second.action.token,
                safety: second.action.safety,
            });
        }
    }
    repeats
}
