//! From segments, datagrams and complaints to the bytes of frames, with every checksum right.

use std::net::IpAddr;

use etherparse::{
    EtherType, Ethernet2Header, Icmpv4Header, Icmpv4Type, Icmpv6Header, Icmpv6Type, IpFragOffset, IpNumber,
    Ipv4Header, Ipv6FragmentHeader, Ipv6Header, SingleVlanHeader, TcpHeader, UdpHeader, VlanId,
};

use super::complaint::Complaint;
use super::script::{Link, Setup, Side, Tunnel, TunnelKind, Unreachable};
use super::segment::Segment;

/// Port of VXLAN (RFC 7348 section 8).
const VXLAN_PORT: u16 = 4789;

/// Most bytes of a packet that an ICMP message quotes, so that it fits 576 bytes (RFC 1812 section 4.3.2.3).
const QUOTED_V4: usize = 548;

/// The same within 1280 bytes (RFC 4443 section 2.4).
const QUOTED_V6: usize = 1_232;

/// Where an IP packet comes from and goes to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope {
    pub(super) from: IpAddr,
    pub(super) to: IpAddr,
    pub(super) ttl: u8,
    /// IPv4 identification.
    pub(super) id: u16,
}

/// An IP packet, still in two parts so that it can be cut into fragments.
#[derive(Debug, Clone)]
pub(super) struct Packet {
    head: Head,
    payload: Vec<u8>,
}

#[derive(Debug, Clone)]
enum Head {
    V4(Ipv4Header),
    V6(Ipv6Header, u32),
}

