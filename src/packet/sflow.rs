//! sFlow version 5: where the beginnings of frames lie that a switch sampled (sflow.org, "sFlow Version 5").
//!
//! They are no packets of the capture. But tshark 4.0.17 takes them apart and numbers the TCP flows in them.

use crate::capture::LinkType;
use crate::packet::layer::{Layer, Stop, Wifi};
use crate::packet::view::View;

/// The UDP port of collectors (IANA's registry).
pub(super) const PORT: u16 = 6343;

/// Calls `sink` with each sampled beginning of a frame, and what it begins with. Reading ends at the first thing
/// that contradicts its length, or that the recorder cut.
pub(super) fn headers<'a>(datagram: View<'a>, sink: &mut impl FnMut(Layer, View<'a>)) -> Result<(), Stop> {
    if datagram.be32(0)? != 5 {
        return Err(Stop::Done);
    }
    let agent = match datagram.be32(4)? {
        1 => 4,
        2 => 16,
        _ => return Err(Stop::Done),
    };
    // Sub-agent, sequence number and uptime stand before the count.
    let counted = datagram.skip(8 + agent + 12)?;
    let mut rest = counted.skip(4)?;
    for _ in 0..counted.be32(0)? {
        let (format, sample, next) = record(rest)?;
        // A flow sample, and one whose interfaces have more room; counters hold no headers.
        match format {
            1 => sample_headers(sample, 28, sink)?,
            3 => sample_headers(sample, 40, sink)?,
            _ => {}
        }
        rest = next;
    }
    Ok(())
}

/// The headers in one flow sample, whose records are counted at `count_at`.
fn sample_headers<'a>(
    sample: View<'a>,
    count_at: usize,
    sink: &mut impl FnMut(Layer, View<'a>),
) -> Result<(), Stop> {
    let mut rest = sample.skip(count_at + 4)?;
    for _ in 0..sample.be32(count_at)? {
        let (format, content, next) = record(rest)?;
        if format == 1 {
            let length = content.be32(12)?;
            if let Some(layer) = layer(content.be32(0)?) {
                sink(layer, content.skip(16)?.keep(length));
            }
        }
        rest = next;
    }
    Ok(())
}

/// Format and content of the sample or record that begins here, and what lies behind it. The format is 0 where
/// its enterprise is not sFlow itself.
fn record(view: View<'_>) -> Result<(u32, View<'_>, View<'_>), Stop> {
    let (kind, length) = (view.be32(0)?, view.be32(4)?);
    let content = view.skip(8)?;
    let next = content.skip(length as usize)?;
    let format = if kind >> 12 == 0 { kind } else { 0 };
    Ok((format, content.keep(length), next))
}

