//! A finding: a rule, a session, the claim, and the evidence that proves it.

use std::collections::BTreeSet;

use super::Rule;
use super::subject::{Part, Subject};
use crate::events::transport::By;
use crate::events::{Confidence, Hash128, Side};
use crate::limits::CITED_FRAMES;
use crate::place::PacketRef;
use crate::session::Point;
use crate::time::{Span, Timestamp};

/// How much it hurts (`domain.md` D.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A fact, healthy or neutral.
    Info,
    /// Likely to hurt, or hurts a little.
    Warning,
    /// Work was lost, refused or hung.
    Error,
    /// Data are wrong, or side effects happened twice, proven.
    Critical,
}

impl Severity {
    /// All of them, mildest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// Whose configuration or behaviour has to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The client's.
    Client,
    /// The server's.
    Server,
    /// Something between the two.
    Middlebox,
    /// The path.
    Network,
    /// The recording.
    Capture,
    /// The evidence does not tell.
    Unknown,
}

impl Fault {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Middlebox => "middlebox",
            Self::Network => "network",
            Self::Capture => "capture",
            Self::Unknown => "unknown",
        }
    }
}

impl From<By> for Fault {
    fn from(by: By) -> Self {
        match by {
            By::Client => Self::Client,
            By::Server => Self::Server,
            By::Middlebox => Self::Middlebox,
            By::Network => Self::Network,
            By::Unknown => Self::Unknown,
        }
    }
}

impl From<Side> for Fault {
    fn from(side: Side) -> Self {
        By::from(side).into()
    }
}

/// Which layer is to blame: the network, the session, or the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The path and TCP.
    Transport,
    /// Who holds which state for how long.
    Session,
    /// TLS and encodings.
    Presentation,
    /// What the programs do.
    Application,
    /// The recording.
    Capture,
}

impl Layer {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Session => "session",
            Self::Presentation => "presentation",
            Self::Application => "application",
            Self::Capture => "capture",
        }
    }
}

/// What a piece of evidence does for the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It shows the claim.
    Shows,
    /// It shows what surrounds it.
    Context,
    /// It is a window in which we would have seen something, and nothing came.
    Absence,
}

impl Role {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shows => "shows",
            Self::Context => "context",
            Self::Absence => "absence",
        }
    }
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// What it does for the claim.
    pub role: Role,
    /// Its frames, in order; of an absence the frames between which nothing came.
    pub frames: Vec<PacketRef>,
    /// The window of an absence.
    pub window: Option<(Timestamp, Timestamp)>,
    /// What it says.
    pub sentence: String,
}

/// A figure that a finding rests on, measured or the threshold that it was held against.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A time; names of such values end in `_s`.
    Time(Span),
    /// A count or an amount.
    Number(u64),
    /// A ratio.
    Ratio(f64),
    /// A word.
    Text(String),
}

/// A claim with its proof.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Its number in the output, from 1; printed as `F-0001`.
    pub id: u32,
    /// The rule that makes the claim.
    pub rule: &'static Rule,
    /// How much it hurts.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whose configuration or behaviour has to change.
    pub fault: Fault,
    /// Which layer is to blame.
    pub layer: Layer,
    /// The claim, in one sentence. Text from the wire in it is escaped by whoever prints.
    pub message: String,
    /// How it is known.
    pub why: String,
    /// How to mend it, with the concrete setting.
    pub advice: String,
    /// Its session; none where it concerns the capture or several sessions alike.
    pub session: Option<u32>,
    /// Its connections, in order, each once.
    pub connections: Vec<u32>,
    /// When it showed.
    pub time: Timestamp,
    /// The proof.
    pub evidence: Vec<Evidence>,
    /// Figures.
    pub values: Vec<(&'static str, Value)>,
    /// Other explanations that were looked at, and why they are not it.
    pub ruled_out: Vec<String>,
    /// The finding that explains this one: an index until findings are numbered, then an id.
    pub caused_by: Option<u32>,
    /// How many sessions it stands for.
    pub occurrences: u32,
    /// What tells it from another finding of the same rule in the same session.
    pub key: String,
    /// A name that stays the same from run to run of the same service: no time, client port, frame or address.
    pub fingerprint: Hash128,
    /// What the fingerprint is made of, for people.
    pub about: super::About,
    /// How many levels the confidence loses, by whom it cites.
    pub(super) doubts: u8,
    /// Whether it rests on a joint that only circumstances suggest.
    pub(super) guessed: bool,
    /// Whether a middling confidence does not soften an error.
    pub(super) keeps_severity: bool,
}

