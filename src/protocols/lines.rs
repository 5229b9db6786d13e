//! Reading lines that end in CRLF, and the numbered replies of FTP and SMTP (RFC 959 §4.2, RFC 5321 §4.2).

use std::collections::VecDeque;

use base64::Engine as _;
use memchr::memchr;

use crate::events::Marks;
use crate::limits::{OPEN_QUESTIONS, PARSE_ERRORS};
use crate::time::Span;

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
    ReplyReader::default().read(bytes)
}

/// Reads replies that come in pieces, and looks at each line of them once.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReplyReader {
    /// Bytes of the unfinished reply whose lines were all looked at.
    scanned: usize,
}

impl ReplyReader {
    /// As [`reply`], of bytes that begin where those of the last call began, if that reply was unfinished.
    pub fn read<'b>(&mut self, bytes: &'b [u8]) -> ReplyRead<'b> {
        let scanned = std::mem::take(&mut self.scanned);
        let Some((first, length)) = line(bytes) else {
            let digits = bytes.iter().take(3).all(u8::is_ascii_digit);
            return if digits { ReplyRead::Unfinished } else { ReplyRead::Other };
        };
        let Some((number, rest)) = code(first) else { return ReplyRead::Other };
        let text = rest.get(1..).unwrap_or(&[]);
        let whole = |length: usize| {
            ReplyRead::Whole(Reply { code: number, lines: bytes.get(..length).unwrap_or(&[]), text, length })
        };
        match rest.first() {
            None | Some(b' ') => return whole(length),
            Some(b'-') => {}
            Some(_) => return ReplyRead::Other,
        }
        let mut at = length.max(scanned);
        while let Some((next, length)) = bytes.get(at..).and_then(line) {
            at += length;
            if let Some((same, rest)) = code(next)
                && same == number
                && matches!(rest.first(), None | Some(b' '))
            {
                return whole(at);
            }
        }
        self.scanned = at;
        ReplyRead::Unfinished
    }

    /// The unfinished reply will never be finished.
    pub fn forget(&mut self) {
        self.scanned = 0;
    }
}

/// "Bad sequence of commands" (RFC 959 §4.2, RFC 5321 §4.2.3).
const BAD_SEQUENCE: u16 = 503;

impl<'b> Reply<'b> {
    /// What each line says, without codes and the signs behind them.
    pub fn texts(&self) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        let number = self.code;
        whole(self.lines).map(move |content| match code(content) {
            Some((same, text)) if same == number => text.get(1..).unwrap_or(&[]),
            _ => content,
        })
    }

    /// Whether any of its lines holds one of these words, whatever their case.
    pub fn holds(&self, words: &[&str]) -> bool {
        words.iter().any(|word| holds(self.lines, word))
    }

    /// Whether it says yes: 2xx.
    pub fn is_yes(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Whether it says no: 4xx and 5xx.
    pub fn is_no(&self) -> bool {
        (400..600).contains(&self.code)
    }

    /// Its reasons for a no, in as far as it names them. 421 ends the session, and 4xx may succeed later (RFC 959 §4.2.1, RFC 5321 §4.2.1); of the
    /// reasons RFC 3463 numbers two (x.4.2 a bad connection, x.3.2 a system that accepts nothing), and the rest is
    /// what servers write.
    pub fn reasons(&self) -> Marks {
        let mut marks = Marks::default();
        if (400..500).contains(&self.code) {
            marks = marks.with(Marks::RETRYABLE);
        }
        if !self.is_no() {
            return marks;
        }
        if self.code == BAD_SEQUENCE {
            marks = marks.with(Marks::OUT_OF_TURN);
        }
        let leaves = self.code == 421;
        if leaves {
            marks = marks.with(Marks::FATAL);
        }
        if leaves && self.holds(&["timeout", "timed out", "time-out", "idle", "inactiv", "4.4.2 "]) {
            marks = marks.with(Marks::TIMER);
        } else if leaves && self.holds(&["shutting down", "shutdown", "going down", "restarting", "4.3.2 "]) {
            marks = marks.with(Marks::SHUTDOWN);
        } else if self.is_limit() {
            marks = marks.with(Marks::LIMIT);
        } else if self.holds(&["in use", "is locked", "locked by", "file busy", "mailbox busy", "lock on "]) {
            marks = marks.with(Marks::HELD);
        }
        marks
    }

    /// Whether it says that there are too many others, and not that something failed too often.
    fn is_limit(&self) -> bool {
        let many = ["too many", "maximum", "limit", "no more", "exceed"];
        let whom =
            ["user", "connection", "session", "client", "login", "your internet address", "from this ip"];
        let other = ["fail", "error", "attempt", "incorrect", "quota", "mailbox", "size"];
        self.holds(&["already logged in"]) || (self.holds(&many) && self.holds(&whom) && !self.holds(&other))
    }

    /// After how much idleness the server says that it closes: `disconnected after 15 minutes of inactivity`,
    /// `timeout (300 seconds)`.
    pub fn idle_limit(&self) -> Option<Span> {
        let known = ["inactiv", "idle", "timeout"];
        self.texts().filter(|text| known.iter().any(|word| holds(text, word))).find_map(|text| {
            let words: Vec<&[u8]> =
                text.split(|octet| !octet.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
            words.windows(2).find_map(|pair| {
                let [count, unit] = pair else { return None };
                let seconds = match unit.to_ascii_lowercase().as_slice() {
                    b"second" | b"seconds" | b"secs" => 1,
                    b"minute" | b"minutes" | b"mins" => 60,
                    _ => return None,
                };
                let count = number(count).filter(|count| (1..1_000_000).contains(count))?;
                Some(Span::from_secs(count as i64 * seconds))
            })
        })
    }
}

/// Whether a text holds a word, whatever its case.
pub fn holds(text: &[u8], word: &str) -> bool {
    !word.is_empty() && text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// A decimal number that fills the text.
pub fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}

/// The lines that are whole, without their ends.
pub fn whole(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (content, length) = line(rest)?;
        rest = rest.get(length..).unwrap_or(&[]);
        Some(content)
    })
}

