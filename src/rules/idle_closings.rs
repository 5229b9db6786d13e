//! Closings after idleness: what an end closed though nothing was owed, and which timer that suggests (`domain.md` D.2).
//!
//! The pattern comes first: a timer that was stated or declared, closings of several connections after the same time.
//! One closing alone is a hint where its time is one that people set: a whole number of seconds.

use std::collections::{BTreeMap, BTreeSet};

use super::population::Population;
use super::subject::{Part, Subject};
use super::timers;
use crate::events::transport::{By, ClosingAct, How, Opened, Reason, RstClass};
use crate::events::{Confidence, Hash128, Marks, PerSide, Side, Timer, Word};
use crate::place::PacketRef;
use crate::session::{Question, Role};
use crate::time::{Span, Timestamp};

/// A shorter pause is no timer's (`domain.md` D.2).
const SHORTEST: Span = Span::from_millis(900);

/// Below this, a closing alone is no hint: scripts sleep for a second.
const SHORTEST_ALONE: Span = Span::from_millis(2_900);

/// How far above a whole number of seconds a timer's closing is: programs look at their clocks late, never early.
const LATE: Span = Span::from_millis(100);

/// Closings that make a cluster of servers and of clients, and at a time that products are shipped with.
const CLUSTER: PerSide<usize> = PerSide { client: 5, server: 3 };

/// The same, where the time is one that people set.
const CLUSTER_KNOWN: usize = 2;

/// What is not acknowledged by a closing may have been under way for this long, or a round trip.
const UNDER_WAY: Span = Span::from_millis(50);

/// Closings within so short a time are one act, and no timer's.
const TOGETHER: Span = Span::from_secs(1);

/// A closing by one end with nothing owed, after a pause.
#[derive(Debug, Clone, Copy)]
pub struct IdleClosing<'a> {
    /// The session.
    pub subject: Subject<'a>,
    /// The connection in it.
    pub part: Part<'a>,
    /// The closing act.
    pub act: &'a ClosingAct,
    /// For how long neither side had sent payload.
    pub idle: Span,
}

/// Why a closing is taken for a timer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The closing side had announced the timer.
    Declared,
    /// So many connections closed after the same time.
    Alike(usize),
    /// It is a whole number of seconds, and no other connection of the service was idle for longer.
    Whole,
}

/// A closing that a timer made.
#[derive(Debug, Clone, Copy)]
pub struct TimedClosing<'a> {
    /// The closing.
    pub closing: IdleClosing<'a>,
    /// The timer: the median of all alike.
    pub timer: Span,
    /// Why it is taken for one.
    pub sign: Sign,
    /// How sure that is.
    pub confidence: Confidence,
    /// Equal for those that one timer closed.
    pub group: usize,
}

/// Whether a time is one that people set: a whole number of seconds, and little more.
pub fn is_whole(span: Span) -> bool {
    span >= SHORTEST_ALONE && (span.0 + 1_000_000) % 1_000_000_000 <= LATE.0
}

/// The question that a side had been asked by then, and had not answered. What crossed its closing was not heard by it.
pub fn owed_at<'a>(part: &Part<'a>, by: Side, time: Timestamp) -> Option<&'a Question> {
    let crossing = crossing(part).map(|question| question.at);
    let open = |question: &&Question| {
        !question.patient && !question.guessed && question.by != by && Some(question.at) != crossing
    };
    part.leg.dialog.open.iter().filter(open).find(|question| question.at.time <= time)
}

/// The question that its peer had not heard when it closed: sent after the closing was recorded, or just before it and
/// not acknowledged by it. A good-bye is no question.
pub fn crossing<'a>(part: &Part<'a>) -> Option<&'a Question> {
    let act = part.connection.closing.as_deref()?;
    let asker = act.side.other();
    let under_way = Span(part.connection.rtt.initial.unwrap_or_default().0.max(UNDER_WAY.0));
    let just_before = |question: &Question| {
        act.unacked[asker] > 0 && act.time.since(question.at.time) <= under_way && question.begun.is_none()
    };
    let goodbye = part.leg.goodbye.as_deref().map(|goodbye| goodbye.at);
    part.leg.dialog.open.iter().find(|question| {
        question.by == asker
            && !question.guessed
            && question.word != Word::Release
            && Some(question.at) != goodbye
            && (question.at.first > act.at || just_before(question))
    })
}

