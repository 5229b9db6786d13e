//! What is put on rows and taken from them: tags, notes, marks, values to choose by, texts and filters to copy.

use super::kept::Mark;
use super::screens::stats;
use super::state::{Effect, Entry, Narrow, Only, Pane, Screen, State, Subject, Tab, Visit};
use super::theme::Tone;
use super::widgets::{text, tree};
use crate::story::{Rung, about, wireshark};

impl State {
    /// What a tag, a note or a mark here is on.
    pub(super) fn subject(&self) -> Option<Subject> {
        let visit = self.visit();
        match visit.screen {
            Screen::Packets => self.shown_packet().map(|row| Subject::Packet(row.at.number)),
            Screen::Session(_) if visit.tab == Tab::Packets => {
                self.shown_packet().map(|row| Subject::Packet(row.at.number))
            }
            Screen::Findings => {
                visit.clusters.get(visit.cursor(Pane::List).at).map(|cluster| Subject::Rule(cluster.code))
            }
            _ => {
                let id = self.shown_session()?;
                self.data.as_ref()?.session(id).map(|session| Subject::Session(session.uid))
            }
        }
    }

    pub(super) fn tag(&mut self) {
        if let Some(Entry::Group(name, ..)) =
            self.visit().sessions.get(self.visit().cursor(Pane::List).at).cloned()
            && self.visit().screen == Screen::Sessions
        {
            self.fold_group(&name, None);
            return;
        }
        let Some(subject) = self.subject() else { return };
        if !self.kept.tags.remove(&subject) {
            self.kept.tags.insert(subject);
        }
        self.effects.push(Effect::Keep);
        if self.visit().focus == Pane::List {
            self.step(1);
        }
    }

    pub(super) fn tag_all(&mut self) {
        let visit = self.visit();
        let subjects: Vec<Subject> = match visit.screen {
            Screen::Sessions => {
                let data = self.data.clone();
                let uid = |entry: &Entry| match entry {
                    Entry::Session(id) => data.as_ref()?.session(*id).map(|session| session.uid),
                    Entry::Group(..) => None,
                };
                visit.sessions.iter().filter_map(uid).map(Subject::Session).collect()
            }
            Screen::Findings => visit.clusters.iter().map(|cluster| Subject::Rule(cluster.code)).collect(),
            _ => {
                const MOST: usize = 10_000;
                let rows = self.list_length();
                if rows > MOST {
                    self.say(Tone::Warning, format!("{rows} packets are too many to tag; show fewer"));
                    return;
                }
                (0..rows)
                    .filter_map(|row| self.packet_at(visit, row))
                    .map(|row| Subject::Packet(row.at.number))
                    .collect()
            }
        };
        let all = subjects.iter().all(|subject| self.kept.tags.contains(subject));
        for subject in subjects {
            if all {
                self.kept.tags.remove(&subject);
            } else {
                self.kept.tags.insert(subject);
            }
        }
        self.effects.push(Effect::Keep);
    }

    /// The place that is seen, to be found again.
    pub(super) fn here(&self) -> Mark {
        let visit = self.visit();
        let screen = match visit.screen {
            Screen::Session(_) | Screen::Diff(..) => "session",
            Screen::Help => "help",
            other => {
                Screen::NUMBERED.iter().find(|(screen, _)| *screen == other).map_or("", |(_, name)| name)
            }
        };
        let tab = Tab::ALL.iter().position(|(tab, _, _)| *tab == visit.tab).unwrap_or(0);
        Mark { screen: screen.to_owned(), tab, subject: self.subject() }
    }

    pub(super) fn mark(&mut self, letter: Option<char>) {
        let Some(letter) = letter else { return };
        let here = self.here();
        self.kept.marks.insert(letter, here);
        self.effects.push(Effect::Keep);
        self.say(Tone::Dim, format!("'{letter} comes back here"));
    }

    pub(super) fn jump(&mut self, letter: Option<char>) {
        let mark = letter.and_then(|letter| self.kept.marks.get(&letter)).cloned();
        match mark {
            Some(mark) => {
                self.before_jump = Some(self.visits.clone());
                self.go_to_mark(&mark);
            }
            None => self.say(Tone::Warning, "no such mark; m and a letter makes one"),
        }
    }

