//! The tree of a filter as it was written, and its one way of being written.

use std::fmt::{self, Write as _};
use std::ops::Range;

/// A part of a filter with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Where it stands, in bytes.
    pub(super) span: Range<usize>,
    /// What it is.
    pub(super) kind: Kind,
}

/// Which of the values must satisfy a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    /// One of them.
    Any,
    /// Every one.
    All,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// `==`: some value is equal.
    AnyEqual,
    /// `===`: all values are equal.
    AllEqual,
    /// `~=`, `!==`: some value differs.
    AnyDiffers,
    /// `!=`: all values differ.
    AllDiffer,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `contains`
    Contains,
    /// `matches`, `~`
    Matches,
}

impl Relation {
    /// All ways to write each, the usual one first.
    pub(super) const WORDS: [(Self, &'static [&'static str]); 10] = [
        (Self::AnyEqual, &["==", "eq", "any_eq"]),
        (Self::AllEqual, &["===", "all_eq"]),
        (Self::AnyDiffers, &["~=", "!==", "any_ne"]),
        (Self::AllDiffer, &["!=", "ne", "all_ne"]),
        (Self::Greater, &[">", "gt"]),
        (Self::GreaterEqual, &[">=", "ge"]),
        (Self::Less, &["<", "lt"]),
        (Self::LessEqual, &["<=", "le"]),
        (Self::Contains, &["contains"]),
        (Self::Matches, &["matches", "~"]),
    ];

    /// The one that is written so.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, words)| words.contains(&word)).map(|(relation, _)| *relation)
    }

    /// The usual way to write it.
    pub(super) fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(relation, _)| *relation == self).map_or("==", |(_, words)| words[0])
    }
}

/// Arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    /// `&`
    And,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

impl Arithmetic {
    /// How it is written.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::And => "&",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

/// A part of a slice: from where, and how many octets; negative numbers count from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// First octet.
    pub(super) start: i32,
    /// How far.
    pub(super) reach: Reach,
}

/// How far a part of a slice goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// So many octets.
    Length(u32),
    /// Up to this octet, included.
    To(i32),
    /// To the end.
    End,
}

/// What a part of a filter is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// One of them holds.
    Or(Vec<Node>),
    /// An odd number of them holds.
    Xor(Vec<Node>),
    /// All of them hold.
    And(Vec<Node>),
    /// It does not hold.
    Not(Box<Node>),
    /// One packet after the other in one session; each step with its time limit.
    Then { first: Box<Node>, steps: Vec<(Node, Option<Box<Node>>)> },
    /// A packet, and none of the other kind after it.
    Without { first: Box<Node>, other: Box<Node>, within: Option<Box<Node>> },
    /// A comparison, or a chain of them.
    Relation { quantifier: Option<Quantifier>, first: Box<Node>, rest: Vec<(Relation, Node)> },
    /// Membership; a member with a second value is a range.
    In { quantifier: Option<Quantifier>, value: Box<Node>, negated: bool, members: Vec<(Node, Option<Node>)> },
    /// `any(…)`, `all(…)`: of the packets.
    Packets { quantifier: Quantifier, test: Box<Node> },
    /// `session(…)`.
    Lift(Box<Node>),
    /// A name, a number, an address: what it is depends on what it is compared with.
    Word(String),
    /// A quoted text.
    Text(Vec<u8>),
    /// One octet.
    Char(u8),
    /// Some octets of a value.
    Slice { of: Box<Node>, parts: Vec<Part> },
    /// A value of one layer of a packet only.
    Layer { of: Box<Node>, layers: Vec<Part> },
    /// A function.
    Call { name: String, args: Vec<Node> },
    /// Arithmetic, from left to right.
    Arithmetic { first: Box<Node>, rest: Vec<(Arithmetic, Node)> },
    /// A minus before a value.
    Negative(Box<Node>),
}

impl Kind {
    /// How tightly it holds together; what is looser stands in brackets within it.
    fn strength(&self) -> u8 {
        match self {
            Self::Then { .. } | Self::Without { .. } => 0,
            Self::Or(_) => 1,
            Self::Xor(_) => 2,
            Self::And(_) => 3,
            Self::Not(_) => 4,
            Self::Relation { .. } | Self::In { .. } => 5,
            Self::Arithmetic { rest, .. } if rest.iter().any(|(sign, _)| *sign == Arithmetic::And) => 6,
            Self::Arithmetic { .. } => 7,
            Self::Negative(_) => 9,
            _ => 10,
        }
    }

