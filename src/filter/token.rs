//! The words and signs of a filter, cut as Wireshark 4.0 cuts them.

use std::ops::Range;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::character::complete::{anychar, char, one_of};
use nom::combinator::{map, map_opt, not, opt, recognize, value, verify};
use nom::multi::fold_many0;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use super::refusal::Refusal;

/// What a filter is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    /// A name, a number, an address, a key word: what they are shows where they stand.
    Word(&'a str),
    /// A quoted text, escapes resolved; it need not be UTF-8.
    Text(Vec<u8>),
    /// One octet between apostrophes.
    Char(u8),
    /// What stands between brackets: a slice.
    Slice(&'a str),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// A token with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lexeme<'a> {
    /// What it is.
    pub(super) token: Token<'a>,
    /// Where it stands, in bytes.
    pub(super) span: Range<usize>,
}

/// All signs, the longer before those that they begin with.
const SIGNS: [&str; 29] = [
    "===", "!==", "==", "!=", "~=", ">=", "<=", "&&", "||", "^^", "..", ">", "<", "!", "~", "&", "+", "-",
    "*", "/", "%", "(", ")", "{", "}", ",", "#", ";", "=",
];

/// Cuts a filter into tokens.
///
/// # Errors
/// Where there is a sign that no filter has, or a quote that is not closed.
pub(super) fn tokens(text: &str) -> Result<Vec<Lexeme<'_>>, Refusal> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(found);
        }
        let start = text.len() - rest.len();
        let Ok((after, token)) = token(rest) else { return Err(wrong(rest, start, text.len())) };
        let end = text.len() - after.len();
        found.push(Lexeme { token, span: start..end });
        rest = after;
    }
}

/// Why nothing can be cut off here.
fn wrong(rest: &str, start: usize, end: usize) -> Refusal {
    let quoted = rest.trim_start_matches(['r', 'R']);
    if quoted.starts_with('"') {
        if let Some(at) = bad_escape(rest) {
            let sign: String = rest[at..].chars().take(2).collect();
            return Refusal::new(
                start + at..start + at + sign.len(),
                format!("{sign} is not a valid character escape sequence; a raw string keeps it"),
            )
            .example(r#"http.request.uri matches r"\.php$""#);
        }
        return Refusal { span: start..end, ..Refusal::early(end, "the string is not closed") };
    }
    if rest.starts_with('\'') {
        let whole = rest.chars().skip(1).any(|c| c == '\'');
        let reason = "a character constant is one octet between apostrophes";
        let refusal = Refusal::new(start..end, reason).example("tcp.payload[0] == 'G'");
        return Refusal { incomplete: !whole, ..refusal };
    }
    if rest.starts_with('[') {
        return Refusal { span: start..end, ..Refusal::early(end, "the slice is not closed") };
    }
    let sign = rest.chars().next().unwrap_or_default();
    Refusal::new(start..start + sign.len_utf8(), format!("\"{sign}\" was unexpected in this context"))
}

/// The place of the first escape in a quoted text that there is not.
fn bad_escape(rest: &str) -> Option<usize> {
    if rest.starts_with(['r', 'R']) {
        return None;
    }
    let mut at = 1;
    while let Some(c) = rest.get(at..).and_then(|rest| rest.chars().next()) {
        match c {
            '"' => return None,
            '\\' => match escape(&rest[at + 1..]) {
                Ok((after, _)) => at = rest.len() - after.len(),
                Err(_) if rest.len() == at + 1 => return None,
                Err(_) => return Some(at),
            },
            c => at += c.len_utf8(),
        }
    }
    None
}

fn token(rest: &str) -> IResult<&str, Token<'_>> {
    alt((raw, quoted, constant, slice, word, sign)).parse(rest)
}

fn sign(rest: &str) -> IResult<&str, Token<'_>> {
    match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        Some(sign) => value(Token::Sign(sign), tag(*sign)).parse(rest),
        None => nom::combinator::fail().parse(rest),
    }
}

