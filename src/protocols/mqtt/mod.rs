//! MQTT 3.1, 3.1.1 and 5.0: small binary packets, a session that may outlive its connection.
//!
//! A session is opened by CONNECT and CONNACK, closed by DISCONNECT, and known by its client id at its broker. With
//! the clean flag off, the client asks for what the broker kept of it; the broker's *session present* is the answer.
//! PUBLISH with `QoS` 1 or 2 owes an answer, and that answer is a checkpoint. Version 3.1 has no *session present*, so
//! there a resumption is asked for and never answered. Packet ids count for each direction alone.

mod exchange;
mod handshake;
mod labels;
mod packet;
mod properties;
mod reason;
mod subscription;
#[cfg(test)]
mod tests;

use self::exchange::Way;
use self::handshake::Login;
use self::packet::{Answer, Connect, Header, HeaderRead, Kind, Publish};
use super::{Dissector, End, Notes, Protocol, Step, Verdict, Why};
use crate::events::{PerSide, Position, Side, Stage, Word};
use crate::limits::PARSE_ERRORS;

/// Bytes of one packet that are read; what lies beyond (of a large message) is passed over.
const READ_BYTES: usize = 8 << 10;

/// Deliveries in which the beginning of a packet is looked for after a gap or a broken packet.
const SEEK_TRIES: u32 = 64;

/// Packets of a chain that a probe looks at.
const CHAIN: usize = 8;

/// MQTT.
pub static PROTOCOL: Protocol = Protocol {
    name: "mqtt",
    title: "MQTT",
    ports: &[1883],
    probe,
    start: || Box::new(Mqtt::default()),
    goodbye: Some("DISCONNECT"),
    words: &[
        Word::Establish,
        Word::Authenticate,
        Word::Authorize,
        Word::Turn,
        Word::Checkpoint,
        Word::KeepAlive,
        Word::Resume,
        Word::Release,
        Word::Abort,
    ],
    sources: &[
        "MQTT 3.1 (IBM, 2010) §2, §3",
        "MQTT 3.1.1 (OASIS, 2014) §2, §3, §4.1, §4.4, §4.6",
        "MQTT 5.0 (OASIS, 2019) §2, §3, §4.1, §4.4, §4.6, §4.10, §4.12, §4.13",
    ],
};

/// One connection between a client and its broker.
#[derive(Debug, Clone, Default)]
struct Mqtt {
    /// 3, 4 or 5; unknown where the capture begins behind CONNECT and nothing told since.
    version: Option<u8>,
    login: Login,
    ways: PerSide<Way>,
    errors: u32,
}

/// A packet at hand.
#[derive(Debug, Clone, Copy)]
struct Packet<'b> {
    side: Side,
    header: Header,
    /// What follows the fixed header, or as much of it as is read.
    content: &'b [u8],
    /// Bytes of it that are at hand, the header included.
    seen: usize,
}

impl Packet<'_> {
    /// A tag that ties answers to this side's question of this id.
    fn tag(side: Side, id: u16) -> u64 {
        (side as u64) << 16 | u64::from(id)
    }
}

/// Ties PINGRESP to PINGREQ.
const PING_TAG: u64 = 1 << 17;

/// Ties CONNACK, and AUTH between, to CONNECT.
const HANDSHAKE_TAG: u64 = 1 << 18;

fn probe(side: Side, bytes: &[u8]) -> Verdict {
    chain(side, bytes)
}

/// Whether packets stand here one behind the other, as far as these bytes go.
fn chain(side: Side, bytes: &[u8]) -> Verdict {
    let mut rest = bytes;
    for whole in 0..CHAIN {
        if rest.is_empty() {
            break;
        }
        let so_far = if whole == 0 { Verdict::Unsure } else { Verdict::Likely };
        let header = match packet::header(rest) {
            HeaderRead::Whole(header) => header,
            HeaderRead::Unfinished => return so_far,
            HeaderRead::Broken => return Verdict::No,
        };
        let content = rest.get(header.length..).unwrap_or(&[]);
        match fits(side, &header, content.get(..header.remaining).unwrap_or(content)) {
            Verdict::Unsure => return so_far,
            Verdict::Likely => {}
            sure => return sure,
        }
        rest = rest.get(header.total()..).unwrap_or(&[]);
    }
    Verdict::Likely
}

