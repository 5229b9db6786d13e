//! Hears some connections of a run again, for the sake of what was said on them: an analysis need not keep the events
//! of all, if those of a few can be had when somebody asks.
//!
//! Frames keep their numbers, and shards share nothing: so the events are those that the run itself would have kept.

use std::collections::{BTreeSet, VecDeque};

use super::shard::{Job, Shard};
use super::{Analysis, Options, ordering};
use crate::capture::Batch;
use crate::events::{ConnectionKey, Event};
use crate::packet::Decoder;
use crate::stream::Window;
use crate::time::Timestamp;

/// Hears some connections again.
#[derive(Debug)]
pub struct Again {
    shard: Shard,
    decoder: Decoder,
    jobs: Vec<Job>,
    begun: Timestamp,
    ended: Timestamp,
    kept: Kept,
}

/// What is kept of what is heard: the first and the last.
#[derive(Debug)]
struct Kept {
    wanted: BTreeSet<ConnectionKey>,
    most: usize,
    first: Vec<Event>,
    last: VecDeque<Event>,
    left_out: u64,
}

/// What was said on connections that were heard again.
#[derive(Debug, Clone, Default)]
pub struct Recalled {
    /// What was said, in order.
    pub events: Vec<Event>,
    /// Events in the middle that are not among them: there were too many.
    pub left_out: u64,
}

impl Again {
    /// For these connections of a run, of which at most so many events are kept: the first and the last.
    pub fn new(analysis: &Analysis, wanted: BTreeSet<ConnectionKey>, most: usize) -> Self {
        let times = |file: &crate::capture::FileFacts| [file.first, file.last];
        let all = analysis.files.iter().flat_map(times).flatten();
        Self {
            shard: Shard::new(&Options { keep_events: true, dissect: true, ..analysis.options.clone() }),
            decoder: Decoder::new(),
            jobs: Vec::new(),
            begun: all.clone().min().unwrap_or_default(),
            ended: all.max().unwrap_or_default(),
            kept: Kept { wanted, most, first: Vec::new(), last: VecDeque::new(), left_out: 0 },
        }
    }

    /// Hears the next frames. They are in the order of the run, with the numbers that they have there, and all of those
    /// that belong to the connections are among them.
    pub fn batch(&mut self, batch: &mut Batch) {
        self.jobs.clear();
        let mut side = std::mem::take(&mut batch.side);
        for record in &batch.frames {
            let mut nth = 0;
            self.decoder.decode(&batch.frame(record), record.bytes, &mut side, &mut |packet| {
                self.jobs.push(Job::new(packet, nth));
                nth += 1;
            });
        }
        batch.side = side;
        self.shard.work(&self.jobs, batch, self.begun);
        let said = self.shard.take_said();
        self.kept.take(ordering::in_order(std::iter::once(said)).0);
    }

    /// Nothing more comes.
    pub fn finish(self) -> Recalled {
        let Self { shard, begun, ended, mut kept, .. } = self;
        let (_, (said, _)) = shard.finish(Window { start: begun, end: ended, ..Window::default() });
        kept.take(ordering::in_order(std::iter::once(said)).0);
        let Kept { first: mut events, last, left_out, .. } = kept;
        events.extend(last);
        Recalled { events, left_out }
    }
}

impl Kept {
    fn take(&mut self, events: Vec<Event>) {
        for event in events {
            if !self.wanted.contains(&event.connection) {
                continue;
            }
            if self.first.len() < self.most / 2 {
                self.first.push(event);
                continue;
            }
            if self.last.len() >= self.most - self.most / 2 {
                self.last.pop_front();
                self.left_out += 1;
            }
            self.last.push_back(event);
        }
    }
}
