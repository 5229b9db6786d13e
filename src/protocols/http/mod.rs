//! HTTP/1.0 and 1.1 (RFC 9110, RFC 9112), with what is built on them: cookies (RFC 6265), logins (RFC 7616, 7617,
//! 6750, forms), parts of objects, uploads that can be taken up again (tus 1.0.0), streams of events (WHATWG HTML 9.2).
//!
//! A request that leads says its method, an answer its status; what else they mean follows. Contents of at least
//! `WORTH_BYTES`, parts of objects and uploads by tus are units of work with a beginning, an end
//! and checkpoints; smaller contents are told only where they did not come whole.

mod body;
mod cookies;
mod dates;
mod event_stream;
mod exchange;
mod framing;
mod head;
mod labels;
mod login;
mod ranges;
mod request;
mod response;
mod target;
#[cfg(test)]
mod tests;
mod uploads;

use std::collections::VecDeque;

use base64::Engine as _;
use sha1::{Digest as _, Sha1};

use self::body::{Purpose, Read, Reading, say_begin, say_in_ranges};
use self::exchange::{Exchange, Pen, Switch};
use self::framing::{Framing, Next, Walk};
use self::head::{Head, HeadRead, Start};
use self::request::{Content, Seen};
use self::uploads::Uploads;
use super::{CATALOGUE, Dissector, End, Notes, Protocol, Step, Verdict, Why, named};
use crate::events::{Extent, Hash128, Marks, PerSide, Side, Stage, Word};
use crate::limits::{PARSE_ERRORS, PROBE_BYTES};

pub(in crate::protocols) use self::target::engine_session;

/// HTTP over TCP, before version 2.
pub static PROTOCOL: Protocol = Protocol {
    name: "http",
    title: "HTTP/1.1",
    ports: &[80, 8080, 8000, 8008, 8081, 8888, 3128, 5985, 1080, 9080],
    probe: head::probe,
    start: || Box::new(Http::default()),
    goodbye: None,
    words: &Word::ALL,
    sources: &[
        "RFC 9110 §9, §11, §14, §15",
        "RFC 9112 §2 to §7, §9",
        "RFC 6265 §4, §5",
        "RFC 7617, RFC 7616, RFC 6750",
        "tus resumable upload protocol 1.0.0",
        "WHATWG HTML §9.2",
    ],
};

/// Requests that may wait for answers on one connection; pipelines are shorter.
const OPEN_REQUESTS: usize = 256;

/// Bytes of a request's content that are waited for, to know it again if it is repeated.
const ACTION_BYTES: u64 = 4 << 10;

/// Bytes kept of an unfinished head: its beginning is told where the rest never comes.
const BEGUN_BYTES: usize = 4 << 10;

/// A head larger than this is told by its beginning; [`MESSAGE_BYTES`](crate::limits::MESSAGE_BYTES) are never kept.
const HEAD_BYTES: usize = 48 << 10;

/// Cookies remembered on one connection.
const REMEMBERED: usize = 32;

/// One connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Http {
    sides: PerSide<Half>,
    /// Requests without an answer, the oldest first.
    open: VecDeque<Exchange>,
    jar: cookies::Jar,
    proof: Option<Seen>,
    proxy_proof: Option<Seen>,
    /// Session cookies with which a request was served.
    accepted: Vec<Hash128>,
    /// Those of a login, or with which work was done.
    worked: Vec<Hash128>,
    uploads: Uploads,
    /// Sides that said `Connection: close`.
    closing: PerSide<bool>,
    /// Requests may have gone unseen.
    blind: bool,
    /// Several requests waited at once.
    is_pipelined: bool,
    /// What follows is that of a tunnel.
    is_tunnel: bool,
}

/// What one side is reading.
#[derive(Debug, Clone, Default)]
struct Half {
    state: State,
    /// The beginning of a head of which more is to come, as far as it is kept.
    begun: Option<(Vec<u8>, Extent)>,
    errors: u32,
}

#[derive(Debug, Clone, Default)]
enum State {
    /// A head is expected.
    #[default]
    Head,
    /// A request's head was read, and its small content is waited for.
    Small(Vec<u8>, Extent, usize),
    /// The content of a message.
    Content(Box<Reading>),
    /// The next head is looked for.
    Lost,
}

/// Remembers a few, the oldest forgotten first.
fn remember_hash(known: &mut Vec<Hash128>, new: Hash128) {
    if !known.contains(&new) {
        if known.len() >= REMEMBERED {
            known.remove(0);
        }
        known.push(new);
    }
}

