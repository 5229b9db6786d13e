//! The fields of link layers: Ethernet, VLAN tags, Linux cooked, BSD loopback, ARP.

use std::net::{IpAddr, Ipv4Addr};

use super::field::Value;
use super::tree::{Tree, ethernet};

/// Octets of an Ethernet header.
const ETHERNET: usize = 14;

/// Highest value of the type field that is a length.
const LONGEST: u64 = 1500;

/// An address as people write it.
pub(super) fn address(octets: [u8; 6]) -> String {
    let parts: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    parts.join(":")
}

/// Source and destination of an Ethernet header.
pub(super) fn ends(bytes: &[u8]) -> Option<([u8; 6], [u8; 6])> {
    Some((ethernet(bytes.get(6..)?)?, ethernet(bytes)?))
}

/// Ethernet II or IEEE 802.3.
pub(super) fn ethernet_header(tree: &mut Tree<'_>) {
    let Some((source, destination)) = ends(tree.bytes()) else { return };
    let label = format!("Ethernet II, Src: {}, Dst: {}", address(source), address(destination));
    tree.protocol("eth", label, ETHERNET);
    for (name, label, octets, at) in
        [("eth.dst", "Destination", destination, 0..6), ("eth.src", "Source", source, 6..12)]
    {
        tree.put(name, label, Value::Ethernet(octets), at.clone());
        tree.also("eth.addr", Value::Ethernet(octets), at);
    }
    match tree.read(12..14) {
        Some(length @ 0..=LONGEST) => {
            tree.put("eth.len", "Length", Value::Unsigned(length), 12..14);
        }
        Some(kind) => {
            tree.put("eth.type", "Type", Value::Unsigned(kind), 12..14);
            tree.meaning(ether_type(kind));
        }
        None => {}
    }
}

/// A tag of IEEE 802.1Q or 802.1ad, behind its Ethernet type.
pub(super) fn vlan(tree: &mut Tree<'_>, kind: u16) {
    let Some(tag) = tree.read(0..2) else { return };
    let outer = kind == 0x88a8;
    let id = tag & 0x0fff;
    if outer {
        tree.protocol("ieee8021ad", format!("IEEE 802.1ad, ID: {id}"), 4);
        tree.put("ieee8021ad.priority", "Priority", Value::Unsigned(tag >> 13), 0..2);
        tree.flag("ieee8021ad.dei", "DEI", tag & 0x1000 != 0, 0..2);
        tree.put("ieee8021ad.id", "ID", Value::Unsigned(id), 0..2);
    } else {
        tree.protocol("vlan", format!("802.1Q Virtual LAN, PRI: {}, ID: {id}", tag >> 13), 4);
        tree.put("vlan.priority", "Priority", Value::Unsigned(tag >> 13), 0..2);
        tree.flag("vlan.dei", "DEI", tag & 0x1000 != 0, 0..2);
        tree.put("vlan.id", "ID", Value::Unsigned(id), 0..2);
    }
    match tree.read(2..4) {
        Some(length @ 0..=LONGEST) if !outer => {
            tree.put("vlan.len", "Length", Value::Unsigned(length), 2..4);
        }
        Some(kind) if !outer => {
            tree.put("vlan.etype", "Type", Value::Unsigned(kind), 2..4);
            tree.meaning(ether_type(kind));
        }
        _ => {}
    }
}

