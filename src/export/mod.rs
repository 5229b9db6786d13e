//! Captures out: the frames of chosen sessions as a capture of their own, and a capture in which nobody can be known.
//!
//! What is written holds what the analysis found as comments, so that it can be read where ghostshark is not.

pub mod pcapng;
pub mod redact;
mod remarks;
mod resolution;
mod selection;
mod slice;
mod streams;

pub use redact::{Key, Payload, redact};
pub use selection::{Selection, select};
pub use slice::{Keys, slice};
pub use streams::{Hole, Stream, streams};
