//! Packets, one a line or with all their fields.

use std::io::{self, Write};

use super::text::{Clock, Look, Paint, Tone};
use crate::analysis::Analysis;
use crate::escape;
use crate::inspect::{Dissection, Field, Value, hex, shown};
use crate::time::Timestamp;

/// What is written of each packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PacketForm {
    /// One line, or with `tree` everything below it, and with `bytes` its octets.
    Text {
        /// Every field.
        tree: bool,
        /// Every octet.
        bytes: bool,
    },
    /// The values of these fields, with a tab between the fields and a comma between values of one field.
    Fields(Vec<String>),
    /// One JSON object a line.
    Jsonl,
}

/// Writes packets as they are told.
#[derive(Debug)]
pub struct PacketWriter<'a> {
    analysis: &'a Analysis,
    form: PacketForm,
    look: Look,
    begun: Timestamp,
    written: u64,
}

impl<'a> PacketWriter<'a> {
    /// For the packets of this result.
    pub fn new(analysis: &'a Analysis, form: PacketForm, look: Look) -> Self {
        let begun = analysis.files.iter().filter_map(|file| file.first).min().unwrap_or_default();
        Self { analysis, form, look, begun, written: 0 }
    }

    /// How many were written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Writes one packet; `bytes` are its frame.
    ///
    /// # Errors
    /// What the system said.
    pub fn packet(&mut self, packet: &Dissection, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        self.written += 1;
        match &self.form {
            PacketForm::Text { tree, bytes: octets } => {
                let (tree, octets) = (*tree, *octets);
                if tree {
                    self.tree(packet, out)?;
                } else {
                    self.line(packet, out)?;
                }
                if octets {
                    if tree {
                        writeln!(out)?;
                    }
                    for line in hex::lines(bytes) {
                        writeln!(out, "{line}")?;
                    }
                }
                if tree || octets { writeln!(out) } else { Ok(()) }
            }
            PacketForm::Fields(names) => {
                let cells: Vec<String> = names.iter().map(|name| values(packet, name)).collect();
                writeln!(out, "{}", cells.join("\t"))
            }
            PacketForm::Jsonl => {
                serde_json::to_writer(&mut *out, &self.object(packet)).map_err(io::Error::from)?;
                writeln!(out)
            }
        }
    }

    fn paint(&self) -> Paint {
        Paint { on: self.look.colour }
    }

    fn time(&self, time: Timestamp) -> String {
        match self.look.clock {
            Clock::Relative => {
                let span = (time - self.begun).0;
                let sign = if span < 0 { "-" } else { "" };
                let micros = span.unsigned_abs() / 1_000;
                format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
            }
            Clock::Utc => time.rfc3339(),
            Clock::Epoch => {
                format!("{}.{:09}", time.0.div_euclid(1_000_000_000), time.0.rem_euclid(1_000_000_000))
            }
        }
    }

    fn line(&self, packet: &Dissection, out: &mut dyn Write) -> io::Result<()> {
        let number = match self.analysis.files.len() {
            0 | 1 => packet.at.frame.to_string(),
            _ => format!("{}:{}", packet.at.file.0, packet.at.frame),
        };
        let (source, destination) = ends(packet);
        let session = session(packet).unwrap_or("-");
        let line = format!(
            "{number:>6} {:>12} {:<8} {source:<15} > {destination:<15} {:<8} {:>5} {}",
            self.time(packet.time),
            session,
            packet.protocol,
            length(packet),
            escape::terminal(&packet.info),
        );
        writeln!(out, "{}", line.trim_end())
    }

    fn tree(&self, packet: &Dissection, out: &mut dyn Write) -> io::Result<()> {
        for field in packet.fields.iter().filter(|field| !field.label.is_empty()) {
            let indent = usize::from(field.depth) * 4;
            let line = field.line();
            if field.depth == 0 {
                writeln!(out, "{}", self.paint().tone(Tone::Heading, line))?;
            } else {
                writeln!(out, "{:indent$}{line}", "")?;
            }
        }
        Ok(())
    }

    fn object(&self, packet: &Dissection) -> serde_json::Value {
        use serde_json::{Map, Value as Json, json};
        let mut layers = Map::new();
        let told = |field: &&Field| !field.name.is_empty() && !shown::is_payload(field.name);
        for field in packet.fields.iter().filter(told) {
            let value = match &field.value {
                Value::Present if field.depth == 0 => continue,
                Value::Present => Json::Bool(true),
                Value::Boolean(is_set) => Json::Bool(*is_set),
                Value::Unsigned(number) => json!(number),
                Value::Signed(number) => json!(number),
                Value::Float(number) => json!(number),
                Value::Span(span) => json!(span.as_secs()),
                Value::Time(time) => Json::String(time.rfc3339()),
                Value::Text(text) => Json::String(text.clone()),
                Value::Bytes(_) | Value::Address(_) | Value::Ethernet(_) => Json::String(field.value_text()),
            };
            let place = layers.entry(field.name).or_insert_with(|| Json::Array(Vec::new()));
            if let Json::Array(values) = place {
                values.push(value);
            }
        }
        let mut object = Map::new();
        object.insert("type".to_owned(), json!("packet"));
        if self.analysis.files.len() > 1 {
            object.insert("capture".to_owned(), json!(packet.at.file.0));
        }
        object.insert("frame".to_owned(), json!(packet.at.frame));
        object.insert("time".to_owned(), json!(packet.time.rfc3339()));
        object.insert("connections".to_owned(), json!(packet.connections));
        if let Some(session) = session(packet) {
            object.insert("session".to_owned(), json!(session));
        }
        object.insert("protocol".to_owned(), json!(packet.protocol));
        object.insert("info".to_owned(), json!(packet.info));
        object.insert("fields".to_owned(), Json::Object(layers));
        Json::Object(object)
    }
}

/// `S-0001` of the session that the packet belongs to, or nothing.
fn session(packet: &Dissection) -> Option<&str> {
    match packet.values("session.id").last() {
        Some(Value::Text(id)) => Some(id),
        _ => None,
    }
}

/// All values of a field, with commas between.
fn values(packet: &Dissection, name: &str) -> String {
    match name {
        "_ws.col.Info" => return escape::terminal(&packet.info),
        "_ws.col.Protocol" => return escape::terminal(&packet.protocol),
        _ => {}
    }
    let fields = packet.fields.iter().filter(|field| field.name == name);
    let texts: Vec<String> = fields.map(Field::value_text).collect();
    texts.join(",")
}

/// Who sends and who receives: by IP, else by the link layer.
fn ends(packet: &Dissection) -> (String, String) {
    let last = |names: [&str; 2]| {
        let mut fields = packet.fields.iter();
        // What an ICMP error quotes lies deeper.
        fields.rfind(|field| field.depth == 1 && names.contains(&field.name)).map(Field::value_text)
    };
    let of = |ip: [&str; 2], link: [&str; 2]| last(ip).or_else(|| last(link)).unwrap_or_default();
    (
        of(["ip.src", "ipv6.src"], ["eth.src", "sll.src.eth"]),
        of(["ip.dst", "ipv6.dst"], ["eth.dst", "eth.dst"]),
    )
}

/// The length on the wire.
fn length(packet: &Dissection) -> u64 {
    match packet.values("frame.len").next() {
        Some(Value::Unsigned(length)) => *length,
        _ => u64::from(packet.at.length),
    }
}
