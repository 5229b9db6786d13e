//! GSN809: a device on the way forbids it, in its own name.

use crate::events::transport::Reason;
use crate::rules::attempts::{self, Attempts};
use crate::rules::{Fault, Finding, Findings, Population, Severity};

rule! {
    /// # What it finds
    /// An ICMP message "administratively prohibited": a router or firewall says that it does not let the packets through.
    ///
    /// # Why it matters
    /// It is the rare case of a firewall that names itself: the address to ask is in the message.
    ///
    /// # How it is decided
    /// ICMP type 3 with code 9, 10 or 13, or ICMPv6 type 1 with code 1, 5 or 6, quotes a packet of the connection, and the
    /// other side is not heard after it.
    ///
    /// # What it cannot know
    /// Whether the rule is meant. A scanner that meets it is a remark.
    ///
    /// # How to mend it
    /// Ask whoever runs the device at the source address of the message for a rule that lets these addresses and ports
    /// through, or do not try.
    ///
    /// # Sources
    /// RFC 1812 section 5.2.7.1; RFC 4443 section 3.1; `domain.md` C.9, D.9.
    "GSN809", "admin-prohibited", "a firewall on the way says that it forbids this", Warning, Transport, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    let forbidden = attempts::failed(population, |connection| {
        matches!(connection.ended.reason, Reason::EstablishRefused | Reason::Network)
            && connection
                .trouble
                .as_deref()
                .and_then(|trouble| trouble.icmp)
                .is_some_and(|icmp| icmp.is_prohibited() && !icmp.contradicted)
    });
    for attempts in forbidden {
        report(population, &attempts, findings);
    }
}

fn report(population: &Population<'_>, attempts: &Attempts<'_>, findings: &mut Findings) {
    let Some(first) = attempts.tries.first() else { return };
    let Some(icmp) = first.trouble.as_deref().and_then(|trouble| trouble.icmp) else { return };
    let message = format!(
        "{} forbids {} to talk to {}: it said so by {} {}/{}",
        icmp.from,
        attempts.client,
        attempts.server,
        if icmp.from.is_ipv6() { "ICMPv6" } else { "ICMP" },
        icmp.kind,
        icmp.code
    );
    let mut finding = match population.session_of(first.id) {
        Some(subject) => Finding::of(&RULE, &subject, message),
        None => Finding::about(&RULE, first.start, message),
    };
    finding = finding
        .on(attempts.tries.iter().map(|connection| connection.id))
        .key(format!("{} {}", attempts.client, attempts.server))
        .at(icmp.mark.time)
        .fault(Fault::Middlebox)
        .why(first.ended.because.clone())
        .advice(format!(
            "ask whoever runs {} for a rule that lets {} reach {}",
            icmp.from, attempts.client, attempts.server
        ))
        .occurrences(attempts.tries.len())
        .context([first.first], "what was tried");
    for connection in attempts.tries.iter().take(3) {
        let said = connection.trouble.as_deref().and_then(|trouble| trouble.icmp).map(|icmp| icmp.mark.at);
        finding = finding.shows(said, "the message");
    }
    if attempts.is_harmless() {
        finding = finding.severity(Severity::Info);
    }
    findings.add(finding);
}
