//! TLS 1.0 to 1.3 seen from outside: who offered to resume what, what was agreed on, alerts, good-byes, and who
//! spoke when.
//!
//! Up to TLS 1.2 the handshake is clear until each side's `ChangeCipherSpec`; a session is resumed if the server comes
//! to it without showing a certificate. In TLS 1.3 only the hellos are clear; a session is resumed if the `ServerHello`
//! takes a pre-shared key. The echo of a session id there is for old boxes and means nothing (RFC 8446 D.4).
//!
//! The facts of the handshake go out once, as an `Establish Told`, when it is known whether it was resumed. What
//! becomes known later (a client's certificate, alerts, the fate of early data) comes with the facts so far once more.

mod agreement;
mod alert;
mod certificate;
mod handshake;
mod hello;
mod labels;
mod parting;
mod records;
mod resumption;
#[cfg(test)]
mod tests;

use super::opaque::Opaque;
use super::{Dissector, End, Notes, Protocol, Step, Why};
use crate::events::security::EarlyData;
use crate::events::{Confidence, Extent, Marks, PerSide, Scope, SecurityFacts, Side, Stage, Word};
use crate::limits::PARSE_ERRORS;
use handshake::Messages;
use records::{Chain, Content, Head};
use resumption::{Mechanism, Offer};

/// The protocol.
pub static PROTOCOL: Protocol = Protocol {
    name: "tls",
    title: "TLS",
    ports: &[443, 465, 636, 853, 990, 993, 995, 5061, 8443, 8883],
    probe: records::probe,
    start: || Box::new(Tls::default()),
    goodbye: None,
    words: &[
        Word::Establish,
        Word::Authenticate,
        Word::Turn,
        Word::KeepAlive,
        Word::Resume,
        Word::Release,
        Word::Abort,
        Word::Error,
    ],
    sources: &[
        "RFC 8446 §4.1, §4.2.10, §4.2.11, §4.4.4, §4.6.1, §5, §6, B.4, D.4",
        "RFC 5246 §6.2, §7, E.2",
        "RFC 5077 §3",
        "RFC 5280 §4.1",
        "RFC 6066 §3",
        "RFC 6520",
        "RFC 7301",
        "RFC 8701",
    ],
};

/// What a TLS 1.3 server may send unasked before the client's first data: tickets, which look like data.
const TICKETS: u64 = 4096;

/// Records of a TLS 1.3 client after the `ServerHello` that can belong to its handshake; beyond, its Finished was
/// not recognised by its length.
const CLIENT_FLIGHT: u32 = 8;

/// One side of the conversation.
#[derive(Debug, Clone, Default)]
struct Half {
    messages: Messages,
    /// Whether what comes now is encrypted.
    encrypted: bool,
    /// Where the next record begins is not known.
    lost: bool,
    /// Broken heads of records since the last good one.
    errors: u32,
    /// Whether a record of it was ever read.
    heard: bool,
    /// The last record, and where.
    last: Option<(Head, Extent)>,
    /// It said good-bye, or an alert that is one.
    parted: bool,
    ended: bool,
}

/// How far a TLS 1.3 handshake is that nobody can read, told by the sizes of its records.
#[derive(Debug, Clone, Copy, Default)]
struct Hidden {
    /// Records of the client since the `ServerHello`.
    client_records: u32,
    /// The length of the one before, to know `EndOfEarlyData`.
    client_before: usize,
    /// The client's Finished went by.
    client_finished: bool,
    /// The client sent data after that.
    client_spoke: bool,
    /// Records of the server after the client's Finished, and their bytes.
    server_records: u32,
    server_bytes: u64,
}

/// Reads TLS.
#[derive(Debug, Clone, Default)]
struct Tls {
    halves: PerSide<Half>,
    facts: SecurityFacts,
    /// What the client offered, from its first hello on.
    offer: Option<Offer>,
    server_hello: bool,
    /// The session id of the `ServerHello`.
    answered: Vec<u8>,
    /// Part of the server's flight is missing: that no certificate was seen proves nothing.
    blind: bool,
    told: bool,
    hidden: Hidden,
    turns: Opaque,
}

