//! What a probe answers, and what a dissector answers to bytes.

use super::Protocol;

/// Whether the first bytes of one side are this protocol's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// They cannot be.
    No,
    /// More bytes are needed.
    Unsure,
    /// They may well be, and the other side (or the port) has to agree.
    Likely,
    /// They are.
    Certain,
}

/// What a dissector did with the bytes it was given.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// It took so many of them (more than none); what is left is given again at once.
    Took(usize),
    /// It took nothing, and needs at least so many from the same place on.
    NeedMore(usize),
    /// It took nothing and wants the same bytes again when the other side has been read further. At most
    /// [`MESSAGE_BYTES`](crate::limits::MESSAGE_BYTES) are kept; beyond, the conversation is given up.
    Hold,
    /// So many bytes from here on (more than none) are of no interest; those to come are not even kept.
    /// [`Dissector::skipped`](super::Dissector::skipped) is called when the last of them was seen.
    Skip(u64),
    /// It took so many bytes, and after them another protocol takes its place, on both sides (`Upgrade`,
    /// `CONNECT`). The other side's bytes that were not yet taken are the new one's.
    Replace(usize, &'static Protocol),
    /// It took so many bytes, and after them another protocol runs beneath it, on both sides (STARTTLS). What
    /// the lower one cannot decrypt, this one never sees.
    Under(usize, &'static Protocol),
    /// Nothing more is to be learned; the rest of the connection is opaque and in order.
    Done,
    /// This is not what it was taken for.
    NotMine(Why),
}

/// Why a dissector gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The bytes break the protocol's grammar.
    Grammar,
    /// Bytes are missing from the capture, and where the next message begins cannot be told.
    Gap,
    /// One message is larger than what is kept.
    TooLong,
    /// A version or extension that is not understood.
    Unsupported,
}

impl Why {
    /// The reason in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Grammar => "the bytes do not fit the protocol",
            Self::Gap => "bytes are missing and the next message cannot be found",
            Self::TooLong => "a message is larger than what is kept",
            Self::Unsupported => "a version or extension that is not understood",
        }
    }
}

/// How a side's bytes came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It sent a FIN.
    Fin,
    /// The connection was reset.
    Reset,
    /// The capture ended, or the connection's ports began anew.
    Over,
}
