//! GSG207: a host, or the program on it, was restarted, and its sessions did not survive.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::events::transport::{By, How, Opened, Reason};
use crate::events::{Confidence, Connection, Endpoint, Side};
use crate::rules::departure::{forgotten, side};
use crate::rules::{Fault, Finding, Findings, Population, Severity, Subject};
use crate::session::outcome::seconds;
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// Several sessions of one host that it no longer knew at the same time; or a service that took connections, refused
    /// them, and took them again.
    ///
    /// # Why it matters
    /// Everything that was held in memory is gone: logins, locks, subscriptions, transfers. One cause stands behind many
    /// broken sessions.
    ///
    /// # How it is decided
    /// A host: at least two established sessions of it were answered by resets without state within ten seconds of each
    /// other. A program: an attempt was refused by the server itself between connections that it took before and after;
    /// what it closed last before the refusal belongs to it.
    ///
    /// # What it cannot know
    /// Whether it was a crash, an update or a failover to a machine that takes over the address but not the sessions.
    ///
    /// # How to mend it
    /// Drain before a restart; keep what must survive outside of the process; let clients wait a growing and random time
    /// before they come back.
    ///
    /// # Sources
    /// RFC 9293 section 3.5.1 (half-open connections); `domain.md` C.6, D.3, D.9.
    "GSG207", "peer-rebooted", "a host or a service was restarted under its sessions", Error, Session, Population(check)
}

/// Resets of one host within this long of each other are of one cause (`domain.md` D.9).
const TOGETHER: Span = Span::from_secs(10);

/// What a server closes within this long is closed at once.
const AT_ONCE: Span = Span::from_secs(1);

/// A restart is not longer than this: else it was a service that was switched off.
const RESTART: Span = Span::from_secs(120);

fn check(population: &Population<'_>, findings: &mut Findings) {
    hosts(population, findings);
    for (server, connections) in population.served() {
        service(server, &connections, population, findings);
    }
}

/// Hosts that knew nothing of several sessions at once.
fn hosts(population: &Population<'_>, findings: &mut Findings) {
    let mut by_host: BTreeMap<IpAddr, Vec<(Timestamp, &Connection, Side)>> = BTreeMap::new();
    for part in population.subjects().flat_map(Subject::parts) {
        let Some(oblivion) = forgotten(part) else { continue };
        let host = match oblivion.forgetful {
            Side::Client => part.connection.client.ip,
            Side::Server => part.connection.server.ip,
        };
        by_host.entry(host).or_default().push((part.connection.end, part.connection, oblivion.forgetful));
    }
    for (host, mut resets) in by_host {
        resets.sort_by_key(|(time, connection, _)| (*time, connection.id));
        for group in resets.chunk_by(|one, next| next.0.since(one.0) <= TOGETHER) {
            let (Some((first, ..)), Some((last, _, forgetful))) = (group.first(), group.last()) else {
                continue;
            };
            if group.len() < 2 {
                continue;
            }
            let message = format!(
                "{host} knew nothing of {} sessions any more, which showed within {}",
                group.len(),
                seconds(last.since(*first))
            );
            let mut finding = Finding::about(&RULE, *first, message)
                .on(group.iter().map(|(_, connection, _)| connection.id))
                .key(format!("{host} {}", first.0))
                .confidence(Confidence::High)
                .fault(*forgetful)
                .why("its answers are resets without state, in its own name, to sessions that were established and at rest: it lost all of them at once")
                .advice("find out what restarted that host; drain its sessions before a planned restart")
                .number("sessions", group.len())
                .occurrences(group.len());
            for (_, connection, _) in group.iter().take(4) {
                finding = finding.shows(
                    connection.ended.frames.iter().copied(),
                    format!("connection {}: used, and unknown", connection.id),
                );
            }
            findings.add(finding);
        }
    }
}

/// Whether the server took it.
fn taken(connection: &Connection) -> bool {
    connection.opened != Opened::Never
        && !matches!(connection.ended.reason, Reason::EstablishRefused | Reason::EstablishTimeout)
        && connection.sides.server.packets > 1
}

fn refused(connection: &Connection) -> bool {
    let ended = &connection.ended;
    ended.reason == Reason::EstablishRefused && ended.how == How::Rst && ended.by == By::Server
}

/// A service that refused between two connections that it took.
fn service(
    server: Endpoint,
    connections: &[&Connection],
    population: &Population<'_>,
    findings: &mut Findings,
) {
    let mut order: Vec<&Connection> =
        connections.iter().copied().filter(|connection| taken(connection) || refused(connection)).collect();
    order.sort_by_key(|connection| (connection.start, connection.id));
    // What the server closed itself, by time.
    let mut closed: Vec<&Connection> = order
        .iter()
        .copied()
        .filter(|connection| {
            taken(connection)
                && matches!(connection.ended.how, How::Fin | How::Rst)
                && side(connection.ended.by) == Some(Side::Server)
        })
        .collect();
    closed.sort_by_key(|connection| (connection.end, connection.id));
    let runs: Vec<&[&Connection]> = order.chunk_by(|one, next| refused(one) == refused(next)).collect();
    for window in runs.windows(3) {
        let [before, down, after] = window else { continue };
        let (Some(last), Some(first), Some(up)) = (before.last(), down.first(), after.first()) else {
            continue;
        };
        if !refused(first) || up.start.since(first.start) > RESTART {
            continue;
        }
        let until = closed.partition_point(|connection| connection.end <= first.start);
        let latest = closed.get(until.wrapping_sub(1)).filter(|latest| latest.end >= last.start);
        let victims: Vec<&Connection> = match latest {
            Some(latest) => closed
                .get(..until)
                .unwrap_or_default()
                .iter()
                .rev()
                .copied()
                .take_while(|connection| latest.end.since(connection.end) <= AT_ONCE)
                .collect(),
            None => Vec::new(),
        };
        let hurt = victims.iter().any(|connection| {
            population.session_of(connection.id).is_some_and(|subject| {
                let mut legs = subject.parts().filter(|part| part.connection.id == connection.id);
                legs.any(|part| part.leg.dialog.debt().is_some() || part.leg.works.open().next().is_some())
            })
        });
        let away = up.start.since(first.start);
        let message = format!(
            "{} port {} was restarted: it refused {} and took connections again {} later",
            server.ip,
            server.port,
            if down.len() == 1 { "an attempt".to_owned() } else { format!("{} attempts", down.len()) },
            seconds(away)
        );
        let mut finding = Finding::about(&RULE, first.start, message)
            .severity(if hurt { Severity::Error } else { Severity::Warning })
            .on(down.iter().chain(&victims).map(|connection| connection.id))
            .key(format!("{} {} {}", server.ip, server.port, first.id))
            .confidence(Confidence::High)
            .fault(Fault::Server)
            .why("its own host answered the SYN with a reset, between connections that the same address and port took")
            .advice("let a new process listen before the old one leaves, or have clients try again after a growing and random time")
            .seconds("away_s", away)
            .number("refused", down.len())
            .number("closed", victims.len())
            .context([last.first], "it takes connections")
            .shows(first.ended.frames.iter().copied(), "it refuses")
            .shows([up.first], "it takes connections again");
        for connection in victims.iter().take(4) {
            finding = finding.shows(
                connection.ended.frames.iter().copied(),
                format!("connection {}: closed by the server just before", connection.id),
            );
        }
        findings.add(finding);
    }
}
