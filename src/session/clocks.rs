//! Timers: those that a protocol declares, the rhythm of keep-alives, and the times when nothing was said.

use super::point::Point;
use crate::events::{Declared, Event, Scope, Side, Stage, Word};
use crate::limits::QUIET_KEPT;
use crate::time::{Span, Timestamp};

/// Who keeps alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// TCP probes.
    Transport,
    /// The protocol's own pings.
    Application,
}

impl Layer {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transport => "tcp",
            Self::Application => "app",
        }
    }
}

/// Keep-alives of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rhythm {
    /// How many were sent.
    pub probes: u32,
    /// How many were answered.
    pub answers: u32,
    /// The last one, and who sent it.
    pub last: Option<(Side, Point)>,
    /// The last one that wants an answer, and who sent it.
    pub asked: Option<(Side, Point)>,
    /// Shortest and longest time between two.
    pub between: Option<(Span, Span)>,
    /// Sum of those times, for the mean.
    total: Span,
}

impl Rhythm {
    fn probe(&mut self, side: Side, at: Point) {
        if let Some((_, last)) = self.last {
            let gap = at.time.since(last.time);
            let (low, high) = self.between.unwrap_or((gap, gap));
            self.between = Some((low.min(gap), high.max(gap)));
            self.total = self.total + gap;
        }
        self.probes += 1;
        self.last = Some((side, at));
    }

    /// Mean time between two.
    pub fn interval(&self) -> Option<Span> {
        let gaps = i64::from(self.probes.checked_sub(1)?);
        (gaps > 0).then(|| Span(self.total.0 / gaps))
    }
}

/// A time when nobody sent payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// How long.
    pub span: Span,
    /// What ended it.
    pub until: Point,
}

/// The clocks of one connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clocks {
    /// Timers declared, with who declared them; the latest of each kind and side.
    pub declared: Vec<(Side, Declared, Point)>,
    /// Keep-alives of TCP.
    pub transport: Rhythm,
    /// Keep-alives of the protocol.
    pub application: Rhythm,
    /// The longest times without payload, in order of time; bounded.
    pub quiet: Vec<Quiet>,
    /// The sum of all of them.
    pub quiet_total: Span,
}

impl Clocks {
    /// Takes any event.
    pub fn note(&mut self, event: &Event) {
        let at = Point::of(event);
        let details = event.details();
        for declared in &details.declared {
            self.declared.retain(|(side, known, _)| *side != event.side || known.timer != declared.timer);
            if self.declared.len() < 16 {
                self.declared.push((event.side, *declared, at));
            }
        }
        if let Some(span) = details.quiet {
            self.quiet(Quiet { span, until: at });
        }
        if event.word == Word::KeepAlive {
            let rhythm =
                if event.scope == Scope::Transport { &mut self.transport } else { &mut self.application };
            if event.stage == Stage::Asked {
                rhythm.asked = Some((event.side, at));
            }
            match event.stage {
                Stage::Asked | Stage::Told => rhythm.probe(event.side, at),
                Stage::Granted => rhythm.answers += 1,
                Stage::Offered | Stage::Refused => {}
            }
        }
    }

    fn quiet(&mut self, quiet: Quiet) {
        self.quiet_total = self.quiet_total + quiet.span;
        if self.quiet.len() >= QUIET_KEPT {
            let Some(index) = (0..self.quiet.len()).min_by_key(|index| self.quiet[*index].span) else {
                return;
            };
            if self.quiet[index].span >= quiet.span {
                return;
            }
            self.quiet.remove(index);
        }
        self.quiet.push(quiet);
    }

    /// The longest time without payload.
    pub fn longest_quiet(&self) -> Option<&Quiet> {
        self.quiet.iter().max_by_key(|quiet| (quiet.span, std::cmp::Reverse(quiet.until.time)))
    }

    /// A declared timer, the client's before the server's.
    pub fn declared(&self, timer: crate::events::Timer) -> Option<(Side, Span)> {
        self.declared
            .iter()
            .filter(|(_, declared, _)| declared.timer == timer)
            .map(|(side, declared, _)| (*side, declared.span))
            .min_by_key(|(side, _)| *side)
    }

    /// The time of the last keep-alive of any layer.
    pub fn last_keepalive(&self) -> Option<Timestamp> {
        [self.transport.last, self.application.last].iter().flatten().map(|(_, at)| at.time).max()
    }
}
