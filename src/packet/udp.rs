//! The UDP header (RFC 768).

use etherparse::UdpHeaderSlice;

use crate::packet::envelope::Envelope;
use crate::packet::layer::Stop;
use crate::packet::tally::Trouble;
use crate::packet::view::View;

/// Length of the header.
const HEADER: u32 = 8;

/// Ports and content of a datagram.
pub(super) fn datagram<'a>(envelope: &mut Envelope, view: View<'a>) -> Result<((u16, u16), View<'a>), Stop> {
    let rest = view.skip(HEADER as usize)?;
    let header = UdpHeaderSlice::from_slice(view.bytes).map_err(|_| Stop::Short)?;
    let length = u32::from(header.length());
    let content = match length {
        // IPv6 jumbograms (RFC 2675 §4) and segmentation offload.
        0 => rest,
        1..HEADER => return Err(Stop::Bad(Trouble::UdpLength)),
        _ => {
            if length > view.wire && envelope.fragment.is_none() {
                envelope.trouble = Some(Trouble::UdpBeyondDatagram);
            }
            rest.keep(length - HEADER)
        }
    };
    Ok(((header.source_port(), header.destination_port()), content))
}

#[cfg(test)]
mod tests {
    use crate::packet::Body;
    use crate::packet::samples::{decode, udp4};

    #[test]
    fn lengths_are_compared() {
        let rows = [
            ("as sent", [0, 13], Some(5), 0),
            ("shorter", [0, 10], Some(2), 0),
            ("unknown", [0, 0], Some(5), 0),
            ("empty", [0, 8], Some(0), 0),
            ("below its header", [0, 7], None, 1),
            ("beyond its datagram", [1, 0], Some(5), 1),
        ];
        for (name, field, expected, problems) in rows {
            let mut packet = udp4(7, 8, b"hello");
            packet[24..26].copy_from_slice(&field);
            let decoded = decode(101, &[packet]);
            let found = decoded.packets.first().map(|packet| match packet.body {
                Body::Udp(payload) => payload.length,
                _ => u32::MAX,
            });
            assert_eq!((found, decoded.problems().len()), (expected, problems), "{name}");
        }
    }
}
