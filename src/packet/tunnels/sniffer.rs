//! Frames sent to a distant recorder (`TaZmen` Sniffer Protocol), and the `AYIYA` tunnel.

use etherparse::IpNumber;

use crate::packet::layer::{Layer, Peeled, Stop};
use crate::packet::tally::Other;
use crate::packet::view::View;

/// Version, kind, encapsulation, then tags of type, length and value until an end tag.
pub(super) fn tzsp(view: View<'_>) -> Peeled<'_> {
    let kind = view.byte(1)?;
    let encapsulation = view.be16(2)?;
    // Kinds 0 and 1 hold a frame; others are housekeeping.
    if kind > 1 {
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
        18 => Ok((Layer::Wifi { padded: false }, frame)),
        _ => Err(Stop::Other(Other::Tunnel("TZSP"))),
    }
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
