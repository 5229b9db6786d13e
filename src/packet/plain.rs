//! The way of most frames: TCP in an IPv4 header without options in an Ethernet frame.
//!
//! It says the same as the loop in `decoder` and says it faster. Whatever is out of the ordinary (a tag, an
//! option, a fragment, a length that does not fit) is left to the loop.

use std::net::IpAddr;

use etherparse::{EtherType, Ethernet2Header, Ethernet2HeaderSlice, IpNumber, Ipv4HeaderSlice};

use crate::capture::{Frame, LinkType, Slice};
use crate::packet::view::View;
use crate::packet::{Body, Endpoint, FlowKey, IpFacts, Packet, ParityLength, Transport, context, tcp};

/// The packet of a plain frame; none where the loop has to look.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the packet is large: not copying it saves a sixth of its time")]
pub(super) fn tcp_over_ipv4(frame: &Frame<'_>, place: Slice) -> Option<Packet> {
    let link = Ethernet2HeaderSlice::from_slice(frame.bytes).ok()?;
    if frame.link != LinkType(1) || link.ether_type() != EtherType::IPV4 {
        return None;
    }
    let view = View::new(frame.bytes, frame.original).skip(Ethernet2Header::LEN).ok()?;
    let ip = Ipv4HeaderSlice::from_slice(view.bytes).ok()?;
    let total = u32::from(ip.total_len());
    let plain = ip.protocol() == IpNumber::TCP && !ip.is_fragmenting_payload();
    if !plain || total < ip.slice().len() as u32 || total > view.wire {
        return None;
    }
    let segment = view.keep(total).skip(ip.slice().len()).ok()?;
    let (ports, head) = tcp::segment(segment, place).ok()?;
    if head.parity != ParityLength::Same {
        return None;
    }
    let source = Endpoint::new(IpAddr::V4(ip.source_addr()), ports.0);
    let destination = Endpoint::new(IpAddr::V4(ip.destination_addr()), ports.1);
    let (flow, direction) = FlowKey::new(source, destination, Transport::Tcp);
    Some(Packet {
        at: frame.at,
        time: frame.time,
        flow,
        direction,
        context: 0,
        hidden: false,
        link_source: context::address(link.source()),
        ip: IpFacts {
            ttl: ip.ttl(),
            traffic_class: ip.dcp().value() << 2 | ip.ecn().value(),
            id: ip.identification(),
            v6: false,
            dont_fragment: ip.dont_fragment(),
        },
        body: Body::Tcp(head),
    })
}
