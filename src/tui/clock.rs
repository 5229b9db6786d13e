//! How times are shown: since the first frame, since the row before, in UTC, in local time.

use jiff::tz::TimeZone;

use crate::time::{Span, Timestamp};

/// How times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub enum TimeMode {
    #[default]
    Relative,
    Delta,
    Utc,
    Local,
}

impl TimeMode {
    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Relative => Self::Delta,
            Self::Delta => Self::Utc,
            Self::Utc => Self::Local,
            Self::Local => Self::Relative,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relative => "rel",
            Self::Delta => "delta",
            Self::Utc => "UTC",
            Self::Local => "local",
        }
    }
}

/// A clock that says times in one mode.
#[derive(Debug, Clone)]
pub struct Clock {
    mode: TimeMode,
    origin: Timestamp,
    zone: TimeZone,
}

impl Clock {
    /// Counts from `origin` where it counts.
    pub fn new(mode: TimeMode, origin: Timestamp) -> Self {
        let zone = if mode == TimeMode::Local { TimeZone::system() } else { TimeZone::UTC };
        Self { mode, origin, zone }
    }

    /// A moment; `before` is that of the row before, which the delta counts from. `digits` behind the second.
    pub fn say(&self, time: Timestamp, before: Option<Timestamp>, digits: usize) -> String {
        match self.mode {
            TimeMode::Relative => clock(time - self.origin, digits),
            TimeMode::Delta => before.map_or_else(
                || clock(time - self.origin, digits),
                |before| format!("+{:.*}", digits.max(6), (time - before).as_secs()),
            ),
            TimeMode::Utc | TimeMode::Local => match jiff::Timestamp::from_nanosecond(i128::from(time.0)) {
                Ok(moment) => {
                    let there = moment.to_zoned_datetime(self.zone.clone());
                    let nanos = format!("{:09}", there.subsec_nanosecond());
                    let fraction = nanos.get(..digits.min(9)).unwrap_or_default();
                    let dot = if fraction.is_empty() { "" } else { "." };
                    format!("{}{dot}{fraction}", there.strftime("%m-%d %H:%M:%S"))
                }
                Err(_) => clock(time - self.origin, digits),
            },
        }
    }
}

/// `00:06:40.123`, and days before it where there are any.
pub fn clock(span: Span, digits: usize) -> String {
    let sign = if span.0 < 0 { "-" } else { "" };
    let nanos = span.0.unsigned_abs();
    let seconds = nanos / 1_000_000_000;
    let fraction = format!("{:09}", nanos % 1_000_000_000);
    let fraction = fraction.get(..digits.min(9)).unwrap_or_default();
    let dot = if fraction.is_empty() { "" } else { "." };
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let days = if days > 0 { format!("{days}d ") } else { String::new() };
    format!("{sign}{days}{hours:02}:{:02}:{:02}{dot}{fraction}", seconds / 60 % 60, seconds % 60)
}

/// A length of time in few cells: `12ms`, `3.4s`, `6m40s`, `30h12m`.
pub fn short(span: Span) -> String {
    let nanos = span.0.max(0) as u64;
    let rounded = |unit: u64| nanos.saturating_add(unit / 2) / unit;
    let (tenths, seconds) = (rounded(100_000_000), rounded(1_000_000_000));
    let (minutes, hours) = (rounded(60_000_000_000), rounded(3_600_000_000_000));
    match nanos {
        0 => "0".to_owned(),
        _ if rounded(1_000) < 1_000 => format!("{}us", rounded(1_000)),
        _ if rounded(1_000_000) < 1_000 => format!("{}ms", rounded(1_000_000)),
        _ if tenths < 600 => format!("{}.{}s", tenths / 10, tenths % 10),
        _ if seconds < 3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ if minutes < 6_000 => format!("{}h{:02}m", minutes / 60, minutes % 60),
        _ => format!("{}d{:02}h", hours / 24, hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_every_mode() {
        let origin = Timestamp::from_parts(1_700_000_000, 0);
        let time = Timestamp::from_parts(1_700_000_400, 123_456_789);
        let say = |mode| Clock::new(mode, origin).say(time, Some(Timestamp::from_parts(1_700_000_399, 0)), 3);
        assert_eq!(say(TimeMode::Relative), "00:06:40.123");
        assert_eq!(say(TimeMode::Delta), "+1.123457");
        assert_eq!(say(TimeMode::Utc), "11-14 22:20:00.123");
        assert_eq!(clock(Span::from_secs(-90_061), 0), "-1d 01:01:01");
    }

    #[test]
    fn short_times_are_short() {
        for (millis, text) in [
            (0, "0"),
            (12, "12ms"),
            (3_400, "3.4s"),
            (400_000, "6m40s"),
            (108_720_000, "30h12m"),
            (400_000_000, "4d15h"),
        ] {
            assert_eq!(short(Span::from_millis(millis)), text);
        }
        assert_eq!(short(Span(1_400)), "1us");
        assert_eq!(short(Span(59_960_000_000)), "1m00s");
    }
}
