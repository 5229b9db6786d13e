//! Completion: the names that can stand where the cursor is.

use super::fields;
use super::parse::{FUNCTIONS, KEYWORDS};

/// A name that can stand where the cursor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What is put in the place of the word.
    pub text: String,
    /// One line about it.
    pub about: String,
}

/// The candidates, and the part of the text that one of them takes the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The part that is replaced, in bytes.
    pub span: std::ops::Range<usize>,
    /// What may stand there, in order.
    pub candidates: Vec<Candidate>,
}

/// What the word before the cursor (in bytes) may become: names of fields level by level, so that `tcp.` is completed
/// before `tcp.analysis.flags`, and behind a comparison the words that a field may be.
pub fn complete(text: &str, cursor: usize) -> Completion {
    let cursor = (0..=cursor.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let before = &text[..cursor];
    if before.matches('"').count() % 2 == 1 {
        let start = before.rfind('"').map_or(cursor, |at| at + 1);
        return Completion {
            span: start..cursor,
            candidates: values(&before[..start.saturating_sub(1)], &before[start..]),
        };
    }
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let start = before
        .rfind(|c: char| !letter(c))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let word = &before[start..];
    let mut candidates = values(&before[..start], word);
    if candidates.is_empty() {
        candidates = names(word);
    }
    Completion { span: start..cursor, candidates }
}

/// The words of the field that stands before a comparison at the end of this text.
fn values(before: &str, word: &str) -> Vec<Candidate> {
    let before = before.trim_end();
    let signs =
        ["===", "!==", "==", "!=", "~=", ">=", "<=", ">", "<", " eq", " ne", " gt", " ge", " lt", " le"];
    let Some(left) = signs.iter().find_map(|sign| before.strip_suffix(sign)) else { return Vec::new() };
    let name = left.trim_end().rsplit([' ', '(', '!', '&', '|']).next().unwrap_or_default();
    let words = fields::named(name).map_or(&[][..], |field| field.kind.words());
    let fits = words.iter().filter(|one| one.starts_with(word));
    fits.map(|one| Candidate { text: (*one).to_owned(), about: format!("a value of {name}") }).collect()
}

fn names(word: &str) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for field in fields::all().iter().filter(|field| field.name.starts_with(word)) {
        // Only up to the next point: a name with more behind it stands for all of them.
        let end = field.name[word.len()..].find('.').map_or(field.name.len(), |at| word.len() + at + 1);
        let text = &field.name[..end];
        if found.last().is_some_and(|last| last.text == text) {
            continue;
        }
        let about = if end == field.name.len() {
            format!("{}: {}", field.kind.short(), field.about)
        } else {
            format!("fields of {}", text.trim_end_matches('.'))
        };
        found.push(Candidate { text: text.to_owned(), about });
    }
    // A single group is opened at once.
    if let [only] = &found[..]
        && only.text.ends_with('.')
        && only.text != word
    {
        return names(&only.text.clone());
    }
    if !word.contains('.') && !word.is_empty() {
        let functions = FUNCTIONS.iter().map(|name| (format!("{name}("), "a function"));
        let words = KEYWORDS
            .iter()
            .filter(|name| !FUNCTIONS.contains(name))
            .map(|name| ((*name).to_owned(), "a word of the language"));
        for (text, about) in functions.chain(words).filter(|(text, _)| text.starts_with(word)) {
            found.push(Candidate { text, about: about.to_owned() });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        complete(text, text.len()).candidates.into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn names_are_completed_level_by_level() {
        assert!(texts("sess").contains(&"session.".to_owned()));
        assert!(texts("tcp.").contains(&"tcp.port".to_owned()));
        assert!(texts("tcp.").contains(&"tcp.analysis.".to_owned()));
        assert!(!texts("tcp.").contains(&"tcp.analysis.flags".to_owned()));
        assert_eq!(texts("!tcp.analysis.zero_window_probe_"), ["tcp.analysis.zero_window_probe_ack"]);
        assert!(texts("a and cou").contains(&"count(".to_owned()));
        assert!(texts("qqq").is_empty());
    }

    #[test]
    fn values_are_completed_behind_a_comparison() {
        for text in [
            "session.end.kind == \"s",
            "x && session.end.kind==\"s",
            "session.end.kind != s",
            "(session.end.kind eq s",
        ] {
            assert_eq!(texts(text), ["silent"], "{text}");
        }
        assert_eq!(texts("finding.severity >= "), ["info", "warning", "error", "critical"]);
        let one = complete("session.end.kind == \"si", 23);
        assert_eq!(one.span, 21..23);
    }

    #[test]
    fn any_cursor_in_any_text_is_borne() {
        for text in ["", "é", "\"é", "tcp.é.x", "日本 == \""] {
            for cursor in 0..=text.len() + 2 {
                let _ = complete(text, cursor);
            }
        }
    }
}
