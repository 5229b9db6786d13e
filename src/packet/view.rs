//! A view of bytes still to be read: those captured, and how many there were on the wire.

use crate::capture::Slice;
use crate::packet::Payload;
use crate::packet::layer::Stop;

/// The rest of a frame (or of a datagram put together) from some header on.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// The captured bytes.
    pub(super) bytes: &'a [u8],
    /// Position of the first of them in the buffer that was given to the decoder.
    pub(super) offset: u32,
    /// How many bytes there were on the wire; never fewer than `bytes`.
    pub(super) wire: u32,
}

impl<'a> View<'a> {
    /// All captured bytes of a frame that had `wire` bytes.
    pub(super) fn new(bytes: &'a [u8], wire: u32) -> Self {
        Self { bytes, offset: 0, wire: wire.max(bytes.len() as u32) }
    }

    /// What lies behind the next `count` bytes.
    #[inline]
    pub(super) fn skip(self, count: usize) -> Result<Self, Stop> {
        let Some(bytes) = self.bytes.get(count..) else { return Err(self.missing(count)) };
        Ok(Self { bytes, offset: self.offset + count as u32, wire: self.wire - count as u32 })
    }

    /// Only the next `wire` bytes; all of them where there are fewer.
    #[inline]
    pub(super) fn keep(self, wire: u32) -> Self {
        let bytes = self.bytes.get(..wire as usize).unwrap_or(self.bytes);
        Self { bytes, offset: self.offset, wire: wire.min(self.wire) }
    }

    /// The next `N` bytes, at the front.
    #[inline]
    pub(super) fn head<const N: usize>(self) -> Result<&'a [u8; N], Stop> {
        self.bytes.first_chunk().ok_or_else(|| self.missing(N))
    }

    /// The `N` bytes at `at`.
    #[inline]
    pub(super) fn array<const N: usize>(self, at: usize) -> Result<[u8; N], Stop> {
        let found = self.bytes.get(at..).and_then(<[u8]>::first_chunk).copied();
        found.ok_or_else(|| self.missing(at + N))
    }

    /// The byte at `at`.
    #[inline]
    pub(super) fn byte(self, at: usize) -> Result<u8, Stop> {
        self.bytes.get(at).copied().ok_or_else(|| self.missing(at + 1))
    }

    /// The big-endian 16-bit number at `at`.
    #[inline]
    pub(super) fn be16(self, at: usize) -> Result<u16, Stop> {
        self.array(at).map(u16::from_be_bytes)
    }

    /// The big-endian 32-bit number at `at`.
    #[inline]
    pub(super) fn be32(self, at: usize) -> Result<u32, Stop> {
        self.array(at).map(u32::from_be_bytes)
    }

    /// The little-endian 16-bit number at `at`.
    pub(super) fn le16(self, at: usize) -> Result<u16, Stop> {
        self.array(at).map(u16::from_le_bytes)
    }

    /// The little-endian 32-bit number at `at`.
    pub(super) fn le32(self, at: usize) -> Result<u32, Stop> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// Whether the recorder kept fewer bytes than there were.
    pub(super) fn is_cut(self) -> bool {
        (self.bytes.len() as u64) < u64::from(self.wire)
    }

    /// All of it as a payload whose buffer was placed at `place`.
    #[inline]
    pub(super) fn payload(self, place: Slice) -> Payload {
        Payload {
            captured: Slice {
                buffer: place.buffer,
                start: place.start.saturating_add(self.offset),
                length: self.bytes.len() as u32,
            },
            frame_offset: self.offset,
            length: self.wire,
        }
    }

    /// Why `count` bytes are not there: the recorder cut them, or they never were.
    #[cold]
    fn missing(self, count: usize) -> Stop {
        if count as u64 <= u64::from(self.wire) { Stop::Cut } else { Stop::Short }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_tells_cut_from_short() {
        let view = View::new(&[1, 2, 3, 4], 6);
        assert_eq!(view.be16(2), Ok(0x0304));
        assert_eq!(view.be32(2), Err(Stop::Cut));
        assert_eq!(view.be32(3), Err(Stop::Short));
        assert_eq!(view.keep(4).be32(1), Err(Stop::Short));
    }

    #[test]
    fn skipping_moves_both_lengths() {
        let view = View::new(&[1, 2, 3, 4], 6).skip(3).unwrap();
        assert_eq!((view.bytes, view.offset, view.wire), (&[4][..], 3, 3));
        assert!(view.is_cut());
        assert!(!view.keep(1).is_cut());
        assert_eq!(view.skip(2).unwrap_err(), Stop::Cut);
    }

    #[test]
    fn a_payload_lies_where_its_buffer_lies() {
        let place = Slice { buffer: 2, start: 100, length: 4 };
        let payload = View::new(&[1, 2, 3, 4], 9).skip(1).unwrap().payload(place);
        assert_eq!(payload.captured, Slice { buffer: 2, start: 101, length: 3 });
        assert_eq!((payload.frame_offset, payload.length), (1, 8));
    }
}
