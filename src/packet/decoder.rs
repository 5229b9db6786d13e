//! The loop that peels one header after the other, without recursion and within a bound.

use etherparse::IpNumber;

use crate::capture::{Frame, Slice};
use crate::limits;
use crate::packet::envelope::Envelope;
use crate::packet::fragments::{Fragments, Whole};
use crate::packet::layer::{Layer, Peeled, Stop};
use crate::packet::tally::{Counts, Other, Tally, Trouble};
use crate::packet::trace::{Header, Trace};
use crate::packet::view::View;
use crate::packet::{Body, Packet, Transport, icmp, ip, link, plain, sflow, tcp, tunnels, udp};

/// Takes frames apart, in file order; holds the fragments that wait and the counts.
#[derive(Debug, Default)]
pub struct Decoder {
    fragments: Fragments,
    counts: Counts,
    trace: Trace,
    /// Fragments that were put aside until their datagram is whole.
    put_aside: u64,
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
        if !self.trace.is_on()
            && let Some(packet) = plain::tcp_over_ipv4(frame, place)
        {
            self.counts.tcp += 1;
            sink(packet);
            return;
        }
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

    /// As [`decode`](Self::decode), and tells which headers the frame was taken apart into, the outer ones first.
    pub fn decode_traced(
        &mut self,
        frame: &Frame<'_>,
        place: Slice,
        side: &mut Vec<u8>,
        sink: &mut impl FnMut(Packet),
    ) -> Vec<Header> {
        self.trace.begin();
        self.decode(frame, place, side, sink);
        self.trace.end()
    }

