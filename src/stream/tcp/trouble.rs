//! What went wrong on one direction, as far as it is kept: closed windows, segments that do not arrive, silence,
//! bytes that were sent twice and differently.

use std::hash::BuildHasher as _;

use super::half::{Act, Unanswered};
use crate::stream::pack::packed;
use crate::time::{Span, Timestamp};

/// Segments whose content is remembered, to be compared with their repetitions.
const REMEMBERED: usize = 3;

/// How much of a segment's begin is compared: the most that both copies have.
const HEADS: [usize; 4] = [8, 16, 32, 64];

/// Bytes at its end that are compared.
const TAIL: usize = 64;

/// What is sent so soon after a window was closed may have been under way. No timeout is shorter (RFC 6298 has 1 s,
/// usual systems 200 ms).
const UNDER_WAY: Span = Span::from_millis(200);

/// Repetitions from which on a segment is worth telling.
const STUCK: u32 = 3;

/// A window closed by the side that receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// Where.
    pub from: Act,
    /// Where it was opened again.
    pub to: Option<Act>,
    /// Probes of the other side meanwhile.
    pub probes: u32,
}

/// The oldest segment without acknowledgment, or one that was it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stuck {
    /// Where it begins in its stream.
    pub start: i64,
    /// Its payload.
    pub length: u32,
    /// How often it was sent.
    pub sends: u32,
    /// The first sending that was seen as one of the oldest.
    pub first: Act,
    /// The last.
    pub last: Act,
    /// Segments of the other side since.
    pub heard: u32,
    /// Whether it was acknowledged.
    pub acknowledged: bool,
}

/// Segments of one side to which nothing came back for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stalled {
    /// The segments.
    pub open: Unanswered,
    /// What came at last.
    pub ended: Act,
}

impl Stalled {
    fn span(&self) -> Span {
        self.ended.time.since(self.open.first.time)
    }
}

/// A segment's content, as far as it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Content {
    start: u64,
    length: u32,
    heads: [Option<u32>; 4],
    whole: Option<u32>,
    act: Act,
}

/// Round trips by timestamps (RFC 7323): they tell a repetition's acknowledgment from the original's (RFC 3522).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Echo {
    /// The timestamp that is waited for; when it was sent, and whether a segment was repeated since.
    timed: Option<(u32, (Timestamp, bool))>,
    /// The last two round trips.
    recent: [Span; 2],
    /// The longest that three round trips in a row had at least.
    pub peak: Span,
    /// Repetitions of what had arrived.
    pub needless: u32,
}

/// What went wrong on one direction.
#[derive(Debug, Clone, Default)]
pub struct Trouble {
    /// The window that this side keeps closed now.
    pub closed: Option<Closed>,
    /// The one that it kept closed longest.
    pub longest_closed: Option<Closed>,
    /// The oldest segment without acknowledgment.
    pub stuck: Option<Stuck>,
    /// An earlier one that was sent often.
    pub was_stuck: Option<Stuck>,
    /// Largest payload sent in one segment, and the largest known to have arrived.
    pub largest: (u32, u32),
    /// The longest stall that ended.
    pub stalled: Option<Stalled>,
    /// Round trips by the timestamps that the other side sends back.
    pub echo: Echo,
    /// Segments with payload.
    pub data_segments: u32,
    /// The first segment whose repetition had other bytes, and that one.
    pub conflict: Option<(Act, Act)>,
    recent: [Option<Content>; REMEMBERED],
    next: u8,
}

packed!(Closed { from, to, probes });
packed!(Stuck { start, length, sends, first, last, heard, acknowledged });
packed!(Stalled { open, ended });
packed!(Content { start, length, heads, whole, act });
packed!(Echo { timed, recent, peak, needless });
packed!(Trouble {
    closed,
    longest_closed,
    stuck,
    was_stuck,
    largest,
    stalled,
    echo,
    data_segments,
    conflict,
    recent,
    next
});

