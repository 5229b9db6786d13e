//! Frames whose link-layer header was replaced by the operating system: loopback, Linux cooked, BSD firewalls.

use etherparse::EtherType;

use crate::packet::context;
use crate::packet::envelope::Envelope;
use crate::packet::layer::{Layer, Peeled, Stop, Wifi};
use crate::packet::link::{address_family, malformed};
use crate::packet::tally::Other;
use crate::packet::view::View;

/// An address family in four bytes, in the byte order of whoever recorded it.
pub(in crate::packet) fn family(view: View<'_>) -> Peeled<'_> {
    let [a, b, c, d] = view.array(0)?;
    // Some systems write PPP frames with this link type.
    if (a, b) == (0xff, 0x03) {
        return Ok((Layer::Ppp, view));
    }
    let (little, big) = (u32::from_le_bytes([a, b, c, d]), u32::from_be_bytes([a, b, c, d]));
    let family = little.min(big);
    // IRIX and UNICOS/mp have the family in the first two bytes.
    let family = if family > 0xffff { u32::from(u16::from_be_bytes([a, b])) } else { family };
    let rest = view.skip(4)?;
    match address_family(family) {
        Some(layer) => Ok((layer, rest)),
        None if family > 1500 && family <= 0xffff => Ok((Layer::EtherType(EtherType(family as u16)), rest)),
        None => Err(Stop::Other(Other::Family(family))),
    }
}

/// Linux cooked, version 1 (`LINKTYPE_LINUX_SLL`).
pub(in crate::packet) fn linux<'a>(envelope: &mut Envelope, view: View<'a>) -> Peeled<'a> {
    let hardware = view.be16(2)?;
    let length = view.be16(4)?;
    let address = view.array(6)?;
    let protocol = view.be16(14)?;
    cooked(envelope, (hardware, protocol), length, address, view.skip(16)?)
}

/// Linux cooked, version 2 (`LINKTYPE_LINUX_SLL2`).
pub(in crate::packet) fn linux_2<'a>(envelope: &mut Envelope, view: View<'a>) -> Peeled<'a> {
    let protocol = view.be16(0)?;
    let hardware = view.be16(8)?;
    let length = u16::from(view.byte(11)?);
    let address = view.array(12)?;
    cooked(envelope, (hardware, protocol), length, address, view.skip(20)?)
}

/// What both versions tell: hardware type (`ARPHRD_…`), protocol, and the sender's address.
fn cooked<'a>(
    envelope: &mut Envelope,
    (hardware, protocol): (u16, u16),
    length: u16,
    address: [u8; 6],
    rest: View<'a>,
) -> Peeled<'a> {
    if length >= 6 {
        envelope.link_source = context::address(address);
    }
    match (hardware, protocol) {
        (824, _) => crate::packet::link::netfilter::messages(protocol, rest),
        // A GRE device names what its header named.
        (778, kind) => crate::packet::tunnels::gre::content(kind, rest),
        // 802.11, with the recorder's radio header or without.
        (801, _) => Ok((Layer::Wifi(Wifi::default()), rest)),
        (803, _) => crate::packet::link::wifi::radiotap(rest),
        // Numbers of Linux below the Ethernet types: 802.3 without LLC, and with.
        (_, 0x0001) => Err(Stop::Other(Other::Llc(0xff, 0xff))),
        (_, 0x0004) => Ok((Layer::Llc, rest)),
        (_, kind) if kind < 0x0600 => Err(Stop::Other(Other::Cooked(kind))),
        (_, kind) => Ok((Layer::EtherType(EtherType(kind)), rest)),
    }
}

/// OpenBSD's encapsulation device: family, security parameter index, flags.
pub(in crate::packet) fn enc(view: View<'_>) -> Peeled<'_> {
    let family = view.le32(0)?.min(view.be32(0)?);
    let layer = address_family(family).ok_or(Stop::Other(Other::Family(family)))?;
    Ok((layer, view.skip(12)?))
}

/// The log of BSD's packet filter: its length comes first and is padded to four bytes.
pub(in crate::packet) fn pflog(view: View<'_>) -> Peeled<'_> {
    let [length, family] = view.array(0)?;
    let Some(layer) = address_family(u32::from(family)) else {
        return Err(Stop::Other(Other::Family(u32::from(family))));
    };
    if length < 4 {
        return malformed();
    }
    Ok((layer, view.skip(usize::from(length).next_multiple_of(4))?))
}
