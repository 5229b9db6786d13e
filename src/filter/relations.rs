//! Which sessions, connections, findings and captures belong to a packet, and to each other.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::fields::{FieldInfo, Source};
use super::values::Item;
use crate::analysis::Analysis;
use crate::events::{Connection, Event};
use crate::inspect::Value;
use crate::place::FileId;
use crate::rules::Finding;
use crate::session::Session;
use crate::time::Timestamp;

/// The ways from one sort of row to the others.
#[derive(Debug)]
pub(super) struct Relations<'a> {
    analysis: &'a Analysis,
    /// Places of sessions by the ids of their connections.
    sessions: BTreeMap<u32, Vec<u32>>,
    /// Places of findings by the ids of the connections that they name.
    findings: BTreeMap<u32, Vec<u32>>,
    /// Places of findings by the numbers of the packets that they cite.
    cited: BTreeMap<u64, Vec<u32>>,
}

/// What belongs to a subject.
#[derive(Debug, Default)]
pub(super) struct Belongings<'a> {
    /// Its sessions.
    pub(super) sessions: Vec<&'a Session>,
    /// Its connections.
    pub(super) connections: Vec<&'a Connection>,
    /// Its findings.
    pub(super) findings: Vec<&'a Finding>,
    /// Its captures.
    pub(super) files: Vec<FileId>,
    /// Its time, where it has one: then only the phase of that time is meant.
    pub(super) time: Option<Timestamp>,
}

impl<'a> Relations<'a> {
    /// The ways of this result.
    pub(super) fn new(analysis: &'a Analysis) -> Self {
        let mut sessions: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (place, session) in analysis.sessions.iter().enumerate() {
            for leg in &session.legs {
                sessions.entry(leg.connection).or_default().push(place as u32);
            }
        }
        let mut findings: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut cited: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (place, finding) in analysis.findings.iter().enumerate() {
            for id in &finding.connections {
                findings.entry(*id).or_default().push(place as u32);
            }
            for at in finding.frames() {
                let list = cited.entry(at.number).or_default();
                if list.last() != Some(&(place as u32)) {
                    list.push(place as u32);
                }
            }
        }
        Self { analysis, sessions, findings, cited }
    }

