//! Units of work and their checkpoints: what was begun, how far it is confirmed, what would be lost (`domain.md` D.8).

use super::point::Point;
use crate::events::{Event, Grade, Marks, Position, Scope, ShortText, Side, Stage, Word};
use crate::limits::WORK_KEPT;

/// A unit of work: a transfer, a mail, a transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// What it is done to: a path, a mailbox. From the wire.
    pub object: Option<Box<str>>,
    /// The command that began it.
    pub op: ShortText,
    /// Who asked for it.
    pub by: Side,
    /// Where it began.
    pub begun: Point,
    /// Where it ended, and how: granted (done), refused (failed or discarded), told (cut).
    pub ended: Option<(Stage, Point)>,
    /// How far the sender is known to have come.
    pub reached: Option<Position>,
    /// How far it is confirmed.
    pub confirmed: Option<(Position, Point)>,
    /// Where it was taken up again from, where it was.
    pub resumed_at: Option<Position>,
    /// Answers to questions inside of it that were refused.
    pub refusals: u32,
    /// Whether it came in part only, by what the protocol itself says.
    pub partial: bool,
    /// Whose message broke off, where one did.
    pub sender: Option<Side>,
}

/// A confirmed point.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmed {
    /// Inside a unit of work, or at the end of one.
    pub grade: Grade,
    /// How far.
    pub position: Option<Position>,
    /// Of what.
    pub object: Option<Box<str>>,
    /// Where.
    pub at: Point,
}

/// The work of one connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Works {
    /// Units of work: those open, and the latest others; bounded.
    pub list: Vec<Work>,
    /// All that were begun.
    pub begun: u32,
    /// All that ended well.
    pub done: u32,
    /// Checkpoints confirmed inside units of work.
    pub minor: u32,
    /// Checkpoints confirmed at the end of units of work.
    pub major: u32,
    /// The last confirmed checkpoint.
    pub last_confirmed: Option<Box<Confirmed>>,
    /// The last one proposed and not confirmed since.
    pub proposed: Option<Box<Confirmed>>,
    /// The last one rolled back.
    pub rolled_back: Option<Box<Confirmed>>,
    /// A confirmed position that lay before an earlier one of the same object.
    pub regressed: Option<Box<(Confirmed, Confirmed)>>,
}

impl Works {
    /// Takes an event about work.
    pub fn note(&mut self, event: &Event) {
        match event.word {
            Word::Activity => self.activity(event),
            Word::Checkpoint => self.checkpoint(event),
            Word::Resume if event.stage == Stage::Granted => {
                if let Some(position) = event.details().position
                    && let Some(work) = self.open_mut(event.details().object.as_deref())
                {
                    work.resumed_at = Some(position);
                }
            }
            Word::Interrupt if event.scope == Scope::Activity || event.marks.has(Marks::PARTIAL) => {
                let at = Point::of(event);
                let torn = event.stage == Stage::Told && event.marks.has(Marks::PARTIAL);
                if let Some(work) = self.open_mut(event.details().object.as_deref()) {
                    work.ended.get_or_insert((Stage::Told, at));
                    work.partial |= torn;
                    work.sender = torn.then_some(event.side);
                    work.reached = behind(work.reached, event.details().position);
                } else if event.details().object.is_some() && event.details().position.is_some() {
                    self.cut(event, at);
                }
            }
            _ => {}
        }
    }

    /// Work that has not ended.
    pub fn open(&self) -> impl Iterator<Item = &Work> {
        self.list.iter().filter(|work| work.is_open())
    }

    fn open_mut(&mut self, object: Option<&str>) -> Option<&mut Work> {
        let same = |work: &Work| work.is_open() && (object.is_none() || work.object.as_deref() == object);
        let index = self.list.iter().rposition(same).or_else(|| self.list.iter().rposition(Work::is_open))?;
        self.list.get_mut(index)
    }

    /// The work that this is said of: open, or cut by the very same packet.
    fn current_mut(&mut self, object: Option<&str>, at: Point) -> Option<&mut Work> {
        let cut_now = |work: &Work| {
            let now =
                matches!(work.ended, Some((Stage::Told, cut)) if cut.time == at.time && cut.last == at.last);
            now && object.is_some() && work.object.as_deref() == object
        };
        match self.list.iter().rposition(cut_now) {
            Some(index) => self.list.get_mut(index),
            None => self.open_mut(object),
        }
    }

