//! Records (RFC 8446 §5.1, RFC 5246 §6.2): their heads, whether bytes are some, and where one begins.

use crate::events::Side;
use crate::protocols::Verdict;

/// Octets of a record's head.
pub(super) const HEAD: usize = 5;

/// The largest record: 2¹⁴ octets and what TLS 1.2 allows encryption to add (RFC 5246 §6.2.3).
pub(super) const LARGEST: usize = (1 << 14) + 2048;

/// An alert in clear: level and description. One that is encrypted is longer.
pub(super) const ALERT: usize = 2;

/// What a record of TLS 1.3 adds to its content: the content's type, and the tag of every cipher suite that is in
/// general use (RFC 8446 §5.2).
pub(super) const ADDED_13: usize = 1 + 16;

/// What a record holds (RFC 8446 §5.1, RFC 6520).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    ChangeCipherSpec,
    Alert,
    Handshake,
    Data,
    Heartbeat,
}

impl Content {
    fn of(number: u8) -> Option<Self> {
        Some(match number {
            20 => Self::ChangeCipherSpec,
            21 => Self::Alert,
            22 => Self::Handshake,
            23 => Self::Data,
            24 => Self::Heartbeat,
            _ => return None,
        })
    }
}

/// The head of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// What it holds.
    pub(super) content: Content,
    /// Octets behind the head.
    pub(super) length: usize,
}

/// The head of the record that begins here; none where no record begins. At least [`HEAD`] bytes are needed.
pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    match *bytes {
        [kind, 3, 0..=4, high, low, ..] => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            Some(Head { content: Content::of(kind)?, length }).filter(|_| length <= LARGEST)
        }
        _ => None,
    }
}

/// Whether these may be the first bytes of a head, as far as they go.
fn may_begin(bytes: &[u8]) -> bool {
    match *bytes {
        [] => true,
        [kind] | [kind, 3] | [kind, 3, 0..=4, ..] => Content::of(kind).is_some(),
        _ => false,
    }
}

/// Whether a chain of records begins somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chain {
    /// Here: a record, and behind it the head of another one.
    Here(usize),
    /// Perhaps here: so many bytes from there on would tell.
    Perhaps(usize, usize),
    /// Nowhere in these bytes.
    Nowhere,
}

/// Looks for the first place at which two records follow each other.
pub(super) fn find_chain(bytes: &[u8]) -> Chain {
    (0..bytes.len())
        .find_map(|at| match chain(bytes.get(at..)?) {
            Chain::Here(_) => Some(Chain::Here(at)),
            Chain::Perhaps(_, needed) => Some(Chain::Perhaps(at, needed)),
            Chain::Nowhere => None,
        })
        .unwrap_or(Chain::Nowhere)
}

/// Whether two records follow each other at the beginning of these bytes.
fn chain(bytes: &[u8]) -> Chain {
    if bytes.len() < HEAD {
        return if may_begin(bytes) { Chain::Perhaps(0, HEAD) } else { Chain::Nowhere };
    }
    let Some(head) = head(bytes).filter(|head| head.length > 0) else { return Chain::Nowhere };
    match bytes.get(HEAD + head.length..) {
        Some(next) if !may_begin(next) => Chain::Nowhere,
        Some(next) if next.len() >= 3 => Chain::Here(0),
        _ => Chain::Perhaps(0, HEAD + head.length + 3),
    }
}

/// The length of a `ClientHello` in the form of SSL 2.0 that offers version 3 (RFC 5246 E.2), where one begins here.
pub(super) fn old_hello(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [high @ 0x80..=0xBF, low, 1, 3, 0..=3, ..] => {
            Some(2 + usize::from(u16::from_be_bytes([high & 0x3F, low]))).filter(|length| *length > HEAD)
        }
        _ => None,
    }
}

/// Whether these may be the first bytes of such a hello, as far as they go.
fn may_begin_old_hello(bytes: &[u8]) -> bool {
    matches!(*bytes, [0x80..=0xBF] | [0x80..=0xBF, _] | [0x80..=0xBF, _, 1] | [0x80..=0xBF, _, 1, 3])
}

