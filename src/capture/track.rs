//! One input being read: its source, its format, and where in a batch's buffer it stands.

use std::fmt::Write as _;

use crate::capture::format::{EXPECTED, Format, HEAD_BYTES, RawFrame, Step, Window};
use crate::capture::ledger::Ledger;
use crate::capture::source::{Source, Trouble};
use crate::capture::{FrameRecord, Slice};
use crate::error::Error;
use crate::place::{FileId, PacketRef};
use crate::problem::ProblemKind;
use crate::time::Timestamp;

/// How much may still be read for a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// Bytes over all inputs. Where it is used up, an input of which the batch holds frames must wait.
    pub(super) budget: usize,
    /// Bytes asked of an input at once.
    pub(super) chunk: usize,
    /// Whether files are closed after each piece, since too many are read side by side.
    pub(super) park: bool,
}

/// What came of looking for the next frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advance {
    /// A frame of this time stands ready.
    Ready(Timestamp),
    /// There is none in this batch any more.
    Full,
    /// There is none in this file any more.
    Ended,
}

/// A frame that is found and not yet given out.
#[derive(Debug, Clone, Copy)]
struct Pending {
    frame: RawFrame,
    time: Timestamp,
    number: u64,
}

/// One input being read.
///
/// Its bytes lie in a buffer of the batch that is being filled, or, between two batches, in `carry`.
pub(super) struct Track {
    source: Source,
    format: Format,
    ledger: Ledger,
    carry: Vec<u8>,
    /// Position in the buffer of the first byte that is not dealt with.
    position: usize,
    /// Offset in the file of the buffer's first byte.
    base: u64,
    pending: Option<Pending>,
    given: u64,
    slot: u16,
    /// Whether frames of the batch point into the buffer, so that its bytes must not move.
    pinned: bool,
}

impl Track {
    /// Reads the first bytes and tells the format.
    pub(super) fn open(file: FileId, path: &std::path::Path, mut source: Source) -> Result<Self, Error> {
        let mut ledger = Ledger::new(file, path.to_owned());
        let mut carry = Vec::new();
        let trouble = source.append(&mut carry, HEAD_BYTES).err();
        let Some(format) = Format::detect(&carry, &mut ledger) else {
            let path = path.to_owned();
            return Err(match trouble {
                Some(Trouble::Read(cause)) => Error::Read { path, offset: 0, cause },
                Some(Trouble::Compression(what)) => {
                    let what = format!("the compressed data is damaged: {what}");
                    let cause = std::io::Error::new(std::io::ErrorKind::InvalidData, what);
                    Error::Read { path, offset: 0, cause }
                }
                None => Error::NotACapture { path, expected: EXPECTED, found: hex(&carry) },
            });
        };
        ledger.facts.compression = source.compression();
        let mut track = Self {
            source,
            format,
            ledger,
            carry,
            position: 0,
            base: 0,
            pending: None,
            given: 0,
            slot: 0,
            pinned: false,
        };
        if let Some(trouble) = trouble {
            track.note(trouble, track.carry.len() as u64);
        }
        Ok(track)
    }

    /// Where its bytes come from.
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Number of the buffer that it uses in this batch.
    pub(super) fn slot(&self) -> u16 {
        self.slot
    }

    /// Time and captured length of the frame that stands ready.
    #[inline]
    pub(super) fn pending(&self) -> Option<(Timestamp, u32)> {
        self.pending.map(|pending| (pending.time, pending.frame.length))
    }

    /// Goes on in a new batch.
    pub(super) fn resume(&mut self, buffer: &mut Vec<u8>, slot: u16) {
        self.slot = slot;
        self.pinned = false;
        buffer.extend_from_slice(&self.carry);
        self.carry.clear();
    }

