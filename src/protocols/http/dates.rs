//! Dates of HTTP fields (RFC 9110 §5.6.7), and the spans that they and delta-seconds announce.

use jiff::fmt::rfc2822;

use super::head::{Head, decimal};
use crate::time::{Span, Timestamp};

/// Seconds since 1970 of a date like `Sun, 06 Nov 1994 08:49:37 GMT`, or with hyphens as in old cookies.
pub(super) fn seconds(value: &[u8]) -> Option<i64> {
    let text = str::from_utf8(value).ok()?.trim();
    // The weekday says nothing new and is sometimes wrong.
    let text =
        text.split_once(',').map_or(text, |(_, rest)| rest).trim().replace('-', " ").replace("GMT", "+0000");
    rfc2822::DateTimeParser::new().parse_timestamp(&text).ok().map(jiff::Timestamp::as_second)
}

/// The present by the clock of the speaker where it tells it, else by that of the recorder.
pub(super) fn present(head: &Head<'_>, now: Timestamp) -> i64 {
    head.field("date").and_then(seconds).unwrap_or(now.0.div_euclid(1_000_000_000))
}

/// A number of seconds, or the time until a date; nothing where that has passed.
pub(super) fn wait(value: &[u8], present: i64) -> Option<Span> {
    let wait = match decimal(value) {
        Some(wait) => i64::try_from(wait).ok()?,
        None => seconds(value)?.checked_sub(present)?,
    };
    span(wait)
}

/// A span of so many seconds, if it is one that can be meant: from nothing to a century.
pub(super) fn span(seconds: i64) -> Option<Span> {
    (0..=100 * 366 * 86_400).contains(&seconds).then(|| Span::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_waits() {
        assert_eq!(seconds(b"Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds(b"Sun, 06-Nov-1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds(b"0"), None);
        assert_eq!(wait(b"120", 0), Some(Span::from_secs(120)));
        assert_eq!(wait(b"Sun, 06 Nov 1994 08:49:37 GMT", 784_111_770), Some(Span::from_secs(7)));
        assert_eq!(wait(b"Sun, 06 Nov 1994 08:49:37 GMT", 784_111_778), None);
        assert_eq!(wait(b"99999999999999999999", 0), None);
    }
}