impl Dissector for Tls {
    fn read(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        if self.halves[side].lost {
            return self.look_for_record(side, bytes, notes);
        }
        if bytes.len() < records::HEAD {
            return Step::NeedMore(records::HEAD);
        }
        let Some(head) = records::head(bytes) else {
            return self.no_record(side, bytes, notes);
        };
        let whole = records::HEAD + head.length;
        // Data before the server has spoken are early data, which only TLS 1.3 has.
        let early = self.offer.as_ref().is_some_and(Offer::early_data);
        let is_hidden = head.content == Content::Data && (self.is_13() || early);
        let half = &mut self.halves[side];
        let clear = match head.content {
            Content::ChangeCipherSpec => true,
            Content::Handshake => !half.encrypted,
            Content::Alert => head.length == records::ALERT,
            Content::Data | Content::Heartbeat => false,
        };
        if clear && bytes.len() < whole {
            return Step::NeedMore(whole);
        }
        let seen = whole.min(bytes.len());
        half.heard = true;
        half.errors = 0;
        half.last = Some((head, notes.extent(0..seen)));
        let continues = half.messages.is_unfinished();
        if let Some(pen) = notes.labels() {
            // A record that cannot be read to its end is shown as far as it can be.
            let _ = labels::record(
                pen,
                bytes,
                labels::Record { head, seen, is_clear: clear, is_hidden, continues },
            );
        }
        let body = bytes.get(records::HEAD..seen).unwrap_or(&[]);
        match head.content {
            Content::ChangeCipherSpec => self.change_cipher(side, whole, notes),
            Content::Handshake if clear => self.handshake(side, body, whole, notes),
            Content::Alert if clear => self.alert(side, body, whole, notes),
            Content::Handshake | Content::Alert => {}
            Content::Heartbeat => {
                notes.say(Word::KeepAlive, Stage::Told, 0..seen).scope(Scope::Security).mark(Marks::OPAQUE);
            }
            Content::Data => self.data(side, head.length, seen, notes),
        }
        Step::Skip(whole as u64)
    }

    fn gap(&mut self, side: Side, _missing: u64, _notes: &mut Notes<'_>) -> Step {
        let half = &mut self.halves[side];
        half.lost = true;
        half.messages.clear();
        half.last = None;
        // What follows may be encrypted already, and a handshake is not understood from its middle.
        half.encrypted = true;
        self.blind |= side == Side::Server;
        Step::Took(0)
    }

    fn end(&mut self, side: Side, how: End, _unread: &[u8], pending: u64, notes: &mut Notes<'_>) {
        if pending > 0 || self.halves[side].lost {
            self.halves[side].last = None;
        }
        if how != End::Over {
            self.partings(side, how, notes);
        }
        self.halves[side].ended = true;
        if self.halves.client.ended && self.halves.server.ended {
            self.tell_at_end(notes);
        }
    }

    fn fork(&self) -> Box<dyn Dissector> {
        Box::new(self.clone())
    }
}

impl Tls {
    fn is_13(&self) -> bool {
        self.facts.version.is_some_and(hello::is_13)
    }

    /// No record begins where one should.
    fn no_record(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        if let (Side::Client, None, Some(length)) = (side, &self.offer, records::old_hello(bytes)) {
            // A hello in the form of SSL 2.0 (RFC 5246 E.2) has no extensions and offers nothing to resume by.
            if bytes.len() < length {
                return Step::NeedMore(length);
            }
            if let Some(pen) = notes.labels() {
                labels::old_hello(pen, length);
            }
            notes.say(Word::Establish, Stage::Asked, 0..length).scope(Scope::Security).op(b"CLIENT_HELLO");
            self.offer = Some(Offer::default());
            return Step::Took(length);
        }
        let half = &mut self.halves[side];
        if notes.from_start() && !half.heard && side == Side::Server && self.offer.is_some() {
            self.answered_in_clear(bytes, notes);
            return Step::NotMine(Why::Grammar);
        }
        half.errors += 1;
        if half.errors > PARSE_ERRORS {
            return Step::NotMine(Why::Grammar);
        }
        half.lost = true;
        half.last = None;
        self.blind |= side == Side::Server;
        self.look_for_record(side, bytes, notes)
    }

