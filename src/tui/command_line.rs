//! What can be typed behind the colon, with completion.

use super::keys::{self, KEYS};
use super::rows::{FINDING_SORTS, SESSION_GROUPS, SESSION_SORTS};
use super::state::{Effect, Screen, State, Tab, Visit};
use super::theme::{PALETTES, Theme, Tone};
use super::{clock::TimeMode, clusters, screens::hosts};

/// A command of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    /// Its name.
    pub(super) name: &'static str,
    /// What it takes.
    pub(super) takes: &'static str,
    /// A line for the help page.
    pub(super) about: &'static str,
}

/// All of them.
pub(super) static COMMANDS: &[Order] = &[
    Order { name: "columns", takes: "[TITLE]", about: "choose the columns, or show and hide one" },
    Order { name: "export", takes: "FORM [FILE]", about: "write what is tagged or shown" },
    Order {
        name: "filter",
        takes: "TEXT",
        about: "show only what a display filter lets through; without a text everything",
    },
    Order { name: "find", takes: "TEXT", about: "find a text in the pane" },
    Order { name: "goto", takes: "S-0171|1234", about: "to a session, or to a packet by its number" },
    Order { name: "group", takes: "NAME", about: "group the list" },
    Order { name: "help", takes: "", about: "the keys of this place" },
    Order {
        name: "map",
        takes: "KEY COMMAND",
        about: "bind a key to a command of the table of keys, as in :map J page-down",
    },
    Order {
        name: "note",
        takes: "TEXT",
        about: "a note on the session or the packet; without a text it is taken away",
    },
    Order { name: "quit", takes: "", about: "quit" },
    Order {
        name: "save-filter",
        takes: "NAME",
        about: "save the filter in force under a name; where none is, the name is forgotten",
    },
    Order { name: "saved", takes: "NAME", about: "put a saved filter on" },
    Order {
        name: "set",
        takes: "WORD",
        about: "mouse, nomouse; secrets, nosecrets (tokens and cookies in FOLLOW; passwords never); profile default, profile vim",
    },
    Order { name: "sort", takes: "COLUMN", about: "sort the list; again turns it round" },
    Order { name: "theme", takes: "NAME", about: "default, high-contrast, light, mono" },
    Order { name: "time", takes: "MODE", about: "rel, delta, UTC, local" },
    Order { name: "untag", takes: "", about: "no tags" },
    Order { name: "wireshark", takes: "", about: "copy the Wireshark filter that shows this" },
];

const MODES: [TimeMode; 4] = [TimeMode::Relative, TimeMode::Delta, TimeMode::Utc, TimeMode::Local];
const SETTINGS: [&str; 5] = ["mouse", "nomouse", "nosecrets", "profile", "secrets"];

impl State {
    /// What the word under the cursor of the command line could become, and where it begins.
    pub(super) fn command_offers(&self, text: &str, at: usize) -> (usize, Vec<String>) {
        let before = text.get(..at).unwrap_or_default();
        let start = before.rfind(' ').map_or(0, |space| space + 1);
        let word = before.get(start..).unwrap_or_default();
        let words: Vec<&str> = before.get(..start).unwrap_or_default().split_whitespace().collect();
        let list: Vec<String> = match words[..] {
            [] => COMMANDS.iter().map(|order| order.name.to_owned()).collect(),
            ["theme"] => PALETTES.iter().map(|name| (*name).to_owned()).collect(),
            ["sort"] => self.sorts().iter().map(|name| (*name).to_owned()).collect(),
            ["group"] => self.groups().iter().map(|name| (*name).to_owned()).collect(),
            ["export"] => self.forms.iter().map(|form| form.name.to_owned()).collect(),
            ["set", "profile"] => {
                keys::Profile::ALL.iter().map(|profile| profile.name().to_owned()).collect()
            }
            ["saved" | "save-filter"] => self.kept.saved.keys().cloned().collect(),
            ["set"] => SETTINGS.iter().map(|name| (*name).to_owned()).collect(),
            ["time"] => MODES.iter().map(|mode| mode.name().to_owned()).collect(),
            ["columns"] => self.column_titles().iter().map(|name| (*name).to_owned()).collect(),
            ["map", _] => KEYS.iter().map(|binding| binding.name.to_owned()).collect(),
            ["goto"] => self
                .data
                .iter()
                .flat_map(|data| data.analysis.sessions.iter().map(crate::session::Session::name))
                .filter(|name| name.starts_with(word))
                .take(20)
                .collect(),
            _ => Vec::new(),
        };
        (start, list.into_iter().filter(|offer| offer.starts_with(word)).collect())
    }

