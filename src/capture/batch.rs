//! One batch: the bytes of many frames and where each frame lies in them.
//!
//! Buffers are reused from batch to batch and never freed, so that steady reading allocates nothing.

use crate::capture::{Frame, LinkType};
use crate::place::PacketRef;
use crate::time::Timestamp;

/// A range of bytes in one of a batch's buffers; plain numbers, so that it can cross threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slice {
    /// Which buffer; [`Slice::SIDE`] is the one of reassembled datagrams.
    pub buffer: u16,
    /// First byte.
    pub start: u32,
    /// Number of bytes.
    pub length: u32,
}

impl Slice {
    /// The buffer number of the side buffer.
    pub const SIDE: u16 = u16::MAX;
}

/// Where one frame of the batch lies, and its facts.
#[derive(Debug, Clone, Copy)]
pub struct FrameRecord {
    /// Where it lies in the capture file.
    pub at: PacketRef,
    /// When it was captured.
    pub time: Timestamp,
    /// What its first byte means.
    pub link: LinkType,
    /// Index of the interface in its file's list.
    pub interface: u32,
    /// Where its captured bytes lie in this batch.
    pub bytes: Slice,
    /// Length on the wire.
    pub original: u32,
}

/// A run of consecutive frames of the merged timeline.
#[derive(Debug, Default)]
pub struct Batch {
    /// The bytes, one buffer for each input; `FrameRecord::bytes` points into them.
    pub buffers: Vec<Vec<u8>>,
    /// The frames in order of the merged timeline.
    pub frames: Vec<FrameRecord>,
    /// Datagrams put together from fragments; `Slice::SIDE` points here.
    pub side: Vec<u8>,
}

impl Batch {
    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        for buffer in &mut self.buffers {
            buffer.clear();
        }
        self.frames.clear();
        self.side.clear();
    }

    /// The bytes of a slice; empty where it points nowhere.
    pub fn bytes(&self, slice: Slice) -> &[u8] {
        let buffer = if slice.buffer == Slice::SIDE {
            Some(&self.side)
        } else {
            self.buffers.get(usize::from(slice.buffer))
        };
        let start = slice.start as usize;
        buffer.and_then(|b| b.get(start..start + slice.length as usize)).unwrap_or_default()
    }

    /// The frame of a record of this batch.
    pub fn frame(&self, record: &FrameRecord) -> Frame<'_> {
        Frame {
            at: record.at,
            time: record.time,
            link: record.link,
            interface: record.interface,
            bytes: self.bytes(record.bytes),
            original: record.original,
        }
    }
}
