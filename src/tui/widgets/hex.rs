//! Bytes as hex and as signs, one part of them lit.

use std::fmt::Write as _;
use std::ops::Range;

use ratatui::text::{Line, Span};

use crate::tui::theme::{Theme, Tone};

/// Bytes of a line where there is room, and where there is less.
const STEPS: [usize; 3] = [16, 8, 4];

/// How many bytes a line of so many cells holds.
pub fn per_line(cells: usize) -> usize {
    STEPS.into_iter().find(|bytes| 6 + bytes * 4 <= cells).unwrap_or(4)
}

/// The lines; `lit` are the bytes of the field under the cursor.
pub fn lines(bytes: &[u8], lit: Option<&Range<u32>>, cells: usize, theme: &Theme) -> Vec<Line<'static>> {
    let step = per_line(cells);
    let lit = lit.map_or(0..0, |range| range.start as usize..range.end as usize);
    let mut lines = Vec::with_capacity(bytes.len().div_ceil(step));
    for (row, chunk) in bytes.chunks(step).enumerate() {
        let start = row * step;
        let mut spans = vec![Span::styled(format!("{start:04x}  "), theme.style(Tone::Dim))];
        let tone = |at: usize| if lit.contains(&at) { Tone::Selected } else { Tone::Plain };
        for (nth, byte) in chunk.iter().enumerate() {
            let mut pair = String::new();
            let _ = write!(pair, "{byte:02x}");
            spans.push(Span::styled(pair, theme.style(tone(start + nth))));
            spans.push(Span::raw(" "));
        }
        spans.push(Span::raw("   ".repeat(step - chunk.len())));
        for (nth, byte) in chunk.iter().enumerate() {
            let sign = if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
            spans.push(Span::styled(sign.to_string(), theme.style(tone(start + nth))));
        }
        lines.push(Line::from(spans));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Depth;

    #[test]
    fn lines_fit_and_nothing_acts() {
        let theme = Theme::new("mono", Depth::Mono, true);
        for cells in [22, 38, 70, 100] {
            for line in lines(&[0x1b; 40], Some(&(3..5)), cells, &theme) {
                assert!(line.width() <= cells.max(22), "{cells}");
                assert!(!line.to_string().contains('\u{1b}'));
            }
        }
        assert_eq!(
            lines(b"GET /", None, 100, &theme)[0].to_string().trim_end(),
            format!("{}{}GET /", "0000  47 45 54 20 2f ", "   ".repeat(11))
        );
    }
}