/// Whether these are the first bytes of one side of TLS.
pub(super) fn probe(side: Side, bytes: &[u8]) -> Verdict {
    if side == Side::Client && old_hello(bytes).is_some_and(|length| (11..512).contains(&length)) {
        return Verdict::Likely;
    }
    let Some(head) = head(bytes) else {
        let old = side == Side::Client && may_begin_old_hello(bytes);
        let unsure = !bytes.is_empty() && bytes.len() < HEAD && (may_begin(bytes) || old);
        return if unsure { Verdict::Unsure } else { Verdict::No };
    };
    match (head.content, bytes.get(HEAD..).unwrap_or(&[])) {
        (Content::Handshake, []) => Verdict::Unsure,
        (Content::Handshake, [kind, ..]) => match (side, *kind) {
            (Side::Client, 1) | (Side::Server, 2) => Verdict::Certain,
            // A server that has been asked first says HelloRequest now and then.
            (Side::Server, 0) => Verdict::Likely,
            (_, 1 | 2) => Verdict::No,
            _ => in_the_middle(head, bytes),
        },
        (Content::Alert, [1 | 2, ..]) if head.length == ALERT => Verdict::Likely,
        _ => in_the_middle(head, bytes),
    }
}

/// Whether these bytes are of a talk that began before: two records in a chain.
fn in_the_middle(head: Head, bytes: &[u8]) -> Verdict {
    match chain(bytes) {
        Chain::Here(_) => Verdict::Certain,
        Chain::Nowhere => Verdict::No,
        // A record of data that fills its packet may well be one.
        Chain::Perhaps(..) if head.content == Content::Data && bytes.len() == HEAD + head.length => {
            Verdict::Likely
        }
        Chain::Perhaps(..) => Verdict::Unsure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind, 3, 3][..], &(body.len() as u16).to_be_bytes(), body].concat()
    }

    #[test]
    fn probes_of_both_sides() {
        let hello = record(22, &[1, 0, 0, 0]);
        let answer = record(22, &[2, 0, 0, 0]);
        let data = record(23, &[7; 40]);
        for (side, bytes, verdict) in [
            (Side::Client, &hello[..], Verdict::Certain),
            (Side::Server, &hello, Verdict::No),
            (Side::Server, &answer, Verdict::Certain),
            (Side::Client, &hello[..5], Verdict::Unsure),
            (Side::Client, &hello[..1], Verdict::Unsure),
            (Side::Client, b"GET / HTTP/1.1\r\n", Verdict::No),
            (Side::Client, b"", Verdict::No),
            (Side::Client, &[0x80, 0x2E], Verdict::Unsure),
            (Side::Server, &[0x80, 0x2E], Verdict::No),
            (Side::Client, &record(22, &[0xE3; 40]), Verdict::Unsure),
            (Side::Server, &record(21, &[2, 40]), Verdict::Likely),
            (Side::Client, &data, Verdict::Likely),
            (Side::Client, &data[..20], Verdict::Unsure),
            (Side::Client, &[&data[..], &data].concat(), Verdict::Certain),
            (Side::Client, &[&data[..], b"HELO"].concat(), Verdict::No),
            (Side::Client, &[0x80, 0x2E, 1, 3, 1, 0], Verdict::Likely),
            (Side::Server, &[0x80, 0x2E, 1, 3, 1, 0], Verdict::No),
            (Side::Client, &[23, 3, 3, 0x7F, 0xFF], Verdict::No),
        ] {
            assert_eq!(probe(side, bytes), verdict, "{side:?} {bytes:?}");
        }
    }

    #[test]
    fn chains_are_found_behind_what_is_none() {
        let two = [record(23, &[9; 30]), record(21, &[9; 26])].concat();
        let tail = [23, 3, 3, 1, 0, 9, 9, 9]; // looks like a head, and leads nowhere
        let bytes = [&tail[..], &two].concat();
        assert_eq!(find_chain(&two), Chain::Here(0));
        assert_eq!(find_chain(&bytes), Chain::Perhaps(0, 264), "what may be one is waited for");
        let long = [&bytes[..], &[0; 300]].concat();
        assert_eq!(find_chain(&long), Chain::Here(8));
        assert_eq!(find_chain(&[7; 90]), Chain::Nowhere);
        assert_eq!(find_chain(&[7, 7, 23, 3]), Chain::Perhaps(2, 5));
    }
}
