//! The content of a message under way: how far it is, whether it came whole, and what is read of it.

use super::Http;
use super::event_stream::EventStream;
use super::exchange::Pen;
use super::framing::{Next, Walk};
use super::labels;
use super::login;
use super::response::Login;
use super::uploads::{Upload, WORTH_BYTES};
use crate::events::{Confidence, Event, Extent, Grade, Marks, Position, Scope, Side, Stage, Word};
use crate::protocols::{End, Notes, Saying, Step};

/// Bytes of a page in which a login form is looked for.
const PAGE_BYTES: usize = 64 << 10;

/// A unit of work: an object, or a part of it from `start` on.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// What it is, as it may be shown.
    pub(super) object: Box<[u8]>,
    /// Where in it this content begins.
    pub(super) start: u64,
    /// How large the whole is, where that is known.
    pub(super) whole: Option<u64>,
    /// With its last byte the work is done; of one part among several that cannot be said.
    pub(super) is_rest: bool,
}

impl Unit {
    fn position(&self, passed: u64) -> Position {
        Position::bytes(self.start.saturating_add(passed)).of(self.whole)
    }
}

/// What is read of a content.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    /// Nothing.
    Skip,
    /// Its events.
    Events(EventStream),
    /// Whether it asks for a password again, which decides a login.
    Page(Box<Login>, Vec<u8>),
}

/// A content under way.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// Where in it we are.
    pub(super) walk: Walk,
    /// The head before it.
    pub(super) head: Extent,
    /// Its length where the head told it.
    pub(super) length: Option<u64>,
    /// It is followed as a unit of work.
    pub(super) unit: Option<Unit>,
    /// What is read of it.
    pub(super) purpose: Purpose,
    /// What it is of: a larger content of unknown length becomes a unit of this object.
    pub(super) object: Box<[u8]>,
    /// The server gives parts of it.
    pub(super) in_ranges: bool,
    /// The answer itself, which is told when its content is complete.
    pub(super) lead: Option<Box<Event>>,
    /// Bytes that the conversation passes over for us.
    pub(super) skipping: u64,
}

/// What came of a look at more bytes of a content.
pub(super) enum Read {
    /// A step for the conversation.
    Step(Step),
    /// The content is over, before the bytes at hand.
    Over,
    /// Its framing is broken.
    Broken,
}

impl Http {
    /// The next bytes of a content.
    pub(super) fn read_content(
        &mut self,
        side: Side,
        reading: &mut Reading,
        bytes: &[u8],
        notes: &mut Notes<'_>,
    ) -> Read {
        match reading.walk.next(bytes) {
            Next::Over => Read::Over,
            Next::Broken => Read::Broken,
            Next::More => Read::Step(Step::NeedMore(bytes.len() + 1)),
            Next::Frame(taken) => {
                if let Some(pen) = notes.labels() {
                    labels::framing(pen, bytes, taken);
                }
                Read::Step(Step::Took(taken))
            }
            Next::Content(most) => {
                let here = most.min(bytes.len() as u64) as usize;
                let content = bytes.get(..here).unwrap_or_default();
                match &mut reading.purpose {
                    Purpose::Events(stream) => stream.feed(content, 0, notes),
                    Purpose::Page(_, page) => {
                        let room = PAGE_BYTES.saturating_sub(page.len());
                        page.extend(content.iter().take(room));
                    }
                    Purpose::Skip => {
                        // A content of unknown length becomes a unit of work where it proves large.
                        let before = WORTH_BYTES.saturating_sub(reading.walk.passed);
                        let open = reading.unit.is_none() && reading.length.is_none() && before > 0;
                        reading.skipping = if open { most.min(before) } else { most };
                        return Read::Step(Step::Skip(reading.skipping));
                    }
                }
                if let Some(pen) = notes.labels() {
                    labels::content(pen, 0..here);
                }
                self.pass(side, reading, here as u64, &mut Pen::new(notes, 0..here));
                Read::Step(Step::Took(here))
            }
        }
    }

    /// So much of a content was passed.
    pub(super) fn pass(&mut self, side: Side, reading: &mut Reading, length: u64, pen: &mut Pen<'_, '_>) {
        reading.walk.pass(length);
        if reading.walk.passed >= WORTH_BYTES
            && reading.unit.is_none()
            && reading.length.is_none()
            && matches!(reading.purpose, Purpose::Skip)
        {
            let unit = Unit { object: reading.object.clone(), start: 0, whole: None, is_rest: true };
            say_begin(pen, &unit);
            reading.unit = Some(unit);
            if side == Side::Client
                && let Some(exchange) = self.open.back_mut()
            {
                exchange.upload.get_or_insert(Upload::Plain(None));
            }
        }
    }

