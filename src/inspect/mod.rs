//! Details of what was analysed, read again from the inputs when they are asked for.

pub mod field;
pub mod secrets;
pub mod transcript;

pub use field::{Dissection, Field, Value};
pub use transcript::{Piece, Said, transcribe};
