//! Ethernet II, IEEE 802.3 with LLC and SNAP, and everything that an Ethernet type names.

use etherparse::{EtherType, Ethernet2Header, Ethernet2HeaderSlice};

use crate::packet::context::{self, Network};
use crate::packet::envelope::Envelope;
use crate::packet::layer::{Layer, Peeled, Stop};
use crate::packet::link::ppp;
use crate::packet::tally::Other;
use crate::packet::view::View;

/// Highest value of the type field that is a length (IEEE 802.3 §3.2.6).
const LONGEST: u16 = 1500;

/// Destination, source and type.
#[inline]
pub(in crate::packet) fn frame<'a>(envelope: &mut Envelope, view: View<'a>) -> Peeled<'a> {
    let rest = view.skip(Ethernet2Header::LEN)?;
    let header = Ethernet2HeaderSlice::from_slice(view.bytes).map_err(|_| Stop::Short)?;
    envelope.link_source = context::address(header.source());
    match header.ether_type() {
        EtherType::IPV4 => Ok((Layer::Ipv4, rest)),
        EtherType::IPV6 => Ok((Layer::Ipv6, rest)),
        kind => Ok((Layer::EtherType(kind), rest)),
    }
}

/// What an Ethernet type names.
pub(in crate::packet) fn content<'a>(envelope: &mut Envelope, kind: EtherType, view: View<'a>) -> Peeled<'a> {
    match kind.0 {
        length @ 0..=LONGEST => {
            let content = if length == 0 { view } else { view.keep(u32::from(length)) };
            Ok((Layer::Llc, content))
        }
        0x0800 => Ok((Layer::Ipv4, view)),
        0x86dd => Ok((Layer::Ipv6, view)),
        // IEEE 802.1Q, 802.1ad, and what was used before it.
        0x8100 | 0x88a8 | 0x9100 => vlan(envelope, view),
        0x8847 | 0x8848 => Ok((Layer::Mpls, view)),
        0x8864 => ppp::session(view),
        0x880b => Ok((Layer::Ppp, view)),
        0x6558 => Ok((Layer::Ethernet, view)),
        0x894f => Ok((Layer::Nsh, view)),
        // Provider backbone bridges (IEEE 802.1ah): flags and a 24-bit service instance.
        0x88e7 => {
            let instance = view.be32(0)? & 0x00ff_ffff;
            envelope.enter(Network::Backbone, instance);
            Ok((Layer::Ethernet, view.skip(4)?))
        }
        // Cisco metadata (version, length, option, group tag), and the E-Tag of IEEE 802.1BR.
        0x8909 | 0x893f => typed(view, 6),
        // The VN-Tag of Cisco's port extenders.
        0x8926 => typed(view, 4),
        // Cisco FabricPath: forwarding tag and time to live. tshark takes the last four bytes for a checksum.
        0x8903 => {
            envelope.false_checksum = 4;
            Ok((Layer::Ethernet, view.skip(2)?))
        }
        // TRILL (RFC 6325 §3): the number of option words lies across the first two bytes.
        0x22f3 => {
            let words = usize::from(view.be16(0)? >> 6 & 0x1f);
            Ok((Layer::Ethernet, view.skip(6 + words * 4)?))
        }
        0x88e5 => Err(Stop::Other(Other::Encrypted("MACsec"))),
        _ => Err(Stop::Other(Other::ether_type(kind))),
    }
}

/// A tag of `length` bytes that ends where the real type begins.
fn typed(view: View<'_>, length: usize) -> Peeled<'_> {
    let kind = EtherType(view.be16(length)?);
    Ok((Layer::EtherType(kind), view.skip(length + 2)?))
}

/// Priority and VLAN id, then the real type.
fn vlan<'a>(envelope: &mut Envelope, view: View<'a>) -> Peeled<'a> {
    let id = u32::from(view.be16(0)? & 0x0fff);
    let next = typed(view, 2)?;
    if id != 0 {
        envelope.enter(Network::Vlan, id);
    }
    Ok(next)
}

/// Logical link control, with or without SNAP (RFC 1042).
pub(in crate::packet) fn llc(view: View<'_>) -> Peeled<'_> {
    let [to, from, control] = view.array(0)?;
    let other = Stop::Other(Other::Llc(to, from));
    // Only unnumbered information carries a protocol at a known place.
    if control != 0x03 {
        return Err(other);
    }
    match (to, from) {
        (0xaa, 0xaa) => snap(view.skip(3)?),
        (0x06, 0x06) => Ok((Layer::Ipv4, view.skip(3)?)),
        // A network-layer protocol id of ISO 9577 in the first byte: 0xcc is IPv4, 0x8e IPv6.
        (0xfe, 0xfe) => match view.byte(3)? {
            0xcc => Ok((Layer::Ipv4, view.skip(4)?)),
            0x8e => Ok((Layer::Ipv6, view.skip(4)?)),
            _ => Err(other),
        },
        _ => Err(other),
    }
}

/// Organisation and protocol.
pub(in crate::packet) fn snap(view: View<'_>) -> Peeled<'_> {
    let [a, b, c, high, low] = view.array(0)?;
    let organisation = u32::from_be_bytes([0, a, b, c]);
    let kind = u16::from_be_bytes([high, low]);
    let rest = view.skip(5)?;
    match (organisation, kind) {
        // RFC 1042; Cisco; Apple.
        (0x00_0000 | 0x00_00f8 | 0x08_0007, _) => Ok((Layer::EtherType(EtherType(kind)), rest)),
        // Bridged Ethernet (RFC 2684 §5.2), with and without its checksum.
        (0x00_80c2, 0x0001 | 0x0007) => Ok((Layer::Ethernet, rest)),
        _ => Err(Stop::Other(Other::Snap(organisation, kind))),
    }
}
