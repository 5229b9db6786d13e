//! What the headers peeled so far have told about a packet.

use std::net::IpAddr;

use etherparse::IpNumber;

use crate::capture::{Frame, Slice};
use crate::limits;
use crate::packet::context::{self, Network};
use crate::packet::tally::Trouble;
use crate::packet::{Body, Endpoint, FlowKey, IpFacts, Packet, Transport};
use crate::place::PacketRef;
use crate::time::Timestamp;

/// Where a fragment belongs in its datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FragmentPlace {
    /// Identification, 16 bits in IPv4 and 32 in IPv6.
    pub(super) id: u32,
    /// What the datagram carries, as this fragment says.
    pub(super) protocol: IpNumber,
    /// Its first byte's position in the datagram's payload.
    pub(super) offset: u32,
    /// Whether more follow.
    pub(super) more: bool,
}

/// The facts gathered on the way from the link layer inwards; inner headers overwrite outer ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope {
    /// The frame.
    pub(super) at: PacketRef,
    /// When it was captured.
    pub(super) time: Timestamp,
    /// Where the bytes of the current view's buffer were placed.
    pub(super) place: Slice,
    /// Hash of the virtual networks.
    pub(super) context: u32,
    /// Whether tshark would not have come this far.
    pub(super) hidden: bool,
    /// Hash of the sender's link-layer address.
    pub(super) link_source: u32,
    /// The innermost IP header.
    pub(super) ip: IpFacts,
    /// Its source.
    pub(super) source: IpAddr,
    /// Its destination.
    pub(super) destination: IpAddr,
    /// Set by an IP header whose payload is only a part of a datagram.
    pub(super) fragment: Option<FragmentPlace>,
    /// Bytes at the end of the view that tshark takes for a link-layer checksum although they are none.
    pub(super) false_checksum: u32,
    /// Something wrong that does not stop the reading; told once a header.
    pub(super) trouble: Option<Trouble>,
    /// Headers still allowed.
    pub(super) depth_left: usize,
}

impl Envelope {
    /// Nothing is known yet but the frame.
    pub(super) fn new(frame: &Frame<'_>, place: Slice) -> Self {
        let nowhere = Endpoint::default().ip;
        Self {
            at: frame.at,
            time: frame.time,
            place,
            context: 0,
            hidden: false,
            link_source: 0,
            ip: IpFacts::default(),
            source: nowhere,
            destination: nowhere,
            fragment: None,
            false_checksum: 0,
            trouble: None,
            depth_left: limits::HEADER_DEPTH,
        }
    }

    /// An identifier of a virtual network was met.
    pub(super) fn enter(&mut self, kind: Network, id: u32) {
        self.context = context::enter(self.context, kind, id);
    }

    /// A packet between two ports of the innermost IP header's addresses.
    #[inline]
    pub(super) fn packet(&self, ports: (u16, u16), transport: Transport, body: Body) -> Packet {
        let source = Endpoint::new(self.source, ports.0);
        let destination = Endpoint::new(self.destination, ports.1);
        let (flow, direction) = FlowKey::new(source, destination, transport);
        Packet {
            at: self.at,
            time: self.time,
            flow,
            direction,
            context: self.context,
            hidden: self.hidden,
            link_source: self.link_source,
            ip: self.ip,
            body,
        }
    }
}
