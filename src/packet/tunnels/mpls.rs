//! MPLS label stacks (RFC 3032) and the pseudowires below them (RFC 4385, RFC 4448).

use crate::packet::layer::{Layer, Peeled, Stop};
use crate::packet::tally::Other;
use crate::packet::view::View;

/// Labels until the bottom of the stack. What follows is not told; its first four bits are looked at.
pub(super) fn labels(view: View<'_>) -> Peeled<'_> {
    let mut rest = view;
    let label = loop {
        let entry = rest.be32(0)?;
        rest = rest.skip(4)?;
        if entry & 0x100 != 0 {
            break entry >> 12;
        }
    };
    // Reserved for associated channels (RFC 5586) and operation alerts (RFC 3429).
    if matches!(label, 13 | 14) {
        return Err(Stop::Other(Other::Tunnel("MPLS channel")));
    }
    match rest.byte(0)? >> 4 {
        4 => Ok((Layer::Ipv4, rest)),
        6 => Ok((Layer::Ipv6, rest)),
        // An associated channel: operation and maintenance.
        1 => Err(Stop::Other(Other::Tunnel("MPLS channel"))),
        // Ethernet behind a control word, where Ethernet can be there; else without.
        0 if looks_like_ethernet(rest, 4) => Ok((Layer::Ethernet, rest.skip(4)?)),
        _ if looks_like_ethernet(rest, 0) => Ok((Layer::Ethernet, rest)),
        _ => Err(Stop::Other(Other::Tunnel("MPLS"))),
    }
}

/// Whether the type field of an Ethernet header at `at` makes sense.
fn looks_like_ethernet(view: View<'_>, at: usize) -> bool {
    let Ok(kind) = view.be16(at + 12) else { return false };
    match kind {
        0x0000..=0x05dc => {
            let behind = view.wire.saturating_sub(at as u32 + 14);
            // Short frames are padded to 60 bytes.
            kind > 0 && u32::from(kind) <= behind && (u32::from(kind) == behind || behind <= 46)
        }
        0x0800 | 0x0806 | 0x8035 | 0x8100 | 0x86dd | 0x8847 | 0x8848 | 0x8863 | 0x8864 | 0x88a8 | 0x88cc
        | 0x8809 | 0x8902 | 0x9000 | 0x9100 | 0x888e | 0x88e5 | 0x88e7 | 0x88f7 => true,
        _ => false,
    }
}
