//! What went wrong on the way of a connection, kept for those who look for causes: most connections have none of it.

use std::net::IpAddr;

use crate::events::side::{PerSide, Side};
use crate::place::PacketRef;
use crate::time::{Span, Timestamp};

/// A frame and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The frame.
    pub at: PacketRef,
    /// Its time.
    pub time: Timestamp,
}

/// What went wrong on the way of one connection.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trouble {
    /// The last ICMP error about it.
    pub icmp: Option<IcmpFacts>,
    /// The longest time in which one side repeated itself and nothing at all came back.
    pub stall: Option<Stall>,
    /// Where another capture holds its first SYN again, by another clock or far along the path; that capture's copies
    /// are left out.
    pub recorded_again: Option<Mark>,
    /// What one direction suffered.
    pub sides: PerSide<SideTrouble>,
}

impl Trouble {
    /// Whether there is nothing to tell.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// An ICMP or ICMPv6 error (RFC 792, RFC 4443).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcmpFacts {
    /// Who says so.
    pub from: IpAddr,
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Next-hop MTU of "packet too big", where the router names it.
    pub mtu: Option<u32>,
    /// Where.
    pub mark: Mark,
    /// Whose packet it quotes.
    pub about: Side,
    /// Whether the other side was heard after it.
    pub contradicted: bool,
}

impl IcmpFacts {
    /// Whether the network forbids it in its own name (RFC 1812 section 5.2.7.1; RFC 4443 section 3.1).
    pub fn is_prohibited(&self) -> bool {
        match self.from {
            IpAddr::V4(_) => self.kind == 3 && matches!(self.code, 9 | 10 | 13),
            IpAddr::V6(_) => self.kind == 1 && matches!(self.code, 1 | 5 | 6),
        }
    }

    /// Whether the packet was too large for a link on the way (RFC 1191, RFC 8201).
    pub fn is_too_big(&self) -> bool {
        match self.from {
            IpAddr::V4(_) => (self.kind, self.code) == (3, 4),
            IpAddr::V6(_) => self.kind == 2,
        }
    }
}

/// One side repeated itself, and nothing at all came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// Who repeated itself.
    pub by: Side,
    /// The quiet time before the first of these segments; zero where it was not the longest of the connection.
    pub quiet: Span,
    /// The first segment without an answer.
    pub first: Mark,
    /// The last one.
    pub last: Mark,
    /// How often the oldest of them was sent.
    pub transmissions: u32,
    /// Keep-alive probes among them.
    pub probes: u32,
    /// What came at last; none where nothing ever did.
    pub ended: Option<Mark>,
}

/// What one direction suffered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SideTrouble {
    /// The longest time for which this side's receive window was closed.
    pub closed_window: Option<ClosedWindow>,
    /// The segment of this side that was sent most often.
    pub stuck: Option<Stuck>,
    /// Round trips of this side's data that were slow for a while.
    pub slow: Option<SlowTrips>,
    /// Two segments of this side with the same place and other bytes.
    pub conflict: Option<(Mark, Mark)>,
}

/// A receive window that was closed for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedWindow {
    /// For how long: until it was opened, or until the connection's last frame.
    pub span: Span,
    /// Where it was closed.
    pub closed: Mark,
    /// Where it was opened again.
    pub opened: Option<Mark>,
    /// The other side's probes of it.
    pub probes: u32,
}

/// Round trips that were slow several times in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlowTrips {
    /// What three in a row took at least.
    pub peak: Span,
    /// Repetitions of what had arrived: the acknowledgment carries the timestamp of the first copy (RFC 3522).
    pub needless: u32,
}

/// A segment that had to be sent again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stuck {
    /// Its payload in bytes.
    pub length: u32,
    /// How often it was sent.
    pub sends: u32,
    /// The first time that was seen.
    pub first: Mark,
    /// The last time.
    pub last: Mark,
    /// The largest payload of one segment of this side that is known to have arrived, in bytes.
    pub arrived: u32,
    /// Segments of the other side that came while it was repeated.
    pub heard: u32,
    /// Whether its bytes were acknowledged at last.
    pub acknowledged: bool,
}
