//! Text that may stand on a terminal: escaped, measured as terminals measure, cut at a character with a sign.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::escape;

/// Characters of a text from the wire beyond which nobody reads it in one line.
const MOST: usize = 4_096;

/// A text from the wire, harmless and of bounded length.
pub fn clean(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        None => escape::terminal(text),
        Some((end, _)) => {
            let mut safe = escape::terminal(text.get(..end).unwrap_or_default());
            safe.push('…');
            safe
        }
    }
}

/// Cells that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most so many cells; what is cut is cut at a whole character and says so.
pub fn cut(text: &str, cells: usize, ellipsis: &str) -> String {
    if text.len() <= cells || width(text) <= cells {
        return text.to_owned();
    }
    let room = cells.saturating_sub(width(ellipsis));
    let mut used = 0;
    let mut short = String::new();
    for piece in text.graphemes(true) {
        let wide = width(piece);
        if used + wide > room {
            break;
        }
        used += wide;
        short.push_str(piece);
    }
    if cells >= width(ellipsis) {
        short.push_str(ellipsis);
    }
    short
}

/// The text in exactly so many cells, cut or filled up.
pub fn fit(text: &str, cells: usize, right: bool, ellipsis: &str) -> String {
    let short = cut(text, cells, ellipsis);
    let fill = " ".repeat(cells.saturating_sub(width(&short)));
    if right { fill + &short } else { short + &fill }
}

/// The text in lines of at most so many cells, broken between words where that is possible.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let wide = width(word);
        if used > 0 && used + 1 + wide > cells {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        if used + wide <= cells {
            line.push_str(word);
            used += wide;
            continue;
        }
        for piece in word.graphemes(true) {
            let wide = width(piece);
            if used + wide > cells && used > 0 {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push_str(piece);
            used += wide;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_lies_inside_a_character() {
        assert_eq!(cut("abcdef", 6, "…"), "abcdef");
        assert_eq!(cut("abcdef", 5, "…"), "abcd…");
        assert_eq!(cut("日本語", 5, "…"), "日本…");
        assert_eq!(cut("日本語", 4, "…"), "日…");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2, "~"), "e\u{301}~");
        assert_eq!(cut("abc", 0, "…"), "");
        assert_eq!(fit("ab", 4, true, "…"), "  ab");
        assert_eq!(width(&fit("日本語", 4, false, "…")), 4);
    }

    #[test]
    fn nothing_from_the_wire_acts() {
        assert_eq!(clean("a\u{1b}[2J"), "a\\u{1b}[2J");
        assert!(clean(&"x".repeat(100_000)).chars().count() <= MOST + 1);
    }

    #[test]
    fn lines_are_never_wider_than_asked() {
        for text in ["one two three", "averyveryverylongword", "日本語 日本語日本語", "", " a  b "] {
            for cells in 1..12 {
                for line in wrap(text, cells) {
                    assert!(width(&line) <= cells.max(2), "{text:?} {cells} {line:?}");
                }
            }
        }
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    }
}