impl<'a> IdleClosing<'a> {
    /// The closing of this connection, if it is one after idleness.
    pub fn of(subject: Subject<'a>, part: Part<'a>) -> Option<Self> {
        let connection = part.connection;
        let act = connection.closing.as_deref()?;
        let ended = &connection.ended;
        let by_an_end = ended.by == By::from(act.side) && matches!(ended.how, How::Fin | How::Rst);
        let open_reason = matches!(
            ended.reason,
            Reason::Released
                | Reason::HalfReleased
                | Reason::Abort
                | Reason::IdleTimeout
                | Reason::Unknown
                | Reason::CaptureEnded
        );
        let live = act.fin || ended.rst.is_some_and(|rst| rst.class == RstClass::Abort);
        if part.leg.role == Role::Data || !by_an_end || !open_reason || !live || !part.sees_both() {
            return None;
        }
        let idle = Self::idle(&part, act)?;
        let owes = owed_at(&part, act.side, act.time).is_some();
        let waits = owed_at(&part, act.side.other(), act.time).is_some() && !Self::is_early(&part, act);
        // Where nobody reads the talk, whoever spoke last may be waiting for an answer.
        let unread = part.leg.readable == 0 || part.leg.opaque > 0;
        let asked_last = act.spoke_last.is_none_or(|(side, _)| side != act.side);
        let part_said = !unread && part.says_in_part(act.side.other());
        let released = part.leg.goodbye.as_deref().is_some_and(|goodbye| {
            goodbye.at.time <= act.time && !Self::is_part_of_closing(goodbye.at.time, act)
        });
        let other = part.leg.farewell.as_deref().is_some_and(|last| {
            last.at.time <= act.time && (last.marks.has(Marks::SHUTDOWN) || last.marks.has(Marks::TAKEN_OVER))
        });
        let answered_later =
            connection.sides[act.side.other()].last_payload.is_some_and(|time| time > act.time)
                && act.side == Side::Client;
        (idle >= SHORTEST
            && !owes
            && !waits
            && !released
            && !other
            && !answered_later
            && !(unread && asked_last)
            && !part_said)
            .then_some(Self { subject, part, act, idle })
    }

    /// A last word that belongs to the closing: an alert, a reason, said just before the FIN.
    fn is_part_of_closing(time: Timestamp, act: &ClosingAct) -> bool {
        act.time.since(time) < SHORTEST
    }

    /// The pause before the closing and its last word.
    fn idle(part: &Part<'_>, act: &ClosingAct) -> Option<Span> {
        let quiet = act.quiet?;
        if let Some(question) = crossing(part).filter(|question| question.at.first <= act.at) {
            let mut pauses = part.leg.clocks.quiet.iter().rev();
            let before = pauses.find(|pause| pause.until.last == question.at.first)?;
            return Some(before.span + act.time.since(question.at.time));
        }
        if quiet >= SHORTEST || act.spoke_last.is_none_or(|(side, _)| side != act.side) {
            return Some(quiet);
        }
        let security = part.leg.security_goodbye.filter(|(side, _)| *side == act.side).map(|(_, at)| at);
        let session = part.leg.goodbye.as_deref().filter(|goodbye| goodbye.by == act.side);
        let farewell = part.leg.farewell.as_deref().filter(|last| last.by == act.side);
        let words = [session.map(|goodbye| goodbye.at), farewell.map(|last| last.at), security];
        // What is inferred at the closing is told then; its frames say where it was.
        let ends =
            |frame: PacketRef| words.iter().flatten().any(|word| word.first == frame || word.last == frame);
        let mut pauses = part.leg.clocks.quiet.iter().rev();
        pauses
            .find(|quiet| ends(quiet.until.last) && Self::is_part_of_closing(quiet.until.time, act))
            .map(|quiet| quiet.span)
    }

