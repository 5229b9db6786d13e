//! The states of a session and the one table of transitions between them (`domain.md` B.1, B.2).

use super::point::Point;
use crate::events::{Event, Marks, Scope, Stage, Word};
use crate::limits::PHASES_KEPT;
use crate::time::{Span, Timestamp};

/// Nobody spoke for this long, and the session is idle.
pub const IDLE_AFTER: Span = Span::from_secs(30);

/// A state of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum PhaseName {
    /// The transport is being opened.
    #[default]
    Opening,
    /// The transport is there; nothing was agreed on.
    Up,
    /// Greeting, security, version, capabilities.
    Negotiating,
    /// Credentials are under way.
    Authenticating,
    /// Work is done.
    Active,
    /// Nothing is said; keep-alives may flow.
    Idle,
    /// The transport is gone, the session was not released.
    Interrupted,
    /// A new connection claims earlier state.
    Resuming,
    /// Somebody said good-bye.
    Releasing,
    /// It is over.
    Ended,
}

impl PhaseName {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Up => "up",
            Self::Negotiating => "negotiating",
            Self::Authenticating => "authenticating",
            Self::Active => "active",
            Self::Idle => "idle",
            Self::Interrupted => "interrupted",
            Self::Resuming => "resuming",
            Self::Releasing => "releasing",
            Self::Ended => "ended",
        }
    }
}

/// What moves a session from one state to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A SYN.
    TransportAsked,
    /// Its answer.
    TransportGranted,
    /// A greeting, a hello.
    Agreement,
    /// Credentials, or a demand for them.
    Credentials,
    /// They were accepted.
    LoggedIn,
    /// Work: a question, an answer, data.
    Work,
    /// Nobody spoke for long.
    Quiet,
    /// Earlier state is claimed.
    ResumeAsked,
    /// The claim was answered.
    ResumeAnswered,
    /// A good-bye, or the first FIN.
    Goodbye,
    /// The transport was reset, or somebody gave up.
    Broken,
}

impl Trigger {
    /// What moves it, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::TransportAsked => "connection asked for",
            Self::TransportGranted => "connection accepted",
            Self::Agreement => "greeting or hello",
            Self::Credentials => "credentials",
            Self::LoggedIn => "login accepted",
            Self::Work => "question, answer or data",
            Self::Quiet => "nothing said",
            Self::ResumeAsked => "earlier state claimed",
            Self::ResumeAnswered => "claim answered",
            Self::Goodbye => "good-bye",
            Self::Broken => "reset or abort",
        }
    }

    /// What an event moves.
    fn of(event: &Event) -> Option<Self> {
        Some(match (event.scope, event.word, event.stage) {
            (Scope::Transport, Word::Establish, Stage::Asked) => Self::TransportAsked,
            (Scope::Transport, Word::Establish, _) => Self::TransportGranted,
            (Scope::Transport, Word::Release, _) => Self::Goodbye,
            (Scope::Transport, Word::Abort, _) => Self::Broken,
            (Scope::Transport, _, _) => return None,
            (Scope::Session | Scope::Security, Word::Establish, _) => Self::Agreement,
            (_, Word::Authenticate, Stage::Granted) => Self::LoggedIn,
            (_, Word::Authenticate, Stage::Asked | Stage::Refused) if event.leads() => Self::Credentials,
            (_, Word::Resume, Stage::Asked) => Self::ResumeAsked,
            (_, Word::Resume, Stage::Granted | Stage::Refused) => Self::ResumeAnswered,
            (Scope::Session | Scope::Security, Word::Release, _) if event.leads() => Self::Goodbye,
            (_, Word::Abort, _) => Self::Broken,
            (_, Word::Turn | Word::Activity | Word::Checkpoint, _) => Self::Work,
            _ => return None,
        })
    }
}

#[allow(clippy::match_same_arms, reason = "the order of the arms is the table's, and each says one thing")]
/// Where a trigger leads; none where the state stays. The order of the arms is the table's: the first match wins.
pub fn next(from: PhaseName, trigger: Trigger) -> Option<PhaseName> {
    use PhaseName as P;
    use Trigger as T;
    let to = match (from, trigger) {
        (P::Ended, _) => return None,
        (_, T::Broken) => P::Ended,
        (P::Releasing, _) => return None,
        (_, T::Goodbye) => P::Releasing,
        (P::Opening, T::TransportGranted) => P::Up,
        (_, T::TransportAsked | T::TransportGranted) => return None,
        (P::Opening | P::Up, T::Agreement) => P::Negotiating,
        (_, T::Agreement) => return None,
        (P::Opening | P::Up | P::Negotiating | P::Active | P::Idle, T::Credentials) => P::Authenticating,
        (_, T::Credentials) => return None,
        (_, T::ResumeAsked) => P::Resuming,
        (P::Resuming, T::ResumeAnswered) => P::Active,
        (_, T::ResumeAnswered) => return None,
        (_, T::LoggedIn) => P::Active,
        // A login is over when work is done, whether its success was said or not.
        (_, T::Work) => P::Active,
        (P::Active | P::Up | P::Negotiating | P::Authenticating, T::Quiet) => P::Idle,
        (_, T::Quiet) => return None,
    };
    (to != from).then_some(to)
}