    /// Whether it is a value rather than a test.
    pub(super) fn is_value(&self) -> bool {
        self.strength() >= 6 && !matches!(self, Self::Packets { .. } | Self::Lift(_))
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Or(parts) => list(f, parts, " or ", 2),
            Kind::Xor(parts) => list(f, parts, " xor ", 3),
            Kind::And(parts) => list(f, parts, " and ", 4),
            Kind::Not(part) => {
                f.write_str("not ")?;
                held(f, part, 4)
            }
            Kind::Then { first, steps } => {
                held(f, first, 1)?;
                for (step, within) in steps {
                    f.write_str(" then ")?;
                    held(f, step, 1)?;
                    limit(f, within.as_deref())?;
                }
                Ok(())
            }
            Kind::Without { first, other, within } => {
                held(f, first, 1)?;
                f.write_str(" without ")?;
                held(f, other, 1)?;
                limit(f, within.as_deref())
            }
            Kind::Relation { quantifier, first, rest } => {
                quantified(f, *quantifier)?;
                held(f, first, 6)?;
                for (relation, node) in rest {
                    write!(f, " {} ", relation.word())?;
                    held(f, node, 6)?;
                }
                Ok(())
            }
            Kind::In { quantifier, value, negated, members } => {
                quantified(f, *quantifier)?;
                held(f, value, 6)?;
                f.write_str(if *negated { " not in {" } else { " in {" })?;
                for (place, (first, last)) in members.iter().enumerate() {
                    f.write_str(if place == 0 { "" } else { ", " })?;
                    held(f, first, 6)?;
                    if let Some(last) = last {
                        f.write_str(" .. ")?;
                        held(f, last, 6)?;
                    }
                }
                f.write_str("}")
            }
            Kind::Packets { quantifier: Quantifier::Any, test } => write!(f, "any({test})"),
            Kind::Packets { quantifier: Quantifier::All, test } => write!(f, "all({test})"),
            Kind::Lift(test) => write!(f, "session({test})"),
            Kind::Word(word) => f.write_str(word),
            Kind::Text(bytes) => quoted(f, bytes, '"'),
            Kind::Char(octet) => quoted(f, &[*octet], '\''),
            Kind::Slice { of, parts: ranges } => {
                held(f, of, 10)?;
                write!(f, "[{}]", parts(ranges))
            }
            Kind::Layer { of, layers } => {
                held(f, of, 10)?;
                write!(f, "#[{}]", parts(layers))
            }
            Kind::Call { name, args } => {
                write!(f, "{name}(")?;
                list(f, args, ", ", 0)?;
                f.write_str(")")
            }
            Kind::Arithmetic { first, rest } => {
                let inner = if rest.iter().any(|(sign, _)| *sign == Arithmetic::And) { 7 } else { 8 };
                held(f, first, inner)?;
                for (sign, node) in rest {
                    write!(f, " {} ", sign.word())?;
                    held(f, node, inner)?;
                }
                Ok(())
            }
            Kind::Negative(value) => {
                f.write_str("-")?;
                held(f, value, 10)
            }
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, nodes: &[Node], between: &str, strength: u8) -> fmt::Result {
    for (place, node) in nodes.iter().enumerate() {
        f.write_str(if place == 0 { "" } else { between })?;
        held(f, node, strength)?;
    }
    Ok(())
}

/// A node, in brackets where it is looser than this. Tests stand in round ones and values in curly ones.
fn held(f: &mut fmt::Formatter<'_>, node: &Node, strength: u8) -> fmt::Result {
    match (node.kind.strength() < strength, node.kind.is_value()) {
        (false, _) => write!(f, "{node}"),
        (true, true) => write!(f, "{{{node}}}"),
        (true, false) => write!(f, "({node})"),
    }
}

fn quantified(f: &mut fmt::Formatter<'_>, quantifier: Option<Quantifier>) -> fmt::Result {
    f.write_str(match quantifier {
        None => "",
        Some(Quantifier::Any) => "any ",
        Some(Quantifier::All) => "all ",
    })
}

fn limit(f: &mut fmt::Formatter<'_>, within: Option<&Node>) -> fmt::Result {
    within.map_or(Ok(()), |span| write!(f, " within {span}"))
}

fn parts(parts: &[Part]) -> String {
    let written = parts.iter().map(|part| match part.reach {
        Reach::Length(1) => format!("{}", part.start),
        Reach::Length(length) => format!("{}:{length}", part.start),
        Reach::To(last) => format!("{}-{last}", part.start),
        Reach::End => format!("{}:", part.start),
    });
    written.collect::<Vec<_>>().join(",")
}

fn quoted(f: &mut fmt::Formatter<'_>, bytes: &[u8], quote: char) -> fmt::Result {
    f.write_char(quote)?;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                c if c == quote => write!(f, "\\{c}")?,
                c if c.is_ascii_control() || (!c.is_ascii() && quote == '\'') => {
                    write!(f, "\\x{:02x}", u32::from(c) & 0xff)?;
                }
                c => f.write_char(c)?,
            }
        }
        for octet in chunk.invalid() {
            write!(f, "\\x{octet:02x}")?;
        }
    }
    f.write_char(quote)
}
