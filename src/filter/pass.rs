//! Reads the packets that a filter asks about, and gathers what they say of each row.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::evaluate::{Subject, holds};
use super::fields::{FieldInfo, Source, Type};
use super::program::{Operand, Program, Slot, Test};
use super::relations::{Belongings, Relations};
use super::syntax::{Part, Reach};
use super::values::Item;
use super::{Needs, PacketSource};
use crate::error::Error;
use crate::inspect::{Dissection, Field, Value};
use crate::place::PacketRef;
use crate::time::{Span, Timestamp};

/// Ids of sessions that satisfy each lifted filter.
pub(super) type Lifted = Vec<BTreeSet<u32>>;

/// A packet as a subject.
struct Packet<'a> {
    dissection: &'a Dissection,
    frame: &'a [u8],
    belongings: Belongings<'a>,
    relations: &'a Relations<'a>,
    lifted: &'a Lifted,
}

impl Packet<'_> {
    /// The fields of this name with the octets that they cover in the frame.
    fn fields(&self, name: &'static str, layers: &[Part]) -> Vec<&Field> {
        if layers.is_empty() {
            return self.dissection.fields.iter().filter(|field| field.name == name).collect();
        }
        let protocol = name.split('.').next().unwrap_or(name);
        let mut layer = 0;
        let wanted = |field: &&Field| {
            if field.name == protocol && (field.depth == 0 || protocol == name) {
                layer += 1;
            }
            field.name == name && layers.iter().any(|part| is_layer(*part, layer))
        };
        self.dissection.fields.iter().filter(wanted).collect()
    }

    /// The value of a field. Of octets that only have a place, those that lie there.
    fn value<'b>(&'b self, field: &'b Field, kind: Type) -> Item<'b> {
        match (&field.value, &field.bytes, kind) {
            (Value::Present, Some(bytes), Type::Bytes) => {
                let octets = self.frame.get(bytes.start as usize..bytes.end as usize).unwrap_or_default();
                Cow::Owned(Value::Bytes(octets.to_vec()))
            }
            (value, ..) => Cow::Borrowed(value),
        }
    }

    /// A protocol's octets: from its header to the end of what its layer holds.
    fn octets(&self, field: &Field) -> Vec<u8> {
        let start = field.bytes.as_ref().map_or(0, |bytes| bytes.start as usize);
        // What pads a short Ethernet frame belongs to no layer above it.
        let end =
            if matches!(field.name, "frame" | "eth" | "sll") { self.frame.len() } else { self.end_of_ip() };
        self.frame.get(start..end.max(start)).or_else(|| self.frame.get(start..)).unwrap_or_default().to_vec()
    }

    /// Where the innermost IP packet ends in the frame.
    fn end_of_ip(&self) -> usize {
        let mut end = self.frame.len();
        let mut start = None;
        for field in &self.dissection.fields {
            match (field.name, &field.value, start) {
                ("ip" | "ipv6", ..) => start = field.bytes.as_ref().map(|bytes| bytes.start as usize),
                ("ip.len", Value::Unsigned(length), Some(at)) if *length > 0 => end = at + *length as usize,
                ("ipv6.plen", Value::Unsigned(length), Some(at)) if *length > 0 => {
                    end = at + 40 + *length as usize;
                }
                _ => {}
            }
        }
        end.min(self.frame.len())
    }
}

/// Whether a layer, counted from 1, is meant.
fn is_layer(part: Part, layer: i32) -> bool {
    match part.reach {
        Reach::Length(length) => {
            i64::from(layer) >= i64::from(part.start)
                && i64::from(layer) < i64::from(part.start) + i64::from(length)
        }
        Reach::To(last) => layer >= part.start && layer <= last,
        Reach::End => layer >= part.start,
    }
}

impl Subject for Packet<'_> {
    fn values(&self, field: &'static FieldInfo, layers: &[Part]) -> Vec<Item<'_>> {
        match (field.source, field.kind) {
            (Source::Packet, Type::Protocol) => self
                .fields(field.name, layers)
                .into_iter()
                .map(|field| Cow::Owned(Value::Bytes(self.octets(field))))
                .collect(),
            (Source::Packet, _) => {
                let fields = self.fields(field.name, layers);
                fields.into_iter().map(|found| self.value(found, field.kind)).collect()
            }
            _ => self.belongings.values(field, self.relations.analysis()),
        }
    }

    fn has(&self, field: &'static FieldInfo, layers: &[Part]) -> bool {
        match field.source {
            Source::Packet => !self.fields(field.name, layers).is_empty(),
            _ => !self.belongings.values(field, self.relations.analysis()).is_empty(),
        }
    }

    fn lengths(&self, field: &'static FieldInfo, layers: &[Part]) -> Vec<u64> {
        if !matches!(field.source, Source::Packet) {
            return own_lengths(&self.values(field, layers));
        }
        let length = |found: &Field| match (&found.bytes, &found.value) {
            (Some(bytes), _) => Some(u64::from(bytes.end.saturating_sub(bytes.start))),
            (None, Value::Bytes(bytes)) => Some(bytes.len() as u64),
            (None, Value::Text(text)) => Some(text.len() as u64),
            _ => match field.kind {
                Type::Unsigned(bits) => Some(u64::from(bits / 8)),
                _ => None,
            },
        };
        self.fields(field.name, layers).into_iter().filter_map(length).collect()
    }

    fn speaks(&self, protocol: &str) -> bool {
        self.dissection.fields.iter().any(|field| field.name == protocol)
    }

    fn slot(&self, _: usize) -> Option<bool> {
        Some(false)
    }

    fn count(&self, _: usize) -> Option<u64> {
        Some(0)
    }

    fn lifted(&self, filter: usize) -> bool {
        is_lifted(self.lifted, filter, &self.belongings)
    }
}

