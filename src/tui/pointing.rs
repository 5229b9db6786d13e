//! What is looked for, and the mouse.

use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::screens::{Inside, in_line};
use super::seek::Seek;
use super::state::{Effect, Entry, Pane, Screen, State, Tab};
use super::theme::Tone;
use super::widgets::hex;

/// Milliseconds within which two presses are a double one.
const DOUBLE: u64 = 450;

impl State {
    /// Looks for something in the pane with the focus.
    pub(super) fn find(&mut self, said: &str) {
        if said.is_empty() {
            self.visit_mut().find = None;
            return;
        }
        let seek = match Seek::of(said) {
            Ok(seek) => seek,
            Err(why) => {
                self.say(Tone::Error, why);
                return;
            }
        };
        let visit = self.visit();
        let at = visit.cursor(visit.focus).at;
        let inside = self.focused();
        let here = at < inside.rows() && self.hits(&inside, at, &seek);
        drop(inside);
        self.visit_mut().find = Some(seek);
        if !here {
            self.next_hit(true);
        }
    }

    /// Whether a row of the pane with the focus holds what is looked for.
    fn hits(&self, inside: &Inside<'_>, row: usize, seek: &Seek) -> bool {
        let visit = self.visit();
        match (visit.focus, &self.frame, self.drawn.place(Pane::Bytes)) {
            (Pane::Bytes, Some(frame), Some(place)) => {
                let step = hex::per_line(usize::from(place.area.width));
                in_line(seek, &frame.bytes, row * step..(row + 1) * step)
            }
            _ => seek.is_in(&inside.text(row)),
        }
    }

    /// Whether this is a list of packets, whose bytes can be looked through.
    fn lists_packets(&self) -> bool {
        let visit = self.visit();
        visit.focus == Pane::List
            && (visit.screen == Screen::Packets
                || visit.tab == Tab::Packets && matches!(visit.screen, Screen::Session(_)))
    }

    /// Rows that are looked through at most for one key: a text is found at once or not yet.
    pub(super) fn next_hit(&mut self, forth: bool) {
        const MOST: usize = 200_000;
        let visit = self.visit();
        let at = visit.cursor(visit.focus).at;
        let find = visit.find.clone();
        let inside = self.focused();
        let rows = inside.rows();
        let hit = |row: usize| match &find {
            Some(seek) => self.hits(&inside, row, seek),
            None => self.stops(&inside, row),
        };
        let order: Box<dyn Iterator<Item = usize>> = if forth {
            Box::new((at + 1..rows).chain(0..at.min(rows)))
        } else {
            Box::new((0..at.min(rows)).rev().chain((at + 1..rows).rev()))
        };
        let in_lines = !find.as_ref().is_some_and(|seek| seek.is_bytes() && self.lists_packets());
        let next = order.take(if in_lines { MOST } else { 0 }).find(|row| hit(*row));
        drop(inside);
        match (next, find) {
            (Some(row), _) => {
                if (row < at) == forth {
                    self.say(Tone::Dim, "around the end");
                }
                self.put_cursor(row);
            }
            (None, Some(seek)) if self.lists_packets() => {
                // The lines do not say it; the packets may hold it.
                self.say(Tone::Dim, format!("looking for {:?} in the packets' bytes", seek.typed));
                let places = self.visit().packets.clone();
                self.effects.push(Effect::Seek { typed: seek.typed, places, from: at, forth });
            }
            (None, Some(seek)) => self.say(Tone::Warning, format!("{:?} is not in this pane", seek.typed)),
            (None, None) => self.say(Tone::Dim, "no other finding in this pane"),
        }
    }

    /// It is known which packet holds what was looked for.
    pub(super) fn sought(&mut self, typed: &str, row: Result<Option<usize>, String>) {
        let wanted = self.visit().find.as_ref().is_some_and(|seek| seek.typed == typed);
        match row {
            _ if !wanted || !self.lists_packets() => {}
            Ok(Some(row)) => {
                self.word = None;
                self.put_cursor(row);
            }
            Ok(None) => self.say(Tone::Warning, format!("no packet here holds {typed:?}")),
            Err(why) => self.say(Tone::Error, why),
        }
    }

    /// Whether `n` stops at a row where nothing is looked for.
    pub(super) fn stops(&self, inside: &Inside<'_>, row: usize) -> bool {
        let visit = self.visit();
        match inside {
            Inside::Text(content) => (content.line)(row).stop,
            Inside::Sheet(_) => match visit.screen {
                Screen::Sessions => match visit.sessions.get(row) {
                    Some(Entry::Session(id)) => self
                        .data
                        .as_ref()
                        .is_some_and(|data| data.facts(*id).severity > Some(crate::rules::Severity::Info)),
                    _ => false,
                },
                Screen::Packets | Screen::Session(_) => self.packet_at(visit, row).is_some_and(|packet| {
                    self.data.as_ref().is_some_and(|data| data.cited.contains_key(&packet.at.number))
                }),
                _ => true,
            },
        }
    }

    /// The mouse did something.
    pub(super) fn mouse(&mut self, mouse: MouseEvent) {
        if !self.mouse || self.dialog.is_some() || self.prompt.is_some() {
            return;
        }
        let at = Position { x: mouse.column, y: mouse.row };
        let place = self.drawn.places.iter().find(|place| place.outer.contains(at)).copied();
        match mouse.kind {
            MouseEventKind::ScrollDown | MouseEventKind::ScrollUp => {
                if let Some(place) = place {
                    self.visit_mut().focus = place.pane;
                    self.step(if mouse.kind == MouseEventKind::ScrollDown { 3 } else { -3 });
                }
            }
            MouseEventKind::Down(MouseButton::Left) => {
                let button =
                    self.drawn.buttons.iter().find(|(area, _)| area.contains(at)).map(|(_, key)| *key);
                if let Some(key) = button {
                    self.digits = None;
                    self.normal_key(key.to_owned());
                    self.digits = None;
                    return;
                }
                let Some(place) = place else { return };
                let pressed = self.pressed.replace((self.now, mouse.column, mouse.row));
                self.visit_mut().focus = place.pane;
                if !place.area.contains(at) {
                    return;
                }
                let row = place.top + usize::from(at.y - place.area.y);
                if row >= place.rows {
                    return;
                }
                let again = pressed.is_some_and(|(when, x, y)| {
                    (x, y) == (mouse.column, mouse.row) && self.now.saturating_sub(when) < DOUBLE
                });
                if self.visit().cursor(place.pane).at != row {
                    self.put_cursor(row);
                }
                if again {
                    self.pressed = None;
                    self.open();
                }
            }
            MouseEventKind::Drag(MouseButton::Left) => {
                // The border between the first pane and those below it is drawn along.
                let first = self.visit().panes().first().copied();
                let top = first.and_then(|pane| self.drawn.place(pane)).map(|place| place.outer);
                if let Some(top) = top
                    && self.pressed.is_some_and(|(_, _, y)| y.abs_diff(top.bottom()) <= 1)
                {
                    let height = self.drawn.size.1.saturating_sub(top.y + 1).max(1);
                    let percent = mouse.row.saturating_sub(top.y) * 100 / height;
                    self.visit_mut().split = percent.clamp(15, 85);
                    self.pressed = Some((self.now, mouse.column, mouse.row));
                }
            }
            _ => {}
        }
    }
}
