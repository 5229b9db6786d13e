//! IPv4 and IPv6 headers and the extension headers of IPv6 (RFC 791, RFC 8200, RFC 4302).

use std::net::IpAddr;

use etherparse::err::{ipv4, ipv6};
use etherparse::{IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice};

use crate::packet::IpFacts;
use crate::packet::envelope::{Envelope, FragmentPlace};
use crate::packet::layer::{Layer, Peeled, Stop};
use crate::packet::tally::{Other, Trouble};
use crate::packet::view::View;

/// Either version, by the first four bits.
pub(super) fn either(view: View<'_>) -> Peeled<'_> {
    match view.byte(0)? >> 4 {
        4 => Ok((Layer::Ipv4, view)),
        6 => Ok((Layer::Ipv6, view)),
        _ => Err(Stop::Bad(Trouble::IpVersion)),
    }
}

/// An IPv4 header.
#[inline]
pub(super) fn v4<'a>(envelope: &mut Envelope, view: View<'a>) -> Peeled<'a> {
    let header = Ipv4HeaderSlice::from_slice(view.bytes).map_err(|error| match error {
        ipv4::HeaderSliceError::Len(length) => missing(view, length.required_len),
        ipv4::HeaderSliceError::Content(ipv4::HeaderError::UnexpectedVersion { .. }) => {
            Stop::Bad(Trouble::IpVersion)
        }
        ipv4::HeaderSliceError::Content(ipv4::HeaderError::HeaderLengthSmallerThanHeader { .. }) => {
            Stop::Bad(Trouble::IpHeaderLength)
        }
    })?;
    let (length, total) = (header.slice().len(), u32::from(header.total_len()));
    // Segmentation offload hands the recorder packets larger than 65,535 bytes with a total length of 0.
    if total != 0 && (total as usize) < length {
        return Err(Stop::Bad(Trouble::IpTotalLength));
    }
    if total > view.wire {
        envelope.trouble = Some(Trouble::IpBeyondFrame);
    }
    let whole = if total == 0 { view } else { view.keep(total) };
    envelope.false_checksum = envelope.false_checksum.saturating_sub(view.wire - whole.wire);
    let payload = whole.skip(length)?;
    envelope.ip = IpFacts {
        ttl: header.ttl(),
        traffic_class: header.dcp().value() << 2 | header.ecn().value(),
        id: header.identification(),
        v6: false,
        dont_fragment: header.dont_fragment(),
    };
    envelope.source = IpAddr::V4(header.source_addr());
    envelope.destination = IpAddr::V4(header.destination_addr());
    let protocol = header.protocol();
    if header.is_fragmenting_payload() {
        let place = FragmentPlace {
            id: u32::from(header.identification()),
            protocol,
            offset: u32::from(header.fragments_offset().value()) * 8,
            more: header.more_fragments(),
        };
        return fragment(envelope, place, payload);
    }
    Ok((Layer::IpProtocol(protocol), payload))
}

/// An IPv6 header.
pub(super) fn v6<'a>(envelope: &mut Envelope, view: View<'a>) -> Peeled<'a> {
    let header = Ipv6HeaderSlice::from_slice(view.bytes).map_err(|error| match error {
        ipv6::HeaderSliceError::Len(length) => missing(view, length.required_len),
        ipv6::HeaderSliceError::Content(_) => Stop::Bad(Trouble::IpVersion),
    })?;
    let rest = view.skip(header.slice().len())?;
    let length = u32::from(header.payload_length());
    if length > rest.wire {
        envelope.trouble = Some(Trouble::IpBeyondFrame);
    }
    // A payload length of 0 means a jumbogram (RFC 2675) or segmentation offload.
    let payload = if length == 0 { rest } else { rest.keep(length) };
    envelope.false_checksum = envelope.false_checksum.saturating_sub(rest.wire - payload.wire);
    envelope.ip = IpFacts {
        ttl: header.hop_limit(),
        traffic_class: header.traffic_class(),
        id: 0,
        v6: true,
        dont_fragment: false,
    };
    envelope.source = IpAddr::V6(header.source_addr());
    envelope.destination = IpAddr::V6(header.destination_addr());
    Ok((Layer::IpProtocol(header.next_header()), payload))
}

/// What an IP header names, other than TCP, UDP and ICMP.
pub(super) fn content<'a>(envelope: &mut Envelope, protocol: IpNumber, view: View<'a>) -> Peeled<'a> {
    match protocol {
        IpNumber::IPV4 => Ok((Layer::Ipv4, view)),
        IpNumber::IPV6 => Ok((Layer::Ipv6, view)),
        IpNumber::GRE => Ok((Layer::Gre, view)),
        IpNumber::MPLS_IN_IP => Ok((Layer::Mpls, view)),
        // EtherIP (RFC 3378): four bits of version, twelve reserved.
        IpNumber::ETHER_IP => Ok((Layer::Ethernet, view.skip(2)?)),
        IpNumber::IPV6_FRAGMENTATION_HEADER => {
            let header = Ipv6FragmentHeaderSlice::from_slice(view.bytes)
                .map_err(|length| missing(view, length.required_len))?;
            let payload = view.skip(header.slice().len())?;
            if !header.is_fragmenting_payload() {
                // An atomic fragment (RFC 6946) stands alone.
                return Ok((Layer::IpProtocol(header.next_header()), payload));
            }
            let place = FragmentPlace {
                id: header.identification(),
                protocol: header.next_header(),
                offset: u32::from(header.fragment_offset().value()) * 8,
                more: header.more_fragments(),
            };
            fragment(envelope, place, payload)
        }
        _ => match extension(protocol, view)? {
            Some((next, rest)) => Ok((Layer::IpProtocol(next), rest)),
            None => Err(Stop::Other(Other::ip_protocol(protocol))),
        },
    }
}

/// What follows an extension header that is not a fragment header; none where `protocol` is no such header.
pub(super) fn extension(protocol: IpNumber, view: View<'_>) -> Result<Option<(IpNumber, View<'_>)>, Stop> {
    let length = |units: u8| match protocol {
        IpNumber::IPV6_HEADER_HOP_BY_HOP
        | IpNumber::IPV6_ROUTE_HEADER
        | IpNumber::IPV6_DESTINATION_OPTIONS
        | IpNumber::MOBILITY_HEADER
        | IpNumber::HIP
        | IpNumber::SHIM6 => Some((usize::from(units) + 1) * 8),
        // In units of four bytes, less two (RFC 4302 §2.2).
        IpNumber::AUTHENTICATION_HEADER => Some((usize::from(units) + 2) * 4),
        _ => None,
    };
    if length(0).is_none() {
        return Ok(None);
    }
    let [next, units] = view.array(0)?;
    length(units).map(|length| Ok((IpNumber(next), view.skip(length)?))).transpose()
}

/// A part of a datagram: to be put together, or, where the recorder cut it, looked into as it is.
fn fragment<'a>(envelope: &mut Envelope, place: FragmentPlace, payload: View<'a>) -> Peeled<'a> {
    envelope.fragment = Some(place);
    if !payload.is_cut() {
        Ok((Layer::Fragment, payload))
    } else if place.offset == 0 {
        Ok((Layer::IpProtocol(place.protocol), payload))
    } else {
        Err(Stop::Other(Other::Fragment))
    }
}

/// Why `needed` bytes are not in `view`.
#[cold]
fn missing(view: View<'_>, needed: usize) -> Stop {
    view.skip(needed).err().unwrap_or(Stop::Short)
}
