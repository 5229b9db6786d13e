//! Names for the bytes that a dissector reads: fields of packets, for whoever looks at single ones.
//!
//! The analysis wants none of them, and then a dissector's call comes to nothing. A message is shown in the frame that
//! completes it: what is said of its bytes waits for the last of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::provenance::Provenance;
use super::verdict::Step;
use crate::events::{ConnectionKey, Side};
use crate::stream::receiver::Origin;

/// What stands in the place of a secret.
pub const MASK: &str = "<masked>";

/// Labels of one unfinished message that are kept; longer ones are told by their beginning.
const WAITING: usize = 4_096;

/// What stands in the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelValue {
    /// Something without a value of its own.
    Present,
    /// A flag.
    Boolean(bool),
    /// A number.
    Unsigned(u64),
    /// Text, as it came. Never a secret.
    Text(String),
    /// Octets.
    Bytes(Vec<u8>),
}

/// The name of some bytes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its name in a display filter; empty for none.
    pub name: &'static str,
    /// What the line says before the value.
    pub label: Cow<'static, str>,
    /// What the value means.
    pub meaning: Cow<'static, str>,
    /// The value.
    pub value: LabelValue,
    /// Which bytes of its side's stream.
    pub bytes: Range<u64>,
    /// How deep it lies: 0 for a protocol.
    pub depth: u8,
    /// Whether it was computed and stands in no byte.
    pub computed: bool,
}

/// The labels of a message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its connection.
    pub connection: ConnectionKey,
    /// Who said it.
    pub side: Side,
    /// The packet with its last byte.
    pub at: Origin,
    /// The packet at hand when that was known.
    pub now: Origin,
    /// Where the bytes of that packet begin in the stream.
    pub begins: u64,
    /// The labels, in order.
    pub labels: Vec<Label>,
}

/// The labels of a shard.
#[derive(Debug, Default)]
pub struct Labels {
    /// Messages that are whole.
    pub messages: Vec<Message>,
    /// Labels of messages that are not.
    waiting: BTreeMap<(ConnectionKey, Side), Vec<Label>>,
    /// Labels of the bytes that are being read.
    fresh: Vec<Label>,
    /// The message goes on behind the bytes that are being read.
    goes_on: bool,
}

/// Where in a stream the reading is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'p> {
    pub(super) connection: ConnectionKey,
    pub(super) side: Side,
    pub(super) provenance: &'p Provenance,
    pub(super) now: Origin,
}

impl Labels {
    /// A dissector is about to read.
    pub(super) fn begin(&mut self) {
        self.fresh.clear();
        self.goes_on = false;
    }

    /// What it read belongs to a message of which more is to come.
    pub(super) fn go_on(&mut self) {
        self.goes_on = true;
    }

    /// A dissector was given bytes from `base` on, `length` of them, and answered this.
    pub(super) fn settle(&mut self, reading: Reading<'_>, step: Step, base: u64, length: usize) {
        match step {
            Step::NeedMore(_) | Step::Hold => self.fresh.clear(),
            // What it passes over belongs to the message.
            Step::Skip(_) => self.wait(reading),
            Step::Took(_) if self.goes_on => self.wait(reading),
            Step::Took(taken) | Step::Replace(taken, _) | Step::Under(taken, _) => {
                self.complete(reading, base + taken.min(length) as u64);
            }
            Step::Done | Step::NotMine(_) => self.complete(reading, base + length as u64),
        }
    }

    /// The end of what was passed over was seen.
    pub(super) fn passed(&mut self, reading: Reading<'_>, base: u64) {
        if self.goes_on { self.wait(reading) } else { self.complete(reading, base) }
    }

    fn wait(&mut self, reading: Reading<'_>) {
        if self.fresh.is_empty() {
            return;
        }
        let waiting = self.waiting.entry((reading.connection, reading.side)).or_default();
        let room = WAITING.saturating_sub(waiting.len());
        waiting.extend(self.fresh.drain(..).take(room));
    }