/// Whether bytes begin a TLS record with a handshake: a client that was told to begin (STARTTLS, AUTH TLS).
pub fn begins_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x16, 0x03, 0..=4, ..])
}

/// Whether a line can be one of these protocols at all: text, without control characters but blanks. Telnet signs and
/// names in any 8-bit encoding may stand in it.
pub fn is_text(line: &[u8]) -> bool {
    line.iter().all(|octet| !octet.is_ascii_control() || *octet == b'\t')
}

/// The octets behind base64, where it is some; only so many as a login needs.
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    const LONGEST: usize = 8 << 10;
    let text = text.trim_ascii();
    if text.len() > LONGEST {
        return None;
    }
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// Questions without their last answer, the oldest first: these protocols answer in order.
#[derive(Debug, Clone)]
pub struct Questions<T> {
    open: VecDeque<T>,
}

impl<T> Default for Questions<T> {
    fn default() -> Self {
        Self { open: VecDeque::new() }
    }
}

impl<T> Questions<T> {
    /// One more. Of too many, the oldest is given up.
    pub fn ask(&mut self, question: T) {
        if self.open.len() >= OPEN_QUESTIONS {
            self.open.pop_front();
        }
        self.open.push_back(question);
    }

    /// The one whose turn it is.
    pub fn oldest(&mut self) -> Option<&mut T> {
        self.open.front_mut()
    }

    /// The one that was asked last.
    pub fn newest(&mut self) -> Option<&mut T> {
        self.open.back_mut()
    }

    /// It is answered.
    pub fn answered(&mut self) -> Option<T> {
        self.open.pop_front()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.open.iter()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Answers were lost, and nobody knows how many.
    pub fn forget(&mut self) {
        self.open.clear();
    }
}

/// What to do with the bytes behind a gap: it may have ended in the middle of a line, of which nothing can be known.
/// `good` says whether a line is the beginning of a message. None: read on here.
pub fn behind_gap(bytes: &[u8], good: impl Fn(&[u8]) -> bool) -> Option<Behind> {
    match line(bytes) {
        None => Some(Behind::NeedMore),
        Some((content, _)) if good(content) => None,
        Some((_, length)) => Some(Behind::Pass(length)),
    }
}

/// Bytes behind a gap that begin no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// The end of the line has not come.
    NeedMore,
    /// So many bytes belong to the torn line.
    Pass(usize),
}

/// Whether a line can begin a reply.
pub fn begins_reply(line: &[u8]) -> bool {
    code(line).is_some_and(|(code, rest)| {
        (100..600).contains(&code) && matches!(rest.first(), None | Some(b' ' | b'-'))
    })
}

/// Counts lines that break the grammar, until a good one comes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stumbles(u32);

impl Stumbles {
    /// A bad line; false where it is one too many.
    pub fn bad(&mut self) -> bool {
        self.0 += 1;
        self.0 <= PARSE_ERRORS
    }

    /// A good line.
    pub fn good(&mut self) {
        self.0 = 0;
    }
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

