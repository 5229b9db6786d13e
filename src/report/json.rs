//! One JSON document that holds the same records as `jsonl`, in arrays by type.
//!
//! It is written as it is made, one record a line, so that a large result needs no memory and a plain `grep`
//! still works.

use std::io::{self, Write};

use serde::Serialize;

use super::jsonl::object;
use super::view::{self, SCHEMA};
use super::{Part, Request, chosen};
use crate::analysis::Analysis;

/// Writes the document with the part that is asked for.
pub(super) fn write(analysis: &Analysis, request: &Request, out: &mut dyn Write) -> io::Result<()> {
    let context = request.context(analysis);
    write!(out, "{{\"schema\":\"{SCHEMA}\"")?;
    if request.part != Part::Connections {
        let captures = analysis
            .files
            .iter()
            .enumerate()
            .map(|(index, facts)| view::Capture::new(index, facts, analysis.quality.get(index), context));
        array(out, "captures", captures)?;
    }
    if request.part != Part::Summary {
        let chosen = chosen(analysis, request);
        array(
            out,
            "connections",
            chosen.iter().map(|connection| view::Connection::new(connection, context)),
        )?;
    }
    if request.part == Part::Everything {
        let sessions = analysis.sessions.iter();
        array(out, "sessions", sessions.map(|session| view::Session::new(session, analysis, context)))?;
    }
    if request.part != Part::Connections {
        let findings = analysis.findings.iter();
        array(out, "findings", findings.map(|finding| view::Finding::new(finding, analysis, context)))?;
    }
    if request.events {
        let frames: Vec<_> = analysis.events.iter().map(view::event_frames).collect();
        let records = analysis.events.iter().zip(&frames).enumerate();
        let records = records
            .filter_map(|(seq, (event, frames))| view::Event::new(seq, event, frames, analysis, context));
        array(out, "events", records)?;
    }
    if request.part != Part::Connections {
        array(out, "problems", analysis.problems.iter().map(view::Problem::new))?;
        out.write_all(b",\n\"summary\":")?;
        object(out, &view::Summary::new(analysis))?;
    }
    out.write_all(b"}\n")
}

/// A further member of the document: an array with one element a line.
pub(super) fn array(
    out: &mut dyn Write,
    name: &str,
    items: impl Iterator<Item = impl Serialize>,
) -> io::Result<()> {
    write!(out, ",\n\"{name}\":[")?;
    for (index, item) in items.enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        object(out, &item)?;
    }
    out.write_all(b"]")
}
