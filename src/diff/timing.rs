//! What took longer, or less long.

use super::Pair;
use crate::session::{PhaseName, Session};
use crate::time::Span;

/// What is measured of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// From its first frame until work began.
    Setup,
    /// The longest wait for an answer.
    SlowestAnswer,
    /// From its first to its last frame.
    Duration,
}

impl Measure {
    const ALL: [Self; 3] = [Self::Setup, Self::SlowestAnswer, Self::Duration];

    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::SlowestAnswer => "slowest-answer",
            Self::Duration => "duration",
        }
    }

    fn of(self, session: &Session) -> Option<Span> {
        match self {
            Self::Setup => {
                let active = session.phases.iter().find(|phase| phase.name == PhaseName::Active)?;
                Some(active.start.since(session.start))
            }
            Self::SlowestAnswer => {
                let waits = session.legs.iter().filter_map(|part| part.leg.dialog.longest_wait);
                waits.map(|(span, _)| span).max()
            }
            Self::Duration => Some(session.duration()),
        }
    }
}

/// From which difference on something became slower or faster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// So many times as long, or as short.
    pub factor: f64,
    /// And at least so much longer or shorter: the twofold of nearly nothing is nearly nothing.
    pub least: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self { factor: 2.0, least: Span(500_000_000) }
    }
}

/// A time that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// What was measured.
    pub measure: Measure,
    /// In the old recording.
    pub old: Span,
    /// In the new one.
    pub new: Span,
}

impl Shift {
    /// Whether it became slower.
    pub fn is_slower(self) -> bool {
        self.new > self.old
    }
}

/// What differs by more than the limits.
pub(super) fn shifts(pair: Pair<'_>, limits: Limits) -> Vec<Shift> {
    let differs = |measure: Measure| {
        let (old, new) = (measure.of(pair.old)?, measure.of(pair.new)?);
        let (short, long) = (old.min(new), old.max(new));
        let over = long.0.saturating_sub(short.0) >= limits.least.0
            && long.as_secs() >= short.as_secs() * limits.factor;
        over.then_some(Shift { measure, old, new })
    };
    Measure::ALL.into_iter().filter_map(differs).collect()
}
