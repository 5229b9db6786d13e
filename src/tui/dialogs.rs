//! Boxes over the screen: what to export and how, which columns are shown, whether to leave unsaved notes.

use ratatui::text::{Line, Span};

use super::faces::{Form, Material};
use super::state::{Effect, Entry, Screen, State, Subject};
use super::theme::Tone;
use super::widgets::input::Input;
use super::widgets::text;
use crate::story::amounts::counted;

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialog {
    /// What to write, in which form, where.
    Export {
        /// Which sessions: tagged, shown, or the one under the cursor.
        scope: Scope,
        /// Place of the form.
        form: usize,
        /// Name of the file.
        path: Input,
        /// Which line the keys go to.
        line: usize,
    },
    /// Which columns are shown.
    Columns {
        /// Of which screen.
        screen: Screen,
        /// All of them.
        titles: Vec<&'static str>,
        /// The one under the cursor.
        at: usize,
    },
    /// A mute for the policy.
    Mute {
        /// Code of the rule.
        code: &'static str,
        /// What is typed: reason, last day, filter, file.
        lines: Box<[Input; 4]>,
        /// Which line the keys go to.
        line: usize,
    },
    /// Which findings go into which baseline.
    Baseline {
        /// Code of the rule.
        code: &'static str,
        /// Places of the findings.
        findings: Vec<u32>,
        /// Name of the file.
        path: Input,
    },
    /// Whether to go though notes could not be written.
    Leave,
}

/// Which sessions are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The tagged ones.
    Tagged,
    /// All that are shown.
    Shown,
    /// The one under the cursor.
    This,
}

impl Scope {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Tagged, "tagged"), (Self::Shown, "shown"), (Self::This, "this one")];

    fn next(self) -> Self {
        match self {
            Self::Tagged => Self::Shown,
            Self::Shown => Self::This,
            Self::This => Self::Tagged,
        }
    }
}

/// The title of a box.
pub fn title(dialog: &Dialog) -> &'static str {
    match dialog {
        Dialog::Export { .. } => "Export",
        Dialog::Columns { .. } => "Columns",
        Dialog::Mute { .. } => "Mute",
        Dialog::Baseline { .. } => "Baseline",
        Dialog::Leave => "Leave?",
    }
}

/// What can be done in a box.
pub fn below(dialog: &Dialog) -> &'static str {
    match dialog {
        Dialog::Export { .. } => "Tab line  Space change  Enter write  Esc not",
        Dialog::Columns { .. } => "Space show or hide  Enter done",
        Dialog::Mute { .. } => "Tab line  Enter write  Esc not",
        Dialog::Baseline { .. } => "Enter write  Esc not",
        Dialog::Leave => "y leave  n stay",
    }
}

