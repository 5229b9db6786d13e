//! The pcapng format (draft-ietf-opsawg-pcapng): sections of blocks.
//!
//! Here the way from block to block is found; what they hold is read in `packet_blocks` and `blocks`.

use pcap_parser::{
    BOM_MAGIC, CB_MAGIC, DCB_MAGIC, DSB_MAGIC, EPB_MAGIC, IDB_MAGIC, ISB_MAGIC, NRB_MAGIC, PIB_MAGIC,
    SHB_MAGIC, SJE_MAGIC, SPB_MAGIC,
};

use crate::capture::LinkType;
use crate::capture::format::{ByteOrder, RawFrame, Step, Window};
use crate::capture::interfaces::{Interface, Ticks};
use crate::capture::ledger::Ledger;
use crate::capture::resync::{Lost, Scan, Verdict, scan};
use crate::capture::{blocks, packet_blocks};
use crate::limits;
use crate::problem::ProblemKind;

/// Bytes of a block without content: type, total length, total length again.
const SMALLEST_BLOCK: usize = 12;

/// Obsolete packet block.
const PB_MAGIC: u32 = 2;

/// System call events of sysdig: no packets, yet numbered by Wireshark.
const SYSDIG_EVENTS: [u32; 3] = [0x204, 0x216, 0x221];

/// The reader of a pcapng file's blocks.
#[derive(Debug)]
pub(super) struct Pcapng {
    pub(super) order: ByteOrder,
    /// Interfaces of the current section, by their number in it.
    pub(super) interfaces: Vec<Interface>,
    /// Whether a section header told the byte order.
    ordered: bool,
    lost: Option<Lost>,
}

/// A block's head.
#[derive(Debug, Clone, Copy)]
struct Head {
    kind: u32,
    length: u32,
    order: ByteOrder,
}

impl Head {
    /// With the padding to four bytes that some writers forget to count.
    fn padded(self) -> usize {
        (self.length as usize).next_multiple_of(4)
    }
}

impl Pcapng {
    /// Tells a pcapng file by its first bytes.
    pub(super) fn detect(head: &[u8], ledger: &mut Ledger) -> Option<Self> {
        if ByteOrder::Big.u32(head, 0)? != SHB_MAGIC {
            return None;
        }
        ledger.facts.format = "pcapng";
        Some(Self { order: ByteOrder::Little, interfaces: Vec::new(), ordered: false, lost: None })
    }

    /// What stands next.
    pub(super) fn step(&mut self, window: Window<'_>, ledger: &mut Ledger) -> Step {
        if self.lost.is_some() {
            return self.search(window, ledger);
        }
        let bytes = window.bytes;
        if bytes.len() < SMALLEST_BLOCK {
            if !window.ended {
                return Step::More(SMALLEST_BLOCK);
            }
            if !bytes.is_empty() {
                let (at, have) = (window.offset, bytes.len());
                let message =
                    format!("at byte {at}: expected a block, found {have} bytes and the file's end");
                ledger.cut_short(at, message);
            }
            return Step::End;
        }
        let head = match head(self.order, bytes) {
            Ok(head) => head,
            Err(why) => return self.lose(window, why, false),
        };
        let Some(length) = whole_block(bytes, head) else {
            if bytes.len() < head.padded() {
                if !window.ended {
                    return Step::More(head.padded());
                }
                let why = format!(
                    "expected a block of {} bytes, found {} and the file's end",
                    head.length,
                    bytes.len()
                );
                return self.lose(window, why, true);
            }
            let why =
                format!("expected a block that ends with its length {}, found another number", head.length);
            return self.lose(window, why, false);
        };
        let block = Window { bytes: bytes.get(..length).unwrap_or_default(), ..window };
        match self.block(head, block, ledger) {
            Some(frame) => Step::Frame(frame, length),
            None => Step::Skip(length),
        }
    }

