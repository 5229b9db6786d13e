//! What the times of a file's frames say about the recorder: disorder and blackouts.

use crate::capture::Blackout;
use crate::limits;
use crate::time::{Span, Timestamp};

/// Shortest time without a frame that can be a blackout (`domain.md` C.4).
const SHORTEST: i64 = 1_000_000_000;

/// How many times the median gap a blackout lasts at least (`domain.md` C.4).
const TIMES_MEDIAN: i64 = 20;

/// Bins of one octave: the median is known to an eighth of an octave, about 6 % either way.
const BINS: u32 = 8;

/// Watches the times of one file go by, in file order and in bounded memory.
#[derive(Debug, Default)]
pub(super) struct Clock {
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    backward: u64,
    first_backward: Option<u64>,
    disorder: Span,
    /// How many gaps fell into each bin of a logarithmic scale; longer as needed, at most 504.
    gaps: Vec<u64>,
    /// The longest gaps of at least a second, up to twice `limits::BLACKOUTS` of them.
    long: Vec<Blackout>,
}

impl Clock {
    /// Takes note of frame number `frame`.
    pub(super) fn tick(&mut self, time: Timestamp, frame: u64) {
        let Some(last) = self.last else {
            self.first = Some(time);
            self.last = Some(time);
            return;
        };
        let gap = time - last;
        if gap.0 < 0 {
            self.backward += 1;
            self.first_backward.get_or_insert(frame);
            self.disorder = self.disorder.max(Span(gap.0.saturating_neg()));
            self.first = self.first.min(Some(time));
            return;
        }
        self.last = Some(time);
        let bin = bin_of(gap.0.unsigned_abs());
        if bin >= self.gaps.len() {
            self.gaps.resize(bin + 1, 0);
        }
        if let Some(count) = self.gaps.get_mut(bin) {
            *count += 1;
        }
        if gap.0 >= SHORTEST {
            self.long.push(Blackout { start: last, end: time });
            if self.long.len() >= 2 * limits::BLACKOUTS {
                self.keep_longest();
            }
        }
    }

    /// Earliest time.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.first
    }

    /// Latest time.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// How many frames went backwards.
    pub(super) fn backward(&self) -> u64 {
        self.backward
    }

    /// Number of the first frame that went backwards.
    pub(super) fn first_backward(&self) -> Option<u64> {
        self.first_backward
    }

    /// How far time ran backwards at most.
    pub(super) fn disorder(&self) -> Span {
        self.disorder
    }

    /// The blackouts in order of time; the longest ones where there are too many.
    pub(super) fn blackouts(mut self) -> Vec<Blackout> {
        let threshold = median(&self.gaps).saturating_mul(TIMES_MEDIAN).max(SHORTEST);
        self.long.retain(|gap| (gap.end - gap.start).0 >= threshold);
        self.keep_longest();
        self.long.sort_by_key(|gap| gap.start);
        self.long
    }

    fn keep_longest(&mut self) {
        self.long.sort_by_key(|gap| (std::cmp::Reverse(gap.end - gap.start), gap.start));
        self.long.truncate(limits::BLACKOUTS);
    }
}

/// The bin of a gap in nanoseconds: exact below 8, then eight bins an octave.
fn bin_of(gap: u64) -> usize {
    if gap < u64::from(BINS) {
        return gap as usize;
    }
    let octave = gap.ilog2();
    let eighth = (gap >> (octave - 3)) & 7;
    ((octave - 2) * BINS) as usize + eighth as usize
}

/// The middle of a bin in nanoseconds.
fn middle_of(bin: usize) -> i64 {
    let (octave, eighth) = (bin as u32 / BINS, bin as i64 % i64::from(BINS));
    if octave == 0 {
        return eighth;
    }
    let width = 1_i64 << (octave - 1).min(59);
    (8 + eighth).saturating_mul(width).saturating_add(width / 2)
}

/// The median gap in nanoseconds, to an eighth of an octave; 0 where there is none.
fn median(gaps: &[u64]) -> i64 {
    let total: u64 = gaps.iter().sum();
    let mut below = 0;
    for (bin, count) in gaps.iter().enumerate() {
        below += count;
        if below > total / 2 {
            return middle_of(bin);
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(times_ms: &[i64]) -> Clock {
        let mut clock = Clock::default();
        for (index, ms) in times_ms.iter().enumerate() {
            clock.tick(Timestamp(ms * 1_000_000), index as u64 + 1);
        }
        clock
    }

    #[test]
    fn every_gap_lies_near_the_middle_of_its_bin() {
        for gap in (0..63).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + (1 << bit) / 3]) {
            let middle = middle_of(bin_of(gap)) as f64;
            assert!((middle - gap as f64).abs() <= gap as f64 / 8.0 + 0.5, "{gap} {middle}");
        }
    }

    #[test]
    fn disorder_is_measured_against_the_latest_time() {
        let clock = clock(&[1000, 2000, 1500, 1900, 2100, 900]);
        assert_eq!((clock.backward(), clock.first_backward()), (3, Some(3)));
        assert_eq!(clock.disorder(), Span::from_millis(1200));
        assert_eq!(clock.first(), Some(Timestamp(900_000_000)));
        assert_eq!(clock.last(), Some(Timestamp(2_100_000_000)));
    }

    #[test]
    fn a_blackout_is_long_for_this_file() {
        let steady: Vec<i64> = (0..100).map(|n| n * 10).chain((0..100).map(|n| 5000 + n * 10)).collect();
        let found = clock(&steady).blackouts();
        assert_eq!(found, [Blackout { start: Timestamp(990_000_000), end: Timestamp(5_000_000_000) }]);
        // One frame a second: a pause of four seconds is nothing unusual.
        let slow: Vec<i64> = (0..100).map(|n| n * 1000).chain((0..100).map(|n| 104_000 + n * 1000)).collect();
        assert_eq!(clock(&slow).blackouts(), []);
        // Dense, and a pause of less than a second.
        assert_eq!(clock(&[0, 1, 2, 3, 900, 901]).blackouts(), []);
    }

    #[test]
    fn the_longest_blackouts_survive_the_bound() {
        let mut times = vec![0];
        for n in 0..(3 * limits::BLACKOUTS as i64) {
            let at = times.last().unwrap() + 2000 + n;
            times.extend([at, at + 1, at + 2, at + 3]);
        }
        let found = clock(&times).blackouts();
        assert_eq!(found.len(), limits::BLACKOUTS);
        let shortest = found.iter().map(|gap| gap.end - gap.start).min().unwrap();
        assert!(shortest >= Span::from_millis(2000 + 2 * limits::BLACKOUTS as i64 - 3), "{shortest}");
        assert!(found.windows(2).all(|pair| pair[0].start < pair[1].start));
    }
}
