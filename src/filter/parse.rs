//! From tokens to the tree of a filter: the grammar of Wireshark 4.0, and what is added to it.

use std::ops::Range;

use super::refusal::{Refusal, nearest};
use super::syntax::{Arithmetic, Kind, Node, Part, Quantifier, Reach, Relation};
use super::token::{Lexeme, Token, tokens};
use crate::limits::{FILTER_BYTES, FILTER_DEPTH};

/// The functions.
pub(super) const FUNCTIONS: [&str; 8] = ["len", "count", "lower", "upper", "string", "min", "max", "abs"];

/// Words that are no names.
pub(super) const KEYWORDS: [&str; 33] = [
    "and",
    "or",
    "xor",
    "not",
    "in",
    "any",
    "all",
    "then",
    "without",
    "within",
    "eq",
    "ne",
    "gt",
    "lt",
    "ge",
    "le",
    "any_eq",
    "all_eq",
    "any_ne",
    "all_ne",
    "contains",
    "matches",
    "bitwise_and",
    "len",
    "count",
    "lower",
    "upper",
    "string",
    "min",
    "max",
    "abs",
    "true",
    "false",
];

/// Words that join what stands around them.
const JOINING: [&str; 22] = [
    "and",
    "or",
    "xor",
    "in",
    "then",
    "without",
    "within",
    "eq",
    "ne",
    "gt",
    "lt",
    "ge",
    "le",
    "any_eq",
    "all_eq",
    "any_ne",
    "all_ne",
    "contains",
    "matches",
    "bitwise_and",
    "any",
    "all",
];

/// Reads a filter.
///
/// # Errors
/// Where it is none.
pub(super) fn parse(text: &str) -> Result<Node, Refusal> {
    if text.len() > FILTER_BYTES {
        return Err(Refusal::new(0..1, format!("a filter has at most {FILTER_BYTES} bytes")));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, end: text.len(), depth: 0 };
    let node = parser.sequence()?;
    match parser.peek() {
        None => Ok(node),
        Some(lexeme) => Err(unexpected(lexeme)),
    }
}

struct Parser<'a> {
    tokens: &'a [Lexeme<'a>],
    next: usize,
    end: usize,
    depth: usize,
}

