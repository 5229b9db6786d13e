//! Packets to connections: TCP rebuilt as an onlooker sees it, UDP conversations, and how each ended.
//!
//! Two layers that never mix (`domain.md` C): [`wireshark`] gives tshark's own flags and counters, [`tcp`] is
//! what the account of a connection rests on.

pub mod community_id;
pub mod datagrams;
pub mod ending;
mod pack;
pub mod reassembly;
pub mod receiver;
pub mod sequence;
mod store;
pub mod table;
pub mod tcp;
pub mod wireshark;
pub mod wireshark_taps;
pub mod zeek;

use crate::time::Timestamp;

/// What the capture as a whole tells about the end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window<'w> {
    /// Time of the first frame of the run.
    pub start: Timestamp,
    /// Time of the last frame of the run, or of the frame that made the connection's ports begin anew.
    pub end: Timestamp,
    /// Where recordings of different times lie one behind the other in the run: the last moment before each such
    /// seam, in order.
    pub seams: &'w [Timestamp],
}

impl Window<'_> {
    /// Up to when a thing was watched that happened at this time.
    pub fn end_after(&self, time: Timestamp) -> Timestamp {
        self.seams.get(self.seams.partition_point(|seam| *seam < time)).copied().unwrap_or(self.end)
    }
}
