//! One header after the other: which fields each has, and what the packet says in one line.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::dissect::transport_title;
use super::field::{Dissection, Value};
use super::frame::Known;
use super::tree::Tree;
use super::{application, link, network, transport};
use crate::capture::Frame;
use crate::packet::{Body, Header, HeaderKind, Packet, Payload, TcpFlags, TcpHead, Transport};

/// Writes the headers of a frame. `known` are its packets in the order of their headers; `side` holds the datagrams
/// that were put together.
pub(super) fn headers(
    dissection: &mut Dissection,
    frame: &Frame<'_>,
    headers: &[Header],
    known: &[Known<'_>],
    side: &[u8],
    info: bool,
) {
    let mut known = known.iter();
    for (place, header) in headers.iter().enumerate() {
        let is_last = place + 1 == headers.len();
        let mine = if header.has_packet { known.next() } else { None };
        let whole = match header.reassembled {
            Some(slice) => {
                side.get(slice.start as usize..).and_then(|from| from.get(..slice.length as usize))
            }
            None => Some(frame.bytes),
        };
        let from = whole.and_then(|whole| whole.get(header.start as usize..)).unwrap_or_default();
        let bytes = from.get(..header.captured as usize).unwrap_or(from);
        let start = header.reassembled.is_none().then_some(header.start);
        let mut sheet = Sheet { dissection: &mut *dissection, bytes, start, info, is_last };
        sheet.header(header, mine);
    }
}

/// A header at hand.
struct Sheet<'s> {
    dissection: &'s mut Dissection,
    bytes: &'s [u8],
    start: Option<u32>,
    info: bool,
    /// Nothing was found behind it.
    is_last: bool,
}

