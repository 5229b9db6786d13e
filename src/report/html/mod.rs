//! One page that needs nothing else: what was wrong, whose fault it is, what proves it, and what to change.
//!
//! The page asks the network for nothing, and its policy forbids it to. Text from the wire is escaped by the one writer
//! ([`super::markup`]); names of users are told by their hashes, as in every file.

mod captures;
mod card;
mod ends;
mod findings;
mod head;
mod sessions;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::Request;
use super::gate::Judged;
use super::markup::Markup;
use super::svg::Scene;
use super::text::Clock;
use crate::analysis::Analysis;
use crate::gate::Verdict;
use crate::session::Session;
use crate::story::{Teller, tables};

/// Cards of findings and of ends: more than this nobody reads, and each is some kilobytes.
const CARDS: usize = 400;
/// Cards of remarks, guesses and consequences, all folded.
const REMARKS: usize = 400;
/// Sessions whose story and ladder are in the page.
const STORIES: usize = 100;
/// Rows of one ladder.
const RUNGS: usize = 90;
/// Rows of the list of sessions: each is about half a kilobyte.
const SESSIONS: usize = 20_000;

/// The page without a verdict.
pub(super) fn write(analysis: &Analysis, request: &Request, out: &mut dyn Write) -> io::Result<()> {
    Page::new(analysis, None, request.look.clock).write(out)
}

/// The page with the verdict of the gate.
pub(super) fn judged(judged: &Judged<'_>, out: &mut dyn Write) -> io::Result<()> {
    Page::new(judged.analysis, Some(judged.verdict), Clock::default()).write(out)
}

/// What the parts of the page read.
struct Page<'a> {
    analysis: &'a Analysis,
    verdict: Option<&'a Verdict>,
    scene: Scene<'a>,
    teller: Teller<'a>,
    /// Sessions by their connections.
    sessions_of: BTreeMap<u32, u32>,
}

impl<'a> Page<'a> {
    fn new(analysis: &'a Analysis, verdict: Option<&'a Verdict>, clock: Clock) -> Self {
        Self {
            analysis,
            verdict,
            scene: Scene::new(analysis, clock),
            teller: Teller::new(analysis, true),
            sessions_of: tables::names_of_sessions(analysis),
        }
    }

    /// A session by its id.
    fn session(&self, id: u32) -> Option<&'a Session> {
        let guess = (id as usize).checked_sub(1).and_then(|place| self.analysis.sessions.get(place));
        guess.filter(|session| session.id == id)
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let all = findings::Findings::of(self);
        let ends = ends::cards(self);
        let mut markup = Markup::new(out);
        // The stories in the page are those of the first cards, each session's once.
        let mut stories = Stories::default();
        for session in all.groups.iter().flatten().chain(&ends).filter_map(|card| card.session) {
            stories.want(session);
        }
        head::begin(self, &all, &ends, &mut markup)?;
        captures::write(self, &mut markup)?;
        findings::write(&all, self, &mut stories, &mut markup)?;
        ends::write(&ends, self, &mut stories, &mut markup)?;
        findings::of_captures(&all, self, &mut stories, &mut markup)?;
        // Where there is nothing worse, they are what there is to see.
        let open = all.groups.is_empty() && ends.is_empty();
        findings::remarks(&all, self, &mut stories, open, &mut markup)?;
        sessions::write(self, &stories, &mut markup)?;
        captures::problems(self, &mut markup)?;
        head::end(self, &mut markup)
    }
}

/// Which sessions are told in the page.
#[derive(Debug, Default)]
struct Stories {
    wanted: BTreeSet<u32>,
    told: BTreeSet<u32>,
    /// Sessions of cards for whose story there is no room.
    left: BTreeSet<u32>,
}

impl Stories {
    fn want(&mut self, session: &Session) {
        if self.wanted.len() < STORIES {
            self.wanted.insert(session.id);
        } else if !self.wanted.contains(&session.id) {
            self.left.insert(session.id);
        }
    }

    /// Whether the story is somewhere in the page.
    fn has(&self, id: u32) -> bool {
        self.wanted.contains(&id)
    }

    /// Whether it is to be told here, because it was not told yet.
    fn begin(&mut self, id: u32) -> bool {
        self.wanted.contains(&id) && self.told.insert(id)
    }
}

/// The address of a session's row.
fn row_of(id: u32) -> String {
    format!("#S-{id:04}")
}

/// The address of a session's story.
fn story_of(id: u32) -> String {
    format!("#story-S-{id:04}")
}

/// Cards with one heading.
fn section(markup: &mut Markup<'_>, id: &'static str, heading: &str, aside: &str) -> io::Result<()> {
    markup.open("section", &[("id", id)])?;
    markup.open("h2", &[])?;
    markup.text(heading)?;
    if !aside.is_empty() {
        markup.text(" ")?;
        markup.element("small", &[], aside)?;
    }
    markup.close("h2")?;
    markup.line()
}

/// The same, to be unfolded.
fn fold(markup: &mut Markup<'_>, id: &'static str, heading: &str, aside: &str, open: bool) -> io::Result<()> {
    markup.open("section", &[("id", id)])?;
    let attributes = [("class", "fold"), ("open", "")];
    markup.open("details", attributes.get(..if open { 2 } else { 1 }).unwrap_or_default())?;
    markup.open("summary", &[])?;
    markup.element("h2", &[], heading)?;
    markup.text(" ")?;
    markup.element("small", &[], aside)?;
    markup.close("summary")?;
    markup.line()
}
