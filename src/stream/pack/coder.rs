//! The bits and bytes of what is packed.

use super::Pack;
use crate::packet::FlowKey;
use crate::place::{FileId, PacketRef};
use crate::stream::tcp::half::Act;
use crate::time::Timestamp;

/// How many large numbers are remembered: one less than three bits can tell.
const LARGE: usize = 7;

/// Room for the acts of a usual connection.
const ACTS: usize = 16;

/// A number from here on is large: most often a sequence number, with others near to it.
pub(super) const LARGE_FROM: u32 = 1 << 20;

/// Writes values one after the other; to be used again.
///
/// What is small (is there a value, how many bytes has it) goes as bits into words, the values go as bytes behind
/// all words.
#[derive(Debug, Default)]
pub(in crate::stream) struct Packer {
    words: Vec<u64>,
    word: u64,
    /// Bits of `word` that are written.
    filled: u32,
    bytes: Vec<u8>,
    packed: Vec<u8>,
    pub(super) seen: Seen,
}

/// Reads values in the order in which they were written.
#[derive(Debug)]
pub(in crate::stream) struct Unpacker<'b> {
    words: &'b [u8],
    word: u64,
    /// Bits of `word` that are not yet read.
    left: u32,
    bytes: &'b [u8],
    pub(super) seen: Seen,
    pub(super) flow: FlowKey,
}

/// What later values are written by their distance from.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) acts: Vec<Act>,
    pub(super) time: i64,
    pub(super) large: [u32; LARGE],
    /// Which of `large` is the next to be forgotten.
    oldest: u8,
}

impl Seen {
    fn clear(&mut self) {
        let mut acts = std::mem::take(&mut self.acts);
        acts.clear();
        *self = Self { acts, ..Self::default() };
    }

    pub(super) fn last(&self) -> Act {
        let nothing = Act { at: PacketRef::default(), time: Timestamp(0) };
        self.acts.last().copied().unwrap_or(nothing)
    }

    pub(super) fn note_large(&mut self, number: u32) {
        if let Some(slot) = self.large.get_mut(usize::from(self.oldest)) {
            *slot = number;
        }
        self.oldest = (self.oldest + 1) % LARGE as u8;
    }
}

impl Packer {
    /// The packed bytes of a value: the number of words, the words, the bytes.
    pub(in crate::stream) fn packed(&mut self, value: &impl Pack) -> &[u8] {
        self.words.clear();
        (self.word, self.filled) = (0, 0);
        self.bytes.clear();
        self.seen.clear();
        value.pack(self);
        self.words.push(self.word);
        let count = self.words.len() as u32;
        self.packed.clear();
        self.packed.extend_from_slice(&count.to_le_bytes());
        for word in &self.words {
            self.packed.extend_from_slice(&word.to_le_bytes());
        }
        self.packed.extend_from_slice(&self.bytes);
        &self.packed
    }

    /// A number below 2^`count` in so many bits, for a few.
    #[inline]
    fn bits(&mut self, bits: u64, count: u32) {
        self.word |= bits << self.filled;
        self.filled += count;
        if self.filled >= u64::BITS {
            self.next_word(bits, count);
        }
    }

    #[cold]
    fn next_word(&mut self, bits: u64, count: u32) {
        self.words.push(self.word);
        self.filled -= u64::BITS;
        // What did not fit; nothing if all did.
        self.word = (bits >> 1) >> (count - 1 - self.filled);
    }

    #[inline]
    pub(super) fn bit(&mut self, bit: bool) {
        self.bits(bit.into(), 1);
    }

    /// In as few bytes as it needs; nought is one bit.
    #[inline]
    pub(super) fn number(&mut self, number: u64) {
        if number == 0 {
            self.bits(0, 1);
            return;
        }
        let more = number.ilog2() / 8;
        self.bits(u64::from(more) << 1 | 1, 4);
        let length = self.bytes.len() + 1 + more as usize;
        self.bytes.extend_from_slice(&number.to_le_bytes());
        self.bytes.truncate(length);
    }

    /// A number with a sign, which goes into the lowest bit.
    pub(super) fn signed(&mut self, number: i64) {
        self.number(zigzag(number));
    }

    /// Where a frame lies, as a distance from another.
    pub(super) fn place(&mut self, at: PacketRef, near: PacketRef) {
        self.signed(at.number.wrapping_sub(near.number) as i64);
        self.signed(at.offset.wrapping_sub(near.offset) as i64);
        // With one input both numbers are one.
        self.signed(at.frame.wrapping_sub(at.number) as i64);
        self.number(at.length.into());
        self.number(at.file.0.into());
    }
}

impl<'b> Unpacker<'b> {
    /// Unpacks a connection of this flow.
    pub(in crate::stream) fn unpacked<T: Pack>(packed: &'b [u8], flow: FlowKey) -> T {
        let (count, rest) = packed.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let length = u32::from_le_bytes(*count) as usize * 8;
        let (words, bytes) = rest.split_at_checked(length).unwrap_or_default();
        let seen = Seen { acts: Vec::with_capacity(ACTS), ..Seen::default() };
        T::unpack(&mut Self { words, word: 0, left: 0, bytes, seen, flow })
    }

    /// The next bits, as many as were written together.
    #[inline]
    fn bits(&mut self, count: u32) -> u64 {
        let mut bits = self.word;
        let before = self.left;
        if before < count {
            let (word, rest) = self.words.split_first_chunk().unwrap_or((&[0; 8], &[]));
            self.words = rest;
            self.word = u64::from_le_bytes(*word);
            self.left += u64::BITS;
            bits |= self.word << before;
            self.word = (self.word >> 1) >> (count - before - 1);
        } else {
            self.word >>= count;
        }
        self.left -= count;
        bits & ((1 << count) - 1)
    }

    #[inline]
    pub(super) fn bit(&mut self) -> bool {
        self.bits(1) != 0
    }

    #[inline]
    pub(super) fn number(&mut self) -> u64 {
        if !self.bit() {
            return 0;
        }
        let length = self.bits(3) as usize + 1;
        let (own, rest) = self.bytes.split_at_checked(length).unwrap_or_default();
        let eight = self.bytes.first_chunk().copied().unwrap_or_else(|| {
            let mut eight = [0; 8];
            eight.iter_mut().zip(own).for_each(|(to, from)| *to = *from);
            eight
        });
        self.bytes = rest;
        u64::from_le_bytes(eight) & (u64::MAX >> (u64::BITS as usize - 8 * length))
    }

    pub(super) fn signed(&mut self) -> i64 {
        unzigzag(self.number())
    }

    pub(super) fn place(&mut self, near: PacketRef) -> PacketRef {
        let number = near.number.wrapping_add(self.signed() as u64);
        let offset = near.offset.wrapping_add(self.signed() as u64);
        let frame = number.wrapping_add(self.signed() as u64);
        let length = self.number() as u32;
        PacketRef { number, offset, frame, length, file: FileId(self.number() as u16) }
    }
}

/// The sign into the lowest bit, so that small numbers stay small.
pub(super) fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

/// Undoes [`zigzag`].
pub(super) fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}
