//! Attempts of a client to reach a server that failed one after the other: what the rules of reconnection have in common.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::population::Population;
use crate::events::transport::{By, How, Opened, Reason, RstClass};
use crate::events::{Connection, Endpoint, Transport};
use crate::time::Span;

/// From so many failures in a row on, they are worth a word.
pub(super) const MANY: usize = 5;

/// A session that was over so soon never was one.
const SHORT: Span = Span::from_secs(2);

/// Failures in a row of one client at one server, each begun when the one before had failed.
#[derive(Debug, Clone)]
pub(super) struct Row<'a> {
    /// Who tries.
    pub(super) client: IpAddr,
    /// Where.
    pub(super) server: Endpoint,
    /// The attempts in order of time, at least [`MANY`].
    pub(super) attempts: Vec<&'a Connection>,
}

impl Row<'_> {
    /// Times from each attempt to the next.
    pub(super) fn intervals(&self) -> Vec<Span> {
        self.attempts
            .windows(2)
            .filter_map(|pair| Some(pair.get(1)?.start.since(pair.first()?.start)))
            .collect()
    }

    /// Shortest and longest of them.
    pub(super) fn extremes(&self) -> (Span, Span) {
        let all = self.intervals();
        (all.iter().min().copied().unwrap_or_default(), all.iter().max().copied().unwrap_or_default())
    }

    /// Whether all intervals are equal within a tenth.
    pub(super) fn is_constant(&self) -> bool {
        let (shortest, longest) = self.extremes();
        longest.0 - shortest.0 <= longest.0 / 10
    }

    /// Whether it never tried otherwise than with one and the same long period and without a byte: a check, not a user.
    pub(super) fn is_check(&self) -> bool {
        let silent = self.attempts.iter().all(|attempt| attempt.sides.client.payload_bytes == 0);
        silent && self.is_constant() && self.extremes().0 >= SHORT
    }
}

/// All rows of failures, in order of servers and clients.
pub(super) fn rows<'a>(population: &'a Population<'a>) -> Vec<Row<'a>> {
    let mut found = Vec::new();
    for (server, connections) in population.served() {
        let mut clients: BTreeMap<IpAddr, Vec<&'a Connection>> = BTreeMap::new();
        for connection in connections.into_iter().filter(|connection| connection.transport == Transport::Tcp)
        {
            clients.entry(connection.client.ip).or_default().push(connection);
        }
        for (client, all) in clients.into_iter().filter(|(_, all)| all.len() >= MANY) {
            let mut row = Row { client, server, attempts: Vec::new() };
            for connection in all {
                match failed(population, connection) {
                    // What was tried at the same time is one attempt.
                    Some(true) if row.attempts.last().is_some_and(|last| connection.start < last.end) => {}
                    Some(true) => row.attempts.push(connection),
                    Some(false) => keep(&mut found, &mut row),
                    None => {}
                }
            }
            keep(&mut found, &mut row);
        }
    }
    found
}

fn keep<'a>(found: &mut Vec<Row<'a>>, row: &mut Row<'a>) {
    let attempts = std::mem::take(&mut row.attempts);
    if attempts.len() >= MANY {
        found.push(Row { attempts, ..row.clone() });
    }
}

/// Whether an attempt failed; none where it says nothing.
fn failed(population: &Population<'_>, connection: &Connection) -> Option<bool> {
    let ended = &connection.ended;
    if ended.rst.is_some_and(|rst| rst.class == RstClass::SynScan) {
        return None;
    }
    if matches!(ended.reason, Reason::EstablishRefused | Reason::EstablishTimeout) {
        return Some(true);
    }
    if connection.opened != Opened::Observed || ended.how == How::CaptureEnd {
        return (connection.opened == Opened::Observed).then_some(false);
    }
    let refused = population.session_of(connection.id).is_some_and(|subject| {
        let last = subject.last().is_some_and(|part| part.connection.id == connection.id);
        last && matches!(subject.session.outcome.reason, Reason::AuthRefused | Reason::EstablishRefused)
    });
    let thrown_out = connection.end.since(connection.start) < SHORT
        && ended.by != By::Client
        && matches!(
            ended.reason,
            Reason::Abort | Reason::Superseded | Reason::ServerShutdown | Reason::MiddleboxReset
        );
    Some(refused || thrown_out)
}
