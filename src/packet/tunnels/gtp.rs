//! The GPRS tunnelling protocol for user data, versions 0 and 1 (3GPP TS 29.060, TS 29.281).

use crate::packet::layer::{Peeled, Stop};
use crate::packet::link::ip_or;
use crate::packet::tally::Other;
use crate::packet::view::View;

/// The message type that carries a user's packet.
const USER_DATA: u8 = 255;

/// A user's packet behind the header and its extensions; other messages end the reading.
pub(super) fn user_data(view: View<'_>) -> Peeled<'_> {
    let [flags, kind] = view.array(0)?;
    if kind != USER_DATA {
        return Err(Stop::Done);
    }
    let length = u32::from(view.be16(2)?);
    let rest = match (flags >> 5, flags & 0x10 != 0) {
        (0, true) => view.skip(20)?.keep(length),
        (1, true) => extensions(flags, view.skip(8)?.keep(length))?,
        _ => return Err(Stop::Done),
    };
    ip_or(rest, Other::Tunnel("GTP"))
}

/// Sequence number, packet number and the chain of extension headers, where any of them is announced.
fn extensions(flags: u8, view: View<'_>) -> Result<View<'_>, Stop> {
    // E, S and PN.
    if flags & (0x04 | 0x02 | 0x01) == 0 {
        return Ok(view);
    }
    let mut next = view.byte(3)?;
    let mut rest = view.skip(4)?;
    if flags & 0x04 == 0 {
        return Ok(rest);
    }
    while next != 0 {
        // In words of four bytes; the last byte names the next extension.
        let length = usize::from(rest.byte(0)?.max(1)) * 4;
        next = rest.byte(length - 1)?;
        rest = rest.skip(length)?;
    }
    Ok(rest)
}
