//! What was said on one connection, as far as its session's account needs it.

use super::access::Logins;
use super::clocks::Clocks;
use super::dialog::{Dialog, Effect, Question};
use super::history::History;
use super::lifecycle::Phases;
use super::point::Point;
use super::resumption::Resumptions;
use super::work::Works;
use crate::events::{
    Action, Code, Confidence, ConnectionKey, Event, Expectation, Hash128, Identity, Marks, Scope,
    SecurityFacts, ShortText, Side, Stage, Word,
};
use crate::limits::{ACTIONS_KEPT, EXCUSES_KEPT, IDENTITIES_KEPT, MISPLACED_KEPT};
use crate::time::Timestamp;

/// Marks of a turn of which nothing more is known than that it was one.
const MERE: Marks = Marks::INFERRED.with(Marks::OPAQUE);

/// What a leg is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// It carries the session.
    #[default]
    Main,
    /// It was announced by another leg, and carries that one's data.
    Data,
}

/// One connection's talk.
#[derive(Debug, Clone)]
pub struct Leg {
    /// Its connection.
    pub key: ConnectionKey,
    /// What it is for.
    pub role: Role,
    /// The protocols that spoke, outermost first.
    pub protocols: Vec<&'static str>,
    /// Its first event.
    pub first: Point,
    /// Its last event.
    pub last: Point,
    /// Who said the first word above the transport.
    pub opener: Option<Side>,
    /// Questions and answers.
    pub dialog: Dialog,
    /// Logins.
    pub logins: Logins,
    /// Resumptions.
    pub resumptions: Resumptions,
    /// Units of work and checkpoints.
    pub works: Works,
    /// Timers, keep-alives, quiet times.
    pub clocks: Clocks,
    /// What it is known by, with where each was first and last shown; bounded.
    pub identities: Vec<Known>,
    /// The security handshake.
    pub security: Option<Box<SecurityFacts>>,
    /// The first good-bye of the protocol itself, and whose.
    pub goodbye: Option<Box<Goodbye>>,
    /// The security layer's good-bye, and whose.
    pub security_goodbye: Option<(Side, Point)>,
    /// What the protocol said when it gave up.
    pub farewell: Option<Box<Farewell>>,
    /// A refusal to begin at all.
    pub refused: Option<Box<Farewell>>,
    /// Refusals that speak of a timer, of somebody behind who failed, or that may pass if tried later; bounded.
    pub excuses: Vec<Excuse>,
    /// Answers that say that the question does not belong where it was asked; bounded.
    pub misplaced: Vec<Farewell>,
    /// Connections that it announced.
    pub expects: Vec<(Expectation, Point)>,
    /// Actions asked for, and what became of them; bounded.
    pub actions: Vec<Acted>,
    /// What it subscribed to, and whether it still was at the end; bounded.
    pub subscriptions: Vec<Subscribed>,
    /// Refusals that say that the state is gone; bounded.
    pub lost: Vec<Lost>,
    /// The first refusal because somebody holds what was asked for.
    pub held: Option<Box<Lost>>,
    /// Where a login was offered in place of what was asked for, and what that was; bounded.
    pub sent_away: Vec<(Option<Box<str>>, Point)>,
    /// When the transport was first closed or given up by either side.
    pub closing: Option<Timestamp>,
    /// Where it left word with the server for the case that it goes without a good-bye.
    pub will: Option<Point>,
    /// Messages that were read, and those that were only seen from outside.
    pub readable: u32,
    /// Events seen from outside only.
    pub opaque: u32,
    /// Its states.
    pub(super) phases: Phases,
    /// Its letters.
    pub(super) history: History,
}

/// An identity on a leg.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The identity.
    pub identity: Identity,
    /// Who showed it first.
    pub side: Side,
    /// Where first.
    pub first: Point,
    /// Where last.
    pub last: Point,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscribed {
    /// To what.
    pub object: Box<str>,
    /// Where it was asked for.
    pub asked: Point,
    /// Whether it was granted, and where.
    pub answer: Option<(bool, Point)>,
    /// Where it was given up.
    pub dropped: Option<Point>,
}

