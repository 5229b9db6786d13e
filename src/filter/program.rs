//! A filter that was understood: every name resolved, every literal of its type.

use std::net::IpAddr;

use regex::bytes::Regex;

use super::fields::{FieldInfo, Type};
use super::syntax::{Arithmetic, Part, Quantifier, Relation};
use crate::inspect::Value;
use crate::time::Span;

/// A question about a packet, or about a row (a session, a connection, a finding, an event).
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// One holds.
    Or(Vec<Test>),
    /// An odd number holds.
    Xor(Vec<Test>),
    /// All hold.
    And(Vec<Test>),
    /// It does not hold.
    Not(Box<Test>),
    /// The field is there; a flag of ours is set; arithmetic gives something other than zero.
    Holds(Operand),
    /// A comparison of values.
    Compare { quantifier: Quantifier, relation: Relation, left: Operand, right: Operand },
    /// Membership; a member with a second value is a range.
    In { quantifier: Quantifier, value: Operand, members: Vec<(Operand, Option<Operand>)> },
    /// A text or octets match an expression.
    Matches { quantifier: Quantifier, value: Operand, regex: Regex },
    /// The row speaks this protocol.
    Speaks(&'static str),
    /// What the packets of the row say: the answer of this slot.
    Slot(usize),
    /// Its session satisfies this lifted filter.
    Lifted(usize),
}

/// Something with values.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    /// A literal.
    Constant(Value),
    /// Addresses with the same beginning.
    Network(IpAddr, u8),
    /// A field; with layers only those of some layers of a packet.
    Field { field: &'static FieldInfo, layers: Vec<Part> },
    /// Some octets of it.
    Slice { of: Box<Operand>, parts: Vec<Part> },
    /// A function of it.
    Call { function: Function, args: Vec<Operand> },
    /// Arithmetic, from left to right.
    Arithmetic { first: Box<Operand>, rest: Vec<(Arithmetic, Operand)> },
    /// The other sign.
    Negative(Box<Operand>),
    /// How many packets of the row satisfy the test of this slot.
    Count(usize),
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// Octets of each value.
    Len,
    /// How many values there are.
    Count,
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// As text.
    String,
    /// The least of all values.
    Min,
    /// The greatest.
    Max,
    /// Without its sign.
    Abs,
}

/// What is to be found out about the packets of a row.
#[derive(Debug, Clone)]
pub(super) enum Slot {
    /// Whether some packet satisfies it.
    Some(Test),
    /// Whether all do, and there is one.
    All(Test),
    /// How many do.
    Count(Test),
    /// Whether there are such packets one after the other, each in time after the one before.
    Then(Vec<(Test, Option<Span>)>),
    /// Whether there is a packet after which none of the other kind comes in time.
    Without(Test, Test, Option<Span>),
}

impl Slot {
    /// The questions about packets in it.
    pub(super) fn tests(&self) -> Vec<&Test> {
        match self {
            Self::Some(test) | Self::All(test) | Self::Count(test) => vec![test],
            Self::Then(steps) => steps.iter().map(|(test, _)| test).collect(),
            Self::Without(first, other, _) => vec![first, other],
        }
    }
}

/// A filter for one sort of row.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// The question.
    pub(super) test: Test,
    /// What it wants to know of packets.
    pub(super) slots: Vec<Slot>,
}

impl Test {
    /// Calls with every operand in it.
    pub(super) fn operands<'a>(&'a self, tell: &mut dyn FnMut(&'a Operand)) {
        match self {
            Self::Or(parts) | Self::Xor(parts) | Self::And(parts) => {
                for part in parts {
                    part.operands(tell);
                }
            }
            Self::Not(part) => part.operands(tell),
            Self::Holds(operand) | Self::Matches { value: operand, .. } => operand.each(tell),
            Self::Compare { left, right, .. } => {
                left.each(tell);
                right.each(tell);
            }
            Self::In { value, members, .. } => {
                value.each(tell);
                for (first, last) in members {
                    first.each(tell);
                    if let Some(last) = last {
                        last.each(tell);
                    }
                }
            }
            Self::Speaks(_) | Self::Slot(_) | Self::Lifted(_) => {}
        }
    }
}

impl Operand {
    /// Calls with it, and with every operand in it.
    pub(super) fn each<'a>(&'a self, tell: &mut dyn FnMut(&'a Operand)) {
        tell(self);
        match self {
            Self::Slice { of, .. } | Self::Negative(of) => of.each(tell),
            Self::Call { args, .. } => args.iter().for_each(|arg| arg.each(tell)),
            Self::Arithmetic { first, rest } => {
                first.each(tell);
                for (_, operand) in rest {
                    operand.each(tell);
                }
            }
            Self::Constant(_) | Self::Network(..) | Self::Field { .. } | Self::Count(_) => {}
        }
    }

    /// The type of its values; none for a literal.
    pub(super) fn kind(&self) -> Option<Type> {
        match self {
            Self::Constant(_) | Self::Network(..) => None,
            Self::Field { field, .. } => Some(field.kind),
            Self::Slice { .. } => Some(Type::Bytes),
            Self::Call { function, args } => match function {
                Function::Len | Function::Count => Some(Type::Unsigned(32)),
                Function::Lower | Function::Upper | Function::String => Some(Type::Text),
                Function::Min | Function::Max | Function::Abs => args.iter().find_map(Self::kind),
            },
            Self::Arithmetic { first, rest } => {
                first.kind().or_else(|| rest.iter().find_map(|(_, operand)| operand.kind()))
            }
            Self::Negative(of) => of.kind(),
            Self::Count(_) => Some(Type::Unsigned(64)),
        }
    }
}
