//! Logins: who proved to be whom, how often it was tried, and what came of it.

use super::point::Point;
use crate::events::{Code, Event, Hash128, Marks, Principal, Stage, Word};
use crate::limits::LOGINS_KEPT;

/// What became of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoginResult {
    /// It was accepted.
    Granted,
    /// It was refused.
    Refused,
    /// No answer came.
    Unanswered,
    /// The server asked for credentials, and none came.
    Abandoned,
}

impl LoginResult {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
            Self::Abandoned => "abandoned",
        }
    }
}

/// One login, with all its rounds and tries until it succeeded or another principal tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    /// How.
    pub mechanism: Option<&'static str>,
    /// Who.
    pub principal: Option<Principal>,
    /// What became of it.
    pub result: LoginResult,
    /// How often credentials were sent.
    pub attempts: u32,
    /// How often they were refused.
    pub refusals: u32,
    /// Where it began.
    pub begun: Point,
    /// The last answer, or the last try.
    pub last: Point,
    /// The last refusal's status and words.
    pub refusal: Option<(Code, Option<Box<str>>)>,
    /// Marks of the last refusal: too many sessions, state lost.
    pub marks: Marks,
}

/// The logins of one connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Logins {
    /// In order; bounded.
    pub list: Vec<Login>,
    /// Refusals of credentials that had been accepted before.
    pub expired: Vec<Point>,
}

impl Logins {
    /// Takes an event about a login.
    pub fn note(&mut self, event: &Event) {
        if event.word != Word::Authenticate {
            return;
        }
        let details = event.details();
        let at = Point::of(event);
        match event.stage {
            Stage::Asked if event.side == crate::events::Side::Client => {
                let who = details.principal.as_ref().map(|principal| principal.hash);
                let login = self.going_on(who, details.mechanism, at);
                login.attempts += 1;
                login.last = at;
                login.result = LoginResult::Unanswered;
                login.mechanism = details.mechanism.or(login.mechanism);
                if details.principal.is_some() {
                    login.principal.clone_from(&details.principal);
                }
            }
            Stage::Asked => {
                // The server asks: a further round, or its first word.
                if self.list.last().is_none_or(|login| login.result != LoginResult::Unanswered) {
                    let login = self.begin(at);
                    login.result = LoginResult::Abandoned;
                    login.mechanism = details.mechanism;
                } else if let Some(login) = self.list.last_mut() {
                    login.last = at;
                }
            }
            Stage::Granted => {
                let login = self.going_on(None, details.mechanism, at);
                login.result = LoginResult::Granted;
                login.last = at;
                if login.principal.is_none() {
                    login.principal.clone_from(&details.principal);
                }
            }
            Stage::Refused => {
                if event.marks.has(Marks::STATE_LOST) {
                    if self.expired.len() < LOGINS_KEPT {
                        self.expired.push(at);
                    }
                    return;
                }
                let login = self.going_on(None, details.mechanism, at);
                login.result = LoginResult::Refused;
                login.refusals += 1;
                login.last = at;
                login.marks = login.marks.with(event.marks);
                login.refusal = Some((event.code, details.text.clone()));
            }
            Stage::Offered | Stage::Told => {}
        }
    }

    /// The login that this belongs to: the last one, unless it succeeded or another person tries.
    fn going_on(&mut self, who: Option<Hash128>, mechanism: Option<&'static str>, at: Point) -> &mut Login {
        let same = self.list.last().is_some_and(|login| {
            let other = match (&login.principal, who) {
                (Some(known), Some(who)) => known.hash != who,
                _ => false,
            };
            let again =
                login.result == LoginResult::Granted && (who.is_some() || mechanism != login.mechanism);
            !other && !again
        });
        if !same {
            return self.begin(at);
        }
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    fn begin(&mut self, at: Point) -> &mut Login {
        if self.list.len() >= LOGINS_KEPT {
            self.list.remove(0);
        }
        self.list.push(Login {
            mechanism: None,
            principal: None,
            result: LoginResult::Unanswered,
            attempts: 0,
            refusals: 0,
            begun: at,
            last: at,
            refusal: None,
            marks: Marks::default(),
        });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// Whether somebody is logged in.
    pub fn granted(&self) -> bool {
        self.list.iter().any(|login| login.result == LoginResult::Granted)
    }
}
