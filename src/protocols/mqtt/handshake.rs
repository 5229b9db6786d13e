//! How an MQTT session begins and ends: CONNECT, CONNACK, AUTH and DISCONNECT (3.1.1 §3.1–3.2, §3.14; 5.0 §3.15).

use std::net::IpAddr;

use super::packet::Connect;
use super::properties::Properties;
use super::{HANDSHAKE_TAG, Mqtt, Packet, reason};
use crate::events::{Endpoint, Identity, IdentityKind, Principal, Side, Stage, Strength, Timer, Use, Word};
use crate::protocols::Notes;
use crate::protocols::read::Octets;
use crate::time::Span;

/// The mechanism of a resumption.
const RESUMPTION: &str = "mqtt-session";

/// An expiry of all ones: the session is kept for ever (5.0 §3.1.2.11.2).
const FOR_EVER: u32 = u32::MAX;

/// What CONNECT asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Login {
    client_id: Option<Box<[u8]>>,
    resume: bool,
    credentials: bool,
    /// Whether the session is to outlive the connection.
    lasting: bool,
}

/// The identity of a client at a broker.
fn client(broker: Endpoint, id: &[u8], used: Use) -> Identity {
    let port = broker.port.to_be_bytes();
    let of = |address: &[u8]| {
        Identity::new(IdentityKind::ClientId, used, Strength::Protocol, "mqtt", &[address, &port, id])
    };
    let identity = match broker.ip {
        IpAddr::V4(address) => of(&address.octets()),
        IpAddr::V6(address) => of(&address.octets()),
    };
    identity.hinted(&String::from_utf8_lossy(id))
}

fn seconds(number: impl Into<i64>) -> Span {
    Span::from_secs(number.into())
}

/// The name of a reason, with what the sender adds to it.
fn words(code: u8, properties: &Properties<'_>) -> Vec<u8> {
    let mut text = reason::name(code).to_vec();
    for added in [properties.reason, properties.reference].into_iter().flatten() {
        text.extend_from_slice(b": ");
        text.extend_from_slice(added);
    }
    text
}

/// The mechanism behind an authentication method (5.0 §4.12, whose names are those of SASL).
fn mechanism(method: &[u8]) -> &'static str {
    match method {
        _ if method.starts_with(b"SCRAM-") => "scram",
        b"GS2-KRB5" | b"K5" | b"GSSAPI" => "negotiate",
        b"PLAIN" => "plain",
        _ => "other",
    }
}

impl Mqtt {
    pub(super) fn connect(&mut self, packet: &Packet<'_>, connect: &Connect<'_>, notes: &mut Notes<'_>) {
        self.version = Some(connect.level);
        let expiry = connect.properties.session_expiry;
        let lasting =
            if connect.level < 5 { !connect.clean } else { expiry.is_some_and(|expiry| expiry > 0) };
        let known = !connect.client_id.is_empty();
        self.login = Login {
            client_id: known.then(|| connect.client_id.into()),
            resume: known && !connect.clean,
            credentials: connect.user.is_some() || connect.password || connect.properties.method.is_some(),
            lasting,
        };
        let broker = notes.server();
        let mut text = match connect.level {
            3 => "MQTT 3.1",
            4 => "MQTT 3.1.1",
            _ => "MQTT 5.0",
        }
        .to_owned();
        for (there, word) in
            [(connect.clean, ", clean"), (connect.will, ", will"), (connect.bridge, ", bridge")]
        {
            text.push_str(if there { word } else { "" });
        }
        let mut saying = notes
            .say(Word::Establish, Stage::Asked, 0..packet.seen)
            .op(packet.header.kind.name())
            .tag(HANDSHAKE_TAG)
            .text(text.as_bytes());
        if known {
            saying = saying.object(connect.client_id).identity(client(broker, connect.client_id, Use::Shows));
        }
        if connect.keep_alive > 0 {
            saying = saying.declares(Timer::KeepAlive, seconds(connect.keep_alive));
        }
        if let Some(expiry) = expiry.filter(|expiry| lasting && *expiry != FOR_EVER) {
            saying.declares(Timer::Hold, seconds(expiry));
        }
        if connect.will {
            // What the broker is to publish if the client goes without DISCONNECT (3.1.1 §3.1.2.5).
            notes.say(Word::Release, Stage::Offered, 0..packet.seen).text(b"will");
        }
        if self.login.credentials {
            let mechanism = connect.properties.method.map_or("password", mechanism);
            let saying = notes.say(Word::Authenticate, Stage::Asked, 0..packet.seen).mechanism(mechanism);
            if let Some(user) = connect.user {
                saying.principal(Principal::new(user));
            }
        }
        if self.login.resume {
            notes.say(Word::Resume, Stage::Asked, 0..packet.seen).mechanism(RESUMPTION).identity(client(
                broker,
                connect.client_id,
                Use::Shows,
            ));
        }
    }

