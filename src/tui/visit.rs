//! A screen with the place in it: what is under the cursor, what is hidden, how it is sorted; and screens on top of each
//! other.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::clusters::Cluster;
use super::data::End;
use super::keys::Where;
use super::seek::Seek;
use crate::events::Endpoint;
use crate::rules::Severity;
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
    pub find: Option<Seek>,
    /// Rows of sessions.
    pub sessions: Vec<Entry>,
    /// Rows of findings.
    pub clusters: Vec<Cluster>,
    /// Rows of packets; none for all of them.
    pub packets: Option<Vec<u32>>,
    /// How many packets the index had when those rows were chosen.
    pub packets_of: usize,
    /// Fields of the packet's tree that are folded away, by their names.
    pub folded: BTreeSet<String>,
    /// Which frame of the row is chosen where it cites several.
    pub pick: usize,
    /// The part of the time that the gantt shows, in thousandths.
    pub window: (u32, u32),
    /// Only turning points in the ladder.
    pub only_phases: bool,
    /// Every turn of the ladder, however often it comes.
    pub unfolded: bool,
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
            // Of the frame itself and the link little is ever the answer.
            folded: BTreeSet::from(["frame".to_owned(), "eth".to_owned()]),
            pick: 0,
            window: (0, 1_000),
            only_phases: false,
            unfolded: false,
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