/// A refusal that says that the state is gone.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost {
    /// What was asked for.
    pub object: Option<Box<str>>,
    /// Status.
    pub code: Code,
    /// What was shown to prove the state.
    pub shown: Option<Hash128>,
    /// Where.
    pub at: Point,
}

/// A good-bye.
#[derive(Debug, Clone, PartialEq)]
pub struct Goodbye {
    /// Who said it.
    pub by: Side,
    /// What it is called.
    pub op: ShortText,
    /// Where.
    pub at: Point,
    /// Where it was answered.
    pub answered: Option<Point>,
    /// What its speaker had asked before, and was not answered when it left.
    pub pending: Option<Box<Question>>,
}

/// The last word of a side that gives up.
#[derive(Debug, Clone, PartialEq)]
pub struct Farewell {
    /// Who gives up.
    pub by: Side,
    /// Status.
    pub code: Code,
    /// Its words.
    pub text: Option<Box<str>>,
    /// What it says of the reason.
    pub marks: Marks,
    /// Where.
    pub at: Point,
    /// How the event put it.
    pub word: Word,
    /// How far the matter was.
    pub stage: Stage,
    /// Which agreement it spoke of.
    pub scope: Scope,
    /// How sure it is.
    pub confidence: Confidence,
}

/// A refusal that names a reason outside of what was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Excuse {
    /// What was said.
    pub said: Farewell,
    /// Where the question was asked, where it answers one.
    pub asked: Option<Point>,
}

/// An action that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Acted {
    /// What.
    pub action: Action,
    /// Who asked.
    pub by: Side,
    /// For people.
    pub object: Option<Box<str>>,
    /// Where it was asked.
    pub asked: Point,
    /// Whether it was granted, and where.
    pub answer: Option<(bool, Point)>,
    /// What the answer said.
    pub reply: Option<Box<Reply>>,
    /// The command.
    pub op: ShortText,
    /// Whether the message said of itself that it is sent again (MQTT DUP).
    pub repeated: bool,
}

/// What was answered to an action: by it two answers can be told from each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Status.
    pub code: Code,
    /// What it says besides.
    pub marks: Marks,
    /// What came of it: the place of what was made.
    pub object: Option<Box<str>>,
    /// Its words.
    pub text: Option<Box<str>>,
}

impl Leg {
    /// Begins with its first event, which must then be given to [`note`](Self::note).
    pub(super) fn new(event: &Event) -> Self {
        let at = Point::of(event);
        Self {
            key: event.connection,
            role: Role::Main,
            protocols: Vec::new(),
            first: at,
            last: at,
            opener: None,
            dialog: Dialog::default(),
            logins: Logins::default(),
            resumptions: Resumptions::default(),
            works: Works::default(),
            clocks: Clocks::default(),
            identities: Vec::new(),
            security: None,
            goodbye: None,
            security_goodbye: None,
            farewell: None,
            refused: None,
            excuses: Vec::new(),
            misplaced: Vec::new(),
            expects: Vec::new(),
            actions: Vec::new(),
            subscriptions: Vec::new(),
            lost: Vec::new(),
            held: None,
            sent_away: Vec::new(),
            closing: None,
            will: None,
            readable: 0,
            opaque: 0,
            phases: Phases::default(),
            history: History::default(),
        }
    }