    fn activity(&mut self, event: &Event) {
        let details = event.details();
        let at = Point::of(event);
        match event.stage {
            Stage::Asked => {
                self.begun += 1;
                self.make_room();
                self.list.push(Work {
                    object: details.object.clone(),
                    op: event.op,
                    by: event.side,
                    begun: at,
                    ended: None,
                    reached: details.position,
                    confirmed: None,
                    resumed_at: None,
                    refusals: 0,
                    partial: false,
                    sender: None,
                });
            }
            Stage::Told | Stage::Offered => {
                let cut = event.marks.has(Marks::PARTIAL);
                if let Some(work) = self.open_mut(details.object.as_deref()) {
                    work.reached = further(work.reached, details.position);
                    work.partial |= cut;
                    if cut {
                        work.ended = Some((Stage::Told, at));
                    }
                }
            }
            Stage::Granted | Stage::Refused => {
                self.done += u32::from(event.stage == Stage::Granted);
                if let Some(work) = self.current_mut(details.object.as_deref(), at) {
                    work.reached = further(work.reached, details.position);
                    work.partial |= event.marks.has(Marks::PARTIAL);
                    // What was said to be cut stays cut; how far it came is said after it.
                    if work.is_open() {
                        work.ended = Some((event.stage, at));
                    }
                }
            }
        }
    }

    fn checkpoint(&mut self, event: &Event) {
        let details = event.details();
        let at = Point::of(event);
        let point = Confirmed {
            grade: event.grade.unwrap_or(Grade::Minor),
            position: details.position,
            object: details.object.clone(),
            at,
        };
        match event.stage {
            Stage::Granted => {
                match point.grade {
                    Grade::Minor => self.minor = self.minor.saturating_add(event.count),
                    Grade::Major => self.major = self.major.saturating_add(event.count),
                }
                if let Some(work) = self.current_mut(details.object.as_deref(), at)
                    && let Some(position) = details.position
                {
                    work.confirmed = Some((position, at));
                    work.reached = further(work.reached, Some(position));
                }
                if let Some(last) = &self.last_confirmed
                    && last.grade == Grade::Minor
                    && last.object.is_some()
                    && last.object == point.object
                    && let (Some(old), Some(new)) = (last.position, point.position)
                    && old.unit == new.unit
                    && new.value < old.value
                {
                    self.regressed = Some(Box::new((last.as_ref().clone(), point.clone())));
                }
                self.proposed = None;
                self.last_confirmed = Some(Box::new(point));
            }
            Stage::Asked => self.proposed = Some(Box::new(point)),
            Stage::Refused => self.rolled_back = Some(Box::new(point)),
            Stage::Told | Stage::Offered => {}
        }
    }

    /// An answer that broke off is a unit of work from then on: before, nobody could know that it would matter.
    fn cut(&mut self, event: &Event, at: Point) {
        self.make_room();
        self.list.push(Work {
            object: event.details().object.clone(),
            op: event.op,
            by: event.side.other(),
            begun: at,
            ended: Some((Stage::Told, at)),
            reached: event.details().position,
            confirmed: None,
            resumed_at: None,
            refusals: 0,
            partial: true,
            sender: Some(event.side),
        });
    }

    fn make_room(&mut self) {
        if self.list.len() >= WORK_KEPT {
            let index = self.list.iter().position(|work| !work.is_open()).unwrap_or(0);
            self.list.remove(index);
        }
    }
}

impl Work {
    /// Whether it was neither finished, refused nor cut.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether it was begun and did not come to a good end, nor to a clear refusal before anything was done.
    pub fn is_broken(&self) -> bool {
        match self.ended {
            None | Some((Stage::Told, _)) => true,
            Some((Stage::Refused, _)) => self.reached.is_some_and(|position| position.value > 0),
            Some(_) => false,
        }
    }
}

/// Where a content that broke off after so much stands in the object that it is a part of.
fn behind(start: Option<Position>, came: Option<Position>) -> Option<Position> {
    match (start, came) {
        (Some(start), Some(came)) if start.unit == came.unit => {
            let whole = came.of.map(|of| of.saturating_add(start.value));
            Some(Position { value: start.value.saturating_add(came.value), of: start.of.or(whole), ..start })
        }
        (start, came) => came.or(start),
    }
}

/// The further of two positions of the same unit; a known whole survives.
fn further(old: Option<Position>, new: Option<Position>) -> Option<Position> {
    match (old, new) {
        (Some(old), Some(new)) if old.unit == new.unit => {
            Some(Position { unit: new.unit, value: old.value.max(new.value), of: new.of.or(old.of) })
        }
        (old, new) => new.or(old),
    }
}
