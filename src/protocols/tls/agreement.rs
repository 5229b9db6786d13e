//! The handshake: hellos, what the server's flight proves, certificates, tickets, and alerts in clear.

use super::handshake::{Kind, Message};
use super::resumption::{Mechanism, Offer};
use super::{Tls, alert, certificate, hello};
use crate::events::security::{ClientCertificate, EarlyData};
use crate::events::{
    Confidence, Extent, Identity, IdentityKind, Marks, Scope, Side, Stage, Strength, Timer, Use, Word,
};
use crate::protocols::{LabelValue, Notes, lines};
use crate::time::Span;

/// Alerts kept of a handshake; who repeats them without end says nothing new.
const ALERTS: usize = 16;

impl Tls {
    pub(super) fn change_cipher(&mut self, side: Side, whole: usize, notes: &mut Notes<'_>) {
        if self.is_13() {
            // For old boxes only (RFC 8446 D.4).
            return;
        }
        self.halves[side].encrypted = true;
        self.halves[side].messages.clear();
        if side == Side::Client || !self.server_hello {
            return;
        }
        if self.facts.resumed.is_none() && !self.blind {
            // It came this far without a certificate: the session goes on.
            let resumed = self.offer.as_ref().is_some_and(|offer| offer.could_be_resumed(&self.answered));
            self.resumed(resumed, Confidence::Certain, whole, notes);
            self.tell(whole, notes);
        }
        if self.facts.client_certificate == ClientCertificate::Shown {
            self.client_certificate(Stage::Granted, Side::Server, None, whole, notes);
        }
    }

    pub(super) fn handshake(&mut self, side: Side, body: &[u8], whole: usize, notes: &mut Notes<'_>) {
        let record = notes.extent(0..whole);
        let mut messages = std::mem::take(&mut self.halves[side].messages);
        let clear = messages.feed(body, record, |message| self.message(side, &message, whole, notes));
        let half = &mut self.halves[side];
        half.messages = messages;
        if !clear {
            half.messages.clear();
            half.encrypted = true;
        }
    }

    fn message(&mut self, side: Side, message: &Message<'_>, whole: usize, notes: &mut Notes<'_>) {
        let Message { kind, body, begun } = *message;
        match (kind, side) {
            (Kind::ClientHello, Side::Client) => self.client_hello(body, begun, whole, notes),
            (Kind::ServerHello, Side::Server) => self.server_hello(body, begun, whole, notes),
            (Kind::NewSessionTicket, Side::Server) => new_ticket(body, begun, whole, notes),
            (Kind::Certificate, Side::Server) => {
                self.facts.certificate = certificate::first(body);
                self.full(whole, notes);
            }
            (Kind::ServerKeyExchange | Kind::ServerHelloDone, Side::Server) => self.full(whole, notes),
            (Kind::CertificateRequest, Side::Server) => {
                self.facts.client_certificate = ClientCertificate::Asked;
                self.client_certificate(Stage::Asked, side, Some(begun), whole, notes);
            }
            (Kind::Certificate, Side::Client) => {
                let empty = certificate::is_empty(body);
                self.facts.client_certificate =
                    if empty { ClientCertificate::Empty } else { ClientCertificate::Shown };
                let stage = if empty { Stage::Told } else { Stage::Asked };
                self.client_certificate(stage, side, Some(begun), whole, notes);
            }
            _ => {}
        }
    }

    /// Says how far the matter of the client's certificate is.
    fn client_certificate(
        &mut self,
        stage: Stage,
        side: Side,
        begun: Option<Extent>,
        whole: usize,
        notes: &mut Notes<'_>,
    ) {
        let saying = notes
            .say(Word::Authenticate, stage, 0..whole)
            .by(side)
            .scope(Scope::Security)
            .mechanism("certificate");
        let saying = if stage == Stage::Told { saying.text(b"no certificate") } else { saying };
        let saying = match begun {
            Some(begun) => saying.since(begun),
            None => saying,
        };
        if self.told {
            saying.security(self.facts.clone());
        }
    }

