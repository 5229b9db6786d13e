//! The fields of IPv4, IPv6, ICMP and ICMPv6.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::field::Value;
use super::tree::Tree;

/// Octets of an IPv6 header.
const IPV6: usize = 40;

/// Source, destination, and where the payload begins.
pub(super) type Ends = (IpAddr, IpAddr, usize);

/// An IPv4 header.
pub(super) fn ipv4(tree: &mut Tree<'_>) -> Option<Ends> {
    let bytes = tree.bytes();
    let source: [u8; 4] = *bytes.get(12..)?.first_chunk()?;
    let destination: [u8; 4] = *bytes.get(16..)?.first_chunk()?;
    let (source, destination) = (Ipv4Addr::from(source), Ipv4Addr::from(destination));
    let length = usize::from(bytes.first()? & 0x0f) * 4;
    tree.protocol("ip", format!("Internet Protocol Version 4, Src: {source}, Dst: {destination}"), length);
    let first = tree.read(0..1)?;
    tree.put("ip.version", "Version", Value::Unsigned(first >> 4), 0..1);
    tree.put("ip.hdr_len", "Header Length", Value::Unsigned(length as u64), 0..1);
    let class = tree.number("ip.dsfield", "Differentiated Services Field", 1..2)?;
    tree.open();
    tree.put("ip.dsfield.dscp", "Differentiated Services Codepoint", Value::Unsigned(class >> 2), 1..2);
    tree.put("ip.dsfield.ecn", "Explicit Congestion Notification", Value::Unsigned(class & 3), 1..2);
    tree.close();
    tree.number("ip.len", "Total Length", 2..4)?;
    tree.number("ip.id", "Identification", 4..6)?;
    let place = tree.read(6..8)?;
    tree.put("ip.flags", "Flags", Value::Unsigned(place >> 13), 6..7);
    tree.open();
    tree.flag("ip.flags.rb", "Reserved bit", place & 0x8000 != 0, 6..7);
    tree.flag("ip.flags.df", "Don't fragment", place & 0x4000 != 0, 6..7);
    tree.flag("ip.flags.mf", "More fragments", place & 0x2000 != 0, 6..7);
    tree.close();
    tree.put("ip.frag_offset", "Fragment Offset", Value::Unsigned((place & 0x1fff) * 8), 6..8);
    tree.number("ip.ttl", "Time to Live", 8..9)?;
    let protocol = tree.number("ip.proto", "Protocol", 9..10)?;
    tree.meaning(protocol_name(protocol));
    tree.number("ip.checksum", "Header Checksum", 10..12)?;
    for (name, label, address, at) in
        [("ip.src", "Source Address", source, 12..16), ("ip.dst", "Destination Address", destination, 16..20)]
    {
        let value = Value::Address(IpAddr::V4(address));
        tree.put(name, label, value.clone(), at.clone());
        tree.also("ip.addr", value, at);
    }
    Some((IpAddr::V4(source), IpAddr::V4(destination), length))
}

/// An IPv6 header.
pub(super) fn ipv6(tree: &mut Tree<'_>) -> Option<Ends> {
    let bytes = tree.bytes();
    let source: [u8; 16] = *bytes.get(8..)?.first_chunk()?;
    let destination: [u8; 16] = *bytes.get(24..)?.first_chunk()?;
    let (source, destination) = (Ipv6Addr::from(source), Ipv6Addr::from(destination));
    tree.protocol("ipv6", format!("Internet Protocol Version 6, Src: {source}, Dst: {destination}"), IPV6);
    let word = tree.read(0..4)?;
    tree.put("ipv6.version", "Version", Value::Unsigned(word >> 28), 0..1);
    tree.also("ip.version", Value::Unsigned(word >> 28), 0..1);
    let class = word >> 20 & 0xff;
    tree.put("ipv6.tclass", "Traffic Class", Value::Unsigned(class), 0..4);
    tree.open();
    tree.put("ipv6.tclass.dscp", "Differentiated Services Codepoint", Value::Unsigned(class >> 2), 0..4);
    tree.put("ipv6.tclass.ecn", "Explicit Congestion Notification", Value::Unsigned(class & 3), 0..4);
    tree.close();
    tree.put("ipv6.flow", "Flow Label", Value::Unsigned(word & 0x000f_ffff), 0..4);
    tree.number("ipv6.plen", "Payload Length", 4..6)?;
    let next = tree.number("ipv6.nxt", "Next Header", 6..7)?;
    tree.meaning(protocol_name(next));
    tree.number("ipv6.hlim", "Hop Limit", 7..8)?;
    for (name, label, address, at) in [
        ("ipv6.src", "Source Address", source, 8..24),
        ("ipv6.dst", "Destination Address", destination, 24..40),
    ] {
        let value = Value::Address(IpAddr::V6(address));
        tree.put(name, label, value.clone(), at.clone());
        tree.also("ipv6.addr", value, at);
    }
    Some((IpAddr::V6(source), IpAddr::V6(destination), IPV6))
}

