//! ICMP and ICMPv6 errors and the packet that they quote (RFC 792, RFC 4443, RFC 4884).

use std::net::IpAddr;

use etherparse::{IpNumber, Ipv6HeaderSlice};

use crate::packet::envelope::Envelope;
use crate::packet::layer::Stop;
use crate::packet::tally::Other;
use crate::packet::view::View;
use crate::packet::{Body, Endpoint, FlowKey, IcmpError, Packet, Transport, ip, tcp};

/// An error message and the flow of the packet that it quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quote {
    error: IcmpError,
    source: Endpoint,
    destination: Endpoint,
    transport: Transport,
}

impl Quote {
    /// The packet: flow and direction are those of the quoted one.
    pub(super) fn into_packet(self, envelope: &Envelope) -> Packet {
        let (flow, direction) = FlowKey::new(self.source, self.destination, self.transport);
        let outer = envelope.packet((0, 0), self.transport, Body::IcmpError(self.error));
        Packet { flow, direction, ..outer }
    }
}

/// Reads an error that quotes TCP or UDP; everything else is counted by its IP protocol.
pub(super) fn error(envelope: &Envelope, v6: bool, view: View<'_>) -> Result<Quote, Stop> {
    let protocol = if v6 { IpNumber::IPV6_ICMP } else { IpNumber::ICMP };
    let not_ours = Stop::Other(Other::ip_protocol(protocol));
    let [kind, code] = view.array(0)?;
    let is_error = if v6 { matches!(kind, 1..=4) } else { matches!(kind, 3 | 4 | 5 | 11 | 12) };
    if !is_error {
        return Err(not_ours);
    }
    let mtu = match (v6, kind, code) {
        // Routers older than RFC 1191 leave the field 0.
        (false, 3, 4) => Some(u32::from(view.be16(6)?)).filter(|&mtu| mtu != 0),
        (true, 2, _) => Some(view.be32(4)?),
        _ => None,
    };
    let quoted = view.skip(8)?;
    let (source, destination, transport, head) = if v6 { quoted_v6(quoted) } else { quoted_v4(quoted) }
        .map_err(|stop| if stop == Stop::Done { not_ours } else { stop })?;
    let ports = (head.be16(0)?, head.be16(2)?);
    let tcp = transport == Transport::Tcp;
    let quoted_seq = if tcp { head.be32(4).ok() } else { None };
    let quoted_flags = if tcp { head.array::<16>(0).ok().map(tcp::flags) } else { None };
    Ok(Quote {
        error: IcmpError { from: envelope.source, kind, code, mtu, quoted_seq, quoted_flags },
        source: Endpoint::new(source, ports.0),
        destination: Endpoint::new(destination, ports.1),
        transport,
    })
}

/// Addresses, transport and transport header of a quoted packet.
type Quoted<'a> = Result<(IpAddr, IpAddr, Transport, View<'a>), Stop>;

