//! What can tie connections to one session, and people to their logins, without ever keeping a secret.

use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher as _;

/// The published key of the hash, so that runs and captures of different people agree.
const KEY: [u8; 16] = *b"ghostshark/id/1\0";

/// A 128-bit keyed hash (SipHash-2-4-128): equal for equal values, and no way back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash128(pub u128);

impl Hash128 {
    /// The hash of these parts in this order; where one ends and the next begins matters.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = SipHasher24::new_with_key(&KEY);
        for part in parts {
            hasher.write_u64(part.len() as u64);
            hasher.write(part);
        }
        Self(hasher.finish128().as_u128())
    }

    /// Its 32 hex digits.
    pub fn hex(self) -> String {
        format!("{:032x}", self.0)
    }
}

impl std::fmt::Debug for Hash128 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What sort of thing the identity is; it decides what equal values mean (`domain.md` B.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum IdentityKind {
    /// A session id that the server issued (TLS, SMB, RTSP).
    SessionId,
    /// A ticket that the server issued.
    Ticket,
    /// A pre-shared key's name.
    Psk,
    /// A session cookie.
    Cookie,
    /// A cookie by which a load balancer finds its backend: it names no session.
    Affinity,
    /// A bearer token.
    Token,
    /// A name that the client gives itself (MQTT client id).
    ClientId,
    /// A user at a server.
    User,
    /// The URL of an upload.
    Upload,
    /// A server's file handle.
    Handle,
    /// A call (SIP Call-ID).
    Call,
    /// An object of work: user, path.
    Object,
    /// One message, wherever it is sent (Message-ID with its recipients).
    Message,
    /// A key by which the server knows a repeated request (Idempotency-Key).
    Idempotency,
    /// An application's stream position holder (`Last-Event-ID` stream).
    EventStream,
    /// Anything else.
    Other,
}

impl IdentityKind {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::SessionId => "session-id",
            Self::Ticket => "ticket",
            Self::Psk => "psk",
            Self::Cookie => "cookie",
            Self::Affinity => "affinity",
            Self::Token => "token",
            Self::ClientId => "client-id",
            Self::User => "user",
            Self::Upload => "upload",
            Self::Handle => "handle",
            Self::Call => "call",
            Self::Object => "object",
            Self::Message => "message",
            Self::Idempotency => "idempotency-key",
            Self::EventStream => "event-stream",
            Self::Other => "other",
        }
    }
}

/// What the side that shows an identity does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// It hands it out: a server's Set-Cookie, a ticket, an upload's Location.
    Issues,
    /// It shows it to go on with what was handed out, or to say who it is.
    Shows,
    /// It gives it up: a deleted cookie, a finished upload.
    Drops,
}

/// How far two connections with an equal identity can be trusted to be one session (`domain.md` B.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// H: heuristic.
    Heuristic,
    /// P: a key of the protocol, chosen by the client.
    Protocol,
    /// K: unique and issued by the server, or cryptographic.
    Key,
}

impl Strength {
    /// The letter of `domain.md` B.4.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Heuristic => "H",
            Self::Protocol => "P",
            Self::Key => "K",
        }
    }
}

/// Something by which a session is known again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What sort of thing it is.
    pub kind: IdentityKind,
    /// Hash of protocol, kind and value (with what makes it unique: server, path, user).
    pub hash: Hash128,
    /// What the speaker does with it.
    pub used: Use,
    /// What an equal one on another connection proves.
    pub strength: Strength,
    /// Something printable and harmless: a cookie's name, a client id; never a secret. Escaped by whoever prints.
    pub hint: Option<Box<str>>,
}

impl Identity {
    /// An identity of this kind, protocol and value. The value itself is not kept.
    pub fn new(kind: IdentityKind, used: Use, strength: Strength, protocol: &str, value: &[&[u8]]) -> Self {
        let mut parts: Vec<&[u8]> = vec![protocol.as_bytes(), kind.name().as_bytes()];
        parts.extend(value);
        Self { kind, hash: Hash128::of(&parts), used, strength, hint: None }
    }

    /// The same with something printable to know it by.
    #[must_use]
    pub fn hinted(mut self, hint: &str) -> Self {
        self.hint = Some(super::bounded(hint));
        self
    }
}

/// Who logs in: the name for a terminal, the hash for files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The name; shown on a terminal only, and escaped there.
    pub name: Box<str>,
    /// Its hash.
    pub hash: Hash128,
}

impl Principal {
    /// A user name as the wire has it.
    pub fn new(name: &[u8]) -> Self {
        let text = String::from_utf8_lossy(name);
        Self { name: super::bounded(&text), hash: Hash128::of(&[b"principal", name]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_know_their_parts() {
        assert_eq!(Hash128::of(&[b"ab", b"c"]), Hash128::of(&[b"ab", b"c"]));
        assert_ne!(Hash128::of(&[b"ab", b"c"]), Hash128::of(&[b"a", b"bc"]));
        assert_eq!(Hash128::of(&[]).hex().len(), 32);
        let one = Identity::new(IdentityKind::Cookie, Use::Issues, Strength::Key, "http", &[b"v"]);
        let other = Identity::new(IdentityKind::Token, Use::Issues, Strength::Key, "http", &[b"v"]);
        assert_ne!(one.hash, other.hash, "the kind is part of the value");
    }
}
