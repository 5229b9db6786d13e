//! Which rows a screen has: what limits and filter let through, sorted and grouped.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::clusters::clusters;
use super::data::{Data, ended};
use super::index::PacketRow;
use super::state::{Entry, Narrow, Only, Pane, Screen, Stack, State, Tab, Visit};
use crate::rules::{Finding, Severity};
use crate::session::Session;
use crate::story::about;

/// Names of the groupings of sessions.
pub(super) const SESSION_GROUPS: [&str; 5] = ["none", "server", "user", "rule", "identity"];

/// Columns of the list of sessions, by which it can be sorted.
pub(super) const SESSION_SORTS: [&str; 9] =
    ["!", "id", "start", "dur", "proto", "client", "server", "who/what", "end"];

/// Columns of the list of findings, by which it can be sorted.
pub(super) const FINDING_SORTS: [&str; 6] = ["sev", "rule", "hits", "server", "first", "conf"];

impl State {
    /// Chooses the rows of a screen anew.
    pub fn refresh(&self, visit: &mut Visit) {
        let Some(data) = self.data.clone() else { return };
        match visit.screen {
            Screen::Sessions => visit.sessions = sessions(&data, visit),
            Screen::Findings => visit.clusters = findings(&data, visit),
            Screen::Packets => self.choose_packets(&data, visit),
            Screen::Session(id) => {
                if let Some(session) = data.session(id) {
                    let connections = session.legs.iter().map(|part| part.connection).collect();
                    visit.narrow = vec![Narrow { only: Only::Connections(connections), not: false }];
                }
                self.choose_packets(&data, visit);
            }
            _ => {}
        }
        self.hold_cursor(visit);
    }

    fn hold_cursor(&self, visit: &mut Visit) {
        let rows = match visit.screen {
            Screen::Sessions => visit.sessions.len(),
            Screen::Findings => visit.clusters.len(),
            Screen::Packets | Screen::Session(_) => visit.packets.as_ref().map_or(self.index.len(), Vec::len),
            _ => return,
        };
        let cursor = visit.cursors.entry(Pane::List).or_default();
        cursor.at = cursor.at.min(rows.saturating_sub(1));
    }

    /// The same for the screen that is seen.
    pub fn refresh_top(&mut self) {
        let mut visit = std::mem::replace(self.visit_mut(), Visit::new(Screen::Help));
        self.refresh(&mut visit);
        *self.visit_mut() = visit;
    }

    /// More packets were listed: the lists of packets may have more rows.
    pub fn refresh_packets(&mut self) {
        let Some(data) = self.data.clone() else { return };
        let mut visits = std::mem::replace(&mut self.visits, Stack::new(Visit::new(Screen::Help)));
        for visit in visits.iter_mut() {
            if visit.screen == Screen::Packets || matches!(visit.screen, Screen::Session(_)) {
                let from = visit.packets_of;
                self.more_packets(&data, visit, from);
                if let Some(number) = visit.frame
                    && self.find_packet(visit, number)
                {
                    visit.frame = None;
                }
            }
        }
        self.visits = visits;
    }

    fn choose_packets(&self, data: &Data, visit: &mut Visit) {
        visit.packets = None;
        self.more_packets(data, visit, 0);
    }

    /// Puts those of the packets from a place on that are wanted behind the others.
    fn more_packets(&self, data: &Data, visit: &mut Visit, from: usize) {
        visit.packets_of = self.index.len();
        let limits = visit.limits();
        let passes = visit.passes().and_then(|filter| filter.passes.clone());
        if limits.is_empty() && passes.is_none() {
            visit.packets = None;
            return;
        }
        let mut places = self.index.places(from, |row| {
            limits.iter().all(|narrow| packet_has(data, row, &narrow.only) != narrow.not)
        });
        if let Some(passes) = passes {
            let number = |place: u32| self.index.get(place as usize).map_or(0, |row| row.at.number);
            places.retain(|place| passes.binary_search(&number(*place)).is_ok());
        }
        visit.packets.get_or_insert_default().extend(places);
    }

    /// Puts the cursor of a list of packets on a packet by its running number; false where the list has it not.
    pub fn find_packet(&self, visit: &mut Visit, number: u64) -> bool {
        let place = self.index.find(number);
        let there = self.index.get(place).is_some_and(|row| row.at.number == number);
        let row = match &visit.packets {
            None => there.then_some(place),
            Some(places) => places.binary_search(&(place as u32)).ok().filter(|_| there),
        };
        if let Some(row) = row {
            visit.put(Pane::List, row);
        }
        row.is_some()
    }

