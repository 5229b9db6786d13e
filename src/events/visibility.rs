//! What of a connection we could not see. No claim that "nothing came" is made without asking here.

use crate::events::side::{PerSide, Side};
use crate::time::Span;

/// Which directions the capture holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sight {
    /// Both.
    #[default]
    Both,
    /// At least five segments of the client and none of the server.
    ClientOnly,
    /// At least five segments of the server and none of the client.
    ServerOnly,
}

/// Bytes of one side that are not in the capture, as offsets of its stream (0 is the first byte after SYN, or
/// the first byte seen).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Whose bytes.
    pub side: Side,
    /// First missing byte.
    pub start: u64,
    /// How many.
    pub length: u64,
    /// Whether the other side acknowledged them: then the capture lost them, not the network.
    pub acknowledged: bool,
    /// Number of the packet at which it was noticed.
    pub noticed: u64,
}

/// What we could not see of one connection (`domain.md` C.4).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Visibility {
    /// It began before the capture, or its SYN was lost.
    pub began_before: bool,
    /// The capture stopped while it lived.
    pub ended_after: bool,
    /// Which directions were seen.
    pub sight: Sight,
    /// Holes that were never filled; the first of them, bounded.
    pub gaps: Vec<Gap>,
    /// All holes, the listed ones included.
    pub gap_count: u32,
    /// Bytes in holes, each side.
    pub gap_bytes: PerSide<u64>,
    /// Segments whose payload was cut by the recorder.
    pub snapped: u32,
    /// Segments recorded twice (mirror ports); the second copy is not counted in the semantic figures.
    pub duplicates: u32,
    /// Acknowledged bytes never seen ÷ acknowledged bytes; 0 where nothing was acknowledged.
    pub loss_ratio: f64,
    /// Time from its last frame to the end of its capture (or to its 4-tuple's next use).
    pub tail: Span,
    /// State was given up to stay within a bound; figures after that point are missing.
    pub evicted: bool,
}
