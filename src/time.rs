//! Packet time: nanoseconds since the Unix epoch, and spans between them.
//!
//! No wall clock is read here or anywhere else in the analysis.

use std::fmt;
use std::ops::{Add, Sub};

/// A moment of packet time in nanoseconds since 1970-01-01T00:00:00Z.
///
/// The range is the years 1677 to 2262; clocks beyond it are clamped by whoever reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// A length of time in nanoseconds; negative where a clock went backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub i64);

impl Timestamp {
    /// From whole seconds and nanoseconds; saturates at the ends of the range.
    pub fn from_parts(seconds: i64, nanos: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// The time since `earlier`, never below zero: clocks of several interfaces disagree.
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0).max(0))
    }

    /// RFC 3339 in UTC with nine digits, the form of every machine output.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(moment) => format!("{moment:.9}"),
            Err(_) => format!("{}.{:09}", self.0.div_euclid(1_000_000_000), self.0.rem_euclid(1_000_000_000)),
        }
    }
}

impl Span {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000_000)
    }

    /// From whole seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1_000_000_000)
    }

    /// In seconds, as machine output gives it.
    pub fn as_secs(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Sub for Timestamp {
    type Output = Span;

    fn sub(self, other: Self) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// As people say it, rounded: `12 ms`, `3.40 s`, `5m 12s`, `2h 04m`, `3d 01h`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, ns) = if self.0 < 0 { ("-", self.0.unsigned_abs()) } else { ("", self.0.unsigned_abs()) };
        let rounded = |unit: u64| ns.saturating_add(unit / 2) / unit;
        let (seconds, minutes, hours) = (rounded(SECOND), rounded(60 * SECOND), rounded(3_600 * SECOND));
        let text = match ns {
            0 => "0 s".to_owned(),
            _ if rounded(1_000) < 1_000 => format!("{} µs", rounded(1_000)),
            _ if rounded(1_000_000) < 1_000 => format!("{} ms", rounded(1_000_000)),
            _ if rounded(SECOND / 100) < 12_000 => format!("{:.2} s", ns as f64 / 1e9),
            _ if seconds < 7_200 => format!("{}m {:02}s", seconds / 60, seconds % 60),
            _ if minutes < 2_880 => format!("{}h {:02}m", minutes / 60, minutes % 60),
            _ => format!("{}d {:02}h", hours / 24, hours % 24),
        };
        f.pad(&format!("{sign}{text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_has_nine_digits() {
        assert_eq!(Timestamp::from_parts(1_700_000_000, 5).rfc3339(), "2023-11-14T22:13:20.000000005Z");
        assert_eq!(Timestamp(-1).rfc3339(), "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn spans_read_like_speech() {
        let say = |ns: i64| Span(ns).to_string();
        assert_eq!(say(0), "0 s");
        assert_eq!(say(12_000_000), "12 ms");
        assert_eq!(say(26_900_000), "27 ms");
        assert_eq!(say(999_400), "999 µs");
        assert_eq!(say(999_600), "1 ms");
        assert_eq!(say(999_600_000), "1.00 s");
        assert_eq!(say(119_994_000_000), "119.99 s");
        assert_eq!(say(119_996_000_000), "2m 00s");
        assert_eq!(say(7_199_600_000_000), "2h 00m");
        assert_eq!(say(3_400_000_000), "3.40 s");
        assert_eq!(say(312_000_000_000), "5m 12s");
        assert_eq!(say(-7_440_000_000_000), "-2h 04m");
    }

    #[test]
    fn a_backward_clock_gives_no_negative_duration() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Span::ZERO);
        assert_eq!(Timestamp(5) - Timestamp(9), Span(-4));
    }
}
