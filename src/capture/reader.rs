//! The capture stage itself: inputs in, batches of frames out.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;

use crate::capture::merge::Timeline;
use crate::capture::source::{Source, input_path};
use crate::capture::track::{Advance, Allowance, Track};
use crate::capture::{Batch, FileFacts, Input, Secret};
use crate::error::Error;
use crate::limits;
use crate::place::FileId;
use crate::problem::{Problem, ProblemKind, Problems};
use crate::time::Timestamp;

/// Bytes asked of an input at once where many share a batch, and where only its first frame is wanted.
const SMALL_CHUNK: usize = 4 << 10;

/// Several captures read as one timeline.
///
/// An input that is a plain file is opened when its first frame is due and closed after its last, so that a
/// folder of thousands can be read.
pub struct Capture {
    inputs: Vec<Opened>,
    timeline: Timeline,
    /// Inputs whose next frame did not fit in the last batch and is not yet known.
    hungry: Vec<FileId>,
    batch_bytes: usize,
    number: u64,
    problems: Problems,
    secrets: Vec<Secret>,
    secret_bytes: usize,
    read: u64,
    total: Option<u64>,
}

/// An input and how far it is.
struct Opened {
    /// How to open it when it is due; none if it is open already, or done with.
    waiting: Option<Input>,
    /// Being read.
    track: Option<Box<Track>>,
    facts: FileFacts,
}

/// How far the reading is, in bytes of the files as they lie on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes read.
    pub read: u64,
    /// Bytes to read; none where an input is a pipe.
    pub total: Option<u64>,
}

/// What is known once everything is read.
#[derive(Debug, Default)]
pub struct Finished {
    /// The inputs' facts, in order of their [`FileId`].
    pub files: Vec<FileFacts>,
    /// What was wrong in them.
    pub problems: Problems,
    /// Decryption secrets that they carry, in order of input.
    pub secrets: Vec<Secret>,
}

impl Capture {
    /// Opens inputs; the index of each is its [`FileId`]. `batch_bytes` is the size of a batch in bytes.
    ///
    /// An input that cannot be opened or is no capture becomes a problem of kind
    /// [`UnreadableFile`](ProblemKind::UnreadableFile).
    ///
    /// # Errors
    ///
    /// The first input's error if none of them can be read.
    pub fn open(inputs: Vec<Input>, batch_bytes: usize) -> Result<Self, Error> {
        let alone = inputs.len() == 1;
        let sources = inputs.into_iter().map(|input| {
            let path = input_path(&input);
            let source = Source::open(&input);
            (path, source, (!alone).then_some(input))
        });
        Self::begin(sources, batch_bytes)
    }

