//! How a session ended: who truly ended it, why, how sure that is (`domain.md` B.3).
//!
//! The transport says what its packets show. The protocol knows more: whether a good-bye was said, what was owed,
//! what was cut. Where it speaks, it is heard first.

use super::access::LoginResult;
use super::dialog::Question;
use super::leg::{Goodbye, Leg};
use super::work::Work;
use crate::events::transport::{By, How, Reason};
use crate::events::{Code, Confidence, Connection, Marks, Side, Stage, Word};
use crate::place::PacketRef;
use crate::time::{Span, Timestamp};

/// Who gives up within this long of asking did not wait at all.
const NO_WAIT: Span = Span::from_secs(1);

/// How a session ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Why.
    pub reason: Reason,
    /// A word more.
    pub detail: Option<&'static str>,
    /// Who ended it.
    pub by: By,
    /// How sure that is.
    pub confidence: Confidence,
    /// The frames that prove it.
    pub frames: Vec<PacketRef>,
    /// One sentence for people. Texts from the wire in it are escaped by whoever prints.
    pub because: String,
}

/// Judges the end of a session by its last main leg. `has_goodbye` tells whether its protocol has a good-bye that its
/// users are expected to say.
pub(super) fn judge(leg: &Leg, connection: &Connection, has_goodbye: bool) -> Outcome {
    let case = Case { leg, connection };
    case.refused()
        .or_else(|| case.login_refused())
        .or_else(|| case.last_word())
        .or_else(|| case.cut_work())
        .or_else(|| case.goodbye())
        .or_else(|| case.owed())
        .or_else(|| case.without_goodbye(has_goodbye))
        .unwrap_or_else(|| case.transport())
}

struct Case<'c> {
    leg: &'c Leg,
    connection: &'c Connection,
}

