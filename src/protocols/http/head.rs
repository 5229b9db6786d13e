//! The head of a message: start line and fields (RFC 9112 §2 to §5), read leniently as real peers do.

use std::borrow::Cow;

use memchr::memmem;

use crate::events::Side;
use crate::protocols::Verdict;
use crate::protocols::lines::line;

/// Fields kept of one head; what comes after is passed over.
const FIELDS: usize = 256;

/// Bytes kept of what may be an unfinished start line behind lost bytes.
const LINE_BYTES: usize = 4 << 10;

/// From so many bytes on, an unfinished line that begins like a request is taken for one: its target is long.
const LONG_LINE: usize = 1 << 10;

/// Methods that are known well enough to tell an unfinished request line, or one behind lost bytes.
const METHODS: &[&str] = &[
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "NOTIFY",
];

/// The start line of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start<'b> {
    /// `GET /path HTTP/1.1`
    Request {
        /// The method as it came.
        method: &'b [u8],
        /// The target as it came.
        target: &'b [u8],
    },
    /// `HTTP/1.1 200 OK`
    Status {
        /// The three digits.
        code: u16,
        /// What follows them.
        reason: &'b [u8],
    },
}

/// A head that came whole.
#[derive(Debug, Clone)]
pub(super) struct Head<'b> {
    /// Its start line.
    pub(super) start: Start<'b>,
    fields: Vec<(&'b [u8], Cow<'b, [u8]>)>,
    /// Bytes that it takes, the empty line included.
    pub(super) length: usize,
}

/// What stands where a head is expected.
#[derive(Debug)]
pub(super) enum HeadRead<'b> {
    /// A whole one.
    Whole(Head<'b>),
    /// The beginning of one.
    Unfinished,
    /// Something else.
    Other,
}

impl<'b> Head<'b> {
    /// Reads the head at the beginning of what this side sends.
    pub(super) fn read(side: Side, bytes: &'b [u8]) -> HeadRead<'b> {
        let Some((first, mut length)) = line(bytes) else {
            return if may_begin(side, bytes) { HeadRead::Unfinished } else { HeadRead::Other };
        };
        let start = match side {
            Side::Client => request_line(first),
            Side::Server => status_line(first),
        };
        let Some(start) = start else { return HeadRead::Other };
        let mut fields: Vec<(&[u8], Cow<'_, [u8]>)> = Vec::with_capacity(16);
        if side == Side::Client && memmem::find(first, b"HTTP/").is_none() {
            // A request of HTTP/0.9 is this line alone.
            return HeadRead::Whole(Self { start, fields, length });
        }
        while let Some((next, taken)) = bytes.get(length..).and_then(line) {
            length += taken;
            if next.is_empty() {
                return HeadRead::Whole(Self { start, fields, length });
            }
            if next.starts_with(b" ") || next.starts_with(b"\t") {
                // A folded line (RFC 9112 §5.2) goes on with the value before it.
                if let Some((_, value)) = fields.last_mut() {
                    let value = value.to_mut();
                    value.push(b' ');
                    value.extend_from_slice(next.trim_ascii());
                }
            } else if let Some(colon) = memchr::memchr(b':', next)
                && fields.len() < FIELDS
            {
                let (name, value) = next.split_at(colon);
                let value = value.get(1..).unwrap_or_default().trim_ascii();
                fields.push((name.trim_ascii(), Cow::Borrowed(value)));
            }
        }
        HeadRead::Unfinished
    }

    /// The head that these bytes begin, as far as whole lines of it came.
    pub(super) fn read_begun(side: Side, begun: &'b [u8]) -> Option<Self> {
        let (first, mut at) = line(begun)?;
        let start = match side {
            Side::Client => request_line(first),
            Side::Server => status_line(first),
        }?;
        let mut fields = Vec::new();
        while let Some((next, taken)) = begun.get(at..).and_then(line) {
            at += taken;
            if let Some((name, value)) =
                memchr::memchr(b':', next).and_then(|colon| next.split_at_checked(colon))
            {
                fields.push((
                    name.trim_ascii(),
                    Cow::Borrowed(value.get(1..).unwrap_or_default().trim_ascii()),
                ));
            }
        }
        Some(Self { start, fields, length: begun.len() })
    }

    /// Whether the client speaks so old a version that answers have no head (HTTP/0.9).
    pub(super) fn is_headless(&self) -> bool {
        self.fields.is_empty() && matches!(self.start, Start::Request { method: b"GET", .. })
    }

    /// The values of all fields of this name, in order.
    pub(super) fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.fields
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.as_ref())
    }

    /// The value of the first field of this name.
    pub(super) fn field<'h>(&'h self, name: &'h str) -> Option<&'h [u8]> {
        self.all(name).next()
    }

    /// Whether the list in this field has this member, in any case.
    pub(super) fn lists(&self, name: &str, member: &str) -> bool {
        self.all(name).any(|value| {
            value.split(|octet| *octet == b',').any(|one| {
                let one = one.split(|octet| *octet == b';').next().unwrap_or_default();
                one.trim_ascii().eq_ignore_ascii_case(member.as_bytes())
            })
        })
    }

