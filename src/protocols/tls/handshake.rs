//! Handshake messages, put together over records (RFC 5246 §7.4, RFC 8446 §4).

use crate::events::Extent;
use crate::limits::MESSAGE_BYTES;

/// Octets before a message's content: its kind and its length.
const HEAD: usize = 4;

/// The messages from which a session is told (IANA TLS `HandshakeType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    ClientHello,
    ServerHello,
    NewSessionTicket,
    Certificate,
    ServerKeyExchange,
    CertificateRequest,
    ServerHelloDone,
}

impl Kind {
    fn of(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::ClientHello,
            2 => Self::ServerHello,
            4 => Self::NewSessionTicket,
            11 => Self::Certificate,
            12 => Self::ServerKeyExchange,
            13 => Self::CertificateRequest,
            14 => Self::ServerHelloDone,
            _ => return None,
        })
    }
}

/// Whether a handshake message can have this number: those that were ever given out, up to 24, and those for
/// `CompressedCertificate` (25), `EktKey` (26), and `NextProtocol` (67).
fn exists(number: u8) -> bool {
    matches!(number, 0..=26 | 67)
}

/// One message.
#[derive(Debug)]
pub(super) struct Message<'m> {
    /// Which.
    pub(super) kind: Kind,
    /// What it holds; nothing of one that is larger than what is kept.
    pub(super) body: &'m [u8],
    /// Where the record lies in which it began.
    pub(super) begun: Extent,
}

/// Puts the messages of one side together.
#[derive(Debug, Clone, Default)]
pub(super) struct Messages {
    waiting: Vec<u8>,
    begun: Option<Extent>,
    /// Octets to come of a message that nobody wants.
    skip: usize,
}

impl Messages {
    /// Takes the content of the next record, and tells each message that it completes. False where these are no
    /// handshake messages: then they are encrypted ones.
    pub(super) fn feed(&mut self, content: &[u8], record: Extent, mut tell: impl FnMut(Message<'_>)) -> bool {
        let joined;
        let mut rest = content;
        if !self.waiting.is_empty() {
            self.waiting.extend_from_slice(content);
            joined = std::mem::take(&mut self.waiting);
            rest = &joined;
        }
        loop {
            let skipped = self.skip.min(rest.len());
            self.skip -= skipped;
            rest = rest.get(skipped..).unwrap_or(&[]);
            if self.skip > 0 || rest.is_empty() {
                self.begun = None;
                return true;
            }
            let [number, a, b, c, behind @ ..] = rest else { break };
            if !exists(*number) {
                return false;
            }
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            let begun = self.begun.unwrap_or(record);
            match (Kind::of(*number), behind.get(..length)) {
                (Some(kind), Some(body)) => tell(Message { kind, body, begun }),
                (None, _) => {}
                (Some(kind), None) if length > MESSAGE_BYTES => tell(Message { kind, body: &[], begun }),
                (Some(_), None) => break,
            }
            self.begun = None;
            self.skip = HEAD + length;
        }
        self.waiting = rest.to_vec();
        self.begun.get_or_insert(record);
        true
    }

    /// Whether a message was begun whose end has not come.
    pub(super) fn is_unfinished(&self) -> bool {
        self.skip > 0 || !self.waiting.is_empty()
    }

    /// Forgets what was begun.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::PacketRef;

    /// Feeds records of these sizes, each a packet, and tells the messages: kind, length, and the packet that began it.
    fn fed(bytes: &[u8], size: usize) -> Vec<(Kind, usize, u64)> {
        let mut messages = Messages::default();
        let mut told = Vec::new();
        for (number, record) in bytes.chunks(size).enumerate() {
            let at = PacketRef { number: number as u64 + 1, ..PacketRef::default() };
            let extent = Extent { first: at, last: at, start: 0, length: 0 };
            let clear = messages.feed(record, extent, |message| {
                told.push((message.kind, message.body.len(), message.begun.first.number));
            });
            assert!(clear);
        }
        assert!(messages.waiting.is_empty() && messages.skip == 0);
        told
    }

    fn message(number: u8, length: usize) -> Vec<u8> {
        let [_, a, b, c] = (length as u32).to_be_bytes();
        [&[number, a, b, c][..], &vec![number; length]].concat()
    }

    #[test]
    fn messages_are_put_together_whatever_the_records() {
        let flight = [message(2, 40), message(22, 500), message(11, 700), message(14, 0)].concat();
        let kinds = [(Kind::ServerHello, 40), (Kind::Certificate, 700), (Kind::ServerHelloDone, 0)];
        for size in [1, 3, 5, 44, 45, 700, 16_384] {
            let told = fed(&flight, size);
            let plain: Vec<_> = told.iter().map(|(kind, length, _)| (*kind, *length)).collect();
            assert_eq!(plain, kinds, "records of {size}");
            let begun = [0, 548, 1252].map(|at: usize| (at / size) as u64 + 1);
            assert_eq!(told.iter().map(|(.., begun)| *begun).collect::<Vec<_>>(), begun, "records of {size}");
        }
    }

    #[test]
    fn a_message_that_is_too_large_is_told_without_its_content() {
        let flight = [message(11, 100_000), message(14, 0)].concat();
        assert_eq!(fed(&flight, 16_384), [(Kind::Certificate, 0, 1), (Kind::ServerHelloDone, 0, 7)]);
    }

    #[test]
    fn encrypted_messages_are_none() {
        let mut messages = Messages::default();
        assert!(!messages.feed(&[0xE3, 0x11, 0x22, 0x33, 0x44], Extent::default(), |_| {}));
    }
}