/// A quoted IPv4 header. Its total length is not looked at: routers quote a part, some rewrite the length.
fn quoted_v4(view: View<'_>) -> Quoted<'_> {
    let first: &[u8; 20] = view.head()?;
    let [version, _, _, _, _, _, fragment_high, fragment_low, _, protocol, ..] = *first;
    let offset = u16::from_be_bytes([fragment_high, fragment_low]) & 0x1fff;
    let length = usize::from(version & 0x0f) * 4;
    if version >> 4 != 4 || length < first.len() || offset != 0 {
        return Err(Stop::Done);
    }
    let source: [u8; 4] = view.array(12)?;
    let destination: [u8; 4] = view.array(16)?;
    let transport = transport(IpNumber(protocol)).ok_or(Stop::Done)?;
    Ok((source.into(), destination.into(), transport, view.skip(length)?))
}

/// A quoted IPv6 header with its extension headers.
fn quoted_v6(view: View<'_>) -> Quoted<'_> {
    let rest = view.skip(40)?;
    let header = Ipv6HeaderSlice::from_slice(view.bytes).map_err(|_| Stop::Done)?;
    let (mut protocol, mut rest) = (header.next_header(), rest);
    loop {
        if let Some(transport) = transport(protocol) {
            return Ok((header.source_addr().into(), header.destination_addr().into(), transport, rest));
        }
        // Every turn takes eight bytes or more.
        match ip::extension(protocol, rest)? {
            Some((next, behind)) => (protocol, rest) = (next, behind),
            None => return Err(Stop::Done),
        }
    }
}

/// The transports that have flows.
fn transport(protocol: IpNumber) -> Option<Transport> {
    match protocol {
        IpNumber::TCP => Some(Transport::Tcp),
        IpNumber::UDP => Some(Transport::Udp),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::packet::samples::{Decoded, decode, ip4, ip6, join, tcp4, tcp6, udp4};
    use crate::packet::{Body, IcmpError, TcpFlags, Transport};

    /// The one error of these frames.
    fn error(decoded: &Decoded) -> Option<IcmpError> {
        let [packet] = decoded.packets.as_slice() else { return None };
        if let Body::IcmpError(error) = packet.body { Some(error) } else { None }
    }

    #[test]
    fn an_error_belongs_to_the_flow_that_it_quotes() {
        let original = decode(101, &[tcp4()]).packets[0];
        let decoded = decode(101, &[ip4(1, &join(&[&[3, 13, 0, 0, 0, 0, 0, 0], &tcp4()[..28]]))]);
        let packet = decoded.packets[0];
        assert_eq!((packet.flow, packet.direction), (original.flow, original.direction));
        let expected = IcmpError {
            from: [10, 9, 9, 1].into(),
            kind: 3,
            code: 13,
            mtu: None,
            quoted_seq: Some(1000),
            quoted_flags: None,
        };
        assert_eq!(error(&decoded), Some(expected));
        assert_eq!((decoded.tally.icmp_errors, decoded.tally.tcp_segments), (1, 0));
    }

    #[test]
    fn what_errors_tell() {
        let v4 = |head: [u8; 8], quoted: &[u8]| ip4(1, &join(&[&head, quoted]));
        let v6 = |head: [u8; 8], quoted: &[u8]| ip6(58, &join(&[&head, quoted]));
        let extended = ip6(60, &join(&[&[6, 0, 1, 4, 0, 0, 0, 0], &tcp6()[40..]]));
        let rows = [
            ("unreachable", v4([3, 1, 0, 0, 0, 0, 0, 0], &tcp4()), Some((3, 1, None, Some(1000)))),
            ("too big", v4([3, 4, 0, 0, 0, 0, 5, 0], &tcp4()), Some((3, 4, Some(1280), Some(1000)))),
            ("too big, old router", v4([3, 4, 0, 0, 0, 0, 0, 0], &tcp4()), Some((3, 4, None, Some(1000)))),
            ("quench", v4([4, 0, 0, 0, 0, 0, 0, 0], &tcp4()), Some((4, 0, None, Some(1000)))),
            ("redirect", v4([5, 1, 10, 0, 0, 9, 0, 0], &tcp4()), Some((5, 1, None, Some(1000)))),
            ("time", v4([11, 0, 0, 0, 0, 0, 0, 0], &udp4(1, 2, b"x")), Some((11, 0, None, None))),
            ("ports only", v4([11, 0, 0, 0, 0, 0, 0, 0], &tcp4()[..24]), Some((11, 0, None, None))),
            ("no ports", v4([11, 0, 0, 0, 0, 0, 0, 0], &tcp4()[..22]), None),
            ("echo", v4([8, 0, 0, 0, 0, 0, 0, 0], &tcp4()), None),
            ("of another protocol", v4([3, 3, 0, 0, 0, 0, 0, 0], &ip4(89, &[0; 20])), None),
            ("v6 too big", v6([2, 0, 0, 0, 0, 0, 5, 0], &tcp6()), Some((2, 0, Some(1280), Some(1000)))),
            ("v6 unreachable", v6([1, 4, 0, 0, 0, 0, 0, 0], &extended), Some((1, 4, None, Some(1000)))),
            ("v6 echo", v6([128, 0, 0, 0, 0, 0, 0, 0], &tcp6()), None),
        ];
        for (name, frame, expected) in rows {
            let found = error(&decode(101, &[frame]));
            let facts = found.map(|error| (error.kind, error.code, error.mtu, error.quoted_seq));
            assert_eq!(facts, expected, "{name}");
        }
    }

    #[test]
    fn flags_are_told_where_sixteen_octets_are_quoted() {
        for (octets, expected) in
            [(15, None), (16, Some(TcpFlags(TcpFlags::ACK | TcpFlags::PSH))), (20, None)]
        {
            let quoted = if octets == 20 { udp4(1, 2, &[0; 12]) } else { tcp4()[..20 + octets].to_vec() };
            let decoded = decode(101, &[ip4(1, &join(&[&[3, 1, 0, 0, 0, 0, 0, 0], &quoted]))]);
            assert_eq!(error(&decoded).unwrap().quoted_flags, expected, "{octets}");
        }
    }

    #[test]
    fn a_quoted_later_fragment_has_no_ports() {
        let mut quoted = udp4(1, 2, b"x");
        quoted[7] = 1;
        let decoded = decode(101, &[ip4(1, &join(&[&[11, 1, 0, 0, 0, 0, 0, 0], &quoted]))]);
        assert_eq!((decoded.packets.len(), decoded.others()), (0, vec!["IP protocol 1 (ICMP)"]));
    }

    #[test]
    fn a_quote_of_udp_is_no_tcp() {
        let decoded = decode(101, &[ip4(1, &join(&[&[3, 3, 0, 0, 0, 0, 0, 0], &udp4(5, 53, b"x")]))]);
        assert_eq!(decoded.packets[0].flow.transport, Transport::Udp);
    }
}
