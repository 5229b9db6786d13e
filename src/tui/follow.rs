//! The text of a session, line by line, each with the frame that completed it.

use crate::events::Side;
use crate::inspect::{Piece, Said};
use crate::place::PacketRef;

/// Lines of a session's text that are kept.
pub const LINES: usize = 200_000;

/// Characters of a line that are kept.
const WIDTH: usize = 8_192;

/// One line. It was made harmless by whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TalkLine {
    /// The text.
    pub text: String,
    /// Who said it; none for what stands between.
    pub side: Option<Side>,
    /// The frame that completed it.
    pub at: Option<PacketRef>,
}

/// The text of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Talk {
    /// Its lines.
    pub lines: Vec<TalkLine>,
    /// Why it could not be read, or not to its end.
    pub trouble: Option<String>,
}

impl Talk {
    /// Takes what was written for a piece; false when it is enough.
    pub fn take(&mut self, written: &[u8], piece: Option<&Piece>) -> bool {
        let text = String::from_utf8_lossy(written);
        for line in text.lines() {
            if self.lines.len() >= LINES {
                self.lines.push(TalkLine {
                    text: format!("== cut here: {LINES} lines are shown; `ghostshark follow` writes all"),
                    side: None,
                    at: None,
                });
                return false;
            }
            // Joints, holes and pauses begin with their signs.
            let between = ["== ", "!! ", ".. ", "-- "].iter().any(|sign| line.starts_with(sign));
            let spoken = piece.filter(|piece| matches!(piece.said, Said::Bytes(_)));
            let side = match line.get(..2) {
                Some("->") => Some(Side::Client),
                Some("<-") => Some(Side::Server),
                _ => spoken.map(|piece| piece.side),
            };
            self.lines.push(TalkLine {
                // It is escaped already; a second time would double its signs. Nothing that acts gets through all the same.
                text: line.chars().take(WIDTH).map(|c| if c.is_control() { '.' } else { c }).collect(),
                side: side.filter(|_| !between),
                at: piece.map(|piece| piece.at),
            });
        }
        true
    }
}
