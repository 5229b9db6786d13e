//! Frames made for the tests of this stage: one TCP segment in every wrapping that is known.

use etherparse::PacketBuilder;

use crate::capture::{Frame, LinkType, Slice};
use crate::packet::{Body, Decoder, Packet, Tally, TcpHead};
use crate::place::{FileId, PacketRef};
use crate::time::Timestamp;

/// The payload of every sample.
pub(super) const PAYLOAD: &[u8] = b"hello, session";

/// The bytes of a string of hexadecimal digits and spaces.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// `parts` one after the other.
pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A TCP segment from 10.0.0.1:40000 to 10.0.0.2:80 over IPv4.
pub(super) fn tcp4() -> Vec<u8> {
    let builder =
        PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 61).tcp(40000, 80, 1000, 512).ack(77).psh();
    let mut bytes = Vec::new();
    builder.write(&mut bytes, PAYLOAD).unwrap();
    bytes
}

/// The same over IPv6.
pub(super) fn tcp6() -> Vec<u8> {
    let (a, b) = ([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0x20; 16]);
    let builder = PacketBuilder::ipv6(a, b, 61).tcp(40000, 80, 1000, 512).ack(77).psh();
    let mut bytes = Vec::new();
    builder.write(&mut bytes, PAYLOAD).unwrap();
    bytes
}

/// A UDP datagram over IPv4.
pub(super) fn udp4(from: u16, to: u16, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    PacketBuilder::ipv4([10, 9, 9, 1], [10, 9, 9, 2], 61).udp(from, to).write(&mut bytes, content).unwrap();
    bytes
}

/// An IPv4 packet of any protocol.
pub(super) fn ip4(protocol: u8, content: &[u8]) -> Vec<u8> {
    let total = (20 + content.len()) as u16;
    let [high, low] = total.to_be_bytes();
    let header = [0x45, 0, high, low, 0, 1, 0, 0, 64, protocol, 0, 0, 10, 9, 9, 1, 10, 9, 9, 2];
    join(&[&header, content])
}

/// An IPv6 packet of any next header, between the addresses of [`tcp6`].
pub(super) fn ip6(next: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = tcp6()[..40].to_vec();
    bytes[4..6].copy_from_slice(&(content.len() as u16).to_be_bytes());
    bytes[6] = next;
    join(&[&bytes, content])
}

/// An Ethernet frame from 02:00:00:00:00:01.
pub(super) fn ethernet(kind: u16, content: &[u8]) -> Vec<u8> {
    join(&[&hex("020000000002 020000000001"), &kind.to_be_bytes(), content])
}

/// What one decoder made of some frames.
pub(super) struct Decoded {
    pub(super) packets: Vec<Packet>,
    pub(super) side: Vec<u8>,
    pub(super) tally: Tally,
}

/// Decodes frames of one link type, a second apart, none of them cut.
pub(super) fn decode(link: u32, frames: &[Vec<u8>]) -> Decoded {
    let frames: Vec<(i64, &[u8], u32)> = frames
        .iter()
        .zip(0..)
        .map(|(bytes, second)| (second, bytes.as_slice(), bytes.len() as u32))
        .collect();
    decode_timed(link, &frames)
}

/// Decodes frames given as (second, captured bytes, length on the wire).
pub(super) fn decode_timed(link: u32, frames: &[(i64, &[u8], u32)]) -> Decoded {
    let mut decoder = Decoder::new();
    let (mut packets, mut side) = (Vec::new(), Vec::new());
    for (number, (second, bytes, original)) in (1..).zip(frames) {
        let length = bytes.len() as u32;
        let frame = Frame {
            at: PacketRef { number, offset: number * 100, frame: number, length, file: FileId(0) },
            time: Timestamp::from_parts(*second, 0),
            link: LinkType(link),
            interface: 0,
            bytes,
            original: *original,
        };
        let place = Slice { buffer: 0, start: 0, length };
        decoder.decode(&frame, place, &mut side, &mut |packet| packets.push(packet));
    }
    Decoded { packets, side, tally: decoder.finish() }
}

impl Decoded {
    /// The TCP heads among the packets.
    pub(super) fn tcp(&self) -> Vec<TcpHead> {
        self.packets
            .iter()
            .filter_map(|packet| if let Body::Tcp(head) = packet.body { Some(head) } else { None })
            .collect()
    }

