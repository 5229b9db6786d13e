//! `OpenVPN` over TCP: the control channel's TLS handshake, unwrapped; the data channel is opaque.
//!
//! Each packet has its length of 16 bits, an opcode with a key number, and a session id. Control packets carry
//! acknowledgments and a piece of TLS. With `tls-auth` an HMAC, a packet number and a time stand before those: how
//! long they are together is told by the first packet, which carries nothing else.

use super::read::{Cursor, Octets};
use super::{Dissector, End, Labeller, Notes, Protocol, Step, Verdict, Why};
use crate::events::{PerSide, Scope, Side, Stage, Word};
use crate::limits::MESSAGE_BYTES;

/// The protocol.
pub static PROTOCOL: Protocol = Protocol {
    name: "openvpn",
    title: "OpenVPN over TCP",
    ports: &[1194],
    probe,
    start: || Box::new(OpenVpn { extra: 0, waiting: PerSide::default(), inner: inner() }),
    goodbye: None,
    words: &[Word::Establish],
    sources: &["OpenVPN protocol documentation, \"Network protocol\" (doxygen: network_protocol)"],
};

/// Opcodes (the high five bits).
const CONTROL: u8 = 4;
const HARD_RESET_CLIENT: u8 = 7;
const HARD_RESET_SERVER: u8 = 8;

/// A first packet without authentication: opcode, session id, no acknowledgment, packet number.
const BARE_RESET: usize = 1 + 8 + 1 + 4;

/// What `tls-auth` adds: an HMAC of MD5, SHA-1, SHA-256 or SHA-512, a packet number and a time.
const TLS_AUTH: [usize; 5] = [0, 16 + 8, 20 + 8, 32 + 8, 64 + 8];

#[derive(Debug)]
struct OpenVpn {
    /// Bytes of authentication in each control packet.
    extra: usize,
    /// Pieces of TLS that wait for the rest of their record.
    waiting: PerSide<Vec<u8>>,
    inner: Box<dyn Dissector>,
}

fn inner() -> Box<dyn Dissector> {
    (super::tls::PROTOCOL.start)()
}

fn probe(side: Side, bytes: &[u8]) -> Verdict {
    let mut octets = Octets::new(bytes);
    let (Some(length), Some(opcode)) = (octets.u16(), octets.u8()) else { return Verdict::Unsure };
    let length = usize::from(length);
    match (opcode >> 3, side) {
        (HARD_RESET_CLIENT, Side::Client) if TLS_AUTH.iter().any(|extra| length == BARE_RESET + extra) => {
            Verdict::Certain
        }
        (HARD_RESET_SERVER, Side::Server) if length < 256 => Verdict::Likely,
        _ => Verdict::No,
    }
}

impl Dissector for OpenVpn {
    fn read(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        let Some(length) = Octets::new(bytes).u16().map(usize::from) else { return Step::NeedMore(2) };
        let whole = 2 + length;
        let Some(opcode) = bytes.get(2).map(|octet| octet >> 3) else { return Step::NeedMore(3) };
        if !(1..=11).contains(&opcode) {
            return Step::NotMine(Why::Grammar);
        }
        if !matches!(opcode, CONTROL | HARD_RESET_CLIENT | HARD_RESET_SERVER) {
            if let Some(pen) = notes.labels() {
                self.label(pen, bytes, whole);
            }
            return Step::Skip(whole as u64);
        }
        let Some(packet) = bytes.get(3..whole) else { return Step::NeedMore(whole) };
        match opcode {
            HARD_RESET_CLIENT => {
                self.extra = length.saturating_sub(BARE_RESET);
                if let Some(pen) = notes.labels() {
                    self.label(pen, bytes, whole);
                }
                notes
                    .say(Word::Establish, Stage::Asked, 0..whole)
                    .scope(Scope::Session)
                    .op(b"HARD_RESET_CLIENT");
            }
            HARD_RESET_SERVER => {
                if let Some(pen) = notes.labels() {
                    self.label(pen, bytes, whole);
                }
                notes
                    .say(Word::Establish, Stage::Granted, 0..whole)
                    .scope(Scope::Session)
                    .op(b"HARD_RESET_SERVER");
            }
            _ => {
                if let Some(pen) = notes.labels() {
                    self.label(pen, bytes, whole);
                }
                if let Some(piece) = self.piece(packet) {
                    self.waiting[side].extend_from_slice(piece);
                    self.unwrap(side, notes);
                }
            }
        }
        Step::Took(whole)
    }

    fn end(&mut self, side: Side, how: End, _unread: &[u8], _pending: u64, notes: &mut Notes<'_>) {
        let outer = std::mem::replace(&mut notes.protocol, super::tls::PROTOCOL.name);
        self.inner.end(side, how, &[], 0, notes);
        notes.protocol = outer;
    }

    fn fork(&self) -> Box<dyn Dissector> {
        Box::new(Self { extra: self.extra, waiting: self.waiting.clone(), inner: self.inner.fork() })
    }
}

