//! The bytes of chosen sessions, each direction of each connection by itself, with what is missing in them told.

use std::collections::BTreeMap;
use std::io;

use crate::analysis::Analysis;
use crate::capture::Input;
use crate::error::Error;
use crate::events::{ConnectionKey, Side};
use crate::inspect::{self, Said};
use crate::place::PacketRef;
use crate::session::Session;

/// Bytes that are not in the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// Where in the file they would stand.
    pub offset: u64,
    /// How many there are.
    pub length: u64,
    /// The frame at which it showed.
    pub at: PacketRef,
}

/// One direction of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its file.
    pub name: String,
    /// Id of the session.
    pub session: u32,
    /// Id of the connection.
    pub connection: u32,
    /// Who speaks.
    pub side: Side,
    /// Bytes in the file.
    pub bytes: u64,
    /// What is missing between them, in order.
    pub holes: Vec<Hole>,
    /// The first and the last frame that carried any of it.
    pub frames: Option<(PacketRef, PacketRef)>,
    /// How it ended: `closed`, `reset`; none where neither was seen.
    pub end: Option<&'static str>,
}

/// Reads the inputs again and hands on the bytes of these sessions in order: `append` is told the name of the file that
/// they belong at the end of. Directions without bytes and holes have no file.
///
/// # Errors
/// Where not one input can be read again, and what `append` says.
pub fn streams(
    inputs: Vec<Input>,
    analysis: &Analysis,
    sessions: &[&Session],
    append: &mut dyn FnMut(&str, &[u8]) -> io::Result<()>,
) -> Result<Vec<Stream>, Error> {
    let mut legs = Vec::new();
    let mut whose = BTreeMap::<ConnectionKey, (u32, u32)>::new();
    for session in sessions {
        for part in &session.legs {
            if let Some(connection) = analysis.connections.get(part.connection as usize) {
                legs.push((part.leg.key, connection));
                whose.insert(part.leg.key, (session.id, part.connection));
            }
        }
    }
    let mut streams = BTreeMap::<(u32, u32, Side), Stream>::new();
    let done = inspect::transcribe(inputs, &legs, analysis.options.keep_duplicates, &mut |piece| {
        let Some((session, connection)) = whose.get(&piece.connection).copied() else { return Ok(()) };
        let stream = streams.entry((session, connection, piece.side)).or_insert_with(|| Stream {
            name: format!("S-{session:04}_{connection:06}_{}.bin", piece.side.name()),
            session,
            connection,
            side: piece.side,
            bytes: 0,
            holes: Vec::new(),
            frames: None,
            end: None,
        });
        match &piece.said {
            Said::Opens => {}
            Said::Bytes(bytes) => {
                stream.bytes += bytes.len() as u64;
                stream.frames = Some((stream.frames.map_or(piece.at, |(first, _)| first), piece.at));
                return append(&stream.name, bytes);
            }
            Said::Missing(length) => {
                stream.holes.push(Hole { offset: stream.bytes, length: *length, at: piece.at });
            }
            Said::Closes => stream.end = Some("closed"),
            Said::Resets => stream.end = Some("reset"),
        }
        Ok(())
    })?;
    done.map_err(Error::Write)?;
    Ok(streams.into_values().filter(|stream| stream.bytes > 0 || !stream.holes.is_empty()).collect())
}