    fn lose(&mut self, window: Window<'_>, why: String, cut: bool) -> Step {
        self.lost = Some(Lost { from: window.offset, why, cut });
        Step::Skip(1)
    }

    /// Looks for blocks after damage.
    fn search(&mut self, window: Window<'_>, ledger: &mut Ledger) -> Step {
        let order = self.order;
        let ordered = self.ordered;
        let verdict = |place: Window<'_>| match chain(order, place) {
            verdict if ordered => verdict,
            // The section header that tells the order is what is damaged. A number's zeros can be taken for
            // those of its neighbour in the other order, though not where blocks must begin.
            _ if !place.offset.is_multiple_of(4) => Verdict::Bad,
            Verdict::Bad => chain(order.other(), place),
            verdict => verdict,
        };
        match scan(window, verdict) {
            Scan::Nothing(count) if count > 0 => Step::Skip(count),
            Scan::Unclear(wanted) => Step::More(wanted),
            Scan::Found(count) => {
                let place = Window { bytes: window.bytes.get(count..).unwrap_or_default(), ..window };
                if !ordered && chain(order, place) != Verdict::Good {
                    self.order = order.other();
                }
                if let Some(lost) = self.lost.take() {
                    ledger.skipped(lost.from, window.offset + count as u64, &lost.why, false);
                }
                Step::Skip(count)
            }
            Scan::Nothing(_) if !window.ended => Step::More(SMALLEST_BLOCK),
            Scan::Nothing(_) => {
                match self.lost.take() {
                    Some(lost) if lost.cut => {
                        ledger.cut_short(lost.from, format!("at byte {}: {}", lost.from, lost.why));
                    }
                    Some(lost) => ledger.skipped(lost.from, window.offset, &lost.why, true),
                    None => {}
                }
                Step::End
            }
        }
    }

    /// Takes one whole block apart.
    fn block(&mut self, head: Head, block: Window<'_>, ledger: &mut Ledger) -> Option<RawFrame> {
        self.order = head.order;
        match head.kind {
            EPB_MAGIC => packet_blocks::enhanced(self, block, ledger),
            SPB_MAGIC => packet_blocks::simple(self, block, ledger),
            PB_MAGIC => packet_blocks::obsolete(self, block, ledger),
            SHB_MAGIC => {
                self.interfaces.clear();
                self.ordered = true;
                blocks::section_header(block, ledger);
                None
            }
            IDB_MAGIC => {
                blocks::interface_description(self, block, ledger);
                None
            }
            NRB_MAGIC => {
                blocks::name_resolution(self.order, block, ledger);
                None
            }
            ISB_MAGIC => {
                blocks::interface_statistics(self, block, ledger);
                None
            }
            DSB_MAGIC => {
                blocks::decryption_secrets(self.order, block, ledger);
                None
            }
            SJE_MAGIC | CB_MAGIC | DCB_MAGIC => {
                ledger.other_record();
                None
            }
            PIB_MAGIC => None,
            kind if SYSDIG_EVENTS.contains(&kind) => {
                ledger.other_record();
                None
            }
            kind => {
                let message = format!(
                    "at byte {}: block type {kind:#010x} is unknown; such blocks are skipped",
                    block.offset
                );
                ledger.problem(ProblemKind::UnknownBlock, &format!("{kind:08x}"), block.offset, message);
                None
            }
        }
    }

    /// Adds the next interface of the section.
    pub(super) fn add_interface(
        &mut self,
        name: &[u8],
        link: LinkType,
        snaplen: u32,
        clock: Ticks,
        ledger: &mut Ledger,
    ) -> Interface {
        let index = ledger.add_interface(name, link, snaplen, clock.resolution_ns());
        let interface = Interface { link, snaplen, clock, index, counted: false };
        self.interfaces.push(interface);
        interface
    }
}

