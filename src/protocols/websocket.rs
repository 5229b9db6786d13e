//! WebSocket (RFC 6455): frames after an HTTP `Upgrade`. Messages are turns, pings keep it alive, a close frame says
//! good-bye; an end without one is abrupt. Content is passed over, compressed or not (RFC 7692), but for what a side
//! says first: that may be the session of Engine.IO, on which socket.io runs.

use super::{Dissector, End, Labeller, Notes, Protocol, Step, Verdict, Why};
use crate::events::{Marks, PerSide, Side, Stage, Timer, Use, Word};
use crate::time::{Span, Timestamp};

/// WebSocket after its handshake.
pub static PROTOCOL: Protocol = Protocol {
    name: "websocket",
    title: "WebSocket",
    ports: &[],
    // A frame has no signature: only the handshake, which is HTTP, tells that frames follow.
    probe: |_, _| Verdict::No,
    start: || Box::new(WebSocket::default()),
    goodbye: Some("close frame"),
    words: &[
        Word::Turn,
        Word::KeepAlive,
        Word::Resume,
        Word::Release,
        Word::Abort,
        Word::Interrupt,
        Word::Error,
    ],
    sources: &["RFC 6455 §5, §7.4", "RFC 7692 §6", "Engine.IO protocol 4"],
};

/// Bytes of a text that are looked at: the first packet of Engine.IO is smaller.
const TEXT_BYTES: u64 = 512;

/// After so long a side's next message is told, though the same side spoke last.
const PAUSE: Span = Span::from_secs(1);

/// One connection after the handshake.
#[derive(Debug, Clone, Default)]
struct WebSocket {
    /// Who said the last message that was told, and when.
    last: Option<(Side, Timestamp)>,
    /// The code of each side's close frame.
    closed: PerSide<bool>,
    /// The payload of a ping without a pong, a hash of it.
    pinged: PerSide<Option<u64>>,
    /// The server is an Engine.IO: its own one-letter messages keep it alive.
    is_engine: bool,
    is_over: bool,
}

/// A frame's header (RFC 6455 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    opcode: u8,
    is_whole: bool,
    is_compressed: bool,
    mask: Option<[u8; 4]>,
    header: usize,
    length: u64,
}

impl Frame {
    /// Reads the header, or says how many bytes it needs.
    fn read(bytes: &[u8]) -> Result<Option<Self>, usize> {
        let [first, second, rest @ ..] = bytes else { return Err(2) };
        let width = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let masked = second & 0x80 != 0;
        let header = 2 + width + if masked { 4 } else { 0 };
        let Some((length, rest)) = rest.split_at_checked(width) else { return Err(header) };
        let length = match length {
            [] => u64::from(second & 0x7f),
            octets => octets.iter().fold(0, |length, octet| length << 8 | u64::from(*octet)),
        };
        let mask = if masked { Some(*rest.first_chunk::<4>().ok_or(header)?) } else { None };
        let opcode = first & 0x0f;
        let is_whole = first & 0x80 != 0;
        let is_control = opcode >= 8;
        let is_known = matches!(opcode, 0..=2 | 8..=10);
        // Two of the reserved bits have no meaning yet, and control frames are short and whole.
        if !is_known || first & 0x30 != 0 || (is_control && (length > 125 || !is_whole)) || length >> 63 != 0
        {
            return Ok(None);
        }
        Ok(Some(Self { opcode, is_whole, is_compressed: first & 0x40 != 0, mask, header, length }))
    }

    /// The payload without its mask.
    fn payload(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let payload = bytes.get(self.header..)?.get(..usize::try_from(self.length).ok()?)?;
        let mask = self.mask.unwrap_or_default();
        Some(payload.iter().zip(mask.iter().cycle()).map(|(octet, mask)| octet ^ mask).collect())
    }
}