/// Whether this side can say this packet, of which so much content is at hand.
fn fits(side: Side, header: &Header, content: &[u8]) -> Verdict {
    let whole = content.len() == header.remaining;
    let from_client =
        matches!(header.kind, Kind::Connect | Kind::Subscribe | Kind::Unsubscribe | Kind::Pingreq);
    let from_server = matches!(header.kind, Kind::Connack | Kind::Suback | Kind::Unsuback | Kind::Pingresp);
    if (from_client && side == Side::Server) || (from_server && side == Side::Client) {
        return Verdict::No;
    }
    let fine = match header.kind {
        Kind::Connect => {
            let names: [&[u8]; 2] = [b"\x00\x04MQTT", b"\x00\x06MQIsdp"];
            return match names
                .iter()
                .find(|name| name.starts_with(content.get(..name.len()).unwrap_or(content)))
            {
                Some(name) if content.len() >= name.len() => Verdict::Certain,
                Some(_) if !whole => Verdict::Unsure,
                _ => Verdict::No,
            };
        }
        Kind::Publish => match Publish::read(header, None, content) {
            Some(_) => return Verdict::Likely,
            // Its topic may still be on its way.
            None => {
                !whole && content.len() < 2 + 256 && content.get(2..).is_none_or(|topic| !topic.contains(&0))
            }
        },
        Kind::Connack => match content {
            [flags, code, rest @ ..] => {
                *flags <= 1 && (*code <= 5 || *code >= reason::UNSPECIFIED || !rest.is_empty())
            }
            _ => true,
        },
        Kind::Pingreq | Kind::Pingresp | Kind::Disconnect | Kind::Auth => header.remaining < 4096,
        // All others begin with a packet id, which is never zero.
        _ => content.get(..2) != Some(&[0, 0]),
    };
    match (fine, whole) {
        (false, _) => Verdict::No,
        (true, true) => Verdict::Likely,
        (true, false) => Verdict::Unsure,
    }
}

impl Mqtt {
    /// Reads one packet and says what it means; false where its content does not fit.
    fn packet(&mut self, packet: &Packet<'_>, notes: &mut Notes<'_>) -> bool {
        self.learn_version(packet);
        let (side, content) = (packet.side, packet.content);
        let read = match packet.header.kind {
            Kind::Connect => Connect::read(content).map(|connect| self.connect(packet, &connect, notes)),
            Kind::Connack => self.connack(packet, notes),
            Kind::Publish => self.publish(packet, notes),
            Kind::Puback | Kind::Pubrec | Kind::Pubrel | Kind::Pubcomp => {
                Answer::read(content).map(|answer| self.answer(packet, &answer, notes))
            }
            Kind::Subscribe | Kind::Unsubscribe => self.subscribe(packet, notes),
            Kind::Suback | Kind::Unsuback => self.suback(packet, notes),
            Kind::Pingreq | Kind::Pingresp => {
                let asks = packet.header.kind == Kind::Pingreq;
                let stage = if asks { Stage::Asked } else { Stage::Granted };
                notes
                    .say(Word::KeepAlive, stage, 0..packet.seen)
                    .by(side)
                    .op(packet.header.kind.name())
                    .tag(PING_TAG);
                Some(())
            }
            Kind::Disconnect => self.disconnect(packet, notes),
            Kind::Auth => Self::auth(packet, notes),
        };
        read.is_some()
    }

