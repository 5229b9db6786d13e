//! What the decoder met: counts by kind, and what contradicted itself.

use std::collections::BTreeMap;

use etherparse::{EtherType, IpNumber};

use crate::capture::LinkType;
use crate::limits;
use crate::place::{FileId, PacketRef};
use crate::problem::{Problem, ProblemKind, Problems};

/// The counts of a whole run.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// TCP segments.
    pub tcp_segments: u64,
    /// UDP datagrams, those that carry a tunnel included.
    pub udp_datagrams: u64,
    /// ICMP errors that quote a TCP or UDP packet.
    pub icmp_errors: u64,
    /// Everything else by name, sorted by name.
    pub other: Vec<(String, u64)>,
    /// Headers that contradict their length, link types that are not known, fragments that were not completed.
    pub problems: Problems,
}

/// Something that is neither TCP nor UDP nor an ICMP error about one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Other {
    /// A link type whose frames are not taken apart.
    LinkType(LinkType),
    /// An Ethernet type.
    EtherType(u16),
    /// LLC service access points of destination and source.
    Llc(u8, u8),
    /// A SNAP organisation and its protocol.
    Snap(u32, u16),
    /// A PPP protocol.
    Ppp(u16),
    /// What an IP header names.
    IpProtocol(u8),
    /// A GRE protocol that is no Ethernet type.
    Gre(u16),
    /// Contents of a tunnel that are neither IP nor Ethernet.
    Tunnel(&'static str),
    /// An address family of a recorder's header.
    Family(u32),
    /// A protocol of Linux's cooked header that is no Ethernet type.
    Cooked(u16),
    /// A network-layer protocol id of ISO 9577.
    NetworkLayerId(u8),
    /// Messages of a Netlink protocol without a packet.
    Netlink(u16),
    /// A later fragment of an 802.11 frame.
    WifiFragment,
    /// An 802.11 frame received with a bad checksum.
    WifiDamaged,
    /// 802.11 frames without user data.
    WifiManagement,
    /// 802.11, `MACsec` or other frames whose content is encrypted.
    Encrypted(&'static str),
    /// A fragment that did not complete its datagram.
    Fragment,
    /// The recorder cut it before the transport header.
    Cut,
    /// Headers that contradict their length or break their own rules.
    Malformed,
    /// More headers around each other than are followed.
    TooDeep,
    /// All kinds beyond [`OTHER_KINDS`](limits::OTHER_KINDS).
    More,
}

impl Other {
    /// From an Ethernet type.
    pub(super) fn ether_type(kind: EtherType) -> Self {
        Self::EtherType(kind.0)
    }

    /// From what an IP header names.
    pub(super) fn ip_protocol(kind: IpNumber) -> Self {
        Self::IpProtocol(kind.0)
    }

    /// As it is listed.
    fn name(self) -> String {
        let named = |what: String, name: Option<&str>| match name {
            Some(name) => format!("{what} ({name})"),
            None => what,
        };
        match self {
            Self::LinkType(link) => named(format!("link type {}", link.0), link_type_name(link)),
            Self::EtherType(0x0806) => "ARP".to_owned(),
            Self::EtherType(kind) => named(format!("ethertype 0x{kind:04x}"), ether_type_name(kind)),
            Self::Llc(to, from) => named(format!("LLC 0x{to:02x}/0x{from:02x}"), llc_name(to)),
            Self::Snap(organisation, kind) => format!("SNAP {organisation:06x}/0x{kind:04x}"),
            Self::Ppp(kind) => named(format!("PPP protocol 0x{kind:04x}"), ppp_name(kind)),
            Self::IpProtocol(kind) => named(format!("IP protocol {kind}"), ip_protocol_name(kind)),
            Self::Gre(kind) => format!("GRE protocol 0x{kind:04x}"),
            Self::Tunnel(name) => format!("{name} without IP"),
            Self::Family(family) => format!("address family {family}"),
            Self::Cooked(kind) => format!("Linux packet type 0x{kind:04x}"),
            Self::NetworkLayerId(id) => format!("network layer protocol id 0x{id:02x}"),
            Self::Netlink(protocol) => format!("Netlink protocol {protocol}"),
            Self::WifiFragment => "802.11 fragment".to_owned(),
            Self::WifiDamaged => "802.11 with a bad checksum".to_owned(),
            Self::WifiManagement => "802.11 management and control".to_owned(),
            Self::Encrypted(name) => format!("{name} encrypted"),
            Self::Fragment => "IP fragment".to_owned(),
            Self::Cut => "cut before a transport header".to_owned(),
            Self::Malformed => "malformed".to_owned(),
            Self::TooDeep => "nested too deeply".to_owned(),
            Self::More => "further kinds".to_owned(),
        }
    }
}

/// Names of link types that are met and not taken apart.
fn link_type_name(link: LinkType) -> Option<&'static str> {
    Some(match link.0 {
        143 => "DOCSIS",
        147..=162 => "private use",
        177 => "LAPD",
        187 | 201 => "Bluetooth HCI",
        189 | 220 => "USB",
        195 | 215 | 230 | 283 => "IEEE 802.15.4",
        227 => "CAN",
        231 => "D-Bus",
        235 => "DVB-CI",
        251 | 256 => "Bluetooth LE",
        253 => "Netlink",
        271 => "vsock",
        _ => return None,
    })
}

