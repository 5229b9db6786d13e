//! Which headers a frame was taken apart into, where somebody wants to show them.
//!
//! The trace is what the decoder did, so that what is shown and what is analysed cannot differ.

use etherparse::IpNumber;

use crate::capture::{LinkType, Slice};
use crate::packet::envelope::Envelope;
use crate::packet::layer::Layer;
use crate::packet::view::View;

/// A header that the decoder met, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What it was taken for.
    pub kind: HeaderKind,
    /// Its first byte: in the frame, or in the datagram put together where `reassembled`.
    pub start: u32,
    /// Captured bytes from there on, as far as the headers before allow.
    pub captured: u32,
    /// Bytes from there on that there were on the wire.
    pub wire: u32,
    /// Whether it lies in a datagram that was put together from fragments, and where that lies in the side buffer.
    pub reassembled: Option<Slice>,
    /// Whether a packet was made of it: a segment, a datagram, an error about one of them.
    pub has_packet: bool,
}

/// What a header was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderKind {
    /// The link layer of the capture file, where it is not Ethernet.
    Link(LinkType),
    /// Ethernet II or IEEE 802.3.
    Ethernet,
    /// What an Ethernet type names: a tag, ARP, or the beginning of what follows.
    EtherType(u16),
    /// IEEE 802.2.
    Llc,
    /// IEEE 802.11.
    Wifi,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// What an IP header names as its content: TCP, UDP, ICMP, an extension header.
    IpProtocol(u8),
    /// A part of a datagram.
    Fragment,
    /// MPLS labels.
    Mpls,
    /// GRE.
    Gre,
    /// PPP.
    Ppp,
    /// A tunnel or link header, by its name in Wireshark's filters.
    Other(&'static str),
}

impl HeaderKind {
    fn of(layer: Layer) -> Option<Self> {
        Some(match layer {
            Layer::Link(LinkType(1)) | Layer::Ethernet => Self::Ethernet,
            Layer::Link(link) => Self::Link(link),
            Layer::EtherType(kind) => Self::EtherType(kind.0),
            Layer::Llc => Self::Llc,
            Layer::Wifi(_) => Self::Wifi,
            Layer::Ppp => Self::Ppp,
            Layer::CiscoHdlc => Self::Other("chdlc"),
            Layer::FrameRelay => Self::Other("fr"),
            // Only decides which of the two versions follows.
            Layer::Ip => return None,
            Layer::Ipv4 => Self::Ipv4,
            Layer::Ipv6 => Self::Ipv6,
            Layer::IpProtocol(IpNumber(number)) => Self::IpProtocol(number),
            Layer::Fragment => Self::Fragment,
            Layer::Mpls => Self::Mpls,
            Layer::Gre => Self::Gre,
            Layer::Vxlan { .. } => Self::Other("vxlan"),
            Layer::Geneve => Self::Other("geneve"),
            Layer::Gtp => Self::Other("gtp"),
            Layer::Teredo => Self::Other("teredo"),
            Layer::L2tp => Self::Other("l2tp"),
            Layer::Lisp => Self::Other("lisp-data"),
            Layer::Tzsp => Self::Other("tzsp"),
            Layer::Ayiya => Self::Other("ayiya"),
            Layer::Nsh => Self::Other("nsh"),
            Layer::Capwap => Self::Other("capwap.data"),
        })
    }
}

/// Keeps the headers of one frame, where it is switched on.
#[derive(Debug, Default)]
pub(super) struct Trace(Option<Vec<Header>>);

impl Trace {
    /// Begins to keep headers.
    pub(super) fn begin(&mut self) {
        self.0 = Some(Vec::new());
    }

    /// Gives the headers kept, and keeps no more.
    pub(super) fn end(&mut self) -> Vec<Header> {
        self.0.take().unwrap_or_default()
    }

    /// Whether headers are kept.
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// A header begins here.
    #[inline]
    pub(super) fn header(&mut self, layer: Layer, view: View<'_>, envelope: &Envelope) {
        let Some(headers) = &mut self.0 else { return };
        let Some(kind) = HeaderKind::of(layer) else { return };
        headers.push(Header {
            kind,
            start: view.offset,
            captured: view.bytes.len() as u32,
            wire: view.wire,
            reassembled: (envelope.place.buffer == Slice::SIDE).then_some(envelope.place),
            has_packet: false,
        });
    }

    /// A packet was made of the last header.
    #[inline]
    pub(super) fn packet(&mut self) {
        if let Some(last) = self.0.as_mut().and_then(|headers| headers.last_mut()) {
            last.has_packet = true;
        }
    }
}
