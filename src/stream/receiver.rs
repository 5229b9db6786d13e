//! What a connection tells whoever listens to it: its bytes in order, its holes, and what its transport does.

use super::reassembly::Piece;
use super::wireshark::{Flags, WiresharkStream};
use crate::events::{ConnectionKey, Side};
use crate::packet::{Endpoint, Packet};
use crate::place::PacketRef;
use crate::time::Timestamp;

/// A packet as the place and time of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin {
    /// The frame.
    pub at: PacketRef,
    /// Its time.
    pub time: Timestamp,
    /// Its place in the run.
    pub order: u64,
}

/// What is heard of a connection, in order.
#[derive(Debug, Clone, Copy)]
pub enum Heard<'p> {
    /// A SYN, or a SYN-ACK where `answer`; only the first of each.
    Syn {
        /// Whether it is a SYN-ACK.
        answer: bool,
    },
    /// The next bytes of this side, from an offset on; `from` is the packet that carried them.
    Bytes {
        /// Offset of the first one.
        offset: u64,
        /// The bytes.
        bytes: &'p [u8],
        /// The packet that carried them: not the present one where they had to wait for a hole.
        from: Origin,
    },
    /// Bytes of this side that are not in the capture.
    Missing {
        /// Offset of the first one.
        offset: u64,
        /// How many.
        length: u64,
        /// Whether the recorder cut them off a frame that it kept.
        cut: bool,
    },
    /// This side's first FIN was seen. Bytes before it may still be missing.
    Fin,
    /// All bytes before this side's FIN were heard (or are missing).
    Closed,
    /// This side's first RST.
    Reset,
    /// A keep-alive probe of the transport.
    Probe,
    /// The answer to one.
    ProbeAnswer,
    /// Nothing more can be heard of either side.
    Over,
}

/// Who a receiver hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parties {
    /// The connection's name.
    pub key: ConnectionKey,
    /// Who asks.
    pub client: Endpoint,
    /// Who is asked.
    pub server: Endpoint,
    /// Whether the connection was heard from its beginning.
    pub from_start: bool,
}

/// A segment as it was counted, before what it carries is heard.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'p> {
    /// The packet.
    pub packet: &'p Packet,
    /// Its place in the run.
    pub order: u64,
    /// Key of its `tcp.stream`; none where tshark gives it no number.
    pub stream_key: Option<u64>,
    /// Whose it is, as far as is known by now.
    pub side: Side,
    /// The flags that tshark gives it; none where tshark does not analyse it.
    pub flags: Option<Flags>,
    /// The stream with this segment in it.
    pub stream: &'p WiresharkStream,
}

/// Listens to one connection.
pub trait Receiver: Default + std::fmt::Debug {
    /// Where what it makes of it goes.
    type Sink: Default + std::fmt::Debug + Send;

    /// Whether bytes that have to wait are worth a copy.
    fn wants_bytes(&self) -> bool;

    /// Whether it is in the middle of nothing, so that its connection may be put away for a while.
    fn may_rest(&self) -> bool {
        true
    }

    /// A segment was counted. Whoever tells of single packets asks for it; the analysis does not.
    fn counted(&mut self, _segment: &Counted<'_>, _parties: &Parties, _sink: &mut Self::Sink) {}

    /// Something of a side is heard; `now` is the packet at hand.
    fn hear(&mut self, side: Side, heard: Heard<'_>, now: Origin, parties: &Parties, sink: &mut Self::Sink);
}

/// How one segment reaches a listener.
pub struct Ear<'e> {
    /// The packet at hand.
    pub now: Origin,
    /// Whether bytes that have to wait are worth a copy.
    pub wanted: bool,
    /// Who listens.
    pub listener: &'e mut dyn FnMut(Side, Heard<'_>),
}

impl Ear<'_> {
    /// Something is heard.
    pub fn hear(&mut self, side: Side, heard: Heard<'_>) {
        (self.listener)(side, heard);
    }

    /// What reassembly hands on is heard.
    pub(super) fn piece(&mut self, side: Side, piece: Piece<'_>) {
        self.hear(
            side,
            match piece {
                Piece::Bytes(offset, bytes, from) => {
                    Heard::Bytes { offset, bytes, from: from.unwrap_or(self.now) }
                }
                Piece::Unseen(offset, length) => Heard::Missing { offset, length, cut: true },
                Piece::Gap(offset, length) => Heard::Missing { offset, length, cut: false },
            },
        );
    }
}

/// Listens to nothing: connections alone.
#[derive(Debug, Default, Clone, Copy)]
pub struct Deaf;

impl Receiver for Deaf {
    type Sink = ();

    fn wants_bytes(&self) -> bool {
        false
    }

    fn hear(&mut self, _: Side, _: Heard<'_>, _: Origin, _: &Parties, (): &mut ()) {}
}
