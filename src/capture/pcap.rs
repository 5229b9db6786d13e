//! The pcap format (draft-ietf-opsawg-pcap): one header, then records, in five dialects.

use pcap_parser::pcap::parse_pcap_header;

use crate::capture::LinkType;
use crate::capture::format::{ByteOrder, RawFrame, Step, Window};
use crate::capture::ledger::Ledger;
use crate::capture::resync::{Lost, Scan, Verdict, scan};
use crate::limits;
use crate::time::Timestamp;

/// Bytes of the file header.
const HEADER: usize = 24;

/// Captured length up to which a record is believed without a second look; Wireshark stops at a longer one.
const USUAL_BYTES: u32 = 256 << 10;

/// Records in a row that must make sense where the way was lost.
const CHAIN: usize = 3;

/// How far the time of a record may be from the last good one to be believed where the way was lost.
const REACH_S: i64 = 30 * 86_400;

/// How often records are looked for inside a record whose successor makes no sense. Each time may give bytes
/// out twice, so a hostile file must not get it for ever.
const RESCUES: u32 = 64;

/// Hops over records in one such search, so that a hostile file cannot make it long.
const RESCUE_HOPS: u32 = 1 << 20;

/// In which order a record says its two lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lengths {
    /// Captured, then original: version 2.3 and later.
    Captured,
    /// Original, then captured: before version 2.3.
    Original,
    /// Version 2.3: both orders were written; the captured length is the smaller one.
    Smaller,
}

/// The reader of a pcap file's records.
#[derive(Debug)]
pub(super) struct Pcap {
    order: ByteOrder,
    record_header: usize,
    lengths: Lengths,
    /// Nanoseconds in one unit of the fraction.
    unit_ns: i64,
    link: LinkType,
    usual: u32,
    begun: bool,
    lost: Option<Lost>,
    /// End of the record that may be longer in its header than in truth, while looking inside it.
    inside: Option<u64>,
    rescues: u32,
    hops: std::cell::Cell<u32>,
}

/// A record's header.
#[derive(Debug, Clone, Copy)]
struct Record {
    seconds: u32,
    fraction: u32,
    captured: u32,
    original: u32,
}

impl Record {
    fn is_blank(&self) -> bool {
        (self.seconds | self.fraction | self.captured | self.original) == 0
    }
}

impl Pcap {
    /// Tells a pcap file by its first bytes; a file that ends within its header is one too.
    pub(super) fn detect(head: &[u8], ledger: &mut Ledger) -> Option<Self> {
        let magic: [u8; 4] = *head.first_chunk()?;
        let (order, modified, unit_ns) = match magic {
            [0xd4, 0xc3, 0xb2, 0xa1] => (ByteOrder::Little, false, 1_000),
            [0xa1, 0xb2, 0xc3, 0xd4] => (ByteOrder::Big, false, 1_000),
            [0x4d, 0x3c, 0xb2, 0xa1] => (ByteOrder::Little, false, 1),
            [0xa1, 0xb2, 0x3c, 0x4d] => (ByteOrder::Big, false, 1),
            [0x34, 0xcd, 0xb2, 0xa1] => (ByteOrder::Little, true, 1_000),
            [0xa1, 0xb2, 0xcd, 0x34] => (ByteOrder::Big, true, 1_000),
            _ => return None,
        };
        ledger.facts.format = "pcap";
        ledger.facts.variant = match (modified, unit_ns) {
            (true, _) => Some("modified"),
            (false, 1) => Some("nanosecond"),
            _ => None,
        };
        // pcap-parser knows no modified layout in big-endian order; its header is the plain one.
        let mut plain = [0; HEADER];
        for (to, from) in plain.iter_mut().zip(head) {
            *to = *from;
        }
        let known: [u8; 4] = match order {
            ByteOrder::Little => [0xd4, 0xc3, 0xb2, 0xa1],
            ByteOrder::Big => [0xa1, 0xb2, 0xc3, 0xd4],
        };
        if let Some(start) = plain.first_chunk_mut() {
            *start = known;
        }
        let (_, header) = parse_pcap_header(&plain).ok()?;
        let (major, minor) = (header.version_major, header.version_minor);
        if (major, minor) != (2, 4) && head.len() >= 8 && !(major == 2 && minor < 4 || major == 543) {
            let message = format!("at byte 4: expected version 2.4, found {major}.{minor}; read as 2.4");
            ledger.bad_record("version", 4, message);
        }
        let lengths = match (major, minor) {
            (2, 0..=2) | (543, _) => Lengths::Original,
            (2, 3) => Lengths::Smaller,
            _ => Lengths::Captured,
        };
        // The upper half tells the length of a frame check sequence at the end of frames.
        let link = LinkType(header.network.0 as u32 & 0xffff);
        ledger.add_interface(b"", link, header.snaplen, unit_ns as u64);
        let record_header = if modified { 24 } else { 16 };
        Some(Self {
            order,
            record_header,
            lengths,
            unit_ns,
            link,
            usual: USUAL_BYTES,
            begun: false,
            lost: None,
            inside: None,
            rescues: 0,
            hops: std::cell::Cell::new(0),
        })
    }

