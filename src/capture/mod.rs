//! Bytes on disk to frames.
//!
//! A `Capture` reads one or several inputs as one timeline and fills [`Batch`]es; whatever is
//! damaged becomes a [`Problem`](crate::problem::Problem) and the reading goes on. Nothing here knows what is
//! in a frame.
#![allow(clippy::disallowed_methods, reason = "this stage is where files are opened and read")]

pub mod batch;
mod blocks;
mod clock;
pub mod facts;
mod format;
mod interfaces;
mod ledger;
pub mod lookup;
mod merge;
mod packet_blocks;
mod pcap;
mod pcapng;
pub mod reader;
mod records;
mod resync;
#[cfg(test)]
mod robustness;
#[cfg(test)]
mod sample;
pub mod secrets;
mod snoop;
mod source;
pub mod spool;
mod track;
#[cfg(feature = "compressed")]
mod unpack;

pub use batch::{Batch, FrameRecord, Slice};
pub use facts::{Blackout, FileFacts, InterfaceFacts};
pub use lookup::Lookup;
pub use reader::{Capture, Finished, Progress};
pub use secrets::Secret;
pub use spool::{Spool, rereadable};

use std::path::PathBuf;

use crate::place::PacketRef;
use crate::time::{Span, Timestamp};

/// One input of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// A file of a recorder whose clock was wrong.
    Corrected {
        /// The file.
        path: PathBuf,
        /// What is added to each of its times.
        by: Span,
    },
    /// Standard input.
    Stdin,
}

/// A link type as the pcap and pcapng formats number them (`LINKTYPE_…`; 1 is Ethernet).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LinkType(pub u32);

/// One captured frame, borrowed from its batch.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'b> {
    /// Where it lies and which number it has.
    pub at: PacketRef,
    /// When it was captured; the file's first time where the record holds none (simple packet blocks).
    pub time: Timestamp,
    /// What its first byte means.
    pub link: LinkType,
    /// Index of the interface in its file's list.
    pub interface: u32,
    /// The captured bytes.
    pub bytes: &'b [u8],
    /// Length on the wire; larger than `bytes` where the recorder cut the frame.
    pub original: u32,
}
