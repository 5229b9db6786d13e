//! The loop that peels one header after the other, without recursion and within a bound.

use etherparse::IpNumber;

use crate::capture::{Frame, Slice};
use crate::packet::envelope::Envelope;
use crate::packet::fragments::{Fragments, Whole};
use crate::packet::layer::{Layer, Peeled, Stop};
use crate::packet::tally::{Counts, Other, Tally, Trouble};
use crate::packet::view::View;
use crate::packet::{Body, Packet, Transport, icmp, ip, link, tcp, tunnels, udp};

/// Takes frames apart, in file order; holds the fragments that wait and the counts.
#[derive(Debug, Default)]
pub struct Decoder {
    fragments: Fragments,
    counts: Counts,
}

impl Decoder {
    /// With nothing seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives every packet of one frame to `sink`, the outer ones first.
    ///
    /// `place` says where the frame's bytes lie in their batch. A datagram completed by this frame is appended
    /// to `side`, the batch's buffer [`Slice::SIDE`], and its packets point there.
    pub fn decode(
        &mut self,
        frame: &Frame<'_>,
        place: Slice,
        side: &mut Vec<u8>,
        sink: &mut impl FnMut(Packet),
    ) {
        let mut envelope = Envelope::new(frame, place);
        let view = View::new(frame.bytes, frame.original);
        let mut whole = self.peel_all(&mut envelope, Layer::Link(frame.link), view, sink);
        while let Some(Whole { protocol, bytes }) = whole {
            let (start, length) = (side.len(), bytes.len() as u32);
            // A batch's side buffer is addressed by 32 bits; it is emptied with every batch.
            let Ok(start_number) = u32::try_from(start) else { return };
            side.extend_from_slice(&bytes);
            envelope.place = Slice { buffer: Slice::SIDE, start: start_number, length };
            envelope.fragment = None;
            let view = View::new(side.get(start..).unwrap_or_default(), length);
            whole = self.peel_all(&mut envelope, Layer::IpProtocol(protocol), view, sink);
        }
    }

    /// What was met in the whole run; datagrams still waiting for fragments become problems.
    pub fn finish(mut self) -> Tally {
        self.fragments.finish(&mut self.counts);
        self.counts.finish()
    }

    /// Peels headers until the frame ends, or until a fragment completes its datagram.
    fn peel_all(
        &mut self,
        envelope: &mut Envelope,
        first: Layer,
        view: View<'_>,
        sink: &mut impl FnMut(Packet),
    ) -> Option<Whole> {
        let (mut layer, mut view) = (first, view);
        loop {
            let peeled = if envelope.depth_left == 0 {
                Err(Stop::Bad(Trouble::TooDeep))
            } else {
                envelope.depth_left -= 1;
                match layer {
                    Layer::IpProtocol(IpNumber::TCP) => self.tcp(envelope, view, sink),
                    Layer::IpProtocol(IpNumber::UDP) => self.udp(envelope, view, sink),
                    Layer::IpProtocol(IpNumber::ICMP | IpNumber::IPV6_ICMP) => {
                        self.icmp(envelope, layer, view, sink)
                    }
                    Layer::Fragment => match self.fragments.add(envelope, view, &mut self.counts) {
                        Some(whole) => return Some(whole),
                        None => Err(Stop::Other(Other::Fragment)),
                    },
                    _ => peel(envelope, layer, view),
                }
            };
            if let Some(trouble) = envelope.trouble.take() {
                self.counts.trouble(trouble, envelope.at);
            }
            match peeled {
                Ok(next) => (layer, view) = next,
                Err(stop) => {
                    self.stop(stop, envelope);
                    return None;
                }
            }
        }
    }

    /// A TCP segment.
    #[inline]
    fn tcp<'a>(
        &mut self,
        envelope: &mut Envelope,
        view: View<'a>,
        sink: &mut impl FnMut(Packet),
    ) -> Peeled<'a> {
        let (ports, head) = tcp::segment(envelope, view)?;
        self.counts.tcp += 1;
        sink(envelope.packet(ports, Transport::Tcp, Body::Tcp(head)));
        Err(Stop::Done)
    }

    /// A UDP datagram, and the tunnel in it.
    fn udp<'a>(
        &mut self,
        envelope: &mut Envelope,
        view: View<'a>,
        sink: &mut impl FnMut(Packet),
    ) -> Peeled<'a> {
        let (ports, content) = udp::datagram(envelope, view)?;
        self.counts.udp += 1;
        sink(envelope.packet(ports, Transport::Udp, Body::Udp(content.payload(envelope.place))));
        tunnels::over_udp(ports, content).ok_or(Stop::Done)
    }

    /// An ICMP message of either version.
    fn icmp<'a>(
        &mut self,
        envelope: &Envelope,
        layer: Layer,
        view: View<'a>,
        sink: &mut impl FnMut(Packet),
    ) -> Peeled<'a> {
        let v6 = layer == Layer::IpProtocol(IpNumber::IPV6_ICMP);
        let quote = icmp::error(envelope, v6, view)?;
        self.counts.icmp_errors += 1;
        sink(quote.into_packet(envelope));
        Err(Stop::Done)
    }

    /// Counts why the reading ended.
    fn stop(&mut self, stop: Stop, envelope: &Envelope) {
        let (other, trouble) = match stop {
            Stop::Done => return,
            Stop::Other(Other::LinkType(link)) => (Other::LinkType(link), Some(Trouble::LinkType(link))),
            Stop::Other(other) => (other, None),
            Stop::Cut => (Other::Cut, Some(Trouble::CutHeader)),
            Stop::Short => (Other::Malformed, Some(Trouble::ShortHeader)),
            Stop::Bad(Trouble::TooDeep) => (Other::TooDeep, Some(Trouble::TooDeep)),
            Stop::Bad(trouble) => (Other::Malformed, Some(trouble)),
        };
        self.counts.other(other);
        if let Some(trouble) = trouble {
            self.counts.trouble(trouble, envelope.at);
        }
    }
}

/// Takes one header that is not transport.
#[inline]
fn peel<'a>(envelope: &mut Envelope, layer: Layer, view: View<'a>) -> Peeled<'a> {
    match layer {
        Layer::Ethernet => link::ethernet::frame(envelope, view),
        Layer::EtherType(kind) => link::ethernet::content(envelope, kind, view),
        Layer::Ipv4 => ip::v4(envelope, view),
        Layer::Ipv6 => ip::v6(envelope, view),
        Layer::Ip => ip::either(view),
        Layer::IpProtocol(protocol) => ip::content(envelope, protocol, view),
        Layer::Link(kind) => link::begin(envelope, kind, view),
        Layer::Llc => link::ethernet::llc(view),
        Layer::Wifi(wifi) => link::wifi::frame(envelope, wifi, view),
        Layer::Ppp => link::ppp::frame(view),
        Layer::CiscoHdlc => link::ppp::cisco_hdlc(view),
        Layer::FrameRelay => link::ppp::frame_relay(view),
        // Handled by the loop, which owns the fragments.
        Layer::Fragment => Err(Stop::Other(Other::Fragment)),
        tunnel => tunnels::peel(envelope, tunnel, view),
    }
}
