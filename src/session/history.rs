//! The letters of a connection's life, in order, each run of one letter once.

use crate::events::{Event, Grade, Scope, Stage, Word};
use crate::limits::HISTORY_LETTERS;
use crate::time::Span;

/// Quiet for this long is worth a letter.
const PAUSE: Span = Span::from_secs(3);

/// The letters so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct History {
    letters: String,
}

impl History {
    /// Takes the next event.
    pub(super) fn note(&mut self, event: &Event) {
        if event.details().quiet.is_some_and(|quiet| quiet >= PAUSE) {
            self.push('.');
        }
        let letter = match (event.word, event.stage, event.scope) {
            (
                Word::Establish,
                Stage::Asked | Stage::Granted,
                Scope::Transport | Scope::Security | Scope::Session,
            ) => 's',
            (Word::Establish, Stage::Refused, _) | (Word::Interrupt, _, _) => '!',
            (Word::Authenticate, Stage::Granted, _) => 'a',
            (Word::Authenticate, Stage::Refused, _) => 'A',
            (Word::Checkpoint, Stage::Granted, _) => match event.grade {
                Some(Grade::Major) => 'O',
                _ => 'o',
            },
            (Word::KeepAlive, _, _) => 'k',
            (Word::Resume, Stage::Granted, _) => 'R',
            (Word::Resume, Stage::Refused, _) => 'n',
            (Word::Abort, _, _) => 'x',
            (Word::Turn | Word::Activity, _, Scope::Transport) => return,
            (Word::Turn | Word::Activity, _, _) => {
                if self.letters.ends_with(['D', '#']) {
                    '#'
                } else {
                    'D'
                }
            }
            (Word::Release, Stage::Told | Stage::Granted, Scope::Transport | Scope::Session) => 'f',
            _ => return,
        };
        self.push(letter);
    }

    /// Adds a letter unless it is the last one already.
    pub(super) fn push(&mut self, letter: char) {
        if self.letters.len() < HISTORY_LETTERS && !self.letters.ends_with(letter) {
            self.letters.push(letter);
        }
    }

    /// Takes a letter back wherever it stands.
    pub(super) fn strike(&mut self, letter: char) {
        self.letters.retain(|other| other != letter);
    }

    /// The letters.
    pub(super) fn letters(&self) -> &str {
        &self.letters
    }
}
