//! Listens to connections for the sake of their packets: what each segment is, and what its bytes say.

use std::collections::BTreeMap;

use super::segments::{Follower, Segment};
use crate::events::Side;
use crate::stream::receiver::{Counted, Heard, Origin, Parties, Receiver};

/// Listens to one connection.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    follower: Option<Box<Follower>>,
}

/// What was heard in a batch.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// The segments by their place in the run.
    pub(super) segments: BTreeMap<u64, Segment>,
}

impl Receiver for Hearing {
    type Sink = Account;

    fn wants_bytes(&self) -> bool {
        false
    }

    fn counted(&mut self, segment: &Counted<'_>, parties: &Parties, account: &mut Account) {
        let follower = self.follower.get_or_insert_default();
        account.segments.insert(segment.order, follower.segment(segment, parties));
    }

    fn hear(&mut self, _: Side, _: Heard<'_>, _: Origin, _: &Parties, _: &mut Account) {}
}
