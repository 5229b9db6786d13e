//! Where every packet lies and which connection it belongs to, so that one of millions can be shown at once.

use std::ops::ControlFlow;

use super::dissect::{Pass, Wanted};
use super::field::Dissection;
use crate::analysis::Analysis;
use crate::capture::{Batch, Capture, FrameRecord, Input, LinkType, Lookup, Slice};
use crate::error::Error;
use crate::limits::BATCH_BYTES;
use crate::place::PacketRef;
use crate::time::Timestamp;

/// One packet of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where it lies.
    pub at: PacketRef,
    /// When it was captured.
    pub time: Timestamp,
    /// What its first byte means.
    pub link: LinkType,
    /// Index of the interface in its file's list.
    pub interface: u32,
    /// Length on the wire.
    pub original: u32,
    /// Id of the innermost connection that it belongs to.
    pub connection: Option<u32>,
}

/// All packets of a run, in order.
#[derive(Debug, Clone, Default)]
pub struct Index {
    entries: Vec<Entry>,
}

impl Index {
    /// Reads the inputs once, and keeps the place of each packet.
    ///
    /// # Errors
    /// Where not one input can be read again.
    pub fn build(inputs: Vec<Input>, analysis: &Analysis) -> Result<Self, Error> {
        let wanted = Wanted { application: false, info: false, ..Wanted::default() };
        let mut capture = Capture::open(inputs, BATCH_BYTES)?;
        let mut pass = Pass::new(analysis, &wanted);
        let mut batch = Batch::default();
        let mut entries = Vec::new();
        while capture.fill(&mut batch) {
            pass.places(&mut batch, &mut |record, connection| {
                let FrameRecord { at, time, link, interface, original, .. } = *record;
                entries.push(Entry { at, time, link, interface, original, connection });
            });
        }
        Ok(Self { entries })
    }

    /// An index of some packets of a run only, in their order: of what is not among them nothing is known.
    pub fn of(entries: Vec<Entry>) -> Self {
        Self { entries }
    }

    /// The packets in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The place in [`entries`](Self::entries) of the packet with this number in the run.
    pub fn place(&self, number: u64) -> Option<usize> {
        self.entries.binary_search_by_key(&number, |entry| entry.at.number).ok()
    }

    /// A packet with all its fields, and its bytes; none where the index does not know it. Only the packets of its
    /// connection are read again: of a datagram that came in parts, the parts are no packets of it.
    ///
    /// # Errors
    /// Where its file cannot be read.
    pub fn packet(
        &self,
        lookup: &mut Lookup,
        analysis: &Analysis,
        number: u64,
    ) -> Result<Option<(Dissection, Vec<u8>)>, Error> {
        let Some(place) = self.place(number) else { return Ok(None) };
        let (before, rest) = self.entries.split_at(place);
        let Some(entry) = rest.first() else { return Ok(None) };
        let wanted = Wanted::one(entry.at);
        let mut pass = Pass::new(analysis, &wanted);
        pass.begin(self.entries.first().map(|first| first.time), None);
        let mut batch = Batch::default();
        if let Some(id) = entry.connection {
            let first = analysis.connections.get(id as usize).map_or(0, |connection| connection.first.number);
            let from = before.partition_point(|entry| entry.at.number < first);
            let mine =
                before.get(from..).unwrap_or_default().iter().filter(|entry| entry.connection == Some(id));
            for entry in mine {
                load(&mut batch, entry, lookup)?;
                if batch.buffers.first().is_some_and(|buffer| buffer.len() >= BATCH_BYTES) {
                    let _ = pass.batch(&mut batch, &mut |_, _| ControlFlow::Continue(()));
                    batch.clear();
                }
            }
            let _ = pass.batch(&mut batch, &mut |_, _| ControlFlow::Continue(()));
            batch.clear();
        }
        pass.begin(self.entries.first().map(|first| first.time), before.last().map(|entry| entry.time));
        load(&mut batch, entry, lookup)?;
        let mut found = None;
        let _ = pass.batch(&mut batch, &mut |dissection, bytes| {
            found = Some((dissection.clone(), bytes.to_vec()));
            ControlFlow::Break(())
        });
        Ok(found)
    }
}

/// Reads a frame into a batch.
fn load(batch: &mut Batch, entry: &Entry, lookup: &mut Lookup) -> Result<(), Error> {
    let bytes = lookup.frame(entry.at)?;
    if batch.buffers.is_empty() {
        batch.buffers.push(Vec::new());
    }
    let Some(buffer) = batch.buffers.first_mut() else { return Ok(()) };
    let (start, length) = (buffer.len() as u32, bytes.len() as u32);
    buffer.extend_from_slice(&bytes);
    let Entry { at, time, link, interface, original, .. } = *entry;
    let bytes = Slice { buffer: 0, start, length };
    batch.frames.push(FrameRecord { at, time, link, interface, bytes, original });
    Ok(())
}
