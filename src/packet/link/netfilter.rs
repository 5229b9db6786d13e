//! Packets that Linux netfilter logged or queued, as captured from its log device or from Netlink itself.

use etherparse::EtherType;

use crate::packet::layer::{Layer, Peeled, Stop};
use crate::packet::link::address_family;
use crate::packet::tally::Other;
use crate::packet::view::View;

/// Attribute that describes the packet.
const PACKET_HEADER: u16 = 1;

/// Attribute with the packet in a message of the log, and in one of a queue.
const LOG_PAYLOAD: u16 = 9;
const QUEUE_PAYLOAD: u16 = 10;

/// Netlink's protocol number of netfilter, and its subsystems for queues and the log.
const NETFILTER: u16 = 12;
const QUEUE: u8 = 3;
const LOG: u8 = 4;

/// A frame of `LINKTYPE_NFLOG`: family, version, resource, then attributes.
pub(in crate::packet) fn log(view: View<'_>) -> Peeled<'_> {
    attributes(view, LOG_PAYLOAD)
}

/// A frame of `LINKTYPE_NETLINK`: the cooked header's sixteen bytes, the last two being the protocol.
pub(in crate::packet) fn netlink(view: View<'_>) -> Peeled<'_> {
    let protocol = view.be16(14)?;
    messages(protocol, view.skip(16)?)
}

/// Messages of one Netlink protocol, in the byte order of the recording machine; the first is looked at.
pub(in crate::packet) fn messages(protocol: u16, view: View<'_>) -> Peeled<'_> {
    let other = Stop::Other(Other::Netlink(protocol));
    if protocol != NETFILTER {
        return Err(other);
    }
    // Length, type (number and subsystem), flags, sequence, port.
    let (little, big) = (view.le32(0)?, view.be32(0)?);
    let kind = if little <= big { view.le16(4)? } else { view.be16(4)? };
    let [number, subsystem] = kind.to_le_bytes();
    let body = view.keep(little.min(big)).skip(16)?;
    match (subsystem, number) {
        (LOG, 0) => attributes(body, LOG_PAYLOAD),
        (QUEUE, 0) => attributes(body, QUEUE_PAYLOAD),
        _ => Err(other),
    }
}

/// Family, version, resource; then attributes of length, type and value, padded to four bytes.
fn attributes(view: View<'_>, wanted: u16) -> Peeled<'_> {
    let family = u32::from(view.byte(0)?);
    let mut layer = address_family(family);
    let mut rest = view.skip(4)?;
    let little = rest.le16(0)? <= rest.be16(0)?;
    loop {
        let (length, kind) =
            if little { (rest.le16(0)?, rest.le16(2)?) } else { (rest.be16(0)?, rest.be16(2)?) };
        // The top bits of the type say "nested" and "network byte order".
        match kind & 0x3fff {
            kind if kind == wanted => {
                let layer = layer.ok_or(Stop::Other(Other::Family(family)))?;
                return Ok((layer, rest.keep(u32::from(length)).skip(4)?));
            }
            // A bridge's packets tell their Ethernet type instead; in a queue their number comes first.
            PACKET_HEADER if layer.is_none() => {
                let at = if wanted == QUEUE_PAYLOAD { 8 } else { 4 };
                layer = Some(Layer::EtherType(EtherType(rest.be16(at)?)));
            }
            _ => {}
        }
        rest = rest.skip(usize::from(length.max(4)).next_multiple_of(4))?;
    }
}
