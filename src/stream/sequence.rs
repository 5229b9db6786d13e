//! 32-bit sequence numbers to 64-bit stream offsets.

use super::pack::packed;

/// A jump further than this without a SYN is no progress of the same stream (`domain.md` C.8).
const JUMP: i64 = 1 << 30;

/// Where one direction's stream begins and how far it has come.
///
/// Offset 0 is the first payload byte after the SYN, or the first byte seen where the SYN was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    origin: u32,
    highest: u64,
}

packed!(Sequence { origin, highest });

impl Sequence {
    /// A stream whose first payload byte has this sequence number.
    pub fn starting_at(origin: u32) -> Self {
        Self { origin, highest: 0 }
    }

    /// One past the highest payload byte sent so far.
    pub fn highest(&self) -> u64 {
        self.highest
    }

    /// The offset of a sequence number, taken as near to the highest one as 32 bits allow; negative before the
    /// stream's beginning. None where it is too far away to belong to this stream.
    pub fn offset(&self, seq: u32) -> Option<i64> {
        let here = self.origin.wrapping_add(self.highest as u32);
        let distance = i64::from(seq.wrapping_sub(here) as i32);
        (distance.abs() <= JUMP).then(|| self.highest as i64 + distance)
    }

    /// Tells that bytes up to `end` were sent.
    pub fn advance(&mut self, end: u64) {
        self.highest = self.highest.max(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_go_on_over_the_wrap() {
        let mut sequence = Sequence::starting_at(u32::MAX - 9);
        assert_eq!(sequence.offset(u32::MAX - 10), Some(-1));
        sequence.advance(10);
        assert_eq!(sequence.offset(0), Some(10));
        assert_eq!(sequence.offset(u32::MAX), Some(9));
        for step in 1..=9u64 {
            sequence.advance(step << 29);
        }
        assert_eq!(
            sequence.offset((u32::MAX - 9).wrapping_add(7)),
            Some((12 << 29) + 7 - (12 << 29) % (1 << 32))
        );
    }

    #[test]
    fn a_far_jump_is_not_this_stream() {
        let sequence = Sequence::starting_at(1000);
        assert_eq!(sequence.offset(1000 + (1 << 31) - 1), None);
        assert_eq!(sequence.offset(1000 + (1 << 30)), Some(1 << 30));
    }
}
