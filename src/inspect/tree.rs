//! Writes the fields of one header after the other.

use std::borrow::Cow;
use std::ops::Range;

use super::field::{Field, Value};

/// The tree of a packet while it grows, and the bytes of the header at hand.
#[derive(Debug)]
pub(super) struct Tree<'f> {
    fields: &'f mut Vec<Field>,
    /// The header and what follows it.
    bytes: &'f [u8],
    /// Where it begins in the frame; none where it lies in a datagram put together from several.
    start: Option<u32>,
    depth: u8,
}

impl<'f> Tree<'f> {
    /// At the beginning of a header, at the depth of a protocol.
    pub(super) fn new(fields: &'f mut Vec<Field>, bytes: &'f [u8], start: Option<u32>) -> Self {
        Self { fields, bytes, start, depth: 0 }
    }

    /// The header and what follows it.
    pub(super) fn bytes(&self) -> &'f [u8] {
        self.bytes
    }

    /// The same tree at a later header, one level deeper: what an error quotes.
    pub(super) fn quoted(&mut self, at: usize) -> Tree<'_> {
        Tree {
            bytes: self.bytes.get(at..).unwrap_or(&[]),
            start: self.start.map(|start| start + at as u32),
            depth: self.depth + 1,
            fields: self.fields,
        }
    }

    /// The name of the protocol: one line for the whole header.
    pub(super) fn protocol(
        &mut self,
        name: &'static str,
        label: impl Into<Cow<'static, str>>,
        length: usize,
    ) {
        let bytes = self.range(0..length);
        let depth = self.depth;
        self.fields.push(Field { name, label: label.into(), bytes, depth, ..Field::default() });
        self.depth += 1;
    }

    /// What follows lies in the line just written.
    pub(super) fn open(&mut self) {
        self.depth += 1;
    }

    /// That is over.
    pub(super) fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// A value that stands in these bytes of the header.
    pub(super) fn put(
        &mut self,
        name: &'static str,
        label: impl Into<Cow<'static, str>>,
        value: Value,
        at: Range<usize>,
    ) {
        let bytes = self.range(at);
        self.push(Field { name, label: label.into(), value, bytes, ..Field::default() });
    }

    /// The same value under a name that stands for several, as `ip.addr`.
    pub(super) fn also(&mut self, name: &'static str, value: Value, at: Range<usize>) {
        let bytes = self.range(at);
        self.push(Field { name, value, bytes, ..Field::default() });
    }

    /// A value that is not in the packet.
    pub(super) fn computed(&mut self, name: &'static str, label: impl Into<Cow<'static, str>>, value: Value) {
        self.push(Field { name, label: label.into(), value, computed: true, ..Field::default() });
    }

    /// The unsigned number of up to eight bytes at `at`; nothing where the recorder cut it off.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        label: &'static str,
        at: Range<usize>,
    ) -> Option<u64> {
        let value = self.read(at.clone())?;
        self.put(name, label, Value::Unsigned(value), at);
        Some(value)
    }

    /// As [`number`](Self::number), without a line.
    pub(super) fn read(&self, at: Range<usize>) -> Option<u64> {
        self.bytes.get(at).map(|bytes| bytes.iter().fold(0, |number, octet| number << 8 | u64::from(*octet)))
    }

    /// One bit of the number that these bytes hold.
    pub(super) fn flag(&mut self, name: &'static str, label: &'static str, is_set: bool, at: Range<usize>) {
        self.put(name, label, Value::Boolean(is_set), at);
        self.meaning(if is_set { "Set" } else { "Not set" });
    }

    /// What the line just written means.
    pub(super) fn meaning(&mut self, meaning: impl Into<Cow<'static, str>>) {
        if let Some(last) = self.fields.last_mut() {
            last.meaning = meaning.into();
        }
    }

    fn push(&mut self, field: Field) {
        self.fields.push(Field { depth: self.depth, ..field });
    }

    /// The bytes in the frame, as far as they were captured.
    fn range(&self, at: Range<usize>) -> Option<Range<u32>> {
        let start = self.start?;
        let end = at.end.min(self.bytes.len());
        (at.start < end).then(|| start + at.start as u32..start + end as u32)
    }
}

/// The address in these bytes.
pub(super) fn ethernet(bytes: &[u8]) -> Option<[u8; 6]> {
    bytes.first_chunk().copied()
}
