//! Understands a filter: resolves names, gives literals their types, refuses what cannot be compared, and divides
//! what is asked of rows into what the analysis knows and what only packets tell.

use std::ops::Range;

use regex::bytes::RegexBuilder;

use super::Scope;
use super::fields::{self, FieldInfo, Source, Type};
use super::literals::{self, Raw, literal};
use super::program::{Function, Operand, Program, Slot, Test};
use super::refusal::Refusal;
use super::syntax::{Arithmetic, Kind, Node, Quantifier, Relation};
use super::typing::{
    cannot, compatible, expression, field_of, left_side, looks_like_name, negative, no_test, raw, reckons,
    refuse_nothing, widest,
};
use crate::limits::FILTER_REGEX_BYTES;
use crate::time::Span;

/// Understands a filter for rows of this scope. Filters about sessions within it are put to `lifted`.
///
/// # Errors
/// Where it cannot be understood.
pub(super) fn check(node: &Node, scope: Scope, lifted: &mut Vec<Program>) -> Result<Program, Refusal> {
    let asked = if scope == Scope::Packets { Asked::Packet } else { Asked::Row };
    let mut checker = Checker { scope, asked, slots: Vec::new(), lifted };
    let test = checker.test(node)?;
    let Checker { slots, .. } = checker;
    Ok(Program { test, slots })
}

/// What a question is about where the checker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Packet,
    Row,
}

struct Checker<'a> {
    scope: Scope,
    asked: Asked,
    slots: Vec<Slot>,
    lifted: &'a mut Vec<Program>,
}

