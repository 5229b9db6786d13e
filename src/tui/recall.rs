//! What was said in a session, heard again from its own packets: the analysis of the interface keeps no events, which
//! would be most of its memory, and nobody looks at more than a few sessions.

use std::collections::BTreeSet;

use super::data::Data;
use super::index::PacketIndex;
use crate::analysis::{Again, Recalled};
use crate::capture::{Batch, Lookup};
use crate::error::Error;
use crate::events::{Connection, ConnectionKey};
use crate::limits::{BATCH_BYTES, BATCH_FRAMES};
use crate::packet::FlowKey;
use crate::session::Session;

/// Packets before a connection among which fragments are looked for that its first packet was put together from.
const PARTS_BEFORE: usize = 4_096;

/// Connections between the same endpoints before one that are heard with it: how it begins may depend on how the one
/// before it ended.
const BEFORE: usize = 2;

/// Which packets have to be read to hear sessions.
#[derive(Debug)]
pub(super) struct Needed {
    keys: BTreeSet<ConnectionKey>,
    /// Ids of the connections, sorted.
    connections: Vec<u32>,
    /// Numbers of their first and last packets.
    first: u64,
    /// The last.
    pub(super) last: u64,
}

impl Needed {
    /// For these sessions.
    pub(super) fn of(data: &Data, sessions: &[&Session]) -> Self {
        let legs = || sessions.iter().flat_map(|session| &session.legs);
        let own: BTreeSet<u32> = legs().map(|part| part.connection).collect();
        let all = &data.analysis.connections;
        let of_own = own.iter().filter_map(|id| all.get(*id as usize));
        let flow = |one: &Connection| FlowKey::new(one.client, one.server, one.transport).0;
        let flows: BTreeSet<FlowKey> = of_own.clone().map(flow).collect();
        let last = of_own.map(|one| one.last.number).max().unwrap_or(0);
        // Two that run at the same time between the same endpoints cannot be told apart by the list of packets.
        let mates: Vec<&Connection> =
            all.iter().filter(|one| one.first.number <= last && flows.contains(&flow(one))).collect();
        let mut connections = own.clone();
        for id in &own {
            let Some(mine) = all.get(*id as usize) else { continue };
            let same = mates.iter().filter(|one| flow(one) == flow(mine));
            let beside = |one: &&&Connection| {
                one.first.number <= mine.last.number && one.last.number >= mine.first.number
            };
            connections.extend(same.clone().filter(beside).map(|one| one.id));
            let before = same.rev().filter(|one| one.last.number < mine.first.number);
            connections.extend(before.take(BEFORE).map(|one| one.id));
        }
        let first = connections.iter().filter_map(|id| all.get(*id as usize)).map(|one| one.first.number);
        Self {
            first: first.min().unwrap_or(0),
            last,
            keys: legs().map(|part| part.leg.key).collect(),
            connections: connections.into_iter().collect(),
        }
    }

    /// Reads them in batches and lets each be taken, for as long as it is to go on. Answers whether it came to the end.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(super) fn read(
        &self,
        packets: &PacketIndex,
        lookup: &mut Lookup,
        take: &mut dyn FnMut(&mut Batch) -> bool,
    ) -> Result<bool, Error> {
        let mut batch = Batch::default();
        let from = packets.find(self.first);
        let to = packets.find(self.last.saturating_add(1));
        for (place, row) in packets.rows(from.saturating_sub(PARTS_BEFORE)..to) {
            let mine = place >= from && self.connections.binary_search(&row.connection).is_ok();
            if !row.shared && !mine {
                continue;
            }
            lookup.load(&mut batch, row.record())?;
            let full = batch.buffers.first().is_some_and(|bytes| bytes.len() >= BATCH_BYTES);
            if full || batch.frames.len() >= BATCH_FRAMES {
                if !take(&mut batch) {
                    return Ok(false);
                }
                batch.clear();
            }
        }
        Ok(take(&mut batch))
    }

    /// What was said in them, of which at most so many events are kept. None where it is not to go on.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub(super) fn hear(
        &self,
        data: &Data,
        packets: &PacketIndex,
        lookup: &mut Lookup,
        most: usize,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Option<Recalled>, Error> {
        let mut again = Again::new(&data.analysis, self.keys.clone(), most);
        let heard = self.read(packets, lookup, &mut |batch| {
            again.batch(batch);
            goes_on()
        })?;
        Ok(heard.then(|| again.finish()))
    }
}
