//! The layer 2 tunnelling protocol, version 2, over UDP (RFC 2661).

use crate::packet::layer::{Layer, Peeled, Stop};
use crate::packet::tally::Other;
use crate::packet::view::View;

const CONTROL: u16 = 0x8000;
const LENGTH: u16 = 0x4000;
const SEQUENCE: u16 = 0x0800;
const OFFSET: u16 = 0x0200;

/// A PPP frame behind the header. Control messages end the reading; version 3 (RFC 3931) does not tell what
/// it carries, so it is counted only.
pub(super) fn message(view: View<'_>) -> Peeled<'_> {
    let flags = view.be16(0)?;
    if flags & CONTROL != 0 {
        return Err(Stop::Done);
    }
    if flags & 0x0f != 2 {
        return Err(Stop::Other(Other::Tunnel("L2TP version 3")));
    }
    let (mut at, mut view) = (2, view);
    if flags & LENGTH != 0 {
        view = view.keep(u32::from(view.be16(2)?));
        at += 2;
    }
    at += if flags & SEQUENCE == 0 { 4 } else { 8 };
    if flags & OFFSET != 0 {
        at += 2 + usize::from(view.be16(at)?);
    }
    Ok((Layer::Ppp, view.skip(at)?))
}