    /// The message ends before this offset.
    pub(super) fn complete(&mut self, reading: Reading<'_>, end: u64) {
        let mut labels = self.waiting.remove(&(reading.connection, reading.side)).unwrap_or_default();
        labels.append(&mut self.fresh);
        if labels.is_empty() {
            return;
        }
        let (begins, at) = reading.provenance.piece(end.saturating_sub(1)).unwrap_or((end, reading.now));
        let Reading { connection, side, now, .. } = reading;
        self.messages.push(Message { connection, side, at, now, begins, labels });
    }
}

/// Writes the labels of the bytes at hand.
#[derive(Debug)]
pub struct Labeller<'l> {
    fresh: &'l mut Vec<Label>,
    base: u64,
    depth: u8,
}

impl<'l> Labeller<'l> {
    pub(super) fn new(labels: &'l mut Labels, base: u64) -> Self {
        Self { fresh: &mut labels.fresh, base, depth: 1 }
    }

    /// The line of a protocol, of which the next ones are fields.
    pub fn protocol(&mut self, name: &'static str, label: impl Into<Cow<'static, str>>, bytes: Range<usize>) {
        self.depth = 0;
        self.line(name, label, bytes);
        self.depth = 1;
    }

    /// The same pen for bytes before those at hand: what was passed over.
    #[must_use]
    pub fn before(mut self, length: u64) -> Self {
        self.base = self.base.saturating_sub(length);
        self
    }

    /// Bytes that nobody understands, where nothing was said of them.
    pub(super) fn undecoded(mut self, length: usize) {
        if self.fresh.is_empty() {
            self.protocol("data", format!("Data ({length} bytes), not decoded here"), 0..length);
            self.line("data.data", "Data", 0..length);
            self.computed("data.len", "Length", LabelValue::Unsigned(length as u64));
        }
    }

    /// What follows lies in the line just written.
    pub fn open(&mut self) {
        self.depth += 1;
    }

    /// That is over.
    pub fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// A line without a value.
    pub fn line(&mut self, name: &'static str, label: impl Into<Cow<'static, str>>, bytes: Range<usize>) {
        self.push(name, label.into(), LabelValue::Present, bytes);
    }

    /// A flag.
    pub fn flag(&mut self, name: &'static str, label: &'static str, is_set: bool, bytes: Range<usize>) {
        self.push(name, Cow::Borrowed(label), LabelValue::Boolean(is_set), bytes);
        self.meaning(if is_set { "Set" } else { "Not set" });
    }

    /// A number.
    pub fn number(&mut self, name: &'static str, label: &'static str, value: u64, bytes: Range<usize>) {
        self.push(name, Cow::Borrowed(label), LabelValue::Unsigned(value), bytes);
    }

    /// Text.
    pub fn text(
        &mut self,
        name: &'static str,
        label: impl Into<Cow<'static, str>>,
        value: &[u8],
        bytes: Range<usize>,
    ) {
        let value = String::from_utf8_lossy(value).into_owned();
        self.push(name, label.into(), LabelValue::Text(value), bytes);
    }

    /// Something secret: that it is there, and where.
    pub fn secret(&mut self, name: &'static str, label: impl Into<Cow<'static, str>>, bytes: Range<usize>) {
        self.text(name, label, MASK.as_bytes(), bytes);
    }

    /// Octets.
    pub fn bytes(&mut self, name: &'static str, label: &'static str, value: &[u8], bytes: Range<usize>) {
        self.push(name, Cow::Borrowed(label), LabelValue::Bytes(value.to_vec()), bytes);
    }

    /// A number that stands in no byte.
    pub fn computed(&mut self, name: &'static str, label: &'static str, value: LabelValue) {
        self.push(name, Cow::Borrowed(label), value, 0..0);
        if let Some(last) = self.fresh.last_mut() {
            last.computed = true;
        }
    }

    /// What the value just written means.
    pub fn meaning(&mut self, meaning: impl Into<Cow<'static, str>>) {
        if let Some(last) = self.fresh.last_mut() {
            last.meaning = meaning.into();
        }
    }

    fn push(&mut self, name: &'static str, label: Cow<'static, str>, value: LabelValue, bytes: Range<usize>) {
        let place = |at: usize| self.base.saturating_add(at as u64);
        let bytes = place(bytes.start)..place(bytes.end);
        let (meaning, depth) = (Cow::Borrowed(""), self.depth);
        self.fresh.push(Label { name, label, meaning, value, bytes, depth, computed: false });
    }
}
