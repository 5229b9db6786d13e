//! Reading lines that end in CRLF, and the numbered replies of FTP and SMTP (RFC 959 §4.2, RFC 5321 §4.2).

use memchr::memchr;

/// The first line: its content without its end (LF, with or without CR before it), and how many bytes it takes.
/// None while its end has not come.
pub fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = memchr(b'\n', bytes)?;
    let content = bytes.get(..end)?;
    Some((content.strip_suffix(b"\r").unwrap_or(content), end + 1))
}

/// A reply with a three-digit code, of one line or of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'b> {
    /// The code of its last line.
    pub code: u16,
    /// All its lines as they came, the codes included.
    pub lines: &'b [u8],
    /// The text of its first line.
    pub text: &'b [u8],
    /// How many bytes it takes.
    pub length: usize,
}

/// What stands where a reply is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyRead<'b> {
    /// A whole reply.
    Whole(Reply<'b>),
    /// The beginning of one.
    Unfinished,
    /// Something else.
    Other,
}

/// The three digits that begin a line of a reply, and what follows them.
pub fn code(line: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    Some((code, rest))
}

/// Reads one reply. A line `ddd-` begins one of several lines, which ends with a line `ddd ` (or `ddd` alone) of the
/// same code; lines between may hold anything.
pub fn reply(bytes: &[u8]) -> ReplyRead<'_> {
    let Some((first, mut at)) = line(bytes) else {
        let digits = bytes.iter().take(3).all(u8::is_ascii_digit);
        return if digits { ReplyRead::Unfinished } else { ReplyRead::Other };
    };
    let Some((number, rest)) = code(first) else { return ReplyRead::Other };
    let text = rest.get(1..).unwrap_or(&[]);
    let whole = |length: usize| {
        ReplyRead::Whole(Reply { code: number, lines: bytes.get(..length).unwrap_or(&[]), text, length })
    };
    match rest.first() {
        None | Some(b' ') => return whole(at),
        Some(b'-') => {}
        Some(_) => return ReplyRead::Other,
    }
    while let Some((next, length)) = bytes.get(at..).and_then(line) {
        at += length;
        if let Some((same, rest)) = code(next)
            && same == number
            && matches!(rest.first(), None | Some(b' '))
        {
            return whole(at);
        }
    }
    ReplyRead::Unfinished
}

/// The first word of a line, and what follows the blanks behind it.
pub fn word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|octet| matches!(octet, b' ' | b'\t')).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    (word, rest.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_lf() {
        assert_eq!(line(b"NOOP\r\nQUIT\r\n"), Some((&b"NOOP"[..], 6)));
        assert_eq!(line(b"NOOP\n"), Some((&b"NOOP"[..], 5)));
        assert_eq!(line(b"NOOP\r"), None);
        assert_eq!(word(b"USER  anna"), (&b"USER"[..], &b"anna"[..]));
        assert_eq!(word(b"QUIT"), (&b"QUIT"[..], &b""[..]));
    }

    #[test]
    fn replies_of_one_line_and_of_several() {
        let whole = |bytes: &'static [u8]| match reply(bytes) {
            ReplyRead::Whole(reply) => Some((reply.code, reply.length, reply.text)),
            ReplyRead::Unfinished | ReplyRead::Other => None,
        };
        assert_eq!(whole(b"220 ready\r\n331 x"), Some((220, 11, &b"ready"[..])));
        assert_eq!(whole(b"221\r\n"), Some((221, 5, &b""[..])));
        assert_eq!(
            whole(b"211-Features:\r\n 211 no\r\n212 no\r\n211 End\r\n"),
            Some((211, 41, &b"Features:"[..]))
        );
        assert_eq!(reply(b"211-Features:\r\n MDTM\r\n"), ReplyRead::Unfinished);
        assert_eq!(reply(b"22"), ReplyRead::Unfinished);
        assert_eq!(reply(b"HTTP/1.1 200 OK\r\n"), ReplyRead::Other);
        assert_eq!(reply(b"220x\r\n"), ReplyRead::Other);
    }
}
