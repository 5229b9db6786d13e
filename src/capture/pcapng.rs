//! The pcapng format (draft-ietf-opsawg-pcapng): sections of blocks.
//!
//! Packet blocks are read here, since each costs time; all other blocks are taken apart by pcap-parser.

use pcap_parser::nom;
use pcap_parser::{
    BOM_MAGIC, CB_MAGIC, DCB_MAGIC, DSB_MAGIC, EPB_MAGIC, IDB_MAGIC, ISB_MAGIC, NRB_MAGIC, PIB_MAGIC,
    PcapNGOption, SHB_MAGIC, SJE_MAGIC, SPB_MAGIC, parse_option_be, parse_option_le,
};

use crate::capture::LinkType;
use crate::capture::blocks;
use crate::capture::format::{ByteOrder, RawFrame, Step, Window};
use crate::capture::interfaces::{Interface, Ticks};
use crate::capture::ledger::Ledger;
use crate::capture::resync::{Lost, Scan, Verdict, scan};
use crate::limits;
use crate::problem::ProblemKind;

/// Bytes before a block's content: type and total length.
const BLOCK_HEAD: usize = 8;

/// Bytes of a block without content: type, total length, total length again.
const SMALLEST_BLOCK: usize = 12;

/// Obsolete packet block.
const PB_MAGIC: u32 = 2;

/// System call events of sysdig: no packets, yet numbered by Wireshark.
const SYSDIG_EVENTS: [u32; 3] = [0x204, 0x216, 0x221];

/// Option of any block: a comment.
const OPT_COMMENT: u16 = 1;

/// Option of an enhanced packet block: packets dropped since the one before.
const EPB_DROPCOUNT: u16 = 4;

