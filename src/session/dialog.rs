//! Who has the floor: which question is open, whose turn it was when it ended (`domain.md` D.7).
//!
//! Questions are answered in their order unless tags tie them. A question that hands the floor back (a challenge, "go
//! ahead") answers the one before it, and the next question answers it in turn.

use std::collections::VecDeque;

use super::point::Point;
use crate::events::{Code, Event, Marks, PerSide, ShortText, Side, Stage, Word};
use crate::limits::DIALOG_QUESTIONS;
use crate::time::{Span, Timestamp};

/// A question that waits for its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Who asked.
    pub by: Side,
    /// What it was about.
    pub word: Word,
    /// The command.
    pub op: ShortText,
    /// The status, where the question is itself an answer (a challenge).
    pub code: Code,
    /// What it was about, for people.
    pub object: Option<Box<str>>,
    /// Where it is.
    pub at: Point,
    /// Whether it may stay open for long.
    pub patient: bool,
    /// Whether it is a guess from outside that this is a question.
    pub guessed: bool,
    /// Whether it was never asked to its end.
    pub partial: bool,
    /// Whether part of the answer came.
    pub begun: Option<Point>,
    tag: Option<u64>,
}

impl Question {
    /// Whether somebody surely has to answer, and soon. Of a talk that is only seen from outside nobody can tell.
    fn wants_answer(&self) -> bool {
        !self.patient && !self.guessed
    }
}

/// How two sides talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Only one side said anything, or nobody.
    #[default]
    OneWay,
    /// Question and answer.
    HalfDuplex,
    /// Both at once.
    FullDuplex,
}

impl Mode {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneWay => "one-way",
            Self::HalfDuplex => "half-duplex",
            Self::FullDuplex => "full-duplex",
        }
    }
}

/// Who may speak, or has to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Floor {
    /// Nobody ever said anything.
    #[default]
    NobodySpoke,
    /// Nothing is owed.
    BothFree,
    /// The server asked, and the client owes.
    ClientOwed,
    /// The client asked, and the server owes.
    ServerOwed,
    /// Both owe.
    BothBusy,
}

impl Floor {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::NobodySpoke => "nobody-spoke",
            Self::BothFree => "both-free",
            Self::ClientOwed => "client-owed",
            Self::ServerOwed => "server-owed",
            Self::BothBusy => "both-busy",
        }
    }
}

/// The talk of one connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dialog {
    /// Questions without a (whole) answer, oldest first; bounded.
    pub open: VecDeque<Question>,
    /// Questions that were answered.
    pub answered: u32,
    /// Questions and messages of each side.
    pub turns: PerSide<u32>,
    /// Questions of one side while one of the other was open.
    crossings: u32,
    /// The last message of each side.
    pub last: PerSide<Option<Turn>>,
    /// The longest wait for an answer, and where the answer came.
    pub longest_wait: Option<(Span, Point)>,
    /// Questions refused.
    pub refused: u32,
    /// Questions dropped because too many were open.
    pub dropped: u32,
}

/// A message of one side.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// The command, where it has one.
    pub op: ShortText,
    /// The status, where it has one.
    pub code: Code,
    /// What it was about.
    pub object: Option<Box<str>>,
    /// What sort of message it is.
    pub word: Word,
    /// Whether it is a guess from outside what it is.
    pub guessed: bool,
    /// Whether it asks, answers, or tells.
    pub stage: Stage,
    /// Where it is.
    pub at: Point,
}

/// What an event did to the talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that asks or answers.
    None,
    /// It answered the question at this place.
    Answered(Point),
}

impl Dialog {
    /// Takes the next event that leads a message.
    pub fn note(&mut self, event: &Event) -> Effect {
        let at = Point::of(event);
        let details = event.details();
        if event.marks.has(Marks::APP_PING) || event.word == Word::KeepAlive {
            return Effect::None;
        }
        let count = &mut self.turns[event.side];
        *count = count.saturating_add(event.count);
        self.last[event.side] = Some(Turn {
            op: event.op,
            code: event.code,
            object: details.object.clone(),
            word: event.word,
            guessed: event.marks.has(Marks::INFERRED),
            stage: event.stage,
            at,
        });
        match event.stage {
            Stage::Asked => {
                let paid = self.pay_challenge(event.side).or_else(|| self.pay_by_challenge(event));
                let crossing = self.open.iter().any(|question| question.by != event.side);
                self.crossings += u32::from(crossing && paid.is_none());
                if self.open.len() >= DIALOG_QUESTIONS {
                    self.open.pop_front();
                    self.dropped += 1;
                }
                self.open.push_back(Question {
                    by: event.side,
                    word: event.word,
                    op: event.op,
                    code: event.code,
                    object: details.object.clone(),
                    at,
                    patient: event.marks.has(Marks::PATIENT),
                    guessed: event.marks.has(Marks::INFERRED),
                    partial: event.marks.has(Marks::PARTIAL),
                    begun: None,
                    tag: details.tag,
                });
                paid.map_or(Effect::None, |asked| self.answered(asked, at))
            }
            Stage::Granted | Stage::Refused => {
                self.refused += u32::from(event.stage == Stage::Refused);
                let asker = event.side.other();
                let found = self
                    .open
                    .iter()
                    .position(|question| question.by == asker && question.tag == details.tag)
                    .or_else(|| {
                        self.open.iter().position(|question| question.by == asker && details.tag.is_none())
                    });
                match found.and_then(|index| self.take(index)) {
                    Some(place) => self.answered(place, at),
                    None => Effect::None,
                }
            }
            Stage::Told if event.code != Code::None || event.marks.has(Marks::PARTIAL) => {
                let asker = event.side.other();
                if let Some(question) = self.open.iter_mut().find(|question| question.by == asker) {
                    question.begun.get_or_insert(at);
                }
                Effect::None
            }
            Stage::Told | Stage::Offered => Effect::None,
        }
    }

