//! Which frames, and which bytes of a stream, an event rests on.

use crate::place::PacketRef;

/// The first and the last frame of a message, and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// The frame with its first byte.
    pub first: PacketRef,
    /// The frame with its last byte.
    pub last: PacketRef,
    /// Offset of its first byte in the stream of its side.
    pub start: u64,
    /// How many bytes it has there.
    pub length: u64,
}