impl Dissector for Http {
    fn read(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        if self.is_tunnel {
            return tunnelled(side, bytes);
        }
        self.blind |= !notes.from_start();
        loop {
            match std::mem::take(&mut self.sides[side].state) {
                State::Head => {
                    if side == Side::Client && self.open.back().is_some_and(|last| last.switch.is_some()) {
                        return Step::Hold;
                    }
                    return self.read_head(side, bytes, notes);
                }
                State::Small(head, extent, length) => {
                    let Some(content) = bytes.get(..length) else {
                        self.sides[side].state = State::Small(head, extent, length);
                        return Step::NeedMore(length);
                    };
                    if let Some(pen) = notes.labels() {
                        labels::content(pen, 0..length);
                    }
                    let mut pen = Pen::new(notes, 0..length);
                    pen.since = Some(extent);
                    self.say_kept(&mut pen, &head, Content::Read(content), Marks::default());
                    return Step::Took(length);
                }
                State::Content(mut reading) => match self.read_content(side, &mut reading, bytes, notes) {
                    Read::Step(step) => {
                        if reading.walk.is_over() {
                            let Step::Took(taken) = step else { return step };
                            self.finish_after(side, *reading, taken, notes);
                        } else {
                            notes.goes_on();
                            self.sides[side].state = State::Content(reading);
                        }
                        return step;
                    }
                    Read::Over => self.finish(side, *reading, notes),
                    Read::Broken => return self.broken(side, bytes, notes),
                },
                State::Lost => match head::find(side, bytes) {
                    Some(0) => self.found(side),
                    Some(at) => {
                        self.found(side);
                        if let Some(pen) = notes.labels() {
                            labels::other(pen, at);
                        }
                        return Step::Took(at);
                    }
                    None => {
                        self.sides[side].state = State::Lost;
                        return match head::tail(side, bytes) {
                            0 => Step::NeedMore(bytes.len() + 1),
                            taken => {
                                if let Some(pen) = notes.labels() {
                                    labels::other(pen, taken);
                                }
                                Step::Took(taken)
                            }
                        };
                    }
                },
            }
        }
    }

    fn skipped(&mut self, side: Side, notes: &mut Notes<'_>) {
        let State::Content(mut reading) = std::mem::take(&mut self.sides[side].state) else { return };
        let skipped = std::mem::take(&mut reading.skipping);
        if let Some(pen) = notes.labels() {
            labels::content(pen.before(skipped), 0..skipped as usize);
        }
        self.pass(side, &mut reading, skipped, &mut Pen::new(notes, 0..0));
        if reading.walk.is_over() {
            self.finish(side, *reading, notes);
        } else {
            notes.goes_on();
            self.sides[side].state = State::Content(reading);
        }
    }

    fn gap(&mut self, side: Side, _missing: u64, notes: &mut Notes<'_>) -> Step {
        let mut state = std::mem::replace(&mut self.sides[side].state, State::Lost);
        if let State::Content(reading) = &mut state
            && let Some(mut lead) = reading.lead.take()
        {
            lead.marks = lead.marks.with(Marks::PARTIAL);
            notes.say_again(*lead, 0..0);
        }
        self.blind = true;
        self.say_begun(side, notes);
        if let State::Small(head, extent, length) = state {
            let mut pen = Pen::new(notes, 0..0);
            pen.instead = Some((side, extent));
            self.say_kept(&mut pen, &head, Content::Unread(Some(length as u64)), Marks::default());
            let end = extent.start + extent.length + length as u64;
            if let Some(rest) = end.checked_sub(notes.offset()) {
                self.sides[side].state = State::Head;
                return if rest > 0 { Step::Skip(rest) } else { Step::Took(0) };
            }
        }
        Step::Took(0)
    }

    fn end(&mut self, side: Side, how: End, unread: &[u8], pending: u64, notes: &mut Notes<'_>) {
        match std::mem::take(&mut self.sides[side].state) {
            State::Content(mut reading) => {
                // What came while nobody looked: an answer told of the content before it was read.
                if let Next::Content(most) = reading.walk.next(unread) {
                    reading.walk.pass(most.min(unread.len() as u64));
                }
                self.cut(side, *reading, how, pending, notes);
            }
            State::Small(head, extent, length) => {
                let mut pen = Pen::new(notes, 0..unread.len());
                pen.since = Some(extent);
                self.say_kept(&mut pen, &head, Content::Unread(Some(length as u64)), Marks::PARTIAL);
                Self::say_unfinished(how, unread, &mut pen, Some(length as u64));
            }
            State::Head if !unread.is_empty() && !self.is_tunnel => {
                let is_held =
                    side == Side::Client && self.open.back().is_some_and(|last| last.switch.is_some());
                if !is_held && matches!(Head::read(side, unread), HeadRead::Unfinished) {
                    Self::say_unfinished(how, unread, &mut Pen::new(notes, 0..unread.len()), None);
                }
            }
            State::Head | State::Lost => {}
        }
    }

