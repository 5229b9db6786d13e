//! Where the content of a message ends (RFC 9112 §6 and §7).

use super::head::{Head, Start, decimal};
use crate::limits::MESSAGE_BYTES;
use crate::protocols::lines::line;

/// How the end of a message's content is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// It has none.
    None,
    /// So many bytes.
    Counted(u64),
    /// In chunks, each with its length.
    Chunked,
    /// Until the connection closes.
    ToClose,
}

/// The lengths that a head gives contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Conflict;

impl Framing {
    /// By RFC 9112 §6.3, in its order. `asked` is the method that a response answers, where it is known.
    pub(super) fn of(head: &Head<'_>, asked: Option<&[u8]>) -> Result<Self, Conflict> {
        let is_request = matches!(head.start, Start::Request { .. });
        if let Start::Status { code, .. } = head.start
            && (code < 200 || matches!(code, 204 | 304) || asked.is_some_and(|method| method == b"HEAD"))
        {
            return Ok(Self::None);
        }
        if let Some(coding) = head.all("transfer-encoding").last() {
            let last = coding.rsplit(|octet| *octet == b',').next().unwrap_or_default();
            return match last.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                true => Ok(Self::Chunked),
                false if is_request => Err(Conflict),
                false => Ok(Self::ToClose),
            };
        }
        let mut length = None;
        for one in head.all("content-length").flat_map(|value| value.split(|octet| *octet == b',')) {
            let one = decimal(one.trim_ascii()).ok_or(Conflict)?;
            if *length.get_or_insert(one) != one {
                return Err(Conflict);
            }
        }
        Ok(match length {
            Some(0) => Self::None,
            Some(length) => Self::Counted(length),
            None if is_request => Self::None,
            None => Self::ToClose,
        })
    }
}

/// Walks over the content of one message.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    place: Place,
    /// Bytes of content passed so far.
    pub(super) passed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Counted(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    ToClose,
    Over,
}

/// What comes next in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// At most so many bytes of content.
    Content(u64),
    /// So many bytes that only frame it.
    Frame(usize),
    /// More bytes are needed to tell.
    More,
    /// Nothing: it is over.
    Over,
    /// Something that breaks the rules.
    Broken,
}

impl Walk {
    /// At the beginning of a content.
    pub(super) fn new(framing: Framing) -> Self {
        let place = match framing {
            Framing::None => Place::Over,
            Framing::Counted(length) => Place::Counted(length),
            Framing::Chunked => Place::ChunkSize,
            Framing::ToClose => Place::ToClose,
        };
        Self { place, passed: 0 }
    }

    /// What these bytes begin with. Framing that it names is to be taken; content is to be [`pass`](Self::pass)ed.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Next {
        match self.place {
            Place::Over | Place::Counted(0) => Next::Over,
            Place::Counted(left) | Place::Chunk(left) => Next::Content(left),
            Place::ToClose => Next::Content(u64::MAX),
            Place::ChunkSize => self.framed(bytes, |content| match chunk_size(content)? {
                0 => Some(Place::Trailers),
                size => Some(Place::Chunk(size)),
            }),
            Place::ChunkEnd => self.framed(bytes, |content| content.is_empty().then_some(Place::ChunkSize)),
            Place::Trailers => self.framed(bytes, |content| {
                Some(if content.is_empty() { Place::Over } else { Place::Trailers })
            }),
        }
    }

    fn framed(&mut self, bytes: &[u8], read: impl FnOnce(&[u8]) -> Option<Place>) -> Next {
        match line(bytes) {
            Some((content, taken)) => match read(content) {
                Some(next) => {
                    self.place = next;
                    Next::Frame(taken)
                }
                None => Next::Broken,
            },
            None if bytes.len() >= MESSAGE_BYTES => Next::Broken,
            None => Next::More,
        }
    }

    /// So much of the content was passed.
    pub(super) fn pass(&mut self, length: u64) {
        self.passed += length;
        self.place = match self.place {
            Place::Counted(left) => Place::Counted(left.saturating_sub(length)),
            Place::Chunk(left) if left <= length => Place::ChunkEnd,
            Place::Chunk(left) => Place::Chunk(left - length),
            other => other,
        };
    }

    /// Whether nothing is to come.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.place, Place::Over | Place::Counted(0))
    }

    /// Whether the end of the connection is its proper end.
    pub(super) fn ends_with_connection(&self) -> bool {
        self.place == Place::ToClose
    }
}

/// The size of a chunk; extensions after it are passed over (RFC 9112 §7.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|octet| *octet == b';').next()?.trim_ascii();
    let text = str::from_utf8(digits).ok()?;
    (!text.starts_with('+')).then(|| u64::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::super::head::HeadRead;
    use super::*;
    use crate::events::Side;

    fn framing(side: Side, head: &str, asked: Option<&[u8]>) -> Result<Framing, Conflict> {
        let text = format!("{head}\r\n\r\n").replace('|', "\r\n");
        match Head::read(side, text.as_bytes()) {
            HeadRead::Whole(head) => Framing::of(&head, asked),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_length_of_content_by_rfc_9112_section_6_3() {
        for (head, asked, wanted) in [
            ("HTTP/1.1 200 OK|Content-Length: 5", None, Ok(Framing::Counted(5))),
            ("HTTP/1.1 200 OK|Content-Length: 5", Some(&b"HEAD"[..]), Ok(Framing::None)),
            ("HTTP/1.1 304 Not Modified|Content-Length: 5", None, Ok(Framing::None)),
            ("HTTP/1.1 204 No Content", None, Ok(Framing::None)),
            ("HTTP/1.1 100 Continue", None, Ok(Framing::None)),
            (
                "HTTP/1.1 200 OK|Content-Length: 5|Transfer-Encoding: gzip, chunked",
                None,
                Ok(Framing::Chunked),
            ),
            ("HTTP/1.1 200 OK|Transfer-Encoding: gzip", None, Ok(Framing::ToClose)),
            ("HTTP/1.1 200 OK", None, Ok(Framing::ToClose)),
            ("HTTP/1.1 200 OK|Content-Length: 5, 5", None, Ok(Framing::Counted(5))),
            ("HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 6", None, Err(Conflict)),
            ("HTTP/1.1 200 OK|Content-Length: -1", None, Err(Conflict)),
        ] {
            assert_eq!(framing(Side::Server, head, asked), wanted, "{head}");
        }
        assert_eq!(framing(Side::Client, "GET / HTTP/1.1", None), Ok(Framing::None));
        assert_eq!(framing(Side::Client, "POST / HTTP/1.1|Transfer-Encoding: x", None), Err(Conflict));
    }

    #[test]
    fn chunks_with_extensions_and_trailers() {
        let mut walk = Walk::new(Framing::Chunked);
        let mut bytes = &b"5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"[..];
        loop {
            let taken = match walk.next(bytes) {
                Next::Content(most) => {
                    walk.pass(most.min(2));
                    most.min(2) as usize
                }
                Next::Frame(taken) => taken,
                Next::Over => break,
                Next::More | Next::Broken => panic!("{bytes:?}"),
            };
            bytes = bytes.get(taken..).unwrap();
        }
        assert!(bytes.is_empty());
        assert_eq!(walk.passed, 5);
        assert_eq!(Walk::new(Framing::Chunked).next(b"xyz\r\n"), Next::Broken);
        assert_eq!(Walk::new(Framing::Chunked).next(b"12"), Next::More);
    }
}
