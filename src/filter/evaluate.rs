//! Answers the questions of a filter about one subject: a packet, or a row.
//!
//! An answer may be unknown: what packets say of a row is known only after they were read. Rows that are decided
//! without need no packets.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::fields::{FieldInfo, Type};
use super::program::{Function, Operand, Test};
use super::syntax::{Part, Quantifier, Relation};
use super::values::{self, Item};
use crate::inspect::Value;

/// What a filter asks about.
pub(super) trait Subject {
    /// The values of a field, those of these layers where some are named; of a protocol its octets.
    fn values(&self, field: &'static FieldInfo, layers: &[Part]) -> Vec<Item<'_>>;

    /// Whether the field is there at all.
    fn has(&self, field: &'static FieldInfo, layers: &[Part]) -> bool {
        !self.values(field, layers).is_empty()
    }

    /// The number of octets of each value, as it lies in the packet.
    fn lengths(&self, field: &'static FieldInfo, layers: &[Part]) -> Vec<u64>;

    /// Whether it speaks this protocol.
    fn speaks(&self, protocol: &str) -> bool;

    /// What its packets say to this slot; none as long as they were not read.
    fn slot(&self, slot: usize) -> Option<bool>;

    /// How many of its packets say yes to this slot; none as long as they were not read.
    fn count(&self, slot: usize) -> Option<u64>;

    /// Whether its session satisfies this lifted filter.
    fn lifted(&self, filter: usize) -> bool;
}

/// The values of an operand; none where they are unknown.
type Values<'a> = Option<Vec<Item<'a>>>;

/// The answer; none where it is unknown.
pub(super) fn holds(test: &Test, subject: &dyn Subject) -> Option<bool> {
    match test {
        Test::Or(parts) => joined(parts, subject, true),
        Test::And(parts) => joined(parts, subject, false),
        Test::Xor(parts) => parts.iter().try_fold(false, |odd, part| Some(odd ^ holds(part, subject)?)),
        Test::Not(part) => holds(part, subject).map(|holds| !holds),
        Test::Holds(Operand::Field { field, layers }) => Some(match (field.kind, field.is_wireshark()) {
            // A flag of ours is asked by its name, and Wireshark's are there or not.
            (Type::Boolean, false) => {
                subject.values(field, layers).iter().any(|value| values::is_something(value))
            }
            _ => subject.has(field, layers),
        }),
        Test::Holds(operand) => {
            let found = operand_values(operand, subject)?;
            let exists = matches!(operand, Operand::Slice { .. });
            Some(found.iter().any(|value| exists || values::is_something(value)))
        }
        Test::Compare { quantifier, relation, left, right } => {
            let left = operand_values(left, subject)?;
            if let Operand::Network(network, bits) = right {
                let inside = |value: &Item<'_>| values::within(value, *network, *bits);
                let wanted = matches!(relation, Relation::AnyEqual | Relation::AllEqual);
                return Some(quantified(*quantifier, &left, |value| inside(value) == wanted));
            }
            let right = operand_values(right, subject)?;
            if right.is_empty() {
                return Some(false);
            }
            let one = |value: &Item<'_>| match quantifier {
                Quantifier::Any => right.iter().any(|other| related(value, *relation, other)),
                Quantifier::All => right.iter().all(|other| related(value, *relation, other)),
            };
            Some(quantified(*quantifier, &left, one))
        }
        Test::In { quantifier, value, members } => {
            let found = operand_values(value, subject)?;
            let mut sets = Vec::new();
            for (first, last) in members {
                let last = match last {
                    Some(last) => Some(operand_values(last, subject)?),
                    None => None,
                };
                let first_values = match first {
                    Operand::Network(..) => Vec::new(),
                    first => operand_values(first, subject)?,
                };
                sets.push((first, first_values, last));
            }
            let member = |value: &Item<'_>| {
                sets.iter().any(|(first, low, high)| match (first, high) {
                    (Operand::Network(network, bits), _) => values::within(value, *network, *bits),
                    (_, None) => low.iter().any(|low| related(value, Relation::AnyEqual, low)),
                    (_, Some(high)) => {
                        low.iter().any(|low| related(value, Relation::GreaterEqual, low))
                            && high.iter().any(|high| related(value, Relation::LessEqual, high))
                    }
                })
            };
            Some(quantified(*quantifier, &found, member))
        }
        Test::Matches { quantifier, value, regex } => {
            let found = operand_values(value, subject)?;
            let one = |value: &Item<'_>| values::octets(value).is_some_and(|octets| regex.is_match(&octets));
            Some(quantified(*quantifier, &found, one))
        }
        Test::Speaks(protocol) => Some(subject.speaks(protocol)),
        Test::Slot(slot) => subject.slot(*slot),
        Test::Lifted(filter) => Some(subject.lifted(*filter)),
    }
}