    pub(super) fn connack(&mut self, packet: &Packet<'_>, notes: &mut Notes<'_>) -> Option<()> {
        let mut octets = Octets::new(packet.content);
        let (flags, code) = (octets.u8()?, octets.u8()?);
        let properties = Properties::rest(&mut octets)?;
        let reason = if self.version == Some(5) { code } else { reason::of_return_code(code) };
        let stage = if reason::is_failure(reason) { Stage::Refused } else { Stage::Granted };
        let bytes = 0..packet.seen;
        let broker = notes.server();
        let mut saying = notes
            .say(Word::Establish, stage, bytes.clone())
            .op(packet.header.kind.name())
            .code(code.into())
            .tag(HANDSHAKE_TAG)
            .mark(reason::marks(reason));
        if stage == Stage::Refused {
            saying.text(&words(reason, &properties));
            if reason::concerns_login(reason) {
                notes.say(Word::Authenticate, Stage::Refused, bytes).text(&words(reason, &properties));
            }
            return Some(());
        }
        if let Some(id) = properties.assigned_id {
            saying = saying.object(id).identity(client(broker, id, Use::Issues));
            self.login.client_id = Some(id.into());
        }
        if let Some(keep_alive) = properties.server_keep_alive {
            saying = saying.declares(Timer::KeepAlive, seconds(keep_alive));
        }
        if let Some(expiry) = properties.session_expiry {
            self.login.lasting = expiry > 0;
            if expiry != FOR_EVER {
                saying.declares(Timer::Hold, seconds(expiry));
            }
        }
        if self.login.credentials {
            notes.say(Word::Authenticate, Stage::Granted, bytes.clone());
        }
        self.resumed(flags & 1 != 0, bytes.clone(), notes);
        if self.login.lasting {
            notes.say(Word::Resume, Stage::Offered, bytes).mechanism(RESUMPTION);
        }
        Some(())
    }

    /// What the broker answers to a client that asks for its session. MQTT 3.1 has no such answer.
    fn resumed(&self, present: bool, bytes: std::ops::Range<usize>, notes: &mut Notes<'_>) {
        if present {
            notes.say(Word::Resume, Stage::Granted, bytes).mechanism(RESUMPTION);
        } else if self.login.resume && self.version != Some(3) {
            notes
                .say(Word::Resume, Stage::Refused, bytes)
                .mechanism(RESUMPTION)
                .mark(crate::events::Marks::SILENT);
        }
    }

    pub(super) fn auth(packet: &Packet<'_>, notes: &mut Notes<'_>) -> Option<()> {
        let mut octets = Octets::new(packet.content);
        let code = octets.u8().unwrap_or(reason::SUCCESS);
        let properties = Properties::rest(&mut octets)?;
        // The server ends a second login with success; all other AUTH packets want an answer.
        let stage = match (packet.side, code) {
            (Side::Server, reason::SUCCESS) => Stage::Granted,
            _ => Stage::Asked,
        };
        let saying = notes
            .say(Word::Authenticate, stage, 0..packet.seen)
            .op(packet.header.kind.name())
            .tag(HANDSHAKE_TAG);
        if let Some(method) = properties.method {
            saying.mechanism(mechanism(method));
        }
        Some(())
    }

    pub(super) fn disconnect(&mut self, packet: &Packet<'_>, notes: &mut Notes<'_>) -> Option<()> {
        let mut octets = Octets::new(packet.content);
        let code = octets.u8().unwrap_or(reason::SUCCESS);
        let properties = Properties::rest(&mut octets)?;
        let word = if reason::is_orderly(code) { Word::Release } else { Word::Abort };
        let broker = notes.server();
        let mut saying = notes
            .say(word, Stage::Told, 0..packet.seen)
            .op(packet.header.kind.name())
            .mark(reason::marks(code));
        if code != reason::SUCCESS {
            saying = saying.code(code.into()).text(&words(code, &properties));
        }
        if let Some(expiry) = properties.session_expiry {
            self.login.lasting = expiry > 0;
            if expiry != FOR_EVER {
                saying = saying.declares(Timer::Hold, seconds(expiry));
            }
        }
        if let Some(id) = &self.login.client_id
            && packet.side == Side::Client
            && !self.login.lasting
        {
            saying.identity(client(broker, id, Use::Drops));
        }
        Some(())
    }
}
