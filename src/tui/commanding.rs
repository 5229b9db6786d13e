//! What keys and pasted text do to the state.

use ratatui::crossterm::event::{KeyEvent, KeyEventKind};

use super::dialogs::{Dialog, type_key};
use super::kept::remember;
use super::keys::{self, Command, Meant};
use super::state::{Effect, Pane, Prompt, PromptKind, State, Tab};
use super::theme::Tone;
use super::widgets::input::Input;

/// Milliseconds within which digits belong together.
const TOGETHER: u64 = 350;

impl State {
    /// A key was pressed.
    pub(super) fn key(&mut self, key: KeyEvent) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        let Some(name) = keys::name(key) else { return };
        self.word = None;
        if self.dialog.is_some() {
            self.dialog_key(&name);
        } else if self.prompt.is_some() {
            self.prompt_key(&name);
        } else {
            self.normal_key(name);
        }
    }

    pub(super) fn normal_key(&mut self, name: String) {
        if self.pending.is_empty()
            && name.len() == 1
            && name.as_bytes().first().is_some_and(u8::is_ascii_digit)
        {
            self.digit(&name);
            return;
        }
        let count = self.take_count(&name);
        self.pending.push(name);
        let place = self.visit().place();
        match keys::meant(&self.pending, place, &self.remapped) {
            Meant::More => {}
            Meant::Nothing => {
                let typed = self.pending.join("");
                self.pending.clear();
                self.say(Tone::Dim, format!("{typed} does nothing here; ? shows the keys"));
            }
            Meant::Command(command, letter) => {
                self.pending.clear();
                self.run(command, count, letter);
            }
        }
    }

    /// A digit goes to its screen at once; if a count follows (`12G`), the screen before it is taken back.
    pub(super) fn digit(&mut self, name: &str) {
        let (text, before) = match self.digits.take() {
            Some((text, at, before)) if self.now.saturating_sub(at) < TOGETHER => (text + name, before),
            _ => (name.to_owned(), self.visits.clone()),
        };
        let place = self.visit().place();
        if let Meant::Command(command, _) = keys::meant(&[name.to_owned()], place, &self.remapped) {
            self.run(command, None, None);
        }
        if text.len() < 10 {
            self.digits = Some((text, self.now, before));
        }
    }

    /// The count before a command that takes one; the screen is what it was before its digits.
    pub(super) fn take_count(&mut self, name: &str) -> Option<usize> {
        let (text, at, before) = self.digits.take()?;
        if !matches!(name, "G" | "j" | "k" | "Down" | "Up") || self.now.saturating_sub(at) >= TOGETHER {
            return None;
        }
        // `4` and then `G` is the end of the packets more often than the fourth row of where one was.
        if text.len() < 2 && matches!(text.as_str(), "1" | "2" | "3" | "4" | "5" | "6") {
            return None;
        }
        self.visits = before;
        text.parse().ok()
    }

    /// Text was pasted.
    pub(super) fn paste(&mut self, pasted: &str) {
        if let Some(prompt) = &mut self.prompt {
            prompt.input.insert(pasted);
            self.typed = Some(self.now);
        } else {
            match &mut self.dialog {
                Some(Dialog::Export { path, line: 2, .. } | Dialog::Baseline { path, .. }) => {
                    path.insert(pasted);
                }
                Some(Dialog::Mute { lines, line, .. }) => {
                    if let Some(input) = lines.get_mut(*line) {
                        input.insert(pasted);
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn prompt_key(&mut self, key: &str) {
        let Some(mut prompt) = self.prompt.take() else { return };
        let history = match prompt.kind {
            PromptKind::Command => self.kept.commands.clone(),
            PromptKind::Find => self.kept.finds.clone(),
            // Those with a name lie behind those that were typed.
            PromptKind::Filter => {
                let saved = self.kept.saved.values().filter(|text| !self.kept.filters.contains(text));
                saved.chain(&self.kept.filters).cloned().collect()
            }
            PromptKind::Note(_) => Vec::new(),
        };
        match key {
            "Esc" | "Ctrl-c" => return,
            "Enter" => {
                self.typed(prompt.kind, &prompt.input.text);
                return;
            }
            "Up" => prompt.input.recall(&history, true),
            "Down" => prompt.input.recall(&history, false),
            "Backspace" if prompt.input.text.is_empty() => return,
            "Tab" | "BackTab" if prompt.kind == PromptKind::Filter => {
                prompt.input.complete(key == "Tab", |text, at| self.filter_offers(text, at));
            }
            "Tab" | "BackTab" if prompt.kind == PromptKind::Command => {
                prompt.input.complete(key == "Tab", |text, at| self.command_offers(text, at));
            }
            key => type_key(&mut prompt.input, key),
        }
        self.typed = Some(self.now);
        self.prompt = Some(prompt);
    }

    pub(super) fn typed(&mut self, kind: PromptKind, said: &str) {
        match kind {
            PromptKind::Command => {
                remember(&mut self.kept.commands, said);
                self.command(said);
            }
            PromptKind::Find => {
                remember(&mut self.kept.finds, said);
                self.find(said);
            }
            PromptKind::Filter => self.filter(said),
            PromptKind::Note(subject) => self.put_note(subject, said),
        }
    }

    /// Does what a command says.
    #[allow(clippy::too_many_lines, reason = "one line a command: a table that is longer than a page")]
    pub(super) fn run(&mut self, command: Command, count: Option<usize>, letter: Option<char>) {
        let page = self.page();
        match command {
            Command::Down => self.step(count.unwrap_or(1) as isize),
            Command::Up => self.step(-(count.unwrap_or(1) as isize)),
            Command::HalfDown => self.step((page / 2).max(1) as isize),
            Command::HalfUp => self.step(-((page / 2).max(1) as isize)),
            Command::PageDown => self.step(page as isize),
            Command::PageUp => self.step(-(page as isize)),
            Command::First => self.put_cursor(0),
            Command::Last => self.last(count),
            Command::Left | Command::Right => self.sideways(command == Command::Right),
            Command::Open => self.open(),
            Command::Back => self.back(),
            Command::Quit => self.leave(false),
            Command::GoTo(number) => self.go(number),
            Command::NextPane | Command::PreviousPane => self.turn_pane(command == Command::NextPane),
            Command::NextTab | Command::PreviousTab => self.turn_tab(command == Command::NextTab),
            Command::Find => self.ask(PromptKind::Find, ""),
            Command::Filter => {
                let text = self.visit().filter.as_ref().map(|filter| filter.text.clone()).unwrap_or_default();
                self.ask(PromptKind::Filter, &text);
            }
            Command::NextHit | Command::PreviousHit => self.next_hit(command == Command::NextHit),
            Command::Ladder | Command::ToSession => self.detail(Tab::Ladder),
            Command::Follow => self.detail(Tab::Follow),
            Command::Packets => self.detail(Tab::Packets),
            Command::Evidence => self.detail(Tab::Evidence),
            Command::Diff => self.diff(),
            Command::Tag => self.tag(),
            Command::TagAll => self.tag_all(),
            Command::Mark => self.mark(letter),
            Command::Jump => self.jump(letter),
            Command::JumpBack => {
                if let Some(before) = self.before_jump.take() {
                    self.before_jump = Some(std::mem::replace(&mut self.visits, before));
                } else {
                    self.say(Tone::Dim, "no jump was made yet");
                }
            }
            Command::Note => match self.subject() {
                Some(subject) => {
                    let note = self.kept.notes.get(&subject).cloned().unwrap_or_default();
                    self.ask(PromptKind::Note(subject), &note);
                }
                None => self.say(Tone::Dim, "nothing here takes a note"),
            },
            Command::Sort => {
                let sorts = self.sorts();
                let visit = self.visit_mut();
                let mut next = (visit.sort.0 + 1) % sorts.len().max(1);
                while sorts.get(next).is_some_and(|name| name.is_empty()) {
                    next = (next + 1) % sorts.len();
                }
                visit.sort = (next, false);
                self.refresh_top();
            }
            Command::SortAround => {
                let visit = self.visit_mut();
                visit.sort.1 = !visit.sort.1;
                self.refresh_top();
            }
            Command::Group => {
                let groups = self.groups().len().max(1);
                let visit = self.visit_mut();
                visit.group = (visit.group + 1) % groups;
                self.refresh_top();
            }
            Command::Columns => self.command("columns"),
            Command::FilterValue => self.only_value(false, false),
            Command::FilterAnd => self.only_value(true, false),
            Command::FilterNot => self.only_value(true, true),
            Command::FilterToggle => {
                let visit = self.visit_mut();
                if visit.narrow.is_empty() && visit.filter.is_none() {
                    self.say(Tone::Dim, "nothing is hidden");
                } else {
                    visit.unfiltered = !visit.unfiltered;
                    self.refresh_top();
                }
            }
            Command::CopyValue => self.copy_value(),
            Command::CopyFilter => self.copy_filter(),
            Command::Export => self.open_export(None, None),
            Command::Times => self.times = self.times.next(),
            Command::TimeReference => self.time_reference(),
            Command::Zoom => {
                let visit = self.visit_mut();
                visit.zoomed = !visit.zoomed;
            }
            Command::Narrower | Command::Wider => self.resize(command == Command::Wider),
            Command::SameNext | Command::SamePrevious => self.same(command == Command::SameNext),
            Command::OnlyPhases => {
                let visit = self.visit_mut();
                visit.only_phases = !visit.only_phases;
                visit.put(Pane::Body, 0);
            }
            Command::SideOnly => {
                let visit = self.visit_mut();
                visit.side = (visit.side + 1) % 3;
                visit.put(Pane::Body, 0);
                let said = ["both sides", "the client only", "the server only"];
                let said = said.get(usize::from(self.visit().side)).copied().unwrap_or("");
                self.say(Tone::Dim, said);
            }
            Command::View => {
                if self.secrets {
                    let visit = self.visit_mut();
                    visit.hex = !visit.hex;
                    self.talk = None;
                    self.asked.retain(|asked| !matches!(asked, super::state::Asked::Talk(_)));
                } else {
                    self.say(
                        Tone::Warning,
                        "hex cannot mask secrets; :set secrets says that you want to see them",
                    );
                }
            }
            Command::Unfold => {
                let visit = self.visit_mut();
                visit.unfolded = !visit.unfolded;
                visit.put(Pane::Body, 0);
            }
            Command::Acknowledge => self.acknowledge(),
            Command::Mute => self.open_mute(),
            Command::Baseline => self.open_baseline(),
            Command::WholeWindow => self.visit_mut().window = (0, 1_000),
            Command::PanLeft | Command::PanRight => self.pan(command == Command::PanRight),
            Command::Pause => {
                self.held = !self.held;
                self.effects.push(Effect::Hold(self.held));
            }
            Command::CommandLine => self.ask(PromptKind::Command, ""),
            Command::Help => self.open_help(),
            Command::Redraw => self.effects.push(Effect::Redraw),
            Command::Suspend => self.effects.push(Effect::Suspend),
        }
    }

    pub(super) fn ask(&mut self, kind: PromptKind, said: &str) {
        self.counted = None;
        self.typed = Some(self.now);
        self.prompt = Some(Prompt { kind, input: Input::of(said) });
    }
}
