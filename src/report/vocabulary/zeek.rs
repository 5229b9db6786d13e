//! Zeek's `conn.log` and `notice.log`, as its ASCII writer or its JSON writer writes them
//! (docs.zeek.org: `base/protocols/conn/main.zeek`, `base/frameworks/notice/main.zeek`).
//!
//! Fields that depend on a site's settings (`local_orig`) or count the bytes of headers (`orig_ip_bytes`) are unset. Times
//! of `#open` and `#close` are those of packets, so that the same capture gives the same bytes.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::Legs;
use crate::analysis::Analysis;
use crate::escape;
use crate::events::{Connection, Side};
use crate::packet::Transport;
use crate::report::{jsonl, view};
use crate::rules::Finding;
use crate::time::{Span, Timestamp};

/// Names and types of the columns.
type Columns = &'static [(&'static str, &'static str)];

const CONN: Columns = &[
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("proto", "enum"),
    ("service", "string"),
    ("duration", "interval"),
    ("orig_bytes", "count"),
    ("resp_bytes", "count"),
    ("conn_state", "string"),
    ("local_orig", "bool"),
    ("local_resp", "bool"),
    ("missed_bytes", "count"),
    ("history", "string"),
    ("orig_pkts", "count"),
    ("orig_ip_bytes", "count"),
    ("resp_pkts", "count"),
    ("resp_ip_bytes", "count"),
    ("tunnel_parents", "set[string]"),
    ("community_id", "string"),
];

const NOTICE: Columns = &[
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("fuid", "string"),
    ("file_mime_type", "string"),
    ("file_desc", "string"),
    ("proto", "enum"),
    ("note", "enum"),
    ("msg", "string"),
    ("sub", "string"),
    ("src", "addr"),
    ("dst", "addr"),
    ("p", "port"),
    ("n", "count"),
    ("peer_descr", "string"),
    ("actions", "set[enum]"),
    ("email_dest", "set[string]"),
    ("suppress_for", "interval"),
];

/// A value of a column.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Text(String),
    Count(u64),
    /// Seconds with six digits.
    Time(i64),
}

