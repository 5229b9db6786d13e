//! The Elastic Common Schema, version 8.17 (elastic.co, "ECS field reference"); our own records stand whole under
//! `ghostshark`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Legs;
use crate::analysis::Analysis;
use crate::events::transport::Reason;
use crate::events::{Connection, Endpoint};
use crate::packet::Transport;
use crate::report::{jsonl, view};
use crate::rules::{Finding, Severity};
use crate::session::Session;
use crate::time::Timestamp;

const VERSION: &str = "8.17.0";

pub(super) fn connections(
    chosen: &[&Connection],
    legs: &Legs<'_>,
    analysis: &Analysis,
    out: &mut dyn Write,
) -> io::Result<()> {
    let context = context(analysis);
    for one in chosen {
        let (client, server) = (&one.sides.client, &one.sides.server);
        let mut source = end(one.client);
        source.insert("packets".to_owned(), client.packets.into());
        let mut destination = end(one.server);
        destination.insert("packets".to_owned(), server.packets.into());
        let mut network = network(one.client, one.transport);
        network.insert("community_id".to_owned(), one.community_id.as_str().into());
        network.insert("packets".to_owned(), (client.packets + server.packets).into());
        if let Some(protocol) = legs.protocols(one).last() {
            network.insert("protocol".to_owned(), (*protocol).into());
        }
        let mut event = happened("connection", (one.start, one.end), one.ended.reason);
        event.insert("category".to_owned(), json!(["network"]));
        event.insert("type".to_owned(), json!(["connection", "end"]));
        event.insert("id".to_owned(), format!("{:016x}", one.uid).into());
        let document = json!({
            "@timestamp": one.start.rfc3339(),
            "ecs": { "version": VERSION },
            "event": event,
            "network": network,
            "source": source,
            "destination": destination,
            "client": end(one.client),
            "server": end(one.server),
            "message": one.ended.because,
        });
        line(out, document, "connection", &view::Connection::new(one, context))?;
    }
    Ok(())
}

pub(super) fn sessions(chosen: &[&Session], analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let context = context(analysis);
    for session in chosen {
        let transport = session
            .legs
            .first()
            .and_then(|leg| analysis.connections.get(leg.connection as usize))
            .map_or(Transport::Tcp, |one| one.transport);
        let mut network = network(session.client, transport);
        if session.protocol != "opaque" {
            network.insert("protocol".to_owned(), session.protocol.into());
        }
        let mut event = happened("session", (session.start, session.end), session.outcome.reason);
        event.insert("category".to_owned(), json!(["network", "session"]));
        event.insert("type".to_owned(), json!(["end"]));
        event.insert("id".to_owned(), format!("{:016x}", session.uid).into());
        let mut document = json!({
            "@timestamp": session.start.rfc3339(),
            "ecs": { "version": VERSION },
            "event": event,
            "network": network,
            "source": end(session.client),
            "destination": end(session.server),
            "client": end(session.client),
            "server": end(session.server),
            "message": session.outcome.because,
        });
        if let Some(object) = document.as_object_mut() {
            if let Some(principal) = &session.principal {
                object.insert("user".to_owned(), json!({ "hash": principal.hash.hex() }));
            }
            let facts = session.legs.iter().find_map(|leg| leg.leg.security.as_deref());
            if let Some(tls) = facts.map(tls).filter(|tls| !tls.is_empty()) {
                object.insert("tls".to_owned(), Value::Object(tls));
            }
        }
        line(out, document, "session", &view::Session::new(session, analysis, context))?;
    }
    Ok(())
}

pub(super) fn findings(chosen: &[&Finding], analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let context = context(analysis);
    for finding in chosen {
        let severity = match finding.severity {
            Severity::Info => 21,
            Severity::Warning => 47,
            Severity::Error => 73,
            Severity::Critical => 99,
        };
        let mut document = json!({
            "@timestamp": finding.time.rfc3339(),
            "ecs": { "version": VERSION },
            "event": {
                "kind": "alert",
                "category": ["network"],
                "type": ["info"],
                "dataset": "ghostshark.finding",
                "module": "ghostshark",
                "severity": severity,
                "id": finding.name(),
            },
            "rule": {
                "id": finding.rule.code,
                "name": finding.rule.name,
                "description": finding.rule.title,
                "ruleset": "ghostshark",
            },
            "message": finding.message,
        });
        if let (Some((client, server)), Some(object)) =
            (super::ends(finding, analysis), document.as_object_mut())
        {
            for (name, whose) in
                [("source", client), ("destination", server), ("client", client), ("server", server)]
            {
                object.insert(name.to_owned(), Value::Object(end(whose)));
            }
        }
        line(out, document, "finding", &view::Finding::new(finding, analysis, context))?;
    }
    Ok(())
}

fn context(analysis: &Analysis) -> view::Context {
    view::Context { several_captures: analysis.files.len() > 1, stamps: view::Stamps::default() }
}

fn end(endpoint: Endpoint) -> Map<String, Value> {
    let ip = endpoint.ip.to_string();
    let fields =
        [("address", Value::from(ip.as_str())), ("ip", ip.as_str().into()), ("port", endpoint.port.into())];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn network(client: Endpoint, transport: Transport) -> Map<String, Value> {
    let (number, name) = match transport {
        Transport::Tcp => ("6", "tcp"),
        Transport::Udp => ("17", "udp"),
    };
    let kind = if client.ip.is_ipv4() { "ipv4" } else { "ipv6" };
    let fields = [("transport", name), ("iana_number", number), ("type", kind)];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// When it was, and how it went: a duration there is in nanoseconds.
fn happened(what: &str, (start, last): (Timestamp, Timestamp), reason: Reason) -> Map<String, Value> {
    let outcome = match reason {
        Reason::Released => "success",
        Reason::CaptureEnded | Reason::Unknown => "unknown",
        _ => "failure",
    };
    let fields = [
        ("kind", Value::from("event")),
        ("dataset", format!("ghostshark.{what}").into()),
        ("module", "ghostshark".into()),
        ("action", what.into()),
        ("start", start.rfc3339().into()),
        ("end", last.rfc3339().into()),
        ("duration", last.since(start).0.into()),
        ("outcome", outcome.into()),
        ("reason", reason.name().into()),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Version, name and resumption of the first connection that has a handshake.
fn tls(facts: &crate::events::SecurityFacts) -> Map<String, Value> {
    let version = facts.version.and_then(|number| match number {
        0x0300 => Some(("ssl", "3.0")),
        0x0301 => Some(("tls", "1.0")),
        0x0302 => Some(("tls", "1.1")),
        0x0303 => Some(("tls", "1.2")),
        0x0304 => Some(("tls", "1.3")),
        _ => None,
    });
    let mut tls = Map::new();
    if let Some((protocol, number)) = version {
        tls.insert("version_protocol".to_owned(), protocol.into());
        tls.insert("version".to_owned(), number.into());
    }
    if let Some(resumed) = facts.resumed {
        tls.insert("resumed".to_owned(), resumed.into());
    }
    if let Some(name) = &facts.sni {
        tls.insert("client".to_owned(), json!({ "server_name": name }));
    }
    if let Some(protocol) = &facts.alpn {
        tls.insert("next_protocol".to_owned(), (**protocol).into());
    }
    tls
}

/// A document with our own record in it.
fn line(out: &mut dyn Write, document: Value, name: &str, record: &impl Serialize) -> io::Result<()> {
    let mut document = document;
    let own = json!({ name: serde_json::to_value(record)? });
    if let Some(object) = document.as_object_mut() {
        object.insert("ghostshark".to_owned(), own);
    }
    jsonl::line(out, &document)
}