    pub(super) fn go_to_mark(&mut self, mark: &Mark) {
        let session = |uid: u64, state: &Self| {
            let sessions = &state.data.as_ref()?.analysis.sessions;
            sessions.iter().find(|session| session.uid == uid).map(|session| session.id)
        };
        if mark.screen == "session" {
            let tab = Tab::ALL.get(mark.tab).map_or(Tab::Ladder, |(tab, _, _)| *tab);
            if let Some(Subject::Session(uid)) = mark.subject
                && let Some(id) = session(uid, self)
            {
                self.push(Visit::session(id, tab));
            }
            return;
        }
        let place = Screen::NUMBERED.iter().position(|(_, name)| *name == mark.screen);
        if let Some(place) = place {
            self.go(place as u8 + 1);
        }
        match mark.subject {
            Some(Subject::Packet(number)) => {
                let mut visit = std::mem::replace(self.visit_mut(), Visit::new(Screen::Help));
                visit.frame = (!self.find_packet(&mut visit, number)).then_some(number);
                *self.visit_mut() = visit;
            }
            Some(Subject::Session(uid)) => {
                if let Some(id) = session(uid, self) {
                    let at = self.visit().sessions.iter().position(|entry| *entry == Entry::Session(id));
                    self.visit_mut().put(Pane::List, at.unwrap_or(0));
                }
            }
            Some(Subject::Rule(code)) => {
                let at = self.visit().clusters.iter().position(|cluster| cluster.code == code);
                self.visit_mut().put(Pane::List, at.unwrap_or(0));
            }
            None => {}
        }
    }

    /// The account is there: to the place that was left in the run before, once.
    pub(super) fn come_back(&mut self) {
        if let Some(place) = self.kept.place.take()
            && self.visits.depth() == 1
            && self.visit().screen == Screen::Overview
        {
            self.go_to_mark(&place);
        }
    }

    /// What is kept for the next run.
    pub fn to_keep(&self) -> super::kept::Kept {
        let mut kept = self.kept.clone();
        let sessions = std::iter::once(self.visits.base()).chain(self.roots.values());
        let filter =
            sessions.filter(|visit| visit.screen == Screen::Sessions).find_map(|visit| visit.filter.as_ref());
        kept.filter = filter.map(|filter| filter.text.clone()).unwrap_or_default();
        kept.place = Some(self.here()).filter(|here| !here.screen.is_empty());
        kept
    }

    pub(super) fn put_note(&mut self, subject: Subject, said: &str) {
        if said.trim().is_empty() {
            self.kept.notes.remove(&subject);
        } else {
            self.kept.notes.insert(subject, said.trim().to_owned());
        }
        self.effects.push(Effect::Keep);
    }

    /// A note on what is seen.
    pub(super) fn note(&mut self, said: &str) {
        match self.subject() {
            Some(subject) => self.put_note(subject, said),
            None => self.say(Tone::Dim, "nothing here takes a note"),
        }
    }

    /// Shows only, or not, the rows with the value under the cursor.
    pub(super) fn only_value(&mut self, beside: bool, not: bool) {
        let Some(only) = self.value() else {
            self.say(Tone::Dim, "no value here to choose by");
            return;
        };
        let visit = self.visit();
        if matches!(visit.screen, Screen::Stats | Screen::Hosts) {
            let mut visit = Visit::new(Screen::Sessions);
            visit.narrow.push(Narrow { only, not });
            self.push(visit);
            return;
        }
        let visit = self.visit_mut();
        if !beside {
            visit.narrow.clear();
            visit.filter = None;
        }
        visit.narrow.push(Narrow { only, not });
        visit.unfiltered = false;
        self.refresh_top();
    }

