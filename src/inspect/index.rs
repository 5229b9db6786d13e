//! Where every packet lies and which connection it belongs to, so that one of millions can be shown at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::dissect::{Pass, Wanted};
use super::field::Dissection;
use crate::analysis::Analysis;
use crate::capture::{Batch, Capture, FrameRecord, Input, LinkType, Lookup, Slice};
use crate::error::Error;
use crate::events::Connection;
use crate::limits::BATCH_BYTES;
use crate::packet::FlowKey;
use crate::place::PacketRef;
use crate::time::Timestamp;

/// Packets of a connection behind those that are asked for which are heard too: which protocol it is may be decided by
/// the other side's answer.
const BEHIND: usize = 64;

/// Packets of the run among which those are looked for.
const WINDOW: usize = 65_536;

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

impl Entry {
    fn record(&self) -> FrameRecord {
        let Self { at, time, link, interface, original, .. } = *self;
        FrameRecord { at, time, link, interface, bytes: Slice::default(), original }
    }
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
        Ok(self.packets(lookup, analysis, &[number])?.pop())
    }

    /// The same of several packets, in order of their numbers: each connection is read once for all its packets.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn packets(
        &self,
        lookup: &mut Lookup,
        analysis: &Analysis,
        numbers: &[u64],
    ) -> Result<Vec<(Dissection, Vec<u8>)>, Error> {
        let places: BTreeSet<usize> = numbers.iter().filter_map(|number| self.place(*number)).collect();
        let entry = |place: &usize| self.entries.get(*place);
        let wanted = Wanted {
            frames: Some(places.iter().filter_map(entry).map(|entry| entry.at.number).collect()),
            ..Wanted::default()
        };
        let mut pass = Pass::new(analysis, &wanted);
        let before = places.iter().filter_map(|place| {
            let earlier = place.checked_sub(1).and_then(|earlier| self.entries.get(earlier))?;
            Some((self.entries.get(*place)?.at.number, earlier.time))
        });
        pass.begin(self.entries.first().map(|first| first.time), before.collect());
        let mut found = Vec::with_capacity(places.len());
        let mut tell = |dissection: &Dissection, bytes: &[u8]| {
            found.push((dissection.clone(), bytes.to_vec()));
            ControlFlow::Continue(())
        };
        let mut batch = Batch::default();
        for place in self.needed(&places, analysis) {
            let Some(entry) = self.entries.get(place) else { continue };
            lookup.load(&mut batch, entry.record())?;
            // From the first packet that is asked for on, all stays in one batch: what comes later may tell what it is.
            let is_before = places.first().is_some_and(|first| place < *first);
            if is_before && batch.buffers.first().is_some_and(|buffer| buffer.len() >= BATCH_BYTES) {
                let _ = pass.batch(&mut batch, &mut tell);
                batch.clear();
            }
        }
        let _ = pass.batch(&mut batch, &mut tell);
        Ok(found)
    }

    /// The places of these packets, of all before them on their connections, and of some behind, in order.
    fn needed(&self, places: &BTreeSet<usize>, analysis: &Analysis) -> Vec<usize> {
        // Up to which packet each connection is needed, and from which on the index has to be looked through.
        let mut until = BTreeMap::<u32, usize>::new();
        let mut from = places.first().copied().unwrap_or_default();
        for place in places {
            let Some(id) = self.entries.get(*place).and_then(|entry| entry.connection) else { continue };
            let (earlier, mine) = analysis.connections.split_at(analysis.connections.len().min(id as usize));
            let Some(mine) = mine.first() else { continue };
            let flow = |one: &Connection| FlowKey::new(one.client, one.server, one.transport).0;
            // That the same ports were used before is seen in what used them.
            let before = earlier.iter().rfind(|one| flow(one) == flow(mine));
            for one in before.into_iter().chain([mine]) {
                until.entry(one.id).and_modify(|last| *last = (*last).max(*place)).or_insert(*place);
                from = from.min(self.entries.partition_point(|entry| entry.at.number < one.first.number));
            }
        }
        let last = places.last().map_or(from, |last| last + 1);
        let to = self.entries.len().min(last + WINDOW);
        let mut behind = BTreeMap::<u32, usize>::new();
        let between = self.entries.get(from..to).unwrap_or_default();
        let mut is_needed = |(place, entry): &(usize, &Entry)| {
            let of_connection = entry.connection.and_then(|id| Some((id, *until.get(&id)?)));
            let is_of_connection = of_connection.is_some_and(|(id, last)| {
                let later = behind.entry(id).or_default();
                *later += usize::from(*place > last);
                *later <= BEHIND
            });
            is_of_connection || places.contains(place)
        };
        (from..to).zip(between).filter(|pair| is_needed(pair)).map(|(place, _)| place).collect()
    }
}
