//! What a report says, as plain structs: the contract of `interface.md` 3.
//!
//! The structs borrow from the [`Analysis`](crate::analysis::Analysis) and are made one at a time, so that a
//! report of a million connections holds one of them. A field that is unknown or does not apply is absent,
//! never null. The JSON Schema is derived from these types.

mod capture;
mod connection;
mod event;
mod finding;
mod reference;
mod session;
mod summary;

pub use capture::{Capture, Quality};
pub use connection::{Connection, Ended};
pub use event::{Event, Position, frames as event_frames};
pub use finding::Finding;
pub(crate) use reference::epoch;
pub use reference::{Frame, Frames, Seconds, Stamp, Time};
pub use session::Session;
pub use summary::{Problem, Summary};

/// Name and version of the contract. The number changes only when a field changes its type or meaning.
pub const SCHEMA: &str = "ghostshark/1";

/// How moments of time are written in machine output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stamps {
    /// RFC 3339 in UTC with nine digits.
    #[default]
    Rfc3339,
    /// Seconds since 1970-01-01T00:00:00Z, as a number with nine digits (`--ts epoch`).
    Epoch,
}

/// What views need to know of the run besides the thing that they show.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// Whether frames need to be told apart by their capture.
    pub several_captures: bool,
    /// How times are written.
    pub stamps: Stamps,
}

/// The word in the field `type` of a record.
macro_rules! record_type {
    ($name:ident, $word:literal) => {
        /// The word that tells this record from the others.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
        #[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
        pub enum $name {
            #[doc = concat!("`", $word, "`")]
            #[serde(rename = $word)]
            It,
        }
    };
}
use record_type;