fn is_lifted(lifted: &Lifted, filter: usize, belongings: &Belongings<'_>) -> bool {
    lifted.get(filter).is_some_and(|ids| belongings.sessions.iter().any(|session| ids.contains(&session.id)))
}

fn own_lengths(values: &[Item<'_>]) -> Vec<u64> {
    let length = |value: &Item<'_>| super::values::octets(value).map(|octets| octets.len() as u64);
    values.iter().filter_map(length).collect()
}

/// What the packets of one row said to one slot.
#[derive(Debug, Clone, Default)]
struct Tally {
    yes: u64,
    no: u64,
    /// Of an order: when each of its steps was last reached. Of an absence: since when it is waited.
    reached: Vec<Option<Timestamp>>,
    done: bool,
}

impl Tally {
    fn note(&mut self, slot: &Slot, time: Timestamp, ask: &mut dyn FnMut(&Test) -> bool) {
        match slot {
            Slot::Some(_) | Slot::Then(_) | Slot::Without(..) if self.done => {}
            Slot::Some(test) => self.done = ask(test),
            Slot::All(test) | Slot::Count(test) => {
                if ask(test) {
                    self.yes += 1;
                } else {
                    self.no += 1;
                }
            }
            Slot::Then(steps) => {
                self.reached.resize(steps.len(), None);
                // From the last step to the first, so that one packet is not two steps.
                for (place, (test, within)) in steps.iter().enumerate().rev() {
                    let ready = match place.checked_sub(1).map(|before| self.reached[before]) {
                        None => true,
                        Some(None) => false,
                        Some(Some(before)) => within.is_none_or(|within| time.since(before) <= within),
                    };
                    if ready && ask(test) {
                        self.reached[place] = Some(time);
                        self.done |= place + 1 == steps.len();
                    }
                }
            }
            Slot::Without(first, other, within) => {
                self.reached.resize(1, None);
                self.expire(*within, time);
                if self.done {
                    return;
                }
                if ask(other) {
                    self.reached[0] = None;
                }
                if self.reached[0].is_none() && ask(first) {
                    self.reached[0] = Some(time);
                }
            }
        }
    }

    /// The oldest that is waited for was not answered in time.
    fn expire(&mut self, within: Option<Span>, now: Timestamp) {
        if let (Some(Some(since)), Some(within)) = (self.reached.first(), within) {
            self.done |= now.since(*since) > within;
        }
    }

    /// The answer when all packets were read, the last of the run at this time.
    fn answer(&self, slot: &Slot, end: Timestamp) -> bool {
        match slot {
            Slot::Some(_) | Slot::Then(_) => self.done,
            Slot::All(_) => self.no == 0 && self.yes > 0,
            Slot::Count(_) => self.yes > 0,
            // What did not come in a time that the capture does not hold may have come.
            Slot::Without(_, _, within) => {
                let waits = self.reached.first().copied().flatten();
                self.done || waits.is_some_and(|since| within.is_none_or(|within| end.since(since) > within))
            }
        }
    }
}

/// A row as a subject.
struct Row<'a> {
    belongings: Belongings<'a>,
    relations: &'a Relations<'a>,
    lifted: &'a Lifted,
    /// What its packets said; none as long as they were not read.
    said: Option<(&'a [Tally], &'a [Slot], Timestamp)>,
}

impl Subject for Row<'_> {
    fn values(&self, field: &'static FieldInfo, _: &[Part]) -> Vec<Item<'_>> {
        self.belongings.values(field, self.relations.analysis())
    }

    fn lengths(&self, field: &'static FieldInfo, layers: &[Part]) -> Vec<u64> {
        own_lengths(&self.values(field, layers))
    }

    fn speaks(&self, protocol: &str) -> bool {
        self.belongings.speaks(protocol)
    }

    fn slot(&self, slot: usize) -> Option<bool> {
        let (tallies, slots, end) = self.said?;
        Some(tallies.get(slot)?.answer(slots.get(slot)?, end))
    }

    fn count(&self, slot: usize) -> Option<u64> {
        self.said.and_then(|(tallies, _, _)| tallies.get(slot)).map(|tally| tally.yes)
    }

    fn lifted(&self, filter: usize) -> bool {
        is_lifted(self.lifted, filter, &self.belongings)
    }
}

