//! IP fragments put together, bounded (RFC 791 §3.2, RFC 8200 §4.5).
//!
//! Where fragments overlap, the bytes that came first stay. What waits too long or too much is given up, and
//! told as a problem.

use std::collections::BTreeMap;
use std::net::IpAddr;

use etherparse::IpNumber;
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::limits;
use crate::packet::envelope::{Envelope, FragmentPlace};
use crate::packet::tally::{Counts, Trouble};
use crate::packet::view::View;
use crate::place::PacketRef;
use crate::time::Timestamp;

/// Longest payload of an IP datagram.
const LONGEST: usize = 65_535;

/// A datagram's payload, complete.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    /// What it carries.
    pub(super) protocol: IpNumber,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

/// What fragments of one datagram have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    id: u32,
    /// Part of the key in IPv4 only: in IPv6 the first fragment alone decides it.
    protocol: u8,
    context: u32,
}

/// A datagram of which fragments have come.
#[derive(Debug)]
struct Partial {
    /// Its rank by first arrival.
    arrival: u64,
    first: PacketRef,
    since: Timestamp,
    protocol: IpNumber,
    bytes: Vec<u8>,
    /// Which of `bytes` have come: ranges in order that do not touch.
    ranges: Vec<(usize, usize)>,
    /// Its length, once its last fragment has come.
    total: Option<usize>,
}

/// The datagrams that wait for fragments. The map is never iterated, so its seed shows nowhere.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    waiting: HashMap<Key, Partial, RandomState>,
    by_arrival: BTreeMap<u64, Key>,
    arrivals: u64,
    held: usize,
}

impl Fragments {
    /// Takes a fragment; gives the datagram when it is complete.
    pub(super) fn add(&mut self, envelope: &Envelope, piece: View<'_>, counts: &mut Counts) -> Option<Whole> {
        let place = envelope.fragment?;
        let key = Key {
            source: envelope.source,
            destination: envelope.destination,
            id: place.id,
            protocol: if envelope.ip.v6 { 0 } else { place.protocol.0 },
            context: envelope.context,
        };
        let waited = self.waiting.get(&key).map(|partial| envelope.time.since(partial.since));
        if waited.is_some_and(|waited| waited > limits::FRAGMENT_WAIT) {
            self.give_up(&key, Trouble::FragmentsIncomplete, counts);
        }
        let partial = self.waiting.entry(key).or_insert_with(|| {
            self.arrivals += 1;
            self.by_arrival.insert(self.arrivals, key);
            Partial {
                arrival: self.arrivals,
                first: envelope.at,
                since: envelope.time,
                protocol: place.protocol,
                bytes: Vec::new(),
                ranges: Vec::new(),
                total: None,
            }
        });
        let before = partial.bytes.len();
        if let Err(trouble) = partial.put(place, piece.bytes) {
            counts.trouble(trouble, envelope.at);
        }
        self.held += partial.bytes.len() - before;
        if partial.is_complete() {
            let done = self.remove(&key)?;
            return Some(Whole { protocol: done.protocol, bytes: done.bytes });
        }
        while self.held > limits::FRAGMENT_BYTES || self.waiting.len() > limits::FRAGMENTED_DATAGRAMS {
            let Some((_, oldest)) = self.by_arrival.first_key_value() else { break };
            let oldest = *oldest;
            self.give_up(&oldest, Trouble::FragmentsGivenUp, counts);
        }
        None
    }

    /// All that still waits will not be completed.
    pub(super) fn finish(&mut self, counts: &mut Counts) {
        while let Some((_, key)) = self.by_arrival.first_key_value() {
            let key = *key;
            self.give_up(&key, Trouble::FragmentsIncomplete, counts);
        }
    }

    /// Forgets a datagram and says so.
    fn give_up(&mut self, key: &Key, why: Trouble, counts: &mut Counts) {
        if let Some(partial) = self.remove(key) {
            counts.trouble(why, partial.first);
        }
    }

    /// Takes a datagram out.
    fn remove(&mut self, key: &Key) -> Option<Partial> {
        let partial = self.waiting.remove(key)?;
        self.by_arrival.remove(&partial.arrival);
        self.held -= partial.bytes.len();
        Some(partial)
    }
}