impl OpenVpn {
    /// The piece of TLS in a control packet, behind its opcode.
    fn piece<'b>(&self, packet: &'b [u8]) -> Option<&'b [u8]> {
        let mut octets = Octets::new(packet);
        octets.take(8 + self.extra)?;
        let acknowledged = usize::from(octets.u8()?);
        octets.take(4 * acknowledged)?;
        if acknowledged > 0 {
            octets.take(8)?;
        }
        octets.take(4)?;
        Some(octets.rest())
    }

    /// The fields of a packet, by Wireshark's names.
    fn label(&self, mut labels: Labeller<'_>, bytes: &[u8], whole: usize) -> Option<()> {
        labels.protocol("openvpn", "OpenVPN Protocol", 0..whole);
        let mut cursor = Cursor::new(bytes.get(..whole.min(bytes.len())).unwrap_or(bytes), 0);
        let (length, at) = cursor.number(2)?;
        labels.number("openvpn.plen", "Plen", length, at);
        let (kind, at) = cursor.number(1)?;
        labels.number("openvpn.type", "Type", kind, at.clone());
        labels.open();
        labels.number("openvpn.opcode", "Opcode", kind >> 3, at.clone());
        labels.meaning(match (kind >> 3) as u8 {
            CONTROL => "P_CONTROL_V1",
            5 => "P_ACK_V1",
            6 => "P_DATA_V1",
            HARD_RESET_CLIENT => "P_CONTROL_HARD_RESET_CLIENT_V2",
            HARD_RESET_SERVER => "P_CONTROL_HARD_RESET_SERVER_V2",
            9 => "P_DATA_V2",
            _ => "",
        });
        labels.number("openvpn.keyid", "Key ID", kind & 7, at);
        labels.close();
        if matches!((kind >> 3) as u8, 6 | 9) {
            labels.line("openvpn.data", format!("Data, {} bytes", whole - 3), 3..whole);
            return Some(());
        }
        let (session, at) = cursor.number(8)?;
        labels.number("openvpn.sessionid", "Session ID", session, at);
        if self.extra > 0 {
            let (_, at) = cursor.take(self.extra)?;
            labels.line("openvpn.hmac", "HMAC, packet number and time", at);
        }
        let (acknowledged, at) = cursor.number(1)?;
        labels.number("openvpn.mpidarraylength", "Message Packet-ID Array Length", acknowledged, at);
        for _ in 0..acknowledged {
            let (id, at) = cursor.number(4)?;
            labels.number("openvpn.mpidarrayelement", "Message Packet-ID Array Element", id, at);
        }
        if acknowledged > 0 {
            let (session, at) = cursor.number(8)?;
            labels.number("openvpn.rsessionid", "Remote Session ID", session, at);
        }
        if let Some((id, at)) = cursor.number(4) {
            labels.number("openvpn.mpid", "Message Packet-ID", id, at);
        }
        if !cursor.is_empty() {
            let (rest, at) = cursor.rest();
            labels.line("openvpn.data", format!("A piece of TLS, {} bytes", rest.len()), at);
        }
        Some(())
    }

    /// Lets TLS read what has come of it. Its bytes are those of a stream of its own, so nothing is labelled in it.
    fn unwrap(&mut self, side: Side, notes: &mut Notes<'_>) {
        let pen = notes.labels.take();
        let outer = std::mem::replace(&mut notes.protocol, super::tls::PROTOCOL.name);
        let mut waiting = std::mem::take(&mut self.waiting[side]);
        while !waiting.is_empty() {
            let taken = match self.inner.read(side, &waiting, notes) {
                Step::Took(taken) => taken,
                Step::Skip(taken) if taken <= waiting.len() as u64 => taken as usize,
                Step::NeedMore(_) | Step::Hold | Step::Skip(_) => break,
                _ => waiting.len(),
            };
            waiting.drain(..taken.min(waiting.len()));
        }
        if waiting.len() <= MESSAGE_BYTES {
            self.waiting[side] = waiting;
        }
        notes.protocol = outer;
        notes.labels = pen;
    }
}

#[cfg(test)]
mod tests {
    use super::super::rehearsal::{Act, rehearse, rehearse_in_pieces};

    #[test]
    fn a_handshake_is_unwrapped() {
        let reset =
            |opcode: u8| [&[0, 14, opcode << 3, 1, 2, 3, 4, 5, 6, 7, 8, 0][..], &[0, 0, 0, 0]].concat();
        let alert = [21, 3, 3, 0, 2, 2, 40];
        let control = [&[0, 21, 4 << 3, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 1][..], &alert].concat();
        let script = [reset(7), reset(8), control];
        let script = [Act::C(&script[0]), Act::S(&script[1]), Act::S(&script[2])];
        let told = rehearse(1194, &script);
        assert_eq!(
            told,
            "1 C openvpn establish asked HARD_RESET_CLIENT\n\
             2 S openvpn establish granted HARD_RESET_SERVER\n\
             3 S tls establish refused scope=security 40 fatal says=\"handshake_failure\"\n\
             3 S tls establish told scope=security\n"
        );
        assert_eq!(told, rehearse_in_pieces(1194, &script, 1));
    }
}