impl Case<'_> {
    /// The side that closed or reset first, where one did.
    fn closer(&self) -> Option<Side> {
        match (self.connection.ended.how, self.connection.ended.by) {
            (How::Fin | How::Rst, By::Client) => Some(Side::Client),
            (How::Fin | How::Rst, By::Server) => Some(Side::Server),
            _ => None,
        }
    }

    fn closed_at(&self) -> Timestamp {
        self.connection.end
    }

    fn closing_frames(&self) -> &[PacketRef] {
        &self.connection.ended.frames
    }

    fn refused(&self) -> Option<Outcome> {
        let refused = self.leg.refused.as_ref()?;
        // A handshake that failed and was begun anew on the same connection did not end it.
        let later =
            self.leg.dialog.last[Side::Server].as_ref().is_some_and(|turn| turn.at.time > refused.at.time);
        (!later).then(|| Outcome {
            reason: Reason::EstablishRefused,
            detail: None,
            by: refused.by.into(),
            confidence: refused.confidence,
            frames: refused.at.frames(),
            because: format!(
                "the {} refused to begin{}",
                refused.by.name(),
                said(refused.code, refused.text.as_deref())
            ),
        })
    }

    fn login_refused(&self) -> Option<Outcome> {
        let login = self.leg.logins.list.last()?;
        if self.leg.logins.granted() || login.result != LoginResult::Refused || self.leg.works.done > 0 {
            return None;
        }
        let (code, text) = login.refusal.clone().unwrap_or_default();
        let tries = if login.refusals > 1 { format!(" {} times", login.refusals) } else { String::new() };
        Some(Outcome {
            reason: Reason::AuthRefused,
            detail: None,
            by: By::Server,
            confidence: Confidence::Certain,
            frames: login.last.frames(),
            because: format!("the login was refused{tries}{}", said(code, text.as_deref())),
        })
    }

    /// What a side said when it gave up, if that was the end.
    fn last_word(&self) -> Option<Outcome> {
        let last = self.leg.farewell.as_ref()?;
        let spoken_after = Side::BOTH
            .iter()
            .any(|side| self.leg.dialog.last[*side].as_ref().is_some_and(|turn| turn.at.time > last.at.time));
        if spoken_after || (self.connection.ended.how == How::CaptureEnd && !last.marks.has(Marks::FATAL)) {
            return None;
        }
        // An answer that says so (504, 408 to a request) was owed until then.
        let answered = last.word != Word::Establish && matches!(last.stage, Stage::Granted | Stage::Refused);
        let owed = answered || self.leg.dialog.debt().is_some() || self.leg.works.open().next().is_some();
        let side = last.by.name();
        let (reason, what) = if last.marks.has(Marks::TAKEN_OVER) {
            (Reason::Superseded, format!("the {side} ended it because another connection took its place"))
        } else if last.marks.has(Marks::SHUTDOWN) {
            (Reason::ServerShutdown, format!("the {side} said that it is going away"))
        } else if last.marks.has(Marks::TIMER) && owed {
            (
                Reason::AppTimeout,
                format!("the {side} said that its timer ran out while something was under way"),
            )
        } else if last.marks.has(Marks::TIMER) {
            (Reason::IdleTimeout, format!("the {side} said that it was idle for too long"))
        } else if last.word == Word::Abort || last.marks.has(Marks::FATAL) {
            (Reason::Abort, format!("the {side} gave up"))
        } else {
            return None;
        };
        let mut frames = last.at.frames();
        frames.extend(self.closing_frames());
        Some(Outcome {
            reason,
            detail: None,
            by: last.by.into(),
            confidence: last.confidence,
            frames: tidy(frames),
            because: format!("{what}{}", said(last.code, last.text.as_deref())),
        })
    }

    /// A good-bye of the protocol.
    fn goodbye(&self) -> Option<Outcome> {
        let goodbye = self.leg.goodbye.as_deref()?;
        let spoken_after =
            self.leg.dialog.last[goodbye.by].as_ref().is_some_and(|turn| turn.at.time > goodbye.at.time);
        if spoken_after {
            return None;
        }
        if let Some(gave_up) = Self::left_waiting(goodbye) {
            return Some(gave_up);
        }
        let name = if goodbye.op.is_empty() { String::new() } else { format!(" ({})", goodbye.op) };
        let answer = match goodbye.answered {
            Some(_) => " and was answered",
            None => "",
        };
        let mut frames = goodbye.at.frames();
        frames.extend(goodbye.answered.iter().flat_map(super::Point::frames));
        Some(Outcome {
            reason: Reason::Released,
            detail: None,
            by: goodbye.by.into(),
            confidence: Confidence::Certain,
            frames: tidy(frames),
            because: format!("the {} said good-bye{name}{answer}", goodbye.by.name()),
        })
    }

    /// Who says good-bye after waiting for an answer has given up, politely.
    fn left_waiting(goodbye: &Goodbye) -> Option<Outcome> {
        let question = goodbye.pending.as_deref()?;
        let waited = goodbye.at.time.since(question.at.time);
        if waited < NO_WAIT {
            // The good-bye was sent along with what it follows.
            return None;
        }
        let mut frames = question.at.frames();
        frames.extend(goodbye.at.frames());
        Some(Outcome {
            reason: Reason::AppTimeout,
            detail: None,
            by: goodbye.by.into(),
            confidence: Confidence::High,
            frames: tidy(frames),
            because: format!(
                "the {} said good-bye after waiting {} for the answer to {}",
                goodbye.by.name(),
                seconds(waited),
                name(question)
            ),
        })
    }

    /// A unit of work was cut by the end of the connection.
    fn cut_work(&self) -> Option<Outcome> {
        let work = self
            .leg
            .works
            .list
            .iter()
            .rev()
            .find(|work| work.ended.is_none_or(|(stage, _)| stage == Stage::Told))?;
        if self.connection.ended.how == How::CaptureEnd {
            return None;
        }
        let what = describe(work);
        let mut frames = work.begun.frames();
        frames.extend(self.closing_frames());
        let base = Outcome {
            reason: self.connection.ended.reason,
            detail: self.connection.ended.detail,
            by: self.by(),
            confidence: self.connection.ended.confidence,
            frames: tidy(frames),
            because: String::new(),
        };
        Some(match self.closer() {
            Some(side) if self.by_an_end() => Outcome {
                reason: Reason::Abort,
                detail: None,
                by: side.into(),
                confidence: Confidence::High,
                because: format!("the {} {} in the middle of {what}", side.name(), self.verb()),
                ..base
            },
            _ => Outcome { because: format!("{what} was cut: {}", self.connection.ended.because), ..base },
        })
    }

    /// Who brought it about. The transport names who closed; where the peer had vanished before, that is not the same.
    fn by(&self) -> By {
        let ended = &self.connection.ended;
        match self.closer() {
            Some(side) if ended.reason == Reason::PeerVanished => side.other().into(),
            _ => ended.by,
        }
    }

    /// Whether the transport blames an end of the connection and no box between.
    fn by_an_end(&self) -> bool {
        matches!(
            self.connection.ended.reason,
            Reason::Released
                | Reason::Abort
                | Reason::HalfReleased
                | Reason::AppTimeout
                | Reason::IdleTimeout
                | Reason::Unknown
        )
    }

    fn verb(&self) -> &'static str {
        if self.connection.ended.how == How::Rst { "reset the connection" } else { "closed" }
    }

    /// Somebody closed while an answer was owed.
    fn owed(&self) -> Option<Outcome> {
        let closer = self.closer().filter(|_| self.by_an_end())?;
        let question = self.leg.dialog.debt()?;
        let mut frames = question.at.frames();
        frames.extend(self.closing_frames());
        let waited = self.closed_at().since(question.at.time);
        let what = name(question);
        let (reason, because) = if question.by != closer {
            let when = if waited >= NO_WAIT { format!(" after {}", seconds(waited)) } else { String::new() };
            (
                Reason::Abort,
                format!("the {} {}{when} while it owed the answer to {what}", closer.name(), self.verb()),
            )
        } else if waited >= NO_WAIT {
            (
                Reason::AppTimeout,
                format!(
                    "the {} gave up after waiting {} for the answer to {what}",
                    closer.name(),
                    seconds(waited)
                ),
            )
        } else {
            (
                Reason::Abort,
                format!("the {} {} without waiting for the answer to {what}", closer.name(), self.verb()),
            )
        };
        Some(Outcome {
            reason,
            detail: None,
            by: closer.into(),
            confidence: Confidence::High,
            frames: tidy(frames),
            because,
        })
    }

    /// The protocol has a good-bye, and nobody said it.
    fn without_goodbye(&self, has_goodbye: bool) -> Option<Outcome> {
        let closer = self.closer()?;
        let talked = self.leg.readable > 0 && self.leg.dialog.answered > 0;
        let quiet = matches!(self.connection.ended.reason, Reason::Released | Reason::Unknown);
        if !has_goodbye || !talked || !quiet || self.leg.opaque > 0 {
            return None;
        }
        Some(Outcome {
            reason: Reason::Abort,
            detail: None,
            by: closer.into(),
            confidence: Confidence::Medium,
            frames: self.closing_frames().to_vec(),
            because: format!(
                "the {} {} without the good-bye of {}",
                closer.name(),
                self.verb(),
                self.leg.protocol()
            ),
        })
    }

    /// What the transport says, with what was owed.
    fn transport(&self) -> Outcome {
        let ended = &self.connection.ended;
        let owed = match self.leg.dialog.debt() {
            Some(question) if ended.how != How::Fin => {
                format!("; the {} owed the answer to {}", question.by.other().name(), name(question))
            }
            _ => String::new(),
        };
        Outcome {
            reason: ended.reason,
            detail: ended.detail,
            by: self.by(),
            confidence: ended.confidence,
            frames: ended.frames.clone(),
            because: format!("{}{owed}", ended.because),
        }
    }
}

