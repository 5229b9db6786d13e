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