/// Linux cooked capture, version 1 or 2.
pub(super) fn cooked(tree: &mut Tree<'_>, second: bool) {
    let whole = if second { 20 } else { 16 };
    tree.protocol("sll", if second { "Linux cooked capture v2" } else { "Linux cooked capture v1" }, whole);
    let (protocol, index, hardware, kind, length, address) = if second {
        (0..2, Some(4..8), 8..10, 10..11, 11..12, 12..20)
    } else {
        (14..16, None, 2..4, 0..2, 4..6, 6..14)
    };
    if let Some(index) = index {
        tree.number("sll.ifindex", "Interface index", index);
    }
    if let Some(kind) = tree.number("sll.pkttype", "Packet type", kind) {
        tree.meaning(match kind {
            0 => "Unicast to us",
            1 => "Broadcast",
            2 => "Multicast",
            3 => "Unicast to another host",
            4 => "Sent by us",
            _ => "",
        });
    }
    tree.number("sll.hatype", "Link-layer address type", hardware);
    if tree.number("sll.halen", "Link-layer address length", length) == Some(6)
        && let Some(octets) = tree.bytes().get(address.clone()).and_then(ethernet)
    {
        tree.put("sll.src.eth", "Source", Value::Ethernet(octets), address.start..address.start + 6);
    }
    if let Some(kind) = tree.read(protocol.clone()) {
        let name = if kind < 0x0600 { "sll.ltype" } else { "sll.etype" };
        tree.put(name, "Protocol", Value::Unsigned(kind), protocol);
        tree.meaning(ether_type(kind));
    }
}

/// BSD loopback: an address family in the byte order of whoever recorded it.
pub(super) fn loopback(tree: &mut Tree<'_>) {
    let Some([a, b, c, d]) = tree.bytes().first_chunk().copied() else { return };
    let family = u32::from_le_bytes([a, b, c, d]).min(u32::from_be_bytes([a, b, c, d]));
    tree.protocol("null", "Null/Loopback", 4);
    tree.put("null.family", "Family", Value::Unsigned(u64::from(family)), 0..4);
}

/// ARP (RFC 826) for IPv4 on a link with six-byte addresses; of other kinds the head alone.
pub(super) fn arp(tree: &mut Tree<'_>) -> Option<String> {
    tree.protocol("arp", "Address Resolution Protocol", 28);
    let hardware = tree.number("arp.hw.type", "Hardware type", 0..2)?;
    let protocol = tree.number("arp.proto.type", "Protocol type", 2..4)?;
    tree.meaning(ether_type(protocol));
    tree.number("arp.hw.size", "Hardware size", 4..5)?;
    tree.number("arp.proto.size", "Protocol size", 5..6)?;
    let operation = tree.number("arp.opcode", "Opcode", 6..8)?;
    tree.meaning(match operation {
        1 => "request",
        2 => "reply",
        3 => "reverse request",
        4 => "reverse reply",
        _ => "",
    });
    if (hardware, protocol) != (1, 0x0800) || tree.read(4..6) != Some(0x0604) {
        return None;
    }
    let mut names = Vec::new();
    for (hardware, protocol, at) in
        [("arp.src.hw_mac", "arp.src.proto_ipv4", 8), ("arp.dst.hw_mac", "arp.dst.proto_ipv4", 18)]
    {
        let octets = ethernet(tree.bytes().get(at..)?)?;
        let ip: [u8; 4] = *tree.bytes().get(at + 6..)?.first_chunk()?;
        let (mac, address) = if at == 8 { ("Sender MAC", "Sender IP") } else { ("Target MAC", "Target IP") };
        tree.put(hardware, mac, Value::Ethernet(octets), at..at + 6);
        tree.put(protocol, address, Value::Address(IpAddr::V4(Ipv4Addr::from(ip))), at + 6..at + 10);
        names.push((Ipv4Addr::from(ip), octets));
    }
    let [(source, mac), (target, _)] = names.as_slice() else { return None };
    Some(match operation {
        1 => format!("Who has {target}? Tell {source}"),
        2 => format!("{source} is at {}", address(*mac)),
        _ => format!("ARP operation {operation}"),
    })
}

/// What an Ethernet type stands for, as far as people know it by name.
fn ether_type(kind: u64) -> &'static str {
    match kind {
        0x0800 => "IPv4",
        0x0806 => "ARP",
        0x8100 => "802.1Q Virtual LAN",
        0x86dd => "IPv6",
        0x8847 => "MPLS label switched packet",
        0x8863 => "PPPoE Discovery",
        0x8864 => "PPPoE Session",
        0x88a8 => "802.1ad Provider Bridge",
        0x88cc => "LLDP",
        _ => "",
    }
}
