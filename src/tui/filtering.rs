//! The filter box: what is typed is understood while it is typed; what it lets through is found by a worker.

use std::sync::Arc;

use super::kept::remember;
use super::state::{Effect, Filtered, Pane, PromptKind, Screen, State, Visit};
use super::theme::Tone;
use crate::filter::complete::complete;
use crate::filter::{Macros, Scope, compile};

/// What a filter on a screen is asked of; none where a screen has no filter.
pub(super) fn scope(screen: Screen) -> Option<Scope> {
    match screen {
        Screen::Sessions => Some(Scope::Sessions),
        Screen::Findings => Some(Scope::Findings),
        Screen::Packets => Some(Scope::Packets),
        _ => None,
    }
}

/// What is typed, as a sign: right, not finished, or wrong and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Valid {
    /// It is a filter.
    Yes,
    /// It may become one.
    NotYet,
    /// It is none.
    No(String),
}

impl State {
    /// Whether what is typed in the filter box is a filter.
    pub(super) fn valid(&self) -> Option<Valid> {
        let prompt = self.prompt.as_ref().filter(|prompt| prompt.kind == PromptKind::Filter)?;
        let scope = scope(self.visit().screen)?;
        if prompt.input.text.trim().is_empty() {
            return Some(Valid::Yes);
        }
        Some(match compile(&prompt.input.text, scope, &Macros::new()) {
            Ok(_) => Valid::Yes,
            Err(refusal) if refusal.incomplete => Valid::NotYet,
            Err(refusal) => Valid::No(refusal.sentence()),
        })
    }

    /// Lets a worker count what the text in the filter box lets through, when nothing was typed for a moment.
    pub(super) fn count_typed(&mut self) {
        const MOMENT: u64 = 150;
        if self.typed.is_none_or(|typed| self.now.saturating_sub(typed) < MOMENT)
            || self.valid() != Some(Valid::Yes)
        {
            return;
        }
        let (Some(prompt), Some(scope)) = (&self.prompt, scope(self.visit().screen)) else { return };
        let text = prompt.input.text.trim().to_owned();
        self.typed = None;
        if !text.is_empty() && self.data.is_some() {
            self.effects.push(Effect::Count { text, scope });
        }
    }

    /// What is known of how much the text in the filter box lets through.
    pub(super) fn live_count(&self) -> Option<&Result<u64, String>> {
        let prompt = self.prompt.as_ref().filter(|prompt| prompt.kind == PromptKind::Filter)?;
        let (text, counted) = self.counted.as_ref()?;
        (prompt.input.text.trim() == text).then_some(counted)
    }

    /// Saves the filter in force under a name, or takes the name away.
    pub(super) fn save_filter(&mut self, name: &str) {
        if name.is_empty() || name.contains(char::is_whitespace) {
            self.say(Tone::Warning, "save-filter NAME: one word, under which :saved finds it again");
            return;
        }
        let text = self.visit().filter.as_ref().map(|filter| filter.text.clone());
        let said = match text {
            Some(text) => {
                self.kept.saved.insert(name.to_owned(), text);
                format!("saved; :saved {name} puts it on again, and it lies in the history of the box")
            }
            None if self.kept.saved.remove(name).is_some() => {
                format!("{name} is forgotten: no filter is in force")
            }
            None => "no filter is in force that could be saved".to_owned(),
        };
        self.effects.push(Effect::Keep);
        self.say(Tone::Dim, said);
    }

    /// Puts a saved filter on.
    pub(super) fn saved_filter(&mut self, name: &str) {
        match self.kept.saved.get(name).cloned() {
            Some(text) => self.filter(&text),
            None if self.kept.saved.is_empty() => {
                self.say(Tone::Warning, "no filter is saved; :save-filter NAME does");
            }
            None => {
                let names: Vec<&str> = self.kept.saved.keys().map(String::as_str).collect();
                self.say(Tone::Warning, format!("saved {name}: there are {}", names.join(" ")));
            }
        }
    }

    /// What the word under the cursor of the filter box could become: names and their words first, then what was seen.
    pub(super) fn filter_offers(&self, text: &str, at: usize) -> (usize, Vec<String>) {
        let found = complete(text, at);
        let mut offers: Vec<String> = found.candidates.into_iter().map(|candidate| candidate.text).collect();
        let before = text.get(..found.span.start).unwrap_or_default();
        let word = text.get(found.span.start..at).unwrap_or_default();
        if offers.is_empty() {
            offers = self
                .seen_values(before)
                .into_iter()
                .filter(|value| value.starts_with(word))
                .take(20)
                .collect();
        }
        (found.span.start, offers)
    }