impl Packet {
    /// Puts `payload` into an envelope. Both addresses must be of one family, which the stage makes sure of.
    fn new(envelope: Envelope, protocol: IpNumber, payload: Vec<u8>) -> Result<Self, Complaint> {
        let head = match (envelope.from, envelope.to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let length = u16::try_from(payload.len()).map_err(|_| Complaint::TooLarge)?;
                let mut head = Ipv4Header::new(length, envelope.ttl, protocol, from.octets(), to.octets())
                    .map_err(|_| Complaint::TooLarge)?;
                head.identification = envelope.id;
                head.dont_fragment = protocol == IpNumber::TCP;
                Head::V4(head)
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                let mut head = Ipv6Header {
                    next_header: protocol,
                    hop_limit: envelope.ttl,
                    source: from.octets(),
                    destination: to.octets(),
                    ..Ipv6Header::default()
                };
                head.set_payload_length(payload.len()).map_err(|_| Complaint::TooLarge)?;
                Head::V6(head, u32::from(envelope.id))
            }
            _ => return Err(Complaint::MixedFamilies),
        };
        Ok(Self { head, payload })
    }

    /// A TCP segment.
    pub(super) fn tcp(envelope: Envelope, ports: (u16, u16), segment: &Segment) -> Result<Self, Complaint> {
        let mut tcp = TcpHeader::new(ports.0, ports.1, segment.seq as u32, segment.window);
        tcp.acknowledgment_number = segment.ack.unwrap_or(0) as u32;
        tcp.ack = segment.ack.is_some();
        let flags = segment.flags;
        (tcp.syn, tcp.fin, tcp.rst, tcp.psh) = (flags.syn, flags.fin, flags.rst, flags.psh);
        (tcp.urg, tcp.ece, tcp.cwr) = (flags.urg, flags.ece, flags.cwr);
        tcp.set_options_raw(&segment.options.to_bytes()).map_err(|_| Complaint::TooLarge)?;
        let sum = match (envelope.from, envelope.to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                tcp.calc_checksum_ipv4_raw(from.octets(), to.octets(), &segment.data)
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                tcp.calc_checksum_ipv6_raw(from.octets(), to.octets(), &segment.data)
            }
            _ => return Err(Complaint::MixedFamilies),
        };
        tcp.checksum = sum.map_err(|_| Complaint::TooLarge)?;
        let mut payload = tcp.to_bytes().to_vec();
        payload.extend(&segment.data);
        Self::new(envelope, IpNumber::TCP, payload)
    }

    /// A UDP datagram.
    pub(super) fn udp(envelope: Envelope, ports: (u16, u16), data: &[u8]) -> Result<Self, Complaint> {
        let length = u16::try_from(data.len() + UdpHeader::LEN).map_err(|_| Complaint::TooLarge)?;
        let mut udp = UdpHeader { source_port: ports.0, destination_port: ports.1, length, checksum: 0 };
        let sum = match (envelope.from, envelope.to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                udp.calc_checksum_ipv4_raw(from.octets(), to.octets(), data)
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                udp.calc_checksum_ipv6_raw(from.octets(), to.octets(), data)
            }
            _ => return Err(Complaint::MixedFamilies),
        };
        udp.checksum = sum.map_err(|_| Complaint::TooLarge)?;
        let mut payload = udp.to_bytes().to_vec();
        payload.extend(data);
        Self::new(envelope, IpNumber::UDP, payload)
    }

    /// An ICMP or ICMPv6 error that quotes a packet.
    pub(super) fn icmp(envelope: Envelope, kind: Unreachable, quoted: &[u8]) -> Result<Self, Complaint> {
        if let (IpAddr::V6(from), IpAddr::V6(to)) = (envelope.from, envelope.to) {
            let quoted = &quoted[..quoted.len().min(QUOTED_V6)];
            let (type_u8, code_u8, bytes5to8) = icmpv6_numbers(kind);
            let unknown = Icmpv6Type::Unknown { type_u8, code_u8, bytes5to8 };
            let icmp = Icmpv6Header::with_checksum(unknown, from.octets(), to.octets(), quoted)
                .map_err(|_| Complaint::TooLarge)?;
            let mut payload = icmp.to_bytes().to_vec();
            payload.extend(quoted);
            return Self::new(envelope, IpNumber::IPV6_ICMP, payload);
        }
        let quoted = &quoted[..quoted.len().min(QUOTED_V4)];
        let (type_u8, code_u8, bytes5to8) = icmpv4_numbers(kind);
        let unknown = Icmpv4Type::Unknown { type_u8, code_u8, bytes5to8 };
        let mut payload = Icmpv4Header::with_checksum(unknown, quoted).to_bytes().to_vec();
        payload.extend(quoted);
        Self::new(envelope, IpNumber::ICMP, payload)
    }

    /// The whole packet.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = match &self.head {
            Head::V4(head) => {
                let mut head = head.clone();
                head.header_checksum = head.calc_header_checksum();
                head.to_bytes().to_vec()
            }
            Head::V6(head, _) => head.to_bytes().to_vec(),
        };
        bytes.extend(&self.payload);
        bytes
    }

    /// The packet in fragments that carry at most `most` bytes each, in order.
    pub(super) fn fragments(&self, most: u16) -> Vec<Vec<u8>> {
        // Offsets count in units of eight bytes.
        let step = usize::from(most / 8 * 8).max(8);
        if self.payload.len() <= step {
            return vec![self.to_bytes()];
        }
        let last = self.payload.len().div_ceil(step) - 1;
        let part = |(index, part): (usize, &[u8])| {
            let offset = IpFragOffset::try_new((index * step / 8) as u16).unwrap_or_default();
            let more_fragments = index < last;
            match &self.head {
                Head::V4(head) => {
                    let mut head = head.clone();
                    head.dont_fragment = false;
                    head.more_fragments = more_fragments;
                    head.fragment_offset = offset;
                    head.total_len = (head.header_len() + part.len()) as u16;
                    Self { head: Head::V4(head), payload: part.to_vec() }.to_bytes()
                }
                Head::V6(head, identification) => {
                    let extension = Ipv6FragmentHeader {
                        next_header: head.next_header,
                        fragment_offset: offset,
                        more_fragments,
                        identification: *identification,
                    };
                    let mut payload = extension.to_bytes().to_vec();
                    payload.extend(part);
                    let mut head = head.clone();
                    head.next_header = IpNumber::IPV6_FRAGMENTATION_HEADER;
                    head.payload_length = payload.len() as u16;
                    Self { head: Head::V6(head, *identification), payload }.to_bytes()
                }
            }
        };
        self.payload.chunks(step).enumerate().map(part).collect()
    }
}

/// Type, code and the second word (RFC 792, RFC 1812 section 5.2.7.1, RFC 1191).
fn icmpv4_numbers(kind: Unreachable) -> (u8, u8, [u8; 4]) {
    match kind {
        Unreachable::Network => (3, 0, [0; 4]),
        Unreachable::Host => (3, 1, [0; 4]),
        Unreachable::Protocol => (3, 2, [0; 4]),
        Unreachable::Port => (3, 3, [0; 4]),
        Unreachable::TooBig { mtu } => (3, 4, u32::from(mtu).to_be_bytes()),
        Unreachable::Prohibited => (3, 13, [0; 4]),
        Unreachable::TimeExceeded => (11, 0, [0; 4]),
    }
}

