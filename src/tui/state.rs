//! What the interface knows, and what changes it. Nothing here draws, reads or writes: what is to be done outside
//! comes out as [`Effect`]s.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ratatui::crossterm::event::{KeyEvent, MouseEvent};

use super::clock::TimeMode;
use super::data::Data;
use super::dialogs::Dialog;
use super::faces::{Faces, Form, Standing};
use super::follow::Talk;
use super::gating::{Files, Mute};
use super::index::{Chunk, PacketIndex, PacketRow};
use super::kept::Kept;
use super::keys::Remapped;
use super::theme::{Theme, Tone};
pub use super::visit::{Cursor, Entry, Filtered, Narrow, Only, Pane, Screen, Stack, Tab, Visit};
use super::widgets::canvas::Drawn;
use super::widgets::input::Input;
use crate::analysis::Progress;
use crate::filter::Scope;
use crate::limits::LADDER_ROWS;
use crate::place::PacketRef;
use crate::story::{Ladder, Rung, Story};
use crate::time::Timestamp;

/// A session's story and ladder.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What happened.
    pub story: Story,
    /// Who said what to whom.
    pub ladder: Ladder,
    /// The ladder's lines for eyes.
    pub rungs: Vec<Rung>,
    /// Messages in the middle that neither knows: there were too many.
    pub left_out: u64,
    /// Why the packets could not be read again, where they could not: what was said is not known.
    pub trouble: Option<String>,
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
    /// All that is there was read, and more may come.
    Following,
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
    /// Whether its connection is so long that only its beginning and the packets before this one were heard.
    pub cut: bool,
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
    Packets(Arc<Chunk>),
    /// All packets of the account were listed.
    Listed,
    /// The captures have grown: their account, all packets, and how many bytes they are.
    Grown(Arc<Data>, Vec<Arc<Chunk>>, u64),
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
    /// How much a filter lets through.
    Counted(String, Result<u64, String>),
    /// The row of the packet that holds what was looked for, if one does.
    Sought(String, Result<Option<usize>, String>),
    /// How findings stand.
    Standings(Result<Vec<Standing>, String>),
    /// A request was passed over for a newer one, or given up.
    Dropped(Effect),
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
    /// Count what a filter lets through, while it is typed.
    Count {
        /// The text.
        text: String,
        /// What it is asked of.
        scope: Scope,
    },
    /// Look for packets whose bytes hold something.
    Seek {
        /// What was typed.
        typed: String,
        /// Places of the packets that are shown; none for all.
        places: Option<Vec<u32>>,
        /// The row from which on.
        from: usize,
        /// Whether downwards.
        forth: bool,
    },
    /// Tell how findings stand before the gate.
    Standings(Files),
    /// Write a mute into the policy.
    Mute(Mute),
    /// Write findings into the baseline.
    Baseline {
        /// Their places.
        findings: Vec<u32>,
        /// The file.
        path: String,
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
    /// Sessions of which the story, and of which the text, was told of an older account: they are seen until the new
    /// ones are there.
    pub old: BTreeSet<Asked>,
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
    pub forms: Vec<Form>,
    /// Where the files of the gate lie, where there is a gate.
    pub gate: Option<Files>,
    /// How findings stand before the gate, in their order, as far as it is known.
    pub standings: Vec<Standing>,
    /// The same with what the user acknowledged, and how many there are of each.
    pub stands: Vec<Standing>,
    /// How many findings stand so.
    pub standing_counts: BTreeMap<Standing, usize>,
    /// When the text in the filter box was typed, where it was not counted yet.
    pub typed: Option<u64>,
    /// What the text in the filter box lets through: the text, and how much, or why that is not known.
    pub counted: Option<(String, Result<u64, String>)>,
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
    pub fn new(inputs: Vec<String>, bytes: u64, theme: Theme, faces: &Faces) -> Self {
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
            old: BTreeSet::new(),
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
            forms: faces.forms.clone(),
            gate: faces.gate.as_ref().map(|gate| gate.files.clone()),
            standings: Vec::new(),
            stands: Vec::new(),
            standing_counts: BTreeMap::new(),
            typed: None,
            counted: None,
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
            Message::Tick(now) => {
                self.now = now;
                self.count_typed();
            }
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
            Answer::Loaded(data) => {
                self.told.clear();
                self.loaded(data, Vec::new());
            }
            Answer::Grown(data, chunks, bytes) => {
                self.bytes = bytes;
                self.follow_growth(&data);
                self.loaded(data, chunks);
            }
            Answer::Packets(rows) => {
                self.index.push(rows);
                self.refresh_packets();
            }
            Answer::Told(id, told) => {
                self.asked.remove(&Asked::Story(id));
                self.old.remove(&Asked::Story(id));
                self.told.retain(|(other, _)| *other != id);
                self.told.push((id, told));
                let rows = |told: &[(u32, Arc<Told>)]| -> usize {
                    told.iter().map(|(_, told)| told.ladder.rows.len()).sum()
                };
                while self.told.len() > STORIES || self.told.len() > 2 && rows(&self.told) > LADDER_ROWS {
                    self.told.remove(0);
                }
            }
            Answer::Followed(id, talk) => {
                self.asked.remove(&Asked::Talk(id));
                self.old.remove(&Asked::Talk(id));
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
            Answer::Listed => {}
            Answer::Dropped(request) => self.dropped(&request),
            Answer::Exported(Ok(word)) => {
                self.say(Tone::Good, word);
                // What was written may have been the gate's.
                self.ask_standings();
            }
            Answer::Counted(text, number) => self.counted = Some((text, number)),
            Answer::Sought(typed, row) => self.sought(&typed, row),
            Answer::Standings(Ok(standings)) => {
                self.standings = standings;
                self.count_standings();
            }
            Answer::Standings(Err(why)) => self.say(Tone::Warning, why),
            Answer::Exported(Err(word)) => self.say(Tone::Error, word),
        }
    }

    /// The packet that is shown in full on this screen.
    pub fn shown_packet(&self) -> Option<PacketRow> {
        let visit = self.visit();
        if !(visit.screen == Screen::Packets
            || visit.tab == Tab::Packets && matches!(visit.screen, Screen::Session(_)))
        {
            return None;
        }
        self.packet_at(visit, visit.cursor(Pane::List).at)
    }

    /// The packet of a row.
    pub fn packet_at(&self, visit: &Visit, row: usize) -> Option<PacketRow> {
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
            && (self.told(id).is_none() || self.old.contains(&Asked::Story(id)))
            && self.asked.insert(Asked::Story(id))
        {
            self.effects.push(Effect::Tell(id));
        }
        let visit = self.visit();
        if let (Screen::Diff(one, other), Some(_)) = (visit.screen, &self.data) {
            // One after the other: a newer request overtakes the one before.
            let missing = [one, other]
                .into_iter()
                .find(|id| self.told(*id).is_none() || self.old.contains(&Asked::Story(*id)));
            if let Some(id) = missing
                && self.asked.insert(Asked::Story(id))
            {
                self.effects.push(Effect::Tell(id));
            }
        }
        let visit = self.visit();
        if let (Screen::Session(id), Tab::Follow) = (visit.screen, visit.tab)
            && (self.talk.as_ref().is_none_or(|(other, _)| *other != id)
                || self.old.contains(&Asked::Talk(id)))
            && self.asked.insert(Asked::Talk(id))
        {
            self.effects.push(Effect::Follow(id));
        }
        if let Some(row) = self.shown_packet() {
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
                .filter_map(|row| self.packet_at(visit, row))
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
