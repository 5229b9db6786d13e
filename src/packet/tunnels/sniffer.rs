//! Frames carried to a recorder or a controller (TZSP, CAPWAP), and the AYIYA tunnel.

use etherparse::IpNumber;

use crate::packet::layer::{Layer, Peeled, Stop, Wifi};
use crate::packet::tally::Other;
use crate::packet::view::View;

/// Version, kind, encapsulation, then tags of type, length and value until an end tag.
pub(super) fn tzsp(view: View<'_>) -> Peeled<'_> {
    let [version, kind] = view.array(0)?;
    let encapsulation = view.be16(2)?;
    // Kinds 0 and 1 hold a frame; others are housekeeping.
    if version != 1 || kind > 1 {
        return Err(Stop::Done);
    }
    let mut rest = view.skip(4)?;
    loop {
        match rest.byte(0)? {
            0 => rest = rest.skip(1)?,
            1 => break,
            _ => rest = rest.skip(2 + usize::from(rest.byte(1)?))?,
        }
    }
    let frame = rest.skip(1)?;
    match encapsulation {
        1 => Ok((Layer::Ethernet, frame)),
        18 => Ok((Layer::Wifi(Wifi::default()), frame)),
        _ => Err(Stop::Other(Other::Tunnel("TZSP"))),
    }
}

/// CAPWAP data (RFC 5415 §4.3): one 802.3 frame, or one 802.11 frame with its frame control swapped, as Cisco's
/// access points send it and tshark expects it.
pub(super) fn capwap(view: View<'_>) -> Peeled<'_> {
    let [preamble, length, binding, flags] = view.array(0)?;
    // The low half of the preamble says whether DTLS follows.
    if preamble & 0x0f != 0 {
        return Err(Stop::Other(Other::Encrypted("CAPWAP")));
    }
    // Fragments, and keep-alives, which carry no frame.
    if flags & 0x88 != 0 {
        return Err(Stop::Done);
    }
    let frame = view.skip(usize::from(length >> 3) * 4)?;
    if binding & 1 == 0 {
        return Ok((Layer::Ethernet, frame));
    }
    Ok((Layer::Wifi(Wifi { padded: false, swapped: true }), frame))
}

/// Lengths of identity (as a power of two) and signature (in words), the next header, and a time.
pub(super) fn ayiya(view: View<'_>) -> Peeled<'_> {
    let [identity, signature, operation, next] = view.array(0)?;
    // Only the operation "forward" carries a packet.
    if operation & 0x0f != 1 {
        return Err(Stop::Done);
    }
    let length = 8 + (1_usize << (identity >> 4)) + usize::from(signature >> 4) * 4;
    Ok((Layer::IpProtocol(IpNumber(next)), view.skip(length)?))
}
