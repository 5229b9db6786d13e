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
        for &(from, to) in &self.ranges {
            if to <= at || from >= end {
                continue;
            }
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
