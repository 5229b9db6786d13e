//! Uploads that can be taken up again: tus 1.0.0, the `308` of Google's, the `104` of the IETF draft
//! (draft-ietf-httpbis-resumable-upload), and plain ones that cannot.

use super::Http;
use super::dates;
use super::exchange::{Exchange, Pen, Perhaps as _};
use super::framing::Framing;
use super::head::Head;
use super::ranges::{self, Given};
use super::target;
use crate::events::{
    Grade, Hash128, Identity, IdentityKind, Marks, Position, Scope, Stage, Strength, Timer, Use, Word,
};
use crate::protocols::Saying;

/// From so many bytes on, a content is a unit of work of its own: smaller ones are sent again without regret.
pub(super) const WORTH_BYTES: u64 = 64 << 10;

/// Uploads remembered on one connection.
const UPLOADS: usize = 16;

/// What a request does to an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upload {
    /// A content worth following, with its length where that is known. Nothing can be taken up again.
    Plain(Option<u64>),
    /// tus: it creates an upload of so many bytes, and sends so many of them at once.
    Create(Option<u64>, Option<u64>),
    /// tus: it asks how much the server has.
    Probe,
    /// tus: it sends more, from here on, so many bytes.
    Append(u64, Option<u64>),
    /// tus: it gives the upload up.
    Discard,
    /// It sends a part (`Content-Range`), or asks how much the server has where the part is empty.
    Part(Given),
}

impl Upload {
    /// What this request does to an upload, if anything.
    pub(super) fn of(head: &Head<'_>, framing: Framing) -> Option<Self> {
        let length = match framing {
            Framing::None => Some(0),
            Framing::Counted(length) => Some(length),
            Framing::Chunked | Framing::ToClose => None,
        };
        let offset = head.number("upload-offset");
        if head.field("tus-resumable").is_some() || head.field("upload-draft-interop-version").is_some() {
            let created =
                head.number("upload-length").or(length.filter(|_| head.field("upload-complete").is_some()));
            match head.method() {
                b"POST" => return Some(Self::Create(created, length)),
                b"HEAD" => return Some(Self::Probe),
                b"DELETE" => return Some(Self::Discard),
                b"PATCH" => return offset.map(|offset| Self::Append(offset, length)),
                _ => {}
            }
        }
        if head.method() == b"PATCH" && head.is_of_type("application/offset+octet-stream") {
            return offset.map(|offset| Self::Append(offset, length));
        }
        if let Some(given) = head.field("content-range").and_then(Given::read)
            && matches!(head.method(), b"PUT" | b"POST")
        {
            return Some(Self::Part(given));
        }
        length.is_some_and(|length| length >= WORTH_BYTES).then_some(Self::Plain(length))
    }

    /// Where its content begins in the upload, and how large the whole is where this request tells.
    pub(super) fn position(self) -> Position {
        match self {
            Self::Plain(length) | Self::Create(length, _) => Position::bytes(0).of(length),
            Self::Append(offset, _) => Position::bytes(offset),
            Self::Part(given) => Position::bytes(given.bytes.map_or(0, |(start, _)| start)).of(given.whole),
            Self::Probe | Self::Discard => Position::bytes(0),
        }
    }
}

/// The lengths of the uploads that this connection spoke of.
#[derive(Debug, Clone, Default)]
pub(super) struct Uploads {
    known: Vec<(Hash128, Option<u64>)>,
}

impl Uploads {
    fn learn(&mut self, upload: &Identity, length: Option<u64>) {
        if let Some((_, known)) = self.known.iter_mut().find(|(hash, _)| *hash == upload.hash) {
            *known = length.or(*known);
            return;
        }
        if self.known.len() >= UPLOADS {
            self.known.remove(0);
        }
        self.known.push((upload.hash, length));
    }

    fn length(&self, upload: &Identity) -> Option<u64> {
        self.known.iter().find(|(hash, _)| *hash == upload.hash).and_then(|(_, length)| *length)
    }

    /// How large the upload is that a request speaks of, where this connection told it.
    pub(super) fn length_of(&self, exchange: &Exchange) -> Option<u64> {
        self.length(&identity(&exchange.host, &exchange.target, Use::Shows))
    }

    /// Whether this connection heard of the upload.
    pub(super) fn knows(&self, upload: &Identity) -> bool {
        self.known.iter().any(|(hash, _)| *hash == upload.hash)
    }
}

