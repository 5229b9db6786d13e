//! GSR317: many clients lost a server together, and came back together.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::events::transport::{How, Reason};
use crate::events::{Connection, Transport};
use crate::rules::{Fault, Finding, Findings, Population};
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// Twenty or more clients whose connections to one server broke within ten seconds, and who all came back within ten
    /// seconds.
    ///
    /// # Why it matters
    /// Handshakes and logins of all of them arrive at once; a server that was just about to recover may fall again.
    ///
    /// # How it is decided
    /// Clients are counted by address. For each, the first new connection after the loss counts.
    ///
    /// # What it cannot know
    /// How many clients stand behind one address.
    ///
    /// # How to mend it
    /// Let clients wait for a random time before the first attempt, as long as the server can bear to wait for them; drain
    /// servers in steps instead of all at once.
    ///
    /// # Sources
    /// RFC 8767 and RFC 6585 say it of others; `domain.md` D.1, D.9.
    "GSR317", "thundering-herd", "many clients lost a server together and came back together", Warning, Session, Population(check)
}

/// So many clients.
const CLIENTS: usize = 20;

/// Within this time.
const TOGETHER: Span = Span::from_secs(10);

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (server, connections) in population.served() {
        if connections.len() < 2 * CLIENTS {
            continue;
        }
        let mut clients: BTreeMap<IpAddr, Vec<&Connection>> = BTreeMap::new();
        for connection in connections.into_iter().filter(|connection| connection.transport == Transport::Tcp)
        {
            clients.entry(connection.client.ip).or_default().push(connection);
        }
        let mut returns: Vec<(Timestamp, Timestamp, &Connection)> =
            clients.values().filter_map(|all| first_return(all)).collect();
        returns.sort_by_key(|(start, ..)| *start);
        let together = |window: &&[(Timestamp, Timestamp, &Connection)]| {
            let (first, last) = (window.first(), window.last());
            let back = first.zip(last).is_some_and(|(first, last)| last.0.since(first.0) <= TOGETHER);
            let losses = || window.iter().map(|(_, loss, _)| *loss);
            back && losses()
                .max()
                .zip(losses().min())
                .is_some_and(|(late, early)| late.since(early) <= TOGETHER)
        };
        let Some(window) = returns.windows(CLIENTS).find(together) else { continue };
        let Some((start, ..)) = window.first() else { continue };
        let all: Vec<&Connection> = returns
            .iter()
            .filter(|(other, ..)| *other >= *start && other.since(*start) <= TOGETHER)
            .map(|(.., connection)| *connection)
            .collect();
        findings.add(
            Finding::about(
                &RULE,
                *start,
                format!(
                    "{} clients lost {server} together, and came back within {:.0} s",
                    all.len(),
                    TOGETHER.as_secs()
                ),
            )
            .on(all.iter().map(|connection| connection.id))
            .key(server.to_string())
            .fault(Fault::Client)
            .why("their connections broke within the same ten seconds, and so did the new ones begin")
            .advice("let each client wait for a random time before it comes back; drain the server in steps")
            .number("clients", all.len())
            .shows(all.iter().map(|connection| connection.first), "the new connections begin"),
        );
    }
}

/// When a client came back after its first loss, when that was, and by which connection.
fn first_return<'a>(all: &[&'a Connection]) -> Option<(Timestamp, Timestamp, &'a Connection)> {
    let is_lost = |connection: &&&Connection| {
        let orderly = matches!(
            connection.ended.reason,
            Reason::Released | Reason::CaptureEnded | Reason::EstablishRefused | Reason::EstablishTimeout
        );
        !orderly && connection.ended.how != How::CaptureEnd
    };
    let loss = all.iter().find(is_lost)?;
    let next = all.iter().find(|next| next.start >= loss.end)?;
    Some((next.start, loss.end, next))
}