/// The lines of a box.
pub fn lines(state: &State, dialog: &Dialog) -> Vec<Line<'static>> {
    let mark = |here: bool, said: String| {
        let style = state.theme.style(if here { Tone::Selected } else { Tone::Plain });
        Line::from(Span::styled(said, style))
    };
    match dialog {
        Dialog::Export { scope, form, path, line } => {
            let number = state.scope_sessions(*scope).len() as u64;
            let scopes: Vec<String> = Scope::ALL
                .iter()
                .map(|(other, name)| if other == scope { format!("[{name}]") } else { (*name).to_owned() })
                .collect();
            let forms: Vec<String> = state
                .forms
                .iter()
                .enumerate()
                .map(
                    |(place, other)| {
                        if place == *form { format!("[{}]", other.name) } else { other.name.to_owned() }
                    },
                )
                .collect();
            let what = match state.forms.get(*form).map(|form| form.of) {
                Some(Material::Packets) => "the packets as they are: payload and secrets are in this file",
                _ => "names of users become hashes, secrets and payload stay out",
            };
            vec![
                mark(*line == 0, format!("sessions  {}   {}", scopes.join(" "), counted(number, "session"))),
                mark(*line == 1, format!("form      {}", forms.join(" "))),
                mark(*line == 2, format!("file      {}", text::clean(&path.text))),
                Line::default(),
                Line::from(Span::styled(what, state.theme.style(Tone::Dim))),
            ]
        }
        Dialog::Columns { screen, titles, at } => titles
            .iter()
            .enumerate()
            .map(|(place, title)| {
                let sign = if state.hidden.contains(&(*screen, *title)) { " " } else { "x" };
                mark(place == *at, format!("[{sign}] {title}"))
            })
            .collect(),
        Dialog::Mute { code, lines, line } => {
            const LABELS: [&str; 4] = ["reason", "until", "where", "policy"];
            const HINTS: [&str; 4] = [
                "needed: who reads it later has to know",
                "2026-12-31; nothing for ever",
                "a filter; nothing for all",
                "",
            ];
            let mut all = vec![Line::from(format!("{code} shall not count any more")), Line::default()];
            let typed = lines.iter().zip(LABELS).zip(HINTS).enumerate();
            all.extend(typed.map(|(place, ((input, label), hint))| {
                let said = if input.text.is_empty() { hint.to_owned() } else { text::clean(&input.text) };
                let here = place == *line;
                let tail = if here && !input.text.is_empty() { "_" } else { "" };
                mark(here, format!("{label:<8}{said}{tail}"))
            }));
            all
        }
        Dialog::Baseline { code, findings, path } => vec![
            Line::from(format!(
                "as known, to be passed by `check --baseline`: {} of {code}",
                counted(findings.len() as u64, "finding")
            )),
            Line::default(),
            mark(true, format!("file    {}_", text::clean(&path.text))),
        ],
        Dialog::Leave => vec![
            Line::from("What you noted could not be written and will be lost."),
            Line::from("Leave all the same?"),
        ],
    }
}

impl State {
    /// Ids of the sessions of a scope.
    pub fn scope_sessions(&self, scope: Scope) -> Vec<u32> {
        let Some(data) = &self.data else { return Vec::new() };
        match scope {
            Scope::This => self.shown_session().into_iter().collect(),
            Scope::Tagged => {
                let tagged = |uid: u64| self.kept.tags.contains(&Subject::Session(uid));
                data.analysis
                    .sessions
                    .iter()
                    .filter(|session| tagged(session.uid))
                    .map(|session| session.id)
                    .collect()
            }
            Scope::Shown => {
                let visit = self.visit();
                let mut ids: Vec<u32> = match visit.screen {
                    Screen::Sessions => visit
                        .sessions
                        .iter()
                        .filter_map(|entry| if let Entry::Session(id) = entry { Some(*id) } else { None })
                        .collect(),
                    Screen::Findings => {
                        visit.clusters.iter().flat_map(|cluster| cluster.sessions.iter().copied()).collect()
                    }
                    _ => self.shown_session().into_iter().collect(),
                };
                ids.sort_unstable();
                ids.dedup();
                ids
            }
        }
    }

    /// Opens the export box.
    pub(super) fn open_export(&mut self, form: Option<usize>, path: Option<&str>) {
        if self.forms.is_empty() {
            self.say(Tone::Warning, "nothing can be exported from here");
            return;
        }
        let scope = if !self.scope_sessions(Scope::Tagged).is_empty() {
            Scope::Tagged
        } else if matches!(self.visit().screen, Screen::Session(_) | Screen::Packets) {
            Scope::This
        } else {
            Scope::Shown
        };
        let form = form.unwrap_or(0);
        let path = path.map_or_else(|| self.default_path(form), str::to_owned);
        self.dialog = Some(Dialog::Export { scope, form, path: Input::of(&path), line: 0 });
    }

    fn default_path(&self, form: usize) -> String {
        let end = match self.forms.get(form) {
            Some(Form { name: "mermaid", .. }) => "mmd",
            Some(form) => form.name,
            None => "txt",
        };
        let name = self.inputs.first().map_or("session", String::as_str);
        let name = name.rsplit('/').next().unwrap_or(name);
        let name = name.split('.').next().filter(|name| !name.is_empty()).unwrap_or("session");
        format!("{name}.{end}")
    }