    fn fork(&self) -> Box<dyn Dissector> {
        Box::new(self.clone())
    }
}

impl Http {
    fn read_head(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        let head = match Head::read(side, bytes) {
            HeadRead::Whole(head) => head,
            HeadRead::Unfinished => return self.begin_head(side, bytes, notes),
            HeadRead::Other if side == Side::Server && self.answers_without_head() => {
                return self.read_headless(notes);
            }
            HeadRead::Other => {
                let empty = bytes.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
                if let (1.., Some(pen)) = (empty, notes.labels()) {
                    labels::other(pen, empty);
                }
                return if empty > 0 { Step::Took(empty) } else { self.broken(side, bytes, notes) };
            }
        };
        self.sides[side].errors = 0;
        self.sides[side].begun = None;
        if let Some(pen) = notes.labels() {
            labels::head(pen, &head, bytes);
        }
        match head.start {
            Start::Request { .. } => self.read_request(&head, bytes, notes),
            Start::Status { code, reason } => self.read_response(&head, code, reason, notes),
        }
    }

    /// A head is not whole yet. Its beginning is kept, and has to do where it is too large.
    fn begin_head(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        let whole_lines =
            memchr::memrchr(b'\n', bytes.get(..bytes.len().min(BEGUN_BYTES)).unwrap_or_default());
        if let Some(end) = whole_lines {
            let kept = bytes.get(..=end).unwrap_or_default().to_vec();
            self.sides[side].begun = Some((kept, notes.extent(0..bytes.len())));
        }
        if bytes.len() < HEAD_BYTES {
            return Step::NeedMore(bytes.len() + 1);
        }
        self.say_begun(side, notes);
        self.sides[side].state = State::Lost;
        self.blind = true;
        if let Some(pen) = notes.labels() {
            labels::other(pen, bytes.len());
        }
        Step::Took(bytes.len())
    }

    /// Says a message of whose head only the beginning is known.
    fn say_begun(&mut self, side: Side, notes: &mut Notes<'_>) {
        let Some((kept, extent)) = self.sides[side].begun.take() else { return };
        let Some(head) = Head::read_begun(side, &kept) else { return };
        let mut pen = Pen::new(notes, 0..0);
        pen.instead = Some((side, extent));
        match head.start {
            Start::Request { .. } => {
                self.say_request(&mut pen, &head, Framing::None, Content::Unread(None), Marks::PARTIAL);
            }
            Start::Status { code, .. } if code < 200 => {
                pen.say(Word::Turn, Stage::Told).code(u32::from(code));
            }
            Start::Status { code, reason } => {
                let exchange = self.open.pop_front();
                self.say_response(&mut pen, &head, (code, reason), exchange.as_ref(), Framing::None);
            }
        }
    }

    /// Whether the oldest request is of a version whose answers are content alone.
    fn answers_without_head(&self) -> bool {
        self.open.front().is_some_and(|asked| asked.is_headless)
    }

    /// An answer of HTTP/0.9 goes to the end of the connection.
    fn read_headless(&mut self, notes: &mut Notes<'_>) -> Step {
        notes.say(Word::Turn, Stage::Granted, 0..1).mark(Marks::NAMELESS);
        if let Some(mut pen) = notes.labels() {
            pen.protocol("http", labels::TITLE, 0..1);
        }
        let object = self.open.pop_front().map(|asked| asked.object).unwrap_or_default();
        let (walk, head, purpose) = (Walk::new(Framing::ToClose), notes.extent(0..1), Purpose::Skip);
        let reading = Reading {
            walk,
            head,
            length: None,
            unit: None,
            purpose,
            object,
            in_ranges: false,
            lead: None,
            skipping: u64::MAX,
        };
        self.sides.server.state = State::Content(Box::new(reading));
        Step::Skip(u64::MAX)
    }

