//! What screens draw on: a buffer, the theme, and the account of what lies where, for the mouse and for paging.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::text;
use crate::tui::state::Pane;
use crate::tui::theme::{Theme, Tone};

/// A list or a text that was drawn: where, from which row on, and how many rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which.
    pub pane: Pane,
    /// The whole of it, with its border.
    pub outer: Rect,
    /// Its rows.
    pub area: Rect,
    /// The first row shown.
    pub top: usize,
    /// How many rows there are.
    pub rows: usize,
}

/// What was drawn where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawn {
    /// Lists and texts.
    pub places: Vec<Place>,
    /// Words that can be clicked: the area and what pressing it is like.
    pub buttons: Vec<(Rect, &'static str)>,
    /// Size of the screen.
    pub size: (u16, u16),
}

impl Drawn {
    /// Where a pane was drawn.
    pub fn place(&self, pane: Pane) -> Option<&Place> {
        self.places.iter().find(|place| place.pane == pane)
    }
}

/// Where it is drawn.
#[derive(Debug)]
pub struct Canvas<'a> {
    /// The cells.
    pub buffer: &'a mut Buffer,
    /// How things look.
    pub theme: &'a Theme,
    /// What was drawn.
    pub drawn: Drawn,
}

impl<'a> Canvas<'a> {
    /// A canvas over the whole buffer.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Self {
        let size = (buffer.area.width, buffer.area.height);
        Self { buffer, theme, drawn: Drawn { size, ..Drawn::default() } }
    }

    /// How a tone looks.
    pub fn style(&self, tone: Tone) -> Style {
        self.theme.style(tone)
    }

    /// The sign for what was cut.
    pub fn ellipsis(&self) -> &'static str {
        self.theme.glyphs.ellipsis
    }

    /// Writes a text that was cleaned, cut to what is left of the area; gives the cell behind it.
    pub fn text(&mut self, x: u16, y: u16, cells: usize, said: &str, style: Style) -> u16 {
        let area = self.buffer.area;
        if y >= area.bottom() || x >= area.right() {
            return x;
        }
        let room = cells.min(usize::from(area.right() - x));
        let short = text::cut(said, room, self.ellipsis());
        self.buffer.set_stringn(x, y, &short, room, style).0
    }

    /// The same by tone.
    pub fn say(&mut self, x: u16, y: u16, cells: usize, said: &str, tone: Tone) -> u16 {
        let style = self.style(tone);
        self.text(x, y, cells, said, style)
    }

    /// Fills an area with a style.
    pub fn paint(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area.intersection(self.buffer.area), style);
    }

    /// Empties an area.
    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
    }

    /// A box with a title above and what can be done below; gives what is inside.
    pub fn frame(&mut self, area: Rect, title: &str, below: &str, focused: bool) -> Rect {
        if area.width < 4 || area.height < 2 {
            return Rect { height: 0, ..area };
        }
        let glyphs = self.theme.glyphs;
        let style = self.style(if focused { Tone::Focus } else { Tone::Border });
        let across = glyphs.horizontal.repeat(usize::from(area.width - 2));
        let (last, bottom) = (area.right() - 1, area.bottom() - 1);
        for (y, left, right) in
            [(area.y, glyphs.corners[0], glyphs.corners[1]), (bottom, glyphs.corners[2], glyphs.corners[3])]
        {
            self.buffer.set_string(area.x, y, left, style);
            self.buffer.set_string(area.x + 1, y, &across, style);
            self.buffer.set_string(last, y, right, style);
        }
        for y in area.y + 1..bottom {
            self.buffer.set_string(area.x, y, glyphs.vertical, style);
            self.buffer.set_string(last, y, glyphs.vertical, style);
        }
        let room = usize::from(area.width).saturating_sub(6);
        let name = self.style(if focused { Tone::Focus } else { Tone::Heading });
        for (y, said, style) in [(area.y, title, name), (bottom, below, self.style(Tone::Dim))] {
            if !said.is_empty() && room > 0 {
                let short = text::cut(said, room, glyphs.ellipsis);
                self.buffer.set_string(area.x + 2, y, format!(" {short} "), style);
            }
        }
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    }

    /// Lines from one on, cut to the area.
    pub fn lines(&mut self, area: Rect, lines: &[Line<'_>], top: usize) {
        for (row, line) in lines.iter().skip(top).take(usize::from(area.height)).enumerate() {
            let y = area.y + row as u16;
            let mut x = area.x;
            let whole = line.width() <= usize::from(area.width);
            for span in &line.spans {
                let room = usize::from(area.right().saturating_sub(x));
                if room == 0 {
                    break;
                }
                x = if whole {
                    self.buffer.set_stringn(x, y, &span.content, room, span.style).0
                } else {
                    self.text(x, y, room, &span.content, span.style)
                };
            }
        }
    }

    /// Notes where a pane lies.
    pub fn note(&mut self, pane: Pane, outer: Rect, area: Rect, top: usize, rows: usize) {
        self.drawn.places.push(Place { pane, outer, area, top, rows });
    }
}

/// The first row to show so that the cursor is among them, moved as little as possible from where it was.
pub fn top_for(at: usize, top: usize, height: usize, rows: usize) -> usize {
    let height = height.max(1);
    let last = rows.saturating_sub(height);
    let top = top.min(last);
    // What is far away is shown with its neighbours on both sides.
    if at + height < top || at >= top + 2 * height {
        at.saturating_sub(height / 2).min(last)
    } else if at < top {
        at
    } else if at >= top + height {
        at + 1 - height
    } else {
        top
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_always_among_the_rows_shown() {
        for rows in [1, 5, 100] {
            for height in [1, 3, 10] {
                for at in 0..rows {
                    for top in [0, 2, 50, 200] {
                        let top = top_for(at, top, height, rows);
                        assert!((top..top + height).contains(&at), "{rows} {height} {at} {top}");
                    }
                }
            }
        }
    }
}