/// The header protocols that tshark takes apart and that lead to IP.
fn layer(protocol: u32) -> Option<Layer> {
    Some(match protocol {
        1 => Layer::Ethernet,
        3 => Layer::Link(LinkType(6)),
        4 => Layer::Link(LinkType(10)),
        5 => Layer::FrameRelay,
        7 => Layer::Ppp,
        11 => Layer::Ipv4,
        12 => Layer::Ipv6,
        13 => Layer::Mpls,
        15 => Layer::Wifi(Wifi::default()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::packet::samples::{decode, decode_timed, ethernet, hex, ip4, join, tcp4, tcp6, udp4};
    use crate::packet::{Body, Packet, TcpFlags, Transport};

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// A record of a sampled header.
    fn header(protocol: u32, bytes: &[u8]) -> Vec<u8> {
        let mut content = words(&[protocol, 1500, 4, bytes.len() as u32]);
        content.extend(bytes);
        content.resize(content.len().next_multiple_of(4), 0);
        join(&[&words(&[1, content.len() as u32]), &content])
    }

    /// A sample of a format with these records, behind as many words of its head.
    fn sample(format: u32, head: usize, records: &[Vec<u8>]) -> Vec<u8> {
        let content = join(&[&words(&vec![7; head]), &words(&[records.len() as u32]), &records.concat()]);
        join(&[&words(&[format, content.len() as u32]), &content])
    }

    fn datagram(agent: &[u32], samples: &[Vec<u8>]) -> Vec<u8> {
        let head = join(&[&words(&[5]), &words(agent), &words(&[0, 1, 1000, samples.len() as u32])]);
        udp4(50000, 6343, &join(&[&head, &samples.concat()]))
    }

    /// The packets behind the datagram itself, each of which must be a sampled header of TCP.
    fn sampled(frame: Vec<u8>) -> Vec<Packet> {
        let mut packets = decode(101, &[frame]).packets;
        assert!(matches!(packets.remove(0).body, Body::Udp(_)));
        packets
    }

    #[test]
    fn headers_are_found_in_both_forms_of_flow_samples() {
        let inner = ethernet(0x0800, &tcp4());
        let other = words(&[1001, 4, 0]);
        for agent in [vec![1, 0x0a00_0001], vec![2, 0, 0, 0, 1]] {
            let frame = datagram(
                &agent,
                &[
                    sample(2, 3, &[]),
                    sample(1, 7, &[other.clone(), header(1, &inner[..60])]),
                    // The same number of another enterprise.
                    sample(1 << 12 | 1, 7, &[header(1, &inner)]),
                    sample(3, 10, &[header(1, &inner), header(12, &tcp6())]),
                ],
            );
            let packets = sampled(frame);
            let original = decode(101, &[tcp4()]).packets[0];
            assert_eq!(packets.len(), 3);
            for packet in &packets[..2] {
                assert_eq!((packet.flow, packet.direction), (original.flow, original.direction));
                assert!(matches!(packet.body, Body::Sampled(TcpFlags(0x18))), "{packet:?}");
            }
            assert_eq!(packets[2].flow, decode(101, &[tcp6()]).packets[0].flow);
        }
    }

    #[test]
    fn header_protocols() {
        let snap = "aaaa03 000000 0800";
        for (protocol, prefix, found) in [
            (1, "020000000002 020000000001 0800", true),
            (2, "", false),
            (3, &format!("1040 020000000002 020000000001 {snap}"), true),
            (4, &format!("50 020000000002 020000000001 {snap}"), true),
            (5, "1841 03 cc", true),
            (7, "ff03 0021", true),
            (11, "", true),
            (13, "00010140", true),
            (14, "0f00 0800", false),
            (15, &format!("0801 0000 020000000009 020000000001 020000000003 0000 {snap}"), true),
        ] {
            let frame = join(&[&hex(prefix), &tcp4()]);
            let packets = sampled(datagram(&[1, 1], &[sample(1, 7, &[header(protocol, &frame)])]));
            assert_eq!(packets.len(), usize::from(found), "{protocol}");
        }
    }

    #[test]
    fn sixteen_octets_of_tcp_are_needed_and_a_quote_in_a_sample_counts() {
        let unreachable = ip4(1, &join(&[&[3, 1, 0, 0, 0, 0, 0, 0], &tcp4()]));
        for (bytes, found) in [
            (tcp4()[..36].to_vec(), 1),
            (tcp4()[..35].to_vec(), 0),
            (udp4(1, 2, b"x"), 0),
            (unreachable.clone(), 1),
            (unreachable[..60].to_vec(), 0),
        ] {
            let packets = sampled(datagram(&[1, 1], &[sample(1, 7, &[header(11, &bytes)])]));
            assert_eq!(packets.len(), found);
            assert!(packets.iter().all(|packet| packet.flow.transport == Transport::Tcp));
        }
    }

    #[test]
    fn samples_cut_anywhere_and_other_versions_give_what_is_there() {
        let inner = ethernet(0x0800, &tcp4());
        let frame =
            datagram(&[1, 1], &[sample(1, 7, &[header(1, &inner)]), sample(3, 10, &[header(1, &inner)])]);
        let length = frame.len() as u32;
        let mut most = 0;
        for cut in 28..=frame.len() {
            let found = decode_timed(101, &[(0, &frame[..cut], length)]).packets.len();
            assert!(found >= most, "{cut}");
            most = found;
        }
        assert_eq!(most, 3);
        let mut other = frame.clone();
        other[31] = 4;
        assert_eq!(sampled(other).len(), 0);
        let mut endless = frame;
        endless[28 + 24..28 + 28].fill(0xff);
        assert_eq!(sampled(endless).len(), 2);
    }
}