/// A header that may stand between IPv6 and the transport; false where this number is none.
pub(super) fn extension(tree: &mut Tree<'_>, number: u8) -> bool {
    let (name, label, next) = match number {
        0 => ("ipv6.hopopts", "IPv6 Hop-by-Hop Option", "ipv6.hopopts.nxt"),
        43 => ("ipv6.routing", "Routing Header for IPv6", "ipv6.routing.nxt"),
        44 => ("ipv6.fraghdr", "Fragment Header for IPv6", "ipv6.fraghdr.nxt"),
        51 => ("ah", "Authentication Header", "ah.next_header"),
        60 => ("ipv6.dstopts", "Destination Options for IPv6", "ipv6.dstopts.nxt"),
        _ => return false,
    };
    let units = tree.read(1..2).unwrap_or(0) as usize;
    let length = match number {
        44 => 8,
        51 => (units + 2) * 4,
        _ => (units + 1) * 8,
    };
    tree.protocol(name, label, length);
    if let Some(next) = tree.number(next, "Next Header", 0..1) {
        tree.meaning(protocol_name(next));
    }
    if number == 44 {
        fragment_header(tree);
    }
    true
}

fn fragment_header(tree: &mut Tree<'_>) -> Option<()> {
    let place = tree.read(2..4)?;
    tree.put("ipv6.fraghdr.offset", "Offset", Value::Unsigned(place >> 3), 2..4);
    tree.flag("ipv6.fraghdr.more", "More Fragments", place & 1 != 0, 2..4);
    tree.number("ipv6.fraghdr.ident", "Identification", 4..8)?;
    Some(())
}

/// An ICMP message: type and code, and for an error where the quoted packet begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// What it says.
    pub(super) info: Cow<'static, str>,
    /// Whether a packet is quoted eight octets in.
    pub(super) quotes: bool,
}

/// ICMP or ICMPv6.
pub(super) fn icmp(tree: &mut Tree<'_>, v6: bool) -> Option<Message> {
    let kind = tree.read(0..1)?;
    let code = tree.read(1..2)?;
    let whole = tree.bytes().len();
    let names = if v6 {
        ["icmpv6", "icmpv6.type", "icmpv6.code", "icmpv6.checksum"]
    } else {
        ["icmp", "icmp.type", "icmp.code", "icmp.checksum"]
    };
    let [protocol, name_of_type, name_of_code, name_of_checksum] = names;
    let title = if v6 { "Internet Control Message Protocol v6" } else { "Internet Control Message Protocol" };
    tree.protocol(protocol, title, whole);
    let meaning = if v6 { meaning_6(kind) } else { meaning_4(kind) };
    tree.put(name_of_type, "Type", Value::Unsigned(kind), 0..1);
    tree.meaning(meaning);
    tree.put(name_of_code, "Code", Value::Unsigned(code), 1..2);
    let reason = if v6 { reason_6(kind, code) } else { reason_4(kind, code) };
    tree.meaning(reason);
    tree.number(name_of_checksum, "Checksum", 2..4)?;
    let is_echo = if v6 { matches!(kind, 128 | 129) } else { matches!(kind, 0 | 8) };
    if is_echo {
        let [ident, seq] = if v6 {
            ["icmpv6.echo.identifier", "icmpv6.echo.sequence_number"]
        } else {
            ["icmp.ident", "icmp.seq"]
        };
        tree.number(ident, "Identifier", 4..6)?;
        tree.number(seq, "Sequence Number", 6..8)?;
    } else if !v6 && (kind, code) == (3, 4) {
        tree.number("icmp.mtu", "MTU of next hop", 6..8)?;
    } else if v6 && kind == 2 {
        tree.number("icmpv6.mtu", "MTU", 4..8)?;
    }
    let quotes = if v6 { matches!(kind, 1..=4) } else { matches!(kind, 3 | 4 | 5 | 11 | 12) };
    let info = match (meaning, reason) {
        ("", _) => Cow::Owned(format!("type {kind}, code {code}")),
        (meaning, "") => Cow::Borrowed(meaning),
        (meaning, reason) => Cow::Owned(format!("{meaning} ({reason})")),
    };
    Some(Message { info, quotes })
}

