//! Messages and their confirmations: PUBLISH with its three qualities of service (3.1.1 §3.3–3.7, §4.3).

use std::collections::VecDeque;
use std::ops::Range;

use super::packet::{Answer, Kind, Publish};
use super::subscription::Request;
use super::{Mqtt, Packet, reason};
use crate::events::{Action, Extent, Grade, Hash128, Marks, Position, Safety, Side, Stage, Unit, Word};
use crate::limits::EVENT_TEXT_BYTES;
use crate::protocols::Notes;

/// Unconfirmed messages of one side that are remembered; the oldest is forgotten.
const FLIGHTS: usize = 256;

/// Topic aliases of one side that are remembered.
const ALIASES: usize = 64;

/// What one side sent and still waits for.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    /// Where the next packet begins is not known: how many deliveries were looked at.
    seeking: Option<u32>,
    /// A message whose bytes are being passed over.
    body: Option<Message>,
    flights: VecDeque<Flight>,
    /// Messages of this side that the other one confirmed.
    confirmed: u64,
    aliases: Vec<(u16, Box<[u8]>)>,
    /// Subscriptions asked for, or to be given up.
    pub(super) requests: VecDeque<Request>,
}

/// A message with `QoS` 1 or 2 on its way.
#[derive(Debug, Clone)]
struct Flight {
    id: u16,
    topic: Box<[u8]>,
}

/// A PUBLISH that was read.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) topic: Box<[u8]>,
    /// Bytes of the whole packet.
    pub(super) total: u64,
    /// Only with `QoS` 1 and 2.
    id: Option<u16>,
    qos: u8,
    repeated: bool,
    action: Option<Action>,
    began: Extent,
}

impl Way {
    pub(super) fn is_seeking(&self) -> bool {
        self.seeking.is_some()
    }

    /// The next packet has to be found; what was being read is lost.
    pub(super) fn seek(&mut self) {
        self.seeking = Some(0);
        self.body = None;
    }

    /// One more delivery holds no beginning: how many so far.
    pub(super) fn sought(&mut self) -> u32 {
        let tries = self.seeking.get_or_insert(0);
        *tries += 1;
        *tries
    }

    pub(super) fn found(&mut self) {
        self.seeking = None;
    }

    pub(super) fn take_body(&mut self) -> Option<Message> {
        self.body.take()
    }

    /// The topic of a message: its own name, or the one that its alias stands for (5.0 §3.3.2.3.4).
    fn topic(&mut self, publish: &Publish<'_>) -> Box<[u8]> {
        let named = cut(publish.topic);
        let Some(alias) = publish.alias else { return named };
        let known = self.aliases.iter_mut().find(|(known, _)| *known == alias);
        match known {
            Some((_, topic)) if named.is_empty() => topic.clone(),
            Some((_, topic)) => {
                topic.clone_from(&named);
                named
            }
            None => {
                if !named.is_empty() && self.aliases.len() < ALIASES {
                    self.aliases.push((alias, named.clone()));
                }
                named
            }
        }
    }

    fn take_flight(&mut self, id: u16) -> Option<Flight> {
        let at = self.flights.iter().position(|flight| flight.id == id)?;
        self.flights.remove(at)
    }

    fn add_flight(&mut self, flight: Flight) {
        self.take_flight(flight.id);
        if self.flights.len() >= FLIGHTS {
            self.flights.pop_front();
        }
        self.flights.push_back(flight);
    }
}

/// As much of a text as an event quotes.
pub(super) fn cut(text: &[u8]) -> Box<[u8]> {
    text.get(..EVENT_TEXT_BYTES).unwrap_or(text).into()
}

