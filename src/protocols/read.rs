//! Reading numbers and fields out of octets that may end anywhere.

use std::ops::Range;

/// Walks over octets; every read is `None` once they are used up, and then takes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Octets<'b> {
    rest: &'b [u8],
}

impl<'b> Octets<'b> {
    /// Over these octets.
    pub fn new(octets: &'b [u8]) -> Self {
        Self { rest: octets }
    }

    /// What is left.
    pub fn rest(&self) -> &'b [u8] {
        self.rest
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `length` octets.
    pub fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// The next octet.
    pub fn u8(&mut self) -> Option<u8> {
        self.number(1).map(|number| number as u8)
    }

    /// The next two octets, the high one first.
    pub fn u16(&mut self) -> Option<u16> {
        self.number(2).map(|number| number as u16)
    }

    /// The next three octets, the high one first.
    pub fn u24(&mut self) -> Option<u32> {
        self.number(3).map(|number| number as u32)
    }

    /// The next four octets, the high one first.
    pub fn u32(&mut self) -> Option<u32> {
        self.number(4).map(|number| number as u32)
    }

    /// Octets behind their own length of one octet.
    pub fn counted8(&mut self) -> Option<&'b [u8]> {
        self.counted(1)
    }

    /// Octets behind their own length of two octets.
    pub fn counted16(&mut self) -> Option<&'b [u8]> {
        self.counted(2)
    }

    /// Octets behind their own length of three octets.
    pub fn counted24(&mut self) -> Option<&'b [u8]> {
        self.counted(3)
    }

    fn counted(&mut self, width: usize) -> Option<&'b [u8]> {
        let before = *self;
        let taken = self.number(width).and_then(|length| self.take(usize::try_from(length).ok()?));
        if taken.is_none() {
            *self = before;
        }
        taken
    }

    fn number(&mut self, width: usize) -> Option<u64> {
        Some(self.take(width)?.iter().fold(0, |number, octet| number << 8 | u64::from(*octet)))
    }
}

/// Walks over octets like [`Octets`], and tells where each thing stands.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'b> {
    octets: Octets<'b>,
    /// Where the last octet ends.
    end: usize,
}

impl<'b> Cursor<'b> {
    /// Over these octets, of which the first stands at `at`.
    pub fn new(octets: &'b [u8], at: usize) -> Self {
        Self { octets: Octets::new(octets), end: at + octets.len() }
    }

    /// Where the next octet stands.
    pub fn at(&self) -> usize {
        self.end - self.octets.rest().len()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// The next `length` octets.
    pub fn take(&mut self, length: usize) -> Option<(&'b [u8], Range<usize>)> {
        let at = self.at();
        Some((self.octets.take(length)?, at..at + length))
    }

    /// The number in the next `width` octets, the high one first.
    pub fn number(&mut self, width: usize) -> Option<(u64, Range<usize>)> {
        let at = self.at();
        Some((self.octets.number(width)?, at..at + width))
    }

    /// The next `length` octets as a walk of their own.
    pub fn inner(&mut self, length: usize) -> Option<Self> {
        let (octets, at) = self.take(length)?;
        Some(Self::new(octets, at.start))
    }

    /// All that is left.
    pub fn rest(&mut self) -> (&'b [u8], Range<usize>) {
        let (at, rest) = (self.at(), self.octets.rest());
        self.octets = Octets::new(&[]);
        let range = at..self.end;
        (rest, range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_stop_at_the_end() {
        let mut octets = Octets::new(&[1, 0, 2, 9, 9, 7]);
        assert_eq!(octets.u8(), Some(1));
        assert_eq!(octets.counted16(), Some(&[9, 9][..]));
        assert_eq!(octets.u16(), None);
        assert_eq!(octets.counted8(), None);
        assert_eq!(octets.u8(), Some(7), "a read that fails takes nothing");
        assert!(octets.is_empty());
    }
}
