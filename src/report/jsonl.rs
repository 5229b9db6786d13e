//! One JSON object a line: captures, connections, problems, and the summary last.

use std::io::{self, Write};

use serde::Serialize;

use super::view;
use super::{Part, Request, chosen};
use crate::analysis::Analysis;

/// Room for one record of a usual connection, in bytes.
const RECORD: usize = 4 << 10;

/// Writes the records of the part that is asked for.
pub(super) fn write(analysis: &Analysis, request: &Request, out: &mut dyn Write) -> io::Result<()> {
    let context = request.context(analysis);
    if request.part != Part::Connections {
        for (index, facts) in analysis.files.iter().enumerate() {
            let quality = analysis.quality.get(index);
            line(out, &view::Capture::new(index, facts, quality, context))?;
        }
    }
    if request.part != Part::Summary {
        for connection in chosen(analysis, request) {
            line(out, &view::Connection::new(connection, context))?;
        }
    }
    if request.part == Part::Everything {
        for session in &analysis.sessions {
            line(out, &view::Session::new(session, analysis, context))?;
        }
    }
    if request.part != Part::Connections {
        for finding in &analysis.findings {
            line(out, &view::Finding::new(finding, analysis, context))?;
        }
    }
    if request.events {
        for (seq, event) in analysis.events.iter().enumerate() {
            let frames = view::event_frames(event);
            if let Some(record) = view::Event::new(seq, event, &frames, analysis, context) {
                line(out, &record)?;
            }
        }
    }
    if request.part != Part::Connections {
        for problem in &analysis.problems {
            line(out, &view::Problem::new(problem))?;
        }
        line(out, &view::Summary::new(analysis))?;
    }
    Ok(())
}

/// One object and the end of its line.
pub(super) fn line(out: &mut dyn Write, record: &impl Serialize) -> io::Result<()> {
    object(out, record)?;
    out.write_all(b"\n")
}

/// One object.
pub(super) fn object(out: &mut dyn Write, record: &impl Serialize) -> io::Result<()> {
    // A record is made of hundreds of pieces: they are gathered here, not each handed to a writer unknown.
    let mut bytes = Vec::with_capacity(RECORD);
    serde_json::to_writer(&mut bytes, record)?;
    out.write_all(&bytes)
}