    /// Takes a question out of the open ones, and tells where it was asked.
    fn take(&mut self, index: usize) -> Option<Point> {
        self.open.remove(index).map(|question| question.at)
    }

    fn answered(&mut self, asked: Point, at: Point) -> Effect {
        self.answered = self.answered.saturating_add(1);
        let wait = at.time.since(asked.time);
        if self.longest_wait.is_none_or(|(longest, _)| wait > longest) {
            self.longest_wait = Some((wait, at));
        }
        Effect::Answered(asked)
    }

    /// A question of this side answers what the other side asked by its last answer: a challenge, "go ahead".
    fn pay_challenge(&mut self, side: Side) -> Option<Point> {
        let index = self.open.iter().position(|question| {
            question.by != side && question.code != Code::None && question.tag.is_none()
        })?;
        self.take(index)
    }

    /// A question that is itself an answer (a challenge, "go ahead") answers what the other side asked.
    fn pay_by_challenge(&mut self, event: &Event) -> Option<Point> {
        let tag = event.details().tag;
        let index = self
            .open
            .iter()
            .position(|question| question.by != event.side && question.tag == tag)
            .filter(|_| event.code != Code::None)?;
        self.take(index)
    }

    /// The oldest question that somebody should have answered; those that may stay open do not count.
    pub fn debt(&self) -> Option<&Question> {
        self.open.iter().find(|question| question.wants_answer())
    }

    /// The oldest question to this side.
    pub fn owed_by(&self, side: Side) -> Option<&Question> {
        self.open.iter().find(|question| question.wants_answer() && question.by != side)
    }

    /// Whose turn it is.
    pub fn floor(&self) -> Floor {
        match (self.owed_by(Side::Client).is_some(), self.owed_by(Side::Server).is_some()) {
            (true, true) => Floor::BothBusy,
            (true, false) => Floor::ClientOwed,
            (false, true) => Floor::ServerOwed,
            (false, false) if self.turns.client == 0 && self.turns.server == 0 => Floor::NobodySpoke,
            (false, false) => Floor::BothFree,
        }
    }

    /// How the two talk.
    pub fn mode(&self) -> Mode {
        if self.turns.client == 0 || self.turns.server == 0 {
            Mode::OneWay
        } else if u64::from(self.crossings) * 10 > u64::from(self.answered) {
            Mode::FullDuplex
        } else {
            Mode::HalfDuplex
        }
    }

    /// How long a debt is old at this moment.
    pub fn owed_for(&self, now: Timestamp) -> Option<Span> {
        self.debt().map(|question| now.since(question.at.time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Confidence, ConnectionKey, Extent, Moment, Scope};

    fn said(side: Side, stage: Stage, op: &str, code: Code) -> Event {
        Event {
            moment: Moment::default(),
            connection: ConnectionKey(0),
            protocol: "ftp",
            side,
            word: Word::Authenticate,
            stage,
            scope: Scope::Session,
            grade: None,
            marks: Marks::default(),
            confidence: Confidence::Certain,
            op: ShortText::new(op),
            code,
            count: 1,
            channel: None,
            extent: Extent::default(),
            details: None,
        }
    }

    #[test]
    fn a_challenge_pays_the_question_and_is_paid_by_the_next() {
        let mut dialog = Dialog::default();
        let mut debts = Vec::new();
        for event in [
            said(Side::Client, Stage::Asked, "USER", Code::None),
            said(Side::Server, Stage::Asked, "", Code::Decimal(331)),
            said(Side::Client, Stage::Asked, "PASS", Code::None),
            said(Side::Server, Stage::Granted, "", Code::Decimal(230)),
        ] {
            dialog.note(&event);
            debts.push(dialog.debt().map(|question| (question.by, question.op.to_string())));
        }
        let owed = |side, op: &str| Some((side, op.to_owned()));
        assert_eq!(
            debts,
            [owed(Side::Client, "USER"), owed(Side::Server, ""), owed(Side::Client, "PASS"), None]
        );
        assert!(dialog.open.is_empty());
    }
}
