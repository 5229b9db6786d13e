//! A request and what has to be remembered of it until it is answered.

use std::ops::Range;

use super::login::{Form, Proof};
use super::ranges::Asked;
use super::uploads::Upload;
use crate::events::{Extent, Identity, Safety, Side, Stage, Word};
use crate::protocols::{Notes, Saying};

/// Bytes kept of a target and of a host: enough to name an upload.
const TARGET_BYTES: usize = 2 << 10;

/// A request that waits for its answer, or whose answer is being read.
#[derive(Debug, Clone, Default)]
pub(super) struct Exchange {
    /// The method as it came.
    pub(super) method: Box<[u8]>,
    /// The host asked.
    pub(super) host: Box<[u8]>,
    /// Path and query, cut.
    pub(super) target: Box<[u8]>,
    /// The target as it may be shown.
    pub(super) object: Box<[u8]>,
    /// Whether doing it twice matters.
    pub(super) safety: Safety,
    /// What it asks the connection to become.
    pub(super) switch: Option<Switch>,
    /// Credentials, and whether they are new on this connection.
    pub(super) proof: Option<(Proof, bool)>,
    /// The same for a proxy.
    pub(super) proxy_proof: Option<(Proof, bool)>,
    /// It is a login form.
    pub(super) form: Option<Form>,
    /// It is of HTTP/0.9, whose answers are content alone.
    pub(super) is_headless: bool,
    /// It asks to be logged out.
    pub(super) is_logout: bool,
    /// Session cookies that it shows.
    pub(super) cookies: Vec<(Box<[u8]>, Identity)>,
    /// A part of the object, not from its beginning.
    pub(super) range: Option<Asked>,
    /// The validator under which the part is wanted.
    pub(super) if_range: Option<Box<[u8]>>,
    /// It uploads something.
    pub(super) upload: Option<Upload>,
    /// The id of the last event of a stream that was heard.
    pub(super) last_event: Option<Box<[u8]>>,
}

/// What a request asks the connection to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Switch {
    /// A tunnel (`CONNECT`).
    Tunnel,
    /// A WebSocket, with the client's key.
    WebSocket(Box<[u8]>),
    /// Another protocol (`h2c`, `TLS/1.0`), which a server is free to pass over.
    Other,
}

/// The beginning of octets, as far as they are kept.
pub(super) fn kept(octets: &[u8]) -> Box<[u8]> {
    octets.get(..octets.len().min(TARGET_BYTES)).unwrap_or_default().into()
}

/// Says events of one message.
pub(super) struct Pen<'p, 'n> {
    /// Where to.
    pub(super) notes: &'p mut Notes<'n>,
    /// Of which of the bytes at hand.
    pub(super) bytes: Range<usize>,
    /// What it rests on besides: a head whose content came later.
    pub(super) since: Option<Extent>,
    /// It is of the other side, and rests on these bytes alone.
    pub(super) instead: Option<(Side, Extent)>,
}

impl<'p, 'n> Pen<'p, 'n> {
    /// Of these bytes.
    pub(super) fn new(notes: &'p mut Notes<'n>, bytes: Range<usize>) -> Self {
        Self { notes, bytes, since: None, instead: None }
    }

    /// Says something of the message.
    pub(super) fn say(&mut self, word: Word, stage: Stage) -> Saying<'_> {
        let mut saying = self.notes.say(word, stage, self.bytes.clone());
        if let Some(extent) = self.since {
            saying = saying.since(extent);
        }
        match self.instead {
            Some((side, extent)) => saying.by(side).at(extent),
            None => saying,
        }
    }

    /// The octets of the server's address: what tells its users from those of others.
    pub(super) fn server(&self) -> Vec<u8> {
        match self.notes.server().ip {
            std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
            std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
        }
    }
}

/// Says what may not be there.
pub(super) trait Perhaps: Sized {
    /// The same with this said of it, where there is something to say.
    fn perhaps<T>(self, what: Option<T>, say: impl FnOnce(Self, T) -> Self) -> Self {
        match what {
            Some(what) => say(self, what),
            None => self,
        }
    }
}

impl Perhaps for Saying<'_> {}
