//! Link types: what the first byte of a captured frame means (`LINKTYPE_…` of <https://www.tcpdump.org/linktypes.html>).

pub(super) mod apple;
pub(super) mod cooked;
pub(super) mod ethernet;
pub(super) mod legacy;
pub(super) mod netfilter;
pub(super) mod ppp;
pub(super) mod wifi;

use crate::capture::LinkType;
use crate::packet::envelope::Envelope;
use crate::packet::layer::{Layer, Peeled, Stop, Wifi};
use crate::packet::tally::{Other, Trouble};
use crate::packet::view::View;

/// Takes the recorder's own header, where the link type has one, and says what follows.
pub(super) fn begin<'a>(envelope: &mut Envelope, link: LinkType, view: View<'a>) -> Peeled<'a> {
    match link.0 {
        0 | 108 => cooked::family(view),
        1 => ethernet::frame(envelope, view),
        6 => legacy::token_ring(envelope, view),
        7 | 129 => legacy::arcnet(link, view),
        8 => legacy::slip(envelope, view),
        9 | 50 => Ok((Layer::Ppp, view)),
        10 => legacy::fddi(envelope, view),
        // 12 and 14 are what BSDs write for 101.
        12 | 14 | 101 => Ok((Layer::Ip, view)),
        51 => ppp::session(view),
        100 => Ok((Layer::Llc, view)),
        104 => Ok((Layer::CiscoHdlc, view)),
        105 => Ok((Layer::Wifi(Wifi::default()), view)),
        106 => legacy::classical_ip(view),
        107 => Ok((Layer::FrameRelay, view)),
        109 => cooked::enc(view),
        113 => cooked::linux(envelope, view),
        117 => cooked::pflog(view),
        119 => wifi::prism(view),
        122 => legacy::fibre_channel(view),
        123 => legacy::sun_atm(view),
        127 => wifi::radiotap(view),
        138 => legacy::firewire(view),
        149 | 258 => apple::packet_tap(view),
        163 => wifi::avs(view),
        178 => legacy::juniper_ethernet(view),
        192 => wifi::per_packet_information(view),
        // One byte of direction before the frame.
        204 => Ok((Layer::Ppp, view.skip(1)?)),
        205 => Ok((Layer::CiscoHdlc, view.skip(1)?)),
        206 => Ok((Layer::FrameRelay, view.skip(1)?)),
        228 => Ok((Layer::Ipv4, view)),
        229 => Ok((Layer::Ipv6, view)),
        239 => netfilter::log(view),
        // A recorder's header of four bytes (Hilscher netANALYZER), and eight of preamble in the second.
        240 => Ok((Layer::Ethernet, view.skip(4)?)),
        241 => Ok((Layer::Ethernet, view.skip(12)?)),
        242 => legacy::infiniband(view),
        253 => netfilter::netlink(view),
        276 => cooked::linux_2(envelope, view),
        _ => Err(Stop::Other(Other::LinkType(link))),
    }
}

/// What an address family of BSD, macOS, Linux or Windows means; none where it is neither IPv4 nor IPv6.
pub(super) fn address_family(family: u32) -> Option<Layer> {
    match family {
        2 => Some(Layer::Ipv4),
        // Linux; Windows; NetBSD, OpenBSD and BSD/OS; FreeBSD; macOS.
        10 | 23 | 24 | 28 | 30 => Some(Layer::Ipv6),
        _ => None,
    }
}

/// A header whose first four bits decide, or an error naming the tunnel.
pub(super) fn ip_or(view: View<'_>, otherwise: Other) -> Peeled<'_> {
    match view.byte(0)? >> 4 {
        4 => Ok((Layer::Ipv4, view)),
        6 => Ok((Layer::Ipv6, view)),
        _ => Err(Stop::Other(otherwise)),
    }
}

/// A header that breaks its own rules.
pub(super) fn malformed<T>() -> Result<T, Stop> {
    Err(Stop::Bad(Trouble::ShortHeader))
}
