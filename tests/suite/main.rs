//! All tests that see the project from outside, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and writes the files that it reads"
)]

mod captures;
#[cfg(feature = "cli")]
mod cli;
mod crowd;
mod degradation;
mod determinism;
mod documents;
mod faces;
mod filters;
#[cfg(feature = "cli")]
mod gate;
mod house;
mod labels;
mod memory;
mod packets;
mod parity;
#[cfg(feature = "tui")]
mod recall;
mod reports;
mod robustness;
mod rules;
#[cfg(feature = "tui")]
mod screens;
mod stories;
mod support;
