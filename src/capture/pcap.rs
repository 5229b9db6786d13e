//! The pcap format (draft-ietf-opsawg-pcap): one header, then records, in five dialects.

use pcap_parser::pcap::parse_pcap_header;

use crate::capture::LinkType;
use crate::capture::format::{ByteOrder, RawFrame, Step, Window};
use crate::capture::ledger::Ledger;
use crate::capture::records::{Inside, Layout, Lengths, USUAL_BYTES};
use crate::capture::resync::{Lost, Scan, scan};

/// Bytes of the file header.
const HEADER: usize = 24;

/// How often records are looked for inside a record whose successor makes no sense. Each time may give bytes
/// out twice, so a hostile file must not get it for ever.
const RESCUES: u32 = 64;

/// The reader of a pcap file's records.
#[derive(Debug)]
pub(super) struct Pcap {
    layout: Layout,
    link: LinkType,
    begun: bool,
    lost: Option<Lost>,
    /// End of the record that may be longer in its header than in truth, while looking inside it.
    inside: Option<Inside>,
    rescues: u32,
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
        let layout = Layout { order, header: if modified { 24 } else { 16 }, lengths, unit_ns };
        Some(Self { layout, link, begun: false, lost: None, inside: None, rescues: 0 })
    }

    /// What stands next.
    pub(super) fn step(&mut self, window: Window<'_>, ledger: &mut Ledger) -> Step {
        if self.lost.is_some() {
            return self.search(window, ledger);
        }
        if !self.begun {
            return self.begin(window, ledger);
        }
        let Some(record) = self.layout.record(window.bytes) else {
            if !window.ended {
                return Step::More(self.layout.header);
            }
            if !window.bytes.is_empty() {
                let (at, have, want) = (window.offset, window.bytes.len(), self.layout.header);
                let message = format!(
                    "at byte {at}: expected a record header of {want} bytes, found {have} bytes and the file's end"
                );
                ledger.cut_short(at, message);
            }
            return Step::End;
        };
        if let Some(why) = record.objection() {
            return self.lose(window, why, false);
        }
        let end = self.layout.header + record.captured as usize;
        let next_header = end + self.layout.header;
        if window.bytes.len() < next_header && !window.ended {
            return Step::More(next_header);
        }
        let Some(after) = window.bytes.get(end..) else {
            let why = format!(
                "expected a record of {} captured bytes, found {} and the file's end",
                record.captured,
                window.bytes.len().saturating_sub(self.layout.header)
            );
            return self.lose(window, why, true);
        };
        let next = self.layout.record(after);
        let sound = next.is_none_or(|next| next.is_usual());
        if record.captured > USUAL_BYTES && next.is_some_and(|next| next.objection().is_some()) {
            let why = format!("expected a captured length, found {}", record.captured);
            return self.lose(window, why, false);
        }
        let frame = RawFrame {
            start: self.layout.header,
            length: record.captured,
            original: record.original,
            time: Some(self.layout.time(&record)),
            link: self.link,
            interface: 0,
        };
        if sound && record.captured <= record.original || self.rescues >= RESCUES {
            return Step::Frame(frame, end);
        }
        // What follows is no record, or more was captured than there was. Either damage begins behind this
        // record, or its length is damaged and records lie inside it: look there first.
        self.rescues += 1;
        self.inside = Some(Inside::new(window.offset + end as u64));
        self.lost = Some(Lost { from: window.offset, why: String::new(), cut: false });
        Step::Frame(frame, self.layout.header)
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
        if let Some(inside) = self.inside.take() {
            return self.search_inside(window, inside, ledger);
        }
        match scan(window, |place| self.layout.chain(place, recent, None)) {
            Scan::Nothing(count) if count > 0 => Step::Skip(count),
            Scan::Unclear(wanted) => Step::More(wanted),
            Scan::Found(count) => {
                if let Some(lost) = self.lost.take() {
                    ledger.skipped(lost.from, window.offset + count as u64, &lost.why, false);
                }
                Step::Skip(count)
            }
            Scan::Nothing(_) if !window.ended => Step::More(self.layout.header),
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

    /// Looks for records inside a record whose successor makes no sense. They must go on beyond its end:
    /// a capture inside a frame's payload does not.
    fn search_inside(&mut self, window: Window<'_>, inside: Inside, ledger: &mut Ledger) -> Step {
        let recent = ledger.recent_times();
        let reach = inside.end.saturating_sub(window.offset) as usize;
        let within = Window { bytes: window.bytes.get(..reach).unwrap_or(window.bytes), ..window };
        let found = scan(within, |place| {
            let from = (place.offset - window.offset) as usize;
            let bytes = window.bytes.get(from..).unwrap_or_default();
            self.layout.chain(Window { bytes, ..place }, recent, Some(&inside))
        });
        match found {
            Scan::Nothing(count) if count > 0 => {
                self.inside = Some(inside);
                Step::Skip(count)
            }
            Scan::Unclear(wanted) => {
                self.inside = Some(inside);
                Step::More(wanted)
            }
            Scan::Found(count) => {
                let at = window.offset + count as u64;
                if let Some(lost) = self.lost.take() {
                    let message = format!(
                        "at byte {}: the record of frame {} says that it ends at byte {}, \
                         but records begin inside it at byte {at}; reading goes on there",
                        lost.from, ledger.frame, inside.end
                    );
                    ledger.bad_record("", lost.from, message);
                }
                Step::Skip(count)
            }
            Scan::Nothing(_) => {
                // Nothing inside: the record stands, and what follows is looked at as it comes.
                self.lost = None;
                Step::Skip(reach)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pcap_parser::pcap::{parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified};

    use super::*;
    use crate::capture::sample::{PcapSample, payload, read};
    use crate::problem::{Problem, ProblemKind};

    const MICRO: u32 = 0xa1b2_c3d4;
    const NANO: u32 = 0xa1b2_3c4d;
    const MODIFIED: u32 = 0xa1b2_cd34;
    const ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];

    fn kinds(problems: &[Problem]) -> Vec<ProblemKind> {
        problems.iter().map(|problem| problem.kind).collect()
    }

    /// Ten records of different lengths, a second apart.
    fn ten() -> (PcapSample, Vec<usize>) {
        let mut sample = PcapSample::new(ByteOrder::Little, MICRO);
        let mut starts = Vec::new();
        for index in 0..10 {
            starts.push(sample.bytes.len());
            sample = sample.record((1_700_000_000 + index as u32, 7), &payload(index, 60 + 13 * index));
        }
        (sample, starts)
    }

    #[test]
    fn every_dialect_gives_the_same_frames() {
        for order in ORDERS {
            for (magic, variant, unit, header) in [
                (MICRO, None, 1_000, 16),
                (NANO, Some("nanosecond"), 1, 16),
                (MODIFIED, Some("modified"), 1_000, 24),
            ] {
                let sample = PcapSample::new(order, magic)
                    .record((1_700_000_000, 5), b"first")
                    .lengths((u32::MAX, 999_999), (6, 1500), b"second")
                    .record((3, 0), b"");
                let (seen, finished) = read(&sample.bytes);
                let times: Vec<i64> = seen.iter().map(|frame| frame.time.0).collect();
                let last = i64::from(u32::MAX) * 1_000_000_000 + 999_999 * unit;
                assert_eq!(times, [1_700_000_000_000_000_000 + 5 * unit, last, 3_000_000_000]);
                let bytes: Vec<&[u8]> = seen.iter().map(|frame| frame.bytes.as_slice()).collect();
                assert_eq!(bytes, [b"first".as_slice(), b"second", b""]);
                assert_eq!(seen.iter().map(|frame| frame.original).collect::<Vec<_>>(), [5, 1500, 0]);
                assert_eq!(seen[1].offset, 24 + header + 5 + header);
                let facts = &finished.files[0];
                assert_eq!((facts.format, facts.variant), ("pcap", variant));
                assert_eq!(facts.time_resolution_ns, unit as u64);
                assert_eq!((facts.packets, facts.snapped, facts.backward), (3, 1, 1));
                assert_eq!((facts.bytes_captured, facts.bytes_wire), (11, 1505));
                assert_eq!(kinds(&finished.problems.list()), [ProblemKind::ClockDisorder]);
            }
        }
    }

    #[test]
    fn records_are_read_as_pcap_parser_reads_them() {
        for (order, magic) in
            [(ByteOrder::Little, MICRO), (ByteOrder::Big, NANO), (ByteOrder::Little, MODIFIED)]
        {
            let mut sample = PcapSample::new(order, magic);
            for index in 0..50 {
                let time = (index as u32 * 77, index as u32 * 1_001);
                sample = sample.lengths(time, (index as u32, 60 + index as u32), &payload(index, index));
            }
            let (seen, _) = read(&sample.bytes);
            let mut rest = &sample.bytes[24..];
            for frame in seen {
                let parsed = match (order, magic) {
                    (_, MODIFIED) => parse_pcap_frame_modified(rest),
                    (ByteOrder::Little, _) => parse_pcap_frame(rest),
                    (ByteOrder::Big, _) => parse_pcap_frame_be(rest),
                };
                let (after, record) = parsed.unwrap();
                rest = after;
                let unit = if magic == NANO { 1 } else { 1_000 };
                let time = i64::from(record.ts_sec) * 1_000_000_000 + i64::from(record.ts_usec) * unit;
                assert_eq!((frame.time.0, frame.original), (time, record.origlen));
                assert_eq!(frame.bytes, record.data);
            }
            assert_eq!(rest, b"");
        }
    }

    #[test]
    fn old_versions_swap_the_lengths() {
        for (version, lengths) in [
            ((2, 2), (100, 4)),
            ((2, 3), (4, 100)),
            ((2, 3), (100, 4)),
            ((543, 0), (100, 4)),
            ((2, 4), (4, 100)),
        ] {
            let sample = PcapSample::with_version(ByteOrder::Big, MICRO, version.0, version.1)
                .lengths((1, 0), lengths, b"abcd")
                .lengths((1, 0), lengths, b"efgh");
            let (seen, finished) = read(&sample.bytes);
            let lengths: Vec<_> = seen.iter().map(|frame| (frame.bytes.len(), frame.original)).collect();
            assert_eq!(lengths, [(4, 100), (4, 100)], "{version:?}");
            assert!(finished.problems.list().is_empty());
        }
        let odd = PcapSample::with_version(ByteOrder::Big, MICRO, 2, 5).record((1, 0), b"abcd");
        let (seen, finished) = read(&odd.bytes);
        assert_eq!((seen.len(), kinds(&finished.problems.list())), (1, vec![ProblemKind::BadRecord]));
    }

    #[test]
    fn the_upper_half_of_the_link_type_is_about_check_sequences() {
        let mut sample = PcapSample::new(ByteOrder::Big, MICRO).record((1, 0), b"abcd");
        sample.bytes[20..24].copy_from_slice(&[0x54, 0, 0, 105]);
        let (seen, finished) = read(&sample.bytes);
        assert_eq!(seen[0].link, LinkType(105));
        assert_eq!(finished.files[0].interfaces[0].link, LinkType(105));
    }

    #[test]
    fn a_cut_file_gives_every_whole_record() {
        let (sample, starts) = ten();
        for length in 4..sample.bytes.len() {
            let (seen, finished) = read(&sample.bytes[..length]);
            let whole = starts[1..].iter().filter(|&&start| start <= length).count();
            assert_eq!(seen.len(), whole, "{length}");
            let clean = length == 24 || starts.contains(&length);
            assert_eq!(finished.files[0].truncated, !clean, "{length}");
            let problems = finished.problems.list();
            assert_eq!(kinds(&problems), vec![ProblemKind::CutShort; usize::from(!clean)]);
            if let Some(problem) = problems.first() {
                let start = starts.iter().rev().find(|&&start| start <= length);
                assert_eq!(problem.offset, Some(start.map_or(0, |&start| start as u64)), "{problem:?}");
                assert!(problem.message.contains("expected"), "{problem:?}");
            }
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
        assert_eq!(problem.kind, ProblemKind::SkippedBytes);
        assert_eq!(problem.offset, Some(starts[4] as u64));
        assert!(problem.message.contains("333 bytes"), "{}", problem.message);
        // Bytes lost from the middle of a record, and no end of the damage.
        let mut bytes = sample.bytes.clone();
        bytes.drain(starts[6] + 30..starts[6] + 47);
        let (seen, finished) = read(&bytes);
        assert_eq!(seen.len(), 10);
        assert_eq!(kinds(&finished.problems.list()), [ProblemKind::BadRecord]);
        let mut bytes = sample.bytes.clone();
        bytes.extend([0xff; 5000]);
        let (seen, finished) = read(&bytes);
        assert_eq!(seen.len(), 10);
        let [problem] = finished.problems.list().try_into().unwrap();
        assert_eq!(
            (problem.kind, problem.offset),
            (ProblemKind::SkippedBytes, Some(sample.bytes.len() as u64))
        );
    }

    #[test]
    fn zeros_behind_the_last_record_are_no_frames() {
        let (mut sample, _) = ten();
        sample.bytes.extend(vec![0; 100_000]);
        let (seen, finished) = read(&sample.bytes);
        assert_eq!(seen.len(), 10);
        assert_eq!(kinds(&finished.problems.list()), [ProblemKind::SkippedBytes]);
    }

    #[test]
    fn a_capture_inside_a_frame_is_not_taken_for_records() {
        let (inner, _) = ten();
        let mut sample = PcapSample::new(ByteOrder::Little, MICRO)
            .record((1_700_000_000, 0), b"before")
            .record((1_700_000_001, 0), &inner.bytes);
        let damage = sample.bytes.len();
        sample.bytes.extend([0xff; 40]);
        for index in 0..3 {
            sample = sample.record((1_700_000_002, index), b"after");
        }
        let (seen, finished) = read(&sample.bytes);
        assert_eq!(seen.len(), 5);
        let [problem] = finished.problems.list().try_into().unwrap();
        assert_eq!((problem.kind, problem.offset), (ProblemKind::SkippedBytes, Some(damage as u64)));
    }

    #[test]
    fn a_frame_of_unusual_length_is_believed_where_the_next_record_fits() {
        let huge = vec![9; 400_000];
        let sample = PcapSample::new(ByteOrder::Little, MICRO)
            .record((1, 0), &huge)
            .record((2, 0), &huge)
            .record((3, 0), b"small");
        let (seen, finished) = read(&sample.bytes);
        assert_eq!(seen.iter().map(|frame| frame.bytes.len()).collect::<Vec<_>>(), [400_000, 400_000, 5]);
        assert!(finished.problems.list().is_empty());
    }

    #[test]
    fn bytes_are_not_given_out_over_and_over() {
        // Each record claims the bytes of all that follow, and what follows its end is no record: the file
        // asks to be read again from inside every record.
        let mut sample = PcapSample::new(ByteOrder::Little, MICRO);
        for index in 0..2_000 {
            sample = sample.lengths((1_700_000_000, index), (60_000, 60_000), b"");
        }
        sample.bytes.extend([0xff; 1000]);
        let (seen, _) = read(&sample.bytes);
        let given: usize = seen.iter().map(|frame| frame.bytes.len()).sum();
        assert!(given <= (RESCUES as usize + 2) * 60_000, "{given}");
    }
}
