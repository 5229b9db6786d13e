//! Generic routing encapsulation (RFC 2784, RFC 2890), PPTP's version of it (RFC 2637) and what rides on it.

use etherparse::EtherType;

use crate::packet::context::Network;
use crate::packet::envelope::Envelope;
use crate::packet::layer::{Layer, Peeled, Stop, Wifi};
use crate::packet::tally::Other;
use crate::packet::view::View;

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGMENT: u16 = 0x0080;

/// The transparent Ethernet bridging of RFC 1701 and NVGRE.
const BRIDGED: u16 = 0x6558;
/// ERSPAN types I and II.
const ERSPAN: u16 = 0x88be;

/// The header of either version.
pub(in crate::packet) fn header<'a>(envelope: &mut Envelope, view: View<'a>) -> Peeled<'a> {
    let (flags, kind) = (view.be16(0)?, view.be16(2)?);
    let has = |bit: u16| flags & bit != 0;
    let mut at = 4;
    if has(CHECKSUM | ROUTING) {
        at += 4;
    }
    let key = if has(KEY) { Some(view.be32(at)?) } else { None };
    at += 4 * (usize::from(has(KEY)) + usize::from(has(SEQUENCE)));
    match flags & 7 {
        0 => {}
        1 => {
            let rest = view.skip(at + if has(ACKNOWLEDGMENT) { 4 } else { 0 })?;
            return version_1(kind, key, rest);
        }
        _ => return Err(Stop::Other(Other::Gre(kind))),
    }
    let mut rest = view.skip(at)?;
    if has(ROUTING) {
        rest = source_routes(rest)?;
    }
    match (key, kind) {
        // NVGRE: the lowest byte varies with the flow (RFC 7637 §3.2).
        (Some(key), BRIDGED) => envelope.enter(Network::Nvgre, key >> 8),
        (Some(key), _) => envelope.enter(Network::GreKey, key),
        (None, _) => {}
    }
    match kind {
        // Type I has neither a sequence number nor a header of its own.
        ERSPAN if !has(SEQUENCE) => Ok((Layer::Ethernet, rest)),
        _ => content(kind, rest),
    }
}

/// Routing entries until one of length 0 (RFC 1701).
fn source_routes(view: View<'_>) -> Result<View<'_>, Stop> {
    let mut rest = view;
    loop {
        let length = rest.byte(3)?;
        let family = rest.be16(0)?;
        rest = rest.skip(4 + usize::from(length))?;
        if family == 0 && length == 0 {
            return Ok(rest);
        }
    }
}

/// What the protocol field names. The key of PPTP is length and call id, so nothing of it is a network.
pub(in crate::packet) fn content(kind: u16, view: View<'_>) -> Peeled<'_> {
    match kind {
        BRIDGED => Ok((Layer::Ethernet, view)),
        ERSPAN => Ok((Layer::Ethernet, view.skip(8)?)),
        // ERSPAN type III; the lowest bit of its header tells of eight more bytes.
        0x22eb => {
            let more = if view.byte(11)? & 1 == 1 { 8 } else { 0 };
            Ok((Layer::Ethernet, view.skip(12 + more)?))
        }
        // WCCP puts a redirect header before the packet, or none (version 1).
        0x883e => {
            let header = if view.byte(0)? >> 4 == 4 { 0 } else { 4 };
            Ok((Layer::Ipv4, view.skip(header)?))
        }
        // Aruba's access points: 802.11 frames, the low byte telling apart their queues.
        0x8200..=0x83ff => Ok((Layer::Wifi(Wifi::default()), view)),
        0x0000..=0x05dc => Err(Stop::Other(Other::Gre(kind))),
        _ => Ok((Layer::EtherType(EtherType(kind)), view)),
    }
}

/// PPTP, and `MikroTik`'s Ethernet over IP. The key holds the length and an id of the tunnel.
fn version_1(kind: u16, key: Option<u32>, rest: View<'_>) -> Peeled<'_> {
    let length = key.unwrap_or(0) >> 16;
    match kind {
        0x880b if length == 0 => Err(Stop::Other(Other::Tunnel("PPTP"))),
        0x880b => Ok((Layer::Ppp, rest.keep(length))),
        0x6400 => Ok((Layer::Ethernet, rest.keep(length))),
        _ => Err(Stop::Other(Other::Gre(kind))),
    }
}