    #[test]
    fn a_reply_in_pieces_is_read_once() {
        let bytes = b"211-Features:\r\n REST STREAM\r\n211-x\r\n211 End\r\n";
        let mut reader = ReplyReader::default();
        for end in 1..bytes.len() {
            assert_eq!(reader.read(&bytes[..end]), ReplyRead::Unfinished, "{end}");
        }
        let ReplyRead::Whole(whole) = reader.read(bytes) else { panic!("it is whole") };
        assert_eq!(whole.length, bytes.len());
        let texts: Vec<_> = whole.texts().map(String::from_utf8_lossy).collect();
        assert_eq!(texts, ["Features:", " REST STREAM", "x", "End"]);
        assert_eq!(reader.read(b"220 next\r\n"), reply(b"220 next\r\n"), "nothing of it is left");
    }

    #[test]
    fn a_no_has_reasons() {
        let reasons = |bytes: &'static [u8]| match reply(bytes) {
            ReplyRead::Whole(reply) => reply.reasons(),
            ReplyRead::Unfinished | ReplyRead::Other => panic!("{bytes:?}"),
        };
        let leaves = |mark: Marks| Marks::RETRYABLE.with(Marks::FATAL).with(mark);
        for (bytes, marks) in [
            (&b"421 Timeout.\r\n"[..], leaves(Marks::TIMER)),
            (b"421 4.4.2 mx Error: timeout exceeded\r\n", leaves(Marks::TIMER)),
            (b"421 4.3.2 All server ports are busy\r\n", leaves(Marks::SHUTDOWN)),
            (b"421 Service shutting down\r\n", leaves(Marks::SHUTDOWN)),
            (b"421 There are too many connections from your internet address.\r\n", leaves(Marks::LIMIT)),
            (
                b"530 Sorry, the maximum number of clients (3) for this user are already connected.\r\n",
                Marks::LIMIT,
            ),
            (b"530 anna already logged in\r\n", Marks::LIMIT),
            (b"421 Too many login attempts failed for this connection\r\n", leaves(Marks::default())),
            (b"421 4.7.0 mx Error: too many errors\r\n", leaves(Marks::default())),
            (b"530 Login incorrect.\r\n", Marks::default()),
            (b"200 Idle timeout set\r\n", Marks::default()),
        ] {
            assert_eq!(reasons(bytes), marks, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn servers_announce_their_patience() {
        let idle = |bytes: &'static [u8]| match reply(bytes) {
            ReplyRead::Whole(reply) => reply.idle_limit(),
            ReplyRead::Unfinished | ReplyRead::Other => None,
        };
        assert_eq!(
            idle(b"220-Welcome, user 1 of 50\r\n220 You will be disconnected after 15 minutes of inactivity.\r\n"),
            Some(Span::from_secs(900))
        );
        assert_eq!(
            idle(b"421 Idle timeout (600 seconds): closing control connection\r\n"),
            Some(Span::from_secs(600))
        );
        assert_eq!(idle(b"220 The clock says 15 minutes past\r\n"), None);
        assert_eq!(idle(b"421 Timeout.\r\n"), None);
    }

    #[test]
    fn questions_are_bounded() {
        let mut questions = Questions::default();
        for number in 0..=OPEN_QUESTIONS {
            questions.ask(number);
        }
        assert_eq!(questions.iter().count(), OPEN_QUESTIONS);
        assert_eq!(questions.answered(), Some(1));
    }

    #[test]
    fn a_torn_line_is_passed() {
        let behind = |bytes| behind_gap(bytes, begins_reply);
        assert_eq!(behind(b"250 Ok\r\n"), None);
        assert_eq!(behind(b"211-End\r\n"), None);
        assert_eq!(behind(b" complete.\r\n250 Ok\r\n"), Some(Behind::Pass(12)));
        assert_eq!(behind(b"8080 x\r\n"), Some(Behind::Pass(8)));
        assert_eq!(behind(b"250 O"), Some(Behind::NeedMore));
    }

    #[test]
    fn texts_and_numbers() {
        assert!(holds(b"221 Good BYE", "bye") && !holds(b"by", "bye") && !holds(b"x", ""));
        assert_eq!(number(b"18446744073709551616"), None);
        assert_eq!((number(b"042"), number(b""), number(b"-1")), (Some(42), None, None));
        assert_eq!(base64(b"YW5uYQ==").as_deref(), Some(&b"anna"[..]));
        assert_eq!(base64(b"YW5uYQ"), None);
        assert!(is_text(b"STOR b\xc3\xa4\tr") && !is_text(b"STOR \0"));
    }
}
