//! The index that lies beside exported streams: one JSON object a line for each file.

use std::io::{self, Write};

use serde::Serialize;

use super::jsonl;
use super::view::{Context, Frames, Stamps};
use super::words::Said;
use crate::analysis::Analysis;
use crate::events::Side;
use crate::export::Stream;
use crate::place::PacketRef;

/// One direction of a connection.
#[derive(Debug, Serialize)]
struct Record<'a> {
    r#type: &'static str,
    file: &'a str,
    session: String,
    connection: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    uid: String,
    side: Said<Side>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    bytes: u64,
    missing_bytes: u64,
    gaps: Vec<Gap<'a>>,
    frames: Frames<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<&'static str>,
}

/// Bytes that are not in the file because they are not in the capture.
#[derive(Debug, Serialize)]
struct Gap<'a> {
    offset: u64,
    length: u64,
    frames: Frames<'a>,
}

/// Writes the index.
///
/// # Errors
/// What the writer says.
pub fn write(analysis: &Analysis, streams: &[Stream], out: &mut dyn Write) -> io::Result<()> {
    let context = Context { several_captures: analysis.files.len() > 1, stamps: Stamps::default() };
    for stream in streams {
        let connection = analysis.connections.get(stream.connection as usize);
        let ends = connection.map(|one| match stream.side {
            Side::Client => (one.client, one.server),
            Side::Server => (one.server, one.client),
        });
        let frames: Vec<PacketRef> =
            stream.frames.into_iter().flat_map(|(first, last)| [first, last]).collect();
        let record = Record {
            r#type: "stream",
            file: &stream.name,
            session: format!("S-{:04}", stream.session),
            connection: stream.connection,
            uid: connection.map_or_else(String::new, |one| format!("{:016x}", one.uid)),
            side: Said(stream.side),
            from: ends.map(|(from, _)| from.to_string()),
            to: ends.map(|(_, to)| to.to_string()),
            bytes: stream.bytes,
            missing_bytes: stream.holes.iter().map(|hole| hole.length).sum(),
            gaps: stream
                .holes
                .iter()
                .map(|hole| Gap {
                    offset: hole.offset,
                    length: hole.length,
                    frames: Frames { refs: std::slice::from_ref(&hole.at), context },
                })
                .collect(),
            frames: Frames { refs: &frames, context },
            end: stream.end,
        };
        jsonl::line(out, &record)?;
    }
    Ok(())
}