    /// What stands next.
    pub(super) fn step(&mut self, window: Window<'_>, ledger: &mut Ledger) -> Step {
        if self.lost.is_some() {
            return self.search(window, ledger);
        }
        if !self.begun {
            return self.begin(window, ledger);
        }
        let Some(record) = self.record(window.bytes) else {
            if !window.ended {
                return Step::More(self.record_header);
            }
            if !window.bytes.is_empty() {
                let (at, have, want) = (window.offset, window.bytes.len(), self.record_header);
                let message = format!(
                    "at byte {at}: expected a record header of {want} bytes, found {have} bytes and the file's end"
                );
                ledger.cut_short(at, message);
            }
            return Step::End;
        };
        if let Some(why) = Self::objection(&record) {
            return self.lose(window, why, false);
        }
        let end = self.record_header + record.captured as usize;
        let next_header = end + self.record_header;
        if window.bytes.len() < next_header && !window.ended {
            return Step::More(next_header);
        }
        let Some(after) = window.bytes.get(end..) else {
            let why = format!(
                "expected a record of {} captured bytes, found {} and the file's end",
                record.captured,
                window.bytes.len().saturating_sub(self.record_header)
            );
            return self.lose(window, why, true);
        };
        let next = self.record(after);
        let sound = next.is_none_or(|next| next.captured <= self.usual && !next.is_blank());
        if record.captured > self.usual && next.is_some_and(|next| Self::objection(&next).is_some()) {
            let why = format!("expected a captured length, found {}", record.captured);
            return self.lose(window, why, false);
        }
        let frame = RawFrame {
            start: self.record_header,
            length: record.captured,
            original: record.original,
            time: Some(self.time(&record)),
            link: self.link,
            interface: 0,
        };
        if sound || self.rescues >= RESCUES {
            return Step::Frame(frame, end);
        }
        // What follows is no record. Either damage begins there, or this record's length is damaged and
        // records lie inside it: look there first.
        self.rescues += 1;
        self.hops.set(0);
        self.inside = Some(window.offset + end as u64);
        self.lost = Some(Lost { from: window.offset, why: String::new(), cut: false });
        Step::Frame(frame, self.record_header)
    }

    fn begin(&mut self, window: Window<'_>, ledger: &mut Ledger) -> Step {
        if window.bytes.len() < HEADER {
            if !window.ended {
                return Step::More(HEADER);
            }
            let have = window.bytes.len();
            let message = format!(
                "at byte 0: expected a file header of {HEADER} bytes, found {have} and the file's end"
            );
            ledger.cut_short(0, message);
            return Step::End;
        }
        self.begun = true;
        Step::Skip(HEADER)
    }

    fn lose(&mut self, window: Window<'_>, why: String, cut: bool) -> Step {
        self.lost = Some(Lost { from: window.offset, why, cut });
        // The record that made no sense begins no chain either.
        Step::Skip(1)
    }

    /// Looks for records after damage.
    fn search(&mut self, window: Window<'_>, ledger: &mut Ledger) -> Step {
        let reference = ledger.last_time();
        if let Some(end) = self.inside {
            return self.search_inside(window, end, ledger);
        }
        match scan(window, |place| self.chain(place, reference, None)) {
            Scan::Nothing(count) if count > 0 => Step::Skip(count),
            Scan::Unclear(wanted) => Step::More(wanted),
            Scan::Found(count) => {
                if let Some(lost) = self.lost.take() {
                    ledger.skipped(lost.from, window.offset + count as u64, &lost.why, false);
                }
                Step::Skip(count)
            }
            Scan::Nothing(_) if !window.ended => Step::More(self.record_header),
            Scan::Nothing(_) => {
                match self.lost.take() {
                    Some(lost) if lost.cut => {
                        let message = format!("at byte {}: {}", lost.from, lost.why);
                        ledger.cut_short(lost.from, message);
                    }
                    Some(lost) => ledger.skipped(lost.from, window.offset, &lost.why, true),
                    None => {}
                }
                Step::End
            }
        }
    }

