//! Rows in columns. A column that does not fit is left out or cut with a sign; a number is never cut.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::{Canvas, top_for};
use super::text;
use crate::tui::state::{Cursor, Pane};
use crate::tui::theme::Tone;

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub title: &'static str,
    /// What it wants at most.
    pub most: u16,
    /// What it needs at least; below, it is left out.
    pub least: u16,
    /// Whether it stands at the right of its cells.
    pub right: bool,
    /// Which columns go first where there is no room: the highest.
    pub rank: u8,
    /// Whether a part of it means something else than the whole: a number, a time. It has its width or is not there.
    pub whole: bool,
}

/// A column of text that may be cut.
pub const fn words(title: &'static str, least: u16, most: u16, rank: u8) -> Column {
    Column { title, most, least, right: false, rank, whole: false }
}

/// A column of numbers or times.
pub const fn figures(title: &'static str, most: u16, rank: u8) -> Column {
    Column { title, most, least: 1, right: true, rank, whole: true }
}

/// A column of names that are not cut.
pub const fn names(title: &'static str, most: u16, rank: u8) -> Column {
    Column { title, most, least: 1, right: false, rank, whole: true }
}

/// A cell: a text that was cleaned, and how it looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The text.
    pub text: String,
    /// Its tone.
    pub tone: Tone,
}

impl Cell {
    /// A plain one.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }

    /// One with a tone.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// A cell for each column.
    pub cells: Vec<Cell>,
    /// Whether the user tagged it.
    pub tagged: bool,
    /// Whether what the user looks for is in it.
    pub hit: bool,
}

/// The widths of the columns that are shown, by their places.
pub fn layout(columns: &[Column], wanted: &[u16], width: u16) -> Vec<(usize, u16)> {
    let mut shown: Vec<(usize, u16, u16)> = columns
        .iter()
        .enumerate()
        .map(|(place, column)| {
            let heading = text::width(column.title) as u16;
            let content = wanted.get(place).copied().unwrap_or(0).max(heading);
            // A number that is longer than was thought gets its room all the same.
            let most = if column.whole { content } else { content.min(column.most.max(heading)) };
            let least = if column.whole { most } else { column.least.max(heading).min(most) };
            (place, least, most)
        })
        .collect();
    let need = |shown: &[(usize, u16, u16)]| -> u32 {
        shown.iter().map(|(_, least, _)| u32::from(*least) + 1).sum::<u32>().saturating_sub(1)
    };
    while shown.len() > 1 && need(&shown) > u32::from(width) {
        let Some(out) = (0..shown.len()).max_by_key(|place| {
            let of = shown.get(*place).map_or(0, |(column, _, _)| *column);
            (columns.get(of).map_or(0, |column| column.rank), *place)
        }) else {
            break;
        };
        shown.remove(out);
    }
    let mut left = u32::from(width).saturating_sub(need(&shown));
    let mut widths: Vec<(usize, u16)> = shown.iter().map(|(place, least, _)| (*place, *least)).collect();
    // Room that is left goes a cell at a time to whoever wants more, the important columns first.
    let mut order: Vec<usize> = (0..shown.len()).collect();
    order.sort_by_key(|place| {
        let of = shown.get(*place).map_or(0, |(column, _, _)| *column);
        columns.get(of).map_or(0, |column| column.rank)
    });
    loop {
        let mut given = false;
        for place in &order {
            if let (Some((_, _, most)), Some((_, width))) = (shown.get(*place), widths.get_mut(*place))
                && left > 0
                && *width < *most
            {
                *width += 1;
                left -= 1;
                given = true;
            }
        }
        if !given {
            return widths;
        }
    }
}

/// Draws a cell: the row, and the cells that there are.
pub type Drawer<'a> = dyn Fn(usize, usize) -> String + 'a;

/// A table to draw.
pub struct Table<'a> {
    /// Its columns.
    pub columns: &'a [Column],
    /// How many rows there are.
    pub rows: usize,
    /// The row of a number.
    pub row: &'a dyn Fn(usize) -> Row,
    /// Where the cursor is.
    pub cursor: Cursor,
    /// Whether the keys go here.
    pub focused: bool,
    /// Whether the row of the cursor is marked where the keys go elsewhere: what is beside depends on it.
    pub marks: bool,
    /// The column by which it is sorted, and whether downwards.
    pub sorted: Option<(usize, bool)>,
    /// What to say where there is no row.
    pub empty: &'a str,
    /// A column that is drawn for its width, and what draws it: the row and the cells that there are.
    pub drawn: Option<(usize, &'a Drawer<'a>)>,
}

