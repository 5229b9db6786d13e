//! Writes the frames of a selection as a capture of their own.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;

use super::pcapng::{Interface, Writer};
use super::remarks;
use super::selection::Selection;
use crate::analysis::Analysis;
use crate::capture::{Batch, Capture, FileFacts, Frame, Input, LinkType};
use crate::error::Error;
use crate::limits::BATCH_BYTES;
use crate::place::FileId;
use crate::session::Session;

/// What becomes of decryption secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keys {
    /// They are left out.
    #[default]
    Strip,
    /// They are written, all of them: which of them open the chosen connections is not known.
    Embed,
}

/// Reads the inputs again and writes the selected frames: as they were, with the comments that they had and those that
/// findings make.
///
/// # Errors
/// Where not one input can be read again, and what the writer says.
pub fn slice(
    inputs: Vec<Input>,
    analysis: &Analysis,
    sessions: &[&Session],
    (selection, keys): (&Selection, Keys),
    out: &mut dyn Write,
) -> Result<(), Error> {
    let findings = remarks::findings(analysis, sessions);
    let beside = remarks::beside_frames(&findings);
    let head = remarks::head(analysis, sessions, &findings, selection, keys);
    let mut writer = Writer::begin(out, &[head]).map_err(Error::Write)?;
    if keys == Keys::Embed {
        for secret in &selection.secrets {
            writer.secrets(secret.kind, &secret.bytes).map_err(Error::Write)?;
        }
    }
    writer.names(&names(analysis, sessions)).map_err(Error::Write)?;
    let mut interfaces = Interfaces::default();
    let comments = source_comments(analysis);
    let mut capture = Capture::open(inputs, BATCH_BYTES)?;
    let mut batch = Batch::default();
    while capture.fill(&mut batch) {
        for record in &batch.frames {
            if !selection.frames.contains(&record.at.number) {
                continue;
            }
            let frame = batch.frame(record);
            let known = comments.get(&(frame.at.file, frame.at.frame)).into_iter().flatten();
            let found = beside.get(&frame.at.number).into_iter().flatten();
            let said: Vec<String> = known.map(|text| (*text).to_owned()).chain(found.cloned()).collect();
            let interface = interfaces.of(&frame, analysis, &mut writer).map_err(Error::Write)?;
            writer
                .packet(interface, frame.time, (frame.bytes, frame.original), &said)
                .map_err(Error::Write)?;
        }
    }
    interfaces.statistics(analysis, &mut writer).map_err(Error::Write)
}

/// The comments that the inputs gave to their frames.
fn source_comments(analysis: &Analysis) -> BTreeMap<(FileId, u64), Vec<&str>> {
    let mut comments = BTreeMap::<_, Vec<&str>>::new();
    for (index, file) in analysis.files.iter().enumerate() {
        for (frame, text) in file.comments.iter().filter(|(frame, _)| *frame > 0) {
            comments.entry((FileId(index as u16), *frame)).or_default().push(text);
        }
    }
    comments
}

/// The names that the inputs give to the ends of these sessions.
fn names(analysis: &Analysis, sessions: &[&Session]) -> Vec<(IpAddr, String)> {
    let ends = sessions.iter().flat_map(|session| [session.client.ip, session.server.ip]);
    let ends: std::collections::BTreeSet<IpAddr> = ends.collect();
    let all = analysis.files.iter().flat_map(|file| &file.names);
    let mut names: Vec<_> = all.filter(|(address, _)| ends.contains(address)).cloned().collect();
    names.sort();
    names.dedup();
    names
}

/// The interfaces of the slice: one for each interface of an input that a frame comes from.
#[derive(Debug, Default)]
struct Interfaces {
    numbers: BTreeMap<(FileId, u32, LinkType), u32>,
}

impl Interfaces {
    fn of(&mut self, frame: &Frame<'_>, analysis: &Analysis, writer: &mut Writer<'_>) -> io::Result<u32> {
        let key = (frame.at.file, frame.interface, frame.link);
        if let Some(number) = self.numbers.get(&key) {
            return Ok(*number);
        }
        let file = file(analysis, frame.at.file);
        let facts = file.and_then(|file| file.interfaces.get(frame.interface as usize));
        let several = analysis.files.len() > 1;
        let source = file.filter(|_| several).and_then(|file| file.path.file_name());
        let interface = Interface {
            link: frame.link,
            snaplen: facts.map_or(0, |facts| facts.snaplen),
            name: facts.map_or_else(String::new, |facts| facts.name.clone()),
            description: source.map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            microseconds: file.is_some_and(|file| file.time_resolution_ns == 1_000),
            earliest: file.and_then(|file| file.first).unwrap_or(frame.time),
        };
        let number = writer.interface(interface)?;
        self.numbers.insert(key, number);
        Ok(number)
    }

    /// From when to when each was watched, which is longer than the chosen frames lasted: that nothing more came is a
    /// part of how a session ended.
    fn statistics(&self, analysis: &Analysis, writer: &mut Writer<'_>) -> io::Result<()> {
        for ((id, index, _), number) in &self.numbers {
            let Some(file) = file(analysis, *id) else { continue };
            let drops = file.interfaces.get(*index as usize).and_then(|facts| facts.drops);
            let watched = file.first.zip(file.last.max(file.watched_until));
            writer.statistics(*number, watched, drops)?;
        }
        Ok(())
    }
}

fn file(analysis: &Analysis, id: FileId) -> Option<&FileFacts> {
    analysis.files.get(usize::from(id.0))
}