    /// Takes the next event of its connection.
    pub(super) fn note(&mut self, event: &Event) {
        let at = Point::of(event);
        self.last = at;
        if event.scope != Scope::Transport {
            self.opener.get_or_insert(event.side);
            if !self.protocols.contains(&event.protocol) && self.protocols.len() < 8 {
                self.protocols.push(event.protocol);
            }
            let seen = if event.marks.has(Marks::OPAQUE) { &mut self.opaque } else { &mut self.readable };
            *seen = seen.saturating_add(1);
        }
        if event.leads() || event.marks.has(Marks::OPAQUE) {
            let effect = if event.scope == Scope::Transport { Effect::None } else { self.dialog.note(event) };
            let asked = match effect {
                Effect::Answered(asked) => Some(asked),
                Effect::None => None,
            };
            if let Some(asked) = asked {
                self.answer(asked, event);
            }
            self.note_excuse(event, at, asked);
        }
        // Most events are mere turns, which say nothing to those who look for something in particular.
        let mere_turn = event.word == Word::Turn && event.details.is_none() && MERE.has(event.marks);
        if !mere_turn || event.stage == Stage::Refused {
            self.logins.note(event);
            self.resumptions.note(event);
            self.works.note(event);
            self.clocks.note(event);
            self.note_details(event, at);
            self.note_state(event, at);
            self.note_end(event, at);
        }
        self.history.note(event);
        self.phases.note(event);
    }

    fn note_details(&mut self, event: &Event, at: Point) {
        let Some(details) = &event.details else { return };
        for identity in &details.identities {
            let same = |known: &&mut Known| {
                known.identity.hash == identity.hash && known.identity.used == identity.used
            };
            if let Some(known) = self.identities.iter_mut().find(same) {
                known.last = at;
            } else if self.identities.len() < IDENTITIES_KEPT {
                let identity = identity.clone();
                self.identities.push(Known { identity, side: event.side, first: at, last: at });
            }
        }
        if let Some(security) = &details.security {
            self.security = Some(security.clone());
        }
        if let Some(expects) = details.expects
            && self.expects.len() < ACTIONS_KEPT
        {
            self.expects.push((expects, at));
        }
        if let Some(action) = details.action
            && self.actions.len() < ACTIONS_KEPT
        {
            self.actions.push(Acted {
                action,
                by: event.side,
                object: details.object.clone(),
                asked: at,
                answer: None,
                reply: None,
                op: event.op,
                repeated: event.marks.has(Marks::REPEATED),
            });
        }
    }

    fn note_excuse(&mut self, event: &Event, at: Point, asked: Option<Point>) {
        let excuses = [Marks::TIMER, Marks::UPSTREAM, Marks::RETRYABLE];
        let named = excuses.iter().any(|mark| event.marks.has(*mark));
        let says = matches!(event.stage, Stage::Refused | Stage::Told) && event.scope != Scope::Transport;
        if named && says && self.excuses.len() < EXCUSES_KEPT {
            self.excuses.push(Excuse { said: Self::last_word(event, at), asked });
        }
    }

    /// Subscriptions, lost state, logins offered in place of an answer.
    fn note_state(&mut self, event: &Event, at: Point) {
        let details = event.details();
        if event.scope == Scope::Subscription
            && let Some(object) = &details.object
        {
            self.note_subscription(event, object, at);
        }
        if event.stage == Stage::Refused
            && event.marks.has(Marks::STATE_LOST)
            && self.lost.len() < ACTIONS_KEPT
            && self.lost.last().is_none_or(|lost| lost.at != at)
        {
            let shown = details.identities.first().map(|identity| identity.hash);
            self.lost.push(Lost { object: details.object.clone(), code: event.code, shown, at });
        }
        if event.stage == Stage::Refused && event.marks.has(Marks::HELD) && self.held.is_none() {
            let object = details.object.clone();
            self.held = Some(Box::new(Lost { object, code: event.code, shown: None, at }));
        }
        if event.is(Word::Authenticate, Stage::Offered)
            && details.object.is_some()
            && self.sent_away.len() < ACTIONS_KEPT
        {
            self.sent_away.push((details.object.clone(), at));
        }
        if event.is(Word::Release, Stage::Offered) {
            self.will.get_or_insert(at);
        }
    }

