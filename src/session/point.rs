//! Where a session's account is proven: a moment and its frames.

use crate::events::{ConnectionKey, Event};
use crate::place::PacketRef;
use crate::time::Timestamp;

/// A moment of a session, with the frames that show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When.
    pub time: Timestamp,
    /// The first frame.
    pub first: PacketRef,
    /// The last frame; the same one for most.
    pub last: PacketRef,
    /// On which connection.
    pub connection: ConnectionKey,
}

impl Point {
    /// Where an event is.
    pub fn of(event: &Event) -> Self {
        Self {
            time: event.moment.time,
            first: event.extent.first,
            last: event.extent.last,
            connection: event.connection,
        }
    }

    /// Its frames: one, or the first and the last.
    pub fn frames(&self) -> Vec<PacketRef> {
        let mut frames = vec![self.first, self.last];
        frames.dedup();
        frames
    }
}
