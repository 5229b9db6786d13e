//! What the interface knows, and what changes it. Nothing here draws, reads or writes: what is to be done outside
//! comes out as [`Effect`]s.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use ratatui::crossterm::event::{KeyEvent, MouseEvent};

use super::clock::TimeMode;
use super::clusters::Cluster;
use super::data::{Data, End};
use super::dialogs::Dialog;
use super::follow::Talk;
use super::index::{PacketIndex, PacketRow};
use super::kept::Kept;
use super::keys::{Remapped, Where};
use super::theme::{Theme, Tone};
use super::widgets::canvas::Drawn;
use super::widgets::input::Input;
use crate::analysis::Progress;
use crate::events::Endpoint;
use crate::filter::Scope;
use crate::place::PacketRef;
use crate::rules::Severity;
use crate::story::{Ladder, Story};
use crate::time::Timestamp;

/// A part of a screen that keys can go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Pane {
    List,
    Story,
    Explain,
    Captures,
    Ends,
    Problems,
    Protocols,
    Activity,
    Work,
    Body,
    Findings,
    Tree,
    Bytes,
}

/// Where the cursor of a pane is, and the first row that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The row.
    pub at: usize,
    /// The first row shown.
    pub top: usize,
}

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Screen {
    Overview,
    Sessions,
    Findings,
    Packets,
    Stats,
    Hosts,
    Session(u32),
    Diff(u32, u32),
    Help,
}

impl Screen {
    /// The six that have a number.
    pub const NUMBERED: [(Self, &'static str); 6] = [
        (Self::Overview, "Overview"),
        (Self::Sessions, "Sessions"),
        (Self::Findings, "Findings"),
        (Self::Packets, "Packets"),
        (Self::Stats, "Stats"),
        (Self::Hosts, "Hosts"),
    ];
}

/// A tab of a session's screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Tab {
    Timeline,
    #[default]
    Ladder,
    Evidence,
    Follow,
    Packets,
    Fields,
}

impl Tab {
    /// All of them, with their names, wide and narrow.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Timeline, "TIMELINE", "TIME"),
        (Self::Ladder, "LADDER", "LADDER"),
        (Self::Evidence, "EVIDENCE", "EVID"),
        (Self::Follow, "FOLLOW", "FOLLOW"),
        (Self::Packets, "PACKETS", "PKTS"),
        (Self::Fields, "FIELDS", "FIELDS"),
    ];
}

/// What rows have to have in common.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Only {
    End(End),
    Rule(&'static str),
    Severity(Severity),
    Server(Endpoint),
    Client(IpAddr),
    Protocol(&'static str),
    Who(String),
    /// Sessions of which a moment lies in this time.
    Window(Timestamp, Timestamp),
    Sessions(BTreeSet<u32>),
    /// Packets of these connections.
    Connections(BTreeSet<u32>),
    /// Packets from the one to the other.
    Frames(u64, u64),
}

/// A limit of what is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Narrow {
    /// What rows have.
    pub only: Only,
    /// Whether it is the others that are shown.
    pub not: bool,
}

/// A filter text that was understood, and what it lets through.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filtered {
    /// The text.
    pub text: String,
    /// Ids of sessions, places of findings, or numbers of packets, sorted; none as long as it is not known.
    pub passes: Option<Arc<Vec<u64>>>,
}

/// A screen with the place in it.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The screen.
    pub screen: Screen,
    /// Its tab, where it has any.
    pub tab: Tab,
    /// The table of the stats screen.
    pub table: usize,
    /// The pane that keys go to.
    pub focus: Pane,
    /// Cursors of panes.
    pub cursors: BTreeMap<Pane, Cursor>,
    /// Limits of what is shown.
    pub narrow: Vec<Narrow>,
    /// The filter.
    pub filter: Option<Filtered>,
    /// Whether limits and filter are switched off.
    pub unfiltered: bool,
    /// Column by which it is sorted, and whether downwards.
    pub sort: (usize, bool),
    /// How it is grouped.
    pub group: usize,
    /// Groups that are folded away.
    pub folded_groups: BTreeSet<String>,
    /// Whether the pane with the focus has the whole screen.
    pub zoomed: bool,
    /// Percent of the height that the first pane has.
    pub split: u16,
    /// What is looked for in the panes.
    pub find: Option<String>,
    /// Rows of sessions.
    pub sessions: Vec<Entry>,
    /// Rows of findings.
    pub clusters: Vec<Cluster>,
    /// Rows of packets; none for all of them.
    pub packets: Option<Vec<u32>>,
    /// How many packets the index had when those rows were chosen.
    pub packets_of: usize,
    /// Fields of the packet's tree that are folded away, by their names.
    pub folded: BTreeSet<usize>,
    /// Which frame of the row is chosen where it cites several.
    pub pick: usize,
    /// The part of the time that the gantt shows, in thousandths.
    pub window: (u32, u32),
    /// Only turning points in the ladder.
    pub only_phases: bool,
    /// Follow: 0 both sides, 1 the client, 2 the server.
    pub side: u8,
    /// Follow: as hex.
    pub hex: bool,
    /// A packet that is to be shown whatever the list says.
    pub frame: Option<u64>,
}

