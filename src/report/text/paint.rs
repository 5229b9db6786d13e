//! Colour as an addition: the text says the same without it.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// What a piece of text is, which decides how it is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Tone {
    /// A heading.
    Heading,
    /// It hurts.
    Bad,
    /// It deserves a look.
    Odd,
    /// As it should be.
    Good,
    /// Less important than its neighbours.
    Aside,
}

/// Paints, or leaves alone.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Paint {
    /// Whether colours are wanted.
    pub(in crate::report) on: bool,
}

impl Paint {
    /// The text in its tone. Pad before painting: the escape sequences have a length too.
    pub(in crate::report) fn tone(self, tone: Tone, text: impl Display) -> String {
        if !self.on {
            return text.to_string();
        }
        let style = match tone {
            Tone::Heading => Style::new().bold(),
            Tone::Bad => AnsiColor::Red.on_default(),
            Tone::Odd => AnsiColor::Yellow.on_default(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Aside => Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_adds_nothing_to_the_words() {
        assert_eq!(Paint { on: false }.tone(Tone::Bad, "abort"), "abort");
        assert_eq!(Paint { on: true }.tone(Tone::Bad, "abort"), "\u{1b}[31mabort\u{1b}[0m");
    }
}
