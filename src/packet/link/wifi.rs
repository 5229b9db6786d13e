//! IEEE 802.11 data frames, and the headers that recorders put before them.

use crate::capture::LinkType;
use crate::packet::context;
use crate::packet::envelope::Envelope;
use crate::packet::layer::{Layer, Peeled, Stop, Wifi};
use crate::packet::link::malformed;
use crate::packet::tally::Other;
use crate::packet::view::View;

/// A frame without the recorder's header.
pub(in crate::packet) fn frame<'a>(envelope: &mut Envelope, form: Wifi, view: View<'a>) -> Peeled<'a> {
    let mut control: [u8; 2] = view.array(0)?;
    if form.swapped {
        control.reverse();
    }
    let [kind, flags] = control;
    let (subtype, to_ds, from_ds) = (kind >> 4, flags & 1 != 0, flags & 2 != 0);
    // Only data (type 2) carries a protocol, and only subtypes without the bit for "no data".
    if kind & 0x0c != 0x08 || subtype & 0x4 != 0 {
        return Err(Stop::Other(Other::WifiManagement));
    }
    if flags & 0x40 != 0 {
        return Err(Stop::Other(Other::Encrypted("802.11")));
    }
    let mut length = if to_ds && from_ds { 30 } else { 24 };
    let source = match (to_ds, from_ds) {
        (_, false) => view.array(10)?,
        (false, true) => view.array(16)?,
        (true, true) => view.array(24)?,
    };
    let mut aggregate = false;
    if subtype & 0x8 != 0 {
        aggregate = view.byte(length)? & 0x80 != 0;
        length += 2;
        // High-throughput control, announced by the order bit.
        if flags & 0x80 != 0 {
            length += 4;
        }
    }
    if form.padded {
        length = length.next_multiple_of(4);
    }
    envelope.link_source = context::address(source);
    let body = view.skip(length)?;
    // Later fragments of a frame go on where the first ended (sequence control, lower four bits); some access
    // points number whole frames so.
    if view.le16(22)? & 0x0f != 0 && body.array(0)? != [0xaa, 0xaa, 0x03] {
        return Err(Stop::Other(Other::WifiFragment));
    }
    if !aggregate {
        return Ok((Layer::Llc, body));
    }
    // Of an aggregate (A-MSDU) the first subframe is read: destination, source, length.
    let length = body.be16(12)?;
    envelope.link_source = context::address(body.array(6)?);
    Ok((Layer::Llc, body.skip(14)?.keep(u32::from(length))))
}

/// Radiotap: a length and a bit field of what is present.
pub(in crate::packet) fn radiotap(view: View<'_>) -> Peeled<'_> {
    let length = usize::from(view.le16(2)?);
    let present = view.le32(4)?;
    // Further words of the bit field follow while the highest bit is set.
    let mut at = 8;
    let mut word = present;
    while word & 0x8000_0000 != 0 {
        word = view.le32(at)?;
        at += 4;
        if at > length {
            return malformed();
        }
    }
    // The flags come second, behind a time of eight bytes aligned to eight.
    if present & 1 != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    let flags = if present & 2 != 0 { view.byte(at)? } else { 0 };
    let frame = view.skip(length)?;
    // 0x40: the checksum is bad; what was received is not what was sent.
    if flags & 0x40 != 0 {
        return Err(Stop::Other(Other::WifiDamaged));
    }
    Ok((Layer::Wifi(Wifi { padded: flags & 0x20 != 0, swapped: false }), frame))
}

/// Prism: 144 bytes; drivers also write the AVS header with this link type.
pub(in crate::packet) fn prism(view: View<'_>) -> Peeled<'_> {
    // The magic number of AVS, less its version.
    if view.be32(0)? & 0xffff_f000 == 0x8021_1000 {
        return avs(view);
    }
    Ok((Layer::Wifi(Wifi::default()), view.skip(144)?))
}

/// AVS: its length is the second word.
pub(in crate::packet) fn avs(view: View<'_>) -> Peeled<'_> {
    let length = view.be32(4)?;
    if length < 8 {
        return malformed();
    }
    Ok((Layer::Wifi(Wifi::default()), view.skip(length as usize)?))
}

/// Per-packet information: version, flags, length, link type, all little-endian.
pub(in crate::packet) fn per_packet_information(view: View<'_>) -> Peeled<'_> {
    let length = usize::from(view.le16(2)?);
    let link = view.le32(4)?;
    if length < 8 {
        return malformed();
    }
    Ok((Layer::Link(LinkType(link)), view.skip(length)?))
}
