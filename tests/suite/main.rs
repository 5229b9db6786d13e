//! All tests that see the project from outside, in one binary.

#[cfg(feature = "cli")]
mod cli;
mod reports;