impl Dissector for WebSocket {
    fn read(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        let frame = match Frame::read(bytes) {
            Ok(Some(frame)) => frame,
            Ok(None) => return Step::NotMine(Why::Grammar),
            Err(least) => return Step::NeedMore(least),
        };
        if let Some(pen) = notes.labels() {
            label(pen, frame, bytes);
        }
        let is_read = frame.opcode >= 8
            || (frame.opcode == 1 && frame.is_whole && !frame.is_compressed && frame.length <= TEXT_BYTES);
        if !is_read {
            self.message(side, frame.opcode, frame.header, notes);
            let length = (frame.header as u64).saturating_add(frame.length);
            return Step::Skip(length);
        }
        let end = frame.header + frame.length as usize;
        let Some(payload) = frame.payload(bytes) else { return Step::NeedMore(end) };
        match frame.opcode {
            8 => self.close(side, &payload, end, notes),
            9 => {
                let hash = crate::events::Hash128::of(&[&payload]).0 as u64;
                self.pinged[side] = Some(hash);
                notes.say(Word::KeepAlive, Stage::Asked, 0..end).op(b"PING").tag(hash);
            }
            10 => {
                let hash = crate::events::Hash128::of(&[&payload]).0 as u64;
                let is_answer = self.pinged[side.other()] == Some(hash);
                let stage = if is_answer { Stage::Granted } else { Stage::Told };
                let pong = notes.say(Word::KeepAlive, stage, 0..end).op(b"PONG");
                if is_answer {
                    self.pinged[side.other()] = None;
                    pong.tag(hash);
                }
            }
            _ => self.text(side, &payload, end, notes),
        }
        Step::Took(end)
    }

    fn end(&mut self, _side: Side, how: End, unread: &[u8], pending: u64, notes: &mut Notes<'_>) {
        let is_closed = self.closed.client || self.closed.server;
        if how == End::Over || is_closed || std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let cut = if pending > 0 || !unread.is_empty() {
            "in the middle of a frame"
        } else {
            "without a close frame"
        };
        notes.say(Word::Interrupt, Stage::Told, 0..unread.len()).mark(Marks::PARTIAL).text(cut.as_bytes());
    }

    fn fork(&self) -> Box<dyn Dissector> {
        Box::new(self.clone())
    }
}

/// The fields of a frame, by Wireshark's names.
fn label(mut labels: Labeller<'_>, frame: Frame, bytes: &[u8]) {
    let [first, second, ..] = *bytes else { return };
    let end = frame.header.saturating_add(usize::try_from(frame.length).unwrap_or(usize::MAX));
    labels.protocol("websocket", "WebSocket", 0..end);
    labels.flag("websocket.fin", "Fin", frame.is_whole, 0..1);
    labels.number("websocket.rsv", "Reserved", u64::from(first >> 4 & 7), 0..1);
    if frame.opcode < 8 {
        labels.flag("websocket.pmc", "Per-Message Compressed", frame.is_compressed, 0..1);
    }
    labels.number("websocket.opcode", "Opcode", u64::from(frame.opcode), 0..1);
    labels.meaning(match frame.opcode {
        0 => "Continuation",
        1 => "Text",
        2 => "Binary",
        8 => "Connection Close",
        9 => "Ping",
        10 => "Pong",
        _ => "",
    });
    labels.flag("websocket.mask", "Mask", frame.mask.is_some(), 1..2);
    labels.number("websocket.payload_length", "Payload length", u64::from(second & 0x7f), 1..2);
    match second & 0x7f {
        126 => {
            labels.number("websocket.payload_length_ext_16", "Extended Payload length", frame.length, 2..4);
        }
        127 => {
            labels.number("websocket.payload_length_ext_64", "Extended Payload length", frame.length, 2..10);
        }
        _ => {}
    }
    if let Some(mask) = frame.mask {
        labels.bytes("websocket.masking_key", "Masking-Key", &mask, frame.header - 4..frame.header);
    }
    let here = frame.header..end;
    let payload = frame.payload(bytes).filter(|_| frame.opcode >= 8);
    match (frame.opcode, payload) {
        (8, Some(payload)) => {
            labels.line("websocket.payload.close", "Close", here.clone());
            labels.open();
            if let Some(code) = payload.first_chunk::<2>() {
                let code = u64::from(u16::from_be_bytes(*code));
                labels.number(
                    "websocket.payload.close.status_code",
                    "Status code",
                    code,
                    here.start..here.start + 2,
                );
            }
            if let Some(reason) = payload.get(2..).filter(|reason| !reason.is_empty()) {
                labels.text("websocket.payload.close.reason", "Reason", reason, here.start + 2..here.end);
            }
            labels.close();
        }
        (9, Some(payload)) => labels.bytes("websocket.payload.ping", "Ping", &payload, here),
        (10, Some(payload)) => labels.bytes("websocket.payload.pong", "Pong", &payload, here),
        _ if frame.length > 0 => {
            labels.line("websocket.payload", format!("Payload, {} bytes", frame.length), here);
        }
        _ => {}
    }
}