    /// The result.
    pub(super) fn analysis(&self) -> &'a Analysis {
        self.analysis
    }

    /// Places of the sessions that this connection belongs to.
    pub(super) fn sessions_of(&self, connection: u32) -> &[u32] {
        self.sessions.get(&connection).map_or(&[], Vec::as_slice)
    }

    /// Places of the findings that cite this packet.
    pub(super) fn citing(&self, number: u64) -> &[u32] {
        self.cited.get(&number).map_or(&[], Vec::as_slice)
    }

    fn findings_at(&self, places: &[u32]) -> impl Iterator<Item = &'a Finding> {
        places.iter().filter_map(|place| self.analysis.findings.get(*place as usize))
    }

    fn connections_at(&self, ids: impl Iterator<Item = u32>) -> Vec<&'a Connection> {
        ids.filter_map(|id| self.analysis.connections.get(id as usize)).collect()
    }

    /// What belongs to a session.
    pub(super) fn of_session(&self, session: &'a Session) -> Belongings<'a> {
        let connections = self.connections_at(session.legs.iter().map(|leg| leg.connection));
        let files = files(&connections);
        let findings = self.analysis.findings_of(session).collect();
        Belongings { sessions: vec![session], connections, findings, files, time: None }
    }

    /// What belongs to a connection.
    pub(super) fn of_connection(&self, connection: &'a Connection) -> Belongings<'a> {
        let places = self.findings.get(&connection.id).map_or(&[][..], Vec::as_slice);
        Belongings {
            sessions: self.sessions_at(connection.id),
            connections: vec![connection],
            findings: self.findings_at(places).collect(),
            files: files(&[connection]),
            time: None,
        }
    }

    fn sessions_at(&self, connection: u32) -> Vec<&'a Session> {
        let places = self.sessions_of(connection).iter();
        places.filter_map(|place| self.analysis.sessions.get(*place as usize)).collect()
    }

    /// What belongs to a finding.
    pub(super) fn of_finding(&self, finding: &'a Finding) -> Belongings<'a> {
        let connections = self.connections_at(finding.connections.iter().copied());
        let session =
            finding.session.and_then(|id| self.analysis.sessions.iter().find(|session| session.id == id));
        let mut sessions: Vec<&Session> = session.into_iter().collect();
        if sessions.is_empty() {
            let places = finding.connections.iter().flat_map(|id| self.sessions_of(*id)).copied();
            let places: std::collections::BTreeSet<u32> = places.collect();
            sessions.extend(places.iter().filter_map(|place| self.analysis.sessions.get(*place as usize)));
        }
        let mut list: Vec<FileId> = finding.frames().iter().map(|at| at.file).collect();
        list.sort_unstable();
        list.dedup();
        Belongings { sessions, connections, findings: vec![finding], files: list, time: None }
    }

    /// What belongs to an event.
    pub(super) fn of_event(&self, event: &Event) -> Belongings<'a> {
        let connection = self.analysis.connection(event.connection);
        let numbers = [event.extent.first.number, event.extent.last.number];
        let mut places: Vec<u32> = numbers.iter().flat_map(|number| self.citing(*number)).copied().collect();
        places.sort_unstable();
        places.dedup();
        Belongings {
            sessions: connection.map_or(Vec::new(), |connection| self.sessions_at(connection.id)),
            connections: connection.into_iter().collect(),
            findings: self.findings_at(&places).collect(),
            files: vec![event.extent.first.file],
            time: Some(event.moment.time),
        }
    }

    /// What belongs to a packet on these connections.
    pub(super) fn of_packet(
        &self,
        number: u64,
        file: FileId,
        time: Timestamp,
        connections: &[u32],
    ) -> Belongings<'a> {
        let mut sessions: Vec<&'a Session> = Vec::new();
        for session in connections.iter().flat_map(|id| self.sessions_at(*id)) {
            if sessions.iter().all(|known| known.id != session.id) {
                sessions.push(session);
            }
        }
        Belongings {
            sessions,
            connections: self.connections_at(connections.iter().copied()),
            findings: self.findings_at(self.citing(number)).collect(),
            files: vec![file],
            time: Some(time),
        }
    }
}

/// The captures that hold the ends of these connections.
fn files(connections: &[&Connection]) -> Vec<FileId> {
    let mut files: Vec<FileId> =
        connections.iter().flat_map(|connection| [connection.first.file, connection.last.file]).collect();
    files.sort_unstable();
    files.dedup();
    files
}

impl Belongings<'_> {
    /// The values of one of our own fields.
    pub(super) fn values(&self, field: &FieldInfo, analysis: &Analysis) -> Vec<Item<'static>> {
        let mut out: Vec<Value> = Vec::new();
        match field.source {
            Source::Packet => {}
            Source::Session(read) => {
                self.sessions.iter().for_each(|session| read(session, analysis, &mut out));
            }
            Source::Connection(read) => self.connections.iter().for_each(|one| read(one, analysis, &mut out)),
            Source::Finding(read) => self.findings.iter().for_each(|finding| read(finding, &mut out)),
            Source::Phase(read) => {
                let now =
                    |start: Timestamp, end: Timestamp| self.time.is_none_or(|at| start <= at && at <= end);
                let phases = self.sessions.iter().flat_map(|session| &session.phases);
                phases.filter(|phase| now(phase.start, phase.end)).for_each(|phase| read(phase, &mut out));
            }
            Source::Capture(read) => {
                for file in &self.files {
                    if let Some(facts) = analysis.files.get(file.0 as usize) {
                        read(facts, analysis, file.0, &mut out);
                    }
                }
            }
        }
        out.into_iter().map(Cow::Owned).collect()
    }

    /// Whether one of the sessions, or of the connections, speaks this protocol.
    pub(super) fn speaks(&self, protocol: &str) -> bool {
        let ids: Vec<u32> = self.connections.iter().map(|connection| connection.id).collect();
        let legs = self.sessions.iter().flat_map(|session| &session.legs);
        let ours = legs.filter(|leg| ids.contains(&leg.connection));
        ours.into_iter().any(|leg| leg.leg.protocols.contains(&protocol))
    }
}