    /// How many fragments were put aside so far, until their datagrams are whole: frames that gave no packet yet.
    pub fn put_aside(&self) -> u64 {
        self.put_aside
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
                self.trace.header(layer, view, envelope);
                match layer {
                    Layer::IpProtocol(IpNumber::TCP) => self.tcp(envelope, view, sink),
                    Layer::IpProtocol(IpNumber::UDP) => self.udp(envelope, view, sink),
                    Layer::IpProtocol(IpNumber::ICMP | IpNumber::IPV6_ICMP) => {
                        self.icmp(envelope, layer, view, sink)
                    }
                    Layer::Fragment => {
                        if let Some(whole) = self.fragments.add(envelope, view, &mut self.counts) {
                            return Some(whole);
                        }
                        self.put_aside += 1;
                        Err(Stop::Other(Other::Fragment))
                    }
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
        let (ports, mut head) = tcp::segment(view, envelope.place)?;
        envelope.trouble = tcp::trouble(&head);
        head.parity = tcp::parity(envelope, &head);
        self.counts.tcp += 1;
        self.trace.packet();
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
        self.trace.packet();
        sink(envelope.packet(ports, Transport::Udp, Body::Udp(content.payload(envelope.place))));
        if ports.0 == sflow::PORT || ports.1 == sflow::PORT {
            // What stands behind something that makes no sense is not read.
            let _ = sflow::headers(content, &mut |layer, view| {
                if let Some(packet) = sampled(envelope, layer, view) {
                    sink(packet);
                }
            });
        }
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
        self.trace.packet();
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

/// The TCP header in the sampled beginning of a frame. What is wrong in it is not the capture's trouble.
fn sampled(envelope: &Envelope, layer: Layer, view: View<'_>) -> Option<Packet> {
    let mut envelope = *envelope;
    let (mut layer, mut view) = (layer, view);
    for _ in 0..limits::HEADER_DEPTH {
        match layer {
            Layer::IpProtocol(IpNumber::TCP) => {
                let flags = tcp::flags(view.array(0).ok()?);
                let ports = (view.be16(0).ok()?, view.be16(2).ok()?);
                return Some(envelope.packet(ports, Transport::Tcp, Body::Sampled(flags)));
            }
            Layer::IpProtocol(IpNumber::ICMP | IpNumber::IPV6_ICMP) => {
                let v6 = layer == Layer::IpProtocol(IpNumber::IPV6_ICMP);
                let packet = icmp::error(&envelope, v6, view).ok()?.into_packet(&envelope);
                let Body::IcmpError(error) = packet.body else { return None };
                return error.quoted_flags.map(|flags| Packet { body: Body::Sampled(flags), ..packet });
            }
            _ => (layer, view) = peel(&mut envelope, layer, view).ok()?,
        }
    }
    None
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::packet::samples::{
        self, PAYLOAD, Sample, decode, decode_timed, ethernet, ip4, join, tcp4, udp4,
    };
    use crate::packet::{ParityLength, TcpFlags};

    /// All samples of both tables.
    fn all() -> Vec<Sample> {
        let mut all = samples::links();
        all.extend(samples::tunnels());
        all
    }

    #[test]
    fn the_segment_is_found_in_every_wrapping() {
        for Sample { name, link, frame } in all() {
            let decoded = decode(link, std::slice::from_ref(&frame));
            let packet = decoded.packets.last().unwrap_or_else(|| panic!("{name}: {:?}", decoded.tally));
            let Body::Tcp(head) = packet.body else { panic!("{name}: {packet:?}") };
            assert_eq!((head.seq, head.ack, head.window), (1000, 77, 512), "{name}");
            assert_eq!(head.flags, TcpFlags(TcpFlags::ACK | TcpFlags::PSH), "{name}");
            assert_eq!(packet.flow.source(packet.direction).port, 40000, "{name}");
            assert_eq!(packet.ip.ttl, if name == "authentication header" { 64 } else { 61 }, "{name}");
            assert_eq!(head.payload.length as usize, PAYLOAD.len(), "{name}");
            let start = head.payload.captured.start as usize;
            assert_eq!(&frame[start..start + head.payload.captured.length as usize], PAYLOAD, "{name}");
            assert_eq!(head.payload.frame_offset, head.payload.captured.start, "{name}");
            assert_eq!(packet.hidden, name == "SLIP", "{name}");
            assert_eq!(decoded.problems(), Vec::<String>::new(), "{name}");
            assert_eq!(decoded.tally.tcp_segments, 1, "{name}");
            assert_eq!(decoded.tally.udp_datagrams as usize, decoded.packets.len() - 1, "{name}");
        }
    }

    #[test]
    fn the_sender_is_known_by_its_link_address() {
        let source = crate::packet::context::address([2, 0, 0, 0, 0, 1]);
        let with_address = [
            "Ethernet",
            "802.3 with SNAP",
            "token ring",
            "token ring, routed",
            "FDDI",
            "802.11",
            "Linux cooked",
            "802.11, four addresses",
            "802.11, aggregate",
            "Linux cooked 2",
            "radiotap, padded",
            "Juniper Ethernet",
            "QinQ",
            "GTP",
            "CAPWAP, 802.11",
        ];
        for Sample { name, link, frame } in all() {
            if with_address.contains(&name) {
                assert_eq!(decode(link, &[frame]).packets.last().unwrap().link_source, source, "{name}");
            }
        }
    }

    #[test]
    fn only_names_of_networks_make_a_context() {
        let with_context = [
            "VLAN",
            "QinQ",
            "old QinQ",
            "VLAN with SNAP",
            "backbone bridge",
            "GRE with everything",
            "GRE, transparent Ethernet",
            "VXLAN",
            "VXLAN-GPE",
            "VXLAN-GPE with NSH",
            "GENEVE",
            "GENEVE with options",
        ];
        for Sample { name, link, frame } in all() {
            let context = decode(link, &[frame]).packets.last().unwrap().context;
            assert_eq!(context != 0, with_context.contains(&name), "{name}");
        }
        let tagged = |id: u8| ethernet(0x8100, &join(&[&[0, id, 8, 0], &tcp4()]));
        let decoded = decode(1, &[tagged(5), tagged(6), tagged(5)]);
        let contexts: Vec<u32> = decoded.packets.iter().map(|packet| packet.context).collect();
        assert_ne!(contexts[0], contexts[1]);
        assert_eq!(contexts[0], contexts[2]);
    }

    #[test]
    fn the_outer_datagram_comes_first() {
        let sample = samples::tunnels().into_iter().find(|sample| sample.name == "VXLAN").unwrap();
        let decoded = decode(1, &[sample.frame]);
        let [outer, inner] = decoded.packets.as_slice() else { panic!("{:?}", decoded.packets) };
        assert!(matches!(outer.body, Body::Udp(payload) if payload.length as usize == 8 + 14 + tcp4().len()));
        assert!(matches!(inner.body, Body::Tcp(_)));
        assert_eq!((outer.context, outer.flow.transport), (0, Transport::Udp));
    }

    #[test]
    fn a_service_port_is_no_tunnel_port() {
        let inner = join(&[&[8, 0, 0, 0, 0, 0, 1, 0], &ethernet(0x0800, &tcp4())]);
        for (from, to, packets) in
            [(53, 4789, 1), (4789, 53, 1), (4789, 50000, 2), (4789, 4789, 2), (1024, 4789, 2)]
        {
            assert_eq!(decode(101, &[udp4(from, to, &inner)]).packets.len(), packets, "{from} {to}");
        }
    }

    #[test]
    fn padding_is_no_payload_and_cut_bytes_are() {
        let padded = join(&[&ethernet(0x0800, &tcp4()), &[0; 30]]);
        let whole = decode(1, std::slice::from_ref(&padded)).tcp()[0].payload;
        assert_eq!((whole.length, whole.captured.length), (14, 14));
        let cut = decode_timed(1, &[(0, &padded[..60], padded.len() as u32)]).tcp()[0].payload;
        assert_eq!((cut.length, cut.captured.length), (14, 6));
    }

    #[test]
    fn offloaded_segmentation_has_the_length_of_its_frame() {
        let mut packet = tcp4();
        packet[2..4].fill(0);
        let decoded = decode(1, &[ethernet(0x0800, &packet)]);
        assert_eq!(decoded.tcp()[0].payload.length as usize, PAYLOAD.len());
        assert_eq!(decoded.problems().len(), 0);
    }

    #[test]
    fn contradicting_lengths_are_problems() {
        let change = |at: usize, bytes: &[u8]| {
            let mut packet = tcp4();
            packet[at..at + bytes.len()].copy_from_slice(bytes);
            ethernet(0x0800, &packet)
        };
        let rows = [
            ("version", change(0, &[0x55]), None, "neither version"),
            ("header length", change(0, &[0x44]), None, "shorter than 20"),
            ("total length", change(2, &[0, 19]), None, "smaller than its header"),
            ("beyond the frame", change(2, &[0xff, 0]), Some((14, ParityLength::Same)), "beyond its frame"),
            ("data offset", change(32, &[0x40]), Some((0, ParityLength::BadHeader(18))), "below 20"),
            (
                "beyond the segment",
                change(32, &[0xf0]),
                Some((0, ParityLength::Unknown)),
                "beyond its segment",
            ),
            ("no room", change(2, &[0, 30]), None, "longer than the bytes left"),
        ];
        for (name, frame, expected, message) in rows {
            let decoded = decode(1, &[frame]);
            let found = decoded.tcp().first().map(|head| (head.payload.length, head.parity));
            assert_eq!(found, expected, "{name}");
            assert!(decoded.problems().iter().any(|problem| problem.contains(message)), "{name}");
            assert_eq!(decoded.others(), if found.is_none() { vec!["malformed"] } else { vec![] }, "{name}");
        }
    }

    #[test]
    fn tshark_takes_a_checksum_off_where_there_is_none() {
        let inner = ethernet(0x0800, &tcp4());
        let frame = ethernet(0x8903, &join(&[&[0, 1], &inner]));
        let parity = |frame: Vec<u8>| decode(1, &[frame]).tcp()[0].parity;
        assert_eq!(parity(frame.clone()), ParityLength::Length(10));
        assert_eq!(parity(join(&[&frame, &[0; 4]])), ParityLength::Same);
    }

    #[test]
    fn everything_else_is_counted_by_name() {
        let rows: Vec<(u32, Vec<u8>, &str)> = vec![
            (147, vec![1, 2, 3], "link type 147 (private use)"),
            (9999, vec![1, 2, 3], "link type 9999"),
            (1, ethernet(0x0806, &[0; 28]), "ARP"),
            (1, ethernet(0x88cc, &[0; 28]), "ethertype 0x88cc (LLDP)"),
            (1, ethernet(0x88e5, &[0; 28]), "MACsec encrypted"),
            (1, ethernet(3, &[0x42, 0x42, 3]), "LLC 0x42/0x42 (spanning tree)"),
            (101, ip4(89, &[0; 24]), "IP protocol 89 (OSPF)"),
            (101, ip4(50, &[0; 24]), "IP protocol 50 (ESP)"),
            (101, ip4(1, &[8, 0, 0, 0, 0, 0, 0, 0]), "IP protocol 1 (ICMP)"),
            (105, samples::hex("8000 0000"), "802.11 management and control"),
            (105, samples::hex("0841 0000"), "802.11 encrypted"),
            (9, samples::hex("c021 01"), "PPP protocol 0xc021 (LCP)"),
            (101, udp4(50000, 1701, &[0, 3, 0, 0, 0, 0, 0, 1]), "L2TP version 3 without IP"),
            (0, samples::hex("63000000 00"), "address family 99"),
        ];
        for (link, frame, name) in rows {
            assert_eq!(decode(link, &[frame]).others(), [name]);
        }
    }

    #[test]
    fn headers_around_each_other_are_bounded() {
        let mut frame = tcp4();
        for _ in 0..100 {
            frame = ip4(4, &frame);
        }
        let decoded = decode(101, &[frame]);
        assert_eq!(decoded.packets.len(), 0);
        assert_eq!(decoded.others(), ["nested too deeply"]);
        assert!(decoded.problems()[0].contains("more headers"));
    }

    #[test]
    fn every_sample_cut_anywhere_is_survived() {
        for Sample { name, link, frame } in all() {
            for length in 0..frame.len() {
                let cut = &frame[..length];
                // Cut by the recorder: what is told to be there stays as long as it was.
                let decoded = decode_timed(link, &[(0, cut, frame.len() as u32)]);
                check(&decoded, length, name);
                for head in decoded.tcp() {
                    assert_eq!(head.payload.length as usize, PAYLOAD.len(), "{name} {length}");
                }
                // Cut on the wire.
                check(&decode_timed(link, &[(0, cut, length as u32)]), length, name);
            }
        }
    }

    /// What holds for any bytes.
    fn check(decoded: &samples::Decoded, length: usize, name: &str) {
        for packet in &decoded.packets {
            let payload = match packet.body {
                Body::Tcp(head) => head.payload,
                Body::Udp(payload) => payload,
                Body::IcmpError(_) | Body::Sampled(_) => continue,
            };
            let room = if payload.captured.buffer == Slice::SIDE { decoded.side.len() } else { length };
            let end = payload.captured.start as usize + payload.captured.length as usize;
            assert!(
                end <= room && payload.captured.length <= payload.length,
                "{name}: {payload:?} of {room}"
            );
        }
        let tally = &decoded.tally;
        let counted = tally.tcp_segments + tally.udp_datagrams + tally.icmp_errors;
        assert_eq!(counted as usize, decoded.packets.len(), "{name}");
        assert!(counted + tally.other.iter().map(|(_, count)| count).sum::<u64>() > 0, "{name}");
    }

    proptest! {
        #[test]
        fn any_bytes_of_any_link_type_are_survived(
            link in 0_u32..300,
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            more in 0_u32..100,
        ) {
            let original = bytes.len() as u32 + more;
            check(&decode_timed(link, &[(0, &bytes, original)]), bytes.len(), "random");
        }

        #[test]
        fn damaged_samples_are_survived(
            pick in any::<prop::sample::Index>(),
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let mut samples = all();
            let Sample { name, link, mut frame } = samples.swap_remove(pick.index(samples.len()));
            for (at, byte) in damage {
                let at = at.index(frame.len());
                frame[at] = byte;
            }
            check(&decode(link, std::slice::from_ref(&frame)), frame.len(), name);
        }

        #[test]
        fn the_fast_way_says_the_same(
            damage in proptest::collection::vec((12_usize..70, any::<u8>()), 0..4),
            cut in 0_usize..80,
            options in proptest::collection::vec(any::<u8>(), 0..3),
        ) {
            let mut packet = tcp4();
            packet.splice(40..40, options.iter().flat_map(|byte| [8, 10, *byte, 0, 0, 0, 0, 0, 0, 0, 1, 1]));
            packet[32] = 0x50 + 0x30 * options.len() as u8;
            let total = packet.len() as u16;
            packet[2..4].copy_from_slice(&total.to_be_bytes());
            let mut bytes = ethernet(0x0800, &packet);
            for (at, byte) in damage {
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
            let original = bytes.len() as u32;
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            let length = bytes.len() as u32;
            let frame = Frame {
                at: crate::place::PacketRef::default(),
                time: crate::time::Timestamp(0),
                link: crate::capture::LinkType(1),
                interface: 0,
                bytes: &bytes,
                original,
            };
            let place = Slice { buffer: 3, start: 1000, length };
            if let Some(fast) = plain::tcp_over_ipv4(&frame, place) {
                let mut slow = Vec::new();
                let mut decoder = Decoder::new();
                let mut envelope = Envelope::new(&frame, place);
                let view = View::new(frame.bytes, frame.original);
                let whole = decoder
                    .peel_all(&mut envelope, Layer::Link(frame.link), view, &mut |packet| slow.push(packet));
                prop_assert!(whole.is_none());
                prop_assert_eq!(format!("{:?}", slow), format!("{:?}", [fast]));
                prop_assert_eq!(decoder.finish().problems.list(), vec![]);
            }
        }
    }
}
