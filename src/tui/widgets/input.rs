//! One line that is typed: cursor, history, completion. Pasted lines become one.

use unicode_segmentation::UnicodeSegmentation;

/// What is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// The text.
    pub text: String,
    /// Byte in it before which the next character goes.
    pub at: usize,
    /// Place in the history, where one was taken from it.
    past: Option<usize>,
    /// Completions of the word under the cursor, which of them is in, and where the word begins.
    offers: Option<(Vec<String>, usize, usize)>,
}

/// Longest line that is taken.
const MOST: usize = 4_096;

impl Input {
    /// A line that holds something already, the cursor behind it.
    pub fn of(text: &str) -> Self {
        Self { text: text.to_owned(), at: text.len(), ..Self::default() }
    }

    /// What stands before the cursor.
    pub fn before(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// Types a text; ends of lines become blanks, other control characters are dropped.
    pub fn insert(&mut self, text: &str) {
        let plain: String = text
            .chars()
            .map(|c| if c == '\n' || c == '\r' || c == '\t' { ' ' } else { c })
            .filter(|c| !c.is_control())
            .take(MOST.saturating_sub(self.text.len()))
            .collect();
        self.text.insert_str(self.at, &plain);
        self.at += plain.len();
        self.touched();
    }

    /// Takes away the character before the cursor.
    pub fn backspace(&mut self) {
        let before = self.previous();
        self.text.replace_range(before..self.at, "");
        self.at = before;
        self.touched();
    }

    /// Takes away the character under the cursor.
    pub fn delete(&mut self) {
        let end = self.next();
        self.text.replace_range(self.at..end, "");
        self.touched();
    }

    /// Takes away the word before the cursor.
    pub fn backword(&mut self) {
        let trimmed = self.before().trim_end();
        let start = trimmed.rfind(' ').map_or(0, |at| at + 1);
        self.text.replace_range(start..self.at, "");
        self.at = start;
        self.touched();
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.text.clear();
        self.at = 0;
        self.touched();
    }

    /// One character to the left.
    pub fn left(&mut self) {
        self.at = self.previous();
        self.offers = None;
    }

    /// One character to the right.
    pub fn right(&mut self) {
        self.at = self.next();
        self.offers = None;
    }

    /// To the beginning.
    pub fn home(&mut self) {
        self.at = 0;
        self.offers = None;
    }

    /// To the end.
    pub fn end(&mut self) {
        self.at = self.text.len();
        self.offers = None;
    }

    /// The line before in the history (newest last), or the one after.
    pub fn recall(&mut self, history: &[String], back: bool) {
        let place = match (self.past, back) {
            (None, true) => history.len().checked_sub(1),
            (None, false) => return,
            (Some(place), true) => Some(place.saturating_sub(1)),
            (Some(place), false) => (place + 1 < history.len()).then_some(place + 1),
        };
        self.text = place.and_then(|place| history.get(place)).cloned().unwrap_or_default();
        self.at = self.text.len();
        self.offers = None;
        self.past = place;
    }

    /// The next completion: `offers` gives where the word begins and what it could become.
    pub fn complete(&mut self, forth: bool, offers: impl FnOnce(&str, usize) -> (usize, Vec<String>)) {
        let (list, place, start) = if let Some((list, place, start)) = self.offers.take() {
            let count = list.len().max(1);
            let place = if forth { (place + 1) % count } else { (place + count - 1) % count };
            (list, place, start)
        } else {
            let (start, list) = offers(&self.text, self.at);
            (list, 0, start)
        };
        let Some(word) = list.get(place) else { return };
        if start <= self.at && self.text.is_char_boundary(start) {
            self.text.replace_range(start..self.at, word);
            self.at = start + word.len();
        }
        self.offers = Some((list, place, start));
    }

    /// The completions at hand, and which of them is in.
    pub fn offers(&self) -> Option<(&[String], usize)> {
        self.offers.as_ref().map(|(list, place, _)| (&list[..], *place))
    }

    fn touched(&mut self) {
        self.past = None;
        self.offers = None;
    }

    fn previous(&self) -> usize {
        self.before().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at + rest.graphemes(true).next().map_or(0, str::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited() {
        let mut input = Input::default();
        input.insert("tcp.port ==\n21\u{1b}");
        assert_eq!(input.text, "tcp.port == 21");
        input.backword();
        input.insert("é");
        input.left();
        input.delete();
        assert_eq!((input.text.as_str(), input.at), ("tcp.port == ", 12));
        input.home();
        input.right();
        input.backspace();
        assert_eq!(input.text, "cp.port == ");
        input.clear();
        input.backspace();
        input.delete();
        assert_eq!(input, Input::default());
    }

    #[test]
    fn history_and_completion_go_round() {
        let history = ["one".to_owned(), "two".to_owned()];
        let mut input = Input::default();
        for (back, text) in [(true, "two"), (true, "one"), (true, "one"), (false, "two"), (false, "")] {
            input.recall(&history, back);
            assert_eq!(input.text, text);
        }
        let mut input = Input::of("sort st");
        let offer = |_: &str, _: usize| (5, vec!["start".to_owned(), "state".to_owned()]);
        for word in ["sort start", "sort state", "sort start"] {
            input.complete(true, offer);
            assert_eq!(input.text, word);
        }
        input.complete(false, offer);
        assert_eq!(input.text, "sort state");
    }
}
