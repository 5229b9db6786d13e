//! Connections as rows: the catalogue of columns, and the two forms that are made of them.
//!
//! A column has the name of its place in the JSON record: `ended.reason` is `reason` in `ended`.

use std::io::{self, Write};

use super::view::{self, Stamps};
use super::words::Word;
use super::{Request, both, chosen};
use crate::analysis::Analysis;
use crate::events::{Connection, Side};
use crate::packet::Transport;
use crate::time::{Span, Timestamp};

/// One fact of a connection.
#[derive(Debug)]
pub struct Column {
    /// What users type.
    pub name: &'static str,
    /// One line for the help.
    pub about: &'static str,
    read: fn(&Connection, Stamps) -> String,
}

macro_rules! columns {
    ($($name:literal $about:literal $read:expr;)+) => {
        /// All columns, in the order of a table that asks for none by name.
        pub static COLUMNS: &[Column] = &[$(Column { name: $name, about: $about, read: $read }),+];
    };
}

columns! {
    "id" "number in order of first frame" |c, _| c.id.to_string();
    "stream" "tcp.stream or udp.stream" |c, _| optional(c.stream);
    "transport" "tcp or udp" |c, _| c.transport.word().to_owned();
    "start" "time of the first frame" |c, stamps| time(c.start, stamps);
    "end" "latest time of a frame" |c, stamps| time(c.end, stamps);
    "duration_s" "seconds from start to end" |c, _| seconds(c.end.since(c.start));
    "client.ip" "address of the client" |c, _| c.client.ip.to_string();
    "client.port" "port of the client" |c, _| c.client.port.to_string();
    "server.ip" "address of the server" |c, _| c.server.ip.to_string();
    "server.port" "port of the server" |c, _| c.server.port.to_string();
    "packets" "frames of both sides" |c, _| both(c, |side| side.packets).to_string();
    "packets.client" "frames of the client" |c, _| c.sides.client.packets.to_string();
    "packets.server" "frames of the server" |c, _| c.sides.server.packets.to_string();
    "payload_bytes" "payload of both sides" |c, _| both(c, |side| side.payload_bytes).to_string();
    "payload_bytes.client" "payload of the client" |c, _| c.sides.client.payload_bytes.to_string();
    "payload_bytes.server" "payload of the server" |c, _| c.sides.server.payload_bytes.to_string();
    "opened" "how it began" |c, _| c.opened.word().to_owned();
    "ended.how" "the first closing act" |c, _| c.ended.how.word().to_owned();
    "ended.by" "who made it" |c, _| c.ended.by.word().to_owned();
    "ended.reason" "why it ended" |c, _| c.ended.reason.word().to_owned();
    "ended.detail" "a word more on the reason" |c, _| c.ended.detail.unwrap_or_default().to_owned();
    "ended.confidence" "how sure the reason is" |c, _| c.ended.confidence.word().to_owned();
    "ended.because" "one sentence that says it" |c, _| c.ended.because.clone();
    "ended.frames" "the frames that prove it, numbered in their own files" |c, _| frames(c);
    "completeness" "tcp.completeness" |c, _| optional(tcp(c).then_some(c.completeness));
    "conn_state" "Zeek's conn_state" |c, _| c.conn_state.to_owned();
    "history" "Zeek's history" |c, _| c.history.clone();
    "irtt_s" "tcp.analysis.initial_rtt" |c, _| optional_seconds(c.rtt.initial);
    "rtt_s.min" "shortest round trip" |c, _| optional_seconds(c.rtt.min);
    "rtt_s.median" "median round trip" |c, _| optional_seconds(c.rtt.median);
    "longest_idle_s" "longest time without payload" |c, _| seconds(c.longest_idle);
    "wireshark.retransmission" "frames of tcp.analysis.retransmission" |c, _| optional(tcp(c).then_some(c.wireshark.retransmission));
    "unacked_bytes.client" "bytes of the client never acknowledged" |c, _| unacked(c, Side::Client);
    "unacked_bytes.server" "bytes of the server never acknowledged" |c, _| unacked(c, Side::Server);
    "visibility.loss_ratio" "acknowledged bytes never seen" |c, _| c.visibility.loss_ratio.to_string();
    "community_id" "Community ID v1" |c, _| c.community_id.clone();
    "uid" "stable name of the connection" |c, _| format!("{:016x}", c.uid);
}

fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Whether what only TCP has applies.
fn tcp(connection: &Connection) -> bool {
    connection.transport == Transport::Tcp
}

fn seconds(span: Span) -> String {
    span.as_secs().to_string()
}

fn optional_seconds(span: Option<Span>) -> String {
    span.map(seconds).unwrap_or_default()
}

fn unacked(connection: &Connection, side: Side) -> String {
    connection.sides[side].unacked_bytes.to_string()
}

fn frames(connection: &Connection) -> String {
    let numbers: Vec<String> = connection.ended.frames.iter().map(|at| at.frame.to_string()).collect();
    numbers.join(" ")
}

fn time(at: Timestamp, stamps: Stamps) -> String {
    match stamps {
        Stamps::Rfc3339 => at.rfc3339(),
        Stamps::Epoch => view::epoch(at),
    }
}

/// The columns that are asked for by name, or all.
fn asked(request: &Request) -> Vec<&'static Column> {
    if request.columns.is_empty() { COLUMNS.iter().collect() } else { request.columns.clone() }
}

/// Comma-separated with a heading (RFC 4180), whichever part is asked for: a table has one kind of row.
pub(super) fn csv(analysis: &Analysis, request: &Request, out: &mut dyn Write) -> io::Result<()> {
    let columns = asked(request);
    let heading: Vec<&str> = columns.iter().map(|column| column.name).collect();
    write!(out, "{}\r\n", heading.join(","))?;
    for connection in chosen(analysis, request) {
        for (index, column) in columns.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(out, "{comma}{}", quoted((column.read)(connection, request.stamps)))?;
        }
        out.write_all(b"\r\n")?;
    }
    Ok(())
}

/// Tab-separated without a heading, as `tshark -T fields` does. No column can hold a tab or the end of a line: what
/// comes from the wire was made safe.
pub(super) fn fields(analysis: &Analysis, request: &Request, out: &mut dyn Write) -> io::Result<()> {
    let columns = asked(request);
    for connection in chosen(analysis, request) {
        for (index, column) in columns.iter().enumerate() {
            let tab = if index > 0 { "\t" } else { "" };
            write!(out, "{tab}{}", crate::escape::terminal(&(column.read)(connection, request.stamps)))?;
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// In quotes where it has to be.
pub(super) fn quoted(cell: String) -> String {
    if cell.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_quotes_has_them() {
        assert_eq!(quoted("abort".to_owned()), "abort");
        assert_eq!(quoted("a, \"b\"".to_owned()), "\"a, \"\"b\"\"\"");
    }

    #[test]
    fn a_column_is_named_once() {
        let mut names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COLUMNS.len());
    }
}
