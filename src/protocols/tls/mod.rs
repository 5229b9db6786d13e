//! TLS 1.0 to 1.3 seen from outside: who offered to resume what, what was agreed on, alerts, good-byes, and who
//! spoke when.
//!
//! Up to TLS 1.2 the handshake is clear until each side's ChangeCipherSpec; a session is resumed if the server comes
//! to it without showing a certificate. In TLS 1.3 only the hellos are clear; a session is resumed if the ServerHello
//! takes a pre-shared key. The echo of a session id there is for old boxes and means nothing (RFC 8446 D.4).

mod alert;
mod certificate;
mod hello;
mod resumption;

use super::opaque::Opaque;
use super::{Dissector, End, Notes, Protocol, Step, Verdict, Why};
use crate::events::security::{ClientCertificate, EarlyData};
use crate::events::{
    Confidence, Extent, Identity, IdentityKind, Marks, PerSide, Scope, SecurityFacts, Side, Stage, Strength, Timer, Use,
    Word,
};
use crate::limits::MESSAGE_BYTES;
use crate::time::Span;
use resumption::Offer;

/// The protocol.
pub static PROTOCOL: Protocol = Protocol {
    name: "tls",
    title: "TLS",
    ports: &[443, 465, 636, 853, 990, 993, 995, 5061, 8443, 8883],
    probe,
    start: || Box::new(Tls::default()),
    goodbye: None,
    words: &[
        Word::Establish, Word::Authenticate, Word::Turn, Word::KeepAlive, Word::Resume, Word::Release, Word::Abort,
        Word::Error,
    ],
    sources: &["RFC 8446 §4.1, §4.2.11, §4.6.1, §5.1, §6, D.4", "RFC 5246 §6.2, §7", "RFC 5077 §3", "RFC 6520", "RFC 6066 §3", "RFC 7301", "RFC 8701"],
};

/// Content types (RFC 8446 §5.1, RFC 6520).
mod content {
    pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
    pub(super) const ALERT: u8 = 21;
    pub(super) const HANDSHAKE: u8 = 22;
    pub(super) const DATA: u8 = 23;
    pub(super) const HEARTBEAT: u8 = 24;
}

/// The largest record: 2¹⁴ octets and what TLS 1.2 allows encryption to add (RFC 5246 §6.2.3).
const RECORD: usize = (1 << 14) + 2048;

/// What a TLS 1.3 server may send unasked before the client's first data: tickets, not an answer.
const TICKETS: u64 = 2048;

/// An encrypted close_notify of TLS 1.3: alert, content type, tag.
const CLOSE_13: usize = 19;

/// One side of the conversation.
#[derive(Debug, Clone, Default)]
struct Half {
    /// Handshake bytes that wait for the rest of their message.
    handshake: Vec<u8>,
    /// Whether what comes now is encrypted.
    encrypted: bool,
    /// Encrypted records of data so far, and their bytes.
    records: u32,
    bytes: u64,
    /// Type and length of the last record, and where.
    last: Option<(u8, usize, Extent)>,
    closed: bool,
    ended: bool,
}

/// Reads TLS.
#[derive(Debug, Clone, Default)]
struct Tls {
    halves: PerSide<Half>,
    facts: SecurityFacts,
    offer: Option<Offer>,
    server_hello: bool,
    told: bool,
    /// The session id that a full handshake issues.
    issued: Vec<u8>,
    failed: bool,
    turns: Opaque,
}

fn probe(side: Side, bytes: &[u8]) -> Verdict {
    match bytes {
        _ if side == Side::Client && old_hello(bytes).is_some_and(|length| (11..512).contains(&length)) => {
            Verdict::Likely
        }
        [content::HANDSHAKE, 3, 0..=4, high, _, kind, ..] if usize::from(*high) << 8 <= RECORD => {
            let expected = if side == Side::Client { 1 } else { 2 };
            // A server that has been asked first says HelloRequest (0) now and then.
            if *kind == expected { Verdict::Certain } else if *kind == 0 { Verdict::Likely } else { Verdict::No }
        }
        [content::ALERT, 3, 0..=4, 0, 2, 1..=2, ..] => Verdict::Likely,
        [kind @ 20..=24, 3, 0..=4, high, low, rest @ ..] => {
            // In the middle of a connection: two records in a chain.
            let length = usize::from(*high) << 8 | usize::from(*low);
            match rest.get(length..) {
                _ if length > RECORD || length == 0 => Verdict::No,
                Some([20..=24, 3, 0..=4, ..]) => Verdict::Certain,
                Some([]) if *kind == content::DATA => Verdict::Likely,
                Some([_, ..]) => Verdict::No,
                _ => Verdict::Unsure,
            }
        }
        [20..=24] | [20..=24, 3] | [20..=24, 3, 0..=4, ..] => Verdict::Unsure,
        _ => Verdict::No,
    }
}

