//! Pieces that screens are made of. They draw what they are given and know no state.

pub mod canvas;
pub mod hex;
pub mod input;
pub mod ladder;
pub mod spark;
pub mod table;
pub mod text;
pub mod tree;
