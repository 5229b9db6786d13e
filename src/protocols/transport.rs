//! What the transport itself does, in the same twelve words: it opens, closes, resets and probes.

use crate::events::{Code, Confidence, Event, Extent, Marks, Moment, Scope, ShortText, Side, Stage, Word};
use crate::stream::receiver::{Heard, Origin, Parties};

/// The catalogue name of what TCP says by itself.
pub const NAME: &str = "tcp";

/// Says what the transport did, if it did anything.
pub(super) fn say(
    side: Side,
    heard: Heard<'_>,
    steps: &mut u32,
    now: Origin,
    parties: &Parties,
    events: &mut Vec<Event>,
) {
    let (word, stage) = match heard {
        Heard::Syn { answer: false } => (Word::Establish, Stage::Asked),
        Heard::Syn { answer: true } => (Word::Establish, Stage::Granted),
        Heard::Fin => (Word::Release, Stage::Told),
        Heard::Reset => (Word::Abort, Stage::Told),
        Heard::Probe => (Word::KeepAlive, Stage::Asked),
        Heard::ProbeAnswer => (Word::KeepAlive, Stage::Granted),
        Heard::Bytes { .. } | Heard::Missing { .. } | Heard::Closed | Heard::Over => return,
    };
    events.push(Event {
        moment: Moment { packet: now.order, step: *steps, time: now.time },
        connection: parties.key,
        protocol: NAME,
        side,
        word,
        stage,
        scope: Scope::Transport,
        grade: None,
        marks: Marks::default(),
        confidence: Confidence::Certain,
        op: ShortText::default(),
        code: Code::None,
        count: 1,
        channel: None,
        extent: Extent { first: now.at, last: now.at, start: 0, length: 0 },
        details: None,
    });
    *steps += 1;
}