    /// A field that is a decimal number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        decimal(self.field(name)?)
    }

    /// Whether the content is of this media type.
    pub(super) fn is_of_type(&self, media_type: &str) -> bool {
        self.lists("content-type", media_type)
    }

    /// Whether the content is coded, so that it cannot be read as it is.
    pub(super) fn is_coded(&self) -> bool {
        self.field("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity"))
    }

    /// The method, of a request.
    pub(super) fn method(&self) -> &'b [u8] {
        match self.start {
            Start::Request { method, .. } => method,
            Start::Status { .. } => b"",
        }
    }

    /// The target, of a request.
    pub(super) fn target(&self) -> &'b [u8] {
        match self.start {
            Start::Request { target, .. } => target,
            Start::Status { .. } => b"",
        }
    }
}

/// A decimal number that fills the value.
pub(super) fn decimal(value: &[u8]) -> Option<u64> {
    str::from_utf8(value).ok().filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()))?.parse().ok()
}

/// `HTTP/1.` and a digit.
fn is_version(text: &[u8]) -> bool {
    matches!(text, [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor] if minor.is_ascii_digit())
}

fn is_token(text: &[u8]) -> bool {
    let is_token_octet = |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet);
    !text.is_empty() && text.len() <= 32 && text.iter().all(is_token_octet)
}

/// Targets may hold blanks that a careless client did not escape: the method ends at the first, the target at the last.
/// A known method makes up for a version that is missing (HTTP/0.9) or broken.
fn request_line(line: &[u8]) -> Option<Start<'_>> {
    let (method, rest) = line.split_at_checked(memchr::memchr(b' ', line)?)?;
    let rest = rest.trim_ascii();
    let (target, last) = rest.split_at(memchr::memrchr(b' ', rest).unwrap_or(0));
    let target = target.trim_ascii();
    if is_token(method) && !target.is_empty() && is_version(last.trim_ascii()) {
        return Some(Start::Request { method, target });
    }
    let target = rest.split(|octet| *octet == b' ').next().unwrap_or_default();
    let fits = [&b"/"[..], b"http://", b"HTTP/"].iter().any(|begin| target.starts_with(begin));
    (fits && is_known(method)).then_some(Start::Request { method, target })
}

fn is_known(method: &[u8]) -> bool {
    METHODS.iter().any(|known| known.as_bytes() == method)
}

fn status_line(line: &[u8]) -> Option<Start<'_>> {
    let (first, rest) = line.split_at_checked(8)?;
    let (code, reason) = crate::protocols::lines::code(rest.strip_prefix(b" ")?)?;
    let ends = matches!(reason.first(), None | Some(b' '));
    let fits = is_version(first) && code >= 100 && ends;
    fits.then_some(Start::Status { code, reason: reason.trim_ascii() })
}

/// Whether an unfinished line may become the start line of this side.
fn may_begin(side: Side, bytes: &[u8]) -> bool {
    match side {
        Side::Server => {
            let fixed = bytes.iter().zip(b"HTTP/1.");
            fixed.clone().all(|(octet, wanted)| octet == wanted)
        }
        Side::Client => match memchr::memchr(b' ', bytes) {
            Some(blank) => bytes.get(..blank).is_some_and(is_token),
            None => is_token(bytes),
        },
    }
}

/// Whether these are the first bytes of this side.
pub(super) fn probe(side: Side, bytes: &[u8]) -> Verdict {
    // A server ignores an empty line before a request (RFC 9112 §2.2).
    let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    let Some((first, _)) = line(bytes) else {
        return match (may_begin(side, bytes), side) {
            (false, _) => Verdict::No,
            (true, Side::Server) if bytes.len() > 12 && status_line(bytes).is_some() => Verdict::Certain,
            (true, Side::Client) if bytes.len() >= LONG_LINE && begins_with_known_method(bytes) => {
                Verdict::Likely
            }
            (true, _) => Verdict::Unsure,
        };
    };
    match side {
        Side::Server => status_line(first).map_or(Verdict::No, |_| Verdict::Certain),
        Side::Client => match request_line(first) {
            None => Verdict::No,
            Some(_) if memmem::find(first, b" HTTP/1.").is_some() => Verdict::Certain,
            Some(_) => Verdict::Likely,
        },
    }
}

fn begins_with_known_method(bytes: &[u8]) -> bool {
    METHODS.iter().any(|method| {
        bytes
            .strip_prefix(method.as_bytes())
            .is_some_and(|rest| rest.starts_with(b" /") || rest.starts_with(b" http://"))
    })
}

