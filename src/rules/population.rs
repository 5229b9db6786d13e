//! What a population rule looks at: all sessions and connections of the run, by whom they have in common.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::capture::CaptureFacts;
use super::idle_closings::TimedRow;
use super::subject::Subject;
use crate::events::{Connection, Endpoint, Hash128};
use crate::names::Names;
use crate::problem::Problem;
use crate::session::Session;
use crate::time::{Span, Timestamp};

/// A recording in which no frame came for so long is not one recording.
const LAID_TOGETHER: Span = Span::from_secs(3600);

/// All of the run.
#[derive(Debug)]
pub struct Population<'a> {
    /// The sessions, in order of id.
    pub sessions: &'a [Session],
    /// The connections, in order of id.
    pub connections: &'a [Connection],
    /// The captures.
    pub captures: &'a [CaptureFacts],
    /// What was wrong in the input.
    pub problems: &'a [Problem],
    /// First and last moment of the run.
    pub window: (Timestamp, Timestamp),
    names: Option<&'a Names>,
    goodbyes: fn(&str) -> bool,
    session_of: Vec<Option<u32>>,
    by_server: BTreeMap<Endpoint, Vec<u32>>,
    by_pair: BTreeMap<(IpAddr, Endpoint), Vec<u32>>,
    by_principal: BTreeMap<Hash128, Vec<u32>>,
    connections_by_server: BTreeMap<Endpoint, Vec<u32>>,
    /// The closings that timers made: found once, for all the rules that ask for them.
    pub(super) timed: OnceCell<Vec<TimedRow>>,
}

impl<'a> Population<'a> {
    /// Sorts the run by whom its parts have in common. `goodbyes` tells whether a protocol has a good-bye that its users
    /// are expected to say.
    pub fn new(
        sessions: &'a [Session],
        connections: &'a [Connection],
        captures: &'a [CaptureFacts],
        problems: &'a [Problem],
        goodbyes: fn(&str) -> bool,
    ) -> Self {
        let mut session_of = vec![None; connections.len()];
        let mut by_server: BTreeMap<Endpoint, Vec<u32>> = BTreeMap::new();
        let mut by_pair: BTreeMap<(IpAddr, Endpoint), Vec<u32>> = BTreeMap::new();
        let mut by_principal: BTreeMap<Hash128, Vec<u32>> = BTreeMap::new();
        for (index, session) in sessions.iter().enumerate() {
            let index = index as u32;
            by_server.entry(session.server).or_default().push(index);
            by_pair.entry((session.client.ip, session.server)).or_default().push(index);
            if let Some(principal) = &session.principal {
                by_principal.entry(principal.hash).or_default().push(index);
            }
            for leg in &session.legs {
                if let Some(place) = session_of.get_mut(leg.connection as usize) {
                    *place = Some(index);
                }
            }
        }
        let mut connections_by_server: BTreeMap<Endpoint, Vec<u32>> = BTreeMap::new();
        for connection in connections {
            connections_by_server.entry(connection.server).or_default().push(connection.id);
        }
        let start = connections.iter().map(|connection| connection.start).min().unwrap_or_default();
        let last = connections.iter().map(|connection| {
            Timestamp(connection.end.0.saturating_add(connection.visibility.tail.0.max(0)))
        });
        let window = (start, last.max().unwrap_or_default());
        Self {
            sessions,
            connections,
            captures,
            problems,
            window,
            names: None,
            goodbyes,
            session_of,
            by_server,
            by_pair,
            by_principal,
            connections_by_server,
            timed: OnceCell::new(),
        }
    }

    /// The same, of a run in which hosts and services have names.
    #[must_use]
    pub fn named(mut self, names: &'a Names) -> Self {
        self.names = Some(names);
        self
    }

    /// The name that the user gave to a service.
    pub fn name_of(&self, service: Endpoint) -> Option<&'a str> {
        self.names?.service(service.ip, service.port)
    }

    /// For how long a connection was watched after this moment, to the end of its recording. Where time jumps back as far
    /// as it does between recordings that were laid together, nothing can be said.
    pub fn watched_after(&self, connection: &Connection, time: Timestamp) -> Span {
        let capture = self.captures.get(usize::from(connection.first.file.0));
        if capture.is_some_and(|capture| capture.disorder >= LAID_TOGETHER) {
            return Span::ZERO;
        }
        let tail = connection.visibility.tail.0.max(0);
        let end = Timestamp(connection.end.0.saturating_add(tail));
        Span(end.since(time).0.max(0))
    }

    /// Whether the users of this protocol are expected to say good-bye.
    pub fn has_goodbye(&self, protocol: &str) -> bool {
        (self.goodbyes)(protocol)
    }

    fn subject(&'a self, index: u32) -> Option<Subject<'a>> {
        self.sessions.get(index as usize).map(|session| Subject { session, population: self })
    }

    fn listed(&'a self, list: Option<&'a Vec<u32>>) -> impl DoubleEndedIterator<Item = Subject<'a>> {
        list.map_or(&[][..], Vec::as_slice).iter().filter_map(|index| self.subject(*index))
    }

    /// All sessions in order of id.
    pub fn subjects(&'a self) -> impl DoubleEndedIterator<Item = Subject<'a>> {
        self.sessions.iter().map(|session| Subject { session, population: self })
    }

    /// The servers that sessions were with, in order, with their sessions in order.
    pub fn servers(&'a self) -> impl Iterator<Item = (Endpoint, Vec<Subject<'a>>)> {
        self.by_server.iter().map(|(server, list)| (*server, self.listed(Some(list)).collect()))
    }

    /// The client hosts and servers that had sessions with each other, in order, with those in order.
    pub fn pairs(&'a self) -> impl Iterator<Item = ((IpAddr, Endpoint), Vec<Subject<'a>>)> {
        self.by_pair.iter().map(|(pair, list)| (*pair, self.listed(Some(list)).collect()))
    }

    /// The sessions with a server, in order.
    pub fn of_server(&'a self, server: Endpoint) -> impl DoubleEndedIterator<Item = Subject<'a>> {
        self.listed(self.by_server.get(&server))
    }

    /// The sessions of a client host with a server, in order.
    pub fn of_pair(
        &'a self,
        client: IpAddr,
        server: Endpoint,
    ) -> impl DoubleEndedIterator<Item = Subject<'a>> {
        self.listed(self.by_pair.get(&(client, server)))
    }

    /// The sessions in which this principal logged in, or tried to, in order.
    pub fn of_principal(&'a self, principal: Hash128) -> impl DoubleEndedIterator<Item = Subject<'a>> {
        self.listed(self.by_principal.get(&principal))
    }

    /// The session that a connection belongs to; none for those without (UDP, and what is only counted).
    pub fn session_of(&'a self, connection: u32) -> Option<Subject<'a>> {
        self.session_of.get(connection as usize).copied().flatten().and_then(|index| self.subject(index))
    }

    /// All servers of connections, in order, with their connections in order.
    pub fn served(&'a self) -> impl Iterator<Item = (Endpoint, Vec<&'a Connection>)> {
        self.connections_by_server.iter().map(|(server, list)| {
            (*server, list.iter().filter_map(|id| self.connections.get(*id as usize)).collect())
        })
    }

    /// The connections to a server, in order.
    pub fn connections_of(&'a self, server: Endpoint) -> impl DoubleEndedIterator<Item = &'a Connection> {
        let list = self.connections_by_server.get(&server).map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(|id| self.connections.get(*id as usize))
    }
}
