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
mod differences;
mod documents;
#[cfg(feature = "cli")]
mod exchange;
mod exports;
mod faces;
mod filters;
#[cfg(feature = "cli")]
mod gate;
mod house;
#[cfg(feature = "cli")]
mod html;
mod labels;
mod memory;
mod packets;
mod parity;
#[cfg(feature = "cli")]
mod pipelines;
#[cfg(feature = "tui")]
mod recall;
mod redaction;
mod reports;
mod robustness;
mod rules;
#[cfg(feature = "tui")]
mod screens;
mod stories;
mod support;
mod vocabularies;
