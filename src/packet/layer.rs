//! What the next bytes of a frame are taken for, and why reading may stop.

use etherparse::{EtherType, IpNumber};

use crate::capture::LinkType;
use crate::packet::tally::{Other, Trouble};
use crate::packet::view::View;

/// The header that begins at a [`View`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// The link layer of a capture file.
    Link(LinkType),
    /// Ethernet II or IEEE 802.3.
    Ethernet,
    /// What an Ethernet type names; up to 1500 it is a length and an LLC header follows.
    EtherType(EtherType),
    /// IEEE 802.2 logical link control.
    Llc,
    /// IEEE 802.11 without any header of the recorder.
    Wifi(Wifi),
    /// PPP, with or without the address and control bytes of HDLC.
    Ppp,
    /// Cisco's HDLC.
    CiscoHdlc,
    /// Frame relay with a two-byte address.
    FrameRelay,
    /// IPv4 or IPv6, as the first four bits say.
    Ip,
    /// IPv4 only.
    Ipv4,
    /// IPv6 only.
    Ipv6,
    /// What an IP header names as its content.
    IpProtocol(IpNumber),
    /// A fragment, as noted in the envelope.
    Fragment,
    /// A label stack.
    Mpls,
    /// Generic routing encapsulation.
    Gre,
    /// VXLAN, and its generic protocol extension where `generic`.
    Vxlan {
        /// Whether the header names what follows.
        generic: bool,
    },
    /// GENEVE.
    Geneve,
    /// GTP for user data, versions 0 and 1.
    Gtp,
    /// IPv6 through NATs.
    Teredo,
    /// L2TP version 2 over UDP.
    L2tp,
    /// LISP data.
    Lisp,
    /// `TaZmen` Sniffer Protocol: a frame sent to a recorder.
    Tzsp,
    /// `AYIYA`, an IPv6 tunnel.
    Ayiya,
    /// Network service header.
    Nsh,
    /// CAPWAP data between access point and controller.
    Capwap,
}

/// How an 802.11 header was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wifi {
    /// Whether it is padded to a multiple of four.
    pub(super) padded: bool,
    /// Whether the two bytes of frame control stand the other way round.
    pub(super) swapped: bool,
}

/// Why the reading of a frame ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The recorder cut the frame inside a header.
    Cut,
    /// A header is longer than the bytes that are there by the lengths told before.
    Short,
    /// A header breaks its own rules.
    Bad(Trouble),
    /// Something that is not understood here, or not for sessions.
    Other(Other),
    /// All is said.
    Done,
}

/// The next header and where it begins, or why there is none.
pub(super) type Peeled<'a> = Result<(Layer, View<'a>), Stop>;
