//! Putting one direction's bytes in order: delivered in place where they come in order, copied only where they
//! must wait for a hole and somebody wants them.
//!
//! Overlaps: the first copy of a byte wins (`domain.md` C.8). Bounded by
//! [`OUT_OF_ORDER_BYTES`]; what lies beyond is declared a gap.

use super::pack::packed;
use super::receiver::Origin;
use crate::limits::OUT_OF_ORDER_BYTES;

/// What one step of reassembly hands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'p> {
    /// The next bytes of the stream, beginning at this offset; of an earlier packet, if they had to wait.
    Bytes(u64, &'p [u8], Option<Origin>),
    /// Bytes that the recorder cut or that nobody wanted kept: offset and number.
    Unseen(u64, u64),
    /// Bytes that were never in the capture: offset and number.
    Gap(u64, u64),
}

/// A segment that waits for an earlier one.
#[derive(Debug, Clone)]
struct Held {
    start: u64,
    end: u64,
    /// The captured bytes from `start`, where anybody wants them, and the packet that carried them.
    bytes: Vec<u8>,
    from: Option<Origin>,
}

/// The reassembly of one direction.
#[derive(Debug, Clone, Default)]
pub struct Reassembly {
    next: u64,
    held: Vec<Held>,
    held_bytes: usize,
}

packed!(Held { start, end, bytes, from });
packed!(Reassembly { next, held, held_bytes });