    /// The columns by which the list that is seen can be sorted.
    pub(super) fn sorts(&self) -> Vec<&'static str> {
        match self.visit().screen {
            Screen::Sessions => SESSION_SORTS.to_vec(),
            Screen::Findings => FINDING_SORTS.to_vec(),
            Screen::Hosts => hosts::SORTS.to_vec(),
            Screen::Stats => {
                let table = self.data.as_ref().and_then(|data| data.tables.get(self.visit().table));
                // The first three places are those of the table's own order.
                let own = ["as made", "", ""].into_iter();
                own.chain(table.into_iter().flat_map(|(_, table)| table.headings.iter().copied())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The groupings of the list that is seen.
    pub(super) fn groups(&self) -> Vec<&'static str> {
        match self.visit().screen {
            Screen::Sessions => SESSION_GROUPS.to_vec(),
            Screen::Findings => clusters::GROUPS.to_vec(),
            _ => Vec::new(),
        }
    }

    /// The columns of the list that is seen.
    pub(super) fn column_titles(&self) -> Vec<&'static str> {
        match self.visit().screen {
            Screen::Sessions => SESSION_SORTS.iter().copied().chain(["lifecycle"]).collect(),
            Screen::Findings => {
                vec!["sev", "rule", "name", "hits", "sess", "server", "first", "conf", "state", "one line"]
            }
            Screen::Packets => vec!["no.", "time", "src", "dst", "proto", "len", "sess", "info"],
            _ => Vec::new(),
        }
    }

    /// Does what was typed behind the colon.
    pub(super) fn command(&mut self, line: &str) {
        let line = line.trim();
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match name {
            "" => {}
            "q" | "quit" | "q!" | "wq" | "x" => self.leave(name == "q!"),
            "help" => self.open_help(),
            "find" if !rest.is_empty() => self.find(rest),
            "filter" => self.filter(rest),
            "goto" => self.go_to(rest),
            "sort" => self.sort_by(rest),
            "group" => self.group_by(rest),
            "columns" => self.columns(rest),
            "export" => self.export(rest),
            "map" => self.map(rest),
            "note" => self.note(rest),
            "save-filter" => self.save_filter(rest),
            "saved" => self.saved_filter(rest),
            "set" => self.set(rest),
            "theme" => self.set_theme(rest),
            "time" => match MODES.iter().find(|mode| mode.name().eq_ignore_ascii_case(rest)) {
                Some(mode) => self.times = *mode,
                None => self.say(Tone::Warning, format!("time {rest}: there are rel, delta, UTC, local")),
            },
            "untag" => {
                self.kept.tags.clear();
                self.effects.push(Effect::Keep);
            }
            "wireshark" => self.copy_filter(),
            number if number.bytes().all(|byte| byte.is_ascii_digit()) => self.go_to(number),
            other => {
                let near = COMMANDS.iter().find(|order| order.name.starts_with(other));
                let hint = near.map_or(String::new(), |order| format!("; :{} ?", order.name));
                self.say(Tone::Warning, format!("no command {other:?}{hint} (? lists them)"));
            }
        }
    }

    fn set_theme(&mut self, name: &str) {
        if Theme::is_known(name) {
            self.theme = self.theme.with(name);
        } else {
            self.say(Tone::Warning, format!("no theme {name:?}; there are {}", PALETTES.join(", ")));
        }
    }

    fn set(&mut self, word: &str) {
        match word {
            "mouse" | "nomouse" => {
                self.mouse = word == "mouse";
                self.effects.push(Effect::Mouse(self.mouse));
            }
            "secrets" | "nosecrets" => {
                self.secrets = word == "secrets";
                self.talk = None;
                if !self.secrets {
                    self.visit_mut().hex = false;
                }
                let said = if self.secrets {
                    "tokens and cookies are shown in this run"
                } else {
                    "secrets are masked"
                };
                self.say(Tone::Warning, said);
            }
            word if word.starts_with("profile") => {
                let name = word.trim_start_matches("profile").trim();
                if let Some(profile) = keys::Profile::named(name) {
                    self.remapped = profile.keys();
                    self.say(Tone::Dim, format!("keys of the {name} profile; ? shows them"));
                } else {
                    let names = keys::Profile::ALL.map(keys::Profile::name).join(", ");
                    self.say(Tone::Warning, format!("set profile {name}: there are {names}"));
                }
            }
            _ => self.say(Tone::Warning, format!("set {word}: there are {}", SETTINGS.join(", "))),
        }
    }

    fn map(&mut self, rest: &str) {
        let Some((keys, name)) = rest.rsplit_once(' ') else {
            self.say(Tone::Warning, "map KEY COMMAND, as in :map J page-down");
            return;
        };
        match keys::binding(keys.trim(), name.trim()) {
            Ok((keys, name)) => {
                self.remapped.insert(keys, name);
            }
            Err(why) => self.say(Tone::Warning, why),
        }
    }

    fn sort_by(&mut self, name: &str) {
        let sorts = self.sorts();
        match sorts.iter().position(|sort| *sort == name && !sort.is_empty()) {
            Some(place) => {
                let visit = self.visit_mut();
                visit.sort = (place, visit.sort.0 == place && !visit.sort.1);
                self.refresh_top();
            }
            None => self.say(Tone::Warning, format!("sort {name}: there are {}", sorts.join(" "))),
        }
    }

    fn group_by(&mut self, name: &str) {
        let groups = self.groups();
        match groups.iter().position(|group| *group == name) {
            Some(place) => {
                self.visit_mut().group = place;
                self.refresh_top();
            }
            None => self.say(Tone::Warning, format!("group {name}: there are {}", groups.join(" "))),
        }
    }

    fn columns(&mut self, title: &str) {
        let titles = self.column_titles();
        if titles.is_empty() {
            self.say(Tone::Warning, "this list has its columns for good");
            return;
        }
        let screen = self.visit().screen;
        if title.is_empty() {
            self.dialog = Some(super::dialogs::Dialog::Columns { screen, titles, at: 0 });
        } else if let Some(title) = titles.iter().find(|known| **known == title) {
            if !self.hidden.remove(&(screen, *title)) {
                self.hidden.insert((screen, *title));
            }
        } else {
            self.say(Tone::Warning, format!("no column {title:?}; there are {}", titles.join(" ")));
        }
    }

    fn export(&mut self, rest: &str) {
        let (form, path) = rest.split_once(' ').unwrap_or((rest, ""));
        match self.forms.iter().position(|known| known.name == form) {
            Some(place) => self.open_export(Some(place), (!path.is_empty()).then_some(path)),
            None if form.is_empty() => self.open_export(None, None),
            None => {
                let names: Vec<&str> = self.forms.iter().map(|form| form.name).collect();
                self.say(Tone::Warning, format!("export {form}: there are {}", names.join(" ")));
            }
        }
    }

    /// To a session or a packet.
    pub(super) fn go_to(&mut self, name: &str) {
        let digits = name.trim_start_matches(['S', 's']).trim_start_matches('-');
        let Ok(number) = digits.parse::<u64>() else {
            self.say(Tone::Warning, format!("goto {name}: as in S-0171, or 1234 for a packet"));
            return;
        };
        if digits.len() == name.len() {
            self.jump_to_packet(number);
            return;
        }
        let known = self.data.as_ref().and_then(|data| data.session(number as u32)).is_some();
        if known {
            self.before_jump = Some(self.visits.clone());
            self.push(Visit::session(number as u32, Tab::Ladder));
        } else {
            self.say(Tone::Warning, format!("there is no session S-{number:04}"));
        }
    }
}