/// A row of the list of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A session.
    Session(u32),
    /// A heading, how many stand under it, and the worst among them.
    Group(String, usize, Option<Severity>),
}

impl Visit {
    /// A screen as it is entered.
    pub fn new(screen: Screen) -> Self {
        let focus = match screen {
            Screen::Overview => Pane::Problems,
            Screen::Session(_) | Screen::Diff(..) | Screen::Help => Pane::Body,
            _ => Pane::List,
        };
        Self {
            screen,
            tab: Tab::default(),
            table: 0,
            focus,
            cursors: BTreeMap::new(),
            narrow: Vec::new(),
            filter: None,
            unfiltered: false,
            sort: match screen {
                Screen::Findings | Screen::Hosts => (0, false),
                _ => (2, false),
            },
            group: 0,
            folded_groups: BTreeSet::new(),
            zoomed: false,
            split: 45,
            find: None,
            sessions: Vec::new(),
            clusters: Vec::new(),
            packets: None,
            packets_of: 0,
            folded: BTreeSet::new(),
            pick: 0,
            window: (0, 1_000),
            only_phases: false,
            side: 0,
            hex: false,
            frame: None,
        }
    }

    /// The same with one limit.
    #[must_use]
    pub fn only(mut self, only: Only) -> Self {
        self.narrow.push(Narrow { only, not: false });
        self
    }

    /// A session's screen with this tab.
    pub fn session(id: u32, tab: Tab) -> Self {
        Self { tab, ..Self::new(Screen::Session(id)) }
    }

    /// The cursor of a pane.
    pub fn cursor(&self, pane: Pane) -> Cursor {
        self.cursors.get(&pane).copied().unwrap_or_default()
    }

    /// Puts the cursor of a pane.
    pub fn put(&mut self, pane: Pane, at: usize) {
        self.cursors.entry(pane).or_default().at = at;
    }

    /// Where this is, for the table of keys.
    pub fn place(&self) -> Where {
        Where::of(self.screen, self.tab)
    }

    /// The limits that are in force.
    pub fn limits(&self) -> &[Narrow] {
        if self.unfiltered { &[] } else { &self.narrow }
    }

    /// The filter that is in force.
    pub fn passes(&self) -> Option<&Filtered> {
        self.filter.as_ref().filter(|_| !self.unfiltered)
    }

    /// The panes of the screen, in the order in which Tab goes.
    pub fn panes(&self) -> &'static [Pane] {
        match (self.screen, self.tab) {
            (Screen::Overview, _) => {
                &[Pane::Problems, Pane::Protocols, Pane::Activity, Pane::Captures, Pane::Ends]
            }
            (Screen::Sessions, _) => &[Pane::List, Pane::Story],
            (Screen::Findings | Screen::Hosts, _) => &[Pane::List, Pane::Explain],
            (Screen::Packets, _) | (Screen::Session(_), Tab::Packets) => {
                &[Pane::List, Pane::Tree, Pane::Bytes]
            }
            (Screen::Stats, _) => &[Pane::List],
            (Screen::Session(_), Tab::Ladder) => &[Pane::Body, Pane::Findings],
            (Screen::Session(_) | Screen::Diff(..) | Screen::Help, _) => &[Pane::Body],
        }
    }
}

/// Screens on top of each other; there is always one.
#[derive(Debug, Clone)]
pub struct Stack {
    base: Visit,
    above: Vec<Visit>,
}