type Parsed = Result<Node, Refusal>;

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Lexeme<'a>> {
        self.tokens.get(self.next)
    }

    fn peek_sign(&self, wanted: &[&str]) -> Option<&'a str> {
        match self.peek()?.token {
            Token::Sign(sign) if wanted.contains(&sign) => Some(sign),
            Token::Word(word) if wanted.contains(&word) => Some(word),
            _ => None,
        }
    }

    /// Takes one of these signs or words.
    fn take(&mut self, wanted: &[&str]) -> Option<&'a str> {
        let found = self.peek_sign(wanted)?;
        self.next += 1;
        Some(found)
    }

    fn expect(&mut self, wanted: &'static str, opened: usize) -> Result<(), Refusal> {
        match self.peek() {
            _ if self.take(&[wanted]).is_some() => Ok(()),
            None => Err(Refusal {
                span: opened..self.end,
                ..Refusal::early(self.end, format!("the filter ends before \"{wanted}\""))
            }),
            Some(lexeme) => Err(unexpected(lexeme)),
        }
    }

    fn early(&self) -> Refusal {
        Refusal::early(self.end, "the filter ends too early")
    }

    /// Where the last token that was taken ends.
    fn behind(&self) -> usize {
        self.next.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |lexeme| lexeme.span.end)
    }

    fn node(&self, start: usize, kind: Kind) -> Node {
        Node { span: start..self.behind(), kind }
    }

    /// Goes one step deeper, as long as that is allowed.
    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth >= FILTER_DEPTH {
            let span = self.peek().map_or(self.end..self.end, |lexeme| lexeme.span.clone());
            return Err(Refusal::new(span, format!("a filter is at most {FILTER_DEPTH} brackets deep")));
        }
        self.depth += 1;
        let node = read(self);
        self.depth -= 1;
        node
    }

    /// `A then B within 30s`, `A without B within 5s`: looser than everything else.
    fn sequence(&mut self) -> Parsed {
        let first = self.either()?;
        let start = first.span.start;
        if self.take(&["without"]).is_some() {
            let other = Box::new(self.either()?);
            let within = self.limit()?;
            return Ok(self.node(start, Kind::Without { first: Box::new(first), other, within }));
        }
        let mut steps = Vec::new();
        while self.take(&["then"]).is_some() {
            let step = self.either()?;
            steps.push((step, self.limit()?));
        }
        if steps.is_empty() {
            return Ok(first);
        }
        Ok(self.node(start, Kind::Then { first: Box::new(first), steps }))
    }

    fn limit(&mut self) -> Result<Option<Box<Node>>, Refusal> {
        if self.take(&["within"]).is_none() {
            return Ok(None);
        }
        match self.peek() {
            Some(Lexeme { token: Token::Word(word), span }) => {
                self.next += 1;
                Ok(Some(Box::new(Node { span: span.clone(), kind: Kind::Word((*word).to_owned()) })))
            }
            Some(lexeme) => Err(unexpected(lexeme)),
            None => Err(self.early()),
        }
    }

    /// Parts of one sort between their sign.
    fn list(&mut self, signs: &[&str], part: fn(&mut Self) -> Parsed, make: fn(Vec<Node>) -> Kind) -> Parsed {
        let first = part(self)?;
        let start = first.span.start;
        let mut parts = vec![first];
        while self.take(signs).is_some() {
            parts.push(part(self)?);
        }
        match parts.len() {
            1 => parts.pop().ok_or_else(|| self.early()),
            _ => Ok(self.node(start, make(parts))),
        }
    }

    fn either(&mut self) -> Parsed {
        self.list(&["||", "or"], Self::exclusive, Kind::Or)
    }

    fn exclusive(&mut self) -> Parsed {
        self.list(&["^^", "xor"], Self::both, Kind::Xor)
    }

    fn both(&mut self) -> Parsed {
        self.list(&["&&", "and"], Self::negation, Kind::And)
    }

    fn negation(&mut self) -> Parsed {
        let start = self.peek().ok_or_else(|| self.early())?.span.start;
        if self.take(&["!", "not"]).is_some() {
            let inner = self.deeper(Self::negation)?;
            return Ok(self.node(start, Kind::Not(Box::new(inner))));
        }
        self.test()
    }

    fn test(&mut self) -> Parsed {
        let first = self.peek().ok_or_else(|| self.early())?;
        let start = first.span.start;
        if self.take(&["("]).is_some() {
            let inner = self.deeper(Self::sequence)?;
            self.expect(")", start)?;
            return Ok(inner);
        }
        let opens = |token: Option<&Lexeme<'_>>| token.is_some_and(|lexeme| lexeme.token == Token::Sign("("));
        let bracketed = opens(self.tokens.get(self.next + 1));
        if let Some(word) = self.take(&["any", "all"]) {
            let quantifier = if word == "any" { Quantifier::Any } else { Quantifier::All };
            if bracketed {
                let test = Box::new(self.bracketed()?);
                return Ok(self.node(start, Kind::Packets { quantifier, test }));
            }
            return self.relation(start, Some(quantifier));
        }
        if bracketed && first.token == Token::Word("session") {
            self.next += 1;
            let test = Box::new(self.bracketed()?);
            return Ok(self.node(start, Kind::Lift(test)));
        }
        self.relation(start, None)
    }

    fn bracketed(&mut self) -> Parsed {
        let opened = self.peek().map_or(self.end, |lexeme| lexeme.span.start);
        self.next += 1;
        let inner = self.deeper(Self::sequence)?;
        self.expect(")", opened)?;
        Ok(inner)
    }

    fn relation(&mut self, start: usize, quantifier: Option<Quantifier>) -> Parsed {
        let first = self.value()?;
        let negated = self.peek_sign(&["not"]).is_some()
            && matches!(self.tokens.get(self.next + 1), Some(Lexeme { token: Token::Word("in"), .. }));
        if negated {
            self.next += 1;
        }
        if self.take(&["in"]).is_some() {
            let members = self.members()?;
            return Ok(self.node(start, Kind::In { quantifier, value: Box::new(first), negated, members }));
        }
        let mut rest = Vec::new();
        while let Some(relation) = self.relation_word() {
            self.next += 1;
            rest.push((relation, self.value()?));
        }
        match (rest.is_empty(), quantifier) {
            (false, _) => Ok(self.node(start, Kind::Relation { quantifier, first: Box::new(first), rest })),
            (true, None) => Ok(first),
            (true, Some(_)) => match self.peek() {
                None => Err(self.early()),
                Some(lexeme) => Err(unexpected(lexeme)),
            },
        }
    }

    fn relation_word(&self) -> Option<Relation> {
        match self.peek()?.token {
            Token::Word(word) | Token::Sign(word) => Relation::of(word),
            _ => None,
        }
    }

    fn members(&mut self) -> Result<Vec<(Node, Option<Node>)>, Refusal> {
        let opened = self.peek().map_or(self.end, |lexeme| lexeme.span.start);
        self.expect("{", opened)?;
        let mut members = Vec::new();
        loop {
            let first = self.value()?;
            let last = if self.take(&[".."]).is_some() { Some(self.value()?) } else { None };
            members.push((first, last));
            if self.take(&[","]).is_none() {
                break;
            }
        }
        self.expect("}", opened)?;
        Ok(members)
    }

    /// Arithmetic of these signs, from left to right.
    fn chain(&mut self, signs: &[(&str, Arithmetic)], part: fn(&mut Self) -> Parsed) -> Parsed {
        let first = part(self)?;
        let start = first.span.start;
        let mut rest = Vec::new();
        while let Some((_, sign)) = signs.iter().find(|(word, _)| self.peek_sign(&[word]).is_some()) {
            let span = self.peek().map_or(0..0, |lexeme| lexeme.span.clone());
            self.next += 1;
            if rest.len() >= FILTER_DEPTH {
                return Err(Refusal::new(span, format!("at most {FILTER_DEPTH} such signs in a row")));
            }
            rest.push((*sign, part(self)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(self.node(start, Kind::Arithmetic { first: Box::new(first), rest }))
    }

    fn value(&mut self) -> Parsed {
        self.chain(&[("&", Arithmetic::And), ("bitwise_and", Arithmetic::And)], Self::sum)
    }

    fn sum(&mut self) -> Parsed {
        self.chain(&[("+", Arithmetic::Add), ("-", Arithmetic::Subtract)], Self::product)
    }

    fn product(&mut self) -> Parsed {
        let signs = [("*", Arithmetic::Multiply), ("/", Arithmetic::Divide), ("%", Arithmetic::Remainder)];
        self.chain(&signs, Self::unary)
    }

    fn unary(&mut self) -> Parsed {
        let start = self.peek().ok_or_else(|| self.early())?.span.start;
        if self.take(&["-"]).is_some() {
            let value = Box::new(self.deeper(Self::unary)?);
            return Ok(self.node(start, Kind::Negative(value)));
        }
        if self.take(&["+"]).is_some() {
            return self.deeper(Self::unary);
        }
        let mut node = self.atom()?;
        let mut sliced = 0;
        while let Some(lexeme) = self.peek() {
            let kind = match &lexeme.token {
                Token::Slice(inside) => {
                    self.next += 1;
                    let parts = ranges(inside, &lexeme.span)?;
                    Kind::Slice { of: Box::new(node), parts }
                }
                Token::Sign("#") => {
                    self.next += 1;
                    let layers = self.layers()?;
                    Kind::Layer { of: Box::new(node), layers }
                }
                _ => break,
            };
            sliced += 1;
            if sliced > FILTER_DEPTH {
                return Err(Refusal::new(lexeme.span.clone(), "sliced too often"));
            }
            node = self.node(start, kind);
        }
        Ok(node)
    }

    /// `#1`, `#[1-2]`.
    fn layers(&mut self) -> Result<Vec<Part>, Refusal> {
        let lexeme = self.peek().ok_or_else(|| self.early())?;
        self.next += 1;
        match &lexeme.token {
            Token::Slice(inside) => ranges(inside, &lexeme.span),
            Token::Word(word) => match word.parse() {
                Ok(start) => Ok(vec![Part { start, reach: Reach::Length(1) }]),
                Err(_) => Err(unexpected(lexeme)),
            },
            _ => Err(unexpected(lexeme)),
        }
    }

    fn atom(&mut self) -> Parsed {
        let lexeme = self.peek().ok_or_else(|| self.early())?;
        let span = lexeme.span.clone();
        self.next += 1;
        let kind = match &lexeme.token {
            Token::Sign("{") => {
                let inner = self.deeper(Self::value)?;
                self.expect("}", span.start)?;
                return Ok(inner);
            }
            Token::Word(word) if JOINING.contains(word) || *word == "not" => {
                return Err(unexpected(lexeme));
            }
            Token::Word(word) if self.peek().is_some_and(|next| next.token == Token::Sign("(")) => {
                return self.call(word, span);
            }
            Token::Word(word) => Kind::Word((*word).to_owned()),
            Token::Text(text) => Kind::Text(text.clone()),
            Token::Char(octet) => Kind::Char(*octet),
            Token::Slice(_) | Token::Sign(_) => return Err(unexpected(lexeme)),
        };
        Ok(Node { span, kind })
    }

    fn call(&mut self, name: &str, span: Range<usize>) -> Parsed {
        if !FUNCTIONS.contains(&name) {
            return Err(Refusal::new(span, format!("there is no function {name}()"))
                .nearest(nearest(name, FUNCTIONS.iter().copied()))
                .example("len(http.request.uri) > 100"));
        }
        let opened = self.behind();
        self.next += 1;
        let mut args = Vec::new();
        if self.peek_sign(&[")"]).is_none() {
            args.push(self.deeper(Self::sequence)?);
            while self.take(&[","]).is_some() {
                args.push(self.deeper(Self::sequence)?);
            }
        }
        self.expect(")", opened)?;
        Ok(self.node(span.start, Kind::Call { name: name.to_owned(), args }))
    }
}

/// Why this token cannot stand here, with what was perhaps meant.
fn unexpected(lexeme: &Lexeme<'_>) -> Refusal {
    let word = match &lexeme.token {
        Token::Word(word) => (*word).to_owned(),
        Token::Sign(sign) => (*sign).to_owned(),
        Token::Text(text) => format!("\"{}\"", String::from_utf8_lossy(text)),
        Token::Char(octet) => format!("'{}'", char::from(*octet)),
        Token::Slice(inside) => format!("[{inside}]"),
    };
    let refusal = Refusal::new(lexeme.span.clone(), format!("\"{word}\" was unexpected in this context"));
    match (word.as_str(), &lexeme.token) {
        ("=", _) => refusal.nearest(Some("==")),
        ("|" | "|||", _) => refusal.nearest(Some("||")),
        (word, Token::Word(_)) if JOINING.contains(&word.to_ascii_lowercase().as_str()) => refusal
            .nearest(Some(&word.to_ascii_lowercase()).filter(|lower| *lower != word).map(String::as_str)),
        (word, Token::Word(_)) => refusal.nearest(nearest(word, JOINING.iter().copied())),
        _ => refusal,
    }
}

/// What stands between the brackets of a slice: `i:j` from i, j octets; `i-j` both included; `i`; `:j`; `i:`.
fn ranges(inside: &str, span: &Range<usize>) -> Result<Vec<Part>, Refusal> {
    let wrong = || {
        Refusal::new(
            span.clone(),
            "a slice is [offset:length], [first-last], [offset], [:length] or [offset:]",
        )
        .example("eth.src[0:3] == 00:00:83")
    };
    let number = |text: &str| text.trim().parse::<i32>().map_err(|_| wrong());
    let part = |text: &str| {
        let text = text.trim();
        if let Some((start, length)) = text.split_once(':') {
            let start = if start.trim().is_empty() { 0 } else { number(start)? };
            let reach = match length.trim() {
                "" => Reach::End,
                length => Reach::Length(length.parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?),
            };
            return Ok(Part { start, reach });
        }
        // A hyphen at the begin is a sign.
        match text.get(1..).and_then(|rest| rest.find('-')) {
            Some(at) => {
                let (start, last) = (number(&text[..=at])?, number(&text[at + 2..])?);
                if (start >= 0) == (last >= 0) && last < start {
                    return Err(wrong());
                }
                Ok(Part { start, reach: Reach::To(last) })
            }
            None => Ok(Part { start: number(text)?, reach: Reach::Length(1) }),
        }
    };
    inside.split(',').map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> String {
        parse(text).map_or_else(|refusal| format!("refused: {}", refusal.reason), |node| node.to_string())
    }

    #[test]
    fn signs_bind_as_in_wireshark_4() {
        for (text, tree) in [
            ("a || b && c", "a or b and c"),
            ("(a || b) && c", "(a or b) and c"),
            ("! a.b == 1 && c", "not a.b == 1 and c"),
            ("a ^^ b || c xor d", "a xor b or c xor d"),
            ("a & 2 == 2", "a & 2 == 2"),
            ("a + 1 & 2", "a + 1 & 2"),
            ("{a & 1} + 2 > 3", "{a & 1} + 2 > 3"),
            ("{a + 1} * 2 > 3", "{a + 1} * 2 > 3"),
            ("a - 1 == 0", "a - 1 == 0"),
            ("a ~ \"x\"", "a matches \"x\""),
            ("a eq 1 and b ne 2 or c gt 3", "a == 1 and b != 2 or c > 3"),
            ("a == b == 443", "a == b == 443"),
            ("a in {1, 3..5, 7 .. 9}", "a in {1, 3 .. 5, 7 .. 9}"),
            ("a not in {10.0.0.0/8}", "a not in {10.0.0.0/8}"),
            ("all a.b > 3", "all a.b > 3"),
            ("all(a.b > 3 && c)", "all(a.b > 3 and c)"),
            ("a[0:4] == 1:2:3:4", "a[0:4] == 1:2:3:4"),
            ("a[0-3,5,-2:,:2] == 01", "a[0-3,5,-2:,0:2] == 01"),
            ("a[-3--1] == 01", "a[-3--1] == 01"),
            ("ip.addr#1 == ::1", "ip.addr#[1] == ::1"),
            ("a then b within 30s then c", "a then b within 30s then c"),
            ("a && b without c or d within 1.5h", "a and b without c or d within 1.5h"),
            ("session(a && b)", "session(a and b)"),
            ("session && a", "session and a"),
            ("count(a) > 3", "count(a) > 3"),
            ("frame contains r\"a\\b\"", "frame contains \"a\\\\b\""),
            ("frame contains \"\\x16\\x03\\\"\"", "frame contains \"\\x16\\x03\\\"\""),
            ("a[0] == '\\n'", "a[0] == '\\x0a'"),
            ("-a == -3", "-a == -3"),
            ("t > 2026-01-01T00:00:00+02:00", "t > 2026-01-01T00:00:00+02:00"),
            ("a == S-0001", "a == S-0001"),
        ] {
            assert_eq!(printed(text), tree, "{text}");
            assert_eq!(printed(tree), tree, "again: {tree}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for (text, incomplete) in [
            ("", true),
            ("a ==", true),
            ("a && ", true),
            ("(a", true),
            ("a in {1,", true),
            ("a in {1, }", false),
            ("a in {}", false),
            ("a == \"b", true),
            ("a == \"\\q\"", false),
            ("a b", false),
            ("a = 3", false),
            ("== 3", false),
            ("any a", true),
            ("a)", false),
            ("a[0:", true),
            ("a[x] == 1", false),
            ("a[3-1] == 1", false),
            ("foo(a)", false),
            ("a == ยง €", false),
            ("a \u{1b}", false),
        ] {
            let refusal = parse(text).unwrap_err();
            assert_eq!(refusal.incomplete, incomplete, "{text}: {refusal:?}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        for text in [
            "(".repeat(60_000),
            "!".repeat(60_000),
            "-".repeat(60_000),
            format!("a{}", "+a".repeat(20_000)),
            format!("a{}", "[0]".repeat(20_000)),
            "any(".repeat(10_000),
            "{".repeat(10_000),
            "len(".repeat(10_000),
        ] {
            let refusal = parse(&text).unwrap_err();
            assert!(!refusal.incomplete, "{}", refusal.reason);
        }
        assert!(parse(&vec!["a"; 10_000].join(" and ")).is_ok());
    }
}
