//! Link types of rings, ATM, ARCNET, `FireWire` and other networks that still occur in old captures.

use etherparse::EtherType;

use crate::capture::LinkType;
use crate::packet::context;
use crate::packet::envelope::Envelope;
use crate::packet::layer::{Layer, Peeled, Stop};
use crate::packet::link::{ip_or, malformed};
use crate::packet::tally::Other;
use crate::packet::view::View;

/// Token ring: access and frame control, addresses, and routing where the source's top bit says so.
pub(in crate::packet) fn token_ring<'a>(envelope: &mut Envelope, view: View<'a>) -> Peeled<'a> {
    let control = view.byte(1)?;
    let mut source: [u8; 6] = view.array(8)?;
    let [first, ..] = &mut source;
    let routed = *first & 0x80 != 0;
    *first &= 0x7f;
    envelope.link_source = context::address(source);
    if control & 0xc0 != 0x40 {
        return Err(Stop::Other(Other::LinkType(LinkType(6))));
    }
    let routing = if routed { usize::from(view.byte(14)? & 0x1f) } else { 0 };
    Ok((Layer::Llc, view.skip(14 + routing)?))
}

/// FDDI: frame control and addresses.
pub(in crate::packet) fn fddi<'a>(envelope: &mut Envelope, view: View<'a>) -> Peeled<'a> {
    let control = view.byte(0)?;
    envelope.link_source = context::address(view.array(7)?);
    // LLC frames, synchronous or not (ISO 9314-2 §7.3.3).
    if control & 0x70 != 0x50 {
        return Err(Stop::Other(Other::LinkType(LinkType(10))));
    }
    Ok((Layer::Llc, view.skip(13)?))
}

/// ARCNET (RFC 1201 and RFC 1051); Linux has two bytes of offset before the protocol.
pub(in crate::packet) fn arcnet(link: LinkType, view: View<'_>) -> Peeled<'_> {
    let at = if link.0 == 129 { 4 } else { 2 };
    let protocol = view.byte(at)?;
    let layer = match protocol {
        212 | 240 => Layer::Ipv4,
        196 => Layer::Ipv6,
        _ => return Err(Stop::Other(Other::LinkType(link))),
    };
    let rest = view.skip(at + 1)?;
    // RFC 1051 has nothing more.
    if protocol == 240 {
        return Ok((layer, rest));
    }
    // Fragmentation: a flag and a sequence number, both again where the flag marks an exception frame.
    match rest.byte(0)? {
        0x00 => Ok((layer, rest.skip(3)?)),
        0xff => Ok((layer, rest.skip(7)?)),
        _ => Err(Stop::Other(Other::LinkType(link))),
    }
}

/// SLIP as libpcap records it: direction and the compressor's notes, sixteen bytes. tshark shows bytes only.
pub(in crate::packet) fn slip<'a>(envelope: &mut Envelope, view: View<'a>) -> Peeled<'a> {
    envelope.hidden = true;
    ip_or(view.skip(16)?, Other::LinkType(LinkType(8)))
}

/// Classical IP over ATM (RFC 2225): with or without LLC.
pub(in crate::packet) fn classical_ip(view: View<'_>) -> Peeled<'_> {
    if view.array(0)? == [0xaa, 0xaa, 0x03] {
        return Ok((Layer::Llc, view));
    }
    ip_or(view, Other::LinkType(LinkType(106)))
}

/// Sun's ATM: direction and traffic type, virtual path and circuit.
pub(in crate::packet) fn sun_atm(view: View<'_>) -> Peeled<'_> {
    match view.byte(0)? & 0x0f {
        2 => Ok((Layer::Llc, view.skip(4)?)),
        _ => Err(Stop::Other(Other::LinkType(LinkType(123)))),
    }
}

/// IP over Fibre Channel (RFC 2625): two addresses of eight bytes.
pub(in crate::packet) fn fibre_channel(view: View<'_>) -> Peeled<'_> {
    Ok((Layer::Llc, view.skip(16)?))
}

/// IP over `FireWire` as Apple records it: two identifiers of eight bytes and an Ethernet type.
pub(in crate::packet) fn firewire(view: View<'_>) -> Peeled<'_> {
    Ok((Layer::EtherType(EtherType(view.be16(16)?)), view.skip(18)?))
}

/// IP over InfiniBand (RFC 4391): the destination's twenty bytes, an Ethernet type, two reserved bytes.
pub(in crate::packet) fn infiniband(view: View<'_>) -> Peeled<'_> {
    Ok((Layer::EtherType(EtherType(view.be16(20)?)), view.skip(24)?))
}

/// Juniper's header before an Ethernet frame: a magic number, flags, and a list of attributes.
pub(in crate::packet) fn juniper_ethernet(view: View<'_>) -> Peeled<'_> {
    let [a, b, c, flags] = view.array(0)?;
    if [a, b, c] != *b"MGC" {
        return malformed();
    }
    let attributes = if flags & 0x80 == 0 { 0 } else { 2 + usize::from(view.be16(4)?) };
    let rest = view.skip(4 + attributes)?;
    // The recorder took the link layer off; the address family is told instead.
    if flags & 0x02 != 0 {
        return match rest.le32(0)? {
            2 => Ok((Layer::Ipv4, rest.skip(4)?)),
            28 => Ok((Layer::Ipv6, rest.skip(4)?)),
            family => Err(Stop::Other(Other::Family(family))),
        };
    }
    Ok((Layer::Ethernet, rest))
}
