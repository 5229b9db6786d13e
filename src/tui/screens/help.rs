//! The keys of the place that the help was asked from, as they are bound now, and the commands.

use ratatui::text::Span;

use super::super::command_line::COMMANDS;
use super::super::keys::{self, Where};
use super::super::state::State;
use super::super::theme::Tone;
use super::{Content, Inside, Item, paragraph};

/// Cells of the column of keys.
const KEYS: usize = 18;

pub(super) fn inside(state: &State, width: usize) -> Inside<'_> {
    let place = state.below().map_or(Where::ALL, super::super::state::Visit::place);
    let mut items = Vec::new();
    let heading =
        |said: &str| Item::new(Span::styled(said.to_owned(), state.theme.style(Tone::Heading))).stop();
    let bindings = keys::here(place);
    let (own, all): (Vec<_>, Vec<_>) = bindings.into_iter().partition(|binding| binding.places != Where::ALL);
    for (title, list) in [("HERE", own), ("EVERYWHERE", all)] {
        if list.is_empty() {
            continue;
        }
        items.push(heading(title));
        for binding in list {
            let keys = keys::bound(binding, &state.remapped).join(" ");
            let label = [(format!("{keys:<KEYS$}"), Tone::Key)];
            items.extend(paragraph(&state.theme, &label, binding.about, Tone::Plain, width, None));
        }
        items.push(Item::default());
    }
    items.push(heading("COMMANDS"));
    for command in COMMANDS {
        let said = format!(":{} {}", command.name, command.takes);
        let label = [(format!("{:<KEYS$}", said.trim_end()), Tone::Key)];
        items.extend(paragraph(&state.theme, &label, command.about, Tone::Plain, width, None));
    }
    items.push(Item::default());
    items.push(heading("MOUSE"));
    let said = "click a row or a tab; a second click opens; the wheel scrolls; :set nomouse gives it back to the terminal";
    items.extend(paragraph(&state.theme, &[(" ".repeat(KEYS), Tone::Key)], said, Tone::Plain, width, None));
    Inside::Text(Content::of(items))
}