/// The length of the block at the beginning of `bytes` if it is whole and ends with its length.
fn whole_block(bytes: &[u8], head: Head) -> Option<usize> {
    [head.padded(), head.length as usize].into_iter().find(|&length| {
        bytes.get(..length).is_some_and(|block| head.order.u32(block, length - 4) == Some(head.length))
    })
}

/// Whether blocks begin here: one of a known type that repeats its length, followed by the head of another
/// or the file's end.
fn chain(order: ByteOrder, place: Window<'_>) -> Verdict {
    let Some(head) = known_head(order, place.bytes) else {
        let unclear = !place.ended && place.bytes.len() < SMALLEST_BLOCK;
        return if unclear { Verdict::Unclear(SMALLEST_BLOCK) } else { Verdict::Bad };
    };
    let length = head.length as usize;
    let wanted = length + SMALLEST_BLOCK;
    if place.bytes.len() < wanted && !place.ended {
        return Verdict::Unclear(wanted);
    }
    if whole_block(place.bytes, head) != Some(length) {
        return Verdict::Bad;
    }
    let rest = place.bytes.get(length..).unwrap_or_default();
    let good = rest.len() < SMALLEST_BLOCK || known_head(head.order, rest).is_some();
    if good { Verdict::Good } else { Verdict::Bad }
}

/// The head of a block of a type that is in use; much stricter than where the way was not lost.
fn known_head(order: ByteOrder, bytes: &[u8]) -> Option<Head> {
    let known = matches!(
        order.u32(bytes, 0)?,
        SHB_MAGIC
            | IDB_MAGIC
            | PB_MAGIC
            | SPB_MAGIC
            | NRB_MAGIC
            | ISB_MAGIC
            | EPB_MAGIC
            | SJE_MAGIC
            | DSB_MAGIC
            | CB_MAGIC
            | DCB_MAGIC
    );
    if !known || bytes.len() < SMALLEST_BLOCK {
        return None;
    }
    head(order, bytes).ok().filter(|head| head.length.is_multiple_of(4))
}

