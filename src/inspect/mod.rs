//! Details of what was analysed, read again from the inputs when they are asked for.

pub mod secrets;
pub mod transcript;

pub use transcript::{Piece, Said, transcribe};
