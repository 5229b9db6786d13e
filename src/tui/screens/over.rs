//! What stands on every screen: the header, the line of the filter, the line of state, and boxes over it.

use ratatui::layout::Rect;

use super::super::dialogs;
use super::super::filtering::Valid;
use super::super::state::{PromptKind, Screen, State};
use super::super::theme::Tone;
use super::super::widgets::canvas::Canvas;
use super::super::widgets::text;
use crate::story::amounts::count;

/// How many lines stand above the panes.
pub(super) fn lines_above(state: &State, whole: Rect) -> u16 {
    if whole.height < 18 { 1 } else { 2 + u16::from(has_filter_line(state)) }
}

fn has_filter_line(state: &State) -> bool {
    matches!(state.visit().screen, Screen::Sessions | Screen::Findings | Screen::Packets)
}

/// The lines above the panes.
pub(super) fn header(state: &State, canvas: &mut Canvas<'_>) {
    let area = canvas.buffer.area;
    let width = usize::from(area.width);
    let progress = state.progress();
    let wide = width >= 100;
    if area.height < 18 {
        let place = Screen::NUMBERED.iter().position(|(screen, _)| *screen == state.visits.base().screen);
        let number = place.map(|place| format!("{}/6 ", place + 1)).unwrap_or_default();
        let name = place.and_then(|place| Screen::NUMBERED.get(place)).map_or("", |(_, name)| *name);
        canvas.say(
            area.x,
            area.y,
            width,
            &format!(" {number}{name}  {}", state.totals(false)),
            Tone::Heading,
        );
        return;
    }
    let x = canvas.say(area.x + 1, area.y, width - 1, "ghostshark ", Tone::Heading);
    let room = width.saturating_sub(usize::from(x) + 2 + text::width(&progress));
    canvas.say(x + 1, area.y, room, &state.totals(wide), Tone::Plain);
    let at = area.right().saturating_sub(text::width(&progress) as u16 + 1);
    let tone = if state.is_loading() { Tone::Warning } else { Tone::Dim };
    canvas.say(at, area.y, width, &progress, tone);
    tabs(state, canvas, wide);
    if has_filter_line(state) {
        filter_line(state, canvas);
    }
}

fn tabs(state: &State, canvas: &mut Canvas<'_>, wide: bool) {
    const KEYS: [&str; 6] = ["1", "2", "3", "4", "5", "6"];
    let area = canvas.buffer.area;
    let y = area.y + 1;
    let here = state.visits.base().screen;
    let mut x = area.x + 1;
    for (place, (screen, name)) in Screen::NUMBERED.iter().enumerate() {
        let name = if wide { *name } else { name.get(..4).unwrap_or(name) };
        let (said, tone) = if *screen == here {
            (format!("[{} {name}]", place + 1), Tone::Focus)
        } else {
            (format!(" {} {name} ", place + 1), Tone::Plain)
        };
        let begin = x;
        x = canvas.say(x, y, 20, &said, tone);
        let button = Rect { x: begin, y, width: x - begin, height: 1 };
        canvas.drawn.buttons.push((button, KEYS.get(place).copied().unwrap_or("1")));
        x += u16::from(wide);
    }
    let depth = state.visits.depth();
    let times = match state.reference {
        Some(_) => format!("{} from a row", state.times.name()),
        None => state.times.name().to_owned(),
    };
    let said = format!("time: {times}  ? help");
    let at = area.right().saturating_sub(text::width(&said) as u16 + 1);
    if depth > 1 && usize::from(at.saturating_sub(x)) > 24 {
        canvas.say(x + 1, y, 24, &format!("{} deep, Esc back", depth - 1), Tone::Dim);
    }
    if at > x {
        canvas.say(at, y, 40, &said, Tone::Dim);
    }
}

fn filter_line(state: &State, canvas: &mut Canvas<'_>) {
    let area = canvas.buffer.area;
    let y = area.y + 2;
    let width = usize::from(area.width);
    let visit = state.visit();
    let words = state.filter_words();
    let shown = state.list_length() as u64;
    let Some(data) = &state.data else {
        canvas.say(area.x + 1, y, width, "nothing is known yet", Tone::Dim);
        return;
    };
    let (all, what) = match visit.screen {
        Screen::Findings => (data.analysis.findings.len() as u64, "findings"),
        Screen::Packets => (state.index.len() as u64, "packets"),
        _ => (data.analysis.sessions.len() as u64, "sessions"),
    };
    let counted = match visit.screen {
        Screen::Findings => {
            let hits: usize = visit.clusters.iter().map(|cluster| cluster.findings.len()).sum();
            format!("{} of {} {what}", count(hits as u64), count(all))
        }
        _ if visit.group > 0 => format!("{} {what}", count(all)),
        _ => format!("{} of {} {what}", count(shown), count(all)),
    };
    let at = area.right().saturating_sub(text::width(&counted) as u16 + 1);
    let room = usize::from(at.saturating_sub(area.x + 2));
    if words.is_empty() {
        let said = "/ filter   F only these   -F hide these   try: session.ghost   finding.severity >= error";
        canvas.say(area.x + 1, y, room, said, Tone::Dim);
    } else {
        let off = if visit.unfiltered { "(off) " } else { "" };
        let tone = if visit.unfiltered { Tone::Dim } else { Tone::Key };
        let waits = visit.filter.as_ref().is_some_and(|filter| filter.passes.is_none());
        let sign = if waits { ".." } else { "ok" };
        canvas.say(area.x + 1, y, room, &format!("Filter> {off}{words}  {sign}"), tone);
    }
    canvas.say(at, y, width, &counted, Tone::Plain);
}