    /// The question that the other side sent into the closed connection.
    pub fn sent_after(&self) -> Option<&'a Question> {
        crossing(&self.part)
    }

    /// Whether the closing side says itself that a timer ran out.
    pub fn is_stated(&self) -> bool {
        let said = self.part.leg.farewell.as_deref();
        said.is_some_and(|said| {
            said.by == self.act.side && said.marks.has(Marks::TIMER) && said.at.time <= self.act.time
        })
    }

    /// Whether a session was lost by it that its protocol wants to be said good-bye to.
    pub fn loses_session(&self) -> bool {
        let leg = self.part.leg;
        self.subject.population.has_goodbye(leg.protocol())
            && leg.dialog.answered > 0
            && leg.opaque == 0
            && leg.goodbye.as_deref().is_none_or(|goodbye| goodbye.at.time > self.act.time)
    }

    /// Whether the server closed before the client had come further than a greeting.
    pub fn before_login(&self) -> bool {
        Self::is_early(&self.part, self.act) && self.idle.0 * 2 > self.age().0
    }

    fn is_early(part: &Part<'_>, act: &ClosingAct) -> bool {
        let leg = part.leg;
        let little = if leg.readable > 0 && leg.opaque == 0 {
            leg.works.begun == 0 && leg.dialog.turns.client <= 3
        } else {
            leg.dialog.turns.client <= 1 && leg.dialog.turns.server <= 2
        };
        act.side == Side::Server
            && part.connection.opened == Opened::Observed
            && leg.opener == Some(Side::Server)
            && little
            && !leg.logins.granted()
    }

    /// From the connection's first frame to its closing.
    pub fn age(&self) -> Span {
        self.act.time.since(self.part.connection.start)
    }

    /// The timer that the closing side had announced, where the pause fits it.
    fn declared(&self) -> Option<Span> {
        let mut all = self.part.leg.clocks.declared.iter();
        all.find(|(side, declared, _)| {
            let span = declared.span;
            let late = self.idle.0.saturating_sub(span.0);
            *side == self.act.side
                && declared.timer == Timer::Idle
                && (-LATE.0..=span.0 / 20 + TOGETHER.0 + LATE.0).contains(&late)
        })
        .map(|(_, declared, _)| declared.span)
    }
}

/// A closing that a timer made, as it is remembered for the rules that ask for it.
#[derive(Debug, Clone, Copy)]
pub struct TimedRow {
    connection: u32,
    timer: Span,
    sign: Sign,
    confidence: Confidence,
    group: usize,
}

impl TimedRow {
    fn closing<'a>(&self, population: &'a Population<'a>) -> Option<TimedClosing<'a>> {
        let subject = population.session_of(self.connection)?;
        let part = subject.parts().find(|part| part.connection.id == self.connection)?;
        let closing = IdleClosing::of(subject, part)?;
        let Self { timer, sign, confidence, group, .. } = *self;
        Some(TimedClosing { closing, timer, sign, confidence, group })
    }
}

/// All closings of the run that timers made, by servers and by clients.
pub fn timed<'a>(population: &'a Population<'a>) -> Vec<TimedClosing<'a>> {
    let row = |timed: TimedClosing<'a>| {
        let TimedClosing { closing, timer, sign, confidence, group } = timed;
        TimedRow { connection: closing.part.connection.id, timer, sign, confidence, group }
    };
    let rows = population.timed.get_or_init(|| found(population).into_iter().map(row).collect());
    rows.iter().filter_map(|row| row.closing(population)).collect()
}

fn found<'a>(population: &'a Population<'a>) -> Vec<TimedClosing<'a>> {
    let mut all = Vec::new();
    let mut group = 0;
    for (_, subjects) in population.servers() {
        let arrivals = arrivals(&subjects);
        let mut kinds: BTreeMap<(Side, &str), Vec<IdleClosing<'a>>> = BTreeMap::new();
        let mut pauses: Vec<(Span, u32)> = Vec::new();
        for subject in subjects {
            for part in subject.parts().filter(|part| part.leg.role == Role::Main) {
                let longest = part.leg.clocks.longest_quiet().map_or(Span::ZERO, |quiet| quiet.span);
                pauses.push((longest, part.connection.id));
                if let Some(closing) =
                    IdleClosing::of(subject, part).filter(|one| !is_replaced(one, &arrivals))
                {
                    kinds.entry((closing.act.side, part.leg.protocol())).or_default().push(closing);
                }
            }
        }
        pauses.sort_unstable();
        for ((side, _), mut closings) in kinds {
            closings.sort_by_key(|closing| (closing.idle, closing.part.connection.id));
            judge(side, &closings, &pauses, &mut group, &mut all);
        }
    }
    all
}

