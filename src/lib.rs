//! ghostshark: a session trace analyzer. Captures in, the account of every connection out.
//!
//! ```text
//! capture   →  packet   →  stream       →  analysis  →  report / cli
//! frames       packets     connections     the result   what people and CI read
//! ```

pub mod analysis;
pub mod capture;
#[cfg(feature = "cli")]
pub mod cli;
pub mod diff;
pub mod error;
pub mod escape;
pub mod events;
pub mod export;
pub mod filter;
pub mod gate;
pub mod inspect;
pub mod limits;
pub mod names;
pub mod packet;
pub mod place;
pub mod problem;
pub mod protocols;
pub mod report;
pub mod rules;
pub mod scenario;
pub mod session;
pub mod story;
pub mod stream;
pub mod time;
#[cfg(feature = "tui")]
pub mod tui;
