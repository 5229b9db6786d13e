//! Where a packet lies: files and positions in them.
//!
//! A packet is remembered as a place, never as a copy; `capture` can read the very bytes again.

use std::cmp::Ordering;

/// Index of a capture in the run's list of inputs, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileId(pub u16);

/// Where the bytes of one frame lie, and which number it has.
///
/// Ordered by [`number`](Self::number), its place in the merged timeline of all inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PacketRef {
    /// Running number in the merged timeline, from 1. With one input it equals [`frame`](Self::frame).
    pub number: u64,
    /// Offset in bytes of the frame's first byte in its (uncompressed) file.
    pub offset: u64,
    /// Number in its own file as Wireshark's `frame.number` counts, from 1.
    pub frame: u64,
    /// Captured length in bytes.
    pub length: u32,
    /// The input that holds it.
    pub file: FileId,
}

impl PartialOrd for PacketRef {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PacketRef {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.number, self.file, self.offset).cmp(&(other.number, other.file, other.offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_fits_half_a_cache_line() {
        assert_eq!(size_of::<PacketRef>(), 32);
    }
}