fn meaning_4(kind: u64) -> &'static str {
    match kind {
        0 => "Echo (ping) reply",
        3 => "Destination unreachable",
        4 => "Source quench",
        5 => "Redirect",
        8 => "Echo (ping) request",
        9 => "Router advertisement",
        10 => "Router solicitation",
        11 => "Time-to-live exceeded",
        12 => "Parameter problem",
        13 => "Timestamp request",
        14 => "Timestamp reply",
        _ => "",
    }
}

fn reason_4(kind: u64, code: u64) -> &'static str {
    match (kind, code) {
        (3, 0) => "Network unreachable",
        (3, 1) => "Host unreachable",
        (3, 2) => "Protocol unreachable",
        (3, 3) => "Port unreachable",
        (3, 4) => "Fragmentation needed",
        (3, 5) => "Source route failed",
        (3, 9) => "Network administratively prohibited",
        (3, 10) => "Host administratively prohibited",
        (3, 13) => "Communication administratively filtered",
        (11, 0) => "Time to live exceeded in transit",
        (11, 1) => "Fragment reassembly time exceeded",
        _ => "",
    }
}

fn meaning_6(kind: u64) -> &'static str {
    match kind {
        1 => "Destination Unreachable",
        2 => "Packet Too Big",
        3 => "Time Exceeded",
        4 => "Parameter Problem",
        128 => "Echo (ping) request",
        129 => "Echo (ping) reply",
        130 => "Multicast Listener Query",
        131 => "Multicast Listener Report",
        132 => "Multicast Listener Done",
        133 => "Router Solicitation",
        134 => "Router Advertisement",
        135 => "Neighbor Solicitation",
        136 => "Neighbor Advertisement",
        137 => "Redirect",
        143 => "Multicast Listener Report Message v2",
        _ => "",
    }
}

fn reason_6(kind: u64, code: u64) -> &'static str {
    match (kind, code) {
        (1, 0) => "no route to destination",
        (1, 1) => "Administratively prohibited",
        (1, 3) => "Address unreachable",
        (1, 4) => "Port unreachable",
        (3, 0) => "hop limit exceeded in transit",
        (3, 1) => "fragment reassembly time exceeded",
        _ => "",
    }
}

/// The protocols of IANA's registry that are met most.
pub(super) fn protocol_name(number: u64) -> &'static str {
    match number {
        0 => "IPv6 Hop-by-Hop Option",
        1 => "ICMP",
        2 => "IGMP",
        4 => "IPIP",
        6 => "TCP",
        17 => "UDP",
        41 => "IPv6",
        43 => "Routing Header for IPv6",
        44 => "Fragment Header for IPv6",
        47 => "GRE",
        50 => "ESP",
        51 => "AH",
        58 => "ICMPv6",
        60 => "Destination Options for IPv6",
        88 => "EIGRP",
        89 => "OSPF",
        103 => "PIM",
        112 => "VRRP",
        132 => "SCTP",
        _ => "",
    }
}
