//! What was wrong in the input and yet survived.
//!
//! Problems are data: counted by kind and input, the first of each kind kept with its place. The list is
//! bounded by [`limits::PROBLEMS`] kinds and inputs together.

use std::collections::BTreeMap;

use crate::limits;
use crate::place::FileId;

/// What kind of thing was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// An input could not be opened or is no capture; the others were analysed.
    UnreadableFile,
    /// The file ends in the middle of a record.
    CutShort,
    /// Bytes that are no record were skipped.
    SkippedBytes,
    /// A header or block breaks the format's own rules.
    BadRecord,
    /// The compressed data is damaged; what came before was used.
    BadCompression,
    /// A block or option of a kind we do not know.
    UnknownBlock,
    /// A link type whose frames we cannot take apart.
    UnknownLinkType,
    /// A frame whose headers contradict its length, or are cut.
    BadPacket,
    /// IP fragments that were never completed, or overlapped.
    BadFragments,
    /// A bound of `limits.rs` was reached and something was left out.
    LimitReached,
    /// What a connection carries is not read on from some place, because it does not fit its protocol.
    DissectorStopped,
    /// Packets that the recorder says it dropped.
    RecorderDrops,
    /// Time runs backwards between packets.
    ClockDisorder,
}

impl ProblemKind {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnreadableFile => "unreadable-file",
            Self::CutShort => "cut-short",
            Self::SkippedBytes => "skipped-bytes",
            Self::BadRecord => "bad-record",
            Self::BadCompression => "bad-compression",
            Self::UnknownBlock => "unknown-block",
            Self::UnknownLinkType => "unknown-link-type",
            Self::BadPacket => "bad-packet",
            Self::BadFragments => "bad-fragments",
            Self::LimitReached => "limit-reached",
            Self::DissectorStopped => "dissector-stopped",
            Self::RecorderDrops => "recorder-drops",
            Self::ClockDisorder => "clock-disorder",
        }
    }

    /// Whether this means that the input file itself is damaged (`--strict-input` asks).
    pub fn is_damage(self) -> bool {
        matches!(
            self,
            Self::UnreadableFile
                | Self::CutShort
                | Self::SkippedBytes
                | Self::BadRecord
                | Self::BadCompression
        )
    }
}

/// One kind of trouble in one input: the first place, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// The input it was found in; none where it concerns the whole run.
    pub file: Option<FileId>,
    /// Frame in that file, from 1, where a frame is concerned.
    pub frame: Option<u64>,
    /// Byte offset in the (uncompressed) file of the first occurrence.
    pub offset: Option<u64>,
    /// How often it was met.
    pub count: u64,
    /// One sentence: what was expected, what was found, what was done about it.
    pub message: String,
}

/// The problems of a run, kept bounded.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    kept: BTreeMap<(ProblemKind, Option<FileId>, String), Problem>,
    dropped: u64,
}

impl Problems {
    /// Adds one; equal kind, input and `subject` fold into a count, the earliest place stays.
    ///
    /// `subject` tells apart what deserves its own line (a link type's number, a block's type); mostly empty.
    pub fn add(&mut self, subject: &str, problem: Problem) {
        let key = (problem.kind, problem.file, subject.to_owned());
        if let Some(have) = self.kept.get_mut(&key) {
            have.count += problem.count;
            if (problem.frame, problem.offset) < (have.frame, have.offset) {
                *have = Problem { count: have.count, ..problem };
            }
        } else if self.kept.len() < limits::PROBLEMS {
            self.kept.insert(key, problem);
        } else {
            self.dropped += problem.count;
        }
    }

    /// Takes over all of `other`.
    pub fn merge(&mut self, other: Self) {
        self.dropped += other.dropped;
        for ((_, _, subject), problem) in other.kept {
            self.add(&subject, problem);
        }
    }

    /// In order of kind, input and subject; a last one tells how many were left out.
    pub fn list(&self) -> Vec<Problem> {
        let mut all: Vec<Problem> = self.kept.values().cloned().collect();
        if self.dropped > 0 {
            all.push(Problem {
                kind: ProblemKind::LimitReached,
                file: None,
                frame: None,
                offset: None,
                count: self.dropped,
                message: format!("{} more problems are not listed", self.dropped),
            });
        }
        all
    }

    /// Whether any input is damaged.
    pub fn any_damage(&self) -> bool {
        self.kept.values().any(|p| p.kind.is_damage())
    }
}