/// Screens on top of each other; more than these and the lowest are forgotten.
const DEEPEST: usize = 64;

impl Stack {
    /// One screen.
    pub fn new(base: Visit) -> Self {
        Self { base, above: Vec::new() }
    }

    /// The one that is seen.
    pub fn top(&self) -> &Visit {
        self.above.last().unwrap_or(&self.base)
    }

    /// The one that is seen, to be changed.
    pub fn top_mut(&mut self) -> &mut Visit {
        self.above.last_mut().unwrap_or(&mut self.base)
    }

    /// The one below the one that is seen.
    pub fn below(&self) -> Option<&Visit> {
        match self.above.len() {
            0 => None,
            1 => Some(&self.base),
            more => self.above.get(more - 2),
        }
    }

    /// The lowest.
    pub fn base(&self) -> &Visit {
        &self.base
    }

    /// Puts one on top.
    pub fn push(&mut self, visit: Visit) {
        if self.above.len() >= DEEPEST {
            self.above.remove(0);
        }
        self.above.push(visit);
    }

    /// Takes the one on top away; false where it is the last.
    pub fn pop(&mut self) -> bool {
        self.above.pop().is_some()
    }

    /// All of them, the lowest first.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Visit> {
        std::iter::once(&mut self.base).chain(self.above.iter_mut())
    }

    /// How many there are.
    pub fn depth(&self) -> usize {
        1 + self.above.len()
    }
}

/// A session's story and ladder.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What happened.
    pub story: Story,
    /// Who said what to whom.
    pub ladder: Ladder,
}

/// How far the reading is.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Stage {
    /// Nothing was heard yet.
    #[default]
    Waiting,
    /// The captures are read.
    Reading(Progress),
    /// Everything was read, the account is being made.
    Judging,
    /// The packets are listed: so many bytes read, of how many.
    Listing(u64, Option<u64>),
    /// Done.
    Done,
    /// Stopped by the user.
    Stopped,
    /// It could not be done.
    Failed(String),
}

/// A packet read again.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FrameDetail {
    /// Its running number.
    pub number: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its fields, where it could be decoded.
    pub dissection: Option<crate::inspect::Dissection>,
    /// Why there is nothing, where there is nothing.
    pub trouble: Option<String>,
}

/// What a packet says in the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Its protocol.
    pub protocol: String,
    /// What it says.
    pub info: String,
}

/// What comes from the workers.
#[derive(Debug, Clone)]
pub enum Answer {
    /// How far it is.
    Stage(Stage),
    /// An account is there; a better one may follow.
    Loaded(Arc<Data>),
    /// The next packets of the list.
    Packets(Arc<Vec<PacketRow>>),
    /// A story.
    Told(u32, Arc<Told>),
    /// The text of a session.
    Followed(u32, Arc<Talk>),
    /// A packet.
    Frame(Arc<FrameDetail>),
    /// What packets say, by their numbers.
    Summaries(Vec<(u64, Summary)>),
    /// What a filter lets through: ids of sessions, places of findings, numbers of packets; or why it cannot tell.
    Filtered(String, Scope, Result<Arc<Vec<u64>>, String>),
    /// A file was written, or not.
    Exported(Result<String, String>),
}

/// What happens to the state.
#[derive(Debug, Clone)]
pub enum Message {
    /// A key.
    Key(KeyEvent),
    /// The mouse.
    Mouse(MouseEvent),
    /// A text was pasted.
    Paste(String),
    /// So many milliseconds since the start.
    Tick(u64),
    /// What was drawn where.
    Drawn(Drawn),
    /// From a worker.
    Answer(Answer),
}

/// What is to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Stop reading.
    Stop,
    /// Hold the reading, or let it go on.
    Hold(bool),
    /// Tell a session's story.
    Tell(u32),
    /// Follow a session.
    Follow(u32),
    /// Read a packet again.
    Frame(PacketRow),
    /// Say what these packets say.
    Summaries(Vec<PacketRow>),
    /// Let a filter choose the rows of a screen.
    Filter {
        /// The text.
        text: String,
        /// What it is asked of.
        scope: Scope,
    },
    /// Write sessions to a file.
    Export {
        /// Its name.
        path: String,
        /// The form.
        form: &'static str,
        /// Ids of the sessions.
        sessions: Vec<u32>,
    },
    /// Copy a text.
    Copy(String),
    /// Mouse on or off.
    Mouse(bool),
    /// Draw all of it anew.
    Redraw,
    /// To the shell.
    Suspend,
    /// Keep what the user did.
    Keep,
    /// The end.
    Quit,
}