    /// The names of what was counted beside TCP and UDP.
    pub(super) fn others(&self) -> Vec<&str> {
        self.tally.other.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The messages of the problems.
    pub(super) fn problems(&self) -> Vec<String> {
        self.tally.problems.list().into_iter().map(|problem| problem.message).collect()
    }
}

/// A frame that carries the segment of [`tcp4`] or [`tcp6`].
pub(super) struct Sample {
    pub(super) name: &'static str,
    pub(super) link: u32,
    pub(super) frame: Vec<u8>,
}

/// Name, link type, what comes before the packet, and its IP version. `<snap>` stands for an LLC and SNAP header,
/// `<addresses>` for duration, addresses and sequence control of 802.11, `<n>` for so many zeros.
const LINKS: &[(&str, u32, &str, u8)] = &[
    ("null, little-endian", 0, "02000000", 4),
    ("null, big-endian", 0, "00000002", 4),
    ("null, macOS", 0, "1e000000", 6),
    ("null, FreeBSD", 0, "1c000000", 6),
    ("null, NetBSD", 0, "00000018", 6),
    ("null, Linux", 0, "0a000000", 6),
    ("loop", 108, "00000002", 4),
    ("loop, IPv6", 108, "00000018", 6),
    ("Ethernet", 1, "020000000002 020000000001 0800", 4),
    ("Ethernet, IPv6", 1, "020000000002 020000000001 86dd", 6),
    ("802.3 with SNAP", 1, "020000000002 020000000001 003e <snap>", 4),
    ("802.3 with LLC", 1, "020000000002 020000000001 0039 060603", 4),
    ("token ring", 6, "1040 020000000002 020000000001 <snap>", 4),
    ("token ring, routed", 6, "1040 020000000002 820000000001 06300011 0022 <snap>", 4),
    ("ARCNET", 7, "0102 d4 00 0001", 4),
    ("ARCNET, exception", 7, "0102 d4 ff ffff 00 0001 00", 4),
    ("ARCNET, RFC 1051", 7, "0102 f0", 4),
    ("ARCNET of Linux", 129, "0102 0000 d4 00 0001", 4),
    ("PPP", 9, "0021", 4),
    ("PPP, compressed protocol", 9, "21", 4),
    ("PPP, HDLC", 9, "ff03 0021", 4),
    ("PPP, HDLC, compressed protocol", 50, "ff03 57", 6),
    ("PPP, Cisco's", 50, "0f00 0800", 4),
    ("FDDI", 10, "50 020000000002 020000000001 <snap>", 4),
    ("raw, 12", 12, "", 4),
    ("raw, 14", 14, "", 6),
    ("raw, 101", 101, "", 6),
    ("PPPoE", 51, "1100 0001 0038 0021", 4),
    ("ATM", 100, "<snap>", 4),
    ("Cisco HDLC", 104, "0f00 86dd", 6),
    ("802.11", 105, "0801 <addresses> <snap>", 4),
    ("802.11, quality of service", 105, "8801 <addresses> 0000 <snap>", 4),
    ("802.11, high throughput", 105, "8881 <addresses> 0000 00000000 <snap>", 4),
    ("802.11, four addresses", 105, "0803 <addresses> 020000000001 <snap>", 4),
    ("802.11, aggregate", 105, "8801 <addresses> 8000 020000000002 020000000001 003e <snap>", 4),
    ("classical IP over ATM", 106, "<snap>", 4),
    ("classical IP over ATM without LLC", 106, "", 4),
    ("frame relay", 107, "1841 03 cc", 4),
    ("frame relay, padded", 107, "1841 03 00 80 000000 0800", 4),
    ("frame relay, Cisco's", 107, "1841 0800", 4),
    ("OpenBSD encapsulation", 109, "02000000 00000001 00000000", 4),
    ("Linux cooked", 113, "0000 0001 0006 020000000001 0000 0800", 4),
    ("Linux cooked, LLC", 113, "0000 0001 0006 020000000001 0000 0004 <snap>", 4),
    ("Linux cooked, GRE", 113, "0000 030a 0004 0a0000010000 0000 86dd", 6),
    ("Linux cooked 2", 276, "86dd 0000 00000001 0001 00 06 0200000000010000", 6),
    ("packet filter log", 117, "3d02 <59> 000000", 4),
    ("Prism", 119, "00000044 <140> 0801 <addresses> <snap>", 4),
    ("Prism with AVS", 119, "80211001 00000010 <8> 0801 <addresses> <snap>", 4),
    ("AVS", 163, "80211001 00000010 <8> 0801 <addresses> <snap>", 4),
    ("Fibre Channel", 122, "<16> <snap>", 4),
    ("SunATM", 123, "02 00 0020 <snap>", 4),
    ("radiotap", 127, "00 00 0c00 00000000 00000000 0801 <addresses> <snap>", 4),
    (
        "radiotap, padded",
        127,
        "00 00 1200 03000000 0000000000000000 20 00 8801 <addresses> 0000 0000 <snap>",
        4,
    ),
    (
        "radiotap, more words",
        127,
        "00 00 1a00 030000a0 00000020 00000000 0000000000000000 10 00 0801 <addresses> <snap>",
        4,
    ),
    ("FireWire", 138, "<16> 0800", 4),
    ("Juniper Ethernet", 178, "4d4743 80 0002 0000 020000000002 020000000001 0800", 4),
    ("Juniper without link layer", 178, "4d4743 02 02000000", 4),
    ("per-packet information", 192, "00 00 0800 69000000 0801 <addresses> <snap>", 4),
    ("PPP with direction", 204, "01 ff03 0021", 4),
    ("Cisco HDLC with direction", 205, "01 0f00 0800", 4),
    ("frame relay with direction", 206, "01 1841 03 cc", 4),
    ("IPv4", 228, "", 4),
    ("IPv6", 229, "", 6),
    ("netfilter log", 239, "02 00 0000 0800 0100 08000300 3a00 0900", 4),
    ("netfilter log, big-endian", 239, "02 00 0000 0008 0001 08000300 003a 0009", 4),
    ("netfilter log of a bridge", 239, "07 00 0000 0800 0100 08000300 3a00 0900", 4),
    ("netANALYZER", 240, "00000000 020000000002 020000000001 0800", 4),
    ("netANALYZER, transparent", 241, "00000000 55555555555555d5 020000000002 020000000001 0800", 4),
    ("InfiniBand", 242, "<20> 0800 0000", 4),
    (
        "Netlink, log",
        253,
        "0004 0338 0000 0000000000000000 000c 4e000000 0004 0000 00000000 00000000 02000000 3a00 0900",
        4,
    ),
    (
        "Netlink, queue",
        253,
        "0004 0338 0000 0000000000000000 000c 4e000000 0003 0000 00000000 00000000 02000000 3a00 0a00",
        4,
    ),
    ("packet tap", 258, "14000000 00000000 65000000 <8>", 4),
    ("SLIP", 8, "00 <15>", 4),
];

/// Every link type.
pub(super) fn links() -> Vec<Sample> {
    let expand = |text: &str| {
        let text = text.replace("<snap>", "aaaa03 000000 0800");
        let text = text.replace("<addresses>", "0000 020000000009 020000000001 020000000003 0000");
        [8, 15, 16, 20, 59, 140]
            .iter()
            .fold(text, |text, n| text.replace(&format!("<{n}>"), &"00".repeat(*n)))
    };
    let sample = |&(name, link, prefix, version): &(&'static str, u32, &str, u8)| {
        let inner = if version == 4 { tcp4() } else { tcp6() };
        Sample { name, link, frame: join(&[&hex(&expand(prefix)), &inner]) }
    };
    LINKS.iter().map(sample).collect()
}

/// Every tag and tunnel, in an Ethernet frame.
pub(super) fn tunnels() -> Vec<Sample> {
    let inner = ethernet(0x0800, &tcp4());
    let ether = |kind: u16, prefix: &str, content: &[u8]| ethernet(kind, &join(&[&hex(prefix), content]));
    let ip = |protocol: u8, prefix: &str, content: &[u8]| {
        ethernet(0x0800, &ip4(protocol, &join(&[&hex(prefix), content])))
    };
    let udp = |port: u16, prefix: &str, content: &[u8]| {
        ethernet(0x0800, &udp4(50000, port, &join(&[&hex(prefix), content])))
    };
    let v6 = |next: u8, prefix: &str, content: &[u8]| {
        ethernet(0x86dd, &ip6(next, &join(&[&hex(prefix), content])))
    };
    let (four, six, segment) = (tcp4(), tcp6(), tcp6()[40..].to_vec());
    let size = |extra: usize| format!("{:04x}", four.len() + extra);
    let wifi = "0108 0000 020000000009 020000000001 020000000003 0000 aaaa03 000000 0800";
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("VLAN", ether(0x8100, "0005 0800", &four)),
        ("priority tag", ether(0x8100, "e000 0800", &four)),
        ("QinQ", ether(0x88a8, "0005 8100 0006 86dd", &six)),
        ("old QinQ", ether(0x9100, "0005 8100 0006 0800", &four)),
        ("VLAN with SNAP", ether(0x8100, &format!("0005 {} aaaa03 000000 0800", size(8)), &four)),
        ("backbone bridge", ether(0x88e7, "00000007", &inner)),
        ("Cisco metadata", ether(0x8909, "0101 0001 0002 0800", &four)),
        ("VN-Tag", ether(0x8926, "00000000 0800", &four)),
        ("E-Tag", ether(0x893f, "000000000000 0800", &four)),
        ("FabricPath", ether(0x8903, "0001", &inner)),
        ("TRILL", ether(0x22f3, "0040 0001 0002 00000000", &inner)),
        ("MPLS", ether(0x8847, "00010040 00020140", &four)),
        ("MPLS, IPv6", ether(0x8848, "00010140", &six)),
        ("pseudowire", ether(0x8847, "00010140", &inner)),
        ("pseudowire with control word", ether(0x8847, "00010140 00000000", &inner)),
        ("PPPoE", ether(0x8864, &format!("1100 0001 {} 0021", size(2)), &four)),
        ("NSH", ether(0x894f, "0002 0101 00000000", &four)),
        ("IP in IP", ip(4, "", &four)),
        ("6in4", ip(41, "", &six)),
        ("4in6", v6(4, "", &four)),
        ("EtherIP", ip(97, "3000", &inner)),
        ("MPLS in IP", ip(137, "00010140", &four)),
        (
            "authentication header",
            ip(51, "0604 0000 00000001 00000002 000000000000000000000000", &ip_payload()),
        ),
        ("hop-by-hop options", v6(0, "0600 050200000000", &segment)),
        ("destination options and routing", v6(60, "2b00 010400000000 0600 000000000000", &segment)),
        ("mobility and shim6", v6(135, "8c00 000000000000 0600 000000000000", &segment)),
        ("atomic fragment", v6(44, "0600 0000 00000007", &segment)),
        ("GRE", ip(47, "0000 0800", &four)),
        (
            "GRE with everything",
            ip(47, "f000 86dd 00000000 0000002a 00000001 0000 00 04 01020304 0000 00 00", &six),
        ),
        ("GRE, transparent Ethernet", ip(47, "2000 6558 00012a05", &inner)),
        ("GRE, PPTP", ip(47, &format!("3081 880b {} 0001 00000001 00000002 ff03 0021", size(4)), &four)),
        ("GRE, WCCP 1", ip(47, "0000 883e", &four)),
        ("GRE, WCCP 2", ip(47, "0000 883e 00000000", &four)),
        ("GRE, Aruba", ip(47, &format!("0000 8200 0801{}", &wifi[4..]), &four)),
        ("GRE, PPP", ip(47, "0000 880b 0021", &four)),
        ("GRE, MPLS", ip(47, "0000 8847 00010140", &four)),
        ("Ethernet over IP", ip(47, &format!("2001 6400 {} 0700", size(14)), &inner)),
        ("ERSPAN I", ip(47, "0000 88be", &inner)),
        ("ERSPAN II", ip(47, "1000 88be 00000001 1001000100000000", &inner)),
        ("ERSPAN III", ip(47, "1000 22eb 00000001 200100010000000000000000", &inner)),
        (
            "ERSPAN III with more",
            ip(47, "1000 22eb 00000001 200100010000000000000001 0000000000000000", &inner),
        ),
        ("VXLAN", udp(4789, "08000000 00002a00", &inner)),
        ("VXLAN-GPE", udp(4790, "0c000001 00002a00", &four)),
        ("VXLAN-GPE with NSH", udp(4790, "0c000004 00002a00 0002 0103 00000000", &inner)),
        ("GENEVE", udp(6081, "0000 6558 00002a00", &inner)),
        ("GENEVE with options", udp(6081, "0140 0800 00002a00 00000000", &four)),
        ("GTP", udp(2152, &format!("30 ff {} 00000001", size(0)), &four)),
        (
            "GTP with extensions",
            udp(2152, &format!("34 ff {} 00000001 0000 00 85 01 0000 c0 01 0000 00", size(12)), &four),
        ),
        ("GTP 0", udp(2152, &format!("1e ff {} {}", size(0), "00".repeat(16)), &four)),
        ("Teredo", udp(3544, "", &six)),
        ("Teredo with indications", udp(3544, "0001 0000 0000000000000000 00 0000 0000 00000000", &six)),
        ("L2TP", udp(1701, "0002 0001 0002 ff03 0021", &four)),
        (
            "L2TP with everything",
            udp(1701, &format!("4a02 {} 0001 0002 0000 0000 0002 0000 0021", size(18)), &four),
        ),
        ("LISP", udp(4341, "0000000000000000", &four)),
        ("GRE in UDP", udp(4754, "0000 0800", &four)),
        ("MPLS in UDP", udp(6635, "00010140", &four)),
        ("CAPWAP, 802.3", udp(5247, "00 10 42 00 00000000", &inner)),
        ("CAPWAP, 802.11", udp(5247, &format!("00 10 43 00 00000000 {wifi}"), &four)),
        ("TZSP", udp(37008, "01 00 0001 00 0a 01 55 01", &inner)),
        ("TZSP, 802.11", udp(37008, &format!("01 00 0012 01 0801{}", &wifi[4..]), &four)),
        ("AYIYA", udp(5072, &format!("42 52 11 29 00000000 {}", "00".repeat(36)), &six)),
    ];
    rows.into_iter().map(|(name, frame)| Sample { name, link: 1, frame }).collect()
}

/// A TCP segment alone.
fn ip_payload() -> Vec<u8> {
    tcp4()[20..].to_vec()
}
