//! The letters of `history`: which end they stand for, which are said once, which at powers of ten.

use crate::stream::pack::{Pack, Packer, Unpacker, packed};

/// Letters kept of one conversation. Zeek has no such bound; only floods of FINs or RSTs reach it.
const HISTORY_LETTERS: usize = 44;

/// Which of Zeek's two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Originator,
    Responder,
}

impl Role {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Originator => Self::Responder,
            Self::Responder => Self::Originator,
        }
    }
}

/// The letters so far, and which of those that are said once were said.
#[derive(Debug, Clone, Copy)]
pub(super) struct History {
    letters: [u8; HISTORY_LETTERS],
    length: u8,
    said: u16,
}

impl Pack for History {
    fn pack(&self, to: &mut Packer) {
        (self.length, self.said).pack(to);
        self.as_str().bytes().for_each(|letter| letter.pack(to));
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        let (length, said) = Pack::unpack(from);
        let mut letters = [0; HISTORY_LETTERS];
        letters.iter_mut().take(usize::from(length)).for_each(|letter| *letter = u8::unpack(from));
        Self { letters, length, said }
    }
}

impl History {
    pub(super) const SYN: u16 = 0x01;
    pub(super) const FIN: u16 = 0x02;
    pub(super) const RST: u16 = 0x04;
    pub(super) const FIN_RST: u16 = 0x08;
    pub(super) const DATA: u16 = 0x10;
    pub(super) const ACK: u16 = 0x20;
    pub(super) const MULTIPLE: u16 = 0x40;

    pub(super) fn new() -> Self {
        Self { letters: [0; HISTORY_LETTERS], length: 0, said: 0 }
    }

    pub(super) fn push(&mut self, role: Role, letter: u8) {
        if let Some(slot) = self.letters.get_mut(usize::from(self.length)) {
            *slot = if role == Role::Originator { letter } else { letter.to_ascii_lowercase() };
            self.length += 1;
        }
    }

    /// Says a letter unless this end said one of its `kind` before; whether it did.
    pub(super) fn push_once(&mut self, role: Role, kind: u16, letter: u8) -> bool {
        let bit = if role == Role::Originator { kind } else { kind << 8 };
        let said_before = self.said & bit != 0;
        if !said_before {
            self.said |= bit;
            self.push(role, letter);
        }
        said_before
    }

    pub(super) fn as_str(&self) -> &str {
        let letters = self.letters.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(letters).unwrap_or_default()
    }

    /// Whether the originator's SYN was followed by its RST with nothing between that makes it more than an
    /// attempt given up.
    pub(super) fn syn_then_reset(&self) -> bool {
        let text = self.as_str();
        let text = text.strip_prefix('^').unwrap_or(text);
        text.strip_prefix('S').is_some_and(|rest| {
            rest.chars().find(|letter| "RHAFGIQ".contains(*letter)).is_some_and(|letter| letter == 'R')
        })
    }
}

/// A number of events, said at the first, tenth, hundredth …
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scaled(u32);

packed!(Scaled(_));

impl Scaled {
    /// Counts one; whether it is to be said.
    pub(super) fn count(&mut self) -> bool {
        self.0 = self.0.saturating_add(1);
        self.0.checked_ilog10().is_some_and(|digits| 10_u32.pow(digits) == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_events_are_said_at_powers_of_ten() {
        let mut count = Scaled::default();
        let said: Vec<u32> = (1..=1000).filter(|_| count.count()).collect();
        assert_eq!(said, [1, 10, 100, 1000]);
    }
}
