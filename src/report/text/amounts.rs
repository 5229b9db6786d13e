//! Moments as people read them; numbers are those of [`crate::story::amounts`].

use super::Clock;
use crate::report::view;
pub(in crate::report) use crate::story::amounts::{bytes, count, counted, percent};
use crate::time::{Span, Timestamp};

/// A moment as the clock shows it.
pub(in crate::report) fn moment(at: Timestamp, origin: Timestamp, clock: Clock) -> String {
    match clock {
        Clock::Relative => {
            let Span(ns) = at - origin;
            let sign = if ns < 0 { "-" } else { "" };
            let micros = ns.unsigned_abs() / 1_000;
            format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
        }
        Clock::Utc => {
            let text = at.rfc3339();
            // Microseconds are enough for the eye.
            match text.strip_suffix('Z').and_then(|t| t.get(..t.len().saturating_sub(3))) {
                Some(short) => format!("{}Z", short.replace('T', " ")),
                None => text,
            }
        }
        Clock::Epoch => view::epoch(at),
    }
}

/// A moment inside a sentence: with its unit where it is relative.
pub(in crate::report) fn said_moment(at: Timestamp, origin: Timestamp, clock: Clock) -> String {
    match clock {
        Clock::Relative => format!("at {:.3} s", (at - origin).as_secs()),
        Clock::Utc | Clock::Epoch => format!("at {}", moment(at, origin, clock)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_on_every_clock() {
        let origin = Timestamp::from_parts(1_700_000_000, 0);
        let at = Timestamp::from_parts(1_700_000_003, 250_000_999);
        assert_eq!(moment(at, origin, Clock::Relative), "3.250000");
        assert_eq!(moment(origin, at, Clock::Relative), "-3.250000");
        assert_eq!(moment(at, origin, Clock::Utc), "2023-11-14 22:13:23.250000Z");
        assert_eq!(moment(at, origin, Clock::Epoch), "1700000003.250000999");
        assert_eq!(said_moment(at, origin, Clock::Relative), "at 3.250 s");
    }
}
