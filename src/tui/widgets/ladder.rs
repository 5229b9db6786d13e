//! The lane between the two sides of a session: arrows, silences, joints.

use super::text::{clean, cut, width};
use crate::events::Side;
use crate::story::ladder::{Row, Step};
use crate::tui::theme::Glyphs;

/// What stands between the two sides, in exactly so many cells.
pub fn lane(row: &Row, again: u32, cells: usize, glyphs: &Glyphs) -> String {
    let times = row.count.saturating_mul(again.max(1));
    let times = if times > 1 { format!(" x{times}") } else { String::new() };
    let room = cells.saturating_sub(9 + width(&times));
    let label = cut(&clean(&row.label), room, glyphs.ellipsis);
    let (line, wall) = (glyphs.horizontal, glyphs.vertical);
    match row.step {
        Step::Message(Side::Client) => {
            let text = format!("{wall}{line}{line} {label}{times} ");
            let rest = cells.saturating_sub(width(&text) + 2);
            format!("{text}{}{}{wall}", line.repeat(rest), glyphs.right)
        }
        Step::Message(Side::Server) => {
            let text = format!(" {label}{times} {line}{line}{wall}");
            let rest = cells.saturating_sub(width(&text) + 2);
            format!("{wall}{}{}{text}", glyphs.left, line.repeat(rest))
        }
        Step::Silence => quiet(&label, cells, glyphs),
        Step::Joint => {
            let text = format!("== {}", cut(&clean(&row.label), cells.saturating_sub(3), glyphs.ellipsis));
            let rest = cells.saturating_sub(width(&text));
            format!("{text}{}", " ".repeat(rest))
        }
    }
}

/// A time in which nobody says anything, in exactly so many cells.
pub fn idle(length: &str, cells: usize, glyphs: &Glyphs) -> String {
    quiet(&cut(&format!("{length} idle"), cells.saturating_sub(10), glyphs.ellipsis), cells, glyphs)
}

fn quiet(label: &str, cells: usize, glyphs: &Glyphs) -> String {
    let (dots, wall) = (glyphs.dotted.repeat(3), glyphs.vertical);
    let text = format!("{dots} {label} {dots}");
    let rest = cells.saturating_sub(width(&text) + 2);
    let before = rest / 2;
    format!("{wall}{}{text}{}{wall}", " ".repeat(before), " ".repeat(rest - before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use crate::tui::theme::{Depth, Theme};

    #[test]
    fn lanes_are_of_one_width() {
        let long = "x".repeat(70_000);
        for ascii in [true, false] {
            let glyphs = Theme::new("mono", Depth::Mono, ascii).glyphs;
            for label in
                ["SYN", "GET /a/long/path/that/does/not/fit", "\u{1b}[2J", "日本語のパス名前が長い", &long]
            {
                for step in
                    [Step::Message(Side::Client), Step::Message(Side::Server), Step::Silence, Step::Joint]
                {
                    let row = Row {
                        time: Timestamp(0),
                        connection: 0,
                        step,
                        label: label.to_owned(),
                        meaning: String::new(),
                        count: 3,
                        frames: Vec::new(),
                    };
                    for cells in [24, 40, 61] {
                        let lane = lane(&row, 2, cells, &glyphs);
                        assert_eq!(width(&lane), cells, "{lane}");
                        assert!(!lane.contains('\u{1b}'));
                    }
                }
            }
        }
    }
}