/// Where the next start line of this side begins, behind bytes that make no sense. None where there is none yet.
pub(super) fn find(side: Side, bytes: &[u8]) -> Option<usize> {
    match side {
        Side::Server => memmem::find_iter(bytes, b"HTTP/1.").find(|at| {
            bytes.get(*at..).is_some_and(|rest| status_line(line(rest).map_or(rest, |(l, _)| l)).is_some())
        }),
        Side::Client => memmem::find_iter(bytes, b" HTTP/1.").find_map(|end| {
            let before = bytes.get(..end)?;
            let begin = memchr::memrchr(b'\n', before).map_or(0, |feed| feed + 1);
            let before = before.get(begin..)?;
            // What comes before may be the end of some content without a line end.
            let found = METHODS
                .iter()
                .filter_map(|method| memmem::rfind(before, format!("{method} ").as_bytes()))
                .max()?;
            let (first, _) = line(bytes.get(begin + found..)?)?;
            request_line(first).map(|_| begin + found)
        }),
    }
}

/// How many of these bytes, in which no start line is found, cannot be the beginning of one.
pub(super) fn tail(side: Side, bytes: &[u8]) -> usize {
    let begin = bytes.len().saturating_sub(LINE_BYTES);
    let last = bytes.get(begin..).unwrap_or_default();
    let kept = match side {
        Side::Server => (1..=last.len().min(12)).rev().find(|length| {
            let end = last.get(last.len() - length..).unwrap_or_default();
            end.iter().zip(b"HTTP/1.").all(|(octet, wanted)| octet == wanted)
        }),
        Side::Client => {
            let line =
                memchr::memrchr(b'\n', last).map_or(last, |feed| last.get(feed + 1..).unwrap_or_default());
            let method = METHODS.iter().filter_map(|method| {
                let whole = memmem::rfind(line, format!("{method} ").as_bytes());
                let cut = (1..=method.len())
                    .rev()
                    .find(|part| line.ends_with(method.as_bytes().get(..*part).unwrap_or(b" ")));
                whole.or(cut.map(|part| line.len() - part))
            });
            method.min().map(|at| line.len() - at)
        }
    };
    bytes.len() - kept.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(side: Side, bytes: &[u8]) -> Option<Head<'_>> {
        match Head::read(side, bytes) {
            HeadRead::Whole(head) => Some(head),
            HeadRead::Unfinished | HeadRead::Other => None,
        }
    }

    #[test]
    fn heads_with_folds_bare_line_feeds_and_blanks() {
        let bytes = b"GET /a b HTTP/1.1\nHost : x\nX-Long: one\r\n  two\r\n\tthree\nVary: a, B;q=1\n\nbody";
        let head = whole(Side::Client, bytes).unwrap();
        assert_eq!(head.start, Start::Request { method: b"GET", target: b"/a b" });
        assert_eq!(head.field("host"), Some(&b"x"[..]));
        assert_eq!(head.field("X-LONG"), Some(&b"one two three"[..]));
        assert!(head.lists("vary", "b") && !head.lists("vary", "c"));
        assert_eq!(bytes.len() - head.length, 4);
        let head = whole(Side::Server, b"HTTP/1.0 404\r\n\r\n").unwrap();
        assert_eq!(head.start, Start::Status { code: 404, reason: b"" });
    }

    #[test]
    fn other_protocols_are_not_taken() {
        for bytes in
            [&b"OPTIONS sip:a SIP/2.0\r\n"[..], b"\x16\x03\x01", b"EHLO x\r\n", b"DESCRIBE r RTSP/1.0\r\n"]
        {
            assert_eq!(probe(Side::Client, bytes), Verdict::No, "{bytes:?}");
        }
        assert_eq!(probe(Side::Client, b"GET / HTTP/1.1\r\n"), Verdict::Certain);
        assert_eq!(probe(Side::Client, b"GET /\r\n"), Verdict::Likely, "HTTP/0.9");
        assert_eq!(probe(Side::Client, b"OPTIONS HTTP/1.1\r\n"), Verdict::Certain, "no target");
        assert_eq!(probe(Side::Client, b"GET /aaaa"), Verdict::Unsure);
        let long = [&b"GET /"[..], &[b'a'; 1_100]].concat();
        assert_eq!(probe(Side::Client, &long), Verdict::Likely);
        assert_eq!(probe(Side::Client, b"GE"), Verdict::Unsure);
        assert_eq!(probe(Side::Server, b"HTT"), Verdict::Unsure);
        assert_eq!(probe(Side::Server, b"HTTP/1.1 200 OK"), Verdict::Certain);
        assert_eq!(probe(Side::Server, b"HTTP/2.0 200 OK"), Verdict::No);
        assert_eq!(probe(Side::Server, b"RTSP/1.0 200 OK\r\n"), Verdict::No);
    }

    #[test]
    fn the_next_head_is_found_behind_lost_bytes() {
        assert_eq!(find(Side::Server, b"junk HTTP/1.x HTTP/1.1 200 OK\r\n"), Some(14));
        assert_eq!(find(Side::Client, b"tail=1GET / HTTP/1.1\r\n"), Some(6));
        assert_eq!(find(Side::Client, b"tail\nPOST /GET /x HTTP/1.1\r\n"), Some(11));
        assert_eq!(find(Side::Client, b"nothing"), None);
    }
}
