//! GSN808: connecting was refused.

use crate::events::Transport;
use crate::events::transport::{By, How, Reason};
use crate::rules::attempts::{self, Attempts};
use crate::rules::{Fault, Finding, Findings, Population, Severity};

rule! {
    /// # What it finds
    /// A connection that the other side refused at once: a RST as answer to the SYN, or an ICMP "port unreachable".
    ///
    /// # Why it matters
    /// The service is not there: it was not started, crashed, listens on another address or port, or a firewall refuses in
    /// its name. If the port worked earlier in the capture, it went down while people used it.
    ///
    /// # How it is decided
    /// The packets say so. It is an error where the same service had taken connections before in this capture. A client that
    /// tries one port after the other is a scanner, and one that connects by its other family of addresses at once is not
    /// hurt: both are remarks.
    ///
    /// # What it cannot know
    /// Whether the host or a firewall in its name refused, unless the hop limit of the refusal differs from the host's own.
    ///
    /// # How to mend it
    /// Start the service, or correct address and port; let clients try again with growing pauses.
    ///
    /// # Sources
    /// RFC 9293 section 3.5.2; RFC 1122 section 4.2.3.9 (ICMP hard errors); RFC 8305; `domain.md` C.6, D.9.
    "GSN808", "connect-refused", "nobody listens there: connecting was refused", Warning, Transport, Population(check)
}

/// Datagrams of one client to one closed port from which on it is no late answer or single probe.
const INSISTED: u64 = 3;

fn check(population: &Population<'_>, findings: &mut Findings) {
    let refused = attempts::failed(population, |connection| {
        let ended = &connection.ended;
        let icmp = connection.trouble.as_deref().and_then(|trouble| trouble.icmp);
        let hard = match ended.how {
            How::Rst => true,
            How::Icmp => icmp.is_some_and(|icmp| {
                !icmp.is_prohibited()
                    && matches!((icmp.from.is_ipv6(), icmp.kind, icmp.code), (false, 3, 2 | 3) | (true, 1, 4))
            }),
            _ => false,
        };
        ended.reason == Reason::EstablishRefused && hard && connection.sides.client.packets > 0
    });
    for attempts in refused {
        report(population, &attempts, findings);
    }
}

fn report(population: &Population<'_>, attempts: &Attempts<'_>, findings: &mut Findings) {
    let (Some(first), Some(last)) = (attempts.tries.first(), attempts.tries.last()) else { return };
    let (client, server) = (attempts.client, attempts.server);
    let datagrams = first.transport == Transport::Udp;
    let sent: u64 = attempts.tries.iter().map(|connection| connection.sides.client.packets).sum();
    let count = attempts.tries.len();
    let message = format!(
        "{server} refused {} of {client}{}",
        if datagrams { "the datagrams" } else { "the connection" },
        if count > 1 { format!(", {count} times in {}", last.end.since(first.start)) } else { String::new() }
    );
    let subject = attempts.tries.iter().find_map(|connection| population.session_of(connection.id));
    let mut finding = match subject {
        Some(subject) => Finding::of(&RULE, &subject, message),
        None => Finding::about(&RULE, first.start, message),
    };
    let fault = match first.ended.by {
        By::Middlebox | By::Network => Fault::Middlebox,
        _ => Fault::Server,
    };
    finding = finding
        .on(attempts.tries.iter().map(|connection| connection.id))
        .key(format!("{client} {server}"))
        .at(first.start)
        .confidence(first.ended.confidence)
        .fault(fault)
        .why(first.ended.because.clone())
        .advice(match fault {
            Fault::Middlebox => "look for the rule of the firewall that refuses this port",
            _ => "start the service, or correct the address and port; let the client try again with growing pauses",
        })
        .occurrences(count)
        .number("attempts", count)
        .seconds("tried_s", last.end.since(first.start));
    for connection in attempts.tries.iter().take(3) {
        finding = finding.shows(connection.ended.frames.iter().copied(), "the attempt, and the refusal");
    }
    if let Some(worked) = attempts.worked {
        finding = finding
            .severity(Severity::Error)
            .context([worked.first], "the same service had taken a connection before");
    }
    if let Some(again) = attempts.works_again {
        finding = finding.context([again.first], "and takes one again later");
    }
    // A datagram to a port above its sender's is an answer that came too late.
    let late = datagrams && (sent < INSISTED || first.client.port < server.port);
    if attempts.is_harmless() || late {
        finding = finding.severity(Severity::Info);
    }
    findings.add(finding);
}
