//! The content of a mail as it passes by: where it ends, and the little of it by which it is known again.

use memchr::memchr;

use crate::protocols::lines;

/// Octets of a header line that are kept (RFC 5322 §2.1.1: 998 and CRLF).
const LINE_BYTES: usize = 1_000;

/// Octets of headers among which the Message-ID is looked for.
const HEADER_BYTES: u64 = 64 << 10;

/// Octets of the body that enter the fingerprint of a mail that has no Message-ID.
const BODY_BYTES: usize = 2 << 10;

/// What was read of one mail.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    /// Octets so far, the final dot not counted.
    length: u64,
    /// The beginning of the line at hand.
    line: Vec<u8>,
    /// How long the line at hand is.
    line_length: u64,
    /// Lines end in CRLF, not in LF alone: decided by the first one.
    strict: Option<bool>,
    /// The header is behind us.
    in_body: bool,
    /// The last header line began with `Message-ID:`, and its value stands in the next.
    folded: bool,
    message_id: Option<Box<[u8]>>,
    body: Vec<u8>,
}

impl Content {
    /// Reads on until the line that is only a dot (RFC 5321 §4.5.2). Gives how many octets were taken, and whether that
    /// line was among them.
    pub(super) fn read(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let end = memchr(b'\n', rest);
            let piece = end.map_or(rest, |end| rest.get(..=end).unwrap_or(rest));
            at += piece.len();
            let room = LINE_BYTES.saturating_sub(self.line.len());
            self.line.extend_from_slice(piece.get(..room).unwrap_or(piece));
            self.line_length += piece.len() as u64;
            self.length += piece.len() as u64;
            if end.is_some() && self.end_line() {
                return (at, true);
            }
        }
        (at, false)
    }

    /// Reads octets whose number was announced (BDAT): nothing among them ends the mail.
    pub(super) fn read_counted(&mut self, bytes: &[u8]) {
        let whole = self.length + bytes.len() as u64;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (taken, _) = self.read(rest);
            rest = rest.get(taken..).unwrap_or(&[]);
        }
        self.length = whole;
    }

    /// Octets that the capture lacks.
    pub(super) fn missed(&mut self, length: u64) {
        self.length += length;
        self.line.clear();
        self.line_length = 1;
        self.line.push(b'?');
    }

    fn end_line(&mut self) -> bool {
        let line = std::mem::take(&mut self.line);
        let length = std::mem::take(&mut self.line_length);
        let crlf = line.ends_with(b"\r\n") || length > LINE_BYTES as u64;
        let strict = *self.strict.get_or_insert(crlf);
        if line == b".\r\n" || (!strict && line == b".\n") {
            self.length -= length;
            return true;
        }
        if self.in_body {
            let room = BODY_BYTES.saturating_sub(self.body.len());
            self.body.extend_from_slice(line.get(..room).unwrap_or(&line));
        } else {
            self.header(&line);
        }
        self.line = line;
        self.line.clear();
        false
    }

    fn header(&mut self, line: &[u8]) {
        let text = line.trim_ascii();
        if text.is_empty() || self.length > HEADER_BYTES {
            self.in_body = true;
            return;
        }
        let blank = line.first().is_some_and(|octet| matches!(octet, b' ' | b'\t'));
        let value = match (blank, text.split_at_checked(11)) {
            (true, _) if self.folded => Some(text),
            (false, Some((name, value))) if name.eq_ignore_ascii_case(b"message-id:") => {
                Some(value.trim_ascii())
            }
            _ => None,
        };
        self.folded = value.is_some_and(<[u8]>::is_empty);
        if self.message_id.is_none() {
            self.message_id = value.filter(|value| !value.is_empty()).map(Into::into);
        }
    }

    /// Its Message-ID (RFC 5322 §3.6.4).
    pub(super) fn message_id(&self) -> Option<&[u8]> {
        self.message_id.as_deref()
    }

    /// The beginning of its body.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// How many octets it has.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

/// The address in `FROM:<anna@example.org> SIZE=100` or `TO:<...>`, without brackets and source routes.
pub(super) fn address<'b>(rest: &'b [u8], keyword: &str) -> Option<&'b [u8]> {
    let (word, value) = rest.split_at_checked(keyword.len())?;
    if !word.eq_ignore_ascii_case(keyword.as_bytes()) {
        return None;
    }
    let value = value.trim_ascii();
    let address = match value.strip_prefix(b"<") {
        Some(inner) => inner.split(|octet| *octet == b'>').next().unwrap_or(inner),
        None => lines::word(value).0,
    };
    Some(address.get(..crate::limits::EVENT_TEXT_BYTES).unwrap_or(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], piece: usize) -> (usize, Content) {
        let mut content = Content::default();
        let mut taken = 0;
        for piece in text.chunks(piece) {
            let (more, ended) = content.read(piece);
            taken += more;
            if ended {
                return (taken, content);
            }
        }
        (0, content)
    }

    #[test]
    fn a_mail_ends_at_the_lonely_dot() {
        for (text, taken, length) in [
            (&b"Subject: a\r\n\r\n..\r\n.x\r\n.\r\nQUIT\r\n"[..], 25, 22),
            (b".\r\nQUIT\r\n", 3, 0),
            (b"a\nb\n.\nQUIT\n", 6, 4),
            // Only some servers take this for the end; a line feed alone ends no line in a mail that has CRLF.
            (b"a\r\nb\n.\nc\r\n.\r\n", 13, 10),
            (b"a\r\nb\r\n.", 0, 7),
        ] {
            for piece in [1, 2, 7, 100] {
                let (end, content) = read(text, piece);
                assert_eq!((end, content.length()), (taken, length), "{text:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_mail_is_known_by_its_id() {
        let id = |text: &[u8]| read(text, 3).1.message_id().map(<[u8]>::to_vec);
        assert_eq!(id(b"MESSAGE-id: <1@a>\r\nX: y\r\n\r\n.\r\n"), Some(b"<1@a>".to_vec()));
        assert_eq!(id(b"Message-ID:\r\n <2@a>\r\n\r\n.\r\n"), Some(b"<2@a>".to_vec()));
        assert_eq!(id(b"X: y\r\n\r\nMessage-ID: <3@a>\r\n.\r\n"), None, "that is the body");
        assert_eq!(id(b"Message-ID: <4@a>\r\nMessage-ID: <5@a>\r\n.\r\n"), Some(b"<4@a>".to_vec()));
    }

    #[test]
    fn long_lines_and_headers_are_bounded() {
        let mut text = vec![b'a'; 100_000];
        text.extend_from_slice(b"\r\n.\r\n");
        let (end, content) = read(&text, 4096);
        assert_eq!(end, text.len());
        assert!(content.line.capacity() <= 4 * LINE_BYTES && content.body().len() <= BODY_BYTES);
    }

    #[test]
    fn counted_octets_end_nothing() {
        let mut content = Content::default();
        content.read_counted(b"Message-ID: <1@a>\r\n\r\na\r\n.\r\nb\r\n");
        assert_eq!(content.message_id(), Some(&b"<1@a>"[..]));
        assert_eq!(content.length(), 30);
    }

    #[test]
    fn addresses_stand_in_brackets() {
        assert_eq!(address(b"FROM:<anna@a.example> SIZE=3", "from:"), Some(&b"anna@a.example"[..]));
        assert_eq!(address(b"from: <>", "from:"), Some(&b""[..]));
        assert_eq!(address(b"TO:bert@b.example NOTIFY=NEVER", "to:"), Some(&b"bert@b.example"[..]));
        assert_eq!(address(b"FOR:<x>", "from:"), None);
    }
}