    /// As [`open`](Self::open), from readers: bytes in memory, a socket. Each is named by its path in results.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn from_readers(
        readers: Vec<(PathBuf, Box<dyn Read + Send>)>,
        batch_bytes: usize,
    ) -> Result<Self, Error> {
        let sources = readers.into_iter().map(|(path, reader)| {
            let source = Source::from_reader(reader, &path);
            (path, source, None)
        });
        Self::begin(sources, batch_bytes)
    }

    fn begin(
        sources: impl Iterator<Item = (PathBuf, Result<Source, Error>, Option<Input>)>,
        batch_bytes: usize,
    ) -> Result<Self, Error> {
        let mut capture = Self {
            inputs: Vec::new(),
            timeline: Timeline::default(),
            hungry: Vec::new(),
            batch_bytes: batch_bytes.max(1),
            number: 0,
            problems: Problems::default(),
            secrets: Vec::new(),
            secret_bytes: 0,
            read: 0,
            total: Some(0),
        };
        let mut first_error = None;
        let mut any = false;
        for (index, (path, source, input)) in sources.enumerate() {
            let Ok(index) = u16::try_from(index) else {
                capture.too_many();
                continue;
            };
            let file = FileId(index);
            capture.inputs.push(Opened {
                waiting: None,
                track: None,
                facts: FileFacts { path: path.clone(), ..FileFacts::default() },
            });
            match source.and_then(|source| Track::open(file, &path, source)) {
                Ok(track) => {
                    any = true;
                    capture.admit(file, track, input);
                }
                Err(error) => {
                    capture.unreadable(file, &error);
                    first_error.get_or_insert(error);
                }
            }
        }
        match first_error {
            Some(error) if !any => Err(error),
            _ => Ok(capture),
        }
    }

    /// Finds the first frame of an input. A file is closed again until that frame is due.
    fn admit(&mut self, file: FileId, mut track: Track, input: Option<Input>) {
        let size = track.source().size();
        self.total = self.total.zip(size).map(|(total, size)| total + size);
        let mut buffer = Vec::new();
        let mut allowance = Allowance { budget: usize::MAX, chunk: SMALL_CHUNK, park: false };
        track.resume(&mut buffer, 0);
        let Advance::Ready(time) = track.advance(&mut buffer, &mut allowance) else {
            self.close(file, track);
            return;
        };
        self.timeline.push(time, file);
        track.suspend(&buffer);
        let reopenable = track.source().is_reopenable();
        let Some(opened) = self.inputs.get_mut(usize::from(file.0)) else { return };
        match input {
            Some(input) if reopenable => opened.waiting = Some(input),
            _ => opened.track = Some(Box::new(track)),
        }
    }

    /// Fills a batch with the next frames; false, and an empty batch, when there are none.
    ///
    /// The batch holds at most `batch_bytes` bytes of frames and [`limits::BATCH_FRAMES`] frames, yet one
    /// frame at least.
    pub fn fill(&mut self, batch: &mut Batch) -> bool {
        batch.clear();
        let mut slots = self.resume(batch);
        let mut allowance = self.allowance(slots);
        for file in std::mem::take(&mut self.hungry) {
            self.advance(file, batch, &mut allowance);
        }
        let mut bytes = 0;
        while let Some(file) = self.timeline.due() {
            if !self.ensure_open(file, batch, &mut slots) {
                self.timeline.pop();
                continue;
            }
            allowance.park = slots > limits::OPEN_FILES;
            if !self.give(file, batch, &mut allowance, &mut bytes) {
                break;
            }
        }
        self.suspend(batch);
        !batch.frames.is_empty()
    }

    /// Gives out frames of the input that is due, as long as it is; false if the batch is full.
    fn give(
        &mut self,
        file: FileId,
        batch: &mut Batch,
        allowance: &mut Allowance,
        bytes: &mut usize,
    ) -> bool {
        let track = self.inputs.get_mut(usize::from(file.0)).and_then(|opened| opened.track.as_mut());
        let Some(track) = track else { return false };
        let Some(buffer) = batch.buffers.get_mut(usize::from(track.slot())) else { return false };
        self.timeline.pop();
        while let Some((time, length)) = track.pending() {
            let length = length as usize;
            let full = *bytes + length > self.batch_bytes || batch.frames.len() >= limits::BATCH_FRAMES;
            if full && !batch.frames.is_empty() {
                self.timeline.push(time, file);
                return false;
            }
            if let Some((mut record, step)) = track.take() {
                self.number += step;
                record.at.number = self.number;
                *bytes += length;
                batch.frames.push(record);
            }
            match track.advance(buffer, allowance) {
                Advance::Ready(time) if self.timeline.is_first(time, file) => {}
                other => return self.settle(file, other),
            }
        }
        true
    }

    /// Looks for an input's next frame.
    fn advance(&mut self, file: FileId, batch: &mut Batch, allowance: &mut Allowance) {
        let track = self.inputs.get_mut(usize::from(file.0)).and_then(|opened| opened.track.as_mut());
        let Some(track) = track else { return };
        let Some(buffer) = batch.buffers.get_mut(usize::from(track.slot())) else { return };
        let state = track.advance(buffer, allowance);
        self.settle(file, state);
    }

    /// Remembers what came of looking for an input's next frame; false if the batch must end.
    fn settle(&mut self, file: FileId, state: Advance) -> bool {
        match state {
            Advance::Ready(time) => self.timeline.push(time, file),
            Advance::Full => {
                self.hungry.push(file);
                return false;
            }
            Advance::Ended => {
                let opened = self.inputs.get_mut(usize::from(file.0));
                if let Some(track) = opened.and_then(|opened| opened.track.take()) {
                    self.close(file, *track);
                }
            }
        }
        true
    }

    /// Gives each open input a buffer of the batch; the number of buffers in use.
    fn resume(&mut self, batch: &mut Batch) -> usize {
        let mut slots = 0;
        for track in self.inputs.iter_mut().filter_map(|opened| opened.track.as_mut()) {
            if let Some(buffer) = buffer(batch, slots) {
                track.resume(buffer, slots as u16);
            }
            slots += 1;
        }
        slots
    }

    fn suspend(&mut self, batch: &mut Batch) {
        for track in self.inputs.iter_mut().filter_map(|opened| opened.track.as_mut()) {
            if let Some(buffer) = batch.buffers.get(usize::from(track.slot())) {
                track.suspend(buffer);
            }
        }
    }

    /// How much may be read for one batch, now that open inputs have moved their rest into it.
    fn allowance(&self, open: usize) -> Allowance {
        let chunk = (self.batch_bytes / open.max(1)).max(SMALL_CHUNK.min(self.batch_bytes));
        Allowance { budget: self.batch_bytes, chunk, park: open > limits::OPEN_FILES }
    }

    /// Opens an input whose first frame is due; false if it can no longer be read.
    fn ensure_open(&mut self, file: FileId, batch: &mut Batch, slots: &mut usize) -> bool {
        let Some(opened) = self.inputs.get_mut(usize::from(file.0)) else { return false };
        let Some(input) = opened.waiting.take() else { return opened.track.is_some() };
        let path = opened.facts.path.clone();
        match Source::open(&input).and_then(|source| Track::open(file, &path, source)) {
            Ok(mut track) => {
                let slot = *slots;
                *slots += 1;
                let Some(buffer) = buffer(batch, slot) else { return false };
                track.resume(buffer, slot as u16);
                let park = *slots > limits::OPEN_FILES;
                let mut allowance = Allowance { budget: usize::MAX, chunk: SMALL_CHUNK, park };
                let state = track.advance(buffer, &mut allowance);
                opened.track = Some(Box::new(track));
                match state {
                    Advance::Ready(_) => true,
                    Advance::Full | Advance::Ended => {
                        self.settle(file, Advance::Ended);
                        false
                    }
                }
            }
            Err(error) => {
                self.unreadable(file, &error);
                false
            }
        }
    }

    fn close(&mut self, file: FileId, track: Track) {
        self.read += track.source().taken();
        let (facts, problems, secrets) = track.close().close();
        if let Some(opened) = self.inputs.get_mut(usize::from(file.0)) {
            opened.facts = facts;
        }
        self.problems.merge(problems);
        for secret in secrets {
            if self.secret_bytes + secret.bytes.len() <= limits::SECRETS_BYTES {
                self.secret_bytes += secret.bytes.len();
                self.secrets.push(secret);
            } else {
                let message = "more decryption secrets than are kept of a run; the rest is left out";
                self.problem(ProblemKind::LimitReached, "secrets", Some(file), message.to_owned());
            }
        }
    }

    fn unreadable(&mut self, file: FileId, error: &Error) {
        self.problem(ProblemKind::UnreadableFile, "", Some(file), error.to_string());
    }

    fn too_many(&mut self) {
        let message = format!("more than {} inputs; the rest is left out", u32::from(u16::MAX) + 1);
        self.problem(ProblemKind::LimitReached, "inputs", None, message);
    }

    fn problem(&mut self, kind: ProblemKind, subject: &str, file: Option<FileId>, message: String) {
        self.problems.add(subject, Problem { kind, file, frame: None, offset: None, count: 1, message });
    }

    /// Until when the recorders say that they watched, as far as the inputs were read to their ends; none where nobody
    /// says so of a time after his last frame.
    pub fn watched_until(&self) -> Option<Timestamp> {
        self.inputs.iter().filter_map(|opened| opened.facts.watched_until).max()
    }

    /// How far the reading is.
    pub fn progress(&self) -> Progress {
        let open = self.inputs.iter().filter_map(|opened| opened.track.as_ref());
        let taken: u64 = open.map(|track| track.source().taken()).sum();
        Progress { read: self.read + taken, total: self.total }
    }

    /// Closes the inputs and tells what is known of them.
    pub fn finish(mut self) -> Finished {
        for index in 0..self.inputs.len() {
            let track = self.inputs.get_mut(index).and_then(|opened| opened.track.take());
            if let Some(track) = track {
                self.close(FileId(index as u16), *track);
            }
        }
        let files = self.inputs.into_iter().map(|opened| opened.facts).collect();
        self.secrets.sort_by_key(|secret| secret.file);
        Finished { files, problems: self.problems, secrets: self.secrets }
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture")
            .field("inputs", &self.inputs.len())
            .field("frames", &self.number)
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}

/// A buffer of the batch, made where there is none yet.
fn buffer(batch: &mut Batch, slot: usize) -> Option<&mut Vec<u8>> {
    if batch.buffers.len() <= slot {
        batch.buffers.resize_with(slot + 1, Vec::new);
    }
    batch.buffers.get_mut(slot)
}