impl Trouble {
    /// This side announces a closed window, or an open one.
    pub fn window(&mut self, open: bool, act: Act) {
        if !open {
            self.closed.get_or_insert(Closed { from: act, to: None, probes: 0 });
        } else if let Some(closed) = self.closed.take() {
            let now = Closed { to: Some(act), ..closed };
            if self.longest_closed.is_none_or(|longest| now.span(act) > longest.span(act)) {
                self.longest_closed = Some(now);
            }
        }
    }

    /// The other side sends something to this side, whose window may be closed: then, if it was not under way, a probe.
    pub fn probed(&mut self, act: Act) {
        if let Some(closed) = &mut self.closed
            && act.time.since(closed.from.time) >= UNDER_WAY
        {
            closed.probes = closed.probes.saturating_add(1);
        }
    }

    /// This side sends a segment with payload; all before `acked` has arrived.
    pub fn sent(&mut self, act: Act, start: i64, length: u32, acked: u64, fresh: bool) {
        self.data_segments = self.data_segments.saturating_add(1);
        self.largest.0 = self.largest.0.max(length);
        match &mut self.stuck {
            Some(stuck) if stuck.start == start => {
                stuck.sends = stuck.sends.saturating_add(1);
                stuck.last = act;
            }
            None if u64::try_from(start).is_ok_and(|start| start <= acked) => {
                let sends = if fresh { 1 } else { 2 };
                let (first, last) = (act, act);
                self.stuck = Some(Stuck { start, length, sends, first, last, heard: 0, acknowledged: false });
            }
            _ => {}
        }
    }

    /// Everything of this side before `acked` has arrived; it has sent up to `highest`.
    pub fn acknowledged(&mut self, acked: u64, highest: u64) {
        if acked >= highest {
            self.largest.1 = self.largest.0;
        }
        let arrived = |stuck: &mut Stuck| stuck.start.saturating_add(i64::from(stuck.length)) <= acked as i64;
        if let Some(stuck) = self.stuck.take_if(arrived) {
            self.largest.1 = self.largest.1.max(if stuck.sends == 1 { stuck.length } else { 0 });
            if stuck.sends >= STUCK && self.was_stuck.is_none_or(|worst| stuck.sends > worst.sends) {
                self.was_stuck = Some(Stuck { acknowledged: true, ..stuck });
            }
        }
    }

    /// So many bytes beyond a hole have arrived: the other side says so (SACK, RFC 2018).
    pub fn arrived(&mut self, bytes: u32) {
        if self.stuck.is_some_and(|stuck| bytes < stuck.length) {
            self.largest.1 = self.largest.1.max(bytes);
        }
    }

    /// The other side said something; `open` is what this side waited for an answer to.
    pub fn heard(&mut self, open: Option<Unanswered>, act: Act) {
        if let Some(stuck) = self.stuck.as_mut().filter(|stuck| stuck.sends > 1) {
            stuck.heard = stuck.heard.saturating_add(1);
        }
        let Some(open) = open.filter(|open| open.transmissions > 1) else { return };
        let stalled = Stalled { open, ended: act };
        if self.stalled.is_none_or(|longest| stalled.span() > longest.span()) {
            self.stalled = Some(stalled);
        }
    }

    /// Nothing that comes now can be compared with what was seen before.
    pub fn forget_content(&mut self) {
        self.recent = <[Option<Content>; REMEMBERED]>::default();
    }

    /// Compares a segment's bytes with those of an earlier one at the same place; `payload` is what was recorded.
    pub fn content(&mut self, act: Act, start: u64, length: u32, payload: &[u8]) {
        // A single byte may be the garbage of a keep-alive probe (RFC 9293 section 3.8.4).
        if length < 2 || self.conflict.is_some() {
            return;
        }
        let Some(now) = Content::of(act, start, length, payload) else { return };
        let earlier = self.recent.iter().flatten().find(|earlier| earlier.start == start);
        match earlier {
            Some(earlier) if earlier.differs(&now) => self.conflict = Some((earlier.act, act)),
            Some(_) => {}
            None => {
                if let Some(slot) = self.recent.get_mut(usize::from(self.next) % REMEMBERED) {
                    *slot = Some(now);
                    self.next = self.next.wrapping_add(1);
                }
            }
        }
    }
}

