//! Stories: text scripts of what happens on connections, compiled to capture files.
//!
//! A story sets the scene and then tells, line by line, what the applications do and what goes wrong on the
//! way; two small TCP stacks behind it decide which segments that makes. So a story says `lose client` and
//! `client bytes 20000`, and duplicate acknowledgements, SACK blocks and the fast retransmission come by
//! themselves. `docs/stories.md` is the page for authors.
//!
//! ```text
//! title   Orderly close
//! client  10.0.0.1:40000
//! server  10.0.0.2:21
//! open
//! server "220 ready\r\n"
//! client "QUIT\r\n"
//! server "221 bye\r\n"
//! close by server
//! ```
//!
//! ```text
//! text → words → syntax → script → stage (stacks, faults) → wire → Recording → writer
//! ```
//!
//! This stage is the opposite of dissection and shares nothing with it, so that it cannot share its mistakes.

mod complaint;
mod faults;
mod script;
mod segment;
mod settings;
mod stack;
mod stage;
mod syntax;
mod wire;
mod words;
mod writer;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::Path;

use crate::error::Error;
use crate::time::Timestamp;

pub use script::Link;

/// A recorded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When it passed the tap.
    pub time: Timestamp,
    /// What was kept of it.
    pub bytes: Vec<u8>,
    /// How long it was on the wire, in bytes.
    pub original: u32,
    /// Index in the recording's interfaces.
    pub interface: u32,
}

/// What a story becomes: frames in order of time. Its parts are open, so that tests can drop, double, cut,
/// shift and re-address frames before they are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recording {
    /// The story's title, which pcapng keeps as a comment.
    pub title: String,
    /// The link type of each interface.
    pub interfaces: Vec<Link>,
    /// All frames.
    pub frames: Vec<Frame>,
}

/// The form of a capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The classic form.
    Pcap {
        /// Times in nanoseconds instead of microseconds.
        nanoseconds: bool,
        /// Numbers with the most significant byte first.
        big_endian: bool,
    },
    /// The block form, with times in nanoseconds.
    Pcapng,
}

impl Recording {
    /// Writes the recording as a capture file; the same recording always gives the same bytes.
    ///
    /// # Errors
    /// What `out` says; `InvalidInput` for times and mixtures of link types that the format cannot hold.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        writer::write(self, format, out)
    }
}

/// Compiles a story; `path` is only named in complaints.
///
/// # Errors
/// [`Error::Story`] with the line and what was expected there.
pub fn compile(text: &str, path: &Path) -> Result<Recording, Error> {
    let lines = syntax::parse(text);
    let recording = lines.and_then(|lines| stage::perform(&lines));
    recording.map_err(|(line, complaint)| Error::Story {
        path: path.to_path_buf(),
        line,
        reason: complaint.to_string(),
    })
}