    fn read_request(&mut self, head: &Head<'_>, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        let framing = Framing::of(head, None).unwrap_or_else(|framing::Conflict| {
            Pen::new(notes, 0..head.length).say(Word::Error, Stage::Told).text(b"contradictory lengths");
            Framing::None
        });
        if let Framing::Counted(length @ ..=ACTION_BYTES) = framing
            && !head.lists("expect", "100-continue")
        {
            let end = head.length + length as usize;
            if let Some(content) = bytes.get(head.length..end) {
                if let Some(pen) = notes.labels() {
                    labels::content(pen, head.length..end);
                }
                let mut pen = Pen::new(notes, 0..end);
                self.say_request(&mut pen, head, framing, Content::Read(content), Marks::default());
                return Step::Took(end);
            }
            let kept = bytes.get(..head.length).unwrap_or_default().to_vec();
            self.sides.client.state = State::Small(kept, notes.extent(0..head.length), length as usize);
            notes.goes_on();
            return Step::Took(head.length);
        }
        let length = match framing {
            Framing::Counted(length) => Some(length),
            Framing::Chunked | Framing::ToClose => None,
            Framing::None => Some(0),
        };
        let content = if framing == Framing::None { Content::Read(b"") } else { Content::Unread(length) };
        let mut pen = Pen::new(notes, 0..head.length);
        self.say_request(&mut pen, head, framing, content, Marks::default());
        self.expect_content(framing, length, notes.extent(0..head.length));
        if matches!(self.sides.client.state, State::Content(_)) {
            notes.goes_on();
        }
        Step::Took(head.length)
    }

    /// The content of the request that was just said comes next.
    fn expect_content(&mut self, framing: Framing, length: Option<u64>, head: Extent) {
        let Some(exchange) = self.open.back().filter(|_| framing != Framing::None) else { return };
        let object = exchange.object.clone();
        let unit = exchange.upload.map(|upload| {
            let position = upload.position();
            let whole = position.of.or(self.uploads.length_of(exchange));
            body::Unit { object: object.clone(), start: position.value, whole, is_rest: false }
        });
        let walk = Walk::new(framing);
        let purpose = Purpose::Skip;
        let reading =
            Reading { walk, head, length, unit, purpose, object, in_ranges: false, lead: None, skipping: 0 };
        self.sides.client.state = State::Content(Box::new(reading));
    }

    /// Says a request whose head was kept while its content came.
    fn say_kept(&mut self, pen: &mut Pen<'_, '_>, head: &[u8], content: Content<'_>, marks: Marks) {
        if let HeadRead::Whole(head) = Head::read(Side::Client, head) {
            let framing = Framing::of(&head, None).unwrap_or(Framing::None);
            self.say_request(pen, &head, framing, content, marks);
        }
    }

    /// A request waits for its answer.
    fn remember(&mut self, exchange: Exchange) {
        self.is_pipelined |= !self.open.is_empty() && !self.blind;
        if self.open.len() >= OPEN_REQUESTS {
            self.open.pop_front();
        }
        self.open.push_back(exchange);
    }

    fn read_response(&mut self, head: &Head<'_>, code: u16, reason: &[u8], notes: &mut Notes<'_>) -> Step {
        if let State::Small(..) = self.sides.client.state
            && code >= 200
            && self.open.is_empty()
        {
            // The server does not wait for the whole request: it is told now.
            if let State::Small(kept, extent, length) = std::mem::take(&mut self.sides.client.state) {
                let mut pen = Pen::new(notes, 0..0);
                pen.instead = Some((Side::Client, extent));
                let length = length as u64;
                self.say_kept(&mut pen, &kept, Content::Unread(Some(length)), Marks::default());
                self.expect_content(Framing::Counted(length), Some(length), extent);
            }
        }
        let is_final = code >= 200 || code == 101;
        let exchange = if is_final { self.open.pop_front() } else { None };
        let asked = exchange.as_ref().map(|exchange| exchange.method.as_ref());
        let framing = Framing::of(head, asked);
        let bytes = 0..head.length;
        if framing.is_err() {
            Pen::new(notes, bytes.clone()).say(Word::Error, Stage::Told).text(b"contradictory lengths");
        }
        let framing = framing.unwrap_or(Framing::ToClose);
        let mut pen = Pen::new(notes, bytes);
        if !is_final {
            pen.say(Word::Turn, Stage::Told).code(u32::from(code));
            self.say_interim(&mut pen, head);
            return Step::Took(head.length);
        }
        let place = pen.notes.next_place();
        let (unit, purpose) = self.say_response(&mut pen, head, (code, reason), exchange.as_ref(), framing);
        match exchange.as_ref().and_then(|exchange| exchange.switch.as_ref()) {
            Some(Switch::Tunnel) if (200..300).contains(&code) => {
                self.is_tunnel = true;
                return Step::Took(head.length);
            }
            switch if code == 101 => return switched(switch, head, &mut pen),
            _ => {}
        }
        if framing == Framing::None {
            return Step::Took(head.length);
        }
        // The answer is complete with its content; a stream of events is an answer that goes on.
        let goes_on = matches!(purpose, Purpose::Events(_));
        let lead = if goes_on { None } else { pen.notes.withdraw(place).map(Box::new) };
        let in_ranges = head.lists("accept-ranges", "bytes");
        if let Some(unit) = &unit {
            say_begin(&mut pen, unit);
            if in_ranges && code == 200 {
                say_in_ranges(&mut pen, &unit.object);
            }
        }
        let length = if let Framing::Counted(length) = framing { Some(length) } else { None };
        let object = exchange.map(|exchange| exchange.object).unwrap_or_default();
        let (walk, head_at) = (Walk::new(framing), notes.extent(0..head.length));
        let reading =
            Reading { walk, head: head_at, length, unit, purpose, object, in_ranges, lead, skipping: 0 };
        self.sides.server.state = State::Content(Box::new(reading));
        notes.goes_on();
        Step::Took(head.length)
    }

    /// The last bytes of a content were taken with this step.
    fn finish_after(&mut self, side: Side, reading: Reading, taken: usize, notes: &mut Notes<'_>) {
        let base = notes.base;
        notes.base += taken as u64;
        self.finish(side, reading, notes);
        notes.base = base;
    }

    /// The next head was found behind lost bytes.
    fn found(&mut self, side: Side) {
        self.sides[side].state = State::Head;
        if side == Side::Server && !self.is_pipelined {
            // Without a pipeline only the last request can still be unanswered.
            let answered = self.open.len().saturating_sub(1);
            self.open.drain(..answered);
        }
    }

    /// These bytes are not what should stand here.
    fn broken(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        let step = self.after_broken(side, bytes);
        if let (Step::Took(taken), Some(pen)) = (step, notes.labels()) {
            labels::other(pen, taken);
        }
        step
    }

    fn after_broken(&mut self, side: Side, bytes: &[u8]) -> Step {
        if self.blind {
            self.sides[side].state = State::Lost;
            let taken = match head::find(side, bytes) {
                Some(0) | None => head::tail(side, bytes).max(1),
                Some(at) => at,
            };
            return Step::Took(taken);
        }
        let half = &mut self.sides[side];
        half.state = State::Head;
        half.errors += 1;
        match super::lines::line(bytes) {
            Some((_, taken)) if half.errors < PARSE_ERRORS => Step::Took(taken),
            _ => Step::NotMine(Why::Grammar),
        }
    }

    /// A side ended in the middle of a message.
    fn say_unfinished(how: End, unread: &[u8], pen: &mut Pen<'_, '_>, whole: Option<u64>) {
        if how != End::Over {
            let position = crate::events::Position::bytes(unread.len() as u64).of(whole);
            pen.say(Word::Interrupt, Stage::Told).mark(Marks::PARTIAL).position(position);
        }
    }
}