impl std::fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// Draws it; only the rows shown are asked for.
pub fn draw(canvas: &mut Canvas<'_>, pane: Pane, outer: Rect, area: Rect, table: &Table<'_>) {
    if area.height < 1 || area.width < 2 {
        return;
    }
    let body = if area.height > 1 { Rect { y: area.y + 1, height: area.height - 1, ..area } } else { area };
    let height = usize::from(body.height);
    let at = table.cursor.at.min(table.rows.saturating_sub(1));
    let top = top_for(at, table.cursor.top, height, table.rows);
    let rows: Vec<Row> = (top..table.rows.min(top + height)).map(table.row).collect();
    let wanted: Vec<u16> = (0..table.columns.len())
        .map(|place| {
            if table.drawn.is_some_and(|(drawn, _)| drawn == place) {
                return table.columns.get(place).map_or(0, |column| column.most);
            }
            let cells = rows.iter().filter_map(|row| row.cells.get(place));
            cells.map(|cell| text::width(&cell.text)).max().unwrap_or(0).min(400) as u16
        })
        .collect();
    let widths = layout(table.columns, &wanted, area.width.saturating_sub(1));
    if area.height > 1 {
        headings(canvas, area, table, &widths);
    }
    for (line, row) in rows.iter().enumerate() {
        draw_row(canvas, body, table, &widths, (line, top + line), row, top + line == at);
    }
    if table.rows == 0 {
        for (line, said) in text::wrap(table.empty, usize::from(body.width)).iter().take(height).enumerate() {
            canvas.say(body.x, body.y + line as u16, usize::from(body.width), said, Tone::Dim);
        }
    }
    canvas.note(pane, outer, body, top, table.rows);
}

fn headings(canvas: &mut Canvas<'_>, area: Rect, table: &Table<'_>, widths: &[(usize, u16)]) {
    let mut x = area.x + 1;
    for (place, width) in widths {
        let Some(column) = table.columns.get(*place) else { continue };
        let mut title = column.title.to_owned();
        if let Some((sorted, down)) = table.sorted
            && sorted == *place
            && text::width(&title) < usize::from(*width)
        {
            title.push_str(if down { canvas.theme.glyphs.down } else { canvas.theme.glyphs.up });
        }
        let said = text::fit(&title, usize::from(*width), column.right, canvas.ellipsis());
        canvas.say(x, area.y, usize::from(*width), &said, Tone::Heading);
        x += width + 1;
    }
}

fn draw_row(
    canvas: &mut Canvas<'_>,
    body: Rect,
    table: &Table<'_>,
    widths: &[(usize, u16)],
    (line, number): (usize, usize),
    row: &Row,
    here: bool,
) {
    let y = body.y + line as u16;
    let whole = Rect { y, height: 1, ..body };
    let selected = here && table.focused;
    if row.tagged {
        canvas.say(body.x, y, 1, canvas.theme.glyphs.mark, Tone::Tagged);
    } else if here && (table.focused || table.marks) {
        canvas.say(body.x, y, 1, ">", Tone::Focus);
    }
    let mut x = body.x + 1;
    for (place, width) in widths {
        let (Some(column), Some(cell)) = (table.columns.get(*place), row.cells.get(*place)) else { continue };
        let late = table.drawn.filter(|(drawn, _)| drawn == place && cell.text.is_empty());
        let late = late.map(|(_, draw)| draw(number, usize::from(*width)));
        let said = late.as_ref().unwrap_or(&cell.text);
        let said = text::fit(said, usize::from(*width), column.right, canvas.ellipsis());
        let mut style: Style = canvas.style(cell.tone);
        if row.hit {
            style = style.patch(canvas.style(Tone::Match));
        }
        canvas.text(x, y, usize::from(*width), &said, style);
        x += width + 1;
    }
    if selected {
        let style = canvas.style(Tone::Selected);
        canvas.paint(whole, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] =
        [names("id", 6, 0), figures("packets", 9, 1), words("server", 6, 20, 2), words("what", 4, 40, 3)];

    #[test]
    fn numbers_have_their_room_or_are_not_there() {
        let wanted = [6, 9, 18, 60];
        for width in 1..100 {
            let widths = layout(&COLUMNS, &wanted, width);
            for (place, given) in &widths {
                if COLUMNS[*place].whole && widths.len() > 1 {
                    assert_eq!(*given, wanted[*place], "{width}");
                }
            }
            let sum: u16 = widths.iter().map(|(_, width)| width + 1).sum::<u16>() - 1;
            assert!(sum <= width || widths.len() == 1, "{width} {widths:?}");
        }
    }

    #[test]
    fn the_least_important_columns_go_first() {
        assert_eq!(layout(&COLUMNS, &[6, 9, 18, 60], 17), [(0, 6), (1, 9)]);
        assert_eq!(layout(&COLUMNS, &[6, 9, 18, 60], 100), [(0, 6), (1, 9), (2, 18), (3, 40)]);
    }
}
