//! What a client offers to resume, and what the server made of it.

use super::hello::ClientHello;
use crate::events::security::Offered;
use crate::events::{Identity, IdentityKind, Marks, Scope, Side, Stage, Strength, Use, Word};
use crate::protocols::Notes;

/// A client's offer.
#[derive(Debug, Clone, Default)]
pub(super) struct Offer {
    session_id: Vec<u8>,
    ticket: bool,
    psk: bool,
    /// A session id means something only to a server that chooses TLS 1.2 or less: this client knows more.
    offers_13: bool,
    /// What is shown by the strongest way.
    shown: Option<(&'static str, Identity)>,
}

impl Offer {
    /// The offer of a hello.
    pub(super) fn of(hello: &ClientHello<'_>) -> Self {
        let ticket = hello.ticket.filter(|ticket| !ticket.is_empty());
        let show = |kind, value: &[u8]| Identity::new(kind, Use::Shows, Strength::Key, "tls", &[value]);
        let shown = match (hello.psk, ticket) {
            (Some(psk), _) => Some(("tls-psk", show(IdentityKind::Psk, psk))),
            (None, Some(ticket)) => Some(("tls-ticket", show(IdentityKind::Ticket, ticket))),
            (None, None) if !hello.session_id.is_empty() => {
                Some(("tls-session-id", show(IdentityKind::SessionId, hello.session_id)))
            }
            (None, None) => None,
        };
        Self {
            session_id: hello.session_id.to_vec(),
            ticket: ticket.is_some(),
            psk: hello.psk.is_some(),
            offers_13: hello.offers_13,
            shown,
        }
    }

    /// By what it offers to resume.
    pub(super) fn offered(&self) -> Offered {
        Offered { session_id: !self.session_id.is_empty(), ticket: self.ticket, psk: self.psk }
    }

    /// Whether the offer is one for sure: a session id alone may be there for old boxes only.
    fn is_sure(&self) -> bool {
        self.psk || self.ticket || !self.offers_13
    }

    /// Whether a server that answers with this session id and no certificate can have resumed something.
    pub(super) fn could_be_resumed(&self, echoed: &[u8]) -> bool {
        self.ticket || (!self.session_id.is_empty() && self.session_id == echoed)
    }

    /// Says that the client asks to go on.
    pub(super) fn ask(&self, whole: usize, notes: &mut Notes<'_>) {
        if self.is_sure() {
            self.say(Stage::Asked, Marks::default(), whole, notes);
        }
    }

    /// Says what the server made of it.
    pub(super) fn answer(&self, resumed: bool, whole: usize, notes: &mut Notes<'_>) {
        if !self.is_sure() {
            if !resumed {
                return;
            }
            self.say(Stage::Asked, Marks::default(), whole, notes);
        }
        let (stage, mark) =
            if resumed { (Stage::Granted, Marks::default()) } else { (Stage::Refused, Marks::SILENT) };
        self.say(stage, mark, whole, notes);
    }

    fn say(&self, stage: Stage, mark: Marks, whole: usize, notes: &mut Notes<'_>) {
        let Some((mechanism, identity)) = &self.shown else { return };
        let side = if stage == Stage::Asked { Side::Client } else { Side::Server };
        let saying = notes
            .say(Word::Resume, stage, 0..whole)
            .by(side)
            .scope(Scope::Security)
            .mechanism(mechanism)
            .mark(mark);
        if stage == Stage::Asked {
            saying.identity(identity.clone());
        }
    }
}
