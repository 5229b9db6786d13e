//! Which packets carried the bytes that a dissector is looking at.

use std::collections::VecDeque;

use crate::events::Extent;
use crate::stream::receiver::Origin;

/// The packets of one side's bytes that were not yet taken, and of the last ones taken.
#[derive(Debug, Default)]
pub(super) struct Provenance {
    pieces: VecDeque<Piece>,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    start: u64,
    end: u64,
    from: Origin,
}

impl Provenance {
    /// Bytes from `start` on came from this packet.
    pub(super) fn note(&mut self, start: u64, length: u64, from: Origin) {
        if let Some(last) = self.pieces.back_mut()
            && last.from.order == from.order
            && last.end == start
        {
            last.end += length;
            return;
        }
        self.pieces.push_back(Piece { start, end: start + length, from });
    }

    /// Nobody will ask for bytes before this again, but for the very last one.
    pub(super) fn forget_before(&mut self, offset: u64) {
        while self.pieces.len() > 1 && self.pieces.front().is_some_and(|piece| piece.end < offset.max(1)) {
            self.pieces.pop_front();
        }
    }

    /// Nobody will ask for any byte that is known so far.
    pub(super) fn forget(&mut self) {
        self.pieces.clear();
    }

    /// The place in the run of the first packet that is still known.
    pub(super) fn first_order(&self) -> Option<u64> {
        self.pieces.front().map(|piece| piece.from.order)
    }

    /// Bytes from this offset on, piece by piece: start, end, and the packet.
    pub(super) fn since(&self, offset: u64) -> impl Iterator<Item = (u64, u64, Origin)> {
        let known = self.pieces.iter().filter(move |piece| piece.end > offset);
        known.map(move |piece| (piece.start.max(offset), piece.end, piece.from))
    }

    /// Where the bytes of the packet that carried this byte begin, and that packet.
    pub(super) fn piece(&self, offset: u64) -> Option<(u64, Origin)> {
        let mut pieces = self.pieces.iter();
        let piece = pieces.rfind(|piece| piece.start <= offset && offset < piece.end)?;
        Some((piece.start, piece.from))
    }

    /// The packets of these bytes, and the one with the last of them. Where they are not known (a gap), `else_from`.
    pub(super) fn resolve(&self, start: u64, length: u64, else_from: Origin) -> (Extent, Origin) {
        let end = start + length.max(1);
        let first = self.pieces.iter().find(|piece| piece.end > start);
        let last = self.pieces.iter().rev().find(|piece| piece.start < end).or(first);
        let first = first.or(last).map_or(else_from, |piece| piece.from);
        let last = last.map_or(else_from, |piece| piece.from);
        // What had to wait for a repetition rests on both: the earlier frame is cited first.
        let (low, high) = if first.at <= last.at { (first, last) } else { (last, first) };
        (Extent { first: low.at, last: high.at, start, length }, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::PacketRef;
    use crate::time::Timestamp;

    fn origin(number: u64) -> Origin {
        Origin {
            at: PacketRef { number, ..PacketRef::default() },
            time: Timestamp(number as i64),
            order: number,
        }
    }

    fn numbers(provenance: &Provenance, start: u64, length: u64) -> (u64, u64) {
        let (extent, _) = provenance.resolve(start, length, origin(99));
        (extent.first.number, extent.last.number)
    }

    #[test]
    fn bytes_lead_back_to_their_packets() {
        let mut provenance = Provenance::default();
        assert_eq!(numbers(&provenance, 0, 5), (99, 99));
        provenance.note(0, 10, origin(1));
        provenance.note(10, 10, origin(2));
        provenance.note(20, 10, origin(5));
        assert_eq!(numbers(&provenance, 0, 10), (1, 1));
        assert_eq!(numbers(&provenance, 9, 2), (1, 2));
        assert_eq!(numbers(&provenance, 5, 20), (1, 5));
        provenance.forget_before(20);
        assert_eq!(numbers(&provenance, 20, 1), (5, 5));
        assert_eq!(numbers(&provenance, 19, 1), (2, 2), "the packet of the last byte taken is still known");
    }

    #[test]
    fn a_repetition_that_filled_a_hole_is_cited_with_what_waited_for_it() {
        let mut provenance = Provenance::default();
        provenance.note(0, 10, origin(9));
        provenance.note(10, 10, origin(4));
        assert_eq!(numbers(&provenance, 0, 20), (4, 9));
    }
}