impl Mqtt {
    pub(super) fn publish(&mut self, packet: &Packet<'_>, notes: &mut Notes<'_>) -> Option<()> {
        let (side, header) = (packet.side, &packet.header);
        let publish = Publish::read(header, self.version, packet.content)?;
        let topic = self.ways[side].topic(&publish);
        let unread = header.total().saturating_sub(packet.seen);
        let length = (publish.payload.len() + unread) as u64;
        let key = Hash128::of(&[b"mqtt", b"PUBLISH", &topic, &length.to_be_bytes(), publish.payload]);
        // A retained message comes with every new subscription: no repetition of work (3.1.1 §3.3.1.3). With QoS 0
        // nobody promises anything.
        let retained = header.retained() && side == Side::Server;
        let action = publish.id.filter(|_| !retained).map(|id| Action {
            key,
            safety: if header.qos() == 2 { Safety::Unsafe } else { Safety::Unknown },
            // The id is free for another message once it is confirmed, so that alone it proves nothing.
            token: Some(Hash128::of(&[
                b"mqtt",
                side.name().as_bytes(),
                &id.to_be_bytes(),
                &key.0.to_be_bytes(),
            ])),
        });
        let message = Message {
            topic,
            total: header.total() as u64,
            id: publish.id,
            qos: header.qos(),
            repeated: header.repeated(),
            action,
            began: notes.extent(0..packet.seen),
        };
        if unread > 0 {
            self.ways[side].body = Some(message);
        } else {
            self.say_publish(side, message, 0..packet.seen, notes);
        }
        Some(())
    }

    /// A message is complete: these are the bytes with its end.
    pub(super) fn say_publish(
        &mut self,
        side: Side,
        message: Message,
        bytes: Range<usize>,
        notes: &mut Notes<'_>,
    ) {
        let stage = if message.id.is_some() { Stage::Asked } else { Stage::Told };
        let mut saying = notes
            .say(Word::Turn, stage, bytes)
            .op(Kind::Publish.name())
            .since(message.began)
            .object(&message.topic);
        if message.repeated {
            saying = saying.mark(Marks::REPEATED);
        }
        if let Some(action) = message.action {
            saying = saying.action(action);
        }
        if let Some(id) = message.id {
            saying.tag(Packet::tag(side, id)).text(if message.qos == 2 { b"QoS 2" } else { b"QoS 1" });
            self.ways[side].add_flight(Flight { id, topic: message.topic });
        }
    }

    /// PUBACK, PUBREC, PUBREL and PUBCOMP.
    pub(super) fn answer(&mut self, packet: &Packet<'_>, answer: &Answer<'_>, notes: &mut Notes<'_>) {
        let kind = packet.header.kind;
        let failed = reason::is_failure(answer.code);
        let publisher = if kind == Kind::Pubrel { packet.side } else { packet.side.other() };
        let way = &mut self.ways[publisher];
        let stage = match (kind, failed) {
            // "I do not know this id": nothing is owed any more.
            (Kind::Pubrel, true) => Stage::Told,
            (Kind::Pubrel, false) => Stage::Asked,
            (_, true) => Stage::Refused,
            // With PUBREC the receiver owns the message: the question is answered, and PUBREL is one of its own.
            (_, false) => Stage::Granted,
        };
        let mut saying = notes
            .say(Word::Turn, stage, 0..packet.seen)
            .op(kind.name())
            .tag(Packet::tag(publisher, answer.id))
            .mark(reason::marks(answer.code));
        if answer.code != reason::SUCCESS {
            let text = answer.properties.reason.unwrap_or(reason::name(answer.code));
            saying = saying.text(text);
        }
        if failed {
            saying.code(answer.code.into());
            way.take_flight(answer.id);
            if answer.code == reason::NOT_AUTHORIZED {
                notes.say(Word::Authorize, Stage::Refused, 0..packet.seen);
            }
            return;
        }
        if matches!(kind, Kind::Puback | Kind::Pubcomp) {
            way.confirmed += 1;
            let confirmed = Position { unit: Unit::Messages, value: way.confirmed, of: None };
            let flight = way.take_flight(answer.id);
            let saying = notes
                .say(Word::Checkpoint, Stage::Granted, 0..packet.seen)
                .grade(Grade::Minor)
                .position(confirmed);
            if let Some(flight) = flight {
                saying.object(&flight.topic);
            }
        }
    }
}
