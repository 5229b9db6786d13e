//! The vocabulary: what stages above `packet` say to each other.
//!
//! A connection and what became of it ([`transport`]), which side is meant ([`side`]), and what we could not
//! see ([`visibility`]).

pub mod side;
pub mod transport;
pub mod visibility;

pub use side::{PerSide, Side};
pub use transport::{Connection, Ending};
pub use visibility::Visibility;