    /// How many rows a pane of the screen that is seen has, where the screen knows it and not the text in it.
    pub fn list_length(&self) -> usize {
        let visit = self.visit();
        match (visit.screen, visit.tab) {
            (Screen::Sessions, _) => visit.sessions.len(),
            (Screen::Findings, _) => visit.clusters.len(),
            (Screen::Packets, _) | (Screen::Session(_), Tab::Packets) => {
                visit.packets.as_ref().map_or(self.index.len(), Vec::len)
            }
            _ => 0,
        }
    }
}

/// Whether a packet has what rows are to have.
fn packet_has(data: &Data, row: &PacketRow, only: &Only) -> bool {
    let session = || row.connection().and_then(|id| data.sessions_of.get(&id));
    match only {
        Only::Connections(ids) => row.connection().is_some_and(|id| ids.contains(&id)),
        Only::Frames(first, last) => (*first..=*last).contains(&row.at.number),
        Only::Window(from, to) => (*from..=*to).contains(&row.time),
        Only::Sessions(ids) => session().is_some_and(|id| ids.contains(id)),
        Only::Rule(code) => data.cited.get(&row.at.number).is_some_and(|places| {
            let mut findings = places.iter().filter_map(|place| data.analysis.findings.get(*place as usize));
            findings.any(|finding| finding.rule.code == *code)
        }),
        other => session().and_then(|id| data.session(*id)).is_some_and(|session| has(data, session, other)),
    }
}

/// Whether a session has what rows are to have.
pub(super) fn has(data: &Data, session: &Session, only: &Only) -> bool {
    match only {
        Only::End(end) => data.facts(session.id).end == *end,
        Only::Rule(code) => data.analysis.findings_of(session).any(|finding| finding.rule.code == *code),
        Only::Severity(severity) => data.facts(session.id).severity == Some(*severity),
        Only::Server(server) => session.server == *server,
        Only::Client(client) => session.client.ip == *client,
        Only::Protocol(name) => session.protocol == *name,
        Only::Who(who) => about::about(session, false).as_ref() == Some(who),
        Only::Window(from, to) => {
            let starts = (*from..=*to).contains(&session.start) || (*from..=*to).contains(&session.end);
            starts || session.phases.iter().any(|phase| (*from..=*to).contains(&phase.start))
        }
        Only::Sessions(ids) => ids.contains(&session.id),
        Only::Connections(ids) => session.legs.iter().any(|part| ids.contains(&part.connection)),
        Only::Frames(..) => true,
    }
}

/// A limit as a display filter says it.
pub(super) fn words(data: &Data, narrow: &Narrow) -> String {
    let text = match &narrow.only {
        Only::End(end) => format!("session.end.kind == \"{}\"", end.name()),
        Only::Rule(code) => format!("finding.rule == \"{code}\""),
        Only::Severity(severity) => format!("finding.severity == {}", severity.name()),
        Only::Server(server) => {
            format!("session.server == {} && session.server.port == {}", server.ip, server.port)
        }
        Only::Client(client) => format!("session.client == {client}"),
        Only::Protocol(name) => format!("session.proto == \"{name}\""),
        Only::Who(who) => format!("session.who == \"{who}\""),
        Only::Window(from, to) => {
            let say = |time: crate::time::Timestamp| super::clock::clock(time - data.origin, 0);
            format!("something happens {} .. {}", say(*from), say(*to))
        }
        Only::Sessions(ids) => {
            let names: Vec<String> = ids.iter().take(4).map(|id| format!("\"S-{id:04}\"")).collect();
            let more = if ids.len() > 4 { format!(", {} more", ids.len() - 4) } else { String::new() };
            format!("session.id in {{{}{more}}}", names.join(", "))
        }
        Only::Connections(ids) => {
            let names: Vec<String> = ids.iter().take(6).map(u32::to_string).collect();
            let more = if ids.len() > 6 { format!(", {} more", ids.len() - 6) } else { String::new() };
            format!("conn.id in {{{}{more}}}", names.join(", "))
        }
        Only::Frames(first, last) => format!("frame.number in {{{first}..{last}}}"),
    };
    if narrow.not { format!("!({text})") } else { text }
}

/// Whether the filter in force, as far as it is known what it lets through, lets this through.
fn lets(visit: &Visit, what: u64) -> bool {
    let passes = visit.passes().and_then(|filter| filter.passes.as_ref());
    passes.is_none_or(|passes| passes.binary_search(&what).is_ok())
}

fn passes(data: &Data, visit: &Visit, session: &Session) -> bool {
    visit.limits().iter().all(|narrow| has(data, session, &narrow.only) != narrow.not)
        && lets(visit, u64::from(session.id))
}