impl Sheet<'_> {
    fn tree(&mut self) -> Tree<'_> {
        Tree::new(&mut self.dissection.fields, self.bytes, self.start)
    }

    /// Names the packet by its uppermost protocol so far.
    fn title(&mut self, protocol: &'static str, info: impl FnOnce() -> String) {
        self.dissection.protocol = Cow::Borrowed(protocol);
        if self.info {
            self.dissection.info = info();
        }
    }

    fn header(&mut self, header: &Header, known: Option<&Known<'_>>) {
        match header.kind {
            HeaderKind::Ethernet => {
                link::ethernet_header(&mut self.tree());
                self.title("Ethernet", String::new);
            }
            HeaderKind::EtherType(kind @ (0x8100 | 0x88a8 | 0x9100)) => link::vlan(&mut self.tree(), kind),
            HeaderKind::EtherType(0x0806) => {
                let said = link::arp(&mut self.tree());
                self.title("ARP", || said.unwrap_or_default());
            }
            HeaderKind::Link(link) => self.link(link.0),
            HeaderKind::Ipv4 => self.network(false),
            HeaderKind::Ipv6 => self.network(true),
            HeaderKind::IpProtocol(6) => self.tcp(known),
            HeaderKind::IpProtocol(17) => self.udp(known),
            HeaderKind::IpProtocol(number @ (1 | 58)) => self.icmp(number == 58, known),
            HeaderKind::IpProtocol(number) => {
                network::extension(&mut self.tree(), number);
            }
            HeaderKind::Fragment => {
                let bytes = self.bytes.len();
                self.tree().protocol("data", format!("A part of a datagram, {bytes} bytes"), bytes);
                self.title("Fragment", || format!("A part of a datagram, {bytes} bytes"));
            }
            HeaderKind::Wifi => self.plain("wlan", "IEEE 802.11", "802.11"),
            HeaderKind::Llc => self.plain("llc", "Logical-Link Control", "LLC"),
            HeaderKind::Mpls => self.plain("mpls", "MultiProtocol Label Switching Header", "MPLS"),
            HeaderKind::Gre => self.plain("gre", "Generic Routing Encapsulation", "GRE"),
            HeaderKind::Ppp => self.plain("ppp", "Point-to-Point Protocol", "PPP"),
            HeaderKind::Other(name) => self.plain(name, name, name),
            HeaderKind::EtherType(_) => {}
        }
    }

    /// A header of which only the beginning is known.
    fn plain(&mut self, name: &'static str, label: &'static str, title: &'static str) {
        self.tree().protocol(name, label, 1);
        self.title(title, String::new);
    }

    fn link(&mut self, number: u32) {
        match number {
            113 => link::cooked(&mut self.tree(), false),
            276 => link::cooked(&mut self.tree(), true),
            0 | 108 => link::loopback(&mut self.tree()),
            12 | 14 | 101 | 228 | 229 => self.tree().protocol("raw", "Raw packet data", 0),
            _ => {}
        }
    }

    fn network(&mut self, v6: bool) {
        // An address that was cut off has no field, and nothing else is wrong.
        let _ = if v6 { network::ipv6(&mut self.tree()) } else { network::ipv4(&mut self.tree()) };
        let protocol = self.bytes.get(if v6 { 6 } else { 9 }).copied().unwrap_or_default();
        self.title(if v6 { "IPv6" } else { "IPv4" }, || match network::protocol_name(u64::from(protocol)) {
            "" => format!("IP protocol {protocol}"),
            name => format!("IP protocol {protocol} ({name})"),
        });
    }

    fn tcp(&mut self, known: Option<&Known<'_>>) {
        let Some((known, head)) = known.and_then(|known| match &known.packet.body {
            Body::Tcp(head) => Some((known, head)),
            _ => None,
        }) else {
            return;
        };
        transport::tcp(&mut self.tree(), head, known.segment.as_ref(), known.connection);
        self.title(transport_title(Transport::Tcp), || tcp_line(known, head));
        self.community(known);
        self.payload("tcp.payload", known, head.payload);
    }

    fn udp(&mut self, known: Option<&Known<'_>>) {
        let connection = known.and_then(|known| known.connection);
        transport::udp(&mut self.tree(), connection, known.and_then(|known| known.spans));
        let Some(known) = known else { return };
        self.title(transport_title(Transport::Udp), || {
            let Body::Udp(payload) = known.packet.body else { return String::new() };
            let (from, to) = ports(known.packet);
            format!("{from} > {to} Len={}", payload.length)
        });
        self.community(known);
        let Body::Udp(payload) = known.packet.body else { return };
        self.payload("udp.payload", known, payload);
        if self.is_last && payload.length > 0 {
            let bytes = self.bytes.get(8..).unwrap_or_default();
            let start = self.start.map(|start| start + 8);
            let mut tree = Tree::new(&mut self.dissection.fields, bytes, start);
            let length = payload.length as usize;
            tree.protocol("data", format!("Data ({length} bytes), not decoded here"), length);
            tree.computed("data.len", "Length", Value::Unsigned(length as u64));
        }
    }

    /// The octets that a transport carries, where somebody wants them.
    fn payload(&mut self, name: &'static str, known: &Known<'_>, payload: Payload) {
        if let Some(bytes) = known.payload.filter(|bytes| !bytes.is_empty()) {
            self.dissection.fields.push(application::payload(name, payload, bytes));
        }
    }

    /// A name of the connection that other tools compute too.
    fn community(&mut self, known: &Known<'_>) {
        if let Some(connection) = known.connection {
            let mut tree = self.tree();
            tree.open();
            tree.computed("communityid", "Community ID", Value::Text(connection.community_id.clone()));
        }
    }

    fn icmp(&mut self, v6: bool, known: Option<&Known<'_>>) {
        let said = network::icmp(&mut self.tree(), v6);
        let quotes = said.as_ref().is_some_and(|said| said.quotes);
        self.title(if v6 { "ICMPv6" } else { "ICMP" }, || {
            said.map(|said| said.info.into_owned()).unwrap_or_default()
        });
        if quotes {
            self.quoted(v6, known);
        }
    }

    /// The packet that an error quotes: its addresses and ports are fields of the frame too.
    fn quoted(&mut self, v6: bool, known: Option<&Known<'_>>) -> Option<()> {
        let connection = known.and_then(|known| known.connection);
        let mut tree = self.tree();
        let mut inner = tree.quoted(8);
        let (_, _, length) = if v6 { network::ipv6(&mut inner)? } else { network::ipv4(&mut inner)? };
        let protocol = inner.read(if v6 { 6..7 } else { 9..10 })?;
        let mut tree = self.tree();
        transport::quoted(&mut tree.quoted(8 + length), protocol, connection)
    }
}

/// The ports of a packet, from and to.
fn ports(packet: &Packet) -> (u16, u16) {
    let (from, to) = (packet.flow.source(packet.direction), packet.flow.source(packet.direction.reverse()));
    (from.port, to.port)
}

/// A segment in one line, as tshark's column has it.
fn tcp_line(known: &Known<'_>, head: &TcpHead) -> String {
    let (from, to) = ports(known.packet);
    let (own, other) = known.segment.map_or((None, None), |segment| segment.bases);
    let flags = known.segment.and_then(|segment| segment.flags).unwrap_or_default();
    let names = transport::flag_names(head.flags);
    let mut line = format!("{}{from} > {to} [{names}]", transport::marks(flags));
    let _ = write!(line, " Seq={}", head.seq.wrapping_sub(own.unwrap_or(0)));
    if head.flags.has(TcpFlags::ACK) {
        let _ = write!(line, " Ack={}", head.ack.wrapping_sub(other.unwrap_or(0)));
    }
    let scale = known.segment.map_or(1, |segment| segment.scale.max(1) as u64);
    let factor = if head.flags.has(TcpFlags::SYN) { 1 } else { scale };
    let _ = write!(line, " Win={}", u64::from(head.window) * factor);
    if let Some(length) = transport::length(head) {
        let _ = write!(line, " Len={length}");
    }
    if let Some(mss) = head.options.mss {
        let _ = write!(line, " MSS={mss}");
    }
    line
}
