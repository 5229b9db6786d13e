//! Overlay networks: VXLAN (RFC 7348) and its generic extension, GENEVE (RFC 8926), NSH (RFC 8300), LISP (RFC 9300).

use etherparse::EtherType;

use crate::packet::context::Network;
use crate::packet::envelope::Envelope;
use crate::packet::layer::{Layer, Peeled, Stop};
use crate::packet::link::ip_or;
use crate::packet::tally::Other;
use crate::packet::view::View;

/// Flags, in the generic extension the next protocol, and the network identifier.
pub(super) fn vxlan<'a>(envelope: &mut Envelope, generic: bool, view: View<'a>) -> Peeled<'a> {
    let [flags, _, _, next, a, b, c, _] = view.array(0)?;
    let rest = view.skip(8)?;
    if flags & 0x08 != 0 {
        envelope.enter(Network::Vxlan, u32::from_be_bytes([0, a, b, c]));
    }
    if generic { next_protocol(next, "VXLAN-GPE", rest) } else { Ok((Layer::Ethernet, rest)) }
}

/// Options in words of four bytes, an Ethernet type, and the network identifier.
pub(super) fn geneve<'a>(envelope: &mut Envelope, view: View<'a>) -> Peeled<'a> {
    let [first, _, high, low, a, b, c, _] = view.array(0)?;
    if first >> 6 != 0 {
        return Err(Stop::Other(Other::Tunnel("GENEVE")));
    }
    let rest = view.skip(8 + usize::from(first & 0x3f) * 4)?;
    envelope.enter(Network::Geneve, u32::from_be_bytes([0, a, b, c]));
    Ok((Layer::EtherType(EtherType(u16::from_be_bytes([high, low]))), rest))
}

/// The network service header: its length in words of four bytes, and the next protocol.
pub(super) fn service_header(view: View<'_>) -> Peeled<'_> {
    let [_, length, _, next] = view.array(0)?;
    next_protocol(next, "NSH", view.skip(usize::from(length & 0x3f).max(2) * 4)?)
}

/// The numbers that VXLAN-GPE and NSH share.
fn next_protocol<'a>(next: u8, tunnel: &'static str, rest: View<'a>) -> Peeled<'a> {
    match next {
        1 => Ok((Layer::Ipv4, rest)),
        2 => Ok((Layer::Ipv6, rest)),
        3 => Ok((Layer::Ethernet, rest)),
        4 => Ok((Layer::Nsh, rest)),
        5 => Ok((Layer::Mpls, rest)),
        _ => Err(Stop::Other(Other::Tunnel(tunnel))),
    }
}

/// LISP data: eight bytes, then IP.
pub(super) fn lisp(view: View<'_>) -> Peeled<'_> {
    ip_or(view.skip(8)?, Other::Tunnel("LISP"))
}