    /// Values that this capture has for the field before a comparison, the frequent first.
    fn seen_values(&self, before: &str) -> Vec<String> {
        let Some(data) = &self.data else { return Vec::new() };
        let left = before.trim_end().trim_end_matches(['"', '=', '!', ' ']);
        let field = left.rsplit([' ', '(', '!', '&', '|']).next().unwrap_or_default();
        let mut counts: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
        let mut note = |value: String| *counts.entry(value).or_default() += 1;
        for session in &data.analysis.sessions {
            match field {
                "session.proto" => note(session.protocol.to_owned()),
                "session.server" | "ip.dst" | "ip.addr" => note(session.server.ip.to_string()),
                "session.client" | "ip.src" => note(session.client.ip.to_string()),
                "session.server.port" | "tcp.port" | "tcp.dstport" => note(session.server.port.to_string()),
                "session.who" | "session.user" => {
                    if let Some(who) = &session.principal {
                        note(who.name.to_string());
                    }
                }
                "session.id" => note(session.name()),
                _ => {}
            }
        }
        for finding in &data.analysis.findings {
            match field {
                "finding.rule" => note(finding.rule.code.to_owned()),
                "finding.name" => note(finding.rule.name.to_owned()),
                _ => {}
            }
        }
        let mut values: Vec<(String, usize)> = counts.into_iter().collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        values.into_iter().map(|(value, _)| value).collect()
    }

    /// Puts a filter on the screen that is seen; an empty one takes it away.
    pub(super) fn filter(&mut self, text: &str) {
        let screen = self.visit().screen;
        let Some(scope) = scope(screen) else {
            self.say(Tone::Dim, "this screen has no filter");
            return;
        };
        let text = text.trim();
        if text.is_empty() {
            let visit = self.visit_mut();
            visit.filter = None;
            visit.narrow.clear();
            self.refresh_top();
            return;
        }
        if let Err(refusal) = compile(text, scope, &Macros::new()) {
            // What is in force stays; what was typed can be mended.
            self.say(Tone::Error, refusal.sentence());
            self.prompt = Some(super::state::Prompt {
                kind: PromptKind::Filter,
                input: super::widgets::input::Input::of(text),
            });
            return;
        }
        remember(&mut self.kept.filters, text);
        self.ask_filter(screen, text.to_owned());
    }

    /// Asks what a filter lets through, and shows everything until that is known.
    pub(super) fn ask_filter(&mut self, screen: Screen, text: String) {
        let Some(scope) = scope(screen) else { return };
        let filter = Filtered { text: text.clone(), passes: None };
        if self.visit().screen == screen {
            let visit = self.visit_mut();
            visit.unfiltered = false;
            visit.filter = Some(filter);
        } else {
            let root = self.roots.entry(screen).or_insert_with(|| Visit::new(screen));
            root.filter = Some(filter);
        }
        self.effects.push(Effect::Filter { text, scope });
    }

    /// It is known what a filter lets through.
    pub(super) fn filtered(&mut self, text: &str, wanted: Scope, passes: Result<Arc<Vec<u64>>, String>) {
        let passes = match passes {
            Ok(passes) => passes,
            Err(why) => {
                self.say(Tone::Error, why);
                return;
            }
        };
        let fits = |visit: &Visit| {
            scope(visit.screen) == Some(wanted)
                && visit.filter.as_ref().is_some_and(|filter| filter.text == text)
        };
        let mut visits =
            std::mem::replace(&mut self.visits, super::state::Stack::new(Visit::new(Screen::Help)));
        let mut roots = std::mem::take(&mut self.roots);
        for visit in visits.iter_mut().chain(roots.values_mut()).filter(|visit| fits(visit)) {
            if let Some(filter) = &mut visit.filter {
                filter.passes = Some(Arc::clone(&passes));
            }
            self.refresh(visit);
            let at = visit.cursor(Pane::List).at;
            visit.put(Pane::List, at);
        }
        self.visits = visits;
        self.roots = roots;
    }
}