    /// Where CONNECT was not seen, reason codes betray version 5.
    fn learn_version(&mut self, packet: &Packet<'_>) {
        let reasons_from = match packet.header.kind {
            Kind::Connack | Kind::Puback | Kind::Pubrec | Kind::Pubrel | Kind::Pubcomp | Kind::Unsuback => 2,
            Kind::Disconnect | Kind::Auth => 0,
            _ => return,
        };
        if self.version.is_none() && packet.header.remaining > reasons_from {
            self.version = Some(5);
        }
    }

    /// Something that is no packet: the next one is looked for, unless this happens too often.
    fn broken(&mut self, side: Side, length: usize) -> Step {
        self.errors += 1;
        if self.errors >= PARSE_ERRORS {
            return Step::NotMine(Why::Grammar);
        }
        self.ways[side].seek();
        Step::Took(length)
    }
}

impl Dissector for Mqtt {
    fn read(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        if self.ways[side].is_seeking() {
            match chain(side, bytes) {
                Verdict::No if self.ways[side].sought() > SEEK_TRIES => return Step::NotMine(Why::Gap),
                Verdict::No => {
                    if let Some(pen) = notes.labels() {
                        labels::other(pen, bytes.len());
                    }
                    return Step::Took(bytes.len());
                }
                Verdict::Unsure => return Step::NeedMore(bytes.len() + 1),
                Verdict::Likely | Verdict::Certain => self.ways[side].found(),
            }
        }
        let header = match packet::header(bytes) {
            HeaderRead::Whole(header) => header,
            HeaderRead::Unfinished => return Step::NeedMore(bytes.len() + 1),
            HeaderRead::Broken => {
                let step = self.broken(side, bytes.len());
                if let (Step::Took(length), Some(pen)) = (step, notes.labels()) {
                    labels::other(pen, length);
                }
                return step;
            }
        };
        let seen = header.total().min(READ_BYTES);
        let Some(content) = bytes.get(header.length..seen) else { return Step::NeedMore(seen) };
        let is_read = self.packet(&Packet { side, header, content, seen }, notes);
        if let Some(pen) = notes.labels() {
            labels::packet(pen, &header, self.version, bytes.get(..seen).unwrap_or(bytes));
        }
        if is_read {
            self.errors = 0;
        } else {
            self.errors += 1;
            if self.errors >= PARSE_ERRORS {
                return Step::NotMine(Why::Grammar);
            }
        }
        if header.total() > seen { Step::Skip(header.total() as u64) } else { Step::Took(seen) }
    }

    fn skipped(&mut self, side: Side, notes: &mut Notes<'_>) {
        if let Some(message) = self.ways[side].take_body() {
            self.say_publish(side, message, 0..0, notes);
        }
    }

    fn gap(&mut self, side: Side, _missing: u64, _notes: &mut Notes<'_>) -> Step {
        self.ways[side].seek();
        Step::Took(0)
    }

    fn end(&mut self, side: Side, _how: End, unread: &[u8], pending: u64, notes: &mut Notes<'_>) {
        let unfinished = match packet::header(unread) {
            HeaderRead::Whole(header) if header.kind == Kind::Publish && !self.ways[side].is_seeking() => {
                let content = unread.get(header.length..).unwrap_or(&[]);
                let topic = Publish::read(&header, self.version, content).map(|publish| publish.topic.into());
                Some((unread.len() as u64, header.total() as u64, topic))
            }
            _ => None,
        };
        let cut_body = self.ways[side]
            .take_body()
            .map(|message| (message.total.saturating_sub(pending), message.total, Some(message.topic)));
        if let Some((came, total, topic)) = cut_body.or(unfinished) {
            notes
                .say(Word::Turn, Stage::Told, 0..unread.len())
                .op(Kind::Publish.name())
                .mark(crate::events::Marks::PARTIAL)
                .object(&topic.unwrap_or_default())
                .position(Position::bytes(came).of(Some(total)));
        }
    }

    fn fork(&self) -> Box<dyn Dissector> {
        Box::new(self.clone())
    }
}
