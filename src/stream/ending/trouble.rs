//! What went wrong on the way of a connection, out of what its two directions kept.

use super::Case;
use crate::events::side::{PerSide, Side};
use crate::events::trouble::{ClosedWindow, IcmpFacts, Mark, SideTrouble, SlowTrips, Stall, Stuck, Trouble};
use crate::stream::tcp::half::{Act, Unanswered};
use crate::stream::tcp::trouble::Closed;
use crate::time::Span;

/// Round trips from this on are worth telling.
const SLOW: Span = Span::from_secs(1);

fn mark(act: Act) -> Mark {
    Mark { at: act.at, time: act.time }
}

/// The troubles of this connection; none where there were none.
pub(super) fn of(case: &Case<'_>) -> Option<Box<Trouble>> {
    let icmp = case.connection.icmp.map(|note| IcmpFacts {
        from: note.error.from,
        kind: note.error.kind,
        code: note.error.code,
        mtu: note.error.mtu,
        mark: mark(note.act),
        about: case.side(note.direction),
        contradicted: note.contradicted,
    });
    let sides = PerSide { client: side(case, Side::Client), server: side(case, Side::Server) };
    let trouble =
        Trouble { icmp, stall: stall(case), recorded_again: case.connection.recorded_again.map(mark), sides };
    (!trouble.is_none()).then(|| Box::new(trouble))
}

/// The longest stall, of either side, ended or not.
fn stall(case: &Case<'_>) -> Option<Stall> {
    let told = |side, open: Unanswered, ended: Option<Act>| {
        let (gap, around) = case.connection.longest_silence;
        Stall {
            by: side,
            quiet: around.filter(|(_, after)| after.at == open.first.at).map_or(Span::ZERO, |_| gap),
            first: mark(open.first),
            last: mark(open.last),
            transmissions: open.transmissions,
            probes: open.probes,
            ended: ended.map(mark),
        }
    };
    let ended =
        |side| case.half(side).trouble.stalled.map(|stalled| told(side, stalled.open, Some(stalled.ended)));
    let open = |side| {
        let open = case.half(side).unanswered.filter(|open| open.transmissions > 1 || open.probes > 1)?;
        Some(told(side, open, None))
    };
    let span = |stall: &Stall| stall.ended.unwrap_or(stall.last).time.since(stall.first.time);
    Side::BOTH.into_iter().flat_map(|side| [ended(side), open(side)]).flatten().max_by_key(span)
}

fn side(case: &Case<'_>, side: Side) -> SideTrouble {
    let trouble = &case.half(side).trouble;
    let now = Act { at: case.connection.last, time: case.connection.clock };
    let span = |closed: &Closed| closed.span(now);
    let closed = trouble.closed.into_iter().chain(trouble.longest_closed).max_by_key(span);
    let stuck = trouble.stuck.into_iter().chain(trouble.was_stuck).max_by_key(|stuck| stuck.sends);
    SideTrouble {
        closed_window: closed.map(|closed| ClosedWindow {
            span: closed.span(now),
            closed: mark(closed.from),
            opened: closed.to.map(mark),
            probes: closed.probes,
        }),
        stuck: stuck.filter(|stuck| stuck.sends > 2).map(|stuck| Stuck {
            length: stuck.length,
            sends: stuck.sends,
            first: mark(stuck.first),
            last: mark(stuck.last),
            arrived: trouble.largest.1,
            heard: stuck.heard,
            acknowledged: stuck.acknowledged,
        }),
        slow: (trouble.echo.peak >= SLOW)
            .then_some(SlowTrips { peak: trouble.echo.peak, needless: trouble.echo.needless }),
        conflict: trouble.conflict.map(|(first, second)| (mark(first), mark(second))),
    }
}
