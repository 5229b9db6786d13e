//! Values: comparing, reckoning, slicing, turning to text.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use super::fields::Type;
use super::syntax::{Arithmetic, Part, Reach};
use crate::inspect::Value;
use crate::time::Span;

/// A value while a filter is evaluated.
pub(super) type Item<'a> = Cow<'a, Value>;

/// A number, as exactly as may be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Whole(i128),
    Fraction(f64),
}

fn number(value: &Value) -> Option<Number> {
    Some(match value {
        Value::Boolean(set) => Number::Whole(i128::from(*set)),
        Value::Unsigned(n) => Number::Whole(i128::from(*n)),
        Value::Signed(n) => Number::Whole(i128::from(*n)),
        Value::Float(n) => Number::Fraction(*n),
        Value::Span(span) => Number::Whole(i128::from(span.0)),
        Value::Time(at) => Number::Whole(i128::from(at.0)),
        _ => return None,
    })
}

/// Brings a value into the form that values of its type are compared in. What a dissection gives as the time since
/// 1970 is a duration in Wireshark, a flag may be given as a number, and words have ranks.
pub(super) fn normal(value: Item<'_>, kind: Type) -> Item<'_> {
    match (kind, &*value) {
        (Type::Duration, Value::Time(at)) => Cow::Owned(Value::Span(Span(at.0))),
        (Type::Duration, Value::Float(seconds)) => {
            Cow::Owned(Value::Span(Span((seconds * 1e9).round() as i64)))
        }
        (Type::Boolean, Value::Unsigned(n)) => Cow::Owned(Value::Boolean(*n != 0)),
        (Type::Ranked(words), Value::Text(text)) => match words.iter().position(|word| word == text) {
            Some(rank) => Cow::Owned(Value::Unsigned(rank as u64)),
            None => value,
        },
        _ => value,
    }
}

/// The octets of a value that has some.
pub(super) fn octets(value: &Value) -> Option<Cow<'_, [u8]>> {
    Some(match value {
        Value::Text(text) => Cow::Borrowed(text.as_bytes()),
        Value::Bytes(bytes) => Cow::Borrowed(bytes),
        Value::Ethernet(address) => Cow::Borrowed(address),
        Value::Address(IpAddr::V4(address)) => Cow::Owned(address.octets().to_vec()),
        Value::Address(IpAddr::V6(address)) => Cow::Owned(address.octets().to_vec()),
        _ => return None,
    })
}

/// How one value stands to another; none where they cannot be compared.
pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(a), Value::Text(b)) => return Some(a.cmp(b)),
        // As Wireshark orders octets: the longer are the greater.
        (Value::Bytes(a), Value::Bytes(b)) => return Some(a.len().cmp(&b.len()).then_with(|| a.cmp(b))),
        (Value::Address(a), Value::Address(b)) => return (a.is_ipv4() == b.is_ipv4()).then(|| a.cmp(b)),
        _ => {}
    }
    match (number(left), number(right)) {
        (Some(Number::Whole(a)), Some(Number::Whole(b))) => Some(a.cmp(&b)),
        (Some(a), Some(b)) => fraction(a).partial_cmp(&fraction(b)),
        _ => Some(octets(left)?.cmp(&octets(right)?)),
    }
}

fn fraction(number: Number) -> f64 {
    match number {
        Number::Whole(n) => n as f64,
        Number::Fraction(n) => n,
    }
}

/// Whether the address begins with so many bits of the other.
pub(super) fn within(value: &Value, network: IpAddr, bits: u8) -> bool {
    match (value, network) {
        (Value::Address(IpAddr::V4(address)), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            u32::from(*address) & mask == u32::from(network) & mask
        }
        (Value::Address(IpAddr::V6(address)), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            u128::from(*address) & mask == u128::from(network) & mask
        }
        _ => false,
    }
}

/// Whether the octets of one are in those of the other.
pub(super) fn contains(value: &Value, part: &Value) -> bool {
    let (Some(value), Some(part)) = (octets(value), octets(part)) else { return false };
    memchr::memmem::find(&value, &part).is_some()
}

/// What arithmetic gives; none where it gives nothing (a division by zero).
pub(super) fn reckon(left: &Value, sign: Arithmetic, right: &Value) -> Option<Value> {
    let span = matches!(left, Value::Span(_)) || matches!(right, Value::Span(_));
    let scaled = matches!(right, Value::Float(_)) || matches!(left, Value::Float(_));
    if let (Arithmetic::And, Some(a), Some(b)) = (sign, octets(left), octets(right)) {
        let both = a.iter().zip(b.iter().chain(std::iter::repeat(&0))).map(|(a, b)| a & b).collect();
        return Some(match (left, both) {
            (Value::Address(IpAddr::V4(_)), both) => {
                Value::Address(IpAddr::from(<[u8; 4]>::try_from(both).ok()?))
            }
            (_, both) => Value::Bytes(both),
        });
    }
    let (a, b) = (number(left)?, number(right)?);
    let result = match (a, b) {
        (Number::Whole(a), Number::Whole(b)) => match sign {
            Arithmetic::And => Number::Whole(a & b),
            Arithmetic::Add => Number::Whole(a.checked_add(b)?),
            Arithmetic::Subtract => Number::Whole(a.checked_sub(b)?),
            Arithmetic::Multiply => Number::Whole(a.checked_mul(b)?),
            Arithmetic::Divide => Number::Whole(a.checked_div(b)?),
            Arithmetic::Remainder => Number::Whole(a.checked_rem(b)?),
        },
        (a, b) => {
            let (a, b) = (fraction(a), fraction(b));
            Number::Fraction(match sign {
                Arithmetic::And => return None,
                Arithmetic::Add => a + b,
                Arithmetic::Subtract => a - b,
                Arithmetic::Multiply => a * b,
                Arithmetic::Divide => a / b,
                Arithmetic::Remainder => a % b,
            })
        }
    };
    match (result, span) {
        (Number::Fraction(n), _) if !n.is_finite() => None,
        (Number::Fraction(n), true) if scaled => Some(Value::Span(Span(n.round() as i64))),
        (Number::Fraction(n), _) => Some(Value::Float(n)),
        (Number::Whole(n), true) => i64::try_from(n).ok().map(|n| Value::Span(Span(n))),
        (Number::Whole(n), false) => match u64::try_from(n) {
            Ok(n) => Some(Value::Unsigned(n)),
            Err(_) => i64::try_from(n).ok().map(Value::Signed),
        },
    }
}

