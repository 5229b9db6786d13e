//! What rules need to know of each capture: how much can be concluded from it.

use crate::time::{Span, Timestamp};

/// The facts of one capture, as its reader and its connections give them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaptureFacts {
    /// As the user named it.
    pub path: String,
    /// Frames.
    pub packets: u64,
    /// Its first and last moment.
    pub window: Option<(Timestamp, Timestamp)>,
    /// TCP connections of at least five segments seen from one side only ÷ all of them.
    pub one_sided_ratio: f64,
    /// TCP bytes acknowledged and never seen ÷ bytes acknowledged.
    pub loss_ratio: f64,
    /// TCP segments recorded twice ÷ TCP segments.
    pub duplicate_ratio: f64,
    /// Frames cut by the recorder ÷ frames.
    pub snapped_ratio: f64,
    /// The smallest limit of bytes a frame that an interface declares; none where none does.
    pub snaplen: Option<u32>,
    /// How far time ran backwards at most.
    pub disorder: Span,
    /// How often it did.
    pub backward: u64,
    /// Packets that the recorder says it dropped.
    pub drops: u64,
    /// Whether it ends in the middle of a record.
    pub truncated: bool,
    /// Times in which it has no frame though there were many before and after.
    pub blackouts: Vec<(Timestamp, Timestamp)>,
    /// Frames of other kinds than TCP and UDP: ARP, ICMP and the like.
    pub other_frames: u64,
}