impl Partial {
    /// Puts a fragment's bytes in their place, without touching those that came before.
    fn put(&mut self, place: FragmentPlace, piece: &[u8]) -> Result<(), Trouble> {
        let start = place.offset as usize;
        let end = start + piece.len();
        let highest = self.ranges.last().map_or(0, |range| range.1);
        let beyond_end = self.total.is_some_and(|total| end > total);
        if end > LONGEST || beyond_end || (!place.more && highest > end) {
            return Err(Trouble::FragmentBeyond);
        }
        if !place.more {
            self.total = Some(end);
        }
        if place.offset == 0 {
            self.protocol = place.protocol;
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        let mut differs = false;
        let mut at = start;
        let first = self.ranges.partition_point(|range| range.1 <= start);
        let behind = self.ranges.partition_point(|range| range.0 < end);
        for &(from, to) in self.ranges.get(first..behind).unwrap_or_default() {
            copy(&mut self.bytes, piece, start, at, from);
            let (old_from, old_to) = (from.max(start), to.min(end));
            differs |= self.bytes.get(old_from..old_to) != piece.get(old_from - start..old_to - start);
            at = to;
        }
        copy(&mut self.bytes, piece, start, at, end);
        self.cover(start, end);
        if differs { Err(Trouble::FragmentOverlap) } else { Ok(()) }
    }

    /// Notes that the bytes from `start` to `end` have come.
    fn cover(&mut self, start: usize, end: usize) {
        if start == end {
            return;
        }
        let first = self.ranges.partition_point(|range| range.1 < start);
        let behind = self.ranges.partition_point(|range| range.0 <= end);
        let touched = self.ranges.get(first..behind).unwrap_or_default();
        let from = touched.first().map_or(start, |range| range.0.min(start));
        let to = touched.last().map_or(end, |range| range.1.max(end));
        self.ranges.splice(first..behind, [(from, to)]);
    }

    /// Whether every byte has come.
    fn is_complete(&self) -> bool {
        match (self.total, self.ranges.as_slice()) {
            (Some(total), [(0, end)]) => *end == total,
            (Some(total), []) => total == 0,
            _ => false,
        }
    }
}

/// Copies the bytes `from..to` of the datagram out of a piece that begins at `start`; nothing if empty.
fn copy(datagram: &mut [u8], piece: &[u8], start: usize, from: usize, to: usize) {
    if from >= to {
        return;
    }
    if let (Some(target), Some(source)) = (datagram.get_mut(from..to), piece.get(from - start..to - start)) {
        target.copy_from_slice(source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Slice;
    use crate::packet::samples::{PAYLOAD, decode, decode_timed, ip6, tcp4, tcp6, udp4};

    /// The bytes `from..to` of the payload of `packet`, an IPv4 packet without options, as a fragment of it.
    fn fragment(packet: &[u8], from: usize, to: usize) -> Vec<u8> {
        let (header, payload) = packet.split_at(20);
        let to = to.min(payload.len());
        let mut bytes = [header, &payload[from..to]].concat();
        let field = (from / 8) as u16 | if to < payload.len() { 0x2000 } else { 0 };
        let total = bytes.len() as u16;
        bytes[2..4].copy_from_slice(&total.to_be_bytes());
        bytes[6..8].copy_from_slice(&field.to_be_bytes());
        bytes
    }

    #[test]
    fn any_order_gives_the_datagram() {
        let packet = tcp4();
        let pieces = [(0, 8), (8, 24), (24, 99)];
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        for order in orders {
            let frames: Vec<Vec<u8>> =
                order.iter().map(|&i| fragment(&packet, pieces[i].0, pieces[i].1)).collect();
            let decoded = decode(101, &frames);
            let head = decoded.tcp()[0];
            assert_eq!((head.seq, head.payload.captured.buffer), (1000, Slice::SIDE), "{order:?}");
            let start = head.payload.captured.start as usize;
            assert_eq!(&decoded.side[start..start + head.payload.captured.length as usize], PAYLOAD);
            assert_eq!(decoded.packets[0].at.number, 3);
            assert_eq!(decoded.tally.other, [("IP fragment".to_owned(), 2)]);
            assert!(decoded.problems().is_empty());
        }
    }

    #[test]
    fn ipv6_fragments_come_together() {
        let segment = tcp6()[40..].to_vec();
        let piece = |from: usize, to: usize, more: u8| {
            ip6(44, &[&[6, 0, 0, from as u8 | more, 0, 0, 0, 9], &segment[from..to]].concat())
        };
        let decoded = decode(101, &[piece(16, segment.len(), 0), piece(0, 16, 1)]);
        assert_eq!(decoded.tcp()[0].payload.length as usize, PAYLOAD.len());
    }

    /// Name, frames, the datagram expected, and how many problems.
    type Overlap = (&'static str, Vec<Vec<u8>>, &'static [u8], usize);

    #[test]
    fn what_came_first_stays() {
        let packet = udp4(1, 2, b"AAAAAAAABBBBBBBBCCCC");
        let other = udp4(1, 2, b"aaaaaaaabbbbbbbbcccc");
        let rows: [Overlap; 4] = [
            (
                "repeated",
                vec![fragment(&packet, 0, 16), fragment(&packet, 0, 16), fragment(&packet, 16, 99)],
                b"AAAAAAAABBBBBBBBCCCC",
                0,
            ),
            (
                "overlapping and equal",
                vec![fragment(&packet, 0, 16), fragment(&packet, 8, 24), fragment(&packet, 16, 99)],
                b"AAAAAAAABBBBBBBBCCCC",
                0,
            ),
            (
                "overlapping at its start",
                vec![fragment(&packet, 0, 16), fragment(&other, 8, 24), fragment(&packet, 24, 99)],
                b"AAAAAAAAbbbbbbbbCCCC",
                1,
            ),
            (
                "spanning what came",
                vec![fragment(&packet, 8, 16), fragment(&other, 0, 24), fragment(&packet, 24, 99)],
                b"AAAAAAAAbbbbbbbbCCCC",
                1,
            ),
        ];
        for (name, frames, expected, problems) in rows {
            let decoded = decode(101, &frames);
            assert_eq!(decoded.packets.len(), 1, "{name}");
            assert_eq!(&decoded.side[8..], expected, "{name}");
            assert_eq!(decoded.problems().len(), problems, "{name}");
        }
    }

    #[test]
    fn a_fragment_beyond_the_end_is_not_used() {
        let packet = tcp4();
        let (mut beyond, mut second_end) = (fragment(&packet, 24, 99), fragment(&packet, 16, 24));
        beyond[6] |= 0x20;
        beyond[7] += 8;
        second_end[6] = 0;
        for extra in [beyond, second_end] {
            let decoded = decode(101, &[fragment(&packet, 24, 99), extra, fragment(&packet, 0, 24)]);
            assert_eq!(decoded.tcp().len(), 1);
            assert!(decoded.problems()[0].contains("beyond the end"));
        }
        // Beyond the longest datagram.
        let mut far = fragment(&packet, 0, 16);
        far[6..8].copy_from_slice(&0x3fff_u16.to_be_bytes());
        assert!(decode(101, &[far]).problems().iter().any(|problem| problem.contains("beyond the end")));
    }

    #[test]
    fn incomplete_datagrams_are_told() {
        let packet = tcp4();
        let decoded = decode(101, &[fragment(&packet, 8, 16)]);
        assert_eq!((decoded.packets.len(), decoded.others()), (0, vec!["IP fragment"]));
        assert_eq!(decoded.problems(), ["IP datagrams of which fragments are missing; not decoded"]);
    }

    #[test]
    fn the_same_number_later_is_another_datagram() {
        let (old, new) = (udp4(1, 2, b"AAAAAAAAAAAA"), udp4(1, 2, b"BBBBBBBBBBBB"));
        let (a, b, c) = (fragment(&old, 0, 16), fragment(&new, 16, 99), fragment(&new, 0, 16));
        let frames = [(0, &*a, a.len() as u32), (61, &*b, b.len() as u32), (62, &*c, c.len() as u32)];
        let decoded = decode_timed(101, &frames);
        assert_eq!(&decoded.side[8..], b"BBBBBBBBBBBB");
        assert_eq!(decoded.problems().len(), 1);
    }

    #[test]
    fn a_fragment_inside_a_fragmented_datagram_is_put_together() {
        let inner = tcp4();
        let tunnel = |bytes: &[u8]| crate::packet::samples::ip4(4, bytes);
        let (first, second) = (tunnel(&fragment(&inner, 0, 16)), tunnel(&fragment(&inner, 16, 99)));
        let frames = [
            fragment(&first, 0, 24),
            fragment(&first, 24, 99),
            fragment(&second, 0, 24),
            fragment(&second, 24, 99),
        ];
        let decoded = decode(101, &frames);
        assert_eq!(decoded.tcp()[0].payload.length as usize, PAYLOAD.len());
    }

    #[test]
    fn the_first_of_cut_fragments_is_looked_into() {
        let packet = tcp4();
        let (first, second) = (fragment(&packet, 0, 32), fragment(&packet, 32, 99));
        let frames = [(0, &first[..44], first.len() as u32), (0, &second[..21], second.len() as u32)];
        let decoded = decode_timed(101, &frames);
        let head = decoded.tcp()[0];
        assert_eq!((head.seq, head.payload.length), (1000, 12));
        assert_eq!(head.parity, crate::packet::ParityLength::Unknown);
        assert_eq!(decoded.others(), ["IP fragment"]);
    }

    #[test]
    fn memory_is_bounded() {
        let packet = tcp4();
        let mut frames = Vec::new();
        for id in 0..=limits::FRAGMENTED_DATAGRAMS as u16 {
            let mut piece = fragment(&packet, 8, 16);
            piece[4..6].copy_from_slice(&id.to_be_bytes());
            frames.push(piece);
        }
        let decoded = decode(101, &frames);
        let problems = decoded.tally.problems.list();
        let told: Vec<u64> = problems.iter().map(|problem| problem.count).collect();
        assert_eq!(told, [limits::FRAGMENTED_DATAGRAMS as u64, 1]);
        // The oldest was given up.
        assert_eq!(problems[1].frame, Some(1));
        // Large holes are paid for by their size.
        let mut far = fragment(&packet, 8, 16);
        far[6..8].copy_from_slice(&(0x2000_u16 + 8000).to_be_bytes());
        let frames: Vec<Vec<u8>> = (0..400_u16)
            .map(|id| {
                far[4..6].copy_from_slice(&id.to_be_bytes());
                far.clone()
            })
            .collect();
        let told: Vec<u64> = decode(101, &frames).tally.problems.list().iter().map(|p| p.count).collect();
        let kept = (limits::FRAGMENT_BYTES / 64_008) as u64;
        assert_eq!(told, [kept, 400 - kept]);
    }
}
