//! Interfaces of a pcapng section: link type, length limit, and how their clock counts.

use crate::capture::LinkType;
use crate::time::Timestamp;

/// One interface as a frame's block refers to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interface {
    /// What its frames begin with.
    pub(super) link: LinkType,
    /// Bytes kept of a frame at most; 0 for no limit.
    pub(super) snaplen: u32,
    /// How its clock counts.
    pub(super) clock: Ticks,
    /// Index among all interfaces of the file.
    pub(super) index: u32,
    /// Whether a statistics block told its drops, which is better than adding up those of packets.
    pub(super) counted: bool,
}

/// How an interface counts time: ticks of a length, from an offset
/// (draft-ietf-opsawg-pcapng, `if_tsresol` and `if_tsoffset`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticks {
    scale: Scale,
    offset_s: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// Nanoseconds in a tick.
    Multiply(u64),
    /// Ticks in a nanosecond.
    Divide(u64),
    /// Ticks in a second as a power of two.
    Binary(u32),
}

impl Default for Ticks {
    /// Microseconds since the epoch, as where an interface says nothing.
    fn default() -> Self {
        Self::new(6, 0)
    }
}

impl Ticks {
    /// From `if_tsresol` (a negative power of 10, or of 2 where the top bit is set) and `if_tsoffset` in seconds.
    pub(super) fn new(resolution: u8, offset_s: i64) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        let scale = if resolution & 0x80 != 0 {
            Scale::Binary(exponent)
        } else if exponent <= 9 {
            Scale::Multiply(10_u64.pow(9 - exponent))
        } else {
            Scale::Divide(10_u64.checked_pow(exponent - 9).unwrap_or(u64::MAX))
        };
        Self { scale, offset_s }
    }

    /// The moment of a count of ticks; clamped to what a [`Timestamp`] holds.
    pub(super) fn time(self, ticks: u64) -> Timestamp {
        if let (Scale::Multiply(length), 0) = (self.scale, self.offset_s)
            && let Some(nanos) = ticks.checked_mul(length)
        {
            return Timestamp(i64::try_from(nanos).unwrap_or(i64::MAX));
        }
        let wide = i128::from(ticks);
        let nanos = match self.scale {
            Scale::Multiply(length) => wide * i128::from(length),
            Scale::Divide(ticks_per_nano) => wide / i128::from(ticks_per_nano.max(1)),
            // A 64-bit count times a thousand million is below 2^94, so nothing overflows.
            Scale::Binary(exponent) => (wide * 1_000_000_000) >> exponent.min(127),
        };
        let nanos = nanos + i128::from(self.offset_s) * 1_000_000_000;
        Timestamp(nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }

    /// Length of a tick in nanoseconds, at least 1.
    pub(super) fn resolution_ns(self) -> u64 {
        match self.scale {
            Scale::Multiply(length) => length,
            Scale::Divide(_) => 1,
            Scale::Binary(exponent) => 1_000_000_000_u64.checked_shr(exponent).unwrap_or(0).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_of_every_kind() {
        let cases: [(u8, i64, u64, i64, u64); 12] = [
            (6, 0, 1_700_000_000_000_001, 1_700_000_000_000_001_000, 1_000),
            (9, 0, 1_700_000_000_000_000_001, 1_700_000_000_000_000_001, 1),
            (0, 0, 1_700_000_000, 1_700_000_000_000_000_000, 1_000_000_000),
            (3, -7200, 1_700_000_000_123, 1_699_992_800_123_000_000, 1_000_000),
            (12, 0, 1_700_000_000_000_000_999, 1_700_000_000_000_000, 1),
            (0x80, 5, 3, 8_000_000_000, 1_000_000_000),
            (0x94, 0, (7 << 20) + (1 << 19), 7_500_000_000, 953),
            (0xa0, 0, 1 << 31, 500_000_000, 1),
            (0xff, 0, u64::MAX, 0, 1),
            (0x7f, 0, u64::MAX, 1, 1),
            (6, 0, u64::MAX, i64::MAX, 1_000),
            (6, i64::MIN, 0, i64::MIN, 1_000),
        ];
        for (resolution, offset, ticks, nanos, length) in cases {
            let clock = Ticks::new(resolution, offset);
            assert_eq!(clock.time(ticks), Timestamp(nanos), "{resolution:#x} {offset} {ticks}");
            assert_eq!(clock.resolution_ns(), length, "{resolution:#x}");
        }
    }
}
