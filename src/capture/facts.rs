//! What is known of each input after reading it.

use std::path::PathBuf;

use crate::capture::LinkType;
use crate::time::{Span, Timestamp};

/// The facts of one input.
#[derive(Debug, Clone, Default)]
pub struct FileFacts {
    /// As the user named it; `-` for standard input.
    pub path: PathBuf,
    /// `pcap`, `pcapng` or `snoop`; empty for an input that could not be read.
    pub format: &'static str,
    /// Which variant of the format: `nanosecond`, `modified`; none for the usual one.
    pub variant: Option<&'static str>,
    /// `gzip`, `zstd`, `lz4`, where it was compressed.
    pub compression: Option<&'static str>,
    /// Every link type that a frame had, in order of number.
    pub link_types: Vec<LinkType>,
    /// Finest resolution of its clocks, in nanoseconds.
    pub time_resolution_ns: u64,
    /// Frames read.
    pub packets: u64,
    /// Records that are no packets and yet have a number in Wireshark: journal entries, custom blocks.
    pub other_records: u64,
    /// Their captured bytes.
    pub bytes_captured: u64,
    /// Their bytes on the wire.
    pub bytes_wire: u64,
    /// Earliest time of a frame.
    pub first: Option<Timestamp>,
    /// Latest time of a frame.
    pub last: Option<Timestamp>,
    /// Until when the recorder says that it watched, where that is later than the last frame.
    pub watched_until: Option<Timestamp>,
    /// Whether the file ends in the middle of a record.
    pub truncated: bool,
    /// Interfaces, in order of appearance over all sections.
    pub interfaces: Vec<InterfaceFacts>,
    /// Frames of which the recorder kept only a part.
    pub snapped: u64,
    /// Frames whose time is before that of an earlier frame of the file.
    pub backward: u64,
    /// How far time ran backwards at most.
    pub disorder: Span,
    /// Times in which the file has no frame though there were many before and after.
    pub blackouts: Vec<Blackout>,
    /// Comments of the file, its interfaces and frames (frame number 0 for the file itself), bounded.
    pub comments: Vec<(u64, String)>,
    /// Names that the file gives to addresses, bounded.
    pub names: Vec<(std::net::IpAddr, String)>,
}

/// One interface of a capture file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InterfaceFacts {
    /// Its name, or empty.
    pub name: String,
    /// What its frames begin with.
    pub link: LinkType,
    /// Bytes kept of a frame at most; 0 for no limit.
    pub snaplen: u32,
    /// Packets that the recorder says it dropped, where it says.
    pub drops: Option<u64>,
}

/// A time without any frame: at least 1 s and at least 20 times the file's median distance of frames
/// (`domain.md` C.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blackout {
    /// Time of the last frame before.
    pub start: Timestamp,
    /// Time of the first frame after.
    pub end: Timestamp,
}