type Row = Vec<(&'static str, Cell)>;

pub(super) fn connections(
    chosen: &[&Connection],
    legs: &Legs<'_>,
    lines: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let span = chosen.iter().map(|one| one.start).min().zip(chosen.iter().map(|one| one.end).max());
    write("conn", CONN, span, chosen.iter().map(|one| connection(one, legs)), lines, out)
}

pub(super) fn notices(
    chosen: &[&Finding],
    analysis: &Analysis,
    lines: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let times = || chosen.iter().map(|finding| finding.time);
    let span = times().min().zip(times().max());
    write("notice", NOTICE, span, chosen.iter().map(|finding| notice(finding, analysis)), lines, out)
}

fn connection(one: &Connection, legs: &Legs<'_>) -> Row {
    let mut row = ends(one);
    let mut say = |name, cell| row.push((name, cell));
    let mut service: Vec<&str> = legs.protocols(one).into_iter().map(service).collect();
    if service.is_empty() && legs.carries_data_of(one, "ftp") {
        service.push("ftp-data");
    }
    if !service.is_empty() {
        say("service", Cell::Text(service.join(",")));
    }
    if one.sides.client.packets + one.sides.server.packets > 1 {
        say("duration", Cell::Time(duration(one).0));
        say("orig_bytes", Cell::Count(bytes(one, Side::Client)));
        say("resp_bytes", Cell::Count(bytes(one, Side::Server)));
    }
    say("conn_state", Cell::Text(one.conn_state.to_owned()));
    let missed = Side::BOTH.iter().map(|side| missed(one, *side)).fold(0, u64::saturating_add);
    say("missed_bytes", Cell::Count(missed));
    if !one.history.is_empty() {
        say("history", Cell::Text(one.history.clone()));
    }
    say("orig_pkts", Cell::Count(one.sides.client.packets));
    say("resp_pkts", Cell::Count(one.sides.server.packets));
    say("community_id", Cell::Text(one.community_id.clone()));
    row
}

/// What both logs begin with.
fn ends(one: &Connection) -> Row {
    vec![
        ("ts", Cell::Time(one.start.0)),
        ("uid", Cell::Text(uid(one.uid))),
        ("id.orig_h", Cell::Text(one.client.ip.to_string())),
        ("id.orig_p", Cell::Count(one.client.port.into())),
        ("id.resp_h", Cell::Text(one.server.ip.to_string())),
        ("id.resp_p", Cell::Count(one.server.port.into())),
        ("proto", Cell::Text(one.transport.name().to_owned())),
    ]
}

/// From the first packet to the last; where both sides closed, the last acknowledgement does not count.
fn duration(one: &Connection) -> Span {
    let sides = [&one.sides.client, &one.sides.server];
    let closed = sides.iter().all(|side| side.closed.is_some());
    let acts = sides.iter().flat_map(|side| [side.closed, side.last_payload]).flatten().max();
    let end = acts.filter(|_| closed && one.conn_state == "SF").unwrap_or(one.end);
    end.since(one.start)
}

/// Payload bytes by their sequence numbers, those that are missing included; of datagrams, all of them.
fn bytes(one: &Connection, side: Side) -> u64 {
    match one.transport {
        Transport::Udp => one.sides[side].payload_bytes,
        Transport::Tcp => one.sides[side].delivered_bytes.saturating_add(missed(one, side)),
    }
}

/// Bytes in holes. Of a side that was never seen Zeek counts nothing, whatever the other acknowledged.
fn missed(one: &Connection, side: Side) -> u64 {
    if one.sides[side].packets > 0 { one.visibility.gap_bytes[side] } else { 0 }
}

/// Zeek's name for a protocol.
fn service(name: &'static str) -> &'static str {
    match name {
        "tls" => "ssl",
        "ldap" => "ldap_tcp",
        "http2" => "http",
        name => name,
    }
}

/// A name such as Zeek gives: a letter, and digits of base 62.
fn uid(number: u64) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = number;
    let mut digits = Vec::new();
    for _ in 0..11 {
        digits.extend(DIGITS.get((rest % 62) as usize).map(|digit| char::from(*digit)));
        rest /= 62;
    }
    std::iter::once('C').chain(digits.into_iter().rev()).collect()
}

fn notice(finding: &Finding, analysis: &Analysis) -> Row {
    let one = super::connection_of(finding, analysis);
    let mut row = one.map(ends).unwrap_or_default();
    row.retain(|(name, _)| *name != "ts");
    row.insert(0, ("ts", Cell::Time(finding.time.0)));
    let mut say = |name, cell| row.push((name, cell));
    say("note", Cell::Text(format!("GhostShark::{}", words(finding.rule.name))));
    say("msg", Cell::Text(finding.message.clone()));
    let (severity, confidence) = (finding.severity.name(), finding.confidence.name());
    say("sub", Cell::Text(format!("{} {severity}, {confidence} confidence", finding.rule.code)));
    if let Some((client, server)) = super::ends(finding, analysis) {
        say("src", Cell::Text(client.ip.to_string()));
        say("dst", Cell::Text(server.ip.to_string()));
        say("p", Cell::Count(server.port.into()));
    }
    say("n", Cell::Count(finding.occurrences.into()));
    say("actions", Cell::Text("Notice::ACTION_LOG".to_owned()));
    row
}

/// `middlebox-reset` as Zeek names notices: `Middlebox_Reset`.
fn words(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("_")
}

fn write(
    path: &str,
    columns: Columns,
    span: Option<(Timestamp, Timestamp)>,
    rows: impl Iterator<Item = Row>,
    lines: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    if lines {
        return rows.map(|row| object(columns, &row)).try_for_each(|object| jsonl::line(out, &object));
    }
    let (first, last) = span.unwrap_or_default();
    writeln!(
        out,
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t{path}"
    )?;
    writeln!(out, "#open\t{}", stamp(first))?;
    for (head, pick) in [("#fields", 0), ("#types", 1)] {
        let names: Vec<&str> =
            columns.iter().map(|(name, kind)| if pick == 0 { *name } else { *kind }).collect();
        writeln!(out, "{head}\t{}", names.join("\t"))?;
    }
    for row in rows {
        let cells: Vec<String> = columns
            .iter()
            .map(|(name, _)| match row.iter().find(|(of, _)| of == name) {
                None => "-".to_owned(),
                Some((_, Cell::Text(text))) => field(text),
                Some((_, Cell::Count(count))) => count.to_string(),
                Some((_, Cell::Time(nanos))) => seconds(*nanos),
            })
            .collect();
        writeln!(out, "{}", cells.join("\t"))?;
    }
    writeln!(out, "#close\t{}", stamp(last))
}

/// A text as the ASCII writer writes it: what would be taken for a mark of its own, or cannot be seen, is escaped.
fn field(text: &str) -> String {
    match text {
        "" => "(empty)".to_owned(),
        "-" => "\\x2d".to_owned(),
        text => escape::terminal(text),
    }
}

fn object(columns: Columns, row: &Row) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, kind) in columns {
        let Some((_, cell)) = row.iter().find(|(of, _)| of == name) else { continue };
        let value = match cell {
            Cell::Text(text) if kind.starts_with("set[") => Value::from(vec![text.as_str()]),
            Cell::Text(text) => Value::from(text.as_str()),
            Cell::Count(count) => Value::from(*count),
            Cell::Time(nanos) => Value::from(*nanos as f64 / 1e9),
        };
        object.insert((*name).to_owned(), value);
    }
    object
}

/// Seconds with six digits, as Zeek writes times and intervals.
fn seconds(nanos: i64) -> String {
    let text = view::epoch(Timestamp(nanos));
    text.get(..text.len().saturating_sub(3)).unwrap_or_default().to_owned()
}

/// `2017-01-01-00-00-00`.
fn stamp(time: Timestamp) -> String {
    let text = time.rfc3339();
    text.get(..19).unwrap_or_default().replace([':', 'T'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_times_are_zeek_s() {
        assert_eq!(words("middlebox-reset"), "Middlebox_Reset");
        assert_eq!(seconds(1_258_531_221_486_539_999), "1258531221.486539");
        assert_eq!(stamp(Timestamp(1_258_531_221_486_539_999)), "2009-11-18-08-00-21");
        assert_eq!((field("-"), field("a\tb")), ("\\x2d".to_owned(), "a\\tb".to_owned()));
        assert_eq!(uid(u64::MAX).len(), 12);
        assert_ne!(uid(1), uid(2));
    }
}
