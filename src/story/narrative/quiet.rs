//! The times when nobody worked, and whether anything kept the session alive meanwhile.

use std::fmt::Write as _;

use super::{Line, Proof, lasted};
use crate::events::transport::How;
use crate::events::{Connection, Event, Scope, Side, Stage, Timer, Word};
use crate::place::PacketRef;
use crate::session::{Leg, Role, SessionLeg};
use crate::story::amounts::counted;
use crate::time::{Span, Timestamp};

/// A pause this long is told.
const TOLD: Span = Span::from_secs(5);

/// Pauses told of one connection: the longest.
const MOST: usize = 5;

/// A time without work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pause {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    from: PacketRef,
    until: PacketRef,
    alive: Alive,
    /// Its first frame is the last with payload, so that nothing lies between its two.
    exact: bool,
    /// It lasted to the end of the connection.
    last: bool,
}

/// Keep-alives during a pause: of TCP and of the protocol, with their answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Alive {
    probes: u32,
    probe_answers: u32,
    pings: u32,
    ping_answers: u32,
}

impl Alive {
    fn note(&mut self, event: &Event) {
        let (asked, answered) = if event.scope == Scope::Transport {
            (&mut self.probes, &mut self.probe_answers)
        } else {
            (&mut self.pings, &mut self.ping_answers)
        };
        match event.stage {
            Stage::Asked | Stage::Told => *asked = asked.saturating_add(event.count),
            Stage::Granted => *answered = answered.saturating_add(event.count),
            Stage::Offered | Stage::Refused => {}
        }
    }

    fn add(&mut self, other: Self) {
        self.probes += other.probes;
        self.probe_answers += other.probe_answers;
        self.pings += other.pings;
        self.ping_answers += other.ping_answers;
    }
}

/// The longest pauses of a connection, in order. Keep-alives do not end a pause.
pub(super) fn pauses(events: &[&Event], connection: &Connection) -> Vec<Pause> {
    let mut all: Vec<Pause> = Vec::new();
    let mut open: Option<Pause> = None;
    // What was seen since the last work, and belongs to the pause that begins there.
    let mut since = Alive::default();
    let mut last_payload: Option<(Timestamp, PacketRef)> = None;
    let mut closing: Option<&Event> = None;
    // Whether what ended the open pause is known to have been a keep-alive of the protocol.
    let mut kept = false;
    for event in events {
        let at = (event.moment.time, event.extent.last);
        if let Some(quiet) = event.details().quiet {
            // What ended the pause before was the middle of a message: no event tells of it.
            if !kept {
                all.extend(open.take());
            }
            kept = false;
            last_payload = Some(at);
            let start = Timestamp(event.moment.time.0 - quiet.0);
            let pause = open.get_or_insert(Pause {
                start,
                end: start,
                from: event.extent.first,
                until: event.extent.last,
                alive: Alive::default(),
                exact: true,
                last: false,
            });
            (pause.end, pause.until) = at;
            pause.alive.add(std::mem::take(&mut since));
        } else if event.word == Word::KeepAlive {
            match &mut open {
                Some(pause) => pause.alive.note(event),
                None => since.note(event),
            }
            if event.scope != Scope::Transport {
                kept = true;
                last_payload = Some(at);
            }
        } else if event.scope == Scope::Transport {
            if matches!(event.word, Word::Release | Word::Abort) {
                closing.get_or_insert(event);
            }
        } else {
            all.extend(open.take());
            since = Alive::default();
            last_payload = Some(at);
        }
    }
    if !kept {
        all.extend(open.take());
    }
    all.extend(at_the_end(connection, open, since, last_payload, closing));
    all.retain(|pause| pause.end.since(pause.start) >= TOLD);
    all.sort_by_key(|pause| (std::cmp::Reverse(pause.end.since(pause.start)), pause.start));
    all.truncate(MOST);
    all.sort_by_key(|pause| pause.start);
    all
}

/// The pause before the end of the connection.
fn at_the_end(
    connection: &Connection,
    open: Option<Pause>,
    since: Alive,
    last_payload: Option<(Timestamp, PacketRef)>,
    closing: Option<&Event>,
) -> Option<Pause> {
    let (end, until) = match closing {
        Some(event) => (event.moment.time, event.extent.last),
        None => (connection.end + watched(connection), connection.last),
    };
    let seen = Side::BOTH.iter().filter_map(|side| connection.sides[*side].last_payload).max();
    let (start, from, exact) = if let Some(pause) = open {
        (pause.start, pause.from, true)
    } else {
        let (time, frame) = last_payload?;
        // Payload that said nothing new (the middle of a body) may have come behind the last event.
        let seen = seen.unwrap_or(time).max(time);
        (seen, frame, seen == time)
    };
    let mut alive = open.map(|pause| pause.alive).unwrap_or_default();
    alive.add(since);
    (end > start).then_some(Pause { start, end, from, until, alive, exact, last: true })
}

/// How long nothing came before the capture ended; nothing where the connection ended by itself.
fn watched(connection: &Connection) -> Span {
    match connection.ended.how {
        How::CaptureEnd | How::Silence => connection.visibility.tail,
        How::Fin | How::Rst | How::Icmp => Span::ZERO,
    }
}

/// How long nobody had sent payload when the first side closed.
pub(in crate::story) fn tail(leg: &Leg, connection: &Connection) -> Option<Span> {
    let last = Side::BOTH.iter().filter_map(|side| connection.sides[*side].last_payload).max()?;
    Some(leg.closing.unwrap_or(connection.end).since(last))
}

/// Tells the pauses.
pub(super) fn tell(pauses: &[Pause], part: &SessionLeg, lines: &mut Vec<Line>) {
    if part.leg.role == Role::Data {
        return;
    }
    let declared = part.leg.clocks.declared(Timer::KeepAlive);
    for pause in pauses {
        let length = lasted(pause.end.since(pause.start));
        let mut text = format!("{length} without a message");
        let alive = pause.alive;
        if alive.probes > 0 {
            let _ = write!(
                text,
                ", {} of TCP ({} answered)",
                counted(u64::from(alive.probes), "keep-alive"),
                alive.probe_answers
            );
        }
        if alive.pings > 0 {
            let _ = write!(
                text,
                ", {} of the protocol ({} answered)",
                counted(u64::from(alive.pings), "keep-alive"),
                alive.ping_answers
            );
        }
        if alive.probes + alive.pings == 0 {
            text.push_str(", no keep-alive of TCP or of the protocol");
            if let Some((side, span)) = declared {
                let _ = write!(text, " (the {} promised one each {})", side.name(), lasted(span));
            }
        }
        if pause.last {
            text.push_str(", to the end");
        }
        let proof = if pause.from == pause.until {
            Proof::Frames(vec![pause.from])
        } else if alive.probes + alive.pings > 0 || !pause.exact {
            Proof::Through(pause.from, pause.until)
        } else {
            Proof::Between(pause.from, pause.until)
        };
        lines.push(Line { time: pause.start, phase: "idle", text, proof });
    }
}