    /// Saves what this batch did not use.
    pub(super) fn suspend(&mut self, buffer: &[u8]) {
        let unused = self.pending.map_or(self.position, |pending| pending.frame.start.min(self.position));
        self.carry.extend_from_slice(buffer.get(unused..).unwrap_or_default());
        self.base += unused as u64;
        self.position -= unused;
        if let Some(pending) = &mut self.pending {
            pending.frame.start -= unused;
        }
    }

    /// Gives the frame out that stands ready, without its number in the merged timeline, and how many
    /// numbers it is further than the one before.
    #[inline]
    pub(super) fn take(&mut self) -> Option<(FrameRecord, u64)> {
        let Pending { frame, time, number } = self.pending.take()?;
        let step = number - self.given;
        self.given = number;
        self.pinned = true;
        let at = PacketRef {
            number: 0,
            offset: self.base + frame.start as u64,
            frame: number,
            length: frame.length,
            file: self.ledger.file,
        };
        let bytes = Slice { buffer: self.slot, start: frame.start as u32, length: frame.length };
        let record = FrameRecord {
            at,
            time,
            link: frame.link,
            interface: frame.interface,
            bytes,
            original: frame.original,
        };
        Some((record, step))
    }

    /// Looks for the next frame.
    #[inline]
    pub(super) fn advance(&mut self, buffer: &mut Vec<u8>, allowance: &mut Allowance) -> Advance {
        loop {
            let bytes = buffer.get(self.position..).unwrap_or_default();
            let have = bytes.len();
            let offset = self.base + self.position as u64;
            let window = Window { bytes, offset, ended: self.source.is_ended() };
            match self.format.step(window, &mut self.ledger) {
                Step::Frame(mut frame, used) => {
                    frame.time = frame.time.map(|time| time + self.source.clock_offset());
                    let number = self.ledger.frame(&frame);
                    let time = frame.time.unwrap_or_else(|| self.ledger.first_time());
                    frame.start += self.position;
                    self.position += used;
                    self.pending = Some(Pending { frame, time, number });
                    return Advance::Ready(time);
                }
                Step::Skip(count) => self.position += count,
                Step::End => return Advance::Ended,
                Step::More(wanted) => {
                    if self.pinned && allowance.budget == 0 {
                        return Advance::Full;
                    }
                    self.read(buffer, wanted.saturating_sub(have), allowance);
                }
            }
        }
    }

    /// Reads at least `lacking` bytes more, unless the input ends.
    fn read(&mut self, buffer: &mut Vec<u8>, lacking: usize, allowance: &mut Allowance) {
        // Bytes dealt with go before more come, half a buffer at a time so that each byte moves once or twice.
        if !self.pinned && self.position >= buffer.len() / 2 {
            buffer.drain(..self.position);
            self.base += self.position as u64;
            self.position = 0;
        }
        let usual = if self.pinned { allowance.chunk.min(allowance.budget) } else { allowance.chunk };
        let before = buffer.len();
        if let Err(trouble) = self.source.append(buffer, usual.max(lacking)) {
            self.note(trouble, self.base + buffer.len() as u64);
        }
        if allowance.park {
            self.source.park();
        }
        allowance.budget = allowance.budget.saturating_sub(buffer.len() - before);
    }

    /// Notes what went wrong behind byte `offset` of the (unpacked) file.
    fn note(&mut self, trouble: Trouble, offset: u64) {
        let (kind, message) = match trouble {
            Trouble::Read(cause) => {
                let path = self.ledger.facts.path.clone();
                (ProblemKind::UnreadableFile, Error::Read { path, offset, cause }.to_string())
            }
            Trouble::Compression(what) => {
                let message = format!(
                    "at byte {offset} of what is unpacked: the compressed data is damaged: {what}; \
                     what was unpacked before is used"
                );
                (ProblemKind::BadCompression, message)
            }
        };
        self.ledger.problem(kind, "", offset, message);
    }

    /// Closes the input.
    pub(super) fn close(self) -> Ledger {
        self.ledger
    }
}

/// The first bytes of a file, for a message.
fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    let mut text = String::new();
    for byte in bytes.iter().take(8) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
