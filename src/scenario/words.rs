//! A line taken into words and quoted text, and the values that words stand for.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::character::complete::{char, digit1, none_of, space0};
use nom::combinator::{all_consuming, map, map_opt, opt, recognize, value};
use nom::multi::{fold_many0, many0, separated_list1};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use super::complaint::{Complaint, nearest};
use super::script::Side;

/// Longest time a story can tell of at once: a hundred years, in nanoseconds.
const LONGEST: u64 = 100 * 365 * 86_400 * 1_000_000_000;

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word<'l> {
    /// As written.
    Bare(&'l str),
    /// What stood in quotation marks, with its escapes resolved.
    Text(Vec<u8>),
}

/// Takes a line apart; a comment begins with `#` outside of quotation marks.
pub(super) fn split(line: &str) -> Result<Vec<Word<'_>>, Complaint> {
    let bare = take_while1(|c: char| !c.is_whitespace() && c != '"' && c != '#');
    let word = alt((map(text, Word::Text), map(bare, Word::Bare)));
    let comment = preceded(char('#'), nom::combinator::rest);
    let mut all = all_consuming(terminated(many0(preceded(space0, word)), (space0, opt(comment))));
    all.parse(line.trim()).map(|(_, words)| words).map_err(|_| Complaint::BadText)
}

/// Text in quotation marks.
fn text(input: &str) -> IResult<&str, Vec<u8>> {
    let letter = |input| -> IResult<&str, Vec<u8>> {
        alt((preceded(char('\\'), escaped), map(none_of("\"\\"), |c| c.to_string().into_bytes())))
            .parse(input)
    };
    let letters = fold_many0(letter, Vec::new, |mut all, more| {
        all.extend(more);
        all
    });
    delimited(char('"'), letters, char('"')).parse(input)
}

/// What follows a backslash.
fn escaped(input: &str) -> IResult<&str, Vec<u8>> {
    alt((
        value(vec![b'\r'], char('r')),
        value(vec![b'\n'], char('n')),
        value(vec![b'\t'], char('t')),
        value(vec![0], char('0')),
        value(vec![b'\\'], char('\\')),
        value(vec![b'"'], char('"')),
        map(preceded(char('x'), octet), |byte| vec![byte]),
    ))
    .parse(input)
}

/// Two hexadecimal digits.
fn octet(input: &str) -> IResult<&str, u8> {
    map_opt(take_while_m_n(2, 2, |c: char| c.is_ascii_hexdigit()), |digits| {
        u8::from_str_radix(digits, 16).ok()
    })
    .parse(input)
}

/// A length of time with its unit, in nanoseconds: `300ms`, `1.5s`, `2h`.
fn duration(input: &str) -> IResult<&str, i64> {
    let units = alt((
        value(1, tag("ns")),
        value(1_000, alt((tag("us"), tag("µs")))),
        value(1_000_000, tag("ms")),
        value(1_000_000_000, tag("s")),
        value(60_000_000_000, tag("m")),
        value(3_600_000_000_000, tag("h")),
        value(86_400_000_000_000_u64, tag("d")),
    ));
    let fraction = preceded(char('.'), recognize(digit1));
    map_opt((digit1, opt(fraction), units), |(whole, fraction, unit): (&str, Option<&str>, u64)| {
        let mut total = whole.parse::<u64>().ok()?.checked_mul(unit)?;
        let mut place = unit;
        for digit in fraction.unwrap_or_default().bytes() {
            place /= 10;
            total = total.checked_add(u64::from(digit - b'0') * place)?;
        }
        (total <= LONGEST).then_some(total as i64)
    })
    .parse(input)
}

/// Six octets with colons between them.
fn mac(input: &str) -> IResult<&str, [u8; 6]> {
    map_opt(separated_list1(char(':'), octet), |octets| octets.try_into().ok()).parse(input)
}

/// A line with each `${10s}` in it written out as so many seconds at this pace: digits in a text, two octets elsewhere.
pub(super) fn written_out(line: &str, pace: f64) -> Result<Cow<'_, str>, Complaint> {
    let Some((before, rest)) = line.split_once("${") else { return Ok(line.into()) };
    let (inside, after) = rest.split_once('}').ok_or(Complaint::BadText)?;
    let (_, nanos) = all_consuming(duration).parse(inside).map_err(|_| Complaint::BadText)?;
    let seconds = (nanos as f64 * pace / 1e9).round() as u64;
    // Quotation marks that do not stand behind a backslash open and close texts.
    let marks = before.replace("\\\\", "").replace("\\\"", "").matches('"').count();
    let written = if marks % 2 == 1 {
        seconds.to_string()
    } else {
        let octets = u16::try_from(seconds).map_err(|_| Complaint::BadText)?.to_be_bytes();
        format!("{:02x} {:02x}", octets[0], octets[1])
    };
    let line = format!("{before}{written}{after}");
    written_out(&line, pace).map(|line| line.into_owned().into())
}

