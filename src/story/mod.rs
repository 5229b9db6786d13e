//! What happened, as plain data: the sentences of a session with the frames that prove them, and its ladder.
//!
//! Whoever prints a story escapes it: commands, paths and a server's own words come from the wire.

pub mod about;
pub mod amounts;
pub mod ladder;
pub mod narrative;
pub mod next;
pub mod rungs;
pub mod services;
pub mod tables;
pub mod timeline;
pub mod wireshark;

pub use ladder::{Ladder, Row};
pub use narrative::{Line, Story};
pub use rungs::Rung;

use std::collections::BTreeMap;

use crate::analysis::Analysis;
use crate::events::{Connection, ConnectionKey, Event};
use crate::session::{Session, SessionLeg};

/// Finds what a session's story is made of.
#[derive(Debug)]
pub struct Teller<'a> {
    analysis: &'a Analysis,
    /// What was said, in order.
    said: &'a [Event],
    /// Whether users' names are told by their hashes only.
    hide_names: bool,
    /// Places of each connection's events, in order.
    events: BTreeMap<ConnectionKey, Vec<usize>>,
}

impl<'a> Teller<'a> {
    /// Sorts the events of a run, which has to have kept them, by their connections. Names of users are for terminals;
    /// in files they are hashes.
    pub fn new(analysis: &'a Analysis, hide_names: bool) -> Self {
        Self::of(analysis, &analysis.events, hide_names)
    }

    /// The same with the events of the sessions that are to be told, in order, where the run did not keep them.
    pub fn of(analysis: &'a Analysis, said: &'a [Event], hide_names: bool) -> Self {
        let mut events: BTreeMap<ConnectionKey, Vec<usize>> = BTreeMap::new();
        for (index, event) in said.iter().enumerate() {
            events.entry(event.connection).or_default().push(index);
        }
        Self { analysis, said, hide_names, events }
    }

    /// The sentences of a session.
    pub fn story(&self, session: &Session) -> Story {
        let mut story = narrative::tell(session, self);
        let names = &self.analysis.options.names;
        if !names.is_empty() {
            let texts = story.lines.iter_mut().map(|line| &mut line.text).chain([&mut story.next]);
            texts.for_each(|text| *text = names.in_text(text).into_owned());
        }
        story
    }

    /// The ladder of a session.
    pub fn ladder(&self, session: &Session) -> Ladder {
        ladder::draw(session, self)
    }

    /// What was said on a connection, in order.
    fn events(&self, key: ConnectionKey) -> impl Iterator<Item = &'a Event> {
        let places = self.events.get(&key).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|index| self.said.get(*index))
    }

    /// The facts of a leg's connection.
    fn connection(&self, part: &SessionLeg) -> Option<&'a Connection> {
        self.analysis.connections.get(part.connection as usize)
    }
}