/// The reader of a pcapng file's blocks.
#[derive(Debug)]
pub(super) struct Pcapng {
    pub(super) order: ByteOrder,
    /// Interfaces of the current section, by their number in it.
    pub(super) interfaces: Vec<Interface>,
    /// Whether bytes of the current section were skipped, so that an interface may have been lost.
    damaged: bool,
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
        Some(Self { order: ByteOrder::Little, interfaces: Vec::new(), damaged: false, lost: None })
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
        let head = match self.head(bytes) {
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

    /// Type and length at the beginning of a block, or what is wrong with them.
    fn head(&self, bytes: &[u8]) -> Result<Head, String> {
        let kind = self.order.u32(bytes, 0).unwrap_or_default();
        let mut order = self.order;
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

    fn lose(&mut self, window: Window<'_>, why: String, cut: bool) -> Step {
        self.lost = Some(Lost { from: window.offset, why, cut });
        Step::Skip(1)
    }

    /// Looks for blocks after damage.
    fn search(&mut self, window: Window<'_>, ledger: &mut Ledger) -> Step {
        match scan(window, |place| self.chain(place)) {
            Scan::Nothing(count) if count > 0 => Step::Skip(count),
            Scan::Unclear(wanted) => Step::More(wanted),
            Scan::Found(count) => {
                if let Some(lost) = self.lost.take() {
                    ledger.skipped(lost.from, window.offset + count as u64, &lost.why, false);
                }
                self.damaged = true;
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

    /// Whether blocks begin here: one of a known type that repeats its length, followed by the head of
    /// another or the file's end.
    fn chain(&self, place: Window<'_>) -> Verdict {
        let Some(head) = self.known_head(place.bytes) else {
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
        let next = Self { order: head.order, interfaces: Vec::new(), damaged: false, lost: None };
        if rest.len() < SMALLEST_BLOCK || next.known_head(rest).is_some() {
            Verdict::Good
        } else {
            Verdict::Bad
        }
    }

    /// The head of a block of a type that is in use; much stricter than where the way was not lost.
    fn known_head(&self, bytes: &[u8]) -> Option<Head> {
        let kind = self.order.u32(bytes, 0)?;
        let known = matches!(
            kind,
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
        self.head(bytes).ok().filter(|head| head.length.is_multiple_of(4))
    }

    /// Takes one whole block apart.
    fn block(&mut self, head: Head, block: Window<'_>, ledger: &mut Ledger) -> Option<RawFrame> {
        self.order = head.order;
        match head.kind {
            EPB_MAGIC => self.enhanced_packet(block, ledger),
            SPB_MAGIC => self.simple_packet(block, ledger),
            PB_MAGIC => self.obsolete_packet(block, ledger),
            SHB_MAGIC => {
                self.interfaces.clear();
                self.damaged = false;
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

    /// The interface that a packet block names.
    fn interface(&mut self, id: u32, block: Window<'_>, ledger: &mut Ledger) -> Option<Interface> {
        if let Some(interface) = self.interfaces.get(id as usize) {
            return Some(*interface);
        }
        let have = self.interfaces.len();
        let at = block.offset;
        if !self.damaged || have >= limits::INTERFACES || id as usize >= limits::INTERFACES {
            let message = format!(
                "at byte {at}: expected one of the section's {have} interfaces, found number {id}; \
                 such packets are left out"
            );
            ledger.bad_record("interface", at, message);
            return None;
        }
        // Its description lies in the bytes that were skipped. Most captures are of one kind of interface.
        let link = self.interfaces.last().map_or(LinkType(1), |interface| interface.link);
        let message = format!(
            "at byte {at}: the description of interface {id} is lost; taken for link type {} with microseconds",
            link.0
        );
        ledger.bad_record("lost interface", at, message);
        while self.interfaces.len() <= id as usize {
            self.add_interface(b"", link, 0, Ticks::default(), ledger);
        }
        self.interfaces.get(id as usize).copied()
    }

    /// Adds the next interface of the section.
    pub(super) fn add_interface(
        &mut self,
        name: &[u8],
        link: LinkType,
        snaplen: u32,
        clock: Ticks,
        ledger: &mut Ledger,
    ) {
        let index = ledger.facts.interfaces.len() as u32;
        ledger.add_interface(name, link, snaplen, clock.resolution_ns());
        self.interfaces.push(Interface { link, snaplen, clock, index, counted: false });
    }

    /// Enhanced packet block: interface, time, lengths, bytes, options.
    fn enhanced_packet(&mut self, block: Window<'_>, ledger: &mut Ledger) -> Option<RawFrame> {
        const START: usize = BLOCK_HEAD + 20;
        let order = self.order;
        let field = |at| order.u32(block.bytes, BLOCK_HEAD + at);
        let (id, high, low) = (field(0)?, field(4)?, field(8)?);
        let (captured, original) = (field(12)?, field(16)?);
        let options = Self::content(START, captured, "an enhanced packet block", block, ledger)?;
        let interface = self.interface(id, block, ledger)?;
        if options.len() >= 4 {
            self.packet_options(options, interface, block, ledger);
        }
        Some(RawFrame {
            start: START,
            length: captured,
            original,
            time: Some(interface.clock.time(u64::from(high) << 32 | u64::from(low))),
            link: interface.link,
            interface: interface.index,
        })
    }

    /// Obsolete packet block: as the enhanced one, with a drop counter beside the interface.
    fn obsolete_packet(&mut self, block: Window<'_>, ledger: &mut Ledger) -> Option<RawFrame> {
        const START: usize = BLOCK_HEAD + 20;
        let order = self.order;
        let field = |at| order.u32(block.bytes, BLOCK_HEAD + at);
        let id = order.u16(block.bytes, BLOCK_HEAD)?;
        let drops = order.u16(block.bytes, BLOCK_HEAD + 2)?;
        let (high, low) = (field(4)?, field(8)?);
        let (captured, original) = (field(12)?, field(16)?);
        let options = Self::content(START, captured, "a packet block", block, ledger)?;
        let interface = self.interface(u32::from(id), block, ledger)?;
        if drops != u16::MAX {
            dropped(interface, u64::from(drops), ledger);
        }
        self.packet_options(options, interface, block, ledger);
        Some(RawFrame {
            start: START,
            length: captured,
            original,
            time: Some(interface.clock.time(u64::from(high) << 32 | u64::from(low))),
            link: interface.link,
            interface: interface.index,
        })
    }

    /// Simple packet block: the original length and bytes, of the section's first interface.
    fn simple_packet(&mut self, block: Window<'_>, ledger: &mut Ledger) -> Option<RawFrame> {
        const START: usize = BLOCK_HEAD + 4;
        let original = self.order.u32(block.bytes, BLOCK_HEAD)?;
        let interface = self.interface(0, block, ledger)?;
        let room = block.bytes.len().saturating_sub(START + 4) as u32;
        let limit = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        Some(RawFrame {
            start: START,
            length: original.min(limit).min(room),
            original,
            time: None,
            link: interface.link,
            interface: interface.index,
        })
    }

    /// The options behind `captured` bytes from `start`; none and a problem if these do not fit in the block.
    fn content<'w>(
        start: usize,
        captured: u32,
        what: &str,
        block: Window<'w>,
        ledger: &mut Ledger,
    ) -> Option<&'w [u8]> {
        let end = block.bytes.len().saturating_sub(4);
        let padded = start + (captured as usize).next_multiple_of(4);
        if start + captured as usize <= end {
            return Some(block.bytes.get(padded..end).unwrap_or_default());
        }
        let message = format!(
            "at byte {}: expected {what} to hold {captured} captured bytes, found room for {}; it is left out",
            block.offset,
            end.saturating_sub(start)
        );
        ledger.bad_record("content", block.offset, message);
        None
    }

    fn packet_options(&self, options: &[u8], interface: Interface, block: Window<'_>, ledger: &mut Ledger) {
        let mut rest = options;
        while let Some((after, option)) = self.option(rest) {
            rest = after;
            let value = option.as_bytes().unwrap_or_default();
            match option.code.0 {
                0 => break,
                OPT_COMMENT => ledger.comment(ledger.frame + 1, value, block.offset),
                EPB_DROPCOUNT => dropped(interface, self.order.u64(value, 0).unwrap_or(0), ledger),
                _ => {}
            }
        }
    }

    fn option<'o>(&self, bytes: &'o [u8]) -> Option<(&'o [u8], PcapNGOption<'o>)> {
        type Fault<'o> = nom::error::Error<&'o [u8]>;
        match self.order {
            ByteOrder::Little => parse_option_le::<Fault<'o>>(bytes).ok(),
            ByteOrder::Big => parse_option_be::<Fault<'o>>(bytes).ok(),
        }
    }
}

/// Adds to an interface's drops, where no statistics block told them better.
fn dropped(interface: Interface, count: u64, ledger: &mut Ledger) {
    if count > 0
        && !interface.counted
        && let Some(facts) = ledger.interface(interface.index)
    {
        facts.drops = Some(facts.drops.unwrap_or(0).saturating_add(count));
    }
}

/// The length of the block at the beginning of `bytes` if it is whole and ends with its length.
fn whole_block(bytes: &[u8], head: Head) -> Option<usize> {
    [head.padded(), head.length as usize].into_iter().find(|&length| {
        bytes.get(..length).is_some_and(|block| head.order.u32(block, length - 4) == Some(head.length))
    })
}