    /// Looks for records inside a record that ends at `end` and whose successor makes no sense. They must go
    /// on beyond that end: a capture inside a frame's payload does not.
    fn search_inside(&mut self, window: Window<'_>, end: u64, ledger: &mut Ledger) -> Step {
        let reference = ledger.last_time();
        let reach = end.saturating_sub(window.offset) as usize;
        let place = Window { bytes: window.bytes.get(..reach).unwrap_or(window.bytes), ..window };
        let beyond = window.bytes;
        let found = scan(place, |place| {
            let from = (place.offset - window.offset) as usize;
            let bytes = beyond.get(from..).unwrap_or_default();
            self.chain(Window { bytes, ..place }, reference, Some(end))
        });
        match found {
            Scan::Nothing(count) if count > 0 => Step::Skip(count),
            Scan::Unclear(wanted) => Step::More(wanted),
            Scan::Found(count) => {
                let at = window.offset + count as u64;
                if let Some(lost) = self.lost.take() {
                    let frame = ledger.frame;
                    let message = format!(
                        "at byte {}: the record of frame {frame} says that it ends at byte {end}, \
                         but records begin inside it at byte {at}; reading goes on there",
                        lost.from
                    );
                    ledger.bad_record("", lost.from, message);
                }
                self.inside = None;
                Step::Skip(count)
            }
            Scan::Nothing(_) => {
                // Nothing inside: the record stands, and what follows is looked at as it comes.
                self.inside = None;
                self.lost = None;
                Step::Skip(reach)
            }
        }
    }

    /// Whether records in a row begin here. `beyond`: they must go on past this offset.
    fn chain(&self, place: Window<'_>, reference: Option<Timestamp>, beyond: Option<u64>) -> Verdict {
        let mut reference = reference;
        let mut at = 0;
        let mut count = 0;
        loop {
            let rest = place.bytes.get(at..);
            let Some(record) = rest.and_then(|rest| self.record(rest)) else {
                if !place.ended {
                    return Verdict::Unclear(at + self.record_header);
                }
                // The file's last records: one that ends with it, or one whole and one cut.
                let passed = beyond.is_none_or(|end| place.offset + at as u64 > end);
                let enough = if rest.is_some() && beyond.is_none() { count > 0 } else { count > 1 };
                return if enough && passed { Verdict::Good } else { Verdict::Bad };
            };
            if !self.is_plausible(&record, reference) {
                return Verdict::Bad;
            }
            reference = Some(self.time(&record));
            at += self.record_header + record.captured as usize;
            count += 1;
            let passed = beyond.is_none_or(|end| place.offset + at as u64 > end);
            if count >= CHAIN && passed {
                return Verdict::Good;
            }
            if beyond.is_some() {
                self.hops.set(self.hops.get() + 1);
                if self.hops.get() > RESCUE_HOPS {
                    return Verdict::Bad;
                }
            }
        }
    }

    /// Whether this can be a record where the way was lost; much stricter than where it was not.
    fn is_plausible(&self, record: &Record, reference: Option<Timestamp>) -> bool {
        record.captured > 0
            && record.captured <= self.usual
            && record.captured <= record.original
            && record.original <= limits::RECORD_BYTES
            && i64::from(record.fraction) * self.unit_ns < 1_000_000_000
            && reference.is_none_or(|time| {
                (i64::from(record.seconds) - time.0.div_euclid(1_000_000_000)).abs() <= REACH_S
            })
    }

    /// Why this cannot be the header of a record.
    fn objection(record: &Record) -> Option<String> {
        if record.captured > limits::RECORD_BYTES {
            return Some(format!("expected a captured length, found {}", record.captured));
        }
        // Preallocated files end in zeros.
        record.is_blank().then(|| "expected a record header, found zeros".to_owned())
    }

    #[inline]
    fn record(&self, bytes: &[u8]) -> Option<Record> {
        let head = bytes.get(..self.record_header)?;
        let (first, second) = (self.order.u32(head, 8)?, self.order.u32(head, 12)?);
        let (captured, original) = match self.lengths {
            Lengths::Captured => (first, second),
            Lengths::Original => (second, first),
            Lengths::Smaller => (first.min(second), first.max(second)),
        };
        Some(Record {
            seconds: self.order.u32(head, 0)?,
            fraction: self.order.u32(head, 4)?,
            captured,
            original,
        })
    }

    fn time(&self, record: &Record) -> Timestamp {
        Timestamp::from_parts(i64::from(record.seconds), i64::from(record.fraction) * self.unit_ns)
    }
}