/// Which protocol a tunnel carries is seen from its first bytes.
fn tunnelled(side: Side, bytes: &[u8]) -> Step {
    let verdicts = || CATALOGUE.iter().map(|protocol| ((protocol.probe)(side, bytes), *protocol));
    if let Some((_, certain)) = verdicts().find(|(verdict, _)| *verdict == Verdict::Certain) {
        return Step::Replace(0, certain);
    }
    let is_unsure = verdicts().any(|(verdict, _)| verdict == Verdict::Unsure);
    if is_unsure && bytes.len() < PROBE_BYTES {
        return Step::NeedMore(bytes.len() + 1);
    }
    let likely = verdicts().find(|(verdict, _)| *verdict == Verdict::Likely);
    likely.map_or(Step::Done, |(_, likely)| Step::Replace(0, likely))
}

/// The connection becomes what was asked for (RFC 9110 §7.8).
fn switched(switch: Option<&Switch>, head: &Head<'_>, pen: &mut Pen<'_, '_>) -> Step {
    let is_websocket = matches!(switch, Some(Switch::WebSocket(_))) || head.lists("upgrade", "websocket");
    if let Some(Switch::WebSocket(key)) = switch
        && head.field("sec-websocket-accept") != Some(accept(key).as_bytes())
    {
        pen.say(Word::Error, Stage::Told).text(b"Sec-WebSocket-Accept does not fit the key");
    }
    match named("websocket").filter(|_| is_websocket) {
        Some(next) => Step::Replace(head.length, next),
        None => Step::Done,
    }
}

/// The proof that a server understood a WebSocket's handshake (RFC 6455 §4.2.2).
fn accept(key: &[u8]) -> String {
    let digest =
        Sha1::new().chain_update(key).chain_update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    base64::prelude::BASE64_STANDARD.encode(digest)
}