/// The last line: what is typed, else a word to the user, else where we are and the keys.
pub(super) fn status(state: &State, canvas: &mut Canvas<'_>) {
    let area = canvas.buffer.area;
    let y = area.bottom() - 1;
    let width = usize::from(area.width);
    if let Some(prompt) = &state.prompt {
        let label = match prompt.kind {
            PromptKind::Command => ":",
            PromptKind::Find => "find: ",
            PromptKind::Filter => match state.valid() {
                Some(Valid::No(_)) => "!! filter: ",
                Some(Valid::NotYet) => ".. filter: ",
                _ => "ok filter: ",
            },
            PromptKind::Note(_) => "note: ",
        };
        let x = canvas.say(area.x, y, width, label, Tone::Key);
        let before = text::clean(prompt.input.before());
        let after = text::clean(prompt.input.text.get(prompt.input.at..).unwrap_or_default());
        let live = match state.live_count() {
            Some(Ok(number)) => format!("  {} pass", count(*number)),
            Some(Err(why)) => format!("  {}", text::clean(why)),
            None => String::new(),
        };
        let live = text::cut(&live, width / 2, state.theme.glyphs.ellipsis);
        let end = area.right().saturating_sub(text::width(&live) as u16 + 1);
        canvas.say(end, y, width, &live, Tone::Dim);
        let room = usize::from(end.saturating_sub(x + 1));
        // The end of what stands before the cursor is what is being typed.
        let mut shown = before.as_str();
        while text::width(shown) > room.saturating_sub(1) {
            let mut chars = shown.chars();
            chars.next();
            shown = chars.as_str();
        }
        let x = canvas.say(x, y, room, shown, Tone::Plain);
        let style = canvas.style(Tone::Selected);
        let under: String = after.chars().take(1).collect();
        let next = canvas.text(x, y, 1, if under.is_empty() { " " } else { &under }, style);
        let rest: String = after.chars().skip(1).collect();
        canvas.say(next, y, usize::from(end.saturating_sub(next)), &rest, Tone::Plain);
        offers(state, canvas, y);
        if let Some(Valid::No(why)) = state.valid()
            && prompt.input.offers().is_none()
        {
            canvas.clear(Rect { x: area.x, y: y - 1, width: area.width, height: 1 });
            canvas.say(area.x + 1, y - 1, width - 1, &text::clean(&why), Tone::Error);
        }
        return;
    }
    if let Some((tone, word)) = &state.word {
        canvas.say(area.x + 1, y, width - 1, &text::clean(word), *tone);
        return;
    }
    let mode = if state.pending.is_empty() { "NORMAL".to_owned() } else { state.pending.concat() };
    let place = state.place_words();
    let x = canvas.say(area.x + 1, y, width - 1, &mode, Tone::Focus);
    let x = canvas.say(x + 2, y, width / 2, &place, Tone::Plain);
    let room = usize::from(area.right().saturating_sub(x + 3));
    let bar = state.help_bar(room);
    let at = area.right().saturating_sub(text::width(&bar) as u16 + 1);
    canvas.say(at, y, room, &bar, Tone::Dim);
}

/// The completions at hand, above the line that is typed.
fn offers(state: &State, canvas: &mut Canvas<'_>, y: u16) {
    let Some((list, chosen)) = state.prompt.as_ref().and_then(|prompt| prompt.input.offers()) else { return };
    if list.len() < 2 || y == 0 {
        return;
    }
    let area = canvas.buffer.area;
    let y = y - 1;
    canvas.clear(Rect { x: area.x, y, width: area.width, height: 1 });
    let mut x = area.x + 1;
    for (place, word) in list.iter().enumerate().skip(chosen.saturating_sub(3)) {
        let tone = if place == chosen { Tone::Selected } else { Tone::Dim };
        let word = text::clean(word);
        if usize::from(x) + text::width(&word) + 2 >= usize::from(area.right()) {
            break;
        }
        x = canvas.say(x, y, 60, &word, tone) + 2;
    }
}

/// A box over the screen, where one is open.
pub(super) fn dialog(state: &State, canvas: &mut Canvas<'_>, body: Rect) {
    let Some(dialog) = &state.dialog else { return };
    let lines = dialogs::lines(state, dialog);
    let width = lines.iter().map(ratatui::text::Line::width).max().unwrap_or(0).max(40) as u16 + 4;
    let width = width.min(body.width);
    let height = (lines.len() as u16 + 2).min(body.height);
    let area =
        Rect { x: body.x + (body.width - width) / 2, y: body.y + (body.height - height) / 2, width, height };
    canvas.clear(area);
    let inner = canvas.frame(area, dialogs::title(dialog), dialogs::below(dialog), true);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    canvas.lines(inner, &lines, 0);
}

impl State {
    /// Where we are, for the last line.
    fn place_words(&self) -> String {
        let visit = self.visit();
        let tags = self.kept.tags.len();
        let tagged = if tags > 0 { format!("  {tags} tagged") } else { String::new() };
        let marks: String = self.kept.marks.keys().collect();
        let marks = if marks.is_empty() { String::new() } else { format!("  marks {marks}") };
        let place = match visit.screen {
            Screen::Session(id) | Screen::Diff(id, _) => format!("S-{id:04}"),
            Screen::Packets => self.shown_packet().map(|row| self.frame_name(&row.at)).unwrap_or_default(),
            _ => String::new(),
        };
        format!("{place}{tagged}{marks}")
    }
}