    /// Drops what comes before the next place where two records follow each other.
    fn look_for_record(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        let step = match records::find_chain(bytes) {
            Chain::Here(at) => {
                self.halves[side].lost = false;
                self.halves[side].encrypted = true;
                if at > 0 { Step::Took(at) } else { self.read_found(side, bytes) }
            }
            Chain::Perhaps(0, needed) => Step::NeedMore(needed),
            Chain::Perhaps(at, _) => Step::Took(at),
            Chain::Nowhere => Step::Took(bytes.len()),
        };
        if let (Step::Took(length), Some(pen)) = (step, notes.labels()) {
            labels::lost(pen, length);
        } else if let (Step::Skip(length), Some(pen), Some(head)) =
            (step, notes.labels(), records::head(bytes))
        {
            let seen = bytes.len().min(length as usize);
            let (is_hidden, continues) = (self.is_13(), false);
            let _ = labels::record(
                pen,
                bytes,
                labels::Record { head, seen, is_clear: false, is_hidden, continues },
            );
        }
        step
    }

    /// A record whose like follows it was found at the beginning of these bytes; it is not understood from there.
    fn read_found(&mut self, side: Side, bytes: &[u8]) -> Step {
        self.halves[side].heard = true;
        records::head(bytes)
            .map_or(Step::Took(bytes.len()), |head| Step::Skip((records::HEAD + head.length) as u64))
    }

    /// A record of data that nobody can read: who spoke, and that is all.
    fn data(&mut self, side: Side, length: usize, seen: usize, notes: &mut Notes<'_>) {
        self.halves[side].encrypted = true;
        let talk = match side {
            _ if !self.is_13() || !self.server_hello => true,
            Side::Client => self.hidden_client(length, seen, notes),
            Side::Server => self.hidden_server(length),
        };
        if talk && !self.may_be_alert(length) {
            self.turns.read(side, length as u64, seen, notes);
        }
    }

    /// Whether a record of data is as long as an alert of TLS 1.3.
    fn may_be_alert(&self, length: usize) -> bool {
        self.is_13() && length == records::ALERT + records::ADDED_13
    }

    /// Whether a record of a TLS 1.3 client is talk, and not its handshake.
    fn hidden_client(&mut self, length: usize, seen: usize, notes: &mut Notes<'_>) -> bool {
        let early_data = self.offer.as_ref().is_some_and(Offer::early_data);
        let hidden = &mut self.hidden;
        if hidden.client_finished {
            hidden.client_spoke |= length != records::ALERT + records::ADDED_13;
            return true;
        }
        hidden.client_records += 1;
        let before = std::mem::replace(&mut hidden.client_before, length);
        let finished = hello::finished_13(self.facts.cipher);
        let undecided = self.facts.early_data == EarlyData::Offered;
        if length == finished {
            hidden.client_finished = true;
            if undecided {
                self.judge_early_data(before, seen, notes);
            }
            return false;
        }
        // Certificate and Finished in one record, unless these are early data still on their way.
        hidden.client_finished = length > finished && !early_data || hidden.client_records > CLIENT_FLIGHT;
        early_data && length > hello::END_OF_EARLY_DATA
    }

    /// A server that took early data makes the client end them with a message of its own, the record before its
    /// Finished (RFC 8446 §4.5); one that did not never sees that message.
    fn judge_early_data(&mut self, before: usize, seen: usize, notes: &mut Notes<'_>) {
        let taken = before == hello::END_OF_EARLY_DATA;
        let (fate, stage, confidence, mark) = if taken {
            (EarlyData::Accepted, Stage::Granted, Confidence::High, Marks::default())
        } else {
            (EarlyData::Rejected, Stage::Refused, Confidence::Medium, Marks::SILENT)
        };
        self.facts.early_data = fate;
        notes
            .say(Word::Resume, stage, 0..seen)
            .by(Side::Server)
            .scope(Scope::Security)
            .mechanism(Mechanism::EarlyData.name())
            .mark(mark.with(Marks::INFERRED).with(Marks::OPAQUE))
            .confidence(confidence)
            .security(self.facts.clone());
    }

    /// Whether a record of a TLS 1.3 server is talk: neither its handshake nor, as far as can be told, its tickets.
    fn hidden_server(&mut self, length: usize) -> bool {
        let hidden = &mut self.hidden;
        if !hidden.client_finished {
            return false;
        }
        hidden.server_records += 1;
        hidden.server_bytes += length as u64;
        hidden.client_spoke || hidden.server_bytes > TICKETS
    }
}
