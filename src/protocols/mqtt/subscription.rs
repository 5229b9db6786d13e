//! Subscriptions: asked for, granted or refused one topic filter at a time, and given up (3.1.1 §3.8–3.11).

use std::collections::VecDeque;

use super::exchange::cut;
use super::packet::{self, Kind};
use super::{Mqtt, Packet, reason};
use crate::events::{Scope, Stage, Word};
use crate::protocols::Notes;

/// Topic filters of one packet that are told.
const FILTERS: usize = 64;

/// Requests of one side that are remembered until their answer comes.
const REQUESTS: usize = 16;

/// A SUBSCRIBE or UNSUBSCRIBE on its way.
#[derive(Debug, Clone)]
pub(super) struct Request {
    id: u16,
    filters: Vec<Box<[u8]>>,
}

impl Request {
    fn take(requests: &mut VecDeque<Self>, id: u16) -> Option<Self> {
        let at = requests.iter().position(|request| request.id == id)?;
        requests.remove(at)
    }
}

impl Mqtt {
    /// SUBSCRIBE and UNSUBSCRIBE.
    pub(super) fn subscribe(&mut self, packet: &Packet<'_>, notes: &mut Notes<'_>) -> Option<()> {
        let kind = packet.header.kind;
        let (id, filters) = packet::filters(kind, self.version, packet.content, FILTERS)?;
        let word = if kind == Kind::Subscribe { Word::Establish } else { Word::Release };
        for (at, filter) in filters.iter().enumerate() {
            let saying =
                notes.say(word, Stage::Asked, 0..packet.seen).scope(Scope::Subscription).object(filter);
            if at == 0 {
                saying.op(kind.name()).tag(Packet::tag(packet.side, id));
            }
        }
        let requests = &mut self.ways[packet.side].requests;
        if requests.len() >= REQUESTS {
            requests.pop_front();
        }
        requests.push_back(Request { id, filters: filters.into_iter().map(cut).collect() });
        Some(())
    }

    /// SUBACK and UNSUBACK. The leading event is a refusal, where there is one: it has the code.
    pub(super) fn suback(&mut self, packet: &Packet<'_>, notes: &mut Notes<'_>) -> Option<()> {
        let kind = packet.header.kind;
        let (id, properties, codes) = packet::codes(self.version, packet.content)?;
        let word = if kind == Kind::Suback { Word::Establish } else { Word::Release };
        let asker = packet.side.other();
        let request = Request::take(&mut self.ways[asker].requests, id);
        let filters = request.map(|request| request.filters).unwrap_or_default();
        let mut answers: Vec<(u8, Option<&[u8]>)> = (0..filters.len().max(codes.len()).clamp(1, FILTERS))
            .map(|at| {
                let code = codes.get(at).copied().unwrap_or(reason::SUCCESS);
                (code, filters.get(at).map(|filter| &**filter))
            })
            .collect();
        answers.sort_by_key(|(code, _)| !reason::is_failure(*code));
        for (at, (code, filter)) in answers.into_iter().enumerate() {
            let failed = reason::is_failure(code);
            let stage = if failed { Stage::Refused } else { Stage::Granted };
            let mut saying = notes.say(word, stage, 0..packet.seen).scope(Scope::Subscription);
            if at == 0 {
                saying = saying.op(kind.name()).tag(Packet::tag(asker, id));
            }
            if let Some(filter) = filter {
                saying = saying.object(filter);
            }
            if failed {
                saying =
                    saying.mark(reason::marks(code)).text(properties.reason.unwrap_or(reason::name(code)));
                if at == 0 {
                    saying = saying.code(code.into());
                }
            }

            if code == reason::NOT_AUTHORIZED {
                let denied = notes.say(Word::Authorize, Stage::Refused, 0..packet.seen);
                if let Some(filter) = filter {
                    denied.object(filter);
                }
            }
        }
        Some(())
    }
}