    fn client_hello(&mut self, body: &[u8], begun: Extent, whole: usize, notes: &mut Notes<'_>) {
        let Some(hello) = hello::client(body) else { return };
        if let Some(name) = hello.server_name {
            self.facts.sni = Some(String::from_utf8_lossy(name).to_lowercase().into());
        }
        if self.facts.alpn.is_none() {
            self.facts.alpn = hello.alpn.map(|name| String::from_utf8_lossy(name).into());
        }
        let place = Extent { first: begun.first.min(notes.extent(0..whole).first), ..notes.extent(0..whole) };
        let saying = notes
            .say(Word::Establish, Stage::Asked, 0..whole)
            .scope(Scope::Security)
            .op(b"CLIENT_HELLO")
            .at(place);
        if let Some(name) = hello.server_name {
            saying.object(name);
        }
        if self.offer.is_some() {
            // Once more, with what the server asked for; what is offered to resume is known from the first time.
            return;
        }
        let offer = Offer::of(&hello, place);
        self.facts.offered = offer.offered();
        if offer.early_data() {
            self.facts.early_data = EarlyData::Offered;
        }
        offer.ask(whole, notes);
        self.offer = Some(offer);
    }

    fn server_hello(&mut self, body: &[u8], begun: Extent, whole: usize, notes: &mut Notes<'_>) {
        let Some(hello) = hello::server(body) else { return };
        self.facts.version = Some(hello.version);
        self.facts.cipher = Some(hello.cipher);
        if let Some(name) = hello.alpn {
            self.facts.alpn = Some(String::from_utf8_lossy(name).into());
        }
        let op: &[u8] = if hello.retry { b"HELLO_RETRY_REQUEST" } else { b"SERVER_HELLO" };
        notes.say(Word::Establish, Stage::Granted, 0..whole).scope(Scope::Security).op(op).since(begun);
        if hello.retry {
            self.facts.retried = true;
            self.reject_early_data(whole, notes);
            return;
        }
        self.server_hello = true;
        self.answered = hello.session_id.to_vec();
        if hello::is_13(hello.version) {
            self.resumed(hello.psk, Confidence::Certain, whole, notes);
            if !hello.psk {
                self.reject_early_data(whole, notes);
            }
            for side in Side::BOTH {
                self.halves[side].encrypted = true;
            }
            self.tell(whole, notes);
        } else {
            // Early data are a matter of TLS 1.3 (RFC 8446 D.3).
            self.reject_early_data(whole, notes);
        }
    }

    /// The server's flight is that of a full handshake.
    fn full(&mut self, whole: usize, notes: &mut Notes<'_>) {
        if !self.server_hello || self.facts.resumed.is_some() {
            return;
        }
        self.resumed(false, Confidence::Certain, whole, notes);
        if !self.answered.is_empty() {
            let issued =
                Identity::new(IdentityKind::SessionId, Use::Issues, Strength::Key, "tls", &[&self.answered]);
            notes
                .say(Word::Resume, Stage::Offered, 0..whole)
                .scope(Scope::Security)
                .mechanism(Mechanism::SessionId.name())
                .identity(issued);
        }
        self.tell(whole, notes);
    }

    /// It is known whether earlier state goes on.
    fn resumed(&mut self, resumed: bool, confidence: Confidence, whole: usize, notes: &mut Notes<'_>) {
        self.facts.resumed = Some(resumed);
        if let Some(mut pen) = notes.labels().filter(|_| resumed && !self.is_13()) {
            pen.computed(
                "tls.resumed",
                "This session reuses previously negotiated keys",
                LabelValue::Present,
            );
        }
        let is_13 = self.is_13();
        if let Some(offer) = &self.offer {
            let way = resumed.then(|| offer.way(is_13));
            self.facts.offered.session_id |= way == Some(Mechanism::SessionId);
            offer.answer(way, confidence, whole, notes);
        }
    }

    /// The server's answer leaves no room for early data.
    fn reject_early_data(&mut self, whole: usize, notes: &mut Notes<'_>) {
        if self.facts.early_data == EarlyData::Offered {
            self.facts.early_data = EarlyData::Rejected;
            notes
                .say(Word::Resume, Stage::Refused, 0..whole)
                .scope(Scope::Security)
                .mechanism(Mechanism::EarlyData.name())
                .mark(Marks::SILENT);
        }
    }