    /// A key for the box that is open.
    pub(super) fn dialog_key(&mut self, key: &str) {
        let Some(mut dialog) = self.dialog.take() else { return };
        if key == "Esc" || key == "Ctrl-c" {
            return;
        }
        match &mut dialog {
            Dialog::Leave => {
                match key {
                    "y" | "Y" | "Q" => self.effects.push(Effect::Quit),
                    "n" | "N" | "q" | "Enter" => {}
                    _ => self.dialog = Some(dialog),
                }
                return;
            }
            Dialog::Mute { code, lines, line } => match key {
                "Enter" => match self.write_mute(code, lines) {
                    Ok(()) => return,
                    Err(wrong) => *line = wrong,
                },
                "Tab" | "Down" => *line = (*line + 1) % lines.len(),
                "BackTab" | "Up" => *line = (*line + lines.len() - 1) % lines.len(),
                key => {
                    if let Some(input) = lines.get_mut(*line) {
                        type_key(input, key);
                    }
                }
            },
            Dialog::Baseline { findings, path, .. } => match key {
                "Enter" if path.text.trim().is_empty() => {
                    self.say(Tone::Warning, "the baseline needs a name");
                }
                "Enter" => {
                    if let Some(files) = &mut self.gate {
                        path.text.trim().clone_into(&mut files.baseline);
                    }
                    let path = path.text.trim().to_owned();
                    self.effects.push(Effect::Baseline { findings: std::mem::take(findings), path });
                    return;
                }
                key => type_key(path, key),
            },
            Dialog::Columns { screen, titles, at } => match key {
                "Enter" | "q" | "c" => return,
                "j" | "Down" | "Tab" => *at = (*at + 1) % titles.len().max(1),
                "k" | "Up" | "BackTab" => *at = (*at + titles.len().max(1) - 1) % titles.len().max(1),
                "Space" | "x" => {
                    if let Some(title) = titles.get(*at) {
                        let hidden = (*screen, *title);
                        let left =
                            titles.iter().filter(|title| !self.hidden.contains(&(*screen, **title))).count();
                        if !self.hidden.remove(&hidden) && left > 1 {
                            self.hidden.insert(hidden);
                        }
                    }
                }
                _ => {}
            },
            Dialog::Export { scope, form, path, line } => match (key, *line) {
                ("Enter", _) => {
                    let sessions = self.scope_sessions(*scope);
                    let chosen = self.forms.get(*form).copied();
                    match (sessions.is_empty(), chosen) {
                        (true, _) => {
                            self.say(Tone::Warning, "no session to write: tag some, or choose others");
                        }
                        (_, Some(form)) => {
                            self.say(Tone::Dim, format!("writing {}", path.text));
                            let (path, form) = (path.text.clone(), form.name);
                            self.effects.push(Effect::Export { path, form, sessions });
                        }
                        (_, None) => {}
                    }
                    return;
                }
                ("Tab" | "Down", _) => *line = (*line + 1) % 3,
                ("BackTab" | "Up", _) => *line = (*line + 2) % 3,
                (_, 2) => type_key(path, key),
                ("j", _) => *line = (*line + 1) % 3,
                ("k", _) => *line = (*line + 2) % 3,
                ("Space" | "l" | "Right", 0) => *scope = scope.next(),
                ("h" | "Left", 0) => *scope = scope.next().next(),
                (step @ ("Space" | "l" | "Right" | "h" | "Left"), 1) => {
                    let forms = self.forms.len().max(1);
                    let before = self.default_path(*form);
                    let back = matches!(step, "h" | "Left");
                    *form = (*form + if back { forms - 1 } else { 1 }) % forms;
                    if path.text == before {
                        *path = Input::of(&self.default_path(*form));
                    }
                }
                _ => {}
            },
        }
        self.dialog = Some(dialog);
    }
}

/// A key for a line that is typed; what is no editing is left to others.
pub fn type_key(input: &mut Input, key: &str) {
    match key {
        "Left" => input.left(),
        "Right" => input.right(),
        "Home" | "Ctrl-a" => input.home(),
        "End" | "Ctrl-e" => input.end(),
        "Backspace" | "Ctrl-h" => input.backspace(),
        "Delete" => input.delete(),
        "Ctrl-u" => input.clear(),
        "Ctrl-w" => input.backword(),
        "Space" => input.insert(" "),
        key if key.chars().count() == 1 => input.insert(key),
        _ => {}
    }
}