/// When each identity showed up on a connection, in order.
fn arrivals(subjects: &[Subject<'_>]) -> Vec<(Hash128, Timestamp, u32)> {
    let parts = subjects.iter().flat_map(|subject| subject.parts());
    let mut all: Vec<_> = parts
        .flat_map(|part| {
            let shown = part.leg.identities.iter().filter(|known| known.side == Side::Client);
            shown.map(move |known| (known.identity.hash, known.first.time, part.connection.id))
        })
        .collect();
    all.sort_unstable();
    all
}

/// Whether the same client came anew just before: then the old connection was ended for that, and not for idleness.
fn is_replaced(closing: &IdleClosing<'_>, arrivals: &[(Hash128, Timestamp, u32)]) -> bool {
    let stateful = closing.subject.population.has_goodbye(closing.part.leg.protocol());
    let shown = closing.part.leg.identities.iter().filter(|known| known.side == Side::Client);
    stateful
        && shown.map(|known| known.identity.hash).any(|hash| {
            let from = arrivals.partition_point(|(other, time, _)| {
                (*other, *time) < (hash, Timestamp(closing.act.time.0.saturating_sub(TOGETHER.0)))
            });
            arrivals
                .iter()
                .skip(from)
                .take_while(|(other, time, _)| *other == hash && *time <= closing.act.time)
                .any(|(_, _, connection)| *connection != closing.part.connection.id)
        })
}

/// Tells which of the closings, in order of their pauses, are a timer's. `pauses` are the longest ones of all the
/// service's connections, in order.
fn judge<'a>(
    side: Side,
    closings: &[IdleClosing<'a>],
    pauses: &[(Span, u32)],
    group: &mut usize,
    all: &mut Vec<TimedClosing<'a>>,
) {
    let mut rest = closings;
    while let Some(first) = rest.first() {
        let width = window(first.idle);
        let count = rest.iter().take_while(|closing| closing.idle.0 - first.idle.0 <= width.0).count();
        let (alike, others) = rest.split_at(count);
        rest = others;
        let Some(middle) = alike.get(count / 2) else { return };
        let timer = middle.idle;
        *group += 1;
        let own: BTreeSet<u32> = alike.iter().map(|closing| closing.part.connection.id).collect();
        let outlived = pauses.partition_point(|(pause, _)| pause.0 <= timer.0.saturating_add(2 * width.0));
        let survivors = pauses.iter().skip(outlived).filter(|(_, id)| !own.contains(id)).count();
        let known = is_whole(timer) || timers::candidates(timer).next().is_some();
        let needed = if known && side == Side::Server { CLUSTER_KNOWN } else { CLUSTER[side] };
        let ends = alike.iter().map(|closing| closing.act.time);
        let spread = ends.clone().max().unwrap_or_default().since(ends.min().unwrap_or_default());
        let cluster = count >= needed && survivors * 10 <= pauses.len() && spread > TOGETHER;
        for closing in alike {
            let (timer, sign, confidence) = if let Some(declared) = closing.declared() {
                (declared, Sign::Declared, Confidence::High)
            } else if cluster {
                let confidence = if count >= 5 { Confidence::High } else { Confidence::Medium };
                (timer, Sign::Alike(count), confidence)
            } else if survivors == 0 && is_whole(closing.idle) {
                (closing.idle, Sign::Whole, Confidence::Medium)
            } else {
                continue;
            };
            all.push(TimedClosing { closing: *closing, timer, sign, confidence, group: *group });
        }
    }
}

/// How far apart the closings of one timer lie.
fn window(idle: Span) -> Span {
    Span(2 * (idle.0 / 1000 * 6).max(100_000_000).min(idle.0 / 10))
}

impl TimedClosing<'_> {
    /// Whether it carries a claim that hurts: a lone client that leaves after whole seconds may be a script or a person.
    pub fn is_clear(&self) -> bool {
        self.sign != Sign::Whole || self.closing.act.side == Side::Server
    }

    /// How it is known, for a finding.
    pub fn why(&self) -> String {
        let side = self.closing.act.side.name();
        match self.sign {
            Sign::Declared => format!("the {side} had announced that it closes after {}", self.timer),
            Sign::Alike(count) => format!(
                "{count} connections of this service were closed by the {side} after the same time without payload, and none was idle for much longer"
            ),
            Sign::Whole => format!(
                "the {side} closed a whole number of seconds after the last payload with nothing owed, and no connection of this service was idle for longer"
            ),
        }
    }

    /// Who is shipped with such a timer, as the end of a sentence.
    pub fn candidates(&self) -> String {
        timers::named(self.timer).map_or_else(
            || "no product in the table is shipped with this time".to_owned(),
            |names| format!("candidates by their defaults: {names}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_set_whole_seconds() {
        let cases =
            [(4_004, true), (5_001, true), (60_050, true), (2_999, true), (4_300, false), (1_001, false)];
        for (millis, whole) in cases {
            assert_eq!(is_whole(Span::from_millis(millis)), whole, "{millis} ms");
        }
    }
}