/// The value with the other sign.
pub(super) fn negate(value: &Value) -> Option<Value> {
    reckon(&Value::Signed(0), Arithmetic::Subtract, value)
}

/// Whether a number is something other than zero; octets: whether one of them is.
pub(super) fn is_something(value: &Value) -> bool {
    match number(value) {
        Some(Number::Whole(n)) => n != 0,
        Some(Number::Fraction(n)) => n != 0.0,
        None => octets(value).is_some_and(|octets| octets.iter().any(|octet| *octet != 0)),
    }
}

/// The value without its sign.
pub(super) fn abs(value: &Value) -> Option<Value> {
    match compare(value, &Value::Signed(0)) {
        Some(Ordering::Less) => negate(value),
        _ => Some(value.clone()),
    }
}

/// The parts of a slice, one behind the other; none where one of them lies outside.
pub(super) fn slice(octets: &[u8], parts: &[Part]) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    let length = octets.len() as i64;
    let place = |at: i32| {
        let at = i64::from(at);
        let at = if at < 0 { length + at } else { at };
        usize::try_from(at).ok()
    };
    for part in parts {
        let start = place(part.start)?;
        let end = match part.reach {
            Reach::Length(count) => start.checked_add(count as usize)?,
            Reach::To(last) => place(last)?.checked_add(1)?,
            Reach::End => octets.len(),
        };
        let inside = octets.get(start..end).filter(|inside| !inside.is_empty())?;
        found.extend_from_slice(inside);
    }
    Some(found)
}

/// The value as text: what `string()` gives.
pub(super) fn text(value: &Value, kind: Type) -> Option<String> {
    Some(match (value, kind) {
        (Value::Unsigned(rank), Type::Ranked(words)) => {
            words.get(*rank as usize).copied().unwrap_or_default().to_owned()
        }
        (Value::Unsigned(number), Type::Id(letter)) => format!("{letter}-{number:04}"),
        (Value::Unsigned(number), _) => number.to_string(),
        (Value::Signed(number), _) => number.to_string(),
        (Value::Float(number), _) => number.to_string(),
        (Value::Text(text), _) => text.clone(),
        (Value::Address(address), _) => address.to_string(),
        (Value::Ethernet(address), _) => hex(address),
        (Value::Bytes(bytes), _) => hex(bytes),
        _ => return None,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_count_from_both_ends() {
        let part = |start, reach| Part { start, reach };
        let octets = [1, 2, 3, 4, 5];
        for (parts, found) in [
            (vec![part(0, Reach::Length(2))], Some(vec![1, 2])),
            (vec![part(1, Reach::To(2))], Some(vec![2, 3])),
            (vec![part(-2, Reach::End)], Some(vec![4, 5])),
            (vec![part(-1, Reach::Length(1)), part(0, Reach::Length(1))], Some(vec![5, 1])),
            (vec![part(4, Reach::Length(2))], None),
            (vec![part(9, Reach::End)], None),
            (vec![part(-9, Reach::End)], None),
            (vec![part(0, Reach::Length(u32::MAX))], None),
        ] {
            assert_eq!(slice(&octets, &parts), found, "{parts:?}");
        }
    }

    #[test]
    fn numbers_do_not_wrap() {
        let reckon = |a, sign, b| super::reckon(&Value::Unsigned(a), sign, &Value::Unsigned(b));
        assert_eq!(reckon(0, Arithmetic::Subtract, 1), Some(Value::Signed(-1)));
        assert_eq!(reckon(u64::MAX, Arithmetic::Multiply, u64::MAX), None);
        assert_eq!(reckon(1, Arithmetic::Divide, 0), None);
        assert_eq!(reckon(7, Arithmetic::Remainder, 4), Some(Value::Unsigned(3)));
        let twice = super::reckon(&Value::Span(Span(5)), Arithmetic::Multiply, &Value::Float(2.0));
        assert_eq!(twice, Some(Value::Span(Span(10))));
    }

    #[test]
    fn networks_hold_their_addresses() {
        let address = |text: &str| Value::Address(text.parse().unwrap());
        let network = |text: &str| text.parse().unwrap();
        assert!(within(&address("10.1.2.3"), network("10.0.0.0"), 8));
        assert!(!within(&address("11.1.2.3"), network("10.0.0.0"), 8));
        assert!(within(&address("11.1.2.3"), network("10.0.0.0"), 0));
        assert!(within(&address("10.0.0.0"), network("10.0.0.0"), 32));
        assert!(within(&address("fe80::1"), network("fe80::"), 10));
        assert!(!within(&address("fe80::1"), network("10.0.0.0"), 0));
    }
}