    /// A content came whole.
    pub(super) fn finish(&mut self, side: Side, mut reading: Reading, notes: &mut Notes<'_>) {
        if let Some(lead) = reading.lead.take() {
            notes.say_again(*lead, 0..0);
        }
        if let Purpose::Events(stream) = &mut reading.purpose {
            stream.end(notes);
        }
        let mut pen = Pen::new(notes, 0..0);
        pen.since = Some(reading.head);
        if let Purpose::Page(login, page) = reading.purpose {
            let again = login::asks_for_password(&page);
            let sure = if login.has_cookies() { Confidence::High } else { Confidence::Medium };
            self.login_decided(&mut pen, *login, !again, if again { Confidence::High } else { sure });
        }
        let Some(unit) = reading.unit.filter(|_| side == Side::Server) else { return };
        let position = unit.position(reading.walk.passed);
        let position = if unit.start == 0 && unit.whole.is_none() {
            position.of(Some(position.value))
        } else {
            position
        };
        let grade =
            if unit.is_rest && position.of == Some(position.value) { Grade::Major } else { Grade::Minor };
        pen.say(Word::Checkpoint, Stage::Granted).grade(grade).object(&unit.object).position(position);
        pen.say(Word::Activity, Stage::Granted)
            .scope(Scope::Activity)
            .object(&unit.object)
            .position(position);
    }

    /// The side ended in the middle of a content, `missing` bytes before the end of what was being passed over.
    pub(super) fn cut(
        &mut self,
        side: Side,
        mut reading: Reading,
        how: End,
        missing: u64,
        notes: &mut Notes<'_>,
    ) {
        let passed = std::mem::take(&mut reading.skipping).saturating_sub(missing);
        if let (1.., Some(pen)) = (passed, notes.labels()) {
            labels::content(pen.before(passed), 0..passed as usize);
        }
        self.pass(side, &mut reading, passed, &mut Pen::new(notes, 0..0));
        if reading.walk.is_over() || (how == End::Fin && reading.walk.ends_with_connection()) {
            return self.finish(side, reading, notes);
        }
        if let Purpose::Events(stream) = &mut reading.purpose {
            stream.end(notes);
        }
        let mut pen = Pen::new(notes, 0..0);
        pen.since = Some(reading.head);
        if reading.walk.ends_with_connection() && reading.walk.passed == 0 {
            // Without a length nobody can tell that anything is missing.
            if let Some(lead) = reading.lead.take() {
                pen.notes.say_again(*lead, 0..0);
            }
            return;
        }
        let come = Position::bytes(reading.walk.passed).of(reading.length);
        // Where the capture ends, nobody broke it off.
        let (word, is_cut) = if how == End::Over { (Word::Turn, false) } else { (Word::Interrupt, true) };
        let mut partial =
            pen.say(word, Stage::Told).mark(Marks::PARTIAL).object(&reading.object).position(come);
        if let Some(lead) = reading.lead.take() {
            // An answer that did not come whole is none yet; its status was read all the same, and what it issued
            // (a cookie, the validator of what was cut) was issued.
            if let Some(status) = lead.code.number() {
                partial = partial.mark(Marks::NAMELESS).text(status.to_string().as_bytes());
            }
            lead.details().identities.iter().cloned().fold(partial, Saying::identity);
        }
        let Some(unit) = reading.unit else {
            if side == Side::Server && reading.in_ranges {
                say_in_ranges(&mut pen, &reading.object);
            }
            return;
        };
        let position = unit.position(reading.walk.passed);
        if side == Side::Server {
            pen.say(Word::Checkpoint, Stage::Granted)
                .grade(Grade::Minor)
                .object(&unit.object)
                .position(position);
        }
        if is_cut {
            pen.say(Word::Activity, Stage::Refused)
                .scope(Scope::Activity)
                .mark(Marks::PARTIAL)
                .object(&unit.object)
                .position(position);
        }
    }
}

/// A download begins that is worth following.
pub(super) fn say_begin(pen: &mut Pen<'_, '_>, unit: &Unit) {
    pen.say(Word::Activity, Stage::Asked)
        .scope(Scope::Activity)
        .object(&unit.object)
        .position(unit.position(0));
}

/// Parts of this object can be had.
pub(super) fn say_in_ranges(pen: &mut Pen<'_, '_>, object: &[u8]) {
    pen.say(Word::Resume, Stage::Offered).mechanism("http-range").object(object);
}