/// The length of a ClientHello in the form of SSL 2.0 that offers version 3 (RFC 5246 E.2), where one begins here.
fn old_hello(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [high @ 0x80..=0xBF, low, 1, 3, 0..=3, ..] => Some(2 + (usize::from(high & 0x3F) << 8 | usize::from(*low))),
        _ => None,
    }
}

impl Dissector for Tls {
    fn read(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        let [kind, major, _, high, low, ..] = *bytes else { return Step::NeedMore(5) };
        if let (Some(length), None) = (old_hello(bytes), &self.offer)
            && side == Side::Client
        {
            // A hello in the form of SSL 2.0 (RFC 5246 E.2) has no extensions and offers nothing to resume by.
            if bytes.len() < length {
                return Step::NeedMore(length);
            }
            notes.say(Word::Establish, Stage::Asked, 0..length).scope(Scope::Security).op(b"CLIENT_HELLO");
            self.offer = Some(Offer::default());
            return Step::Took(length);
        }
        let length = usize::from(high) << 8 | usize::from(low);
        if !(20..=24).contains(&kind) || major != 3 || length > RECORD {
            return Step::NotMine(Why::Grammar);
        }
        let whole = 5 + length;
        let clear = !self.halves[side].encrypted && kind != content::DATA && kind != content::HEARTBEAT;
        if clear && bytes.len() < whole {
            return Step::NeedMore(whole);
        }
        let extent = notes.extent(0..whole.min(bytes.len()));
        self.halves[side].last = Some((kind, length, extent));
        let body = bytes.get(5..whole.min(bytes.len())).unwrap_or(&[]);
        match kind {
            content::CHANGE_CIPHER_SPEC => self.change_cipher(side, whole, notes),
            content::ALERT if clear => self.alert(side, body, whole, notes),
            content::HANDSHAKE if clear => self.handshake(side, body, whole, notes),
            content::HEARTBEAT => {
                notes.say(Word::KeepAlive, Stage::Told, 0..5).scope(Scope::Security).mark(Marks::OPAQUE);
            }
            content::DATA => self.data(side, length, notes),
            _ => {}
        }
        Step::Skip(whole as u64)
    }

    fn gap(&mut self, side: Side, _missing: u64, notes: &mut Notes<'_>) -> Step {
        self.tell(notes);
        self.halves[side].handshake.clear();
        self.halves[side].last = None;
        // The next record is looked for by whoever finds the connection again; bytes in its middle are not TLS.
        Step::NotMine(Why::Gap)
    }

    fn end(&mut self, side: Side, how: End, _unread: &[u8], pending: u64, notes: &mut Notes<'_>) {
        let half = &mut self.halves[side];
        let last = half.last;
        if how == End::Fin && pending == 0 && !std::mem::replace(&mut half.closed, true) && half.encrypted {
            let version_13 = self.facts.version.is_some_and(hello::is_13);
            let (alert, confidence) = match last {
                Some((content::ALERT, ..)) => (true, Confidence::High),
                Some((content::DATA, CLOSE_13, _)) if version_13 => (true, Confidence::Medium),
                _ => (false, Confidence::Low),
            };
            if let (true, Some((_, _, extent))) = (alert, last) {
                notes
                    .say(Word::Release, Stage::Told, 0..0)
                    .scope(Scope::Security)
                    .mark(Marks::INFERRED.with(Marks::OPAQUE))
                    .confidence(confidence)
                    .since(extent)
                    .text(b"close_notify");
            }
        }
        self.halves[side].ended = true;
        if self.halves.client.ended && self.halves.server.ended {
            self.tell(notes);
        }
    }

    fn fork(&self) -> Box<dyn Dissector> {
        Box::new(self.clone())
    }
}

impl Tls {
    fn change_cipher(&mut self, side: Side, whole: usize, notes: &mut Notes<'_>) {
        if self.facts.version.is_some_and(hello::is_13) {
            // For old boxes only (RFC 8446 D.4).
            return;
        }
        if side == Side::Server && self.server_hello && self.facts.resumed.is_none() {
            // It came this far without a certificate: the session goes on.
            let resumed = self.offer.as_ref().is_some_and(|offer| offer.could_be_resumed(&self.issued));
            self.resumed(resumed, whole, notes);
            self.tell(notes);
        }
        self.halves[side].encrypted = true;
    }

