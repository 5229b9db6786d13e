//! The snoop format of Solaris (RFC 1761): one header, then records, all in big-endian order.

use crate::capture::LinkType;
use crate::capture::format::{ByteOrder, RawFrame, Step, Window};
use crate::capture::ledger::Ledger;
use crate::capture::resync::{Lost, Scan, Verdict, scan};
use crate::limits;
use crate::time::{Span, Timestamp};

/// The first bytes of every file.
const MAGIC: [u8; 8] = *b"snoop\0\0\0";

/// The version of the format that RFC 1761 describes.
const VERSION: u32 = 2;

/// Bytes of the file header.
const HEADER: usize = 16;

/// Bytes of a record's header.
const RECORD: usize = 24;

/// Added to a datalink type that has no counterpart among `LINKTYPE_…`, so that it is counted under a number
/// that no registered type has.
const UNREGISTERED: u32 = 1 << 16;

/// Records in a row that must make sense where the way was lost. Their lengths confirm each other.
const CHAIN: usize = 3;

/// Bytes of padding that are believed. The RFC asks for three at most, and readers take any number.
const MOST_PADDING: u32 = 64;

/// How far the time of records found there may be from that of the frames before, or from each other.
const REACH: Span = Span::from_secs(30 * 86_400);

/// The reader of a snoop file's records.
#[derive(Debug)]
pub(super) struct Snoop {
    link: LinkType,
    begun: bool,
    lost: Option<Lost>,
}

/// A record's header.
#[derive(Debug, Clone, Copy)]
struct Record {
    original: u32,
    captured: u32,
    /// Of the record with its header and its padding.
    length: u32,
    drops: u32,
    seconds: u32,
    microseconds: u32,
}

impl Record {
    fn read(bytes: &[u8]) -> Option<Self> {
        let field = |at| ByteOrder::Big.u32(bytes, at);
        Some(Self {
            original: field(0)?,
            captured: field(4)?,
            length: field(8)?,
            drops: field(12)?,
            seconds: field(16)?,
            microseconds: field(20)?,
        })
    }

    /// Why this cannot be the header of a record.
    fn objection(&self) -> Option<String> {
        if self.captured > limits::RECORD_BYTES {
            return Some(format!("expected a captured length, found {}", self.captured));
        }
        let padding = self.length.checked_sub(RECORD as u32 + self.captured);
        padding.is_none_or(|padding| padding > MOST_PADDING).then(|| {
            format!(
                "expected the length of a record with {} captured bytes, found {}",
                self.captured, self.length
            )
        })
    }

    /// Whether it is padded as the RFC says: to the next multiple of four.
    fn is_usual(&self) -> bool {
        let least = (RECORD as u32).checked_add(self.captured);
        least.and_then(|least| least.checked_next_multiple_of(4)) == Some(self.length)
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_parts(i64::from(self.seconds), i64::from(self.microseconds) * 1_000)
    }

    /// Whether this can be a record where the way was lost.
    fn is_plausible(&self) -> bool {
        self.captured > 0
            && self.captured <= self.original
            && self.original <= limits::RECORD_BYTES
            && self.is_usual()
            && self.microseconds < 1_000_000
    }
}

impl Snoop {
    /// Tells a snoop file by its first bytes; a file that ends within its header is one too.
    pub(super) fn detect(head: &[u8], ledger: &mut Ledger) -> Option<Self> {
        if !head.starts_with(&MAGIC) {
            return None;
        }
        ledger.facts.format = "snoop";
        if let Some(version) = ByteOrder::Big.u32(head, 8)
            && version != VERSION
        {
            let message =
                format!("at byte 8: expected version {VERSION}, found {version}; read as {VERSION}");
            ledger.bad_record("version", 8, message);
        }
        let link = link_type(ByteOrder::Big.u32(head, 12).unwrap_or_default());
        ledger.add_interface(b"", link, 0, 1_000);
        Some(Self { link, begun: false, lost: None })
    }

