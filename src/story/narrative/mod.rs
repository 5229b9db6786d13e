//! The story of a session in sentences, each with its time and the frames that prove it.

mod claims;
mod ending;
mod opening;
mod quiet;
mod work;

use super::Teller;
use super::amounts::{bytes, count};
use crate::events::{Connection, Position, Principal, Unit};
use crate::place::PacketRef;
use crate::session::{Confirmed, Point, Role, Session, SessionLeg};
use crate::time::{Span, Timestamp};

pub(super) use ending::is_readable;
pub(super) use opening::handshake;
pub(super) use quiet::tail as idle_before_end;
pub(super) use work::asked;

/// Connections of one session told in full at its beginning, and as many at its end; those between are counted.
const LEGS_TOLD: usize = 8;

/// Characters of a path, a topic or an answer's words that a sentence quotes.
const QUOTED: usize = 72;

/// The story of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// What happened, in order of time.
    pub lines: Vec<Line>,
    /// What to look at or to do next.
    pub next: String,
}

/// One sentence of a story.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// When it began.
    pub time: Timestamp,
    /// What it is about, in one or two words.
    pub phase: &'static str,
    /// The sentence. Holds text from the wire: escaped by whoever prints.
    pub text: String,
    /// What proves it.
    pub proof: Proof,
}

/// The frames of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// These.
    Frames(Vec<PacketRef>),
    /// All of the connection from the first to the second.
    Through(PacketRef, PacketRef),
    /// That nothing lies between these two.
    Between(PacketRef, PacketRef),
}

impl Proof {
    /// The frames that are named.
    pub fn frames(&self) -> Vec<PacketRef> {
        match self {
            Self::Frames(frames) => frames.clone(),
            Self::Through(first, last) | Self::Between(first, last) => {
                let mut frames = vec![*first, *last];
                frames.dedup();
                frames
            }
        }
    }

    fn of(points: &[Point]) -> Self {
        let mut frames: Vec<PacketRef> = points.iter().flat_map(Point::frames).collect();
        frames.sort_unstable();
        frames.dedup();
        Self::Frames(frames)
    }
}

/// Tells the story.
pub(super) fn tell(session: &Session, teller: &Teller<'_>) -> Story {
    let mut lines = Vec::new();
    let mains = session.legs.iter().filter(|part| part.leg.role == Role::Main).count();
    let mut nth = 0;
    let mut untold: Vec<&SessionLeg> = Vec::new();
    for part in &session.legs {
        let Some(connection) = teller.connection(part) else { continue };
        if part.leg.role == Role::Data {
            opening::data(session, part, connection, &mut lines);
            continue;
        }
        nth += 1;
        if mains > 2 * LEGS_TOLD && nth > LEGS_TOLD && nth + LEGS_TOLD <= mains {
            untold.push(part);
            continue;
        }
        leg(session, part, nth, connection, teller, &mut lines);
    }
    if let Some(line) = opening::untold(&untold, teller) {
        lines.push(line);
    }
    claims::repeats(session, &mut lines);
    ending::before(session, teller, &mut lines);
    lines.sort_by_key(|line| line.time);
    ending::tell(session, teller, &mut lines);
    Story { lines, next: super::next::next(session, teller) }
}

/// One connection that carries the session, the `nth` from 1.
fn leg(
    session: &Session,
    part: &SessionLeg,
    nth: usize,
    connection: &Connection,
    teller: &Teller<'_>,
    lines: &mut Vec<Line>,
) {
    let events: Vec<_> = teller.events(part.leg.key).collect();
    let last = session.last_main().is_some_and(|last| last.connection == part.connection);
    opening::setup(part, nth, session, connection, &events, lines);
    claims::logins(&part.leg, teller, lines);
    claims::resumptions(&part.leg, lines);
    let pauses = quiet::pauses(&events, connection);
    work::active(&events, &pauses, lines);
    quiet::tell(&pauses, part, lines);
    ending::path(connection, lines);
    if !last {
        ending::of_leg(nth, connection, lines);
    }
}

/// Text from the wire, short enough for a sentence.
pub(super) fn quoted(text: &str) -> String {
    if text.chars().count() <= QUOTED {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(QUOTED - 1).collect();
    short.push('…');
    short
}

/// A place in a unit of work, for people.
pub(super) fn place(position: Position) -> String {
    let of = |whole: String| format!(" of {whole}");
    match position.unit {
        Unit::Bytes => {
            format!("byte {}{}", count(position.value), position.of.map(count).map(of).unwrap_or_default())
        }
        Unit::Messages => counted_of(position, "message"),
        Unit::Recipients => counted_of(position, "recipient"),
        unit => format!("{} {}", unit.name(), position.value),
    }
}

fn counted_of(position: Position, noun: &str) -> String {
    let of = position.of.map(|of| format!(" of {}", count(of))).unwrap_or_default();
    format!("{noun} {}{of}", count(position.value))
}

/// How much a position is: bytes in their units, the rest as it is counted.
pub(super) fn amount(position: Position) -> String {
    match (position.unit, position.of) {
        (Unit::Bytes, Some(of)) if of != position.value => {
            format!("{} of {}", bytes(position.value), bytes(of))
        }
        (Unit::Bytes, _) => bytes(position.value),
        _ => place(position),
    }
}

/// A confirmed point, for people.
pub(super) fn confirmed(point: &Confirmed) -> String {
    let mut text = format!("{} checkpoint", point.grade.name());
    if let Some(object) = &point.object {
        text.push_str(" of ");
        text.push_str(&quoted(object));
    }
    if let Some(position) = point.position {
        text.push_str(", ");
        text.push_str(&place(position));
    }
    text
}

/// Who logs in: the name, or where names are hidden a part of its hash.
pub fn who(principal: &Principal, hidden: bool) -> String {
    if hidden {
        let hex = principal.hash.hex();
        format!("user #{}", hex.get(..8).unwrap_or(&hex))
    } else {
        format!("user {}", quoted(&principal.name))
    }
}

/// A time as sentences say it: three digits below ten seconds, seconds below two minutes.
pub(super) fn lasted(span: Span) -> String {
    let seconds = span.as_secs();
    if (10.0..120.0).contains(&seconds) { format!("{seconds:.1} s") } else { span.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_at_a_character() {
        assert_eq!(quoted("short"), "short");
        let long = "ü".repeat(100);
        assert_eq!(quoted(&long).chars().count(), QUOTED);
        assert!(quoted(&long).ends_with('…'));
    }

    #[test]
    fn positions_read_well() {
        assert_eq!(place(Position::bytes(6_553_600).of(Some(10_000_000))), "byte 6,553,600 of 10,000,000");
        assert_eq!(place(Position { unit: Unit::Recipients, value: 2, of: None }), "recipient 2");
        assert_eq!(amount(Position::bytes(1_000).of(Some(4_000))), "1.00 kB of 4.00 kB");
        assert_eq!(lasted(Span::from_millis(23)), "23 ms");
        assert_eq!(lasted(Span::from_millis(62_040)), "62.0 s");
        assert_eq!(lasted(Span::from_secs(399)), "6m 39s");
    }
}
