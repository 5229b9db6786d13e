//! Actions that were asked for again on another connection, and what had become of the first asking (`domain.md` D.6).

use std::collections::BTreeMap;

use super::population::Population;
use super::subject::{Part, Subject};
use crate::events::transport::{By, How};
use crate::events::{Hash128, IdentityKind, Marks, Safety};
use crate::session::{Acted, Point};
use crate::time::{Span, Timestamp};

/// What is asked again later than this is new work (`domain.md` D.6, twice the usual wait for an answer).
const WINDOW: Span = Span::from_secs(120);

/// So many equal actions that all succeeded are the way of this client: polling, beacons.
const HABIT: usize = 4;

/// Who closes within this time after an answer has read it.
const AT_ONCE: Span = Span::from_secs(1);

/// An action, where it was asked.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// In which session.
    pub subject: Subject<'a>,
    /// On which connection.
    pub part: Part<'a>,
    /// What, and what became of it.
    pub acted: &'a Acted,
}

/// What had become of the first asking when the second was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// No answer was ever sent.
    Nothing,
    /// The answer was sent, and its receiver's host never acknowledged it.
    Lost(Point),
    /// The answer came when the asker had already closed.
    TooLate(Point),
    /// Somebody in the middle gave up waiting, and said so.
    GivenUp(Point),
}

/// The same action, asked for again because nobody knew what had become of the first.
#[derive(Debug, Clone, Copy)]
pub struct Retry<'a> {
    /// The first.
    pub first: Asking<'a>,
    /// The second.
    pub second: Asking<'a>,
    /// What had become of the first.
    pub heard: Heard,
}

/// All retries of the run, in order of clients, servers and time.
pub fn all<'a>(population: &'a Population<'a>) -> Vec<Retry<'a>> {
    population.pairs().flat_map(|(_, sessions)| between(&sessions)).collect()
}

fn between<'a>(sessions: &[Subject<'a>]) -> Vec<Retry<'a>> {
    let mut by_key: BTreeMap<Hash128, Vec<Asking<'a>>> = BTreeMap::new();
    for subject in sessions {
        for part in subject.parts().filter(|part| part.sees_both()) {
            for acted in part.leg.actions.iter().filter(|acted| acted.action.safety != Safety::Safe) {
                let asking = Asking { subject: *subject, part, acted };
                by_key.entry(acted.action.key).or_default().push(asking);
            }
        }
    }
    let mut retries = Vec::new();
    for mut askings in by_key.into_values() {
        let succeeded = askings.iter().filter(|asking| asking.granted().is_some()).count();
        if askings.len() < 2 || succeeded >= HABIT {
            continue;
        }
        askings.sort_by_key(|asking| (asking.acted.asked.time, asking.part.connection.id));
        for pair in askings.windows(2) {
            let [first, second] = pair else { continue };
            let soon = second.acted.asked.time.since(first.acted.asked.time) <= WINDOW;
            if first.part.connection.id == second.part.connection.id
                || first.acted.by != second.acted.by
                || !soon
            {
                continue;
            }
            if let Some(heard) = first.heard(second.acted.asked.time) {
                retries.push(Retry { first: *first, second: *second, heard });
            }
        }
    }
    retries.sort_by_key(|retry| (retry.first.acted.asked.time, retry.second.part.connection.id));
    retries
}

impl Asking<'_> {
    /// Where it was answered with yes.
    pub fn granted(&self) -> Option<Point> {
        self.acted.answer.filter(|(granted, _)| *granted).map(|(_, at)| at)
    }

    /// Whether the host of the other side acknowledged all of it, or answered.
    pub fn arrived(&self) -> bool {
        self.acted.answer.is_some() || self.part.connection.sides[self.acted.by].unacked_bytes == 0
    }

    /// Whether this is a message that is known wherever it is sent, and not only at this server: a mail.
    pub fn is_mail(&self) -> bool {
        self.acted.action.token.is_some_and(|token| {
            let mut known = self.part.leg.identities.iter();
            known.any(|known| known.identity.kind == IdentityKind::Message && known.identity.hash == token)
        })
    }

    /// What it is, for people.
    pub fn name(&self) -> String {
        match (self.acted.op.as_str(), &self.acted.object) {
            ("", Some(object)) => format!("the message of {object}"),
            ("", None) => String::from("the message"),
            (op, Some(object)) => format!("{op} {object}"),
            (op, None) => op.to_owned(),
        }
    }

    /// What its asker had heard of it at a later moment; none where it had its answer, or where nobody had given up.
    fn heard(&self, now: Timestamp) -> Option<Heard> {
        let connection = self.part.connection;
        let asker = self.acted.by;
        let over = connection.ended.how != How::CaptureEnd || connection.end <= now;
        let Some((granted, at)) = self.acted.answer else {
            return over.then_some(Heard::Nothing);
        };
        let timer = self.acted.reply.as_ref().is_some_and(|reply| reply.marks.has(Marks::TIMER));
        if !granted {
            return timer.then_some(Heard::GivenUp(at));
        }
        let answering = &connection.sides[asker.other()];
        let closed = connection.sides[asker].closed;
        if closed.is_some_and(|closed| closed <= at.time) {
            return Some(Heard::TooLate(at));
        }
        let was_last =
            self.part.leg.dialog.last[asker.other()].as_ref().is_none_or(|turn| turn.at.time <= at.time);
        let unheard = answering.acknowledged.is_none_or(|heard| heard < at.time);
        // Who resets as soon as it has its answer does not acknowledge it first.
        let at_once = closed.is_some_and(|closed| closed.since(at.time) < AT_ONCE);
        if !was_last || !unheard || at_once || answering.unacked_bytes == 0 {
            return None;
        }
        let gone = connection.ended.how != How::CaptureEnd && connection.ended.by == By::from(asker);
        (gone || at.time < now).then_some(Heard::Lost(at))
    }
}

impl Retry<'_> {
    /// The connections of both.
    pub fn connections(&self) -> [u32; 2] {
        [self.first.part.connection.id, self.second.part.connection.id]
    }

    /// Whether both carry the same token, by which the server can know the second.
    pub fn has_token(&self) -> bool {
        let token = self.first.acted.action.token;
        token.is_some() && token == self.second.acted.action.token
    }

    /// Whether doing it twice is not doing it once.
    pub fn is_unsafe(&self) -> bool {
        self.second.acted.action.safety == Safety::Unsafe
    }

    /// From the first to the second.
    pub fn after(&self) -> Span {
        self.second.acted.asked.time.since(self.first.acted.asked.time)
    }

    /// The two results, if both answers name one: that they differ proves that it was done twice.
    pub fn results(&self) -> Option<(&str, &str)> {
        let (first, second) = (self.first.acted.reply.as_deref()?, self.second.acted.reply.as_deref()?);
        match (&first.object, &second.object, &first.text, &second.text) {
            (Some(one), Some(other), ..) | (_, _, Some(one), Some(other)) => Some((one, other)),
            _ => None,
        }
    }

    /// Tells the first from other retries of one session.
    pub fn key(&self) -> String {
        format!("{} {}", self.first.part.connection.id, self.first.acted.asked.first.number)
    }

    /// What had become of the first, as a clause.
    pub fn because(&self) -> &'static str {
        match self.heard {
            Heard::Nothing => "no answer ever came",
            Heard::Lost(_) => "its answer was sent and never acknowledged",
            Heard::TooLate(_) => "its answer came when the asker had already closed",
            Heard::GivenUp(_) => "somebody on the way gave up waiting for the answer",
        }
    }
}
