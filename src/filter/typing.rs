//! What can stand beside what: literals and names told apart, types that can be compared, and the reasons where not.

use std::fmt::Write as _;

use super::fields::{self, FieldInfo, Type};
use super::literals::{self, Raw};
use super::program::Operand;
use super::refusal::{Refusal, nearest};
use super::syntax::{Kind, Node};
use crate::inspect::Value;
use crate::time::Span;

/// A literal, where the node is one.
pub(super) fn raw(node: &Node) -> Option<Raw<'_>> {
    match &node.kind {
        Kind::Word(word) => Some(Raw::Word(word)),
        Kind::Text(text) => Some(Raw::Text(text)),
        Kind::Char(octet) => Some(Raw::Char(*octet)),
        _ => None,
    }
}

/// Whether a word is meant as a name: it has letters that no number or address has, or a point between names.
pub(super) fn looks_like_name(word: &str) -> bool {
    let letters = word.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let number = word
        .split([':', '.', '-', '/'])
        .all(|group| !group.is_empty() && group.chars().all(|c| c.is_ascii_hexdigit()));
    letters && !(number && word.contains(':'))
}

pub(super) fn no_test(node: &Node) -> Refusal {
    let word = node.to_string();
    let near = nearest(&word, fields::all().iter().map(|field| field.name));
    Refusal::new(node.span.clone(), format!("{word} is not a valid protocol or protocol field"))
        .nearest(near)
        .example("tcp.port == 443")
}

pub(super) fn left_side(node: &Node, sign: &str) -> Refusal {
    Refusal::new(
        node.span.clone(),
        format!("Left side of \"{sign}\" expression must be a field or function, not {node}"),
    )
    .example("tcp.port == 443")
}

pub(super) fn cannot(node: &Node, kind: Type, sign: &str) -> Refusal {
    let example = if sign == "contains" {
        "http.request.uri contains \"/orders\""
    } else {
        "string(tcp.port) matches \"^80\""
    };
    Refusal::new(
        node.span.clone(),
        format!("{node} (type={}) cannot participate in {sign} comparison", kind.name()),
    )
    .example(example)
}

pub(super) fn refuse_nothing(kind: Type, node: &Node) -> Result<(), Refusal> {
    match kind {
        Type::Nothing => Err(Refusal::new(
            node.span.clone(),
            format!("{node} has no value to compare; its name alone tests whether it is there"),
        )
        .example(node.to_string())),
        _ => Ok(()),
    }
}

pub(super) fn field_of(operand: &Operand) -> Option<&'static FieldInfo> {
    match operand {
        Operand::Field { field, .. } => Some(field),
        _ => None,
    }
}

/// The type of an operand of arithmetic.
pub(super) fn reckons(operand: &Operand, node: &Node) -> Result<Type, Refusal> {
    let kind = operand.kind().unwrap_or(Type::Nothing);
    if kind.is_number() || kind.is_octets() || matches!(kind, Type::Ipv4) {
        return Ok(kind);
    }
    Err(Refusal::new(node.span.clone(), format!("{node} (type={}) cannot be reckoned with", kind.name()))
        .example("tcp.len + 1 > 10"))
}

/// The type of literals in arithmetic: results may be larger than the field.
pub(super) fn widest(kind: Type) -> Type {
    match kind {
        Type::Unsigned(_) | Type::Boolean => Type::Unsigned(64),
        Type::Protocol => Type::Bytes,
        kind => kind,
    }
}

/// A literal with a minus: a number below zero, which a field that has none can still be compared with.
pub(super) fn negative(word: &str, kind: Type, node: &Node) -> Result<Operand, Refusal> {
    let wrong = || Refusal::new(node.span.clone(), format!("\"-{word}\" is not a valid number"));
    let value = match kind {
        Type::Unsigned(_) | Type::Signed | Type::Boolean => Value::Signed(
            literals::amount(word).and_then(|n| i64::try_from(n).ok()).map(|n| -n).ok_or_else(wrong)?,
        ),
        Type::Float => Value::Float(-word.parse::<f64>().map_err(|_| wrong())?),
        Type::Duration => Value::Span(literals::duration(word).map(|span| Span(-span.0)).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    };
    Ok(Operand::Constant(value))
}

/// Whether values of these types can be compared.
pub(super) fn compatible(a: Type, b: Type) -> bool {
    let class = |kind: Type| match kind {
        Type::Unsigned(_) | Type::Signed | Type::Float | Type::Boolean => 1,
        Type::Duration => 2,
        Type::Time => 3,
        Type::Text | Type::Word(_) | Type::Rule => 4,
        Type::Bytes | Type::Protocol | Type::Ethernet => 5,
        Type::Ipv4 | Type::Ipv6 | Type::Address => 6,
        Type::Ranked(_) => 7,
        Type::Id(_) => 8,
        Type::Nothing => 9,
    };
    match (a, b) {
        (Type::Ipv4, Type::Ipv6) | (Type::Ipv6, Type::Ipv4) => false,
        (Type::Ranked(x), Type::Ranked(y)) => x == y,
        (Type::Id(x), Type::Id(y)) => x == y,
        (a, b) => class(a) == class(b) && a != Type::Nothing,
    }
}

/// The bytes of a quoted text as an expression: octets that are no text are written as escapes, so that they mean
/// themselves.
pub(super) fn expression(pattern: &[u8]) -> String {
    let mut text = String::new();
    for chunk in pattern.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_ascii() {
                text.push(c);
            } else {
                let mut letter = [0; 4];
                text.push_str("(?:");
                for octet in c.encode_utf8(&mut letter).bytes() {
                    let _ = write!(text, "\\x{octet:02x}");
                }
                text.push(')');
            }
        }
        for octet in chunk.invalid() {
            let _ = write!(text, "\\x{octet:02x}");
        }
    }
    text
}