    /// What stands next.
    pub(super) fn step(&mut self, window: Window<'_>, ledger: &mut Ledger) -> Step {
        if self.lost.is_some() {
            return self.search(window, ledger);
        }
        if !self.begun {
            return self.begin(window, ledger);
        }
        let Some(record) = Record::read(window.bytes) else {
            if !window.ended {
                return Step::More(RECORD);
            }
            if !window.bytes.is_empty() {
                let (at, have) = (window.offset, window.bytes.len());
                let message = format!(
                    "at byte {at}: expected a record header of {RECORD} bytes, found {have} bytes and the file's end"
                );
                ledger.cut_short(at, message);
            }
            return Step::End;
        };
        if let Some(why) = record.objection() {
            return self.lose(window, why, false);
        }
        let end = record.length as usize;
        if !record.is_usual() {
            // Padding that only this record claims is a damaged length.
            if window.bytes.len() < end + RECORD && !window.ended {
                return Step::More(end + RECORD);
            }
            let next = window.bytes.get(end..).and_then(Record::read);
            if next.is_some_and(|next| next.objection().is_some()) {
                let why = format!("expected the length of a record, found {}", record.length);
                return self.lose(window, why, false);
            }
        }
        if window.bytes.len() < end {
            if !window.ended {
                return Step::More(end);
            }
            let have = window.bytes.len().saturating_sub(RECORD);
            // What is missing may be padding only.
            if have < record.captured as usize {
                let expected = record.captured;
                let why = format!(
                    "expected a record of {expected} captured bytes, found {have} and the file's end"
                );
                return self.lose(window, why, true);
            }
        }
        if let Some(interface) = ledger.interface(0) {
            let drops = u64::from(record.drops);
            interface.drops = Some(interface.drops.unwrap_or_default().max(drops));
        }
        let frame = RawFrame {
            start: RECORD,
            length: record.captured,
            original: record.original,
            time: Some(record.time()),
            link: self.link,
            interface: 0,
        };
        Step::Frame(frame, end.min(window.bytes.len()))
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
        let recent = ledger.recent_times();
        match scan(window, |place| chain(place, recent)) {
            Scan::Nothing(count) if count > 0 => Step::Skip(count),
            Scan::Unclear(wanted) => Step::More(wanted),
            Scan::Found(count) => {
                if let Some(lost) = self.lost.take() {
                    ledger.skipped(lost.from, window.offset + count as u64, &lost.why, false);
                }
                Step::Skip(count)
            }
            Scan::Nothing(_) if !window.ended => Step::More(RECORD),
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
}

/// Whether records in a row begin here, after damage. `recent`: times of the frames before it.
fn chain(place: Window<'_>, recent: [Option<Timestamp>; 2]) -> Verdict {
    let mut known = recent;
    let mut at = 0;
    for count in 0..CHAIN {
        let rest = place.bytes.get(at..);
        let Some(record) = rest.and_then(Record::read) else {
            if !place.ended {
                return Verdict::Unclear(at + RECORD);
            }
            // The file's last records: one that ends with it, or one whole and one cut.
            let ends_with_it = rest.is_some_and(<[u8]>::is_empty);
            return if count > usize::from(!ends_with_it) { Verdict::Good } else { Verdict::Bad };
        };
        let time = record.time();
        let near = |other: Timestamp| (time - other).0.saturating_abs() <= REACH.0;
        let far = known.iter().any(Option::is_some) && !known.into_iter().flatten().any(near);
        if !record.is_plausible() || far {
            return Verdict::Bad;
        }
        known = [Some(time), None];
        at += record.length as usize;
    }
    Verdict::Good
}

/// What a datalink type means: those of RFC 1761, and the ones that Solaris gave numbers to afterwards where
/// their frames begin as those of a `LINKTYPE_…` do.
fn link_type(datalink: u32) -> LinkType {
    LinkType(match datalink {
        // IEEE 802.3, and Ethernet.
        0 | 4 => 1,
        2 => 6,
        8 => 10,
        // ATM with Sun's header of four bytes.
        18 => 123,
        other => UNREGISTERED | (other & 0xffff),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::sample::{SnoopSample, payload, read};
    use crate::problem::{Problem, ProblemKind};

    fn kinds(problems: &[Problem]) -> Vec<ProblemKind> {
        problems.iter().map(|problem| problem.kind).collect()
    }

    /// Ten records of different lengths, a second apart.
    fn ten() -> (SnoopSample, Vec<usize>) {
        let mut sample = SnoopSample::new(2, 4);
        let mut starts = Vec::new();
        for index in 0..10 {
            starts.push(sample.bytes.len());
            sample = sample.record((911_000_000 + index as u32, 7), &payload(index, 60 + 13 * index));
        }
        (sample, starts)
    }

    #[test]
    fn records_are_read() {
        let sample = SnoopSample::new(2, 4)
            .record((911_000_000, 5), b"first")
            .full((911_000_001, 999_999), 1500, 3, 0, b"second")
            .full((u32::MAX, 0), 4, 7, 0, b"last");
        let (seen, finished) = read(&sample.bytes);
        let found: Vec<_> = seen
            .iter()
            .map(|frame| (frame.time.0, frame.original, frame.bytes.as_slice(), frame.offset))
            .collect();
        assert_eq!(
            found,
            [
                (911_000_000_000_005_000, 5, b"first".as_slice(), 40),
                (911_000_001_999_999_000, 1500, b"second", 72),
                (4_294_967_295_000_000_000, 4, b"last", 104),
            ]
        );
        let facts = &finished.files[0];
        assert_eq!((facts.format, facts.variant, facts.time_resolution_ns), ("snoop", None, 1_000));
        assert_eq!((facts.packets, facts.snapped, facts.link_types.as_slice()), (3, 1, &[LinkType(1)][..]));
        // Drops are told as a sum so far.
        assert_eq!(facts.interfaces[0].drops, Some(7));
        assert_eq!(kinds(&finished.problems.list()), [ProblemKind::RecorderDrops]);
    }

    #[test]
    fn datalink_types() {
        for (datalink, link) in [(0, 1), (4, 1), (2, 6), (8, 10), (18, 123), (5, 65_541), (u32::MAX, 131_071)]
        {
            let (seen, _) = read(&SnoopSample::new(2, datalink).record((1, 0), b"abcd").bytes);
            assert_eq!(seen[0].link, LinkType(link), "{datalink}");
        }
    }

    #[test]
    fn another_version_is_told() {
        let (seen, finished) = read(&SnoopSample::new(3, 4).record((1, 0), b"abcd").bytes);
        assert_eq!((seen.len(), kinds(&finished.problems.list())), (1, vec![ProblemKind::BadRecord]));
    }

    #[test]
    fn more_padding_than_needed_is_skipped() {
        let sample = SnoopSample::new(2, 4).full((1, 0), 4, 0, 4, b"abcd").full((2, 0), 5, 0, 4, b"abcde");
        let (seen, finished) = read(&sample.bytes);
        assert_eq!(seen.iter().map(|frame| frame.bytes.len()).collect::<Vec<_>>(), [4, 5]);
        assert!(finished.problems.list().is_empty());
    }

    #[test]
    fn a_cut_file_gives_every_whole_record() {
        let (sample, starts) = ten();
        for length in 8..sample.bytes.len() {
            let (seen, finished) = read(&sample.bytes[..length]);
            // A record whose padding only is cut is whole.
            let ends = starts.iter().zip(0..).map(|(start, index)| start + RECORD + 60 + 13 * index);
            let whole: Vec<usize> = ends.filter(|&end| end <= length).collect();
            assert_eq!(seen.len(), whole.len(), "{length}");
            let problems = finished.problems.list();
            let clean = length == HEADER
                || whole.last().is_some_and(|&end| (end..=end.next_multiple_of(4)).contains(&length));
            assert_eq!(kinds(&problems), vec![ProblemKind::CutShort; usize::from(!clean)], "{length}");
            assert_eq!(finished.files[0].truncated, !clean);
        }
    }

    #[test]
    fn one_damaged_byte_costs_one_frame_at_most() {
        let (sample, starts) = ten();
        let (intact, _) = read(&sample.bytes);
        for at in starts[0]..sample.bytes.len() {
            for flip in [0x01, 0x10, 0x80, 0xff] {
                let mut bytes = sample.bytes.clone();
                bytes[at] ^= flip;
                let (seen, _) = read(&bytes);
                let hit = starts.iter().filter(|&&start| start <= at).count() - 1;
                for (index, frame) in intact.iter().enumerate().filter(|(index, _)| *index != hit) {
                    let found =
                        seen.iter().any(|other| other.bytes == frame.bytes && other.time == frame.time);
                    assert!(found, "frame {index} lost by {flip:#x} at byte {at} of record {hit}");
                }
            }
        }
    }

    #[test]
    fn skipped_bytes_are_told_with_their_range() {
        let (sample, starts) = ten();
        let mut bytes = sample.bytes[..starts[4]].to_vec();
        bytes.extend([0xee; 333]);
        bytes.extend(&sample.bytes[starts[4]..]);
        let (seen, finished) = read(&bytes);
        assert_eq!(seen.len(), 10);
        let [problem] = finished.problems.list().try_into().unwrap();
        assert_eq!((problem.kind, problem.offset), (ProblemKind::SkippedBytes, Some(starts[4] as u64)));
        assert!(problem.message.contains("333 bytes"), "{}", problem.message);
        // Damage without an end.
        let mut bytes = sample.bytes.clone();
        bytes.extend([0xff; 5000]);
        let (seen, finished) = read(&bytes);
        assert_eq!((seen.len(), kinds(&finished.problems.list())), (10, vec![ProblemKind::SkippedBytes]));
    }
}
