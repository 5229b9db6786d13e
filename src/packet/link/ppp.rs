//! Serial lines: PPP (RFC 1661, 1662), PPP over Ethernet (RFC 2516), Cisco HDLC and frame relay (RFC 2427).

use etherparse::EtherType;

use crate::packet::layer::{Layer, Peeled, Stop};
use crate::packet::link::ethernet;
use crate::packet::tally::Other;
use crate::packet::view::View;

/// PPP, with or without address and control, with the protocol in one or two bytes.
pub(in crate::packet) fn frame(view: View<'_>) -> Peeled<'_> {
    let view = match view.bytes {
        // Cisco's HDLC on a line that was recorded as PPP.
        [0x0f | 0x8f, 0x00, ..] => return Ok((Layer::CiscoHdlc, view)),
        [0xff, 0x03, ..] => view.skip(2)?,
        _ => view,
    };
    let first = view.byte(0)?;
    // Compressed (RFC 1661 §6.5): the last byte of a protocol number is odd, any other even.
    let (kind, rest) =
        if first & 1 == 1 { (u16::from(first), view.skip(1)?) } else { (view.be16(0)?, view.skip(2)?) };
    match kind {
        0x0021 => Ok((Layer::Ipv4, rest)),
        0x0057 => Ok((Layer::Ipv6, rest)),
        0x0281 | 0x0283 => Ok((Layer::Mpls, rest)),
        _ => Err(Stop::Other(Other::Ppp(kind))),
    }
}

/// PPP over Ethernet, session stage; other codes than 0 belong to discovery.
pub(in crate::packet) fn session(view: View<'_>) -> Peeled<'_> {
    if view.byte(1)? != 0 {
        return Err(Stop::Other(Other::ether_type(EtherType(0x8864))));
    }
    let length = view.be16(4)?;
    Ok((Layer::Ppp, view.skip(6)?.keep(u32::from(length))))
}

/// Address, control, and an Ethernet type.
pub(in crate::packet) fn cisco_hdlc(view: View<'_>) -> Peeled<'_> {
    let kind = view.be16(2)?;
    Ok((Layer::EtherType(EtherType(kind)), view.skip(4)?))
}

/// Frame relay with a two-byte address: RFC 2427's header, or Cisco's with an Ethernet type.
pub(in crate::packet) fn frame_relay(view: View<'_>) -> Peeled<'_> {
    let rest = view.skip(2)?;
    if rest.byte(0)? != 0x03 {
        return Ok((Layer::EtherType(EtherType(rest.be16(0)?)), rest.skip(2)?));
    }
    // A byte of padding may come before the network-layer protocol id.
    let rest = rest.skip(if rest.byte(1)? == 0 { 2 } else { 1 })?;
    let inner = rest.skip(1)?;
    match rest.byte(0)? {
        0xcc => Ok((Layer::Ipv4, inner)),
        0x8e => Ok((Layer::Ipv6, inner)),
        0x80 => ethernet::snap(inner),
        id => Err(Stop::Other(Other::NetworkLayerId(id))),
    }
}