/// Or, and: decided as soon as one part decides, even where others are unknown.
fn joined(parts: &[Test], subject: &dyn Subject, decides: bool) -> Option<bool> {
    let mut unknown = false;
    for part in parts {
        match holds(part, subject) {
            Some(answer) if answer == decides => return Some(decides),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(!decides)
}

fn quantified(quantifier: Quantifier, found: &[Item<'_>], one: impl FnMut(&Item<'_>) -> bool) -> bool {
    match quantifier {
        Quantifier::Any => found.iter().any(one),
        Quantifier::All => !found.is_empty() && found.iter().all(one),
    }
}

fn related(left: &Value, relation: Relation, right: &Value) -> bool {
    if relation == Relation::Contains {
        return values::contains(left, right);
    }
    let Some(order) = values::compare(left, right) else { return false };
    match relation {
        Relation::AnyEqual | Relation::AllEqual => order == Ordering::Equal,
        Relation::AnyDiffers | Relation::AllDiffer => order != Ordering::Equal,
        Relation::Greater => order == Ordering::Greater,
        Relation::GreaterEqual => order != Ordering::Less,
        Relation::Less => order == Ordering::Less,
        Relation::LessEqual => order != Ordering::Greater,
        Relation::Contains | Relation::Matches => false,
    }
}

fn operand_values<'a>(operand: &'a Operand, subject: &'a dyn Subject) -> Values<'a> {
    Some(match operand {
        Operand::Constant(value) => vec![Cow::Borrowed(value)],
        Operand::Network(address, _) => vec![Cow::Owned(Value::Address(*address))],
        Operand::Field { field, layers } => {
            let found = subject.values(field, layers);
            found.into_iter().map(|value| values::normal(value, field.kind)).collect()
        }
        Operand::Slice { of, parts } => operand_values(of, subject)?
            .iter()
            .filter_map(|value| values::slice(&values::octets(value)?, parts))
            .map(|octets| Cow::Owned(Value::Bytes(octets)))
            .collect(),
        Operand::Call { function, args } => return call(*function, args, subject),
        Operand::Arithmetic { first, rest } => {
            let mut found = operand_values(first, subject)?;
            for (sign, operand) in rest {
                let others = operand_values(operand, subject)?;
                let pairs = found.iter().flat_map(|left| others.iter().map(move |right| (left, right)));
                found = pairs
                    .filter_map(|(left, right)| values::reckon(left, *sign, right))
                    .map(Cow::Owned)
                    .collect();
            }
            found
        }
        Operand::Negative(of) => operand_values(of, subject)?
            .iter()
            .filter_map(|value| values::negate(value))
            .map(Cow::Owned)
            .collect(),
        Operand::Count(slot) => vec![Cow::Owned(Value::Unsigned(subject.count(*slot)?))],
    })
}

fn call<'a>(function: Function, args: &'a [Operand], subject: &'a dyn Subject) -> Values<'a> {
    if let (Function::Len, [Operand::Field { field, layers }]) = (function, args) {
        return Some(
            subject.lengths(field, layers).into_iter().map(|n| Cow::Owned(Value::Unsigned(n))).collect(),
        );
    }
    let mut all = Vec::new();
    for arg in args {
        all.extend(operand_values(arg, subject)?);
    }
    let kind = args.iter().find_map(Operand::kind).unwrap_or(Type::Text);
    let mapped = |make: &dyn Fn(&Value) -> Option<Value>| -> Vec<Item<'a>> {
        all.iter().filter_map(|value| make(value)).map(Cow::Owned).collect()
    };
    Some(match function {
        // Wireshark has no count where there is no field.
        Function::Count if all.is_empty() => Vec::new(),
        Function::Count => vec![Cow::Owned(Value::Unsigned(all.len() as u64))],
        Function::Len => {
            mapped(&|value| values::octets(value).map(|octets| Value::Unsigned(octets.len() as u64)))
        }
        Function::Lower => {
            mapped(&|value| values::text(value, kind).map(|text| Value::Text(text.to_ascii_lowercase())))
        }
        Function::Upper => {
            mapped(&|value| values::text(value, kind).map(|text| Value::Text(text.to_ascii_uppercase())))
        }
        Function::String => mapped(&|value| values::text(value, kind).map(Value::Text)),
        Function::Abs => mapped(&values::abs),
        Function::Min | Function::Max => {
            let wanted = if function == Function::Min { Ordering::Less } else { Ordering::Greater };
            let better =
                |a: Item<'a>, b: Item<'a>| if values::compare(&b, &a) == Some(wanted) { b } else { a };
            all.into_iter().reduce(better).into_iter().collect()
        }
    })
}