/// Names of Ethernet types that networks commonly carry beside IP (IANA's and IEEE's registries).
fn ether_type_name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        0x0842 => "Wake on LAN",
        0x2000 => "CDP",
        0x6003 => "DECnet",
        0x8035 => "RARP",
        0x809b => "AppleTalk",
        0x80f3 => "AARP",
        0x8137 | 0x8138 => "IPX",
        0x8808 => "Ethernet flow control",
        0x8809 => "slow protocols: LACP",
        0x8863 => "PPPoE discovery",
        0x887b => "HomePlug",
        0x888e => "EAPOL",
        0x8892 => "PROFINET",
        0x889a => "HyperSCSI",
        0x88a2 => "ATA over Ethernet",
        0x88a4 => "EtherCAT",
        0x88b5 | 0x88b6 => "local experiments",
        0x88b8 => "GOOSE",
        0x88ba => "Sampled Values",
        0x88cc => "LLDP",
        0x88d9 => "LLTD",
        0x88e1 => "HomePlug AV",
        0x88e3 => "MRP",
        0x88e5 => "MACsec",
        0x88f7 => "PTP",
        0x88fb => "PRP",
        0x8902 => "CFM",
        0x8906 => "FCoE",
        0x8914 => "FIP",
        0x8915 => "RoCE",
        0x9000 => "loopback test",
        _ => return None,
    })
}

/// Names of LLC service access points.
fn llc_name(point: u8) -> Option<&'static str> {
    Some(match point {
        0x42 => "spanning tree",
        0xe0 => "IPX",
        0xf0 => "NetBIOS",
        0xfe => "OSI",
        0xff => "raw IPX",
        _ => return None,
    })
}

/// Names of PPP protocols (IANA's registry).
fn ppp_name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        0x002d | 0x002f => "Van Jacobson compressed TCP/IP",
        0x0031 => "bridging",
        0x003d => "multilink",
        0x0053 => "encrypted",
        0x00fd => "compressed",
        0x8021 => "IPCP",
        0x8053 => "ECP",
        0x8057 => "IPv6CP",
        0x80fd => "CCP",
        0x8281 => "MPLSCP",
        0xc021 => "LCP",
        0xc023 => "PAP",
        0xc025 => "LQR",
        0xc223 => "CHAP",
        0xc227 => "EAP",
        _ => return None,
    })
}

/// The names people use, and IANA's keyword for the rest.
fn ip_protocol_name(kind: u8) -> Option<&'static str> {
    match kind {
        50 => Some("ESP"),
        58 => Some("ICMPv6"),
        89 => Some("OSPF"),
        _ => IpNumber(kind).keyword_str(),
    }
}

/// What was wrong with the headers of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// A header is cut by the recorder.
    CutHeader,
    /// A header is longer than what is there.
    ShortHeader,
    /// An IP header with another version than announced.
    IpVersion,
    /// An IPv4 header that calls itself shorter than 20 bytes.
    IpHeaderLength,
    /// An IPv4 total length smaller than its header.
    IpTotalLength,
    /// An IP length beyond the end of its frame.
    IpBeyondFrame,
    /// A TCP data offset below 20 bytes.
    TcpHeaderLength,
    /// A TCP data offset beyond the segment.
    TcpBeyondSegment,
    /// A UDP length below 8.
    UdpLength,
    /// A UDP length beyond its datagram.
    UdpBeyondDatagram,
    /// Fragments that overlap and differ.
    FragmentOverlap,
    /// A fragment beyond 65,535 bytes or beyond the datagram's end.
    FragmentBeyond,
    /// A datagram whose fragments never came together.
    FragmentsIncomplete,
    /// Fragments that were given up to stay within the bound.
    FragmentsGivenUp,
    /// More headers around each other than [`HEADER_DEPTH`](crate::limits::HEADER_DEPTH).
    TooDeep,
    /// A link type that is not known.
    LinkType(LinkType),
}