/// The rows that a program is asked of.
pub(super) struct Rows<'a> {
    /// What belongs to each row, in order.
    pub(super) belongings: Box<dyn Fn(usize) -> Belongings<'a> + 'a>,
    /// How many there are.
    pub(super) count: usize,
    /// The rows that a packet belongs to.
    pub(super) of_packet: Box<Belonging<'a>>,
    /// The packets of a row: by number, or those of its connections.
    pub(super) packets: Box<dyn Fn(usize) -> Reading + 'a>,
}

/// The rows that a packet belongs to.
type Belonging<'a> = dyn Fn(&Dissection) -> Vec<usize> + 'a;

/// Which packets belong to a row.
pub(super) enum Reading {
    /// Those of these connections.
    Connections(Vec<u32>),
    /// These.
    Numbers(Vec<u64>),
}

/// Which of the rows satisfy the program.
pub(super) fn rows(
    program: &Program,
    rows: &Rows<'_>,
    relations: &Relations<'_>,
    lifted: &Lifted,
    source: &dyn PacketSource,
) -> Result<Vec<bool>, Error> {
    let mut answers: Vec<Option<bool>> = (0..rows.count)
        .map(|place| {
            let row = Row { belongings: (rows.belongings)(place), relations, lifted, said: None };
            holds(&program.test, &row)
        })
        .collect();
    let open: Vec<usize> = (0..rows.count).filter(|place| answers[*place].is_none()).collect();
    if !open.is_empty() {
        let mut needs = needs(program.slots.iter().flat_map(Slot::tests));
        let (mut connections, mut numbers, mut by_number) = (BTreeSet::new(), BTreeSet::new(), false);
        for place in &open {
            match (rows.packets)(*place) {
                Reading::Connections(ids) => connections.extend(ids),
                Reading::Numbers(list) => {
                    by_number = true;
                    numbers.extend(list);
                }
            }
        }
        if by_number {
            needs.frames = Some(numbers);
        } else {
            needs.connections = Some(connections);
        }
        let mut tallies: BTreeMap<usize, Vec<Tally>> =
            open.iter().map(|place| (*place, vec![Tally::default(); program.slots.len()])).collect();
        source.read(&needs, &mut |dissection, frame| {
            let concerned: Vec<usize> = (rows.of_packet)(dissection)
                .into_iter()
                .filter(|place| tallies.contains_key(place))
                .collect();
            if concerned.is_empty() {
                return ControlFlow::Continue(());
            }
            let packet = subject(dissection, frame, relations, lifted);
            let mut known: BTreeMap<*const Test, bool> = BTreeMap::new();
            for place in concerned {
                let Some(list) = tallies.get_mut(&place) else { continue };
                for (slot, tally) in program.slots.iter().zip(list) {
                    tally.note(slot, dissection.time, &mut |test| {
                        *known
                            .entry(std::ptr::from_ref(test))
                            .or_insert_with(|| holds(test, &packet) == Some(true))
                    });
                }
            }
            ControlFlow::Continue(())
        })?;
        let end = relations.analysis().files.iter().filter_map(|file| file.last).max().unwrap_or_default();
        for (place, tallies) in &tallies {
            let said = Some((&tallies[..], &program.slots[..], end));
            let row = Row { belongings: (rows.belongings)(*place), relations, lifted, said };
            answers[*place] = holds(&program.test, &row);
        }
    }
    Ok(answers.into_iter().map(|answer| answer == Some(true)).collect())
}

fn subject<'a>(
    dissection: &'a Dissection,
    frame: &'a [u8],
    relations: &'a Relations<'a>,
    lifted: &'a Lifted,
) -> Packet<'a> {
    let at = dissection.at;
    let belongings = relations.of_packet(at.number, at.file, dissection.time, &dissection.connections);
    Packet { dissection, frame, belongings, relations, lifted }
}

/// Calls with every packet that satisfies the test, in order, until it is told to stop.
pub(super) fn packets(
    test: &Test,
    needs: &Needs,
    relations: &Relations<'_>,
    lifted: &Lifted,
    source: &dyn PacketSource,
    tell: &mut dyn FnMut(&Dissection, &[u8]) -> ControlFlow<()>,
) -> Result<(), Error> {
    source.read(needs, &mut |dissection, frame| {
        let packet = subject(dissection, frame, relations, lifted);
        if holds(test, &packet) == Some(true) { tell(dissection, frame) } else { ControlFlow::Continue(()) }
    })
}

/// What has to be known of packets for these tests.
pub(super) fn needs<'a>(tests: impl Iterator<Item = &'a Test>) -> Needs {
    let mut needs = Needs::default();
    for test in tests {
        needs.second_pass = true;
        test.operands(&mut |operand| {
            if let Operand::Field { field, .. } = operand
                && matches!(field.source, Source::Packet)
            {
                needs.names.insert(field.name);
                // Payloads are kept only where what they carry is read.
                needs.application |=
                    field.name.ends_with(".payload") || crate::inspect::is_of_application(field.name);
            }
        });
    }
    needs
}

/// Packets of a place in a file, for lists of them.
pub(super) fn places(found: &mut Vec<PacketRef>) -> impl FnMut(&Dissection, &[u8]) -> ControlFlow<()> {
    |dissection, _| {
        found.push(dissection.at);
        ControlFlow::Continue(())
    }
}
