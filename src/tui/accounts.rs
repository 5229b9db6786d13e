//! An account comes, and then a better one: what is seen keeps its place.

use std::sync::Arc;

use super::data::Data;
use super::filtering::scope;
use super::index::Chunk;
use super::state::{Asked, Effect, Entry, Only, Pane, Screen, Stack, State, Visit};

impl State {
    /// What was not answered may be asked again.
    pub(super) fn dropped(&mut self, request: &Effect) {
        match request {
            Effect::Tell(id) => {
                self.asked.remove(&Asked::Story(*id));
            }
            Effect::Follow(id) => {
                self.asked.remove(&Asked::Talk(*id));
            }
            Effect::Frame(row) => {
                self.asked.remove(&Asked::Frame(row.at.number));
            }
            Effect::Summaries(rows) => {
                for row in rows {
                    self.asked.remove(&Asked::Summary(row.at.number));
                }
            }
            Effect::Standings(files) if self.standings.is_empty() && !self.effects.contains(request) => {
                self.effects.push(Effect::Standings(files.clone()));
            }
            Effect::Filter { text, .. } => {
                let wanted = |visit: &Visit| visit.filter.as_ref().is_some_and(|filter| filter.text == *text);
                let roots = self.roots.values().any(wanted);
                if roots || self.visits.iter_mut().any(|visit| wanted(visit)) {
                    self.effects.push(request.clone());
                }
            }
            _ => {}
        }
    }

    /// A newer account of the same captures: what is named by ids is named by those that it has there, and what was told
    /// before stands until it is told anew.
    pub(super) fn follow_growth(&mut self, data: &Data) {
        let Some(known) = self.data.clone() else { return };
        let new = |id: u32| {
            let uid = known.session(id)?.uid;
            let same = data.session(id).filter(|session| session.uid == uid);
            same.or_else(|| data.analysis.sessions.iter().find(|session| session.uid == uid))
                .map(|found| found.id)
        };
        let told = std::mem::take(&mut self.told);
        self.told = told.into_iter().filter_map(|(id, told)| Some((new(id)?, told))).collect();
        self.talk = self.talk.take().and_then(|(id, talk)| Some((new(id)?, talk)));
        self.old = self.told.iter().map(|(id, _)| Asked::Story(*id)).collect();
        self.old.extend(self.talk.iter().map(|(id, _)| Asked::Talk(*id)));
        for visit in self.visits.iter_mut().chain(self.roots.values_mut()) {
            visit.screen = match visit.screen {
                Screen::Session(id) => Screen::Session(new(id).unwrap_or(id)),
                Screen::Diff(one, other) => {
                    Screen::Diff(new(one).unwrap_or(one), new(other).unwrap_or(other))
                }
                other => other,
            };
            for narrow in &mut visit.narrow {
                if let Only::Sessions(ids) = &mut narrow.only {
                    *ids = ids.iter().filter_map(|id| new(*id)).collect();
                }
            }
            if let (Some(filter), Some(scope)) = (&visit.filter, scope(visit.screen)) {
                let request = Effect::Filter { text: filter.text.clone(), scope };
                if !self.effects.contains(&request) {
                    self.effects.push(request);
                }
            }
        }
    }

    pub(super) fn loaded(&mut self, data: Arc<Data>, chunks: Vec<Arc<Chunk>>) {
        let known = self.data.replace(data);
        let listed = std::mem::take(&mut self.index);
        for chunk in chunks {
            self.index.push(chunk);
        }
        self.summaries.clear();
        let kept = std::mem::take(&mut self.kept.filter);
        if !kept.is_empty() {
            self.ask_filter(Screen::Sessions, kept);
        }
        self.asked.clear();
        self.standings.clear();
        self.count_standings();
        self.ask_standings();
        let mut visits = std::mem::replace(&mut self.visits, Stack::new(Visit::new(Screen::Help)));
        for visit in visits.iter_mut() {
            // Places are kept by what stands there: ids may move when more is known.
            let uid = known.as_ref().and_then(|known| uid_at(visit, known));
            let row = visit.cursor(Pane::List).at;
            let place = match &visit.packets {
                Some(places) => places.get(row).map(|place| *place as usize),
                None => Some(row),
            };
            let number = place.and_then(|place| listed.get(place)).map(|row| row.at.number);
            // Whoever looks at the last packet wants to see the last.
            let last = row + 1 >= visit.packets.as_ref().map_or(listed.len(), Vec::len);
            self.refresh(visit);
            if let Some(number) = number
                && matches!(visit.screen, Screen::Packets | Screen::Session(_))
                && !self.index.is_empty()
            {
                if last {
                    let rows = visit.packets.as_ref().map_or(self.index.len(), Vec::len);
                    visit.put(Pane::List, rows.saturating_sub(1));
                } else {
                    self.find_packet(visit, number);
                }
            }
            if let (Some(uid), Some(data)) = (uid, &self.data) {
                let found = visit.sessions.iter().position(|entry| {
                    matches!(entry, Entry::Session(id) if data.session(*id).is_some_and(|session| session.uid == uid))
                });
                if let Some(found) = found {
                    visit.put(Pane::List, found);
                }
            }
        }
        self.visits = visits;
        self.come_back();
    }
}

/// The stable name of the session under the cursor of the list.
fn uid_at(visit: &Visit, data: &Data) -> Option<u64> {
    let Some(Entry::Session(id)) = visit.sessions.get(visit.cursor(Pane::List).at) else { return None };
    data.session(*id).map(|session| session.uid)
}
