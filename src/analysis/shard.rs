//! One shard: the packets of a batch that are its own, and its connections.

use super::Options;
use crate::capture::{Batch, Slice};
use crate::packet::{Body, Packet};
use crate::protocols::{Conversation, Said};
use crate::session::Tracker;
use crate::stream::Window;
use crate::stream::table::{Finished, Table};
use crate::time::Timestamp;

/// One shard of the flow table.
#[derive(Debug)]
pub(super) struct Shard {
    table: Table<Conversation>,
    tracker: Tracker,
    keep_events: bool,
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
    pub(super) fn new(options: &Options) -> Self {
        Self {
            table: Table::new(options.keep_duplicates, options.dissect),
            tracker: Tracker::default(),
            keep_events: options.keep_events,
        }
    }

    /// What was said since the last time, of which the legs are made already.
    pub(super) fn take_said(&mut self) -> Said {
        self.table.sink().take()
    }

    /// Connections met so far.
    pub(super) fn connections(&self) -> u64 {
        self.table.met()
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
        self.track();
    }

    /// Makes legs of what was said in this batch. The events of one connection lie in their order; nobody here needs
    /// the order of all.
    fn track(&mut self) {
        let said = self.table.sink();
        said.events.iter().for_each(|event| self.tracker.event(event));
        if !self.keep_events {
            said.events.clear();
        }
        self.table.take_folded().into_iter().for_each(|key| self.tracker.forget(key));
    }

    /// Nothing more comes: the connections, what was said last, and all legs.
    pub(super) fn finish(mut self, window: Window<'_>) -> (Finished, (Said, Tracker)) {
        let (finished, mut said) = self.table.finish(window);
        said.events.iter().for_each(|event| self.tracker.event(event));
        if !self.keep_events {
            said.events = Vec::new();
        }
        (finished, (said, self.tracker))
    }
}
