//! The gate: does this run pass? A policy says what may be, a baseline what is known, and the verdict what is left.
//!
//! Nothing here prints or reads a file or the clock: texts and the day come from the caller, and every report is written
//! from the [`Verdict`].

pub mod baseline;
pub mod policy;
mod terms;
pub mod verdict;

pub use baseline::Baseline;
pub use policy::{Policy, Timer, Wrong};
pub use terms::{Day, confidence, fail_on};
pub use verdict::{Case, Circumstances, Outcome, State, Verdict, judge};
