//! The pcapng blocks that hold no packet: sections, interfaces, names, statistics, secrets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pcap_parser::{
    Block, NameRecordType, OptionCode, PcapNGOption, parse_block_be, parse_block_le, parse_sectionheaderblock,
};

use crate::capture::LinkType;
use crate::capture::format::{ByteOrder, Window};
use crate::capture::interfaces::Ticks;
use crate::capture::ledger::Ledger;
use crate::capture::pcapng::Pcapng;
use crate::limits;

/// A section header block: its comments.
pub(super) fn section_header(block: Window<'_>, ledger: &mut Ledger) {
    match parse_sectionheaderblock(block.bytes) {
        Ok((_, header)) => {
            if header.major_version != 1 {
                let (major, minor) = (header.major_version, header.minor_version);
                let message = format!(
                    "at byte {}: expected a section of version 1, found {major}.{minor}; read as 1.0",
                    block.offset
                );
                ledger.bad_record("version", block.offset, message);
            }
            comments(&header.options, block, ledger);
        }
        Err(_) => broken("a section header block", block, ledger),
    }
}

/// An interface description block: the next interface of the section.
pub(super) fn interface_description(section: &mut Pcapng, block: Window<'_>, ledger: &mut Ledger) {
    if section.interfaces.len() >= limits::INTERFACES {
        ledger.limit("interfaces", block.offset);
        return;
    }
    let order = section.order;
    let Some(Block::InterfaceDescription(interface)) = parse(order, block) else {
        // Its number must be taken all the same, or the packets of later interfaces change theirs.
        let link = order.u16(block.bytes, 8).unwrap_or_default();
        let snaplen = order.u32(block.bytes, 12).unwrap_or_default();
        section.add_interface(b"", LinkType(u32::from(link)), snaplen, Ticks::default(), ledger);
        broken("an interface description block", block, ledger);
        return;
    };
    let value = |code: OptionCode| {
        let option = interface.options.iter().find(|option| option.code == code)?;
        option.as_bytes().ok()
    };
    let resolution = value(OptionCode::IfTsresol).and_then(|bytes| bytes.first()).copied().unwrap_or(6);
    let offset = value(OptionCode::IfTsoffset).and_then(|bytes| order.u64(bytes, 0)).unwrap_or(0) as i64;
    let name = value(OptionCode::IfName).or_else(|| value(OptionCode::IfDescription)).unwrap_or_default();
    let link = LinkType(interface.linktype.0 as u32 & 0xffff);
    section.add_interface(name, link, interface.snaplen, Ticks::new(resolution, offset), ledger);
    comments(&interface.options, block, ledger);
}

/// An interface statistics block: packets that the interface or the system dropped.
pub(super) fn interface_statistics(section: &mut Pcapng, block: Window<'_>, ledger: &mut Ledger) {
    let order = section.order;
    let Some(Block::InterfaceStatistics(statistics)) = parse(order, block) else {
        return broken("an interface statistics block", block, ledger);
    };
    let count = |code: OptionCode| {
        let option = statistics.options.iter().find(|option| option.code == code)?;
        order.u64(option.as_bytes().ok()?, 0)
    };
    let drops = match (count(OptionCode::IsbIfDrop), count(OptionCode::IsbOsDrop)) {
        (None, None) => None,
        (interface, system) => Some(interface.unwrap_or(0).saturating_add(system.unwrap_or(0))),
    };
    if let Some(ticks) = pair(order, &statistics.options, OptionCode::IsbEndTime)
        && let Some(interface) = section.interfaces.get(statistics.if_id as usize)
    {
        ledger.watched(interface.clock.time(ticks));
    }
    if let Some(drops) = drops
        && let Some(interface) = section.interfaces.get_mut(statistics.if_id as usize)
        && let Some(facts) = ledger.interface(interface.index)
    {
        // Such counters run from the beginning of the capture: the latest block is the whole truth.
        interface.counted = true;
        facts.drops = Some(drops);
    }
    comments(&statistics.options, block, ledger);
}

/// A name resolution block: names of addresses.
pub(super) fn name_resolution(order: ByteOrder, block: Window<'_>, ledger: &mut Ledger) {
    let Some(Block::NameResolution(names)) = parse(order, block) else {
        return broken("a name resolution block", block, ledger);
    };
    for record in &names.nr {
        let value = record.record_value;
        let split = match record.record_type {
            NameRecordType::Ipv4 => value
                .split_first_chunk::<4>()
                .map(|(address, rest)| (IpAddr::from(Ipv4Addr::from(*address)), rest)),
            NameRecordType::Ipv6 => value
                .split_first_chunk::<16>()
                .map(|(address, rest)| (IpAddr::from(Ipv6Addr::from(*address)), rest)),
            _ => None,
        };
        let Some((address, listed)) = split else { continue };
        for name in listed.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
            ledger.name(address, name, block.offset);
        }
    }
    comments(&names.options, block, ledger);
}

/// A decryption secrets block: kept for later.
pub(super) fn decryption_secrets(order: ByteOrder, block: Window<'_>, ledger: &mut Ledger) {
    let Some(Block::DecryptionSecrets(secrets)) = parse(order, block) else {
        return broken("a decryption secrets block", block, ledger);
    };
    let bytes = secrets.data.get(..secrets.secrets_len as usize).unwrap_or(secrets.data);
    ledger.secret(secrets.secrets_type.0, bytes, block.offset);
    comments(&secrets.options, block, ledger);
}

fn parse(order: ByteOrder, block: Window<'_>) -> Option<Block<'_>> {
    let parsed = match order {
        ByteOrder::Little => parse_block_le(block.bytes),
        ByteOrder::Big => parse_block_be(block.bytes),
    };
    parsed.ok().map(|(_, block)| block)
}

/// A time of a statistics block: two numbers, the higher half first.
fn pair(order: ByteOrder, options: &[PcapNGOption<'_>], code: OptionCode) -> Option<u64> {
    let value = options.iter().find(|option| option.code == code)?.as_bytes().ok()?;
    Some(u64::from(order.u32(value, 0)?) << 32 | u64::from(order.u32(value, 4)?))
}

fn comments(options: &[PcapNGOption<'_>], block: Window<'_>, ledger: &mut Ledger) {
    for option in options.iter().filter(|option| option.code == OptionCode::Comment) {
        ledger.comment(0, option.as_bytes().unwrap_or_default(), block.offset);
    }
}

fn broken(what: &str, block: Window<'_>, ledger: &mut Ledger) {
    let message = format!("at byte {}: {what} breaks the rules of its content; it is left out", block.offset);
    ledger.bad_record(what, block.offset, message);
}
