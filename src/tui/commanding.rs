//! What keys, mouse and pasted text do to the state.

use ratatui::crossterm::event::{KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::dialogs::{Dialog, type_key};
use super::kept::{Mark, remember};
use super::keys::{self, Command, Meant};
use super::screens::{Inside, Link, found, inside, stats};
use super::state::{
    Effect, Entry, Narrow, Only, Pane, Prompt, PromptKind, Screen, Stack, State, Subject, Tab, Visit,
};
use super::theme::Tone;
use super::widgets::input::Input;
use super::widgets::{text, tree};
use crate::place::PacketRef;
use crate::session::Session;
use crate::story::{about, wireshark};

/// Milliseconds within which digits belong together, and two presses are a double one.
const TOGETHER: u64 = 800;
const DOUBLE: u64 = 450;

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

    fn normal_key(&mut self, name: String) {
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
    fn digit(&mut self, name: &str) {
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
    fn take_count(&mut self, name: &str) -> Option<usize> {
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
        } else if let Some(Dialog::Export { path, line: 2, .. }) = &mut self.dialog {
            path.insert(pasted);
        }
    }

    fn prompt_key(&mut self, key: &str) {
        let Some(mut prompt) = self.prompt.take() else { return };
        let history = match prompt.kind {
            PromptKind::Command => self.kept.commands.clone(),
            PromptKind::Find => self.kept.finds.clone(),
            PromptKind::Filter => self.kept.filters.clone(),
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
        self.prompt = Some(prompt);
    }

    fn typed(&mut self, kind: PromptKind, said: &str) {
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

    fn ask(&mut self, kind: PromptKind, said: &str) {
        self.prompt = Some(Prompt { kind, input: Input::of(said) });
    }

    /// Rows of the pane with the focus that are seen at once.
    fn page(&self) -> usize {
        let place = self.drawn.place(self.visit().focus);
        place.map_or(20, |place| usize::from(place.area.height)).max(1)
    }

    /// What stands in the pane with the focus.
    fn focused(&self) -> Inside<'_> {
        let pane = self.visit().focus;
        let width = self.drawn.place(pane).map_or(100, |place| usize::from(place.area.width));
        inside(self, pane, width)
    }

    fn put_cursor(&mut self, at: usize) {
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

    fn step(&mut self, by: isize) {
        let visit = self.visit();
        let at = visit.cursor(visit.focus).at;
        self.put_cursor(at.saturating_add_signed(by));
    }

    fn last(&mut self, count: Option<usize>) {
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
    fn sideways(&mut self, right: bool) {
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

    fn fold(&mut self, open: bool) {
        let (Some(place), Some(frame)) = (self.field_at(), self.frame.clone()) else { return };
        let Some(dissection) = &frame.dissection else { return };
        let fields = &dissection.fields;
        let visit = self.visit_mut();
        if open {
            visit.folded.remove(&place);
        } else if tree::holds(fields, place) && !visit.folded.contains(&place) {
            visit.folded.insert(place);
        } else if let Some(holder) = tree::holder(fields, place)
            && let Some(row) = self.row_of_field(holder)
        {
            self.visit_mut().put(Pane::Tree, row);
        }
    }

    fn fold_group(&mut self, name: &str, fold: Option<bool>) {
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

    fn open(&mut self) {
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
                    let folded = self.visit().folded.contains(&place);
                    self.fold(folded);
                }
            }
            None => self.say(Tone::Dim, "nothing behind this row"),
        }
    }

    fn follow_link(&mut self, link: Link) {
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
    fn row_of_evidence(&self, code: &str) -> usize {
        let Inside::Text(content) = self.focused() else { return 0 };
        let starts = |row: usize| (content.line)(row).line.to_string().contains(code);
        let Some(head) = (0..content.rows).find(|row| starts(*row)) else { return 0 };
        (head + 1..content.rows).find(|row| (content.line)(*row).stop).unwrap_or(head)
    }

    fn open_packets(
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

    fn back(&mut self) {
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

    fn go(&mut self, number: u8) {
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

    fn turn_pane(&mut self, forth: bool) {
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

    fn turn_tab(&mut self, forth: bool) {
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

    fn set_tab(&mut self, tab: Tab) {
        let visit = self.visit_mut();
        visit.tab = tab;
        visit.pick = 0;
        visit.find = None;
        visit.focus = visit.panes().first().copied().unwrap_or(Pane::Body);
        visit.put(Pane::Body, 0);
        self.refresh_top();
    }

    /// The session's screen with this tab.
    fn detail(&mut self, tab: Tab) {
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

    fn diff(&mut self) {
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

    /// What a tag, a note or a mark here is on.
    fn subject(&self) -> Option<Subject> {
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

    fn tag(&mut self) {
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

    fn tag_all(&mut self) {
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
    fn here(&self) -> Mark {
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

    fn mark(&mut self, letter: Option<char>) {
        let Some(letter) = letter else { return };
        let here = self.here();
        self.kept.marks.insert(letter, here);
        self.effects.push(Effect::Keep);
        self.say(Tone::Dim, format!("'{letter} comes back here"));
    }

    fn jump(&mut self, letter: Option<char>) {
        let mark = letter.and_then(|letter| self.kept.marks.get(&letter)).cloned();
        match mark {
            Some(mark) => {
                self.before_jump = Some(self.visits.clone());
                self.go_to_mark(&mark);
            }
            None => self.say(Tone::Warning, "no such mark; m and a letter makes one"),
        }
    }

    fn go_to_mark(&mut self, mark: &Mark) {
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

    fn put_note(&mut self, subject: Subject, said: &str) {
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
    fn only_value(&mut self, beside: bool, not: bool) {
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
    fn value(&self) -> Option<Only> {
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

    fn copy_value(&mut self) {
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

    fn wireshark(&self) -> Option<String> {
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

    fn time_reference(&mut self) {
        if self.reference.take().is_some() {
            self.say(Tone::Dim, "times count from the first frame");
            return;
        }
        let visit = self.visit();
        let time = match self.shown_packet() {
            Some(row) => Some(row.time),
            None => {
                if let (Screen::Session(id), Tab::Ladder) = (visit.screen, visit.tab) {
                    let row = visit.cursor(Pane::Body).at.saturating_sub(1);
                    self.told(id).and_then(|told| told.ladder.rows.get(row)).map(|row| row.time)
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

    fn resize(&mut self, wider: bool) {
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

    fn pan(&mut self, right: bool) {
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
    fn same(&mut self, forth: bool) {
        let (Some(data), Some(row)) = (self.data.clone(), self.shown_packet().copied()) else { return };
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

    /// Looks for a text in the pane with the focus.
    pub(super) fn find(&mut self, said: &str) {
        if said.is_empty() {
            self.visit_mut().find = None;
            return;
        }
        self.visit_mut().find = Some(said.to_owned());
        let visit = self.visit();
        let at = visit.cursor(visit.focus).at;
        let inside = self.focused();
        let here = at < inside.rows() && found(&inside.text(at), said);
        drop(inside);
        if !here {
            self.next_hit(true);
        }
    }

    /// Rows that are looked through at most for one key: a text is found at once or not yet.
    fn next_hit(&mut self, forth: bool) {
        const MOST: usize = 200_000;
        let visit = self.visit();
        let at = visit.cursor(visit.focus).at;
        let find = visit.find.clone();
        let inside = self.focused();
        let rows = inside.rows();
        let hit = |row: usize| match &find {
            Some(find) => found(&inside.text(row), find),
            None => self.stops(&inside, row),
        };
        let order: Box<dyn Iterator<Item = usize>> = if forth {
            Box::new((at + 1..rows).chain(0..at.min(rows)))
        } else {
            Box::new((0..at.min(rows)).rev().chain((at + 1..rows).rev()))
        };
        let next = order.take(MOST).find(|row| hit(*row));
        drop(inside);
        match (next, find) {
            (Some(row), _) => {
                if (row < at) == forth {
                    self.say(Tone::Dim, "around the end");
                }
                self.put_cursor(row);
            }
            (None, Some(find)) => self.say(Tone::Warning, format!("{find:?} is not in this pane")),
            (None, None) => self.say(Tone::Dim, "no other finding in this pane"),
        }
    }

    /// Whether `n` stops at a row where nothing is looked for.
    fn stops(&self, inside: &Inside<'_>, row: usize) -> bool {
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

    /// The screen below the help.
    pub fn below(&self) -> Option<&Visit> {
        self.visits.below()
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
