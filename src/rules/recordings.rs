//! Remarks about the recording: what it does not show, and which claims are therefore not made.

use super::{CaptureFacts, Fault, Finding, Population, Rule, Subject};
use crate::events::{Connection, Transport};

/// Connections that a remark lists at most.
const LISTED: usize = 1_000;

/// Frames that a remark cites at most from its connections.
const CITED: usize = 4;

/// A remark about one capture; it is named where there are several.
pub fn about(
    rule: &'static Rule,
    population: &Population<'_>,
    capture: &CaptureFacts,
    message: impl Into<String>,
) -> Finding {
    let (message, time) = (message.into(), capture.window.map_or(population.window.0, |(start, _)| start));
    let message =
        if population.captures.len() > 1 { format!("{}: {message}", capture.path) } else { message };
    Finding::about(rule, time, message).fault(Fault::Capture).key(capture.path.clone())
}

/// A remark about connections of the run, with the first of them as proof.
pub fn of_connections(
    rule: &'static Rule,
    population: &Population<'_>,
    connections: &[&Connection],
    message: impl Into<String>,
    sentence: &str,
) -> Finding {
    let time = connections.first().map_or(population.window.0, |connection| connection.start);
    let mut finding = Finding::about(rule, time, message)
        .fault(Fault::Capture)
        .on(connections.iter().take(LISTED).map(|connection| connection.id))
        .occurrences(connections.len())
        .number("connections", connections.len());
    for connection in connections.iter().take(CITED) {
        finding = finding.shows([connection.first, connection.last], sentence);
    }
    finding
}

/// The TCP connections for which this holds, in order.
pub fn tcp<'a>(population: &Population<'a>, holds: impl Fn(&Connection) -> bool) -> Vec<&'a Connection> {
    let tcp = population.connections.iter().filter(|connection| connection.transport == Transport::Tcp);
    tcp.filter(|connection| holds(connection)).collect()
}

/// The connections of sessions for which this holds, in order, each once.
pub fn of_sessions<'a>(
    population: &'a Population<'_>,
    holds: impl Fn(Subject<'a>) -> bool,
) -> Vec<&'a Connection> {
    let chosen = population.subjects().filter(|subject| holds(*subject));
    let mut all: Vec<&Connection> =
        chosen.flat_map(|subject| subject.parts().map(|part| part.connection).collect::<Vec<_>>()).collect();
    all.sort_by_key(|connection| connection.id);
    all.dedup_by_key(|connection| connection.id);
    all
}

/// `1 connection`, `2 connections`.
pub fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
