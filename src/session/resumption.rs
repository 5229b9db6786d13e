//! Resumptions: what was offered, asked for, granted, refused or passed over in silence.

use super::point::Point;
use crate::events::{Event, Hash128, Marks, Position, Stage, Strength, Word};
use crate::limits::RESUMES_KEPT;

/// What became of a resumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResumeResult {
    /// The peer went on from there.
    Granted,
    /// It said no.
    Refused,
    /// It carried on anew without a word.
    Silent,
    /// No answer came.
    Unanswered,
}

impl ResumeResult {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Silent => "silent",
            Self::Unanswered => "unanswered",
        }
    }
}

/// One attempt to go on from earlier state.
#[derive(Debug, Clone, PartialEq)]
pub struct Resumption {
    /// How.
    pub mechanism: &'static str,
    /// What became of it.
    pub result: ResumeResult,
    /// Of what.
    pub object: Option<Box<str>>,
    /// From where the client wanted to go on.
    pub asked: Option<Position>,
    /// From where the server goes on.
    pub granted: Option<Position>,
    /// What a refusal says of positions: from where the server goes on instead, or how large the whole is.
    pub told: Option<Position>,
    /// Whether the refusal says that the state is gone.
    pub state_lost: bool,
    /// Whether the refusal says that the same may succeed later.
    pub retryable: bool,
    /// The state that was shown.
    pub shown: Option<Hash128>,
    /// Whether it was shown by a name that the client chose itself, which proves no earlier state.
    pub by_name: bool,
    /// Where it was asked.
    pub begun: Point,
    /// Where it was answered.
    pub answered: Option<Point>,
}

/// The resumptions of one connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resumptions {
    /// In order; bounded.
    pub list: Vec<Resumption>,
    /// Mechanisms that the server announced, with the first place.
    pub offered: Vec<(&'static str, Point)>,
}

impl Resumptions {
    /// Forgets claims that claimed nothing: by a name that was never seen before, and passed over in silence.
    pub(super) fn forget_first_visits(&mut self) {
        self.list.retain(|resume| !(resume.by_name && resume.result == ResumeResult::Silent));
    }

    /// Takes an event about a resumption.
    pub fn note(&mut self, event: &Event) {
        if event.word != Word::Resume {
            return;
        }
        let details = event.details();
        let at = Point::of(event);
        let mechanism = details.mechanism.unwrap_or("other");
        match event.stage {
            Stage::Offered => {
                if self.offered.iter().all(|(known, _)| *known != mechanism) {
                    self.offered.push((mechanism, at));
                }
            }
            Stage::Asked | Stage::Told => {
                if self.list.len() >= RESUMES_KEPT {
                    self.list.remove(0);
                }
                self.list.push(Resumption {
                    mechanism,
                    result: ResumeResult::Unanswered,
                    object: details.object.clone(),
                    asked: details.position,
                    granted: None,
                    told: None,
                    state_lost: false,
                    retryable: false,
                    shown: details.identities.first().map(|identity| identity.hash),
                    by_name: details
                        .identities
                        .first()
                        .is_some_and(|identity| identity.strength < Strength::Key),
                    begun: at,
                    answered: None,
                });
            }
            Stage::Granted | Stage::Refused => {
                let open = |resume: &Resumption| {
                    resume.result == ResumeResult::Unanswered && resume.mechanism == mechanism
                };
                let result = match (event.stage, event.marks.has(Marks::SILENT)) {
                    (Stage::Granted, _) => ResumeResult::Granted,
                    (_, true) => ResumeResult::Silent,
                    (_, false) => ResumeResult::Refused,
                };
                if let Some(resume) = self.list.iter_mut().find(|resume| open(resume)) {
                    resume.result = result;
                    resume.granted = details.position.filter(|_| result == ResumeResult::Granted);
                    resume.told = details.position.filter(|_| result != ResumeResult::Granted);
                    resume.retryable = event.marks.has(Marks::RETRYABLE);
                    resume.state_lost = event.marks.has(Marks::STATE_LOST);
                    resume.answered = Some(at);
                }
            }
        }
    }
}