/// The identity of an upload: its URL.
pub(super) fn identity(host: &[u8], target: &[u8], used: Use) -> Identity {
    let parts = [&host.to_ascii_lowercase()[..], target];
    Identity::new(IdentityKind::Upload, used, Strength::Key, "http", &parts)
}

/// The upload that an answer names in its `Location`, which may be relative to what was asked.
pub(super) fn issued(exchange: &Exchange, location: &[u8]) -> Identity {
    let (host, path) = target::split(location, Some(&exchange.host));
    if path.starts_with(b"/") {
        return identity(host, path, Use::Issues);
    }
    let folder = target::path(&exchange.target);
    let folder = folder.get(..memchr::memrchr(b'/', folder).map_or(0, |at| at + 1)).unwrap_or_default();
    identity(host, &[folder, path].concat(), Use::Issues)
}

impl Http {
    /// What else a request says that uploads. Its content was not read yet.
    pub(super) fn say_upload(&mut self, pen: &mut Pen<'_, '_>, exchange: &Exchange) {
        let Some(upload) = exchange.upload else { return };
        let object = &exchange.object;
        let known = self.uploads.length_of(exchange);
        let position = upload.position();
        let position = position.of(position.of.or(known));
        match upload {
            Upload::Discard | Upload::Create(_, Some(0)) => {}
            Upload::Probe => {
                pen.say(Word::Resume, Stage::Asked).mechanism("tus").object(object);
            }
            Upload::Part(Given { bytes: None, .. }) => {
                pen.say(Word::Resume, Stage::Asked).mechanism("other").object(object);
            }
            Upload::Plain(_) | Upload::Create(..) | Upload::Append(..) | Upload::Part(_) => {
                let asked = pen.say(Word::Activity, Stage::Asked).scope(Scope::Activity);
                asked.object(object).position(position);
            }
        }
    }

