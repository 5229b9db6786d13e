//! Frames to packets: headers peeled, tunnels opened, fragments put together.
//!
//! Decoding never fails: what is not understood is counted and named with its number.

mod context;
mod decoder;
pub mod endpoint;
mod envelope;
mod fragments;
mod icmp;
mod ip;
mod layer;
mod link;
mod plain;
#[cfg(test)]
mod samples;
mod sflow;
mod tally;
mod tcp;
mod trace;
mod tunnels;
mod udp;
mod view;

pub use decoder::Decoder;
pub use endpoint::{Direction, Endpoint, FlowKey, Transport};
pub use tally::Tally;
pub use trace::{Header, HeaderKind};

use crate::capture::Slice;
use crate::place::PacketRef;
use crate::time::Timestamp;

/// One TCP segment, UDP datagram or ICMP error about one, as plain numbers.
#[derive(Debug, Clone, Copy)]
pub struct Packet {
    /// The frame that holds it (for a reassembled datagram, the frame that completed it).
    pub at: PacketRef,
    /// When that frame was captured.
    pub time: Timestamp,
    /// Between whom. For an ICMP error: the flow that it quotes.
    pub flow: FlowKey,
    /// Which way it goes. For an ICMP error: the way of the quoted packet.
    pub direction: Direction,
    /// Hash of the networks around it (VLANs, VXLAN, GENEVE, GRE key); 0 for none. Equal addresses in two contexts
    /// are two connections, but a mirror port may tag one direction only: a context that has been seen in one
    /// direction of a flow, and another that has been seen in the other only, belong together.
    pub context: u32,
    /// Whether tshark 4.0.17 would leave the tunnel around it closed, so that it has no `tcp.stream` there.
    pub hidden: bool,
    /// Hash of the source's link-layer address; 0 where the link type has none.
    pub link_source: u32,
    /// The IP header's facts.
    pub ip: IpFacts,
    /// What it carries.
    pub body: Body,
}

impl Packet {
    /// Its place in the run, as the `nth` packet of its frame: connections are called by that of their first packet.
    pub fn order(&self, nth: u64) -> u64 {
        self.at.number << 8 | nth.min(255)
    }
}

/// What the IP header around a packet tells about the host that sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IpFacts {
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Differentiated services and ECN, the whole octet.
    pub traffic_class: u8,
    /// IPv4 identification; 0 for IPv6.
    pub id: u16,
    /// Whether it is IPv6.
    pub v6: bool,
    /// Whether it may not be fragmented on its way (IPv4 DF).
    pub dont_fragment: bool,
}

/// What a packet carries.
#[derive(Debug, Clone, Copy)]
pub enum Body {
    /// A TCP segment.
    Tcp(TcpHead),
    /// A UDP datagram.
    Udp(Payload),
    /// An ICMP or ICMPv6 error that quotes a packet of this flow.
    IcmpError(IcmpError),
    /// A TCP header of this flow with these flags, sampled by a switch (sFlow). It is no packet of the capture and
    /// part of no account; tshark 4.0.17 gives its flow a stream number.
    Sampled(TcpFlags),
}

/// Payload: what was captured of it, and how long it was on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Payload {
    /// The captured bytes, in the batch.
    pub captured: Slice,
    /// Position of the first captured byte inside its frame; meaningless for a reassembled datagram.
    pub frame_offset: u32,
    /// Length in bytes by the IP header, not by what was captured: padding is no payload, cut bytes are.
    pub length: u32,
}

/// The TCP header (RFC 9293 §3.1) with the options that sessions depend on.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpHead {
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number, whether or not the flag is set.
    pub ack: u32,
    /// The flags.
    pub flags: TcpFlags,
    /// Window as sent, not scaled.
    pub window: u16,
    /// The options.
    pub options: TcpOptions,
    /// The payload.
    pub payload: Payload,
    /// Where tshark 4.0.17 measures the payload otherwise, or not at all.
    pub parity: ParityLength,
}

/// What tshark 4.0.17 takes a segment's payload length for. The parity layer asks; the semantic layer goes by
/// [`Payload::length`], and leaves alone what is not [`Same`](Self::Same) or [`Length`](Self::Length).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ParityLength {
    /// For [`Payload::length`].
    #[default]
    Same,
    /// For this: it takes off a checksum that is not there.
    Length(u32),
    /// For this, and does not analyse the segment: its data offset is below 20 bytes. Of its header only the
    /// sequence number and the flags are given.
    BadHeader(u32),
    /// For unknown: it counts the segment in its stream and does not analyse it. The header is longer than
    /// the segment, or it is the first fragment of a datagram that cannot be put together.
    Unknown,
}

/// TCP flags as the low twelve bits of header bytes 13 and 14.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpFlags(pub u16);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: u16 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u16 = 0x02;
    /// Reset the connection.
    pub const RST: u16 = 0x04;
    /// Push.
    pub const PSH: u16 = 0x08;
    /// The acknowledgment number is meant.
    pub const ACK: u16 = 0x10;

    /// Whether any of these bits is set.
    pub fn has(self, bits: u16) -> bool {
        self.0 & bits != 0
    }

    /// SYN without ACK.
    pub fn is_pure_syn(self) -> bool {
        self.0 & (Self::SYN | Self::ACK) == Self::SYN
    }

    /// SYN with ACK.
    pub fn is_syn_ack(self) -> bool {
        self.0 & (Self::SYN | Self::ACK) == Self::SYN | Self::ACK
    }
}

/// TCP options (RFC 9293 §3.2, RFC 7323, RFC 2018, RFC 7413, RFC 8684, RFC 5482).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpOptions {
    /// Timestamps: value and echo reply.
    pub timestamps: Option<(u32, u32)>,
    /// Selective acknowledgment: left and right edges.
    pub sack: [(u32, u32); 4],
    /// How many of `sack` are meant.
    pub sack_blocks: u8,
    /// Window scale shift.
    pub window_scale: Option<u8>,
    /// Maximum segment size.
    pub mss: Option<u16>,
    /// SACK permitted.
    pub sack_permitted: bool,
    /// Fast Open cookie (option 34, or 254 with its magic number).
    pub fast_open: bool,
    /// Multipath TCP subtype (option 30).
    pub mptcp: Option<u8>,
    /// MD5 signature (19) or TCP-AO (29).
    pub signed: bool,
    /// User timeout (option 28) in seconds.
    pub user_timeout_s: Option<u32>,
}

/// An ICMP or ICMPv6 error and what it quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcmpError {
    /// Who says so.
    pub from: std::net::IpAddr,
    /// ICMP type.
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// Next-hop MTU of "fragmentation needed" and "packet too big".
    pub mtu: Option<u32>,
    /// Sequence number of the quoted TCP segment, where eight octets of it are quoted.
    pub quoted_seq: Option<u32>,
    /// Flags of the quoted TCP segment, where sixteen octets of it are quoted. tshark 4.0.17 then gives the quoted
    /// flow a stream number as if it had been seen itself.
    pub quoted_flags: Option<TcpFlags>,
}
