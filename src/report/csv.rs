//! One row a connection, comma-separated (RFC 4180), for spreadsheets and quick scripts.

use std::fmt::Display;
use std::io::{self, Write};

use super::view::Stamps;
use super::words::Word;
use super::{Request, chosen, view};
use crate::analysis::Analysis;
use crate::events::Connection;
use crate::time::Timestamp;

const HEADING: &str = "id,stream,transport,start,duration_s,client_ip,client_port,server_ip,server_port,\
packets_client,packets_server,payload_bytes_client,payload_bytes_server,opened,how,by,reason,confidence,\
conn_state,history,because";

/// Writes the connections, whichever part is asked for: a table has one kind of row.
pub(super) fn write(analysis: &Analysis, request: &Request, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{HEADING}\r")?;
    for connection in chosen(analysis, request) {
        row(connection, request.stamps, out)?;
    }
    Ok(())
}

fn row(connection: &Connection, stamps: Stamps, out: &mut dyn Write) -> io::Result<()> {
    let Connection { client, server, sides, ended, .. } = connection;
    let stream = connection.stream.map(|stream| stream.to_string()).unwrap_or_default();
    let duration = connection.end.since(connection.start).as_secs();
    let cells: [&dyn Display; 20] = [
        &connection.id,
        &stream,
        &connection.transport.word(),
        &time(connection.start, stamps),
        &duration,
        &client.ip,
        &client.port,
        &server.ip,
        &server.port,
        &sides.client.packets,
        &sides.server.packets,
        &sides.client.payload_bytes,
        &sides.server.payload_bytes,
        &connection.opened.word(),
        &ended.how.word(),
        &ended.by.word(),
        &ended.reason.word(),
        &ended.confidence.word(),
        &connection.conn_state,
        &connection.history,
    ];
    for cell in cells {
        write!(out, "{cell},")?;
    }
    writeln!(out, "{}\r", quoted(&ended.because))
}

fn time(at: Timestamp, stamps: Stamps) -> String {
    match stamps {
        Stamps::Rfc3339 => at.rfc3339(),
        Stamps::Epoch => view::epoch(at),
    }
}

/// Text that may hold commas, quotes or line ends.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(quoted("a, \"b\""), "\"a, \"\"b\"\"\"");
    }
}