/// `r"..."`: nothing in it is resolved.
fn raw(rest: &str) -> IResult<&str, Token<'_>> {
    let inside = nom::bytes::complete::take_while(|c| c != '"');
    map(delimited((one_of("rR"), char('"')), inside, char('"')), |text: &str| {
        Token::Text(text.as_bytes().to_vec())
    })
    .parse(rest)
}

fn quoted(rest: &str) -> IResult<&str, Token<'_>> {
    let mut letter = [0; 4];
    let one = alt((
        map(preceded(char('\\'), escape), |octet| vec![octet]),
        map(verify(anychar, |c| *c != '"' && *c != '\\'), move |c| {
            c.encode_utf8(&mut letter).as_bytes().to_vec()
        }),
    ));
    let inside = fold_many0(one, Vec::new, |mut text: Vec<u8>, more| {
        text.extend(more);
        text
    });
    map(delimited(char('"'), inside, char('"')), Token::Text).parse(rest)
}

fn constant(rest: &str) -> IResult<&str, Token<'_>> {
    let plain = map_opt(verify(anychar, |c| *c != '\'' && *c != '\\'), |c| u8::try_from(u32::from(c)).ok());
    map(delimited(char('\''), alt((preceded(char('\\'), escape), plain)), char('\'')), Token::Char)
        .parse(rest)
}

/// What stands behind a backslash.
fn escape(rest: &str) -> IResult<&str, u8> {
    let hex = preceded(
        char('x'),
        map_opt(take_while_m_n(1, 2, |c: char| c.is_ascii_hexdigit()), |text| {
            u8::from_str_radix(text, 16).ok()
        }),
    );
    let octal = map_opt(take_while_m_n(1, 3, |c: char| ('0'..='7').contains(&c)), |text| {
        u8::from_str_radix(text, 8).ok()
    });
    let letter = alt((
        value(b'"', char('"')),
        value(b'\\', char('\\')),
        value(b'\'', char('\'')),
        value(0x07, char('a')),
        value(0x08, char('b')),
        value(0x0c, char('f')),
        value(b'\n', char('n')),
        value(b'\r', char('r')),
        value(b'\t', char('t')),
        value(0x0b, char('v')),
    ));
    alt((hex, octal, letter)).parse(rest)
}

/// A slice: brackets hold no brackets.
fn slice(rest: &str) -> IResult<&str, Token<'_>> {
    let inside = nom::bytes::complete::take_while(|c| c != ']' && c != '[');
    map(delimited(char('['), inside, char(']')), Token::Slice).parse(rest)
}

/// Names have points and hyphens in them, addresses colons and a slash, bytes may begin with a colon. A range (`..`)
/// ends a word.
fn word(rest: &str) -> IResult<&str, Token<'_>> {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':' || !c.is_ascii();
    let first = verify(anychar, move |c| letter(*c));
    let point = preceded(not(tag("..")), char('.'));
    // A hyphen or a point at the end belongs to what comes next.
    let inner = (alt((recognize(point), tag("-"))), verify(anychar, move |c| letter(*c)));
    let more = alt((recognize(inner), recognize(verify(anychar, move |c| letter(*c)))));
    let mut body = recognize((first, fold_many0(more, || (), |(), _| ())));
    let network = |text: &str| {
        !text.is_empty()
            && (text.contains('.') || text.contains(':'))
            && text.chars().all(|c| c.is_ascii_hexdigit() || c == '.' || c == ':')
    };
    let (after, text) = body.parse(rest)?;
    // A time with its offset, and an address with its prefix, are one word.
    let prefix = recognize((char('/'), take_while_m_n(1, 3, |c: char| c.is_ascii_digit())));
    let zone = recognize((
        char('+'),
        take_while_m_n(2, 2, |c: char| c.is_ascii_digit()),
        opt(tag(":")),
        opt(take_while_m_n(2, 2, |c: char| c.is_ascii_digit())),
    ));
    let (after, _) = if network(text) {
        recognize(opt(prefix)).parse(after)?
    } else if text.contains('T') && text.starts_with(|c: char| c.is_ascii_digit()) {
        recognize(opt(zone)).parse(after)?
    } else {
        (after, "")
    };
    Ok((after, Token::Word(&rest[..rest.len() - after.len()])))
}