impl Trouble {
    /// Its kind in the list of problems.
    fn kind(self) -> ProblemKind {
        match self {
            Self::FragmentOverlap | Self::FragmentBeyond | Self::FragmentsIncomplete => {
                ProblemKind::BadFragments
            }
            Self::FragmentsGivenUp | Self::TooDeep => ProblemKind::LimitReached,
            Self::LinkType(_) => ProblemKind::UnknownLinkType,
            _ => ProblemKind::BadPacket,
        }
    }

    /// What was expected, what was found, what was done about it.
    fn message(self) -> String {
        match self {
            Self::CutHeader => "the recorder cut frames inside a header; they are not decoded further",
            Self::ShortHeader => "a header is longer than the bytes left for it; not decoded further",
            Self::IpVersion => {
                "an IP header has neither version 4 nor 6, or another than announced; not decoded"
            }
            Self::IpHeaderLength => "an IPv4 header calls itself shorter than 20 bytes; not decoded",
            Self::IpTotalLength => "an IPv4 total length is smaller than its header; not decoded",
            Self::IpBeyondFrame => "an IP length reaches beyond its frame; the frame's length is used",
            Self::TcpHeaderLength => {
                "a TCP data offset is below 20 bytes; only ports and sequence number are used"
            }
            Self::TcpBeyondSegment => "a TCP header reaches beyond its segment; taken as without payload",
            Self::UdpLength => "a UDP length is below 8 bytes; not decoded",
            Self::UdpBeyondDatagram => {
                "a UDP length reaches beyond its IP datagram; the datagram's length is used"
            }
            Self::FragmentOverlap => "IP fragments overlap and differ; what came first is used",
            Self::FragmentBeyond => "an IP fragment lies beyond the end of its datagram; not used",
            Self::FragmentsIncomplete => "IP datagrams of which fragments are missing; not decoded",
            Self::FragmentsGivenUp => "IP fragments were given up to stay within the bound on memory",
            Self::TooDeep => "more headers around each other than are followed; not decoded further",
            Self::LinkType(link) => {
                return format!("link type {} is not known; its frames are counted only", link.0);
            }
        }
        .to_owned()
    }
}

/// Troubles and others as they are counted while decoding.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// TCP segments.
    pub(super) tcp: u64,
    /// UDP datagrams.
    pub(super) udp: u64,
    /// ICMP errors that quote a flow.
    pub(super) icmp_errors: u64,
    others: BTreeMap<Other, u64>,
    troubles: BTreeMap<(FileId, Trouble), (PacketRef, u64)>,
}

impl Counts {
    /// One more of these.
    pub(super) fn other(&mut self, what: Other) {
        let known = self.others.len() < limits::OTHER_KINDS || self.others.contains_key(&what);
        *self.others.entry(if known { what } else { Other::More }).or_default() += 1;
    }

    /// One more trouble, met in this frame.
    pub(super) fn trouble(&mut self, what: Trouble, at: PacketRef) {
        let key = (at.file, what);
        if self.troubles.len() >= limits::PROBLEMS && !self.troubles.contains_key(&key) {
            return;
        }
        let (first, count) = self.troubles.entry(key).or_insert((at, 0));
        *first = (*first).min(at);
        *count += 1;
    }

    /// The counts as they are told.
    pub(super) fn finish(self) -> Tally {
        let mut other: Vec<(String, u64)> =
            self.others.into_iter().map(|(what, count)| (what.name(), count)).collect();
        other.sort();
        let mut problems = Problems::default();
        for ((file, trouble), (first, count)) in self.troubles {
            let message = trouble.message();
            let problem = Problem {
                kind: trouble.kind(),
                file: Some(file),
                frame: Some(first.frame),
                offset: Some(first.offset),
                count,
                message: message.clone(),
            };
            problems.add(&message, problem);
        }
        Tally {
            tcp_segments: self.tcp,
            udp_datagrams: self.udp,
            icmp_errors: self.icmp_errors,
            other,
            problems,
        }
    }
}
