//! Attempts to connect that came to nothing, by who tried and where, with what tells a fault from a scan.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::Population;
use crate::events::transport::{How, Opened, Reason};
use crate::events::{Connection, Endpoint};
use crate::time::Span;

/// A client with so many targets that never answered looks for what is there (`domain.md` D.1).
const SCAN: usize = 10;

/// A client that has both families of addresses takes whichever connects first (RFC 8305).
const EYEBALLS: Span = Span::from_secs(2);

/// The attempts of one client at one service that failed alike.
#[derive(Debug)]
pub struct Attempts<'a> {
    /// Who tried.
    pub client: IpAddr,
    /// Where.
    pub server: Endpoint,
    /// The attempts, in order.
    pub tries: Vec<&'a Connection>,
    /// The client tries one target after the other, as a scanner does.
    pub scan: bool,
    /// The other family of addresses connected at once.
    pub eyeballs: bool,
    /// A connection to the service that had come to be before.
    pub worked: Option<&'a Connection>,
    /// A connection to the service that came to be later.
    pub works_again: Option<&'a Connection>,
}

impl Attempts<'_> {
    /// Whether it is nothing to worry about.
    pub fn is_harmless(&self) -> bool {
        self.scan || self.eyeballs
    }
}

/// Whether a connection came to be.
pub fn opened(connection: &Connection) -> bool {
    !matches!(connection.ended.reason, Reason::EstablishRefused | Reason::EstablishTimeout)
        && !matches!(connection.opened, Opened::Never)
        && connection.sides.server.packets > 0
}

/// What a client did in all: targets that it reached, and those that it did not, with the attempts.
#[derive(Default)]
struct Habit {
    reached: BTreeSet<Endpoint>,
    missed: BTreeMap<Endpoint, usize>,
}

impl Habit {
    fn is_scan(&self) -> bool {
        let missed = self.missed.keys().filter(|target| !self.reached.contains(target)).count();
        let tries: usize = self.missed.values().sum();
        missed >= SCAN && missed >= 2 * self.reached.len() && tries <= 3 * missed
    }
}

/// The failed attempts that are `wanted`, by client and service, in order.
pub fn failed<'a>(population: &'a Population<'_>, wanted: impl Fn(&Connection) -> bool) -> Vec<Attempts<'a>> {
    let mut habits: BTreeMap<IpAddr, Habit> = BTreeMap::new();
    let mut groups: BTreeMap<(IpAddr, Endpoint), Vec<&Connection>> = BTreeMap::new();
    for connection in population.connections {
        let habit = habits.entry(connection.client.ip).or_default();
        let probed = connection.ended.how == How::Rst && connection.ended.detail == Some("probe");
        if opened(connection) && !probed {
            habit.reached.insert(connection.server);
        } else {
            *habit.missed.entry(connection.server).or_default() += 1;
        }
        if wanted(connection) {
            groups.entry((connection.client.ip, connection.server)).or_default().push(connection);
        }
    }
    let scanners: BTreeSet<IpAddr> =
        habits.iter().filter(|(_, habit)| habit.is_scan()).map(|(client, _)| *client).collect();
    let mut by_port: BTreeMap<(u16, bool), Vec<&Connection>> = BTreeMap::new();
    for connection in population.connections.iter().filter(|connection| opened(connection)) {
        by_port.entry((connection.server.port, connection.server.ip.is_ipv6())).or_default().push(connection);
    }
    for list in by_port.values_mut() {
        list.sort_by_key(|connection| connection.start);
    }
    groups
        .into_iter()
        .filter_map(|((client, server), tries)| {
            let (first, last) = (tries.first()?.start, tries.last()?.start);
            let other = by_port.get(&(server.port, !server.ip.is_ipv6()));
            let eyeballs = other.is_some_and(|list| {
                let from = list.partition_point(|connection| connection.start < first);
                list.get(from).is_some_and(|near| near.start.since(first) <= EYEBALLS)
            });
            let mut others = population.connections_of(server).filter(|connection| opened(connection));
            let worked = others.next().filter(|other| other.start < first);
            let works_again = population
                .connections_of(server)
                .rev()
                .find(|connection| opened(connection))
                .filter(|other| other.start > last);
            Some(Attempts {
                client,
                server,
                scan: scanners.contains(&client),
                eyeballs,
                tries,
                worked,
                works_again,
            })
        })
        .collect()
}
