//! What stops a run. Everything that is merely wrong in the input is a [`Problem`](crate::problem::Problem).

use std::io;
use std::path::PathBuf;

/// Why the run could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An input could not be opened.
    #[error("{}: cannot open: {cause}", .path.display())]
    Open {
        /// The input as the user named it.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Reading an input failed at its very beginning, so nothing of it is known.
    #[error("{}: cannot read at byte {offset}: {cause}", .path.display())]
    Read {
        /// The input as the user named it.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
        /// What the system said.
        cause: io::Error,
    },
    /// The first bytes are those of no capture format.
    #[error("{}: at byte 0: expected {expected}, found {found}", .path.display())]
    NotACapture {
        /// The input as the user named it.
        path: PathBuf,
        /// Which beginnings would have been understood.
        expected: &'static str,
        /// The first bytes, in hex, or "nothing".
        found: String,
    },
    /// Compressed input in a build without the feature `compressed`.
    #[error("{}: is {what}-compressed, and this build cannot unpack it", .path.display())]
    Compressed {
        /// The input as the user named it.
        path: PathBuf,
        /// Which compression.
        what: &'static str,
    },
    /// A result could not be written.
    #[error("cannot write: {0}")]
    Write(#[source] io::Error),
    /// A story could not be compiled to a capture.
    #[error("{}:{line}: {reason}", .path.display())]
    Story {
        /// The story file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What was expected.
        reason: String,
    },
}