/// Type and length at the beginning of a block, or what is wrong with them.
fn head(order: ByteOrder, bytes: &[u8]) -> Result<Head, String> {
    let kind = order.u32(bytes, 0).unwrap_or_default();
    let mut order = order;
    if kind == SHB_MAGIC {
        order = match (ByteOrder::Little.u32(bytes, 8), ByteOrder::Big.u32(bytes, 8)) {
            (Some(BOM_MAGIC), _) => ByteOrder::Little,
            (_, Some(BOM_MAGIC)) => ByteOrder::Big,
            (other, _) => {
                let other = other.unwrap_or_default();
                return Err(format!("expected the byte-order magic 1a2b3c4d, found {other:08x}"));
            }
        };
    }
    let length = order.u32(bytes, 4).unwrap_or_default();
    if length < SMALLEST_BLOCK as u32 || length > limits::RECORD_BYTES {
        return Err(format!(
            "expected the length of a block (12 to {}), found {length}",
            limits::RECORD_BYTES
        ));
    }
    Ok(Head { kind, length, order })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use pcap_parser::{Block, parse_block_be, parse_block_le};

    use super::*;
    use crate::capture::sample::{PcapngSample, payload, read};
    use crate::problem::Problem;
    use crate::time::Timestamp;

    const ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];
    const T: u64 = 1_700_000_000_000_000;

    fn kinds(problems: &[Problem]) -> Vec<ProblemKind> {
        problems.iter().map(|problem| problem.kind).collect()
    }

    #[test]
    fn sections_and_interfaces_keep_their_own_clocks_and_links() {
        for (first, second) in [(ByteOrder::Little, ByteOrder::Big), (ByteOrder::Big, ByteOrder::Little)] {
            let sample = PcapngSample::new(first)
                .interface(1, 0, &[(2, b"eth0"), (9, &[9])])
                .interface(113, 96, &[(9, &[0x8a])])
                .enhanced(1, 3 << 10, b"cooked")
                .enhanced_with(0, 1_700_000_000_000_000_001, b"ether", 1500, &[])
                .section(second, &[])
                .interface(101, 0, &[(2, b"tun0")])
                .enhanced(0, T, b"raw");
            let (seen, finished) = read(&sample.bytes);
            let facts: Vec<_> = seen
                .iter()
                .map(|f| (f.number, f.link.0, f.interface, f.time.0, f.bytes.as_slice()))
                .collect();
            assert_eq!(
                facts,
                [
                    (1, 113, 1, 3_000_000_000, b"cooked".as_slice()),
                    (2, 1, 0, 1_700_000_000_000_000_001, b"ether"),
                    (3, 101, 2, 1_700_000_000_000_000_000, b"raw"),
                ]
            );
            let file = &finished.files[0];
            assert_eq!((file.format, file.variant, file.time_resolution_ns), ("pcapng", None, 1));
            assert_eq!(
                file.interfaces.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(),
                ["eth0", "", "tun0"]
            );
            assert_eq!(file.interfaces[1].snaplen, 96);
            assert_eq!(file.link_types, [LinkType(1), LinkType(101), LinkType(113)]);
            assert_eq!((file.first, file.last), (Some(seen[0].time), Some(seen[1].time)));
        }
    }

    #[test]
    fn time_offsets_are_in_seconds_of_the_section_s_byte_order() {
        for order in ORDERS {
            let offset = match order {
                ByteOrder::Little => (-3600_i64).to_le_bytes(),
                ByteOrder::Big => (-3600_i64).to_be_bytes(),
            };
            let sample = PcapngSample::new(order)
                .interface(1, 0, &[(14, &offset), (9, &[3])])
                .enhanced(0, 7_200_001, b"x");
            let (seen, _) = read(&sample.bytes);
            assert_eq!(seen[0].time, Timestamp(3_600_001_000_000));
        }
    }

    #[test]
    fn packets_of_all_three_kinds() {
        for order in ORDERS {
            let sample = PcapngSample::new(order)
                .interface(1, 0, &[])
                .enhanced(0, T, b"enhanced")
                .obsolete(0, 3, T + 1, b"obsolete")
                .obsolete(0, 0xffff, T + 2, b"unknown drops")
                .simple(6, b"simple")
                .section(order, &[])
                .interface(1, 5, &[])
                .simple(1500, b"short");
            let (seen, finished) = read(&sample.bytes);
            let bytes: Vec<&[u8]> = seen.iter().map(|frame| frame.bytes.as_slice()).collect();
            assert_eq!(bytes, [b"enhanced".as_slice(), b"obsolete", b"unknown drops", b"simple", b"short"]);
            assert_eq!(seen[4].original, 1500);
            // A simple packet holds no time: the file's first stands in.
            assert_eq!((seen[1].time.0 - seen[0].time.0, seen[3].time), (1_000, seen[0].time));
            let file = &finished.files[0];
            assert_eq!((file.packets, file.snapped, file.backward), (5, 1, 0));
            assert_eq!(file.interfaces[0].drops, Some(3));
            assert_eq!(kinds(&finished.problems.list()), [ProblemKind::RecorderDrops]);
        }
    }

    #[test]
    fn packet_blocks_are_read_as_pcap_parser_reads_them() {
        for order in ORDERS {
            let mut sample = PcapngSample::new(order).interface(1, 0, &[(9, &[9])]);
            let head = sample.bytes.len();
            for index in 0..40 {
                let comment: &[(u16, &[u8])] = if index % 3 == 0 { &[(1, b"note")] } else { &[] };
                let ticks = index as u64 * 0x1_2345_6789;
                sample = sample.enhanced_with(0, ticks, &payload(index, index), 99, comment);
            }
            let (seen, _) = read(&sample.bytes);
            let mut rest = &sample.bytes[head..];
            for frame in seen {
                let parsed =
                    if order == ByteOrder::Little { parse_block_le(rest) } else { parse_block_be(rest) };
                let (after, Block::EnhancedPacket(block)) = parsed.unwrap() else { panic!("not a packet") };
                rest = after;
                let ticks = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
                assert_eq!((frame.time.0 as u64, frame.original), (ticks, block.origlen));
                assert_eq!(frame.bytes, &block.data[..block.caplen as usize]);
            }
            assert_eq!(rest, b"");
        }
    }

    #[test]
    fn what_is_said_beside_packets_is_kept() {
        for order in ORDERS {
            let count = |n: u64| if order == ByteOrder::Little { n.to_le_bytes() } else { n.to_be_bytes() };
            let v6 =
                [&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], b"six\0six.example\0".as_slice()];
            let sample = PcapngSample::new(order)
                .section(order, &[(1, b"of the file")])
                .interface(1, 0, &[(1, b"of the interface"), (2, b"eth0")])
                .names(&[(1, b"\x0a\x00\x00\x01ten.example\0"), (2, &v6.concat())])
                .enhanced(0, T, b"one")
                .enhanced_with(0, T + 1, b"two", 3, &[(4, &count(2)), (1, b"of the frame")])
                .statistics(0, &[(5, &count(40)), (7, &count(2))])
                .secrets(0x544c_534b, b"CLIENT_RANDOM")
                .secrets(0x5747_4b4c, b"wg");
            let (_, finished) = read(&sample.bytes);
            let file = &finished.files[0];
            let comments: Vec<_> =
                file.comments.iter().map(|(frame, text)| (*frame, text.as_str())).collect();
            assert_eq!(comments, [(0, "of the file"), (0, "of the interface"), (2, "of the frame")]);
            let six: IpAddr = "2001:db8::1".parse().unwrap();
            let names: Vec<_> = file.names.iter().map(|(ip, name)| (*ip, name.as_str())).collect();
            assert_eq!(
                names,
                [(IpAddr::from([10, 0, 0, 1]), "ten.example"), (six, "six"), (six, "six.example")]
            );
            assert_eq!(file.interfaces[0].drops, Some(42));
            let secrets: Vec<_> = finished.secrets.iter().map(|s| (s.kind, s.bytes.as_slice())).collect();
            assert_eq!(secrets, [(0x544c_534b, b"CLIENT_RANDOM".as_slice()), (0x5747_4b4c, b"wg")]);
            let problems = finished.problems.list();
            assert_eq!(kinds(&problems), [ProblemKind::RecorderDrops]);
            assert_eq!(problems[0].count, 42);
        }
    }

    #[test]
    fn records_that_are_no_packets_take_numbers_as_in_wireshark() {
        let custom = [&32_473_u32.to_le_bytes(), b"anything".as_slice()].concat();
        let sample = PcapngSample::new(ByteOrder::Little)
            .interface(1, 0, &[])
            .block(9, b"__REALTIME_TIMESTAMP=1700000000000000\n")
            .enhanced(0, T, b"second")
            .block(0xbad, &custom)
            .block(0x4000_0bad, &custom)
            .block(0x204, &[0; 24])
            .block(0x8000_0001, &[0; 8])
            .enhanced(0, T, b"sixth")
            .block(0x77, b"unknown")
            .block(0x77, b"unknown")
            .block(0x78, b"unknown")
            .enhanced(0, T, b"seventh");
        let (seen, finished) = read(&sample.bytes);
        let numbers: Vec<_> = seen.iter().map(|frame| (frame.number, frame.frame)).collect();
        assert_eq!(numbers, [(2, 2), (6, 6), (7, 7)]);
        assert_eq!((finished.files[0].packets, finished.files[0].other_records), (3, 4));
        let problems = finished.problems.list();
        assert_eq!(kinds(&problems), [ProblemKind::UnknownBlock; 2]);
        assert_eq!((problems[0].count, problems[1].count), (2, 1));
    }

    #[test]
    fn a_packet_that_contradicts_its_block_is_left_out_and_the_next_is_read() {
        let mut overlong = [0_u8; 24];
        overlong[12..16].copy_from_slice(&100_u32.to_le_bytes());
        let sample = PcapngSample::new(ByteOrder::Little)
            .interface(1, 0, &[])
            .block(6, &overlong)
            .block(6, b"tiny")
            .block(2, b"")
            .block(3, b"")
            .enhanced(7, T, b"of no interface")
            .enhanced(0, T, b"good");
        let (seen, finished) = read(&sample.bytes);
        let bytes: Vec<&[u8]> = seen.iter().map(|frame| frame.bytes.as_slice()).collect();
        assert_eq!(bytes, [b"of no interface".as_slice(), b"good"]);
        let problems = finished.problems.list();
        assert_eq!(kinds(&problems), [ProblemKind::BadRecord; 3]);
        assert_eq!(problems.iter().map(|problem| problem.count).sum::<u64>(), 5);
    }

    /// Ten packets behind a section header and an interface; where each block begins.
    fn ten(order: ByteOrder) -> (PcapngSample, Vec<usize>) {
        let mut sample = PcapngSample::new(order);
        let mut starts = vec![0, sample.bytes.len()];
        sample = sample.interface(1, 0, &[]);
        for index in 0..10 {
            starts.push(sample.bytes.len());
            sample = sample.enhanced(0, T + index as u64, &payload(index, 60 + 13 * index));
        }
        (sample, starts)
    }

    #[test]
    fn a_cut_file_gives_every_whole_block() {
        let (sample, starts) = ten(ByteOrder::Big);
        for length in 4..sample.bytes.len() {
            let (seen, finished) = read(&sample.bytes[..length]);
            let whole = starts[3..].iter().filter(|&&start| start <= length).count();
            assert_eq!(seen.len(), whole, "{length}");
            let clean = starts.contains(&length);
            assert_eq!(finished.files[0].truncated, !clean, "{length}");
            let problems = finished.problems.list();
            assert_eq!(kinds(&problems), vec![ProblemKind::CutShort; usize::from(!clean)]);
            if let Some(problem) = problems.first() {
                let start = starts.iter().rev().find(|&&start| start <= length).unwrap();
                assert_eq!(problem.offset, Some(*start as u64));
            }
        }
    }

    #[test]
    fn one_damaged_byte_costs_one_packet_at_most() {
        for order in ORDERS {
            let (sample, starts) = ten(order);
            let (intact, _) = read(&sample.bytes);
            for at in 4..sample.bytes.len() {
                for flip in [0x01, 0x10, 0x80, 0xff] {
                    let mut bytes = sample.bytes.clone();
                    bytes[at] ^= flip;
                    let (seen, _) = read(&bytes);
                    let hit = starts.iter().filter(|&&start| start <= at).count() - 1;
                    for (index, frame) in intact.iter().enumerate().filter(|(index, _)| index + 2 != hit) {
                        let found = seen.iter().any(|other| other.bytes == frame.bytes);
                        assert!(
                            found,
                            "{order:?}: frame {index} lost by {flip:#x} at byte {at} of block {hit}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn skipped_bytes_are_told_with_their_range() {
        let (sample, starts) = ten(ByteOrder::Little);
        for noise in [vec![0xee; 333], vec![0; 1000], [6, 0, 0, 0, 0xff, 0xff, 0xff, 0].repeat(50)] {
            let mut bytes = sample.bytes[..starts[5]].to_vec();
            bytes.extend(&noise);
            bytes.extend(&sample.bytes[starts[5]..]);
            let (seen, finished) = read(&bytes);
            assert_eq!(seen.len(), 10);
            let [problem] = finished.problems.list().try_into().unwrap();
            assert_eq!((problem.kind, problem.offset), (ProblemKind::SkippedBytes, Some(starts[5] as u64)));
            assert!(problem.message.contains(&format!("{} bytes", noise.len())), "{}", problem.message);
        }
    }
}