impl Checker<'_> {
    fn tests(&mut self, nodes: &[Node]) -> Result<Vec<Test>, Refusal> {
        nodes.iter().map(|node| self.test(node)).collect()
    }

    /// A question about a packet, from within one about a row.
    fn of_packet(&mut self, node: &Node) -> Result<Test, Refusal> {
        let before = std::mem::replace(&mut self.asked, Asked::Packet);
        let test = self.test(node);
        self.asked = before;
        test
    }

    fn slot(&mut self, slot: Slot) -> usize {
        self.slots.push(slot);
        self.slots.len() - 1
    }

    fn test(&mut self, node: &Node) -> Result<Test, Refusal> {
        match &node.kind {
            Kind::Or(parts) => Ok(Test::Or(self.tests(parts)?)),
            Kind::Xor(parts) => Ok(Test::Xor(self.tests(parts)?)),
            Kind::And(parts) => Ok(Test::And(self.tests(parts)?)),
            Kind::Not(part) => Ok(Test::Not(Box::new(self.test(part)?))),
            Kind::Then { .. } | Kind::Without { .. } => self.order(node),
            Kind::Packets { quantifier, test } => {
                if self.asked == Asked::Packet {
                    let word = if *quantifier == Quantifier::Any { "any" } else { "all" };
                    let reason = format!(
                        "{word}(…) asks about the packets of a session, and this is about one packet"
                    );
                    return Err(Refusal::new(node.span.clone(), reason).example("session(all(tcp.len == 0))"));
                }
                let test = self.of_packet(test)?;
                let slot = self.slot(match quantifier {
                    Quantifier::Any => Slot::Some(test),
                    Quantifier::All => Slot::All(test),
                });
                Ok(Test::Slot(slot))
            }
            Kind::Lift(inner) => self.lift(inner, &node.span),
            _ => self.leaf(node),
        }
    }

    fn lift(&mut self, inner: &Node, span: &Range<usize>) -> Result<Test, Refusal> {
        if self.scope == Scope::Sessions {
            // Every question is about a session here, save those about its packets.
            if self.asked == Asked::Row {
                return self.test(inner);
            }
            let reason = "session(…) cannot stand in a question about the packets of a session";
            return Err(Refusal::new(span.clone(), reason).example("any(tcp.len > 0) && session.ghost"));
        }
        let program = check(inner, Scope::Sessions, self.lifted)?;
        self.lifted.push(program);
        Ok(Test::Lifted(self.lifted.len() - 1))
    }

    /// `then` and `without`.
    fn order(&mut self, node: &Node) -> Result<Test, Refusal> {
        if self.asked == Asked::Packet {
            let reason = "then and without are about a session, and this is about one packet";
            return Err(Refusal::new(node.span.clone(), reason)
                .example("session(http.request then tcp.flags.reset == 1 within 15s)"));
        }
        let limit = |within: Option<&Node>| -> Result<Option<Span>, Refusal> {
            let Some(node) = within else { return Ok(None) };
            let Kind::Word(word) = &node.kind else {
                return Err(Refusal::new(node.span.clone(), "within wants a duration"));
            };
            match literals::duration(word) {
                Some(span) if span.0 >= 0 => Ok(Some(span)),
                _ => Err(Refusal::new(
                    node.span.clone(),
                    format!("\"{word}\" is not a valid time; units are ns us ms s m h d"),
                )
                .example("http.request then tcp.flags.reset == 1 within 15s")),
            }
        };
        let slot = match &node.kind {
            Kind::Then { first, steps } => {
                let mut all = vec![(self.of_packet(first)?, None)];
                for (step, within) in steps {
                    let within = limit(within.as_deref())?;
                    all.push((self.of_packet(step)?, within));
                }
                Slot::Then(all)
            }
            Kind::Without { first, other, within } => {
                let within = limit(within.as_deref())?;
                Slot::Without(self.of_packet(first)?, self.of_packet(other)?, within)
            }
            _ => return self.leaf(node),
        };
        Ok(Test::Slot(self.slot(slot)))
    }

    /// A question without others in it.
    fn leaf(&mut self, node: &Node) -> Result<Test, Refusal> {
        if self.asked == Asked::Row
            && let Kind::Word(word) = &node.kind
            && let Some(name) = fields::protocol(fields::alias(word))
        {
            return Ok(Test::Speaks(name));
        }
        let test = self.plain(node)?;
        if self.asked == Asked::Packet {
            return Ok(test);
        }
        let (mut packets, mut counts) = (false, false);
        test.operands(&mut |operand| match operand {
            Operand::Field { field, .. } => packets |= matches!(field.source, Source::Packet),
            Operand::Count(_) => counts = true,
            _ => {}
        });
        match (packets, counts) {
            (true, true) => Err(Refusal::new(
                node.span.clone(),
                "count(…) is a number of the session, and cannot be compared with a field of one packet",
            )
            .example("count(tcp.analysis.retransmission) > 3")),
            (true, false) => Ok(Test::Slot(self.slot(Slot::Some(test)))),
            (false, _) => Ok(test),
        }
    }

    fn plain(&mut self, node: &Node) -> Result<Test, Refusal> {
        match &node.kind {
            Kind::Relation { quantifier, first, rest } => {
                let mut tests = Vec::new();
                let mut left = &**first;
                for (relation, right) in rest {
                    tests.push(self.relation(*quantifier, *relation, left, right)?);
                    left = right;
                }
                if tests.len() > 1 {
                    return Ok(Test::And(tests));
                }
                tests.pop().ok_or_else(|| Refusal::new(node.span.clone(), "there is nothing to compare with"))
            }
            Kind::In { quantifier, value, negated, members } => {
                self.membership(*quantifier, value, *negated, members)
            }
            _ => {
                let operand = self.operand(node)?.ok_or_else(|| no_test(node))?;
                if let Kind::Call { .. } = node.kind
                    && operand.kind().is_some_and(Type::is_text)
                {
                    return Err(Refusal::new(node.span.clone(), "a text alone tests nothing; compare it")
                        .example("lower(http.host) == \"a\""));
                }
                Ok(Test::Holds(operand))
            }
        }
    }

    fn relation(
        &mut self,
        quantifier: Option<Quantifier>,
        relation: Relation,
        left: &Node,
        right: &Node,
    ) -> Result<Test, Refusal> {
        let value = self.operand(left)?.ok_or_else(|| left_side(left, relation.word()))?;
        let kind = value.kind().ok_or_else(|| left_side(left, relation.word()))?;
        refuse_nothing(kind, left)?;
        match relation {
            Relation::Matches => expressed(quantifier, value, kind, left, right),
            Relation::Contains => {
                if !(kind.is_text() || kind.is_octets()) {
                    return Err(cannot(left, kind, "contains"));
                }
                let wanted = if kind.is_text() { Type::Text } else { Type::Bytes };
                let right = self.partner(right, left, wanted, None)?;
                Ok(Test::Compare {
                    quantifier: quantifier.unwrap_or(Quantifier::Any),
                    relation,
                    left: value,
                    right,
                })
            }
            _ => {
                let right = self.partner(right, left, kind, field_of(&value))?;
                let network = matches!(right, Operand::Network(..));
                let ordered = matches!(
                    relation,
                    Relation::Greater | Relation::GreaterEqual | Relation::Less | Relation::LessEqual
                );
                if ordered && (network || matches!(kind, Type::Word(_) | Type::Rule)) {
                    let reason = if network {
                        "a network has no order; compare it with == or in"
                    } else {
                        "its words have no order; compare them with =="
                    };
                    return Err(Refusal::new(left.span.clone(), reason));
                }
                let own = match relation {
                    Relation::AllEqual | Relation::AllDiffer => Quantifier::All,
                    _ => Quantifier::Any,
                };
                Ok(Test::Compare { quantifier: quantifier.unwrap_or(own), relation, left: value, right })
            }
        }
    }

    fn membership(
        &mut self,
        quantifier: Option<Quantifier>,
        left: &Node,
        negated: bool,
        members: &[(Node, Option<Node>)],
    ) -> Result<Test, Refusal> {
        let value = self.operand(left)?.ok_or_else(|| left_side(left, "in"))?;
        let kind = value.kind().ok_or_else(|| left_side(left, "in"))?;
        refuse_nothing(kind, left)?;
        let field = field_of(&value);
        let mut list = Vec::new();
        for (from, to) in members {
            let low = self.partner(from, left, kind, field)?;
            let high = match to {
                Some(to) if matches!(kind, Type::Word(_) | Type::Rule) => {
                    return Err(Refusal::new(to.span.clone(), "its words have no order, and no range"));
                }
                Some(to) => Some(self.partner(to, left, kind, field)?),
                None => None,
            };
            list.push((low, high));
        }
        let test = Test::In { quantifier: quantifier.unwrap_or(Quantifier::Any), value, members: list };
        Ok(if negated { Test::Not(Box::new(test)) } else { test })
    }

    /// What stands on the right side of something of this type.
    fn partner(
        &mut self,
        node: &Node,
        left: &Node,
        kind: Type,
        field: Option<&'static FieldInfo>,
    ) -> Result<Operand, Refusal> {
        if let Kind::Negative(inner) = &node.kind
            && let Kind::Word(word) = &inner.kind
        {
            return negative(word, kind, node);
        }
        if let Some(raw) = raw(node) {
            let plain = matches!(
                kind,
                Type::Text | Type::Word(_) | Type::Ranked(_) | Type::Bytes | Type::Protocol | Type::Ethernet
            );
            let named = match raw {
                Raw::Word(word) => fields::named(fields::alias(word)),
                _ => None,
            };
            // A word may be a field or a literal. Where the literal makes sense, only a field of a fitting type is one.
            if !named.is_some_and(|field| !plain || compatible(kind, field.kind)) {
                return literal(raw, kind, field, node.span.clone());
            }
        }
        let Some(operand) = self.operand_like(node, kind)? else {
            return Err(no_test(node));
        };
        let other = operand.kind().unwrap_or(kind);
        if !compatible(kind, other) {
            let reason = format!("{left} and {node} are not of compatible types");
            return Err(Refusal::new(node.span.clone(), reason));
        }
        Ok(operand)
    }

    /// A value; none for a literal alone, whose type nothing tells.
    fn operand(&mut self, node: &Node) -> Result<Option<Operand>, Refusal> {
        match &node.kind {
            Kind::Word(word) => {
                let name = fields::alias(word);
                match fields::named(name) {
                    Some(field) => Ok(Some(Operand::Field { field, layers: Vec::new() })),
                    None if looks_like_name(word) => Err(fields::missing(word, node.span.clone())),
                    None => Ok(None),
                }
            }
            Kind::Text(_) | Kind::Char(_) => Ok(None),
            Kind::Slice { of, parts } => {
                let operand = self.operand(of)?.ok_or_else(|| no_test(of))?;
                let kind = operand.kind().unwrap_or(Type::Nothing);
                let slices = kind.is_octets() || matches!(kind, Type::Text | Type::Ipv4 | Type::Ipv6);
                if !slices {
                    let reason = format!(
                        "\"{of}\" is a {} and cannot be sliced into a sequence of bytes",
                        kind.name()
                    );
                    return Err(Refusal::new(node.span.clone(), reason).example("eth.src[0:3] == 00:00:83"));
                }
                Ok(Some(Operand::Slice { of: Box::new(operand), parts: parts.clone() }))
            }
            Kind::Layer { of, layers } => match self.operand(of)? {
                Some(Operand::Field { field, .. }) if matches!(field.source, Source::Packet) => {
                    Ok(Some(Operand::Field { field, layers: layers.clone() }))
                }
                _ => Err(Refusal::new(node.span.clone(), "only a field of a packet has layers")
                    .example("ip.addr#2 == 10.0.0.1")),
            },
            Kind::Call { name, args } => self.call(name, args, node).map(Some),
            Kind::Arithmetic { first, rest } => {
                let Some(head) = self.operand(first)? else {
                    return Err(Refusal::new(
                        first.span.clone(),
                        "Constant arithmetic expression on the LHS is invalid; put the field first",
                    )
                    .example("tcp.len + 1 > 10"));
                };
                let kind = reckons(&head, first)?;
                let mut list = Vec::new();
                for (sign, node) in rest {
                    list.push((*sign, self.term(node, kind, *sign)?));
                }
                Ok(Some(Operand::Arithmetic { first: Box::new(head), rest: list }))
            }
            Kind::Negative(inner) => match self.operand(inner)? {
                Some(operand) => {
                    reckons(&operand, inner)?;
                    Ok(Some(Operand::Negative(Box::new(operand))))
                }
                None => Ok(None),
            },
            _ => Err(Refusal::new(node.span.clone(), "here a value is wanted, and this is a test")),
        }
    }

    /// A value on the right side, where literals within it take this type.
    fn operand_like(&mut self, node: &Node, kind: Type) -> Result<Option<Operand>, Refusal> {
        if let Kind::Arithmetic { first, rest } = &node.kind
            && let Some(raw) = raw(first)
            && !matches!(raw, Raw::Word(word) if fields::named(fields::alias(word)).is_some())
            && kind.is_number()
        {
            let head = literal(raw, widest(kind), None, first.span.clone())?;
            let mut list = Vec::new();
            for (sign, node) in rest {
                list.push((*sign, self.term(node, kind, *sign)?));
            }
            return Ok(Some(Operand::Arithmetic { first: Box::new(head), rest: list }));
        }
        self.operand(node)
    }

    /// A term of arithmetic.
    fn term(&mut self, node: &Node, kind: Type, sign: Arithmetic) -> Result<Operand, Refusal> {
        if let Some(raw) = raw(node)
            && !matches!(raw, Raw::Word(word) if fields::named(fields::alias(word)).is_some())
        {
            // What a duration is multiplied with is a number.
            let scales = matches!(sign, Arithmetic::Multiply | Arithmetic::Divide) && kind == Type::Duration;
            let wanted = if scales { Type::Float } else { widest(kind) };
            return literal(raw, wanted, None, node.span.clone());
        }
        let operand = self.operand(node)?.ok_or_else(|| no_test(node))?;
        if kind.is_number() || kind.is_octets() {
            let other = reckons(&operand, node)?;
            if kind.is_number() != other.is_number() {
                return Err(Refusal::new(node.span.clone(), format!("{node} cannot be reckoned with here")));
            }
        }
        Ok(operand)
    }

    fn call(&mut self, name: &str, args: &[Node], node: &Node) -> Result<Operand, Refusal> {
        let function = match name {
            "len" => Function::Len,
            "count" => Function::Count,
            "lower" => Function::Lower,
            "upper" => Function::Upper,
            "string" => Function::String,
            "min" => Function::Min,
            "max" => Function::Max,
            _ => Function::Abs,
        };
        let many = matches!(function, Function::Min | Function::Max);
        if args.is_empty() || (args.len() > 1 && !many) {
            let wanted = if many { "at least one argument" } else { "one argument" };
            return Err(Refusal::new(node.span.clone(), format!("{name}() wants {wanted}")));
        }
        if function == Function::Count && self.asked == Asked::Row {
            let about_row = matches!(&args[0].kind, Kind::Word(word) if fields::named(word).is_some_and(|field| !matches!(field.source, Source::Packet)));
            if !about_row {
                let test = self.of_packet(&args[0])?;
                return Ok(Operand::Count(self.slot(Slot::Count(test))));
            }
        }
        let mut list = Vec::new();
        for arg in args {
            let operand = self.operand(arg)?.ok_or_else(|| {
                Refusal::new(arg.span.clone(), format!("Only fields can be used as parameter for {name}()"))
            })?;
            let kind = operand.kind().unwrap_or(Type::Nothing);
            let fits = match function {
                Function::Count => matches!(operand, Operand::Field { .. }),
                Function::Len => kind != Type::Nothing,
                Function::Lower | Function::Upper => kind.is_text(),
                Function::String => matches!(
                    kind,
                    Type::Unsigned(_)
                        | Type::Ipv4
                        | Type::Ipv6
                        | Type::Address
                        | Type::Ethernet
                        | Type::Text
                        | Type::Word(_)
                        | Type::Ranked(_)
                        | Type::Id(_)
                        | Type::Rule
                        | Type::Bytes
                        | Type::Float
                ),
                Function::Min | Function::Max => kind.is_number() || kind == Type::Time,
                Function::Abs => kind.is_number(),
            };
            if !fits {
                let reason = match function {
                    Function::Lower | Function::Upper => {
                        format!("Only string type fields can be used as parameter for {name}()")
                    }
                    Function::String => format!("String conversion for field \"{arg}\" is not supported"),
                    Function::Count => "Only a field can be counted".to_owned(),
                    _ => format!("{arg} ({}) cannot be used as parameter for {name}()", kind.name()),
                };
                return Err(Refusal::new(arg.span.clone(), reason));
            }
            list.push(operand);
        }
        let kinds: Vec<Type> = list.iter().filter_map(Operand::kind).collect();
        if let Some(at) = kinds.windows(2).position(|pair| !compatible(pair[0], pair[1])) {
            let reason = format!("Arguments to '{name}' must have the same type");
            return Err(Refusal::new(args[at + 1].span.clone(), reason));
        }
        Ok(Operand::Call { function, args: list })
    }
}

