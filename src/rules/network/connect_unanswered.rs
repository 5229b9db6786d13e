//! GSN807: connecting got no answer, and the host shows no other sign of life.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::events::Transport;
use crate::events::transport::{How, Reason};
use crate::rules::attempts::{self, Attempts};
use crate::rules::{Fault, Finding, Findings, Population, Severity};

rule! {
    /// # What it finds
    /// SYNs that nobody answers, to a host of which nothing else is heard in the capture either, or of which a router says
    /// that it cannot be reached.
    ///
    /// # Why it matters
    /// The client waits for its whole series of attempts, one to two minutes by default, before it reports a failure.
    ///
    /// # How it is decided
    /// At least three SYNs and 3 s without an answer, in a capture that shows answers of others to this client; nothing at
    /// all came from the host. Where the host is heard on other ports the same is GST114. A client that tries many targets
    /// in turn is a scanner, and its misses are remarks.
    ///
    /// # What it cannot know
    /// Whether the host is down, does not exist, or a firewall drops the SYNs in silence. A neighbour request (ARP) without
    /// an answer would tell, if the capture had it.
    ///
    /// # How to mend it
    /// Check that the address is right and the host is up, then the firewalls on the way. A shorter connect time-out and
    /// a second address let the client fail sooner.
    ///
    /// # Sources
    /// RFC 9293 section 3.8.3; RFC 1122 section 4.2.3.5 (at least 3 minutes of SYNs); RFC 8305; `domain.md` D.9.
    "GSN807", "connect-unanswered", "connecting got no answer, and the host is silent otherwise too", Warning, Transport, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    let heard: BTreeSet<IpAddr> = population
        .connections
        .iter()
        .flat_map(|connection| {
            let sides = &connection.sides;
            [(connection.client.ip, sides.client.packets), (connection.server.ip, sides.server.packets)]
        })
        .filter(|(_, packets)| *packets > 0)
        .map(|(ip, _)| ip)
        .collect();
    let answered: BTreeSet<IpAddr> = population
        .connections
        .iter()
        .filter(|connection| connection.sides.server.packets > 0)
        .map(|connection| connection.client.ip)
        .collect();
    let silent = attempts::failed(population, |connection| {
        let (ended, tcp) = (&connection.ended, connection.transport == Transport::Tcp);
        let unanswered = ended.reason == Reason::EstablishTimeout
            && ended.how == How::Silence
            && connection.sides.server.packets == 0;
        let unreachable = ended.reason == Reason::EstablishRefused
            && ended.how == How::Icmp
            && connection
                .trouble
                .as_deref()
                .and_then(|trouble| trouble.icmp)
                .is_some_and(|icmp| is_path(icmp.from, icmp.kind, icmp.code));
        tcp && (unanswered || unreachable)
    });
    for attempts in silent {
        let said = attempts.tries.iter().any(|connection| connection.ended.how == How::Icmp);
        if heard.contains(&attempts.server.ip) && !said {
            continue;
        }
        // A capture that shows no answer to anybody may see one direction only.
        let seen = said || answered.contains(&attempts.client);
        report(population, &attempts, said, seen, findings);
    }
}

/// Whether a router says that there is no way (RFC 792, RFC 4443).
fn is_path(from: IpAddr, kind: u8, code: u8) -> bool {
    match from {
        IpAddr::V4(_) => kind == 3 && matches!(code, 0 | 1 | 5..=8 | 11 | 12) || kind == 11,
        IpAddr::V6(_) => kind == 1 && matches!(code, 0 | 2 | 3) || kind == 3,
    }
}

fn report(
    population: &Population<'_>,
    attempts: &Attempts<'_>,
    said: bool,
    seen: bool,
    findings: &mut Findings,
) {
    let Some(subject) = attempts.tries.iter().find_map(|connection| population.session_of(connection.id))
    else {
        return;
    };
    let (Some(first), Some(last)) = (attempts.tries.first(), attempts.tries.last()) else { return };
    let syns: u64 = attempts.tries.iter().map(|connection| connection.sides.client.packets).sum();
    let span = last.end.since(first.start);
    let (client, server) = (attempts.client, attempts.server);
    let message = if said {
        format!("{client} cannot reach {server}: the network says that there is no way to it")
    } else {
        format!(
            "{client} sent {syns} SYNs to {server} over {span}, and no answer came; nothing else is heard of that host"
        )
    };
    let mut finding = Finding::of(&RULE, &subject, message)
        .on(attempts.tries.iter().map(|connection| connection.id))
        .key(format!("{client} {server}"))
        .at(first.start)
        .fault(if said { Fault::Network } else { Fault::Unknown })
        .why(first.ended.because.clone())
        .advice("check the address, whether the host is up, and the firewalls on the way; a shorter connect time-out lets the client fail sooner")
        .occurrences(attempts.tries.len())
        .number("syns", syns)
        .seconds("tried_s", span);
    for connection in attempts.tries.iter().take(3) {
        finding = finding.shows(connection.ended.frames.iter().copied(), "connecting, in vain");
    }
    finding = finding.absence(
        (first.start, last.end),
        [first.first, last.last],
        "nothing of the host in this time",
    );
    if !seen || attempts.is_harmless() {
        finding = finding.severity(Severity::Info);
    }
    findings.add(finding);
}
