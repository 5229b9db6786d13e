//! Parts of an object: `Range`, `Content-Range` and what they ask for (RFC 9110 §14).

use super::head::decimal;

/// A single range of bytes that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// Its first byte.
    pub(super) start: u64,
    /// It goes to the end of the object, whatever its size: `bytes=5-`.
    pub(super) to_end: bool,
}

impl Asked {
    /// Reads a `Range` field of one range with a beginning; of several, or the last so many bytes, none is made.
    pub(super) fn read(field: &[u8]) -> Option<Self> {
        let (unit, range) = field.split_at_checked(memchr::memchr(b'=', field)?)?;
        let range = range.get(1..)?.trim_ascii();
        if !unit.trim_ascii().eq_ignore_ascii_case(b"bytes") || range.contains(&b',') {
            return None;
        }
        let dash = memchr::memchr(b'-', range)?;
        let start = decimal(range.get(..dash).filter(|digits| !digits.is_empty())?)?;
        Some(Self { start, to_end: range.len() == dash + 1 })
    }
}

/// What a `Content-Range` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Given {
    /// First byte and the one after the last; none where it is `*`.
    pub(super) bytes: Option<(u64, u64)>,
    /// How many bytes the whole object has, where that is known.
    pub(super) whole: Option<u64>,
}

impl Given {
    /// Reads a `Content-Range` field.
    pub(super) fn read(field: &[u8]) -> Option<Self> {
        let rest = field.trim_ascii();
        let (unit, rest) = rest.split_at_checked(5)?;
        if !unit.eq_ignore_ascii_case(b"bytes") {
            return None;
        }
        let rest = rest.strip_prefix(b"=").unwrap_or(rest).trim_ascii();
        let (range, whole) = rest.split_at_checked(memchr::memchr(b'/', rest)?)?;
        let whole = whole.get(1..)?.trim_ascii();
        let whole = if whole == b"*" { None } else { Some(decimal(whole)?) };
        let range = range.trim_ascii();
        let bytes = if range == b"*" {
            None
        } else {
            let dash = memchr::memchr(b'-', range)?;
            let (first, last) = (decimal(range.get(..dash)?)?, decimal(range.get(dash + 1..)?)?);
            (first <= last).then_some((first, last.saturating_add(1)))
        };
        Some(Self { bytes, whole })
    }
}

/// How many bytes a server has, by the `Range: bytes=0-n` of a 308 that asks for more of an upload.
pub(super) fn held(field: Option<&[u8]>) -> Option<u64> {
    let Some(field) = field else { return Some(0) };
    let range = field.trim_ascii();
    let range = range.strip_prefix(b"bytes=").unwrap_or(range);
    decimal(range.strip_prefix(b"0-")?).map(|last| last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(Asked::read(b"bytes=100-"), Some(Asked { start: 100, to_end: true }));
        assert_eq!(Asked::read(b"Bytes = 5-9"), Some(Asked { start: 5, to_end: false }));
        assert_eq!(Asked::read(b"bytes=-500"), None);
        assert_eq!(Asked::read(b"bytes=0-1,5-9"), None);
        assert_eq!(Asked::read(b"lines=1-"), None);
        assert_eq!(Given::read(b"bytes 5-9/20"), Some(Given { bytes: Some((5, 10)), whole: Some(20) }));
        assert_eq!(Given::read(b"bytes 5-9/*"), Some(Given { bytes: Some((5, 10)), whole: None }));
        assert_eq!(Given::read(b"bytes */20"), Some(Given { bytes: None, whole: Some(20) }));
        assert_eq!(Given::read(b"bytes 5-"), None);
        assert_eq!(held(Some(b"bytes=0-99")), Some(100));
        assert_eq!(held(None), Some(0));
        assert_eq!(held(Some(b"bytes=1-")), None);
    }
}