    /// What an answer says of the upload that was asked for.
    #[allow(clippy::too_many_lines, reason = "one table of what was asked and what was answered")]
    pub(super) fn say_upload_answered(
        &mut self,
        pen: &mut Pen<'_, '_>,
        head: &Head<'_>,
        code: u16,
        exchange: &Exchange,
    ) {
        let Some(upload) = exchange.upload else { return };
        let object = &exchange.object;
        let url = identity(&exchange.host, &exchange.target, Use::Shows);
        let offset = head.number("upload-offset");
        let lost = if matches!(code, 403 | 404 | 410) { Marks::STATE_LOST } else { Marks::default() };
        match (upload, code) {
            (Upload::Create(length, sent), 200..300) => {
                let location = head.field("location");
                let created = location.map_or(url, |location| issued(exchange, location));
                let path = location.map(|location| target::shown(target::split(location, None).1));
                let object = path.as_deref().unwrap_or(object);
                self.uploads.learn(&created, length);
                let present = dates::present(head, pen.notes.time());
                let hold = head.field("upload-expires").and_then(|date| dates::wait(date, present));
                pen.say(Word::Establish, Stage::Granted)
                    .scope(Scope::Activity)
                    .object(object)
                    .position(Position::bytes(offset.unwrap_or(0)).of(length));
                let offered = pen.say(Word::Resume, Stage::Offered).mechanism("tus").identity(created);
                offered.perhaps(hold, |offered, hold| offered.declares(Timer::Hold, hold));
                if sent != Some(0)
                    && let Some(offset) = offset.or(sent)
                {
                    say_held(pen, object, offset, length, sent);
                }
            }
            (Upload::Probe, 200..300) => {
                self.uploads.learn(&url, head.number("upload-length"));
                let whole = self.uploads.length(&url);
                let granted =
                    pen.say(Word::Resume, Stage::Granted).mechanism("tus").object(object).identity(url);
                let offset = offset.unwrap_or(0);
                granted.position(Position::bytes(offset).of(whole));
                if offset > 0 {
                    pen.say(Word::Checkpoint, Stage::Granted)
                        .grade(Grade::Minor)
                        .object(object)
                        .position(Position::bytes(offset).of(whole));
                }
            }
            (Upload::Append(start, length), 200..300) => {
                let offset = offset.or(length.and_then(|length| start.checked_add(length))).unwrap_or(start);
                say_held(
                    pen,
                    object,
                    offset,
                    self.uploads.length(&url),
                    length.and_then(|length| start.checked_add(length)),
                );
            }
            (Upload::Probe, 400..) => {
                pen.say(Word::Resume, Stage::Refused)
                    .mechanism("tus")
                    .object(object)
                    .mark(lost)
                    .identity(url);
            }
            // 409: another offset than the server has; 460: the content is damaged (tus 1.0.0, checksum).
            (Upload::Append(start, _), 404 | 409 | 410) => {
                let refused = pen.say(Word::Resume, Stage::Refused).mechanism("tus").object(object);
                refused.position(Position::bytes(start)).mark(lost).identity(url);
                pen.say(Word::Activity, Stage::Refused).scope(Scope::Activity).object(object);
            }
            (Upload::Append(start, _), 460) => {
                let refused = pen.say(Word::Checkpoint, Stage::Refused).grade(Grade::Minor);
                refused.object(object).position(Position::bytes(start));
                pen.say(Word::Activity, Stage::Refused).scope(Scope::Activity).object(object);
            }
            (Upload::Discard, 200..300) => {
                let discarded = pen.say(Word::Activity, Stage::Refused).scope(Scope::Activity).object(object);
                discarded.identity(identity(&exchange.host, &exchange.target, Use::Drops));
            }
            (Upload::Part(given), 308) => {
                let Some(received) = ranges::held(head.field("range")) else { return };
                let position = Position::bytes(received).of(given.whole);
                let Some((_, end)) = given.bytes else {
                    let granted = pen.say(Word::Resume, Stage::Granted).mechanism("other").object(object);
                    granted.position(position);
                    let checkpoint = pen.say(Word::Checkpoint, Stage::Granted).grade(Grade::Minor);
                    checkpoint.object(object).position(position);
                    return;
                };
                say_held(pen, object, received, given.whole, Some(end));
                if received != end {
                    let refused = pen.say(Word::Activity, Stage::Refused).scope(Scope::Activity);
                    refused.mark(Marks::PARTIAL).object(object).position(position);
                }
            }
            (Upload::Part(given), 200..300) => {
                let end = given.bytes.map(|(_, end)| end).or(given.whole).unwrap_or(0);
                say_held(pen, object, end, given.whole, Some(end));
            }
            (Upload::Part(Given { bytes: None, .. }), 400..) => {
                pen.say(Word::Resume, Stage::Refused).mechanism("other").object(object).mark(lost);
            }
            (Upload::Plain(length), 200..300) => {
                let position = length.map(|length| Position::bytes(length).of(Some(length)));
                let checkpoint = pen.say(Word::Checkpoint, Stage::Granted).grade(Grade::Major).object(object);
                checkpoint.perhaps(position, Saying::position);
                let done = pen.say(Word::Activity, Stage::Granted).scope(Scope::Activity).object(object);
                done.perhaps(position, Saying::position);
            }
            (Upload::Plain(_) | Upload::Create(..) | Upload::Append(..) | Upload::Part(_), 400..) => {
                pen.say(Word::Activity, Stage::Refused).scope(Scope::Activity).object(object);
            }
            _ => {}
        }
    }

    /// A `104` tells in the middle of an upload how much the server has, and where to ask for it.
    pub(super) fn say_interim(&mut self, pen: &mut Pen<'_, '_>, head: &Head<'_>) {
        let Some(exchange) = self.open.front() else { return };
        if let Some(location) = head.field("location") {
            let url = issued(exchange, location);
            self.uploads.learn(&url, None);
            pen.say(Word::Resume, Stage::Offered).mechanism("other").object(&exchange.object).identity(url);
        }
        if let Some(offset) = head.number("upload-offset") {
            let checkpoint = pen.say(Word::Checkpoint, Stage::Granted).grade(Grade::Minor);
            checkpoint.object(&exchange.object).position(Position::bytes(offset));
        }
    }
}

/// The server has so much of the upload: all that this request sent up to `sent`, or even the whole.
fn say_held(pen: &mut Pen<'_, '_>, object: &[u8], offset: u64, whole: Option<u64>, sent: Option<u64>) {
    let position = Position::bytes(offset).of(whole);
    let is_whole = whole == Some(offset);
    let grade = if is_whole { Grade::Major } else { Grade::Minor };
    pen.say(Word::Checkpoint, Stage::Granted).grade(grade).object(object).position(position);
    if is_whole || sent == Some(offset) {
        let done = pen.say(Word::Activity, Stage::Granted).scope(Scope::Activity);
        done.object(object).position(position);
    }
}