/// A question for people: its command and what it is about.
pub fn name(question: &Question) -> String {
    let command = match (question.op.is_empty(), question.code) {
        (false, _) => question.op.to_string(),
        (true, Code::None) => "the last message".to_owned(),
        (true, code) => format!("status {code}"),
    };
    match &question.object {
        Some(object) if question.op.is_empty() => format!("{command} ({object})"),
        Some(object) => format!("{command} {object}"),
        None => command,
    }
}

/// A unit of work for people: what, and how far it came.
pub fn describe(work: &Work) -> String {
    let what = match (work.op.is_empty(), &work.object) {
        (false, Some(object)) => format!("{} {object}", work.op),
        (false, None) => work.op.to_string(),
        (true, Some(object)) => object.to_string(),
        (true, None) => "its work".to_owned(),
    };
    match work.reached {
        Some(position) => {
            let of = position.of.map_or(String::new(), |of| format!(" of {of}"));
            format!("{what} ({}{of} {})", position.value, position.unit.name())
        }
        None => what,
    }
}

/// A status and its words, behind a colon; nothing where there is neither.
fn said(code: Code, text: Option<&str>) -> String {
    match (code, text) {
        (Code::None, None) => String::new(),
        (Code::None, Some(text)) => format!(": {text}"),
        (code, None) => format!(": {code}"),
        (code, Some(text)) => format!(": {code} {text}"),
    }
}

/// A time in seconds with as many digits as make sense.
pub fn seconds(span: Span) -> String {
    let seconds = span.as_secs();
    if seconds >= 10.0 { format!("{seconds:.0} s") } else { format!("{seconds:.1} s") }
}

/// In order, each once, not too many.
fn tidy(mut frames: Vec<PacketRef>) -> Vec<PacketRef> {
    frames.sort_unstable();
    frames.dedup();
    frames.truncate(crate::limits::CITED_FRAMES);
    frames
}
