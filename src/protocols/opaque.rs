//! Bytes that no dissector understands, or that are encrypted: who spoke when, and no more. Everything is inferred.
//!
//! A *turn* is a run of bytes of one side. It is told when it begins: what ends it is the other side's turn.

use super::Notes;
use super::verdict::End;
use crate::events::{Confidence, Marks, Side, Stage, Word};

/// The catalogue name of what nobody understands.
pub const NAME: &str = "opaque";

/// Turns told one by one; beyond, a talk is known well enough.
const TURNS: u32 = 4_096;

/// The turns of one conversation.
#[derive(Debug, Clone, Default)]
pub struct Opaque {
    speaker: Option<Side>,
    opener: Option<Side>,
    turns: u32,
}

impl Opaque {
    /// A side said so many bytes, the first of them at the place of `notes`.
    pub fn read(&mut self, side: Side, length: usize, notes: &mut Notes<'_>) {
        if self.speaker == Some(side) || self.turns >= TURNS {
            return;
        }
        let opener = *self.opener.get_or_insert(side);
        self.speaker = Some(side);
        self.turns += 1;
        let stage = if side == opener { Stage::Asked } else { Stage::Granted };
        notes
            .say(Word::Turn, stage, 0..length)
            .mark(Marks::INFERRED.with(Marks::OPAQUE))
            .confidence(Confidence::Medium);
    }

    /// A side says no more. That is the transport's to tell.
    pub fn end(&mut self, _side: Side, _how: End, _notes: &mut Notes<'_>) {}
}