/// A line that is being typed, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// For what.
    pub kind: PromptKind,
    /// What is typed.
    pub input: Input,
}

/// For what a line is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PromptKind {
    /// A command.
    Command,
    /// A text to find.
    Find,
    /// A filter.
    Filter,
    /// A note on a session or a packet.
    Note(Subject),
}

/// What a tag, a note or a mark is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A session, by its stable name.
    Session(u64),
    /// A packet, by its number.
    Packet(u64),
    /// A finding's rule.
    Rule(&'static str),
}

/// All of it.
#[derive(Debug)]
pub struct State {
    /// Names of the inputs, as the user gave them.
    pub inputs: Vec<String>,
    /// Bytes of them, as far as they are files.
    pub bytes: u64,
    /// How things look.
    pub theme: Theme,
    /// Theme of the file or the command line, and of `:theme`.
    pub stage: Stage,
    /// The account, when there is one.
    pub data: Option<Arc<Data>>,
    /// The packets listed so far.
    pub index: PacketIndex,
    /// The screens on top of each other; the last is seen.
    pub visits: Stack,
    /// The numbered screens as they were left.
    pub roots: BTreeMap<Screen, Visit>,
    /// Stories told, newest last.
    pub told: Vec<(u32, Arc<Told>)>,
    /// The text of the last session that was followed.
    pub talk: Option<(u32, Arc<Talk>)>,
    /// The last packet read again.
    pub frame: Option<Arc<FrameDetail>>,
    /// What packets say.
    pub summaries: BTreeMap<u64, Summary>,
    /// What was asked for and is not there yet.
    pub asked: BTreeSet<Asked>,
    /// A line that is being typed.
    pub prompt: Option<Prompt>,
    /// A box over the screen.
    pub dialog: Option<Dialog>,
    /// A word to the user, and how it is meant.
    pub word: Option<(Tone, String)>,
    /// Keys typed that are no command yet.
    pub pending: Vec<String>,
    /// Digits typed, when, and the screens before them.
    pub digits: Option<(String, u64, Stack)>,
    /// Bindings that the user changed.
    pub remapped: Remapped,
    /// What is kept from one run to the next.
    pub kept: Kept,
    /// Where the last jump came from.
    pub before_jump: Option<Stack>,
    /// How times are shown.
    pub times: TimeMode,
    /// From which moment relative times count.
    pub reference: Option<Timestamp>,
    /// Columns that the user does not want, by screen and title.
    pub hidden: BTreeSet<(Screen, &'static str)>,
    /// What was drawn where.
    pub drawn: Drawn,
    /// Milliseconds since the start.
    pub now: u64,
    /// When and where the mouse was last pressed.
    pub pressed: Option<(u64, u16, u16)>,
    /// Whether the mouse is ours.
    pub mouse: bool,
    /// Whether reading is held.
    pub held: bool,
    /// Whether secrets that may be shown are shown in this run.
    pub secrets: bool,
    /// Forms that the export box offers.
    pub forms: Vec<&'static str>,
    /// When the reading began and what was read then, for the rate.
    pub pace: Option<(u64, u64)>,
    /// What is to be done outside.
    pub effects: Vec<Effect>,
}

/// What was asked of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// A story.
    Story(u32),
    /// A text.
    Talk(u32),
    /// A packet.
    Frame(u64),
    /// A line of a packet.
    Summary(u64),
}

/// Stories that are remembered.
const STORIES: usize = 32;
/// Lines of packets that are remembered.
const SUMMARIES: usize = 4_096;

