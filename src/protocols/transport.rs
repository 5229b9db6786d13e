//! What the transport itself does, in the same twelve words: it opens, closes, resets and probes.

use crate::events::{
    Code, Confidence, Details, Event, Extent, Marks, Moment, Scope, ShortText, Side, Stage, Word,
};
use crate::stream::receiver::{Heard, Origin, Parties};
use crate::time::Span;

/// The catalogue name of what TCP says by itself.
pub const NAME: &str = "tcp";

/// From here on a pause is worth an event.
const PAUSE: Span = Span::from_secs(1);

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
    events.push(event(side, word, stage, *steps, now, parties));
    *steps += 1;
}

/// Says that somebody spoke after a time when nobody did; a shorter pause is not worth an event.
pub(super) fn say_quiet(
    side: Side,
    last: Option<Origin>,
    steps: &mut u32,
    now: Origin,
    parties: &Parties,
    events: &mut Vec<Event>,
) {
    let Some(last) = last else { return };
    let quiet = now.time.since(last.time);
    if quiet < PAUSE {
        return;
    }
    let mut event = event(side, Word::Turn, Stage::Told, *steps, now, parties);
    event.extent.first = last.at;
    event.details = Some(Box::new(Details { quiet: Some(quiet), ..Details::default() }));
    events.push(event);
    *steps += 1;
}

fn event(side: Side, word: Word, stage: Stage, step: u32, now: Origin, parties: &Parties) -> Event {
    Event {
        moment: Moment { packet: now.order, step, time: now.time },
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
    }
}
