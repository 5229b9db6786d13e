//! Round-trip times from the tap to one end and back.

use crate::stream::pack::packed;
use crate::time::{Span, Timestamp};

/// Samples kept for the median; when full, every second one is dropped and only every second new one kept.
const KEPT: usize = 32;

/// Measures how long one end takes to acknowledge what was sent to it. One segment is timed at a time, and only
/// if it was sent once (Karn's rule, RFC 6298 §3).
#[derive(Debug, Clone, Default)]
pub struct RttMeter {
    timed: Option<(u64, Timestamp)>,
    min: Option<Span>,
    smoothed: Option<Span>,
    peak: Option<Span>,
    samples: u32,
    kept: Vec<Span>,
}

packed!(RttMeter { timed, min, smoothed, peak, samples, kept });

impl RttMeter {
    /// A new segment ending at this offset was sent.
    pub fn sent(&mut self, end: u64, time: Timestamp) {
        if self.timed.is_none() {
            self.timed = Some((end, time));
        }
    }

    /// Something was sent again: what is being timed is no longer unambiguous.
    pub fn resent(&mut self) {
        self.timed = None;
    }

    /// Everything before `offset` was acknowledged.
    pub fn acknowledged(&mut self, offset: u64, time: Timestamp) {
        if let Some((end, sent)) = self.timed
            && offset >= end
        {
            self.timed = None;
            self.sample(time.since(sent));
        }
    }

    /// Takes one measured time.
    pub fn sample(&mut self, rtt: Span) {
        let stride = 1 + self.samples / KEPT as u32;
        if self.samples.is_multiple_of(stride.next_power_of_two()) {
            if self.kept.len() >= KEPT {
                let mut keep = false;
                self.kept.retain(|_| {
                    keep = !keep;
                    !keep
                });
            }
            if self.kept.is_empty() {
                self.kept.reserve_exact(KEPT);
            }
            self.kept.push(rtt);
        }
        self.samples += 1;
        self.min = Some(self.min.map_or(rtt, |min| min.min(rtt)));
        self.smoothed = Some(self.smoothed.map_or(rtt, |old| Span((old.0 / 8) * 7 + rtt.0 / 8)));
        self.peak = self.peak.max(self.smoothed);
    }

    /// The shortest.
    pub fn min(&self) -> Option<Span> {
        self.min
    }

    /// The median of a bounded sample.
    pub fn median(&self) -> Option<Span> {
        let mut sorted = self.kept.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }

    /// Smoothed by RFC 6298.
    pub fn smoothed(&self) -> Option<Span> {
        self.smoothed
    }

    /// The highest that the smoothed one ever was.
    pub fn peak(&self) -> Option<Span> {
        self.peak
    }

    /// How many were measured.
    pub fn samples(&self) -> u32 {
        self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_twice_is_not_measured() {
        let mut meter = RttMeter::default();
        meter.sent(10, Timestamp(0));
        meter.resent();
        meter.acknowledged(10, Timestamp(500));
        assert_eq!(meter.samples(), 0);
        meter.sent(20, Timestamp(1000));
        meter.acknowledged(15, Timestamp(1100));
        meter.acknowledged(20, Timestamp(1300));
        assert_eq!((meter.min(), meter.samples()), (Some(Span(300)), 1));
    }

    #[test]
    fn the_sample_is_bounded_and_its_median_fair() {
        let mut meter = RttMeter::default();
        for n in 0..100_000 {
            meter.sample(Span(n % 1000));
        }
        assert!(meter.kept.len() <= KEPT);
        let median = meter.median().unwrap().0;
        assert!((200..800).contains(&median), "{median}");
    }
}
