//! The answers of the domain name system that told a client where its server is (RFC 1035 §4).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::events::Connection;
use crate::inspect::Member;
use crate::limits::{RESOLUTION_QUERIES, RESOLUTIONS_KEPT};
use crate::packet::{Body, Endpoint};

/// Where name servers listen.
const PORT: u16 = 53;
const HEADER: usize = 12;
const ADDRESS: u16 = 1;
const ADDRESS_6: u16 = 28;
/// Records of one answer that are looked at.
const RECORDS: usize = 64;

/// Who asked whom under which number.
type Question = (Endpoint, Endpoint, u16);

/// The frames of a question, where it was seen, and of its answer.
type Exchange = (Option<u64>, u64);

/// Looks for the exchanges that named the servers of connections.
#[derive(Debug, Default)]
pub(super) struct Resolutions {
    /// Client and server, with the numbers of the first frames of their first and last connection.
    pairs: BTreeMap<(IpAddr, IpAddr), (u64, u64)>,
    asked: BTreeMap<Question, u64>,
    /// Frames of questions and answers by pair.
    found: BTreeMap<(IpAddr, IpAddr), Vec<Exchange>>,
}

impl Resolutions {
    /// For the servers of these connections.
    pub(super) fn of<'c>(connections: impl Iterator<Item = &'c Connection>) -> Self {
        let mut pairs = BTreeMap::new();
        for one in connections {
            let number = one.first.number;
            let span = pairs.entry((one.client.ip, one.server.ip)).or_insert((number, number));
            *span = (span.0.min(number), span.1.max(number));
        }
        Self { pairs, ..Self::default() }
    }

    /// Looks at a frame.
    pub(super) fn look(&mut self, member: &Member<'_>) {
        for (packet, _) in member.packets {
            let Body::Udp(_) = packet.body else { continue };
            let source = packet.flow.source(packet.direction);
            let destination = packet.flow.source(packet.direction.reverse());
            if source.port != PORT && destination.port != PORT {
                continue;
            }
            let Some(message) = Message::read(member.payload(packet)) else { continue };
            let number = member.frame.at.number;
            if message.is_answer {
                self.answer(&message, destination, source, number);
            } else if self.is_client(source.ip) {
                if self.asked.len() >= RESOLUTION_QUERIES {
                    self.asked.clear();
                }
                self.asked.insert((source, destination, message.id), number);
            }
        }
    }

    fn is_client(&self, ip: IpAddr) -> bool {
        let from = (ip, IpAddr::from(Ipv4Addr::UNSPECIFIED));
        self.pairs.range(from..).next().is_some_and(|((client, _), _)| *client == ip)
    }

    fn answer(&mut self, message: &Message, client: Endpoint, resolver: Endpoint, number: u64) {
        for address in &message.addresses {
            let pair = (client.ip, *address);
            let Some((first, last)) = self.pairs.get(&pair) else { continue };
            if number > *last {
                continue;
            }
            let exchange = (self.asked.get(&(client, resolver, message.id)).copied(), number);
            let found = self.found.entry(pair).or_default();
            // Of those before the first connection the latest counts; a later one told a later connection.
            if number < *first {
                found.clear();
            }
            if found.len() < RESOLUTIONS_KEPT {
                found.push(exchange);
            }
        }
    }

    /// The frames of all exchanges.
    pub(super) fn frames(&self) -> impl Iterator<Item = u64> {
        self.found.values().flatten().flat_map(|(question, answer)| question.iter().copied().chain([*answer]))
    }
}

/// What is needed of a message.
#[derive(Debug, PartialEq, Eq)]
struct Message {
    id: u16,
    is_answer: bool,
    addresses: Vec<IpAddr>,
}

impl Message {
    fn read(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes);
        let (id, flags) = (number(0)?, number(2)?);
        let (questions, answers) = (number(4)?, number(6)?);
        let mut message = Self { id, is_answer: flags & 0x8000 != 0, addresses: Vec::new() };
        let mut at = HEADER;
        for _ in 0..usize::from(questions).min(RECORDS) {
            at = after_name(bytes, at)? + 4;
        }
        for _ in 0..usize::from(answers).min(RECORDS) {
            let Some(record) = after_name(bytes, at) else { break };
            let (Some(kind), Some(length)) = (number(record), number(record + 8)) else { break };
            let start = record + 10;
            let data = bytes.get(start..start + usize::from(length));
            let address: Option<IpAddr> = match (kind, data) {
                (ADDRESS, Some(data)) => <[u8; 4]>::try_from(data).ok().map(|a| Ipv4Addr::from(a).into()),
                (ADDRESS_6, Some(data)) => <[u8; 16]>::try_from(data).ok().map(|a| Ipv6Addr::from(a).into()),
                _ => None,
            };
            message.addresses.extend(address);
            at = start + usize::from(length);
        }
        Some(message)
    }
}

/// What stands behind a name; a pointer ends it.
fn after_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = *bytes.get(at)?;
        match length {
            0 => return Some(at + 1),
            0xc0.. => return bytes.get(at + 1).map(|_| at + 2),
            _ => at += usize::from(length) + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_an_answer_are_read() {
        let mut bytes = vec![0x12, 0x34, 0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0];
        bytes.extend(b"\x04shop\x07example\0\0\x01\0\x01");
        bytes.extend(b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03www\xc0\x0c");
        bytes.extend([0xc0, 0x2a, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
        let cut = bytes.len();
        bytes.extend([0xc0, 0x2a, 0, 28, 0, 1, 0, 0, 0, 60, 0, 16]);
        bytes.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        let read = Message::read(&bytes).unwrap();
        let addresses: Vec<String> = read.addresses.iter().map(ToString::to_string).collect();
        assert_eq!((read.id, read.is_answer), (0x1234, true));
        assert_eq!(addresses, ["192.0.2.7", "2001:db8::1"]);
        for end in 0..bytes.len() {
            let some = Message::read(&bytes[..end]).map_or(0, |read| read.addresses.len());
            assert_eq!(some, usize::from(end >= cut), "{end}");
        }
    }
}
