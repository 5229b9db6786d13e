//! Apple's packet tap: the name of the interface and the link type before each frame.

use crate::capture::LinkType;
use crate::packet::layer::{Layer, Peeled};
use crate::packet::link::malformed;
use crate::packet::view::View;

/// Header length, kind of record, and the link type of what follows, all little-endian.
pub(in crate::packet) fn packet_tap(view: View<'_>) -> Peeled<'_> {
    let length = view.le32(0)? as usize;
    let link = view.le32(8)?;
    if length < 12 {
        return malformed();
    }
    Ok((Layer::Link(LinkType(link)), view.skip(length)?))
}