    fn handshake(&mut self, side: Side, body: &[u8], whole: usize, notes: &mut Notes<'_>) {
        let mut waiting = std::mem::take(&mut self.halves[side].handshake);
        waiting.extend_from_slice(body);
        let mut at = 0;
        while let Some([kind, a, b, c, rest @ ..]) = waiting.get(at..) {
            let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
            let Some(message) = rest.get(..length) else {
                // A certificate may be longer than what is kept; that it comes is enough to know.
                if side == Side::Server && matches!(kind, 11 | 12 | 14) {
                    self.full(whole, notes);
                }
                break;
            };
            self.message(side, *kind, message, whole, notes);
            at += 4 + length;
        }
        waiting.drain(..at);
        if waiting.len() <= MESSAGE_BYTES {
            self.halves[side].handshake = waiting;
        }
    }

    fn message(&mut self, side: Side, kind: u8, body: &[u8], whole: usize, notes: &mut Notes<'_>) {
        match (kind, side) {
            (1, Side::Client) => self.client_hello(body, whole, notes),
            (2, Side::Server) => self.server_hello(body, whole, notes),
            (4, Side::Server) => {
                if let Some((lifetime, ticket)) = hello::ticket(body).filter(|(_, ticket)| !ticket.is_empty()) {
                    let identity =
                        Identity::new(IdentityKind::Ticket, Use::Issues, Strength::Key, "tls", &[ticket]);
                    notes
                        .say(Word::Resume, Stage::Offered, 0..whole)
                        .scope(Scope::Security)
                        .mechanism("tls-ticket")
                        .identity(identity)
                        .declares(Timer::Lifetime, Span::from_secs(i64::from(lifetime)));
                }
            }
            (11, Side::Server) => {
                self.facts.certificate = certificate::first(body).flatten();
                self.full(whole, notes);
            }
            (12 | 14, Side::Server) => self.full(whole, notes),
            (13, Side::Server) => {
                self.facts.client_certificate = ClientCertificate::Asked;
                notes
                    .say(Word::Authenticate, Stage::Asked, 0..whole)
                    .scope(Scope::Security)
                    .mechanism("certificate");
            }
            (11, Side::Client) => {
                let empty = certificate::first(body).is_some_and(|list| list.is_none()) && body.len() <= 3;
                self.facts.client_certificate =
                    if empty { ClientCertificate::Empty } else { ClientCertificate::Shown };
                if !empty {
                    notes
                        .say(Word::Authenticate, Stage::Asked, 0..whole)
                        .scope(Scope::Security)
                        .mechanism("certificate");
                }
            }
            _ => {}
        }
    }

    fn client_hello(&mut self, body: &[u8], whole: usize, notes: &mut Notes<'_>) {
        let Some(hello) = hello::client(body) else { return };
        let again = self.offer.is_some();
        if let Some(name) = hello.server_name {
            self.facts.sni = Some(String::from_utf8_lossy(name).to_lowercase().into());
        }
        if self.facts.alpn.is_none() {
            self.facts.alpn = hello.alpn.map(|name| String::from_utf8_lossy(name).into());
        }
        let mut saying =
            notes.say(Word::Establish, Stage::Asked, 0..whole).scope(Scope::Security).op(b"CLIENT_HELLO");
        if let Some(name) = hello.server_name {
            saying = saying.object(name);
        }
        drop(saying);
        let offer = Offer::of(&hello);
        self.facts.offered = offer.offered();
        if hello.early_data {
            self.facts.early_data = EarlyData::Offered;
        }
        if !again {
            offer.ask(whole, notes);
        }
        self.offer = Some(offer);
    }

    fn server_hello(&mut self, body: &[u8], whole: usize, notes: &mut Notes<'_>) {
        let Some(hello) = hello::server(body) else { return };
        self.facts.version = Some(hello.version);
        self.facts.cipher = Some(hello.cipher);
        if let Some(name) = hello.alpn {
            self.facts.alpn = Some(String::from_utf8_lossy(name).into());
        }
        let op: &[u8] = if hello.retry { b"HELLO_RETRY_REQUEST" } else { b"SERVER_HELLO" };
        notes.say(Word::Establish, Stage::Granted, 0..whole).scope(Scope::Security).op(op);
        if hello.retry {
            self.facts.retried = true;
            self.reject_early_data(whole, notes);
            return;
        }
        self.server_hello = true;
        if hello::is_13(hello.version) {
            self.resumed(hello.psk, whole, notes);
            if !hello.psk {
                self.reject_early_data(whole, notes);
            }
            for side in Side::BOTH {
                self.halves[side].encrypted = true;
            }
            self.tell(notes);
        } else {
            self.issued = hello.session_id.to_vec();
        }
    }

