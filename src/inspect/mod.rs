//! Details of what was analysed, read again from the inputs when they are asked for.

mod account;
mod application;
mod dissect;
pub mod field;
mod frame;
mod hearing;
pub mod hex;
pub mod index;
mod layers;
mod link;
pub mod membership;
mod network;
pub mod secrets;
mod segments;
pub mod shown;
pub mod transcript;
mod transport;
mod tree;

pub use dissect::{Wanted, dissect, is_of_application, one};
pub use field::{Dissection, Field, Value};
pub use index::{Entry, Index};
pub use membership::{Member, members};
pub use transcript::{Piece, Said, Scribe, transcribe};