impl State {
    /// Before anything was read.
    pub fn new(inputs: Vec<String>, bytes: u64, theme: Theme, forms: Vec<&'static str>) -> Self {
        Self {
            inputs,
            bytes,
            theme,
            stage: Stage::Waiting,
            data: None,
            index: PacketIndex::default(),
            visits: Stack::new(Visit::new(Screen::Overview)),
            roots: BTreeMap::new(),
            told: Vec::new(),
            talk: None,
            frame: None,
            summaries: BTreeMap::new(),
            asked: BTreeSet::new(),
            prompt: None,
            dialog: None,
            word: None,
            pending: Vec::new(),
            digits: None,
            remapped: Remapped::new(),
            kept: Kept::default(),
            before_jump: None,
            times: TimeMode::Relative,
            reference: None,
            hidden: BTreeSet::new(),
            drawn: Drawn::default(),
            now: 0,
            pressed: None,
            mouse: true,
            held: false,
            secrets: false,
            forms,
            pace: None,
            effects: Vec::new(),
        }
    }

    /// The screen that is seen.
    pub fn visit(&self) -> &Visit {
        self.visits.top()
    }

    /// The screen that is seen, to be changed.
    pub fn visit_mut(&mut self) -> &mut Visit {
        self.visits.top_mut()
    }

    /// A story, where it was told.
    pub fn told(&self, id: u32) -> Option<&Arc<Told>> {
        self.told.iter().find(|(other, _)| *other == id).map(|(_, told)| told)
    }

    /// A word to the user.
    pub fn say(&mut self, tone: Tone, word: impl Into<String>) {
        self.word = Some((tone, word.into()));
    }

    /// Whether more is being read.
    pub fn is_loading(&self) -> bool {
        matches!(self.stage, Stage::Waiting | Stage::Reading(_) | Stage::Judging)
    }

    /// Takes what a message says, and gives what is to be done outside.
    pub fn update(&mut self, message: Message) -> Vec<Effect> {
        match message {
            Message::Tick(now) => self.now = now,
            Message::Drawn(drawn) => self.drawn(drawn),
            Message::Key(key) => self.key(key),
            Message::Paste(text) => self.paste(&text),
            Message::Mouse(mouse) => self.mouse(mouse),
            Message::Answer(answer) => self.answer(answer),
        }
        self.want();
        std::mem::take(&mut self.effects)
    }

    fn drawn(&mut self, drawn: Drawn) {
        for place in &drawn.places {
            self.visit_mut().cursors.entry(place.pane).or_default().top = place.top;
        }
        self.drawn = drawn;
    }

    fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Stage(stage) => {
                if let Stage::Reading(at) = &stage
                    && self.pace.is_none()
                {
                    self.pace = Some((self.now, at.read));
                }
                self.stage = stage;
            }
            Answer::Loaded(data) => self.loaded(data),
            Answer::Packets(rows) => {
                self.index.push(rows);
                self.refresh_packets();
            }
            Answer::Told(id, told) => {
                self.asked.remove(&Asked::Story(id));
                self.told.retain(|(other, _)| *other != id);
                self.told.push((id, told));
                if self.told.len() > STORIES {
                    self.told.remove(0);
                }
            }
            Answer::Followed(id, talk) => {
                self.asked.remove(&Asked::Talk(id));
                self.talk = Some((id, talk));
            }
            Answer::Frame(frame) => {
                self.asked.remove(&Asked::Frame(frame.number));
                self.frame = Some(frame);
            }
            Answer::Summaries(lines) => {
                for (number, summary) in lines {
                    self.asked.remove(&Asked::Summary(number));
                    self.summaries.insert(number, summary);
                }
                // The farthest from what is seen go first.
                let here = self.shown_packet().map_or(0, |row| row.at.number);
                while self.summaries.len() > SUMMARIES {
                    let first = self.summaries.first_key_value().map_or(0, |(number, _)| *number);
                    let last = self.summaries.last_key_value().map_or(0, |(number, _)| *number);
                    let far = if here.abs_diff(first) > here.abs_diff(last) { first } else { last };
                    self.summaries.remove(&far);
                }
            }
            Answer::Filtered(text, scope, passes) => self.filtered(&text, scope, passes),
            Answer::Exported(Ok(word)) => self.say(Tone::Good, word),
            Answer::Exported(Err(word)) => self.say(Tone::Error, word),
        }
    }

    fn loaded(&mut self, data: Arc<Data>) {
        let known = self.data.replace(data);
        let kept = std::mem::take(&mut self.kept.filter);
        if !kept.is_empty() {
            self.ask_filter(Screen::Sessions, kept);
        }
        self.told.clear();
        self.asked.clear();
        let mut visits = std::mem::replace(&mut self.visits, Stack::new(Visit::new(Screen::Help)));
        for visit in visits.iter_mut() {
            // Places are kept by what stands there: ids may move when more is known.
            let uid = known.as_ref().and_then(|known| uid_at(visit, known));
            self.refresh(visit);
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

    /// The packet that is shown in full on this screen.
    pub fn shown_packet(&self) -> Option<&PacketRow> {
        let visit = self.visit();
        if !(visit.screen == Screen::Packets
            || visit.tab == Tab::Packets && matches!(visit.screen, Screen::Session(_)))
        {
            return None;
        }
        self.packet_at(visit, visit.cursor(Pane::List).at)
    }

    /// The packet of a row.
    pub fn packet_at(&self, visit: &Visit, row: usize) -> Option<&PacketRow> {
        match &visit.packets {
            Some(places) => self.index.get(*places.get(row)? as usize),
            None => self.index.get(row),
        }
    }

    /// Asks the workers for what the screen shows and is not there.
    fn want(&mut self) {
        if self.data.is_none() {
            return;
        }
        if let Some(id) = self.shown_session()
            && self.told(id).is_none()
            && self.asked.insert(Asked::Story(id))
        {
            self.effects.push(Effect::Tell(id));
        }
        let visit = self.visit();
        if let (Screen::Diff(one, other), Some(_)) = (visit.screen, &self.data) {
            for id in [one, other] {
                if self.told(id).is_none() && self.asked.insert(Asked::Story(id)) {
                    self.effects.push(Effect::Tell(id));
                }
            }
        }
        let visit = self.visit();
        if let (Screen::Session(id), Tab::Follow) = (visit.screen, visit.tab)
            && self.talk.as_ref().is_none_or(|(other, _)| *other != id)
            && self.asked.insert(Asked::Talk(id))
        {
            self.effects.push(Effect::Follow(id));
        }
        if let Some(row) = self.shown_packet().copied() {
            let number = row.at.number;
            if self.frame.as_ref().is_none_or(|frame| frame.number != number)
                && self.asked.insert(Asked::Frame(number))
            {
                self.effects.push(Effect::Frame(row));
            }
            let visit = self.visit();
            let top = visit.cursor(Pane::List).top;
            let shown = self.drawn.place(Pane::List).map_or(40, |place| usize::from(place.area.height));
            let rows: Vec<PacketRow> = (top..top + shown.max(1) + 8)
                .filter_map(|row| self.packet_at(visit, row).copied())
                .filter(|row| !self.summaries.contains_key(&row.at.number))
                .collect();
            let rows: Vec<PacketRow> =
                rows.into_iter().filter(|row| self.asked.insert(Asked::Summary(row.at.number))).collect();
            if !rows.is_empty() {
                self.effects.push(Effect::Summaries(rows));
            }
        }
    }

    /// The session that the screen is about: the one chosen, or the one that is open.
    pub fn shown_session(&self) -> Option<u32> {
        let visit = self.visit();
        match visit.screen {
            Screen::Session(id) => Some(id),
            Screen::Sessions => match visit.sessions.get(visit.cursor(Pane::List).at)? {
                Entry::Session(id) => Some(*id),
                Entry::Group(..) => None,
            },
            Screen::Findings => {
                let cluster = visit.clusters.get(visit.cursor(Pane::List).at)?;
                cluster.sessions.first().copied()
            }
            Screen::Packets => {
                let connection = self.shown_packet()?.connection()?;
                self.data.as_ref()?.sessions_of.get(&connection).copied()
            }
            _ => None,
        }
    }

    /// The number of a frame as Wireshark gives it, with its file where there are several.
    pub fn frame_name(&self, at: &PacketRef) -> String {
        let several = self.data.as_ref().is_some_and(|data| data.analysis.files.len() > 1);
        if several { format!("{}:{}", at.file.0, at.frame) } else { at.frame.to_string() }
    }
}

/// The stable name of the session under the cursor of the list.
fn uid_at(visit: &Visit, data: &Data) -> Option<u64> {
    let Some(Entry::Session(id)) = visit.sessions.get(visit.cursor(Pane::List).at) else { return None };
    data.session(*id).map(|session| session.uid)
}
