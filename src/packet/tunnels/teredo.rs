//! Teredo: IPv6 through NATs (RFC 4380).

use crate::packet::layer::{Layer, Peeled, Stop};
use crate::packet::view::View;

/// Authentication and origin indications, then an IPv6 packet.
pub(super) fn datagram(view: View<'_>) -> Peeled<'_> {
    let mut rest = view;
    if rest.be16(0)? == 1 {
        let [client, authentication] = rest.array(2)?;
        // Besides both values: indicator, two lengths, nonce, confirmation.
        rest = rest.skip(4 + usize::from(client) + usize::from(authentication) + 9)?;
    }
    if rest.be16(0)? == 0 {
        rest = rest.skip(8)?;
    }
    if rest.byte(0)? >> 4 == 6 { Ok((Layer::Ipv6, rest)) } else { Err(Stop::Done) }
}
