//! The three pcapng blocks that hold a packet. They are read by hand, since each packet pays for it.

use pcap_parser::{PcapNGOption, nom, parse_option_be, parse_option_le};

use crate::capture::LinkType;
use crate::capture::format::{ByteOrder, RawFrame, Window};
use crate::capture::interfaces::{Interface, Ticks};
use crate::capture::ledger::Ledger;
use crate::capture::pcapng::Pcapng;

/// Bytes before a block's content: type and total length.
const HEAD: usize = 8;

/// Bytes after a block's content: total length.
const TAIL: usize = 4;

/// Option of any block: a comment.
const OPT_COMMENT: u16 = 1;

/// Option of an enhanced packet block: packets dropped since the one before.
const EPB_DROPCOUNT: u16 = 4;

/// Enhanced packet block: interface, time, lengths, bytes, options.
pub(super) fn enhanced(section: &mut Pcapng, block: Window<'_>, ledger: &mut Ledger) -> Option<RawFrame> {
    let Some(id) = section.order.u32(block.bytes, HEAD) else {
        return too_small(block, ledger);
    };
    stamped(section, id, block, ledger).map(|(frame, _)| frame)
}

/// Obsolete packet block: as the enhanced one, with a drop counter beside a shorter interface number.
pub(super) fn obsolete(section: &mut Pcapng, block: Window<'_>, ledger: &mut Ledger) -> Option<RawFrame> {
    let order = section.order;
    let Some((id, drops)) = order.u16(block.bytes, HEAD).zip(order.u16(block.bytes, HEAD + 2)) else {
        return too_small(block, ledger);
    };
    let (frame, interface) = stamped(section, u32::from(id), block, ledger)?;
    if drops != u16::MAX {
        dropped(interface, u64::from(drops), ledger);
    }
    Some(frame)
}

/// Simple packet block: the original length and bytes, of the section's first interface, without a time.
pub(super) fn simple(section: &mut Pcapng, block: Window<'_>, ledger: &mut Ledger) -> Option<RawFrame> {
    const START: usize = HEAD + 4;
    let room = block.bytes.len().checked_sub(START + TAIL);
    let Some((original, room)) = section.order.u32(block.bytes, HEAD).zip(room) else {
        return too_small(block, ledger);
    };
    let interface = interface(section, 0, block, ledger);
    let limit = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
    Some(RawFrame {
        start: START,
        length: original.min(limit).min(room as u32),
        original,
        time: None,
        link: interface.link,
        interface: interface.index,
    })
}

/// What the enhanced and the obsolete block have in common.
#[inline]
fn stamped(
    section: &mut Pcapng,
    id: u32,
    block: Window<'_>,
    ledger: &mut Ledger,
) -> Option<(RawFrame, Interface)> {
    const START: usize = HEAD + 20;
    let order = section.order;
    let Some(end) = block.bytes.len().checked_sub(TAIL).filter(|&end| end >= START) else {
        return too_small(block, ledger);
    };
    let field = |at| order.u32(block.bytes, HEAD + at);
    let (high, low, captured, original) = (field(4)?, field(8)?, field(12)?, field(16)?);
    if captured as usize > end - START {
        let message = format!(
            "at byte {}: expected a packet block to hold {captured} captured bytes, found room for {}; \
             it is left out",
            block.offset,
            end - START
        );
        ledger.bad_record("room", block.offset, message);
        return None;
    }
    let interface = interface(section, id, block, ledger);
    let options = START + (captured as usize).next_multiple_of(4);
    if options < end {
        packet_options(order, block.bytes.get(options..end)?, interface, block, ledger);
    }
    let time = interface.clock.time(u64::from(high) << 32 | u64::from(low));
    let frame = RawFrame {
        start: START,
        length: captured,
        original,
        time: Some(time),
        link: interface.link,
        interface: interface.index,
    };
    Some((frame, interface))
}

/// The interface that a packet block names. Where there is none of that number, damage took its description
/// or changed the number: most captures are of one kind of interface, so the latest one stands in.
#[inline]
fn interface(section: &mut Pcapng, id: u32, block: Window<'_>, ledger: &mut Ledger) -> Interface {
    if let Some(interface) = section.interfaces.get(id as usize) {
        return *interface;
    }
    let have = section.interfaces.len();
    let stand_in = if let Some(interface) = section.interfaces.last() {
        *interface
    } else {
        section.add_interface(b"", LinkType(1), 0, Ticks::default(), ledger)
    };
    let message = format!(
        "at byte {}: expected one of the section's {have} interfaces, found number {id}; \
         read as of link type {} (interface {})",
        block.offset, stand_in.link.0, stand_in.index
    );
    ledger.bad_record("interface", block.offset, message);
    stand_in
}

fn packet_options(
    order: ByteOrder,
    options: &[u8],
    interface: Interface,
    block: Window<'_>,
    ledger: &mut Ledger,
) {
    let mut rest = options;
    while let Some((after, option)) = next_option(order, rest) {
        rest = after;
        let value = option.as_bytes().unwrap_or_default();
        match option.code.0 {
            0 => break,
            OPT_COMMENT => ledger.comment(ledger.frame + 1, value, block.offset),
            EPB_DROPCOUNT => dropped(interface, order.u64(value, 0).unwrap_or(0), ledger),
            _ => {}
        }
    }
}

fn next_option(order: ByteOrder, bytes: &[u8]) -> Option<(&[u8], PcapNGOption<'_>)> {
    type Fault<'o> = nom::error::Error<&'o [u8]>;
    match order {
        ByteOrder::Little => parse_option_le::<Fault<'_>>(bytes).ok(),
        ByteOrder::Big => parse_option_be::<Fault<'_>>(bytes).ok(),
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

fn too_small<T>(block: Window<'_>, ledger: &mut Ledger) -> Option<T> {
    let message = format!(
        "at byte {}: expected a packet block, found one of {} bytes, too small for its fields; it is left out",
        block.offset,
        block.bytes.len()
    );
    ledger.bad_record("size", block.offset, message);
    None
}
