//! What a client offers to resume, and what the server made of it.

use super::hello::ClientHello;
use crate::events::security::Offered;
use crate::events::{
    Confidence, Extent, Identity, IdentityKind, Marks, Scope, Side, Stage, Strength, Use, Word,
};
use crate::limits::EVENT_IDENTITIES;
use crate::protocols::Notes;

/// The ways to resume, by the names of `interface.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// By session id (RFC 5246 §7.4.1.2): TLS 1.2 and before.
    SessionId,
    /// By ticket (RFC 5077): TLS 1.2 and before.
    Ticket,
    /// By pre-shared key (RFC 8446 §2.2): TLS 1.3.
    Psk,
    /// Data before the handshake is over (RFC 8446 §2.3), by one of the keys.
    EarlyData,
}

impl Mechanism {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SessionId => "tls-session-id",
            Self::Ticket => "tls-ticket",
            Self::Psk => "tls-psk",
            Self::EarlyData => "tls-early-data",
        }
    }
}

/// A client's offer: that of its first hello.
#[derive(Debug, Clone, Default)]
pub(super) struct Offer {
    /// What it asks for, with what it shows for it.
    asked: Vec<(Mechanism, Vec<Identity>)>,
    /// Its session id. With a ticket or TLS 1.3 among its versions it may be one that it made up.
    session_id: Vec<u8>,
    ticket: bool,
    psk: bool,
    early_data: bool,
    offers_13: bool,
    /// Where the hello is.
    place: Extent,
}

/// An identity that a client shows.
fn shows(kind: IdentityKind, value: &[u8]) -> Identity {
    Identity::new(kind, Use::Shows, Strength::Key, "tls", &[value])
}

impl Offer {
    /// The offer of a hello.
    pub(super) fn of(hello: &ClientHello<'_>, place: Extent) -> Self {
        let mut new = Self {
            session_id: hello.session_id.to_vec(),
            early_data: hello.early_data,
            offers_13: hello.offers_13,
            place,
            ..Self::default()
        };
        if let Some(psks) = hello.psks {
            let identity = |(name, is_ticket)| {
                let key = shows(IdentityKind::Psk, name);
                // A key that was given out by hand may be everybody's.
                if is_ticket { key } else { Identity { strength: Strength::Protocol, ..key } }
            };
            new.psk = true;
            new.asked.push((Mechanism::Psk, psks.each().take(EVENT_IDENTITIES).map(identity).collect()));
        }
        if let Some(ticket) = hello.ticket.filter(|ticket| !ticket.is_empty()) {
            new.ticket = true;
            new.asked.push((Mechanism::Ticket, vec![shows(IdentityKind::Ticket, ticket)]));
        }
        if new.shows_session_id() && !hello.offers_13 {
            new.asked.push((Mechanism::SessionId, vec![shows(IdentityKind::SessionId, hello.session_id)]));
        }
        if hello.early_data {
            new.asked.push((Mechanism::EarlyData, Vec::new()));
        }
        new
    }

    /// Whether there is a session id that can be one: beside a ticket it may be made up, for the server to echo
    /// (RFC 5077 §3.4).
    fn shows_session_id(&self) -> bool {
        !self.session_id.is_empty() && !self.ticket
    }

    /// By what it surely offers to resume.
    pub(super) fn offered(&self) -> Offered {
        Offered { session_id: self.shows_session_id() && !self.offers_13, ticket: self.ticket, psk: self.psk }
    }

    /// Whether early data were offered.
    pub(super) fn early_data(&self) -> bool {
        self.early_data
    }

    /// Whether a server that answers with this session id and no certificate, up to TLS 1.2, resumed something.
    pub(super) fn could_be_resumed(&self, answered: &[u8]) -> bool {
        self.ticket || self.is_echo(answered)
    }

    /// Whether the server answers with the client's own session id. Up to TLS 1.2 it does so only to resume.
    pub(super) fn is_echo(&self, answered: &[u8]) -> bool {
        !self.session_id.is_empty() && self.session_id == answered
    }

    /// Whether a server of TLS 1.2 or before that answers with another session id, or none, surely begins anew.
    pub(super) fn is_surely_refused(&self, answered: &[u8]) -> bool {
        !self.ticket && !self.is_echo(answered)
    }

    /// Says that the client asks to go on. The bytes are those of its hello.
    pub(super) fn ask(&self, whole: usize, notes: &mut Notes<'_>) {
        for (mechanism, identities) in &self.asked {
            let mut saying = notes
                .say(Word::Resume, Stage::Asked, 0..whole)
                .at(self.place)
                .scope(Scope::Security)
                .mechanism(mechanism.name());
            for identity in identities {
                saying = saying.identity(identity.clone());
            }
        }
    }

    /// Says what the server made of it, early data excepted: by which way it resumed, if by any.
    pub(super) fn answer(
        &self,
        resumed: Option<Mechanism>,
        confidence: Confidence,
        whole: usize,
        notes: &mut Notes<'_>,
    ) {
        let by_id = resumed == Some(Mechanism::SessionId);
        if by_id && !self.asked.iter().any(|(mechanism, _)| *mechanism == Mechanism::SessionId) {
            // The session id of a client that knows TLS 1.3 was one after all.
            notes
                .say(Word::Resume, Stage::Asked, 0..whole)
                .at(self.place)
                .by(Side::Client)
                .scope(Scope::Security)
                .mechanism(Mechanism::SessionId.name())
                .identity(shows(IdentityKind::SessionId, &self.session_id));
            self.say(Mechanism::SessionId, true, confidence, whole, notes);
        }
        for (mechanism, _) in &self.asked {
            if *mechanism != Mechanism::EarlyData {
                self.say(*mechanism, resumed == Some(*mechanism), confidence, whole, notes);
            }
        }
    }

    fn say(
        &self,
        mechanism: Mechanism,
        granted: bool,
        confidence: Confidence,
        whole: usize,
        notes: &mut Notes<'_>,
    ) {
        let (stage, mark) =
            if granted { (Stage::Granted, Marks::default()) } else { (Stage::Refused, Marks::SILENT) };
        notes
            .say(Word::Resume, stage, 0..whole)
            .by(Side::Server)
            .scope(Scope::Security)
            .mechanism(mechanism.name())
            .mark(mark)
            .confidence(confidence)
            .since(self.place);
    }

    /// By which way a server of this kind resumes what is offered.
    pub(super) fn way(&self, is_13: bool) -> Mechanism {
        match (is_13, self.ticket) {
            (true, _) => Mechanism::Psk,
            (false, true) => Mechanism::Ticket,
            (false, false) => Mechanism::SessionId,
        }
    }
}