impl WebSocket {
    /// A message begins, or one of its later frames. A run of messages of one side is told once.
    fn message(&mut self, side: Side, opcode: u8, end: usize, notes: &mut Notes<'_>) {
        let now = notes.time();
        let goes_on = self.last.is_some_and(|(last, when)| last == side && now.0 - when.0 < PAUSE.0);
        if goes_on || opcode == 0 {
            return;
        }
        self.last = Some((side, now));
        let op: &[u8] = if opcode == 1 { b"TEXT" } else { b"BINARY" };
        notes.say(Word::Turn, Stage::Told, 0..end).op(op);
    }

    /// A short text, which may be a word of Engine.IO: `0` opens, `2` pings, `3` answers.
    fn text(&mut self, side: Side, payload: &[u8], end: usize, notes: &mut Notes<'_>) {
        match payload {
            [b'0', b'{', rest @ ..] if side == Side::Server && !self.is_engine => {
                let text = |name: &[u8]| {
                    let at = memchr::memmem::find(rest, name)? + name.len();
                    let value = rest.get(at..)?.strip_prefix(b"\"").unwrap_or(rest.get(at..)?);
                    value.split(|octet| matches!(octet, b'"' | b',' | b'}')).next()
                };
                let Some(sid) = text(b"\"sid\":") else { return self.message(side, 1, end, notes) };
                self.is_engine = true;
                self.last = Some((side, notes.time()));
                let opened = notes
                    .say(Word::Turn, Stage::Told, 0..end)
                    .op(b"TEXT")
                    .identity(super::http::engine_session(sid, Use::Issues));
                let interval =
                    text(b"\"pingInterval\":").and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
                if let Some(interval) = interval {
                    opened.declares(Timer::KeepAlive, Span::from_millis(interval));
                }
            }
            b"2" if self.is_engine => {
                notes.say(Word::KeepAlive, Stage::Asked, 0..end).op(b"PING").mark(Marks::APP_PING);
            }
            b"3" if self.is_engine => {
                notes.say(Word::KeepAlive, Stage::Granted, 0..end).op(b"PONG").mark(Marks::APP_PING);
            }
            _ => self.message(side, 1, end, notes),
        }
    }

    /// A close frame: good-bye, or the reason why not (RFC 6455 §7.4.1). The other side echoes it.
    fn close(&mut self, side: Side, payload: &[u8], end: usize, notes: &mut Notes<'_>) {
        let code = payload.first_chunk::<2>().map(|code| u16::from_be_bytes(*code));
        let is_echo = self.closed[side.other()];
        self.closed[side] = true;
        let (word, stage, marks) = match code {
            _ if is_echo => (Word::Release, Stage::Granted, Marks::default()),
            // Going away, and restarting: the side stops.
            Some(1001 | 1012) => (Word::Release, Stage::Asked, Marks::SHUTDOWN),
            Some(1013) => (Word::Release, Stage::Asked, Marks::RETRYABLE),
            // Protocol error, wrong data, policy, too large, missing extension, internal error, bad gateway.
            Some(1002 | 1003 | 1007..=1011 | 1014) => (Word::Abort, Stage::Told, Marks::FATAL),
            _ => (Word::Release, Stage::Asked, Marks::default()),
        };
        let reason = payload.get(2..).unwrap_or_default();
        let mut said = notes.say(word, stage, 0..end).op(b"CLOSE").mark(marks);
        if let Some(code) = code {
            said = said.code(u32::from(code));
        }
        if !reason.is_empty() {
            said.text(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_lengths() {
        let frame = |bytes: &[u8]| {
            Frame::read(bytes).map(|frame| frame.map(|frame| (frame.opcode, frame.header, frame.length)))
        };
        assert_eq!(frame(b"\x81\x05"), Ok(Some((1, 2, 5))));
        assert_eq!(frame(b"\x82\x7e\x01\x00"), Ok(Some((2, 4, 256))));
        assert_eq!(frame(b"\x82\x7f\0\0\0\0\0\x01\0\0"), Ok(Some((2, 10, 65_536))));
        assert_eq!(frame(b"\x81\x85abcd"), Ok(Some((1, 6, 5))));
        assert_eq!(frame(b"\x81\x85abc"), Err(6));
        assert_eq!(frame(b"\x81"), Err(2));
        assert_eq!(frame(b"\x83\x00"), Ok(None), "a reserved opcode");
        assert_eq!(frame(b"\x08\x00"), Ok(None), "a control frame in parts");
        assert_eq!(frame(b"\x88\x7e\x01\x00"), Ok(None), "a long control frame");
        assert_eq!(frame(b"\x82\x7f\x80\0\0\0\0\0\0\0"), Ok(None), "a length without end");
    }
}