impl Reassembly {
    /// Where the next byte in order lies.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Whether a hole lies before bytes that have come.
    pub fn has_hole(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether none of these bytes has come before.
    pub fn is_new(&self, start: u64, end: u64) -> bool {
        start >= self.next && !self.held.iter().any(|held| held.start < end && held.end > start)
    }

    /// A segment's payload at `start`, `length` bytes long on the wire, of which `captured` was recorded.
    ///
    /// `wanted` is the packet at hand, where bytes that must wait are worth a copy. Pieces come out in order of the
    /// stream.
    pub fn segment(
        &mut self,
        start: u64,
        length: u64,
        captured: &[u8],
        wanted: Option<Origin>,
        out: &mut impl FnMut(Piece<'_>),
    ) {
        let end = start + length;
        if end <= self.next {
            return;
        }
        if start > self.next {
            self.hold(start, end, captured, wanted);
            while self.held_bytes > OUT_OF_ORDER_BYTES {
                self.give_up_hole(out);
            }
            return;
        }
        self.deliver(start, end, captured, None, out);
        self.drain(out);
    }

    /// The other side acknowledged everything before `offset`: holes before it will not be filled.
    pub fn acknowledged(&mut self, offset: u64, out: &mut impl FnMut(Piece<'_>)) {
        while self.next < offset {
            let hole_end = self.held.first().map_or(offset, |held| held.start.min(offset));
            if hole_end > self.next {
                out(Piece::Gap(self.next, hole_end - self.next));
                self.next = hole_end;
            }
            self.drain(out);
        }
    }

    fn deliver(
        &mut self,
        start: u64,
        end: u64,
        captured: &[u8],
        from: Option<Origin>,
        out: &mut impl FnMut(Piece<'_>),
    ) {
        let known = (self.next - start) as usize;
        if let Some(fresh) = captured.get(known..).filter(|fresh| !fresh.is_empty()) {
            out(Piece::Bytes(self.next, fresh, from));
            self.next += fresh.len() as u64;
        }
        if self.next < end {
            out(Piece::Unseen(self.next, end - self.next));
            self.next = end;
        }
    }

    fn hold(&mut self, start: u64, end: u64, captured: &[u8], wanted: Option<Origin>) {
        let at = self.held.partition_point(|held| (held.start, held.end) < (start, end));
        if self.held.get(at).is_some_and(|held| held.start <= start && held.end >= end) {
            return;
        }
        let bytes = if wanted.is_some() { captured.to_vec() } else { Vec::new() };
        self.held_bytes += Self::weight(&bytes);
        self.held.insert(at, Held { start, end, bytes, from: wanted });
    }

    /// What a held segment counts against the bound: its bytes, and never nothing.
    fn weight(bytes: &[u8]) -> usize {
        bytes.len() + size_of::<Held>()
    }

    /// Delivers what no longer waits.
    fn drain(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        let ready = self.held.iter().take_while(|held| held.start <= self.next).count();
        if ready == 0 {
            return;
        }
        // What becomes ready by delivering is found by the caller's next look: a loop, not a recursion.
        let mut rest = std::mem::take(&mut self.held);
        let mut waiting = Vec::new();
        for held in rest.drain(..) {
            if held.start > self.next {
                waiting.push(held);
                continue;
            }
            self.held_bytes -= Self::weight(&held.bytes);
            if held.end > self.next {
                self.deliver(held.start, held.end, &held.bytes, held.from, out);
            }
        }
        self.held = waiting;
    }

    /// Declares the first hole a gap.
    fn give_up_hole(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        match self.held.first().map(|held| held.start) {
            Some(start) if start > self.next => {
                out(Piece::Gap(self.next, start - self.next));
                self.next = start;
            }
            Some(_) => {}
            None => self.held_bytes = 0,
        }
        self.drain(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `(offset, text)`, or `(offset, "ack")` for an acknowledgment, and writes down what comes out.
    fn run(script: &[(u64, &str)]) -> String {
        let mut reassembly = Reassembly::default();
        let mut log = String::new();
        for &(offset, text) in script {
            let mut note = |piece: Piece<'_>| match piece {
                Piece::Bytes(_, bytes, _) => log.push_str(&String::from_utf8_lossy(bytes)),
                Piece::Unseen(_, n) => log += &["(", &n.to_string(), " unseen)"].concat(),
                Piece::Gap(at, n) => log += &["[", &at.to_string(), "+", &n.to_string(), "]"].concat(),
            };
            if text == "ack" {
                reassembly.acknowledged(offset, &mut note);
            } else {
                reassembly.segment(
                    offset,
                    text.len() as u64,
                    text.as_bytes(),
                    Some(Origin::default()),
                    &mut note,
                );
            }
        }
        log
    }

    #[test]
    fn order_overlap_and_holes() {
        assert_eq!(run(&[(0, "abc"), (3, "def")]), "abcdef");
        assert_eq!(run(&[(3, "def"), (0, "abc")]), "abcdef");
        assert_eq!(run(&[(6, "ghi"), (3, "def"), (0, "abc")]), "abcdefghi");
        assert_eq!(run(&[(0, "abc"), (0, "abc"), (1, "bcd")]), "abcd", "repeats are not delivered twice");
        assert_eq!(
            run(&[(2, "XX"), (0, "abcd")]),
            "abcd",
            "bytes in order win over bytes that wait behind them"
        );
        assert_eq!(run(&[(5, "fgh"), (2, "cdefXX"), (0, "ab")]), "abcdefXX");
        assert_eq!(run(&[(0, "ab"), (5, "fg"), (7, "ack")]), "ab[2+3]fg", "acknowledged holes are gaps");
        assert_eq!(run(&[(0, "ab"), (9, "ack"), (9, "jk")]), "ab[2+7]jk");
        assert_eq!(run(&[(4, "ef"), (8, "ij"), (10, "ack")]), "[0+4]ef[6+2]ij");
    }

    #[test]
    fn cut_bytes_are_unseen_not_a_gap() {
        let mut log = Vec::new();
        let mut reassembly = Reassembly::default();
        reassembly.segment(0, 100, b"head", Some(Origin::default()), &mut |piece| match piece {
            Piece::Bytes(at, bytes, _) => log.push((at, bytes.len() as u64, "bytes")),
            Piece::Unseen(at, n) => log.push((at, n, "unseen")),
            Piece::Gap(at, n) => log.push((at, n, "gap")),
        });
        assert_eq!(log, [(0, 4, "bytes"), (4, 96, "unseen")]);
        assert_eq!(reassembly.next(), 100);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut reassembly = Reassembly::default();
        let block = vec![7; 1000];
        let (mut gaps, mut delivered) = (0, 0);
        for n in 0..10_000u64 {
            // Every second block is missing, and nothing is acknowledged.
            reassembly.segment(1000 + n * 2000, 1000, &block, Some(Origin::default()), &mut |piece| {
                match piece {
                    Piece::Gap(..) => gaps += 1,
                    Piece::Bytes(..) => delivered += 1,
                    Piece::Unseen(..) => {}
                }
            });
            assert!(reassembly.held_bytes <= OUT_OF_ORDER_BYTES + 2000);
        }
        assert!(gaps > 9_000 && delivered > 9_000);
    }
}