impl Finding {
    /// The claim of a rule about a session. It begins at the rule's severity, certain.
    pub fn of(rule: &'static Rule, subject: &Subject<'_>, message: impl Into<String>) -> Self {
        let session = subject.session;
        let mut finding = Self::about(rule, session.end, message);
        finding.session = Some(session.id);
        finding.connections = session.legs.iter().map(|leg| leg.connection).collect();
        finding.connections.sort_unstable();
        finding.doubts = subject.doubts();
        finding.guessed = subject.is_guessed();
        finding
    }

    /// The claim of a rule about one connection of a session: what its other connections are, and how surely they belong
    /// to it, does not matter.
    pub fn of_part(
        rule: &'static Rule,
        subject: &Subject<'_>,
        part: Part<'_>,
        message: impl Into<String>,
    ) -> Self {
        Self::of(rule, subject, message)
            .alone(&part)
            .key(part.connection.id.to_string())
            .at(part.connection.end)
    }

    /// The claim of a rule about more than one session, or about the capture.
    pub fn about(rule: &'static Rule, time: Timestamp, message: impl Into<String>) -> Self {
        Self {
            id: 0,
            rule,
            severity: rule.severity,
            confidence: Confidence::Certain,
            fault: Fault::Unknown,
            layer: rule.layer,
            message: message.into(),
            why: String::new(),
            advice: String::new(),
            session: None,
            connections: Vec::new(),
            time,
            evidence: Vec::new(),
            values: Vec::new(),
            ruled_out: Vec::new(),
            caused_by: None,
            occurrences: 1,
            key: String::new(),
            fingerprint: Hash128::of(&[rule.code.as_bytes()]),
            about: super::About::default(),
            doubts: 0,
            guessed: false,
            keeps_severity: false,
        }
    }

    /// Its name for users: `F-0001`.
    pub fn name(&self) -> String {
        format!("F-{:04}", self.id)
    }

    /// With another severity than the rule's usual one.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// As sure as this at most.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// A medium confidence does not soften it: the rule's row says so.
    #[must_use]
    pub fn keeps_severity(mut self) -> Self {
        self.keeps_severity = true;
        self
    }

    /// Whose it is.
    #[must_use]
    pub fn fault(mut self, fault: impl Into<Fault>) -> Self {
        self.fault = fault.into();
        self
    }

    /// On another layer than the rule's usual one.
    #[must_use]
    pub fn layer(mut self, layer: Layer) -> Self {
        self.layer = layer;
        self
    }

    /// How it is known.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// How to mend it.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }

    /// When it showed.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.time = time;
        self
    }

    /// Only these connections, of one session or of several.
    #[must_use]
    pub fn on(mut self, connections: impl IntoIterator<Item = u32>) -> Self {
        let all: BTreeSet<u32> = connections.into_iter().collect();
        self.connections = all.into_iter().collect();
        self
    }

    /// Only this connection, by itself: how sure its session is joined takes nothing off the claim.
    #[must_use]
    pub fn alone(mut self, part: &Part<'_>) -> Self {
        self.doubts = u8::from(part.is_lossy());
        self.guessed = false;
        self.on([part.connection.id])
    }

    /// What tells it from another finding of the same rule in the same session.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// So many sessions have it.
    #[must_use]
    pub fn occurrences(mut self, count: usize) -> Self {
        self.occurrences = u32::try_from(count).unwrap_or(u32::MAX).max(1);
        self
    }

    /// Frames that show the claim.
    #[must_use]
    pub fn shows(self, frames: impl IntoIterator<Item = PacketRef>, sentence: impl Into<String>) -> Self {
        self.cite(Role::Shows, frames.into_iter().collect(), None, sentence.into())
    }

    /// Frames that show what surrounds it.
    #[must_use]
    pub fn context(self, frames: impl IntoIterator<Item = PacketRef>, sentence: impl Into<String>) -> Self {
        self.cite(Role::Context, frames.into_iter().collect(), None, sentence.into())
    }

    /// A moment of the session's account that shows the claim.
    #[must_use]
    pub fn shows_point(self, point: Point, sentence: impl Into<String>) -> Self {
        self.shows(point.frames(), sentence)
    }

    /// A moment of the session's account that surrounds it.
    #[must_use]
    pub fn context_point(self, point: Point, sentence: impl Into<String>) -> Self {
        self.context(point.frames(), sentence)
    }

    /// Nothing came between these two times, and it would have been seen.
    #[must_use]
    pub fn absence(
        self,
        window: (Timestamp, Timestamp),
        frames: impl IntoIterator<Item = PacketRef>,
        sentence: impl Into<String>,
    ) -> Self {
        self.cite(Role::Absence, frames.into_iter().collect(), Some(window), sentence.into())
    }

    fn cite(
        mut self,
        role: Role,
        mut frames: Vec<PacketRef>,
        window: Option<(Timestamp, Timestamp)>,
        sentence: String,
    ) -> Self {
        frames.sort_unstable();
        frames.dedup();
        frames.truncate(CITED_FRAMES);
        if !frames.is_empty() || window.is_some() {
            self.evidence.push(Evidence { role, frames, window, sentence });
        }
        self
    }

    /// A figure; the names of times end in `_s`.
    #[must_use]
    pub fn value(mut self, name: &'static str, value: Value) -> Self {
        self.values.push((name, value));
        self
    }

    /// A time that was measured or held against.
    #[must_use]
    pub fn seconds(self, name: &'static str, span: Span) -> Self {
        self.value(name, Value::Time(span))
    }

    /// A count or an amount.
    #[must_use]
    pub fn number(self, name: &'static str, number: impl TryInto<u64>) -> Self {
        self.value(name, Value::Number(number.try_into().unwrap_or(u64::MAX)))
    }

    /// Another explanation, and why it is not it.
    #[must_use]
    pub fn ruled_out(mut self, what: impl Into<String>) -> Self {
        self.ruled_out.push(what.into());
        self
    }

    /// All frames of its evidence, in order, each once.
    pub fn frames(&self) -> Vec<PacketRef> {
        let mut frames: Vec<PacketRef> =
            self.evidence.iter().flat_map(|piece| piece.frames.iter().copied()).collect();
        frames.sort_unstable();
        frames.dedup();
        frames
    }

    /// Takes the doubts off the confidence, and from the severity what so little confidence does not carry
    /// (`domain.md` D.1): low is never above info, medium never above warning unless its row says so,
    /// and what rests on a guessed joint never above warning.
    pub(super) fn settle(&mut self) {
        for _ in 0..self.doubts {
            self.confidence = match self.confidence {
                Confidence::Certain => Confidence::High,
                Confidence::High => Confidence::Medium,
                Confidence::Medium | Confidence::Low => Confidence::Low,
            };
        }
        self.severity = match self.confidence {
            Confidence::Low => Severity::Info,
            Confidence::Medium if !self.keeps_severity => self.severity.min(Severity::Warning),
            _ => self.severity,
        };
        if self.guessed {
            self.severity = self.severity.min(Severity::Warning);
        }
    }
}
