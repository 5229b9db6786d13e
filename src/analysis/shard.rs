//! One shard: the packets of a batch that are its own, and its connections.

use crate::capture::{Batch, Slice};
use crate::packet::{Body, Packet};
use crate::protocols::{Conversation, Said};
use crate::stream::Window;
use crate::stream::table::{Finished, Table};
use crate::time::Timestamp;

/// One shard of the flow table.
#[derive(Debug)]
pub(super) struct Shard {
    table: Table<Conversation>,
}

/// A packet and its place in the run: its frame's number, and which packet of the frame it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    packet: Packet,
    order: u64,
}

impl Job {
    /// The `nth` packet of its frame.
    pub(super) fn new(packet: Packet, nth: u64) -> Self {
        Self { packet, order: packet.order(nth) }
    }
}

impl Shard {
    pub(super) fn new(keep_duplicates: bool, dissect: bool) -> Self {
        Self { table: Table::new(keep_duplicates, dissect) }
    }

    /// The connections that were folded into a count since the last time.
    pub(super) fn take_folded(&mut self) -> Vec<crate::events::ConnectionKey> {
        self.table.take_folded()
    }

    /// What was said since the last time.
    pub(super) fn take_said(&mut self) -> Said {
        self.table.take_sink()
    }

    /// Works on its packets of one batch, in order.
    pub(super) fn work(&mut self, jobs: &[Job], batch: &Batch, begun: Timestamp) {
        for job in jobs {
            let payload = match &job.packet.body {
                Body::Tcp(head) => head.payload.captured,
                Body::Udp(_) | Body::IcmpError(_) | Body::Sampled(_) => Slice::default(),
            };
            self.table.packet(&job.packet, job.order, batch.bytes(payload), begun);
        }
    }

    pub(super) fn finish(self, window: Window) -> (Finished, Said) {
        self.table.finish(window)
    }
}
