//! What to look at or to do next, in one sentence, chosen by how the session ended.

use super::Teller;
use super::narrative::{asked, idle_before_end, is_readable, lasted, quoted};
use crate::events::transport::{By, How, Reason};
use crate::events::visibility::Sight;
use crate::events::{Confidence, Connection, Event, Marks, Scope, Side, Stage, Word};
use crate::session::risk::Verdict;
use crate::session::{PhaseName, Question, ResumeResult, Session, SessionLeg, outcome};
use crate::time::Span;

/// The sentence.
pub(super) fn next(session: &Session, teller: &Teller<'_>) -> String {
    let part = session.last_main();
    let events: Vec<_> = part.map(|part| teller.events(part.leg.key).collect()).unwrap_or_default();
    let connection = part.and_then(|part| teller.connection(part));
    let closes = |side| {
        events
            .iter()
            .any(|event| event.scope == Scope::Transport && event.word == Word::Release && event.side == side)
    };
    let case = Case {
        session,
        part,
        connection,
        idle: part.zip(connection).and_then(|(part, connection)| idle_before_end(&part.leg, connection)).map(
            |idle| {
                // Who says that its timer ran out ends the quiet by saying so.
                let said = part.is_some_and(|part| part.leg.farewell.is_some());
                let quiet = session.longest_quiet().map_or(idle, |quiet| quiet.span);
                if said { quiet.max(idle) } else { idle }
            },
        ),
        waited: waited(&events),
        half_closed: closes(Side::Client) != closes(Side::Server),
    };
    let mut text = case.look();
    if let Some(work) = case.work() {
        text.push_str("; ");
        text.push_str(&work);
    }
    text
}

/// The question before the last message, where that is an answer by which a side says that its timer ran out.
fn waited(events: &[&Event]) -> Option<String> {
    let mut told = events.iter().rev().filter(|event| event.scope != Scope::Transport && event.leads());
    let (last, before) = (told.next()?, told.next()?);
    let answers = last.marks.has(Marks::TIMER) && before.side != last.side && before.stage == Stage::Asked;
    answers.then(|| asked(before))
}

struct Case<'s> {
    session: &'s Session,
    part: Option<&'s SessionLeg>,
    connection: Option<&'s Connection>,
    idle: Option<Span>,
    /// The question to which a side's timer was the answer.
    waited: Option<String>,
    /// Only one side had closed.
    half_closed: bool,
}

