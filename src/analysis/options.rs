//! Everything that changes a result, and how the work is divided (which never does).

use crate::names::Names;

/// How to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Keep segments that a mirror port recorded twice in the semantic figures (`--no-dedup`).
    pub keep_duplicates: bool,
    /// Read what connections carry. Without, there are connections and no sessions.
    pub dissect: bool,
    /// Keep every event in the result, and not only what sessions keep of them.
    pub keep_events: bool,
    /// Names of hosts and services: of what a finding is about, and in sentences.
    pub names: Names,
    /// Threads to use; 0 for as many as there are. Never changes a result.
    pub threads: usize,
    /// Bytes of a batch. Never changes a result.
    pub batch_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keep_duplicates: false,
            dissect: true,
            keep_events: false,
            names: Names::default(),
            threads: 0,
            batch_bytes: crate::limits::BATCH_BYTES,
        }
    }
}
