//! Server-sent events (WHATWG HTML, 9.2): ids are points from which a stream can be taken up again, comments keep
//! it alive.

use super::exchange::Pen;
use super::head::decimal;
use crate::events::{Confidence, Grade, Hash128, Marks, Position, Stage, Timer, Unit, Word};
use crate::protocols::Notes;
use crate::time::Span;

/// Bytes kept of an unfinished line: ids are short, and data are of no interest.
const LINE_BYTES: usize = 1 << 10;

/// Ids told one by one; then one in [`SPARSE`], and the last.
const FIRST: u64 = 16;

/// One id in so many is told of a long stream.
const SPARSE: u64 = 64;

/// Reads a stream of events.
#[derive(Debug, Clone, Default)]
pub(super) struct EventStream {
    line: Vec<u8>,
    object: Box<[u8]>,
    /// The id that the client said it had heard last.
    asked: Option<Position>,
    /// The id of the event being read.
    current: Option<Position>,
    /// The last one that was not told.
    untold: Option<Position>,
    ids: u64,
    comments: u64,
}

/// The place of an event: its id as a number, or something equal for equal ids.
pub(super) fn position(id: &[u8]) -> Position {
    match decimal(id).filter(|_| !id.is_empty()) {
        Some(number) => Position { unit: Unit::Serial, value: number, of: None },
        None => Position { unit: Unit::Cookie, value: Hash128::of(&[b"event", id]).0 as u64, of: None },
    }
}

fn is_told(count: u64) -> bool {
    count <= FIRST || count.is_multiple_of(SPARSE)
}

impl EventStream {
    /// A stream that begins, after the event of this id where the client said so.
    pub(super) fn new(object: &[u8], asked: Option<&[u8]>) -> Self {
        Self { object: object.into(), asked: asked.map(position), ..Self::default() }
    }

    /// The next bytes, which begin at `from` in those at hand.
    pub(super) fn feed(&mut self, bytes: &[u8], from: usize, notes: &mut Notes<'_>) {
        let mut begin = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            let rest = bytes.get(begin..end).unwrap_or_default();
            self.keep(rest);
            let line = std::mem::take(&mut self.line);
            let content = line.strip_suffix(b"\r").unwrap_or(&line);
            self.read_line(content, &mut Pen::new(notes, from + begin..from + end + 1));
            begin = end + 1;
        }
        self.keep(bytes.get(begin..).unwrap_or_default());
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE_BYTES.saturating_sub(self.line.len());
        self.line.extend(bytes.iter().take(room));
    }

    fn read_line(&mut self, line: &[u8], pen: &mut Pen<'_, '_>) {
        let (name, value) = line.split_at(memchr::memchr(b':', line).unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"" if line.is_empty() => self.dispatch(pen),
            b"" => {
                self.comments += 1;
                if is_told(self.comments) {
                    pen.say(Word::KeepAlive, Stage::Told).mark(Marks::APP_PING);
                }
            }
            b"id" if !value.contains(&0) => self.current = Some(position(value)),
            b"retry" => {
                let wait =
                    decimal(value).and_then(|millis| i64::try_from(millis).ok()).map(Span::from_millis);
                if let Some(wait) = wait {
                    let offered = pen.say(Word::Resume, Stage::Offered).mechanism("other");
                    offered.declares(Timer::RetryAfter, wait);
                }
            }
            _ => {}
        }
    }

    /// An empty line ends an event.
    fn dispatch(&mut self, pen: &mut Pen<'_, '_>) {
        let Some(id) = self.current.take() else { return };
        if let Some(asked) = self.asked.take()
            && asked.unit == Unit::Serial
            && id.unit == Unit::Serial
        {
            // A server that goes on numbers on; one that took no notice begins anew.
            let goes_on = id.value > asked.value;
            let stage = if goes_on { Stage::Granted } else { Stage::Refused };
            let marks = if goes_on { Marks::default() } else { Marks::SILENT };
            pen.say(Word::Resume, stage)
                .mechanism("other")
                .object(&self.object)
                .position(asked)
                .mark(marks)
                .confidence(Confidence::Medium);
        }
        self.ids += 1;
        if is_told(self.ids) {
            self.untold = None;
            self.say_checkpoint(id, pen);
        } else {
            self.untold = Some(id);
        }
    }

    fn say_checkpoint(&self, id: Position, pen: &mut Pen<'_, '_>) {
        let checkpoint = pen.say(Word::Checkpoint, Stage::Granted).grade(Grade::Minor);
        checkpoint.object(&self.object).position(id);
    }

    /// The stream is over: its last id is told.
    pub(super) fn end(&mut self, notes: &mut Notes<'_>) {
        if let Some(id) = self.untold.take() {
            self.say_checkpoint(id, &mut Pen::new(notes, 0..0));
        }
    }
}
