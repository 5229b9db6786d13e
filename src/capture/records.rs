//! Records of a pcap file: their layout in each dialect, and which bytes can be one.

use std::cell::Cell;

use crate::capture::format::{ByteOrder, Window};
use crate::capture::resync::Verdict;
use crate::limits;
use crate::time::{Span, Timestamp};

/// Captured length up to which a record is believed without a second look; Wireshark stops at a longer one.
pub(super) const USUAL_BYTES: u32 = 256 << 10;

/// Records in a row that must make sense where the way was lost.
const CHAIN: usize = 3;

/// The same where their time is far from that of the frames before the damage.
const LONG_CHAIN: usize = 8;

/// How far apart the times of records may be to be believed where the way was lost.
const REACH: Span = Span::from_secs(30 * 86_400);

/// Records looked at in one search inside another record, so that a hostile file cannot make it long.
const HOPS: u32 = 1 << 20;

/// In which order a record says its two lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lengths {
    /// Captured, then original: version 2.3 and later.
    Captured,
    /// Original, then captured: before version 2.3.
    Original,
    /// Version 2.3: both orders were written; the captured length is the smaller one.
    Smaller,
}

/// How the records of a file are laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// The order of bytes in numbers.
    pub(super) order: ByteOrder,
    /// Bytes of a record's header.
    pub(super) header: usize,
    /// The order of the two lengths.
    pub(super) lengths: Lengths,
    /// Nanoseconds in one unit of the fraction.
    pub(super) unit_ns: i64,
}

/// A record's header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    seconds: u32,
    fraction: u32,
    /// Captured bytes.
    pub(super) captured: u32,
    /// Bytes on the wire.
    pub(super) original: u32,
}

/// How far a search inside a record may go: it must find records that go on beyond `end`.
#[derive(Debug)]
pub(super) struct Inside {
    /// Offset in the file of the record's end by its own header.
    pub(super) end: u64,
    hops: Cell<u32>,
}

impl Inside {
    /// Inside a record that ends there.
    pub(super) fn new(end: u64) -> Self {
        Self { end, hops: Cell::new(0) }
    }
}

impl Record {
    /// Why this cannot be the header of a record.
    pub(super) fn objection(&self) -> Option<String> {
        if self.captured > limits::RECORD_BYTES {
            return Some(format!("expected a captured length, found {}", self.captured));
        }
        self.is_blank().then(|| "expected a record header, found zeros".to_owned())
    }

    /// Whether it is as most are.
    pub(super) fn is_usual(&self) -> bool {
        self.captured <= USUAL_BYTES && !self.is_blank()
    }

    /// Preallocated files end in zeros.
    fn is_blank(&self) -> bool {
        (self.seconds | self.fraction | self.captured | self.original) == 0
    }
}

impl Layout {
    /// The header at the beginning of `bytes`.
    #[inline]
    pub(super) fn record(&self, bytes: &[u8]) -> Option<Record> {
        let head = bytes.get(..self.header)?;
        let (first, second) = (self.order.u32(head, 8)?, self.order.u32(head, 12)?);
        let (captured, original) = match self.lengths {
            Lengths::Captured => (first, second),
            Lengths::Original => (second, first),
            Lengths::Smaller => (first.min(second), first.max(second)),
        };
        let (seconds, fraction) = (self.order.u32(head, 0)?, self.order.u32(head, 4)?);
        Some(Record { seconds, fraction, captured, original })
    }

    /// When a record was captured.
    #[inline]
    pub(super) fn time(&self, record: &Record) -> Timestamp {
        Timestamp::from_parts(i64::from(record.seconds), i64::from(record.fraction) * self.unit_ns)
    }

    /// Whether records in a row begin here, after damage. `recent`: times of the frames before it.
    /// `inside`: they must go on past the end of the record that they lie in.
    pub(super) fn chain(
        &self,
        place: Window<'_>,
        recent: [Option<Timestamp>; 2],
        inside: Option<&Inside>,
    ) -> Verdict {
        let spent = inside.map_or(0, |inside| inside.hops.get());
        let mut hops = spent;
        let verdict = self.walk(place, recent, inside, &mut hops);
        if let (Some(inside), Verdict::Good | Verdict::Bad) = (inside, verdict) {
            // A place that was unclear is tried again: what it cost must not depend on how bytes came in.
            inside.hops.set(hops);
        }
        verdict
    }

    fn walk(
        &self,
        place: Window<'_>,
        recent: [Option<Timestamp>; 2],
        inside: Option<&Inside>,
        hops: &mut u32,
    ) -> Verdict {
        let mut previous: Option<Timestamp> = None;
        let mut wanted = CHAIN;
        let mut at = 0;
        let mut count = 0;
        loop {
            let passed = inside.is_none_or(|inside| place.offset + at as u64 > inside.end);
            if count >= wanted && passed {
                return Verdict::Good;
            }
            let rest = place.bytes.get(at..);
            let Some(record) = rest.and_then(|rest| self.record(rest)) else {
                if !place.ended {
                    return Verdict::Unclear(at + self.header);
                }
                // The file's last records: one that ends with it, or one whole and one cut.
                let ends_with_it = rest.is_some_and(<[u8]>::is_empty);
                let enough = count > usize::from(!ends_with_it);
                return if enough && passed && wanted == CHAIN { Verdict::Good } else { Verdict::Bad };
            };
            *hops += u32::from(inside.is_some());
            if !self.is_plausible(&record) || *hops > HOPS {
                return Verdict::Bad;
            }
            let time = self.time(&record);
            let near = |other: Timestamp| (time - other).0.saturating_abs() <= REACH.0;
            match previous {
                Some(previous) if !near(previous) => return Verdict::Bad,
                None if recent.iter().any(Option::is_some) && !recent.into_iter().flatten().any(near) => {
                    wanted = LONG_CHAIN;
                }
                _ => {}
            }
            previous = Some(time);
            at += self.header + record.captured as usize;
            count += 1;
        }
    }

    /// Whether this can be a record where the way was lost; much stricter than where it was not.
    fn is_plausible(&self, record: &Record) -> bool {
        record.captured > 0
            && record.captured <= USUAL_BYTES
            && record.captured <= record.original
            && record.original <= limits::RECORD_BYTES
            && i64::from(record.fraction) * self.unit_ns < 1_000_000_000
    }
}
