//! Why a filter is refused, in a form that people can mend it by.

use std::fmt;
use std::ops::Range;

use crate::escape;

/// A filter that cannot be used: where, why, what was perhaps meant, and one that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was read: the filter as it was typed, macros expanded.
    pub text: String,
    /// The part that is wrong, in bytes of the text.
    pub span: Range<usize>,
    /// What is wrong with it.
    pub reason: String,
    /// The nearest name that there is.
    pub nearest: Option<String>,
    /// A filter that works.
    pub example: Option<String>,
    /// Whether more could make it right: it ends too early, and is not wrong so far.
    pub incomplete: bool,
}

impl Refusal {
    /// Something wrong at this place; the text is filled in by whoever has it.
    pub(super) fn new(span: Range<usize>, reason: impl Into<String>) -> Self {
        Self {
            text: String::new(),
            span,
            reason: reason.into(),
            nearest: None,
            example: None,
            incomplete: false,
        }
    }

    /// The same, for a text that ends too early.
    pub(super) fn early(at: usize, reason: impl Into<String>) -> Self {
        Self { incomplete: true, ..Self::new(at..at, reason) }
    }

    /// The same with the nearest name.
    #[must_use]
    pub(super) fn nearest(mut self, name: Option<&str>) -> Self {
        self.nearest = name.map(str::to_owned);
        self
    }

    /// The same with a filter that works.
    #[must_use]
    pub(super) fn example(mut self, example: impl Into<String>) -> Self {
        self.example = Some(example.into());
        self
    }

    /// Reason, nearest name and example in one line.
    pub fn sentence(&self) -> String {
        let nearest = self.nearest.as_ref().map_or(String::new(), |name| format!("; nearest: {name}"));
        let example = self.example.as_ref().map_or(String::new(), |text| format!("; example: {text}"));
        format!("{}{nearest}{example}", terminal(&self.reason))
    }
}

/// Text that a terminal can bear, with the backslashes as they were typed: alone they do nothing.
fn terminal(text: &str) -> String {
    escape::terminal(text).replace("\\\\", "\\")
}

/// The filter, below it a caret at the wrong place, and the sentence behind the caret.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = floor(&self.text, self.span.start);
        let end = floor(&self.text, self.span.end).max(start);
        let part = |range: Range<usize>| terminal(self.text.get(range).unwrap_or_default());
        let before = part(0..start);
        let wide = part(start..end).chars().count().max(1);
        writeln!(f, "{before}{}", part(start..self.text.len()))?;
        write!(
            f,
            "{:indent$}^{:~<more$} {}",
            "",
            "",
            self.sentence(),
            indent = before.chars().count(),
            more = wide - 1
        )
    }
}

impl std::error::Error for Refusal {}

/// The nearest start of a character at or before this place.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The name of the list that is most like this one, where any is like it.
pub(super) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let likeness = |name: &str| strsim::jaro_winkler(&word, &name.to_ascii_lowercase());
    names
        .map(|name| (likeness(name), name))
        .filter(|(like, _)| *like > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_what_is_wrong() {
        let refusal = Refusal {
            text: "é && tcp.prt == 1".to_owned(),
            ..Refusal::new(6..13, "no such field").nearest(Some("tcp.port")).example("tcp.port == 443")
        };
        assert_eq!(
            refusal.to_string(),
            "é && tcp.prt == 1\n     ^~~~~~~ no such field; nearest: tcp.port; example: tcp.port == 443"
        );
    }

    #[test]
    fn what_was_typed_cannot_act_on_a_terminal() {
        let refusal = Refusal { text: "\u{1b}[31m".to_owned(), ..Refusal::new(0..99, "no") };
        assert!(!refusal.to_string().contains('\u{1b}'), "{refusal}");
    }
}
