//! ICMP and ICMPv6 errors and the packet that they quote (RFC 792, RFC 4443, RFC 4884).

use std::net::IpAddr;

use etherparse::{IpNumber, Ipv6HeaderSlice};

use crate::packet::envelope::Envelope;
use crate::packet::layer::Stop;
use crate::packet::tally::Other;
use crate::packet::view::View;
use crate::packet::{Body, Endpoint, FlowKey, IcmpError, Packet, Transport, ip};

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
    let quoted_seq = if transport == Transport::Tcp { head.be32(4).ok() } else { None };
    Ok(Quote {
        error: IcmpError { from: envelope.source, kind, code, mtu, quoted_seq },
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