    /// The server's flight is that of a full handshake.
    fn full(&mut self, whole: usize, notes: &mut Notes<'_>) {
        if !self.server_hello || self.facts.resumed.is_some() {
            return;
        }
        self.resumed(false, whole, notes);
        if !self.issued.is_empty() {
            let identity = Identity::new(
                IdentityKind::SessionId,
                Use::Issues,
                Strength::Key,
                "tls",
                &[&self.issued],
            );
            notes
                .say(Word::Resume, Stage::Offered, 0..whole)
                .scope(Scope::Security)
                .mechanism("tls-session-id")
                .identity(identity);
        }
        self.tell(notes);
    }

    fn resumed(&mut self, resumed: bool, whole: usize, notes: &mut Notes<'_>) {
        self.facts.resumed = Some(resumed);
        if let Some(offer) = &self.offer {
            offer.answer(resumed, whole, notes);
        }
    }

    fn reject_early_data(&mut self, whole: usize, notes: &mut Notes<'_>) {
        if self.facts.early_data == EarlyData::Offered {
            self.facts.early_data = EarlyData::Rejected;
            for (stage, side, mark) in [
                (Stage::Asked, Side::Client, Marks::default()),
                (Stage::Refused, Side::Server, Marks::SILENT),
            ] {
                notes
                    .say(Word::Resume, stage, 0..whole)
                    .by(side)
                    .scope(Scope::Security)
                    .mechanism("tls-early-data")
                    .mark(mark);
            }
        }
    }

    fn alert(&mut self, side: Side, body: &[u8], whole: usize, notes: &mut Notes<'_>) {
        let [level, number] = *body else { return };
        self.facts.alerts.truncate(15);
        self.facts.alerts.push((level, number));
        self.halves[side].closed = true;
        if number == 0 {
            notes
                .say(Word::Release, Stage::Told, 0..whole)
                .scope(Scope::Security)
                .code(0)
                .text(b"close_notify");
            return;
        }
        let (word, stage, mark) = if level != 2 {
            (Word::Error, Stage::Told, Marks::default())
        } else if self.halves.client.encrypted && self.halves.server.encrypted {
            (Word::Abort, Stage::Told, Marks::FATAL)
        } else {
            self.failed = true;
            (Word::Establish, Stage::Refused, Marks::FATAL)
        };
        notes
            .say(word, stage, 0..whole)
            .scope(Scope::Security)
            .code(u32::from(number))
            .text(alert::name(number).as_bytes())
            .mark(mark);
        if self.failed {
            self.tell(notes);
        }
    }

    /// A record of data that nobody can read: who spoke, and that is all.
    fn data(&mut self, side: Side, length: usize, notes: &mut Notes<'_>) {
        let half = &mut self.halves[side];
        half.encrypted = true;
        half.records += 1;
        half.bytes += length as u64;
        let version_13 = self.facts.version.is_some_and(hello::is_13);
        // In TLS 1.3 the server's handshake, the client's Finished and the server's tickets look like data.
        let client = &self.halves.client;
        let talking = match side {
            _ if !version_13 => true,
            Side::Client => client.records > 1,
            Side::Server => client.records > 1 || (client.records == 1 && self.halves.server.bytes > TICKETS + 8192),
        };
        if talking && length != CLOSE_13 {
            self.turns.read(side, 5 + length, notes);
        }
    }

    /// Whether the server echoed the client's session id, and the client had no ticket to invent one for.
    fn echoed(&self) -> bool {
        self.offer.as_ref().is_some_and(|offer| offer.could_be_resumed(&self.issued) && !offer.offered().ticket)
    }

    /// Tells the facts of the handshake, once.
    fn tell(&mut self, notes: &mut Notes<'_>) {
        if self.told || (!self.server_hello && !self.failed && self.offer.is_none()) {
            return;
        }
        self.told = true;
        if self.server_hello && self.facts.resumed.is_none() {
            // Nothing more was seen, and only the echo can tell (RFC 5246 §7.4.1.3).
            self.resumed(self.echoed(), 0, notes);
        }
        notes
            .say(Word::Establish, Stage::Told, 0..0)
            .by(Side::Server)
            .scope(Scope::Security)
            .security(self.facts.clone());
    }
}
