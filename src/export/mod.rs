//! Captures out: the frames of chosen sessions as a capture of their own, and a capture in which nobody can be known.
//!
//! What is written holds what the analysis found as comments, so that it can be read where ghostshark is not.

pub mod pcapng;
mod remarks;
mod resolution;
mod selection;
mod slice;

pub use selection::{Selection, select};
pub use slice::{Keys, slice};