/// A state with its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Which.
    pub name: PhaseName,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// What brought it.
    pub cause: &'static str,
    /// The event that did, where there was one.
    pub at: Option<Point>,
}

/// The states of one connection as they come.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Phases {
    list: Vec<Phase>,
    /// States that were not kept because there were too many.
    dropped: u32,
}

impl Phases {
    /// Takes the next event.
    pub(super) fn note(&mut self, event: &Event) {
        let at = Point::of(event);
        if self.list.is_empty() {
            let name = match Trigger::of(event) {
                Some(Trigger::TransportAsked) => PhaseName::Opening,
                Some(Trigger::TransportGranted) => PhaseName::Up,
                // The beginning was not seen: it is known to work by whatever is said first.
                _ => PhaseName::Active,
            };
            self.enter(name, at.time, "first frame seen", Some(at));
        }
        if let Some(quiet) = event.details().quiet
            && quiet >= IDLE_AFTER
        {
            self.step(Trigger::Quiet, Timestamp(at.time.0.saturating_sub(quiet.0)), None);
            self.step(Trigger::Work, at.time, Some(at));
        }
        if event.marks.has(Marks::APP_PING) && event.word == Word::KeepAlive {
            return;
        }
        if let Some(trigger) = Trigger::of(event) {
            self.step(trigger, at.time, Some(at));
        }
    }

    fn step(&mut self, trigger: Trigger, time: Timestamp, at: Option<Point>) {
        let from = self.list.last().map_or(PhaseName::Opening, |phase| phase.name);
        if let Some(to) = next(from, trigger) {
            self.enter(to, time, trigger.words(), at);
        }
    }

    fn enter(&mut self, name: PhaseName, start: Timestamp, cause: &'static str, at: Option<Point>) {
        if self.list.len() >= PHASES_KEPT {
            self.dropped += 1;
            return;
        }
        if let Some(last) = self.list.last_mut() {
            last.end = start;
        }
        self.list.push(Phase { name, start, end: start, cause, at });
    }

    /// The states, the last one until the connection's end.
    pub(super) fn until(self, end: Timestamp) -> Vec<Phase> {
        let mut list = self.list;
        if let Some(last) = list.last_mut() {
            last.end = end.max(last.start);
        }
        list
    }
}

/// The states of a whole session out of those of its legs, in order of time: the gap between a leg that was not
/// released and the next one is an interruption.
pub(super) fn of_session(
    legs: impl Iterator<Item = (Vec<Phase>, bool)>,
    over: Option<(Timestamp, &'static str)>,
) -> Vec<Phase> {
    let mut all: Vec<Phase> = Vec::new();
    for (phases, released) in legs {
        let Some(begin) = phases.first().map(|phase| phase.start) else { continue };
        if let Some(last) = all.last_mut() {
            if begin >= last.end {
                let (end, name) = (last.end, last.name);
                let broken = !released || name == PhaseName::Ended;
                let gap = if broken { PhaseName::Interrupted } else { PhaseName::Idle };
                if name == PhaseName::Ended {
                    all.pop();
                }
                all.push(Phase { name: gap, start: end, end: begin, cause: "connection gone", at: None });
            } else {
                // A sibling: what it does beside the others does not change the session's state.
                continue;
            }
        }
        all.extend(phases);
    }
    if let Some((time, cause)) = over
        && let Some(last) = all.last_mut()
        && last.name != PhaseName::Ended
    {
        last.end = time.max(last.start);
        let start = last.end;
        all.push(Phase { name: PhaseName::Ended, start, end: start, cause, at: None });
    }
    all.shrink_to_fit();
    all
}

/// All transitions, for tests and documents.
pub fn table() -> Vec<(PhaseName, Trigger, PhaseName)> {
    use PhaseName as P;
    use Trigger as T;
    let states = [
        P::Opening,
        P::Up,
        P::Negotiating,
        P::Authenticating,
        P::Active,
        P::Idle,
        P::Interrupted,
        P::Resuming,
        P::Releasing,
        P::Ended,
    ];
    let triggers = [
        T::TransportAsked,
        T::TransportGranted,
        T::Agreement,
        T::Credentials,
        T::LoggedIn,
        T::Work,
        T::Quiet,
        T::ResumeAsked,
        T::ResumeAnswered,
        T::Goodbye,
        T::Broken,
    ];
    let mut rows = Vec::new();
    for from in states {
        for trigger in triggers {
            rows.extend(next(from, trigger).map(|to| (from, trigger, to)));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_end_and_only_a_break_leaves_a_good_bye() {
        assert!(table().iter().all(|(from, _, _)| *from != PhaseName::Ended));
        let after: Vec<_> =
            table().into_iter().filter(|(from, _, _)| *from == PhaseName::Releasing).collect();
        assert_eq!(after, [(PhaseName::Releasing, Trigger::Broken, PhaseName::Ended)]);
    }
}