fn sessions(data: &Data, visit: &Visit) -> Vec<Entry> {
    let mut list: Vec<&Session> =
        data.analysis.sessions.iter().filter(|session| passes(data, visit, session)).collect();
    let (column, down) = visit.sort;
    list.sort_by(|a, b| {
        let order = compare(data, a, b, SESSION_SORTS.get(column).copied().unwrap_or("start"));
        if down { order.reverse() } else { order }.then(a.id.cmp(&b.id))
    });
    let group = SESSION_GROUPS.get(visit.group).copied().unwrap_or("none");
    if group == "none" {
        return list.into_iter().map(|session| Entry::Session(session.id)).collect();
    }
    let mut groups: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for session in list {
        for name in names(data, session, group) {
            groups.entry(name).or_default().push(session.id);
        }
    }
    let mut groups: Vec<(String, Vec<u32>)> = groups.into_iter().collect();
    groups.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
    let mut entries = Vec::new();
    for (name, ids) in groups {
        let worst = ids.iter().filter_map(|id| data.facts(*id).severity).max();
        let folded = visit.folded_groups.contains(&name);
        entries.push(Entry::Group(name, ids.len(), worst));
        if !folded {
            entries.extend(ids.into_iter().map(Entry::Session));
        }
    }
    entries
}

/// The groups that a session stands in.
fn names(data: &Data, session: &Session, group: &str) -> Vec<String> {
    match group {
        "server" => vec![format!("{} {}", session.server, session.protocol)],
        "user" => {
            vec![
                session
                    .principal
                    .as_ref()
                    .map_or_else(|| "(no login seen)".to_owned(), |who| who.name.to_string()),
            ]
        }
        "rule" => {
            let mut rules: Vec<String> = data
                .analysis
                .findings_of(session)
                .map(|finding| format!("{} {}", finding.rule.code, finding.rule.name))
                .collect();
            rules.sort_unstable();
            rules.dedup();
            if rules.is_empty() { vec!["(no finding)".to_owned()] } else { rules }
        }
        _ => {
            let identity = session.identities.iter().find(|identity| identity.hint.is_some());
            let identity = identity.or_else(|| session.identities.first());
            vec![identity.map_or_else(
                || "(no identity seen)".to_owned(),
                |identity| {
                    let hex = identity.hash.hex();
                    let name =
                        identity.hint.as_deref().unwrap_or(hex.get(..8).unwrap_or_default()).to_owned();
                    format!("{} {name}", identity.kind.name())
                },
            )]
        }
    }
}

fn compare(data: &Data, a: &Session, b: &Session, column: &str) -> Ordering {
    match column {
        "!" => data.facts(b.id).severity.cmp(&data.facts(a.id).severity),
        "id" => a.id.cmp(&b.id),
        "dur" => b.duration().cmp(&a.duration()),
        "proto" => a.protocol.cmp(b.protocol),
        "client" => a.client.cmp(&b.client),
        "server" => a.server.cmp(&b.server),
        "who/what" => about::about(a, false).cmp(&about::about(b, false)),
        "end" => {
            let end = |session: &Session| ended(session, data.facts(session.id).end);
            end(a).cmp(&end(b))
        }
        _ => a.start.cmp(&b.start),
    }
}

fn findings(data: &Data, visit: &Visit) -> Vec<super::clusters::Cluster> {
    let fits = |place: usize, finding: &Finding| {
        visit.limits().iter().all(|narrow| {
            let fits = match &narrow.only {
                Only::Rule(code) => finding.rule.code == *code,
                Only::Severity(severity) => finding.severity == *severity,
                Only::Frames(first, last) => {
                    finding.frames().iter().any(|at| (*first..=*last).contains(&at.number))
                }
                other => finding
                    .session
                    .and_then(|id| data.session(id))
                    .is_some_and(|session| has(data, session, other)),
            };
            fits != narrow.not
        }) && lets(visit, place as u64)
    };
    let mut list = clusters(data, visit.group, fits);
    let (column, down) = visit.sort;
    match FINDING_SORTS.get(column).copied().unwrap_or("sev") {
        "rule" => list.sort_by_key(|cluster| cluster.code),
        "hits" => list.sort_by_key(|cluster| std::cmp::Reverse(cluster.hits)),
        "server" => list.sort_by(|a, b| a.server.cmp(&b.server)),
        "first" => list.sort_by_key(|cluster| cluster.first),
        "conf" => list.sort_by_key(|cluster| std::cmp::Reverse(cluster.confidence)),
        _ => {}
    }
    if down {
        list.reverse();
    }
    list
}

/// The letter of a severity.
pub(super) fn letter(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Critical) => "C",
        Some(Severity::Error) => "E",
        Some(Severity::Warning) => "W",
        Some(Severity::Info) => "I",
        None => " ",
    }
}