impl Case<'_> {
    fn debt(&self) -> Option<&Question> {
        let leg = &self.part?.leg;
        // Who said good-bye while waiting left that question, not the good-bye's.
        let left = leg.goodbye.as_deref().and_then(|goodbye| goodbye.pending.as_deref());
        left.or_else(|| leg.dialog.debt()).filter(|question| is_readable(question))
    }

    /// The side that ended it, and the other one.
    fn sides(&self) -> (&'static str, &'static str) {
        match self.session.outcome.by {
            By::Client => (Side::Client.name(), Side::Server.name()),
            By::Server => (Side::Server.name(), Side::Client.name()),
            By::Middlebox | By::Network | By::Unknown => ("end that closed", "other end"),
        }
    }

    /// The side whose window was closed for long.
    fn stalled(&self) -> Option<Side> {
        let connection = self.connection?;
        Side::BOTH.into_iter().find(|side| connection.sides[*side].zero_window_time >= Span::from_secs(1))
    }

    fn idle(&self) -> String {
        self.idle.map_or("that time".to_owned(), lasted)
    }

    fn look(&self) -> String {
        let (by, other) = self.sides();
        let server = self.session.server;
        let sight = self.connection.map_or(Sight::Both, |connection| connection.visibility.sight);
        if sight != Sight::Both && self.session.outcome.reason != Reason::EstablishTimeout {
            return "one side is missing in the capture: record both directions before judging".to_owned();
        }
        match self.session.outcome.reason {
            Reason::Released => self.released(),
            Reason::HalfReleased => format!(
                "the {other} never closed its side: look there for a connection left in CLOSE-WAIT by its program"
            ),
            Reason::Abort => self.abort(),
            Reason::IdleTimeout if self.waited.is_some() => format!(
                "a timer of the {by} ran out before {} was answered: look for what the {by}, or who works for it, \
                 waited for",
                self.waited.as_deref().unwrap_or("the last question")
            ),
            Reason::IdleTimeout if self.session.outcome.confidence >= Confidence::High => format!(
                "the {by}'s idle timer is about {}: let the {other} send a keep-alive well below it, or close first",
                self.idle()
            ),
            Reason::IdleTimeout => format!(
                "if the {by} has an idle timer of about {}, let the {other} send a keep-alive well below it, or close \
                 first; look whether other sessions end after the same time (stats timers)",
                self.idle()
            ),
            Reason::AppTimeout => match self.debt() {
                Some(question) if question.by.name() == by => format!(
                    "the {other} was slower with {} than the {by} waits: look at the {other} for that time, or let the \
                     {by} wait longer",
                    quoted(&outcome::name(question))
                ),
                _ => format!(
                    "the {by}'s timer ran out while something was under way: look for what the {other}, or who works \
                     for it, waited for"
                ),
            },
            Reason::KeepaliveTimeout => format!(
                "keep-alives stayed unanswered: was the {} down, or the path to it cut, when the first one was sent?",
                if by == "client" { "server" } else { "client" }
            ),
            Reason::AuthRefused => self.refused_login(),
            Reason::EstablishRefused => match self.connection.map(|connection| connection.ended.how) {
                Some(How::Rst) if self.session.legs.iter().all(|part| part.leg.refused.is_none()) => {
                    format!("check that something listens on {server}, and that no rule rejects this client")
                }
                _ => format!("the server said why it refused: look for that message in the log of {server}"),
            },
            Reason::EstablishTimeout => format!(
                "no sign of {server}: check its address, the route and the firewalls; a live host without the service \
                 would have refused"
            ),
            Reason::MiddleboxTimeout => format!(
                "something on the path forgets connections that are idle for {} or less: send keep-alives well below \
                 that, or raise its timer",
                self.session.longest_quiet().map_or_else(|| self.idle(), |quiet| lasted(quiet.span))
            ),
            Reason::MiddleboxReset => {
                "the reset is no end's own: look for a firewall, proxy or balancer on the path that has a rule or limit \
                 for this"
                    .to_owned()
            }
            Reason::PeerVanished => format!(
                "find out what became of the {by} then: power, sleep, or its network; TCP keep-alives would tell the \
                 {other} sooner"
            ),
            Reason::UserTimeout => {
                "the sender repeated its data in vain: compare with a capture at the other end, to see where it is lost"
                    .to_owned()
            }
            Reason::Superseded => {
                "look for two programs that use the same identity or ports in turn: each ends the other's session"
                    .to_owned()
            }
            Reason::Network => {
                "the cited ICMP message names who cannot deliver: look at that router, or at the rule it follows".to_owned()
            }
            Reason::ServerShutdown => format!(
                "the log of {server} tells whether the stop was planned; the client has to connect again by itself"
            ),
            Reason::CaptureEnded => match self.debt() {
                Some(question) => format!(
                    "capture longer: the answer to {} was still due",
                    quoted(&outcome::name(question))
                ),
                None if self.half_closed => {
                    "one side had closed and the other had not yet: capture longer; if it stays so, its program leaks \
                     connections"
                        .to_owned()
                }
                None if self.stalled().is_some() => format!(
                    "look at the program of the {}: it did not read what had come",
                    self.stalled().map_or("side that stalled", Side::name)
                ),
                None => "nothing was wrong when the capture ended; capture longer to see how it ends".to_owned(),
            },
            Reason::Unknown => {
                "the packets do not decide it: capture nearer to one of the ends, and compare with its log".to_owned()
            }
        }
    }

    fn released(&self) -> String {
        let lost = self
            .session
            .resumptions()
            .filter(|resume| matches!(resume.result, ResumeResult::Refused | ResumeResult::Silent))
            .last();
        if let Some(lost) = lost {
            return format!(
                "it ended in order, but began anew where it should have gone on ({}): look why the earlier state was \
                 lost, or how long it is held",
                lost.mechanism
            );
        }
        if self.session.phases.iter().any(|phase| phase.name == PhaseName::Interrupted) {
            return "it ended in order, after interruptions: look at the end of each earlier connection above".to_owned();
        }
        let refused: u32 = self.session.legs.iter().map(|part| part.leg.dialog.refused).sum();
        match refused {
            0 if self.session.at_risk.is_none() => "nothing: it ended in order".to_owned(),
            0 => "it ended in order, though not all of its work was done".to_owned(),
            1 => "it ended in order; one answer was a refusal, and the ladder shows which".to_owned(),
            some => format!("it ended in order; {some} answers were refusals, and the ladder shows which"),
        }
    }

    fn abort(&self) -> String {
        let (by, _) = self.sides();
        let silent = self.part.is_some_and(|part| part.leg.readable == 0 && part.leg.opaque == 0);
        match (self.session.outcome.detail, self.debt()) {
            (Some("probe"), _) => "a scan, or a health check: nothing to do unless nobody should be doing that".to_owned(),
            (Some("provider"), _) => format!(
                "the host of the {by} had forgotten the connection: was it, or the program, restarted or killed before \
                 that?"
            ),
            (_, None) if silent => {
                "nothing was ever said on it: a health check or a scan does so, and a program that only probes".to_owned()
            }
            (_, debt) => Self::gave_up(by, debt),
        }
    }

    fn gave_up(by: &str, debt: Option<&Question>) -> String {
        match debt {
            Some(question) if question.by.name() != by => format!(
                "the {by} left without answering {}: its log for that moment tells whether it failed or was stopped",
                quoted(&outcome::name(question))
            ),
            Some(question) => format!(
                "ask the {by} why it did not wait for the answer to {}: its own limit, a user, or a crash",
                quoted(&outcome::name(question))
            ),
            None => format!("look into the log of the {by} for that moment: it gave up by itself"),
        }
    }

    fn refused_login(&self) -> String {
        let login = self.part.and_then(|part| part.leg.logins.list.last());
        if login.is_some_and(|login| login.marks.has(Marks::LIMIT)) {
            return "too many sessions are held: look for older ones of the same user that were never released".to_owned();
        }
        let mechanism =
            login.and_then(|login| login.mechanism).map(|m| format!(" ({m})")).unwrap_or_default();
        format!("check the credentials{mechanism} and the account at {}", self.session.server)
    }

    /// What to do about work that is at risk.
    fn work(&self) -> Option<String> {
        let risk = self.session.at_risk.as_ref()?;
        let what = risk.object.as_deref().map_or("the work".to_owned(), quoted);
        // A way without a name of its own is the protocol's own way.
        let by = |mechanism| match mechanism {
            "other" => "as its protocol has it".to_owned(),
            named => format!("by {named}"),
        };
        Some(match (risk.verdict, risk.mechanism) {
            (Verdict::Resume, Some(mechanism)) => format!("take up {what} again {}", by(mechanism)),
            (Verdict::ResumeUnproven, Some(mechanism)) => {
                format!("take up {what} again {} if it has not changed since", by(mechanism))
            }
            (Verdict::Restart, _) => format!("{what} has to be done again from its beginning"),
            _ => format!("check by hand how much of {what} arrived"),
        })
    }
}