    /// The value under the cursor: that of the column by which the list is sorted, as far as rows can have it in common.
    pub(super) fn value(&self) -> Option<Only> {
        let data = self.data.as_ref()?;
        let visit = self.visit();
        let at = visit.cursor(Pane::List).at;
        match visit.screen {
            Screen::Sessions => {
                let Entry::Session(id) = visit.sessions.get(at)? else { return None };
                let session = data.session(*id)?;
                let facts = data.facts(*id);
                match super::rows::SESSION_SORTS.get(visit.sort.0).copied() {
                    Some("!") => facts.severity.map(Only::Severity),
                    Some("proto") => Some(Only::Protocol(session.protocol)),
                    Some("client") => Some(Only::Client(session.client.ip)),
                    Some("who/what") => about::about(session, false).map(Only::Who),
                    Some("end") => Some(Only::End(facts.end)),
                    _ => Some(Only::Server(session.server)),
                }
            }
            Screen::Findings => {
                let cluster = visit.clusters.get(at)?;
                let session = cluster.sessions.first().and_then(|id| data.session(*id));
                match super::rows::FINDING_SORTS.get(visit.sort.0).copied() {
                    Some("sev") => Some(Only::Severity(cluster.severity)),
                    Some("server") => session.map(|session| Only::Server(session.server)),
                    _ => Some(Only::Rule(cluster.code)),
                }
            }
            Screen::Packets => {
                let connection = self.shown_packet()?.connection()?;
                let id = data.sessions_of.get(&connection).copied();
                Some(match id {
                    Some(id) => Only::Sessions(std::collections::BTreeSet::from([id])),
                    None => Only::Connections(std::collections::BTreeSet::from([connection])),
                })
            }
            Screen::Stats => {
                let row = *stats::order(data, visit).get(at)?;
                let (_, table) = data.tables.get(visit.table)?;
                stats::only(data, table.rows.get(row)?)
            }
            Screen::Hosts => {
                let row = *super::screens::hosts::order(data, visit).get(at)?;
                data.services.get(row).map(|service| Only::Server(service.server))
            }
            _ => None,
        }
    }

    pub(super) fn copy_value(&mut self) {
        let visit = self.visit();
        let at = visit.cursor(visit.focus).at;
        let said = if let (Pane::Tree, Some(place), Some(frame)) = (visit.focus, self.field_at(), &self.frame)
        {
            let field = frame.dissection.as_ref().and_then(|dissection| dissection.fields.get(place));
            field.map(|field| tree::value(&field.value)).unwrap_or_default()
        } else {
            let inside = self.focused();
            if at < inside.rows() { inside.text(at).trim().to_owned() } else { String::new() }
        };
        if said.is_empty() {
            self.say(Tone::Dim, "nothing to copy here");
            return;
        }
        self.say(Tone::Dim, format!("copied: {}", text::cut(&said, 60, self.theme.glyphs.ellipsis)));
        self.effects.push(Effect::Copy(said));
    }

    /// Copies the Wireshark filter that shows what the cursor is on.
    pub(super) fn copy_filter(&mut self) {
        match self.wireshark() {
            Some(filter) => {
                self.say(Tone::Dim, format!("copied: {filter}"));
                self.effects.push(Effect::Copy(filter));
            }
            None => self.say(Tone::Dim, "Wireshark has no filter for this"),
        }
    }

    pub(super) fn wireshark(&self) -> Option<String> {
        let data = self.data.as_ref()?;
        let visit = self.visit();
        if visit.focus == Pane::Tree
            && let (Some(place), Some(frame)) = (self.field_at(), &self.frame)
            && let Some(filter) = frame.dissection.as_ref()?.fields.get(place).and_then(tree::filter)
        {
            return Some(filter);
        }
        if let Some(row) = self.shown_packet() {
            return Some(format!("frame.number == {}", row.at.frame));
        }
        if visit.screen == Screen::Findings {
            let cluster = visit.clusters.get(visit.cursor(Pane::List).at)?;
            let finding = data.analysis.findings.get(*cluster.findings.first()? as usize)?;
            return wireshark::finding(finding, &data.analysis).into_iter().next().map(|shown| shown.filter);
        }
        let session = data.session(self.shown_session()?)?;
        let mut streams: Vec<String> = Vec::new();
        for part in &session.legs {
            let connection = data.analysis.connections.get(part.connection as usize)?;
            let stream = connection.stream?;
            streams.push(format!("{}.stream == {stream}", connection.transport.name()));
        }
        Some(streams.join(" || "))
    }

    pub(super) fn time_reference(&mut self) {
        if self.reference.take().is_some() {
            self.say(Tone::Dim, "times count from the first frame");
            return;
        }
        let visit = self.visit();
        let time = match self.shown_packet() {
            Some(row) => Some(row.time),
            None => {
                if let (Screen::Session(id), Tab::Ladder) = (visit.screen, visit.tab) {
                    let rung = visit.cursor(Pane::Body).at.saturating_sub(1);
                    self.told(id).and_then(|told| match told.rungs_of(visit).get(rung)? {
                        Rung::Row { at, .. } => told.ladder.rows.get(*at).map(|row| row.time),
                        Rung::Idle(_) => None,
                    })
                } else {
                    let id = self.shown_session();
                    id.and_then(|id| self.data.as_ref()?.session(id)).map(|session| session.start)
                }
            }
        };
        self.reference = time;
        if time.is_some() {
            self.say(Tone::Dim, "times count from this row; T again: from the first frame");
        }
    }
}