/// The same for IPv6 (RFC 4443 section 3); an unknown protocol is a parameter problem at the next-header field.
fn icmpv6_numbers(kind: Unreachable) -> (u8, u8, [u8; 4]) {
    match kind {
        Unreachable::Network => (1, 0, [0; 4]),
        Unreachable::Prohibited => (1, 1, [0; 4]),
        Unreachable::Host => (1, 3, [0; 4]),
        Unreachable::Port => (1, 4, [0; 4]),
        Unreachable::TooBig { mtu } => (2, 0, u32::from(mtu).to_be_bytes()),
        Unreachable::TimeExceeded => (3, 0, [0; 4]),
        Unreachable::Protocol => (4, 1, [0, 0, 0, 6]),
    }
}

/// Puts an IP packet from `from` on the wire: into the tunnel, if there is one, behind tags and link header.
pub(super) fn frame(
    link: Link,
    setup: &Setup,
    from: Side,
    mac: Option<[u8; 6]>,
    packet: &[u8],
) -> Result<Vec<u8>, Complaint> {
    let source = mac.unwrap_or(setup.ends.of(from).mac);
    let destination = setup.ends.of(from.other()).mac;
    let wrapped = match &setup.tunnel {
        Some(tunnel) => wrap(tunnel, from, source, destination, packet)?,
        None => packet.to_vec(),
    };
    let mut bytes = match link {
        Link::Ethernet => ethernet(source, destination, &setup.vlans, ether_type(&wrapped)),
        Link::Raw => Vec::new(),
        Link::Null => if is_v6(&wrapped) { 30_u32 } else { 2 }.to_le_bytes().to_vec(),
        Link::Cooked => {
            // The tap is on the client's machine: its packets are outgoing (4), the others for it (0).
            let direction: u16 = if from == Side::Client { 4 } else { 0 };
            let mut head = Vec::with_capacity(16);
            for number in [direction, 1, 6] {
                head.extend(number.to_be_bytes());
            }
            head.extend(source);
            head.extend([0, 0]);
            head.extend(ether_type(&wrapped).0.to_be_bytes());
            head
        }
    };
    bytes.extend(wrapped);
    Ok(bytes)
}

fn is_v6(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first >> 4 == 6)
}

fn ether_type(packet: &[u8]) -> EtherType {
    if is_v6(packet) { EtherType::IPV6 } else { EtherType::IPV4 }
}

/// Ethernet II with VLAN tags; the outer of two is a service tag (IEEE 802.1ad).
fn ethernet(source: [u8; 6], destination: [u8; 6], vlans: &[u16], inner: EtherType) -> Vec<u8> {
    let tag = |index: usize| {
        let outer = index + 1 < vlans.len();
        if outer { EtherType::PROVIDER_BRIDGING } else { EtherType::VLAN_TAGGED_FRAME }
    };
    let ether_type = if vlans.is_empty() { inner } else { tag(0) };
    let mut bytes = Ethernet2Header { source, destination, ether_type }.to_bytes().to_vec();
    for (index, vlan) in vlans.iter().enumerate() {
        let ether_type = if index + 1 < vlans.len() { tag(index + 1) } else { inner };
        let vlan_id = VlanId::try_new(*vlan).unwrap_or_default();
        bytes.extend(SingleVlanHeader { vlan_id, ether_type, ..SingleVlanHeader::default() }.to_bytes());
    }
    bytes
}

/// A packet inside another one.
fn wrap(
    tunnel: &Tunnel,
    from: Side,
    source: [u8; 6],
    destination: [u8; 6],
    packet: &[u8],
) -> Result<Vec<u8>, Complaint> {
    let (outer_from, outer_to) = match from {
        Side::Client => (tunnel.from, tunnel.to),
        Side::Server => (tunnel.to, tunnel.from),
    };
    let envelope = Envelope { from: outer_from, to: outer_to, ttl: 64, id: 0 };
    match tunnel.kind {
        TunnelKind::Vxlan(network) => {
            let mut data = vec![0x08, 0, 0, 0];
            data.extend((network << 8).to_be_bytes());
            data.extend(ethernet(source, destination, &[], ether_type(packet)));
            data.extend(packet);
            // A port made from the inner ends lets routers spread the load; here one constant will do.
            Packet::udp(envelope, (49_152, VXLAN_PORT), &data).map(|packet| packet.to_bytes())
        }
        TunnelKind::Gre(key) => {
            let flags: u16 = if key.is_some() { 0x2000 } else { 0 };
            let mut data = flags.to_be_bytes().to_vec();
            data.extend(ether_type(packet).0.to_be_bytes());
            data.extend(key.map(u32::to_be_bytes).iter().flatten());
            data.extend(packet);
            Packet::new(envelope, IpNumber::GRE, data).map(|packet| packet.to_bytes())
        }
    }
}