impl Echo {
    /// A segment with payload and this timestamp is sent; `fresh` if for the first time.
    pub fn sent(&mut self, value: u32, time: Timestamp, fresh: bool) {
        match &mut self.timed {
            Some((_, (_, resent))) => *resent |= !fresh,
            None if fresh => self.timed = Some((value, (time, false))),
            None => {}
        }
    }

    /// The other side sends a timestamp back.
    pub fn came_back(&mut self, value: u32, now: Timestamp) {
        let Some((sent, (time, resent))) = self.timed else { return };
        if value == sent {
            let trip = now.since(time);
            let [last, before] = self.recent;
            self.peak = self.peak.max(trip.min(last).min(before));
            self.recent = [trip, last];
            self.needless = self.needless.saturating_add(u32::from(resent));
        }
        if (value.wrapping_sub(sent) as i32) >= 0 {
            self.timed = None;
        }
    }
}

impl Closed {
    /// For how long, seen from `now` where it is closed still.
    pub fn span(&self, now: Act) -> Span {
        self.to.unwrap_or(now).time.since(self.from.time)
    }
}

impl Content {
    fn of(act: Act, start: u64, length: u32, payload: &[u8]) -> Option<Self> {
        let hash = |bytes: &[u8]| foldhash::fast::FixedState::with_seed(1).hash_one(bytes) as u32;
        let heads = HEADS.map(|bytes| payload.get(..bytes).map(hash));
        let complete = payload.len() == length as usize;
        let whole = complete.then(|| {
            let tail = payload.last_chunk::<TAIL>().map_or(payload, |tail| tail.as_slice());
            hash(tail)
        });
        (complete || heads.first().is_some_and(Option::is_some)).then_some(Self {
            start,
            length,
            heads,
            whole,
            act,
        })
    }

    /// Whether both are known to have other bytes at the same place.
    fn differs(&self, other: &Self) -> bool {
        let both =
            |one: Option<u32>, other: Option<u32>| one.zip(other).is_some_and(|(one, other)| one != other);
        let heads = self.heads.iter().zip(&other.heads).any(|(one, other)| both(*one, *other));
        heads || (self.length == other.length && both(self.whole, other.whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::PacketRef;

    fn act(number: u64) -> Act {
        Act { at: PacketRef { number, ..PacketRef::default() }, time: Timestamp(number as i64 * 1_000) }
    }

    #[test]
    fn other_bytes_at_the_same_place_are_seen_and_equal_ones_are_not() {
        let long = |last: u8| [[b'x'; 199].as_slice(), &[last]].concat();
        let cases: [(&[u8], &[u8], bool); 7] = [
            (b"HTTP/1.1 200", b"HTTP/1.1 200", false),
            (b"HTTP/1.1 200", b"HTTP/1.1 302", true),
            (b"HTTP/1.1 200", b"HTTP/1.1 200 OK", false),
            (b"is it you?", b"yes, it is me", true),
            (&long(b'a'), &long(b'b'), true),
            (&long(b'a'), &long(b'a')[..100], false),
            (b"a", b"b", false),
        ];
        for (first, second, differs) in cases {
            let mut trouble = Trouble::default();
            trouble.content(act(1), 10, first.len() as u32, first);
            trouble.content(act(2), 10, second.len() as u32, second);
            assert_eq!(trouble.conflict.is_some(), differs, "{first:?} {second:?}");
        }
    }

    #[test]
    fn what_is_large_and_never_arrives_is_told_with_what_did() {
        let mut trouble = Trouble::default();
        trouble.sent(act(1), 0, 200, 0, true);
        trouble.acknowledged(200, 200);
        for n in 2..6 {
            trouble.sent(act(n), 200, 1_448, 200, n == 2);
            trouble.heard(None, act(n));
        }
        trouble.arrived(300);
        let stuck = trouble.stuck.unwrap();
        assert_eq!((stuck.length, stuck.sends, stuck.heard, trouble.largest.1), (1_448, 4, 3, 300));
    }
}