    pub(super) fn alert(&mut self, side: Side, body: &[u8], whole: usize, notes: &mut Notes<'_>) {
        let [level, number] = *body else { return };
        let fatal = level == alert::FATAL;
        if self.facts.alerts.len() < ALERTS {
            self.facts.alerts.push((level, number));
        }
        let (word, stage, mark) = match number {
            alert::CLOSE_NOTIFY => (Word::Release, Stage::Told, Marks::default()),
            _ if !fatal => (Word::Error, Stage::Told, Marks::default()),
            // Once the handshake is over, nobody says anything in clear.
            _ => (Word::Establish, Stage::Refused, Marks::FATAL),
        };
        let saying = notes
            .say(word, stage, 0..whole)
            .scope(Scope::Security)
            .code(u32::from(number))
            .text(alert::name(number).as_bytes())
            .mark(mark);
        if self.told {
            saying.security(self.facts.clone());
        }
        self.halves[side].parted |= fatal || number == alert::CLOSE_NOTIFY;
        if fatal {
            if side == Side::Server
                && self.facts.client_certificate == ClientCertificate::Shown
                && alert::blames_certificate(number)
            {
                self.client_certificate(Stage::Refused, side, None, whole, notes);
            }
            self.tell(whole, notes);
        }
    }

    /// The server's first words after a hello are none of TLS: it speaks another protocol.
    pub(super) fn answered_in_clear(&mut self, bytes: &[u8], notes: &mut Notes<'_>) {
        let line = lines::line(bytes).map_or(bytes, |(line, _)| line);
        let saying = notes
            .say(Word::Establish, Stage::Refused, 0..bytes.len())
            .scope(Scope::Security)
            .mark(Marks::FATAL.with(Marks::NAMELESS));
        if line.iter().all(|octet| octet.is_ascii_graphic() || *octet == b' ') {
            saying.text(line);
        }
        self.tell(bytes.len(), notes);
    }

    /// Tells the facts of the handshake, once.
    fn tell(&mut self, whole: usize, notes: &mut Notes<'_>) {
        if !std::mem::replace(&mut self.told, true) {
            notes
                .say(Word::Establish, Stage::Told, 0..whole)
                .by(Side::Server)
                .scope(Scope::Security)
                .security(self.facts.clone());
        }
    }

    /// Tells what is known of a handshake that was not seen to its end.
    pub(super) fn tell_at_end(&mut self, notes: &mut Notes<'_>) {
        if self.told || (self.offer.is_none() && !self.server_hello) {
            return;
        }
        if self.server_hello
            && self.facts.resumed.is_none()
            && let Some(offer) = &self.offer
        {
            // Nothing but the session id tells (RFC 5246 §7.4.1.3); and of a ticket, nothing.
            if offer.is_surely_refused(&self.answered) {
                self.resumed(false, Confidence::Certain, 0, notes);
            } else if offer.is_echo(&self.answered) {
                self.resumed(true, Confidence::High, 0, notes);
            } else {
                self.facts.resumed = Some(false);
            }
        }
        self.tell(0, notes);
    }
}

/// A ticket of TLS 1.2 or before.
fn new_ticket(body: &[u8], begun: Extent, whole: usize, notes: &mut Notes<'_>) {
    let Some((lifetime, ticket)) = hello::ticket(body).filter(|(_, ticket)| !ticket.is_empty()) else {
        return;
    };
    let identity = Identity::new(IdentityKind::Ticket, Use::Issues, Strength::Key, "tls", &[ticket]);
    let saying = notes
        .say(Word::Resume, Stage::Offered, 0..whole)
        .scope(Scope::Security)
        .mechanism(Mechanism::Ticket.name())
        .identity(identity)
        .since(begun);
    // No lifetime is no promise, not an end at once (RFC 5077 §3.3).
    if lifetime > 0 {
        saying.declares(Timer::Lifetime, Span::from_secs(i64::from(lifetime)));
    }
}
