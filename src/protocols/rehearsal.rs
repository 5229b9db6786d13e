//! Plays scripts to a conversation and writes down what it says: the tests of all dissectors.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use super::{CATALOGUE, Conversation, Protocol, Said};
use crate::events::{Code, ConnectionKey, Endpoint, Event, Marks, Side};
use crate::place::PacketRef;
use crate::stream::receiver::{Heard, Origin, Parties};
use crate::time::Timestamp;

/// One act of a script.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act<'a> {
    /// The client sends this.
    C(&'a [u8]),
    /// The server sends this.
    S(&'a [u8]),
    /// Bytes of a side are missing from the capture.
    Gap(Side, u64),
    /// A side sends its FIN.
    Fin(Side),
    /// A side resets the connection.
    Reset(Side),
}

/// Plays a script, each act a packet one second after the last, to a server on this port. What is said comes back one
/// event a line: frame, side, word, stage, and what else it has.
pub(super) fn rehearse(port: u16, script: &[Act<'_>]) -> String {
    told(&play(port, script, usize::MAX))
}

/// The same with the bytes of each act split into pieces of at most this size, still counted as one packet.
pub(super) fn rehearse_in_pieces(port: u16, script: &[Act<'_>], piece: usize) -> String {
    told(&play(port, script, piece))
}

/// Plays a script and gives the events.
pub(super) fn play(port: u16, script: &[Act<'_>], piece: usize) -> Vec<Event> {
    play_among(CATALOGUE, port, true, script, piece)
}

/// The same among these protocols alone, on a connection that was heard from its beginning, or was not. One event a
/// line.
pub(super) fn rehearse_among(
    among: &[&'static Protocol],
    port: u16,
    from_start: bool,
    script: &[Act<'_>],
    piece: usize,
) -> String {
    told(&play_among(among, port, from_start, script, piece))
}

fn play_among(
    among: &[&'static Protocol],
    port: u16,
    from_start: bool,
    script: &[Act<'_>],
    piece: usize,
) -> Vec<Event> {
    let end = |last: u8, port: u16| Endpoint::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port);
    let parties = Parties { key: ConnectionKey(0), client: end(1, 40_000), server: end(2, port), from_start };
    let mut conversation = Conversation::default();
    let mut said = Said::default();
    let mut offsets = [0_u64; 2];
    let mut number = 0;
    let mut now = Origin::default();
    for act in script {
        number += 1;
        let at = PacketRef { number, frame: number, ..PacketRef::default() };
        now = Origin { at, time: Timestamp(number as i64 * 1_000_000_000), order: number << 4 };
        let mut hear =
            |side, heard: Heard<'_>| conversation.hear_among(among, side, heard, now, &parties, &mut said);
        match *act {
            Act::C(bytes) | Act::S(bytes) => {
                let side = if matches!(act, Act::C(_)) { Side::Client } else { Side::Server };
                for bytes in bytes.chunks(piece.max(1)) {
                    let offset = offsets[side as usize];
                    hear(side, Heard::Bytes { offset, bytes, from: now });
                    offsets[side as usize] += bytes.len() as u64;
                }
            }
            Act::Gap(side, length) => {
                hear(side, Heard::Missing { offset: offsets[side as usize], length, cut: false });
                offsets[side as usize] += length;
            }
            Act::Fin(side) => hear(side, Heard::Closed),
            Act::Reset(side) => hear(side, Heard::Reset),
        }
    }
    conversation.hear_among(among, Side::Client, Heard::Over, now, &parties, &mut said);
    said.events.retain(|event| event.protocol != super::transport::NAME);
    for given_up in &said.given_up {
        eprintln!("{given_up:?}");
    }
    said.events
}

/// One event a line.
fn told(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        let side = if event.side == Side::Client { 'C' } else { 'S' };
        let frames = (event.extent.first.number, event.extent.last.number);
        let frames =
            if frames.0 == frames.1 { frames.0.to_string() } else { format!("{}-{}", frames.0, frames.1) };
        let _ =
            write!(text, "{frames} {side} {} {} {}", event.protocol, event.word.name(), event.stage.name());
        if event.scope != crate::events::Scope::Session {
            let _ = write!(text, " scope={}", event.scope.name());
        }
        if let Some(grade) = event.grade {
            let _ = write!(text, " {}", grade.name());
        }
        if !event.op.is_empty() {
            let _ = write!(text, " {}", event.op);
        }
        if event.code != Code::None {
            let _ = write!(text, " {}", event.code);
        }
        for (mark, name) in [
            (Marks::INFERRED, "inferred"),
            (Marks::OPAQUE, "opaque"),
            (Marks::SILENT, "silent"),
            (Marks::APP_PING, "app-ping"),
            (Marks::PATIENT, "patient"),
            (Marks::PARTIAL, "partial"),
            (Marks::OUT_OF_TURN, "out-of-turn"),
            (Marks::FATAL, "fatal"),
            (Marks::RETRYABLE, "retryable"),
            (Marks::REPEATED, "repeated"),
            (Marks::TIMER, "timer"),
            (Marks::SHUTDOWN, "shutdown"),
            (Marks::TAKEN_OVER, "taken-over"),
            (Marks::LIMIT, "limit"),
            (Marks::STATE_LOST, "state-lost"),
            (Marks::NAMELESS, "nameless"),
            (Marks::UPSTREAM, "upstream"),
            (Marks::HELD, "held"),
        ] {
            if event.marks.has(mark) {
                let _ = write!(text, " {name}");
            }
        }
        let details = event.details();
        if let Some(position) = details.position {
            let _ = write!(text, " at={}{}", position.value, position.unit.name());
            if let Some(of) = position.of {
                let _ = write!(text, "/{of}");
            }
        }
        if let Some(mechanism) = details.mechanism {
            let _ = write!(text, " by={mechanism}");
        }
        for identity in &details.identities {
            let _ =
                write!(text, " {:?}:{}({})", identity.used, identity.kind.name(), identity.strength.letter());
        }
        for declared in &details.declared {
            let _ = write!(text, " {}={}s", declared.timer.name(), declared.span.as_secs());
        }
        if let Some(principal) = &details.principal {
            let _ = write!(text, " who={}", principal.name);
        }
        if let Some(object) = &details.object {
            let _ = write!(text, " {object:?}");
        }
        if let Some(words) = &details.text {
            let _ = write!(text, " says={words:?}");
        }
        if let Some(action) = &details.action {
            let _ = write!(text, " {}", action.safety.name());
        }
        text.push('\n');
    }
    text
}
