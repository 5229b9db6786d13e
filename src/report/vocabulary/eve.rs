//! Suricata's EVE: a `flow` event for each connection, an `alert` event for each finding
//! (docs.suricata.io, "Eve JSON Format").
//!
//! `bytes_toserver` and `bytes_toclient` count headers there; what is known here is payload, which stands in `ghostshark`.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::Legs;
use crate::analysis::Analysis;
use crate::events::Connection;
use crate::events::transport::{How, Reason};
use crate::packet::Transport;
use crate::report::jsonl;
use crate::report::words::Word;
use crate::rules::{Finding, Severity};
use crate::time::Timestamp;

/// The first number of our signatures: the number of the rule is added.
const SIGNATURES: u64 = 9_900_000;

const SYN: u8 = 1;
const SYN_ACK: u8 = 2;
const ACK: u8 = 4;
const DATA: u8 = 8;
const FIN: u8 = 16;
const RST: u8 = 32;

pub(super) fn connections(
    chosen: &[&Connection],
    legs: &Legs<'_>,
    analysis: &Analysis,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut alerted = vec![false; analysis.connections.len()];
    for finding in analysis.findings.iter().filter(|finding| finding.severity >= Severity::Warning) {
        for id in &finding.connections {
            if let Some(seen) = alerted.get_mut(*id as usize) {
                *seen = true;
            }
        }
    }
    for one in chosen {
        let mut event = common(one, legs, "flow", one.end);
        event.insert(
            "flow".to_owned(),
            json!({
                "pkts_toserver": one.sides.client.packets,
                "pkts_toclient": one.sides.server.packets,
                "start": stamp(one.start),
                "end": stamp(one.end),
                "age": one.end.since(one.start).0 / 1_000_000_000,
                "state": state(one),
                "reason": if one.ended.reason == Reason::CaptureEnded { "shutdown" } else { "timeout" },
                "alerted": alerted.get(one.id as usize).copied().unwrap_or_default(),
            }),
        );
        if one.transport == Transport::Tcp {
            event.insert("tcp".to_owned(), Value::Object(flags(one)));
        }
        event.insert(
            "ghostshark".to_owned(),
            json!({
                "connection": one.id,
                "payload_bytes_toserver": one.sides.client.payload_bytes,
                "payload_bytes_toclient": one.sides.server.payload_bytes,
                "ended": {
                    "how": one.ended.how.word(),
                    "by": one.ended.by.word(),
                    "reason": one.ended.reason.word(),
                    "confidence": one.ended.confidence.word(),
                },
            }),
        );
        jsonl::line(out, &event)?;
    }
    Ok(())
}

pub(super) fn alerts(
    chosen: &[&Finding],
    legs: &Legs<'_>,
    analysis: &Analysis,
    out: &mut dyn Write,
) -> io::Result<()> {
    for finding in chosen {
        let mut event = if let Some(one) = super::connection_of(finding, analysis) {
            common(one, legs, "alert", finding.time)
        } else {
            // One about the capture concerns no flow.
            let mut event = Map::new();
            event.insert("timestamp".to_owned(), stamp(finding.time).into());
            event.insert("event_type".to_owned(), "alert".into());
            event
        };
        if let Some(first) = finding.frames().first() {
            event.insert("pcap_cnt".to_owned(), first.frame.into());
        }
        event.insert(
            "alert".to_owned(),
            json!({
                "action": "allowed",
                "gid": 1,
                "signature_id": SIGNATURES + number(finding.rule.code),
                "rev": 1,
                "signature": format!("{} {}: {}", finding.rule.code, finding.rule.name, finding.rule.title),
                "category": finding.layer.name(),
                "severity": severity(finding.severity),
            }),
        );
        event.insert(
            "ghostshark".to_owned(),
            json!({
                "id": finding.name(),
                "message": finding.message,
                "severity": finding.severity.name(),
                "confidence": finding.confidence.name(),
                "fault": finding.fault.name(),
                "connections": finding.connections,
                "frames": finding.frames().iter().map(|at| at.frame).collect::<Vec<_>>(),
                "fingerprint": finding.fingerprint.hex(),
            }),
        );
        jsonl::line(out, &event)?;
    }
    Ok(())
}

/// What all events have.
fn common(one: &Connection, legs: &Legs<'_>, kind: &str, time: Timestamp) -> Map<String, Value> {
    let mut event = Map::new();
    let mut say = |name: &str, value: Value| event.insert(name.to_owned(), value);
    say("timestamp", stamp(time).into());
    // JSON numbers of 53 bits are whole everywhere.
    say("flow_id", (one.uid >> 11).into());
    say("event_type", kind.into());
    say("src_ip", one.client.ip.to_string().into());
    say("src_port", one.client.port.into());
    say("dest_ip", one.server.ip.to_string().into());
    say("dest_port", one.server.port.into());
    say("proto", one.transport.name().to_uppercase().into());
    say("app_proto", legs.protocols(one).last().copied().unwrap_or("failed").into());
    say("community_id", one.community_id.as_str().into());
    event
}

/// `new`, `established` or `closed`.
fn state(one: &Connection) -> &'static str {
    let both = one.sides.client.packets > 0 && one.sides.server.packets > 0;
    match one.ended.how {
        How::Fin | How::Rst if one.transport == Transport::Tcp => "closed",
        _ if both => "established",
        _ => "new",
    }
}

/// The flags that were seen, as far as `tcp.completeness` tells.
fn flags(one: &Connection) -> Map<String, Value> {
    let seen = [("syn", SYN | SYN_ACK), ("fin", FIN), ("rst", RST), ("ack", SYN_ACK | ACK | DATA)];
    let named = seen.into_iter().filter(|(_, bits)| one.completeness & bits != 0);
    let mut flags: Map<String, Value> = named.map(|(name, _)| (name.to_owned(), true.into())).collect();
    let state = match (state(one), one.completeness & (SYN | SYN_ACK)) {
        ("closed", _) => "closed",
        (_, SYN) => "syn_sent",
        (_, both) if both == SYN | SYN_ACK && one.completeness & ACK == 0 => "syn_recv",
        _ => "established",
    };
    flags.insert("state".to_owned(), state.into());
    flags
}

/// One is the worst there.
fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 1,
        Severity::Error => 2,
        Severity::Warning => 3,
        Severity::Info => 4,
    }
}

/// `GSN802` is 802.
fn number(code: &str) -> u64 {
    let digits = code.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    digits.parse().unwrap_or_default()
}

/// `2017-04-07T22:24:37.251547+0000`.
fn stamp(time: Timestamp) -> String {
    let text = time.rfc3339();
    format!("{}+0000", text.get(..26).unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_are_suricata_s() {
        assert_eq!(stamp(Timestamp(1_258_531_221_486_539_999)), "2009-11-18T08:00:21.486539+0000");
        assert_eq!((number("GSN802"), number("GST101")), (802, 101));
    }
}