/// `matches`: the expression is compiled once.
fn expressed(
    quantifier: Option<Quantifier>,
    value: Operand,
    kind: Type,
    left: &Node,
    right: &Node,
) -> Result<Test, Refusal> {
    if !(kind.is_text() || kind.is_octets()) {
        return Err(cannot(left, kind, "matches"));
    }
    let Kind::Text(pattern) = &right.kind else {
        return Err(Refusal::new(
            right.span.clone(),
            "Matches requires a double quoted string on the right side",
        )
        .example("http.request.uri matches \"[.]php$\""));
    };
    let wrong = |reason: String| {
        Refusal::new(right.span.clone(), format!("Regex compilation error: {reason}"))
            .example("http.request.uri matches \"[.]php$\"")
    };
    let pattern = expression(pattern);
    let regex = RegexBuilder::new(&pattern)
        .case_insensitive(true)
        .unicode(false)
        .size_limit(FILTER_REGEX_BYTES)
        .dfa_size_limit(FILTER_REGEX_BYTES)
        .build()
        .map_err(|cause| {
            wrong(cause.to_string().lines().last().unwrap_or_default().replace("error: ", ""))
        })?;
    Ok(Test::Matches { quantifier: quantifier.unwrap_or(Quantifier::Any), value, regex })
}