    fn note_subscription(&mut self, event: &Event, object: &str, at: Point) {
        let room = self.subscriptions.len() < ACTIONS_KEPT;
        let known = self.subscriptions.iter_mut().rev().find(|known| &*known.object == object);
        match (event.word, event.stage, known) {
            (Word::Establish, Stage::Asked, Some(known)) if known.dropped.is_none() => {}
            (Word::Establish, Stage::Asked, _) if room => {
                self.subscriptions.push(Subscribed {
                    object: object.into(),
                    asked: at,
                    answer: None,
                    dropped: None,
                });
            }
            (Word::Establish, Stage::Granted | Stage::Refused, Some(known)) => {
                known.answer.get_or_insert((event.stage == Stage::Granted, at));
            }
            (Word::Release, _, Some(known)) => {
                known.dropped.get_or_insert(at);
            }
            _ => {}
        }
    }

    /// The question at this place was answered.
    fn answer(&mut self, asked: Point, event: &Event) {
        if let Some(acted) = self.actions.iter_mut().rev().find(|acted| acted.asked == asked) {
            acted.answer = Some((event.stage != Stage::Refused, Point::of(event)));
            let details = event.details();
            acted.reply = Some(Box::new(Reply {
                code: event.code,
                marks: event.marks,
                object: details.object.clone(),
                text: details.text.clone(),
            }));
        }
    }

    fn note_end(&mut self, event: &Event, at: Point) {
        match (event.word, event.scope) {
            // Hardly anything comes after: the room for it is given back.
            (Word::Release | Word::Abort, Scope::Transport) => {
                self.closing.get_or_insert(at.time);
                self.dialog.open.shrink_to_fit();
            }
            (Word::Release, Scope::Security) => {
                self.security_goodbye.get_or_insert((event.side, at));
            }
            // What is to be said in its stead is no good-bye.
            (Word::Release, Scope::Session) if event.stage == Stage::Offered => {}
            (Word::Release, Scope::Session) => match (event.stage, &mut self.goodbye) {
                (Stage::Granted, Some(goodbye)) => {
                    goodbye.answered.get_or_insert(at);
                }
                (_, None) => {
                    let before = |question: &&Question| question.at.time < at.time;
                    let pending =
                        self.dialog.owed_by(event.side.other()).filter(before).cloned().map(Box::new);
                    self.goodbye =
                        Some(Box::new(Goodbye { by: event.side, op: event.op, at, answered: None, pending }));
                }
                _ => {}
            },
            _ => {}
        }
        let speaks = event.marks.has(Marks::FATAL)
            || event.marks.has(Marks::TIMER)
            || event.marks.has(Marks::SHUTDOWN)
            || event.marks.has(Marks::TAKEN_OVER)
            || event.word == Word::Abort;
        if speaks && event.scope != Scope::Transport {
            self.farewell = Some(Box::new(Self::last_word(event, at)));
        }
        let says_no = event.stage == Stage::Refused || event.word == Word::Abort;
        if says_no && event.marks.has(Marks::OUT_OF_TURN) && self.misplaced.len() < MISPLACED_KEPT {
            self.misplaced.push(Self::last_word(event, at));
        }
        if event.is(Word::Establish, Stage::Refused)
            && matches!(event.scope, Scope::Session | Scope::Security)
        {
            self.refused = Some(Box::new(Self::last_word(event, at)));
        }
    }

    fn last_word(event: &Event, at: Point) -> Farewell {
        Farewell {
            by: event.side,
            code: event.code,
            text: event.details().text.clone(),
            marks: event.marks,
            at,
            word: event.word,
            stage: event.stage,
            scope: event.scope,
            confidence: event.confidence,
        }
    }

    /// The innermost protocol that was understood.
    pub fn protocol(&self) -> &'static str {
        let known = |name: &&&'static str| !matches!(**name, "tls" | "opaque");
        let mut names = self.protocols.iter().rev();
        names.clone().find(known).or_else(|| names.find(|name| **name == "tls")).copied().unwrap_or("opaque")
    }
}
