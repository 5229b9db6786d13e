//! Ways through the screens: rows, panes, tabs, what an Enter opens and an Esc leaves.

use super::dialogs::Dialog;
use super::screens::{Inside, Link, inside};
use super::state::{Effect, Entry, Only, Pane, Screen, Stack, State, Subject, Tab, Visit};
use super::theme::Tone;
use super::widgets::tree;
use crate::place::PacketRef;
use crate::session::Session;

impl State {
    /// Rows of the pane with the focus that are seen at once.
    pub(super) fn page(&self) -> usize {
        let place = self.drawn.place(self.visit().focus);
        place.map_or(20, |place| usize::from(place.area.height)).max(1)
    }

    /// What stands in the pane with the focus.
    pub(super) fn focused(&self) -> Inside<'_> {
        let pane = self.visit().focus;
        let width = self.drawn.place(pane).map_or(100, |place| usize::from(place.area.width));
        inside(self, pane, width)
    }

    pub(super) fn put_cursor(&mut self, at: usize) {
        let rows = self.focused().rows();
        let visit = self.visit_mut();
        visit.pick = 0;
        let pane = visit.focus;
        visit.put(pane, at.min(rows.saturating_sub(1)));
        if pane == Pane::List {
            visit.frame = None;
            // What hangs on the row begins at its top.
            for other in [Pane::Story, Pane::Explain, Pane::Bytes] {
                visit.put(other, 0);
            }
        }
    }

    pub(super) fn step(&mut self, by: isize) {
        let visit = self.visit();
        let at = visit.cursor(visit.focus).at;
        self.put_cursor(at.saturating_add_signed(by));
    }

    pub(super) fn last(&mut self, count: Option<usize>) {
        match count {
            None => self.put_cursor(usize::MAX),
            Some(number) if self.visit().focus == Pane::List && self.shown_packet().is_some() => {
                let mut visit = std::mem::replace(self.visit_mut(), Visit::new(Screen::Help));
                let found = self.find_packet(&mut visit, number as u64);
                *self.visit_mut() = visit;
                if !found {
                    self.say(Tone::Warning, format!("packet {number} is not in this list"));
                }
            }
            Some(number) => self.put_cursor(number.saturating_sub(1)),
        }
    }

    /// Left and right: fields fold, frames of a row are chosen.
    pub(super) fn sideways(&mut self, right: bool) {
        if self.visit().focus == Pane::Tree {
            self.fold(right);
            return;
        }
        let visit = self.visit();
        let link = self.focused().link(visit.cursor(visit.focus).at);
        if let Some(Link::Frames(frames, _)) = link
            && frames.len() > 1
        {
            let most = frames.len() - 1;
            let visit = self.visit_mut();
            visit.pick = if right { (visit.pick + 1).min(most) } else { visit.pick.saturating_sub(1) };
            let pick = visit.pick;
            if let Some(at) = frames.get(pick) {
                let said =
                    format!("frame {} ({} of {}); Enter opens it", self.frame_name(at), pick + 1, most + 1);
                self.say(Tone::Key, said);
            }
            return;
        }
        if let Some(Entry::Group(name, ..)) =
            self.visit().sessions.get(self.visit().cursor(Pane::List).at).cloned()
            && self.visit().focus == Pane::List
        {
            self.fold_group(&name, Some(!right));
        }
    }

    pub(super) fn fold(&mut self, open: bool) {
        let (Some(place), Some(frame)) = (self.field_at(), self.frame.clone()) else { return };
        let Some(dissection) = &frame.dissection else { return };
        let fields = &dissection.fields;
        let Some(key) = fields.get(place).map(|field| tree::key(field).to_owned()) else { return };
        let visit = self.visit_mut();
        if open {
            visit.folded.remove(&key);
        } else if tree::holds(fields, place) && !visit.folded.contains(&key) {
            visit.folded.insert(key);
        } else if let Some(holder) = tree::holder(fields, place)
            && let Some(row) = self.row_of_field(holder)
        {
            self.visit_mut().put(Pane::Tree, row);
        }
    }

    pub(super) fn key_of_field(&self, place: usize) -> Option<String> {
        let fields = &self.frame.as_ref()?.dissection.as_ref()?.fields;
        fields.get(place).map(|field| tree::key(field).to_owned())
    }

    pub(super) fn fold_group(&mut self, name: &str, fold: Option<bool>) {
        let visit = self.visit_mut();
        let fold = fold.unwrap_or(!visit.folded_groups.contains(name));
        if fold {
            visit.folded_groups.insert(name.to_owned());
        } else {
            visit.folded_groups.remove(name);
        }
        self.refresh_top();
    }

    /// Puts a screen on top.
    pub(super) fn push(&mut self, mut visit: Visit) {
        self.refresh(&mut visit);
        self.visits.push(visit);
    }

    pub(super) fn open(&mut self) {
        let visit = self.visit();
        let pane = visit.focus;
        let at = visit.cursor(pane).at;
        if pane == Pane::List
            && visit.screen == Screen::Sessions
            && let Some(Entry::Group(name, ..)) = visit.sessions.get(at).cloned()
        {
            self.fold_group(&name, None);
            return;
        }
        let link = self.focused().link(at);
        match link {
            Some(link) => self.follow_link(link),
            None if self.shown_packet().is_some() => {
                if pane == Pane::List {
                    self.visit_mut().focus = Pane::Tree;
                } else if pane == Pane::Tree
                    && let Some(place) = self.field_at()
                {
                    let key = self.key_of_field(place);
                    let folded = key.is_some_and(|key| self.visit().folded.contains(&key));
                    self.fold(folded);
                }
            }
            None => self.say(Tone::Dim, "nothing behind this row"),
        }
    }

    pub(super) fn follow_link(&mut self, link: Link) {
        match link {
            Link::Visit(visit) => self.push(*visit),
            Link::Evidence(id, code) => {
                self.push(Visit::session(id, Tab::Evidence));
                let row = self.row_of_evidence(code);
                self.visit_mut().put(Pane::Body, row);
            }
            Link::Frames(frames, connections) => {
                let pick = self.visit().pick.min(frames.len().saturating_sub(1));
                if let Some(at) = frames.get(pick) {
                    self.open_packets(*at, connections, None);
                }
            }
            Link::Between(first, last, connections) => {
                self.open_packets(first, connections, Some((first, last)));
            }
        }
    }

    /// The row with the first piece of evidence of a rule's finding.
    pub(super) fn row_of_evidence(&self, code: &str) -> usize {
        let Inside::Text(content) = self.focused() else { return 0 };
        let starts = |row: usize| (content.line)(row).line.to_string().contains(code);
        let Some(head) = (0..content.rows).find(|row| starts(*row)) else { return 0 };
        (head + 1..content.rows).find(|row| (content.line)(*row).stop).unwrap_or(head)
    }

    pub(super) fn open_packets(
        &mut self,
        at: PacketRef,
        connections: Vec<u32>,
        between: Option<(PacketRef, PacketRef)>,
    ) {
        let mut visit = Visit::new(Screen::Packets);
        if !connections.is_empty() {
            visit = visit.only(Only::Connections(connections.into_iter().collect()));
        }
        if let Some((first, last)) = between {
            visit = visit.only(Only::Frames(first.number, last.number));
        }
        self.refresh(&mut visit);
        if !self.find_packet(&mut visit, at.number) {
            // The list is still growing, or what the frame belongs to is not what was thought: the frame counts.
            visit.frame = Some(at.number);
            if self.index.find(at.number) < self.index.len() {
                visit.narrow.clear();
                self.refresh(&mut visit);
                self.find_packet(&mut visit, at.number);
            }
        }
        self.visits.push(visit);
    }

    /// To a packet by its number, from anywhere.
    pub(super) fn jump_to_packet(&mut self, number: u64) {
        let place = self.index.find(number);
        match self.index.get(place).filter(|row| row.at.number == number).map(|row| row.at) {
            Some(at) => {
                self.before_jump = Some(self.visits.clone());
                self.open_packets(at, Vec::new(), None);
            }
            None => self.say(Tone::Warning, format!("there is no packet {number}, or it is not listed yet")),
        }
    }

    pub(super) fn back(&mut self) {
        if self.visit().zoomed {
            self.visit_mut().zoomed = false;
        } else if self.visit().find.is_some() {
            self.visit_mut().find = None;
        } else if self.visits.pop() {
            self.pending.clear();
        } else if self.is_loading() {
            self.effects.push(Effect::Stop);
            self.say(Tone::Warning, "stopping; what was read stays");
        } else {
            self.say(Tone::Dim, "this is the first screen; Q quits");
        }
    }

    /// The end, unless something would be lost.
    pub(super) fn leave(&mut self, surely: bool) {
        if self.kept.unsaved && !surely {
            self.dialog = Some(Dialog::Leave);
            return;
        }
        self.effects.push(Effect::Keep);
        self.effects.push(Effect::Quit);
    }

    pub(super) fn go(&mut self, number: u8) {
        let Some((screen, _)) = Screen::NUMBERED.get(usize::from(number).saturating_sub(1)) else { return };
        let mut next = self.roots.remove(screen).unwrap_or_else(|| Visit::new(*screen));
        if self.visits.base().screen == *screen {
            next = self.visits.base().clone();
        } else {
            let old = self.visits.base().clone();
            self.roots.insert(old.screen, old);
        }
        self.refresh(&mut next);
        self.visits = Stack::new(next);
    }

    pub(super) fn turn_pane(&mut self, forth: bool) {
        let panes = self.visit().panes();
        // Panes that there was no room for are reached all the same: where one pane is seen at a time, or zoomed.
        let shown: Vec<Pane> =
            panes.iter().copied().filter(|pane| self.drawn.place(*pane).is_some()).collect();
        let panes: &[Pane] =
            if shown.len() > 1 && self.visit().screen == Screen::Overview { &shown } else { panes };
        let at = panes.iter().position(|pane| *pane == self.visit().focus).unwrap_or(0);
        let next = if forth { at + 1 } else { at + panes.len() - 1 };
        if let Some(pane) = panes.get(next % panes.len().max(1)) {
            self.visit_mut().focus = *pane;
        }
    }

    pub(super) fn turn_tab(&mut self, forth: bool) {
        let tables = self.data.as_ref().map_or(1, |data| data.tables.len().max(1));
        let visit = self.visit_mut();
        let turn = |at: usize, of: usize| (at + if forth { 1 } else { of - 1 }) % of;
        if visit.screen == Screen::Stats {
            visit.table = turn(visit.table, tables);
            visit.sort = (2, false);
            visit.put(Pane::List, 0);
            return;
        }
        let at = Tab::ALL.iter().position(|(tab, _, _)| *tab == visit.tab).unwrap_or(0);
        if let Some((tab, _, _)) = Tab::ALL.get(turn(at, Tab::ALL.len())) {
            self.set_tab(*tab);
        }
    }

    pub(super) fn set_tab(&mut self, tab: Tab) {
        let visit = self.visit_mut();
        visit.tab = tab;
        visit.pick = 0;
        visit.find = None;
        visit.focus = visit.panes().first().copied().unwrap_or(Pane::Body);
        visit.put(Pane::Body, 0);
        self.refresh_top();
    }

    /// The session's screen with this tab.
    pub(super) fn detail(&mut self, tab: Tab) {
        if matches!(self.visit().screen, Screen::Session(_)) {
            self.set_tab(tab);
        } else if let Screen::Diff(one, _) = self.visit().screen {
            self.push(Visit::session(one, tab));
        } else if let Some(id) = self.shown_session() {
            self.push(Visit::session(id, tab));
        } else {
            self.say(Tone::Dim, "no session here");
        }
    }

    pub(super) fn diff(&mut self) {
        let (Some(data), Some(id)) = (self.data.clone(), self.shown_session()) else { return };
        let Some(session) = data.session(id) else { return };
        let tagged = data
            .analysis
            .sessions
            .iter()
            .find(|other| other.id != id && self.kept.tags.contains(&Subject::Session(other.uid)));
        let healthy = |same_server: bool, spotless: bool| {
            let fits = |other: &&Session| {
                other.id != id
                    && other.protocol == session.protocol
                    && (other.server == session.server || !same_server)
                    && data.facts(other.id).end == super::data::End::Clean
                    && (!spotless || data.facts(other.id).severity < Some(crate::rules::Severity::Warning))
            };
            data.analysis
                .sessions
                .iter()
                .filter(fits)
                .min_by_key(|other| (other.start - session.start).0.unsigned_abs())
        };
        let healthy = healthy(true, true).or_else(|| healthy(true, false)).or_else(|| healthy(false, true));
        match tagged.or(healthy) {
            Some(other) => self.push(Visit::new(Screen::Diff(id, other.id))),
            None => self
                .say(Tone::Warning, "no healthy session of this protocol to lay beside; tag one with Space"),
        }
    }

    pub(super) fn resize(&mut self, wider: bool) {
        let visit = self.visit_mut();
        if visit.screen == (Screen::Session(0))
            || visit.tab == Tab::Timeline && matches!(visit.screen, Screen::Session(_))
        {
            // The gantt zooms around its middle.
            let (from, to) = visit.window;
            let (middle, half) = (u32::midpoint(from, to), (to - from) / 2);
            let half = if wider { (half / 2).max(5) } else { (half * 2).min(500) };
            let from = middle.saturating_sub(half).min(1_000 - (2 * half).min(1_000));
            visit.window = (from, (from + 2 * half).min(1_000));
            return;
        }
        let first = visit.panes().first() == Some(&visit.focus);
        let grow = wider == first;
        visit.split = if grow { (visit.split + 5).min(85) } else { visit.split.saturating_sub(5).max(15) };
    }

    pub(super) fn pan(&mut self, right: bool) {
        let visit = self.visit_mut();
        let (from, to) = visit.window;
        let step = ((to - from) / 4).max(1);
        visit.window = if right {
            let step = step.min(1_000 - to);
            (from + step, to + step)
        } else {
            let step = step.min(from);
            (from - step, to - step)
        };
    }

    /// The next packet of the same session in the list.
    pub(super) fn same(&mut self, forth: bool) {
        let (Some(data), Some(row)) = (self.data.clone(), self.shown_packet()) else { return };
        let session = |connection: Option<u32>| connection.and_then(|id| data.sessions_of.get(&id).copied());
        let wanted = session(row.connection());
        let visit = self.visit();
        let at = visit.cursor(Pane::List).at;
        let fits = |place: &usize| {
            self.packet_at(visit, *place).is_some_and(|other| {
                wanted.is_some() && session(other.connection()) == wanted
                    || other.connection == row.connection
            })
        };
        let found = if forth { (at + 1..self.list_length()).find(fits) } else { (0..at).rev().find(fits) };
        match found {
            Some(place) => self.visit_mut().put(Pane::List, place),
            None => self.say(Tone::Dim, "no more packet of this session here"),
        }
    }

    pub(super) fn open_help(&mut self) {
        if self.visit().screen == Screen::Help {
            self.visits.pop();
        } else {
            self.push(Visit::new(Screen::Help));
        }
    }

    /// The screen below the help.
    pub fn below(&self) -> Option<&Visit> {
        self.visits.below()
    }
}