/// The words of one line, taken one after the other.
#[derive(Debug)]
pub(super) struct Words<'w> {
    left: &'w [Word<'w>],
    pace: f64,
}

impl<'w> Words<'w> {
    /// From the beginning.
    pub(super) fn new(words: &'w [Word<'w>]) -> Self {
        Self { left: words, pace: 1.0 }
    }

    /// The same in a story that is told at this pace.
    pub(super) fn paced(self, pace: f64) -> Self {
        Self { pace, ..self }
    }

    /// Whether the line is used up.
    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// The next word, still there afterwards; none before text and at the end.
    pub(super) fn peek(&self) -> Option<&'w str> {
        match self.left.first() {
            Some(Word::Bare(word)) => Some(*word),
            _ => None,
        }
    }

    /// The complaint that `expected` does not stand here.
    pub(super) fn expected(&self, expected: impl Into<String>) -> Complaint {
        let found = self.left.first().map(|word| match word {
            Word::Bare(word) => (*word).to_owned(),
            Word::Text(_) => "text".to_owned(),
        });
        Complaint::Expected { expected: expected.into(), found, suggestion: None }
    }

    /// As [`expected`](Self::expected), with the nearest of these words.
    pub(super) fn expected_one_of(&self, what: &str, words: &[&'static str]) -> Complaint {
        let suggestion = self.peek().and_then(|word| nearest(word, words));
        let found = self.left.first().map(|_| self.peek().unwrap_or("text").to_owned());
        Complaint::Expected { expected: format!("{what} ({})", words.join(", ")), found, suggestion }
    }

    /// Takes the next word, whatever it is.
    pub(super) fn any(&mut self, what: &str) -> Result<&'w str, Complaint> {
        let word = self.peek().ok_or_else(|| self.expected(what))?;
        self.left = &self.left[1..];
        Ok(word)
    }

    /// Takes the next word if it is `keyword`.
    pub(super) fn take(&mut self, keyword: &str) -> bool {
        let here = self.peek() == Some(keyword);
        if here {
            self.left = &self.left[1..];
        }
        here
    }

    /// Takes one of `words`.
    pub(super) fn one_of(&mut self, what: &str, words: &[&'static str]) -> Result<&'static str, Complaint> {
        let found = self.peek().and_then(|word| words.iter().find(|w| **w == word));
        let found = found.ok_or_else(|| self.expected_one_of(what, words))?;
        self.left = &self.left[1..];
        Ok(found)
    }

    /// Takes a value that `read` understands.
    fn value<T>(&mut self, what: &str, read: impl FnOnce(&'w str) -> Option<T>) -> Result<T, Complaint> {
        let value = self.peek().and_then(read).ok_or_else(|| self.expected(what))?;
        self.left = &self.left[1..];
        Ok(value)
    }

    /// Takes a value that `read` understands, if one stands here.
    fn maybe<T>(&mut self, read: impl FnOnce(&'w str) -> Option<T>) -> Option<T> {
        self.value("", read).ok()
    }

    /// Takes a whole number between `least` and `most`.
    pub(super) fn number(&mut self, what: &'static str, least: u32, most: u32) -> Result<u32, Complaint> {
        let word = self.peek().filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        let word = word.ok_or_else(|| self.expected(format!("{what}, a number from {least} to {most}")))?;
        match word.parse::<u32>() {
            Ok(number) if (least..=most).contains(&number) => {
                self.left = &self.left[1..];
                Ok(number)
            }
            _ => {
                let range = format!("a number from {least} to {most}");
                Err(Complaint::OutOfRange { what, range, found: word.to_owned() })
            }
        }
    }

    /// Takes a whole number if one stands here.
    pub(super) fn maybe_number(&mut self) -> Option<u32> {
        self.maybe(|word| word.parse().ok())
    }

    /// Takes a whole number that must have a sign, if one stands here.
    pub(super) fn maybe_signed(&mut self) -> Option<i64> {
        self.maybe(|word| word.starts_with(['+', '-']).then(|| word.parse::<i32>().ok().map(i64::from))?)
    }

    /// Takes a length of time, in nanoseconds.
    pub(super) fn duration(&mut self, what: &str) -> Result<i64, Complaint> {
        let what = format!("{what}, a time such as 300ms, 1.5s or 2h");
        self.value(&what, |word| all_consuming(duration).parse(word).ok().map(|(_, nanos)| nanos))
    }

    /// Takes a time that somebody waits, in nanoseconds, at the story's pace.
    pub(super) fn wait(&mut self, what: &str) -> Result<i64, Complaint> {
        let nanos = self.duration(what)?;
        Ok(((nanos as f64 * self.pace) as i64).min(LONGEST as i64))
    }

    /// Takes a pace: a factor between a hundredth and a thousand.
    pub(super) fn pace(&mut self) -> Result<f64, Complaint> {
        let pace = |word: &str| word.parse().ok().filter(|pace| (0.01..=1000.0).contains(pace));
        self.value("a pace, a factor such as 0.3 or 7", pace)
    }

    /// Takes `client` or `server`.
    pub(super) fn side(&mut self) -> Result<Side, Complaint> {
        self.one_of("a side", &["client", "server"])
            .map(|word| if word == "client" { Side::Client } else { Side::Server })
    }

    /// Takes an address with its port, if one stands here.
    pub(super) fn maybe_endpoint(&mut self) -> Option<SocketAddr> {
        self.maybe(|word| word.parse().ok())
    }

    /// Takes an address.
    pub(super) fn address(&mut self) -> Result<IpAddr, Complaint> {
        self.value("an IPv4 or IPv6 address", |word| word.parse().ok())
    }

    /// Takes a hardware address.
    pub(super) fn mac(&mut self) -> Result<[u8; 6], Complaint> {
        let what = "a hardware address such as 02:00:00:00:00:01";
        self.value(what, |word| all_consuming(mac).parse(word).ok().map(|(_, octets)| octets))
    }

    /// Takes an octet in hexadecimal, if one stands here.
    pub(super) fn maybe_octet(&mut self) -> Option<u8> {
        self.maybe(|word| all_consuming(octet).parse(word).ok().map(|(_, byte)| byte))
    }

    /// Takes text in quotation marks, if it stands here.
    pub(super) fn maybe_text(&mut self) -> Option<Vec<u8>> {
        let Some(Word::Text(text)) = self.left.first() else { return None };
        self.left = &self.left[1..];
        Some(text.clone())
    }

    /// Makes sure that nothing is left.
    pub(super) fn finish(&self) -> Result<(), Complaint> {
        match self.left.first() {
            None => Ok(()),
            Some(Word::Bare(word)) => Err(Complaint::TooMuch((*word).to_owned())),
            Some(Word::Text(_)) => Err(Complaint::TooMuch("text".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_end_a_line_but_not_a_text() {
        let words = split("client \"a # b\\r\\n\\x41\" # said").unwrap();
        assert_eq!(words, [Word::Bare("client"), Word::Text(b"a # b\r\nA".to_vec())]);
        assert_eq!(split("  # only a comment").unwrap(), []);
        assert_eq!(split("").unwrap(), []);
    }

    #[test]
    fn text_must_end_and_escapes_must_be_known() {
        for bad in ["client \"open", "client \"\\q\"", "client \"\\x4\"", "client \"ends with \\\""] {
            assert_eq!(split(bad), Err(Complaint::BadText), "{bad}");
        }
    }

    #[test]
    fn times_are_exact() {
        let read = |text| all_consuming(duration).parse(text).ok().map(|(_, nanos)| nanos);
        assert_eq!(read("300s"), Some(300_000_000_000));
        assert_eq!(read("12.5s"), Some(12_500_000_000));
        assert_eq!(read("0.1us"), Some(100));
        assert_eq!(read("2m"), Some(120_000_000_000));
        assert_eq!(read("7ms"), Some(7_000_000));
        for bad in ["5", "s", "-1s", "1.s", "99999999999999999999s", "200000d", "1week"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn seconds_are_written_out_at_the_pace() {
        let at = |line, pace| written_out(line, pace).map(Cow::into_owned);
        assert_eq!(at("client \"timeout=${10s}\"", 0.3).unwrap(), "client \"timeout=3\"");
        assert_eq!(at("client hex 04 ${60s} ${10s}", 7.0).unwrap(), "client hex 04 01 a4 00 46");
        assert_eq!(at("client \"a\\\"${10s}\"", 1.0).unwrap(), "client \"a\\\"10\"");
        assert_eq!(at("client \"${10}\"", 1.0), Err(Complaint::BadText));
        assert_eq!(at("client hex ${70000s}", 1.0), Err(Complaint::BadText));
    }

    #[test]
    fn a_hardware_address_has_six_octets() {
        let read = |text| all_consuming(mac).parse(text).ok().map(|(_, octets)| octets);
        assert_eq!(read("02:00:00:00:0a:FF"), Some([2, 0, 0, 0, 10, 255]));
        assert_eq!(read("02:00:00:00:0a"), None);
        assert_eq!(read("2:0:0:0:a:f"), None);
    }
}
