//! What screens show of an analysis, counted once when it is there and not each time a screen is drawn.

use std::collections::BTreeMap;

use crate::analysis::Analysis;
use crate::events::Connection;
use crate::events::transport::{By, Reason};
use crate::filter::fields::end_kind;
use crate::rules::Severity;
use crate::session::{LoginResult, PhaseName, ResumeResult, Session};
use crate::story::services::{Service, services};
use crate::story::tables::{self, Cell, Table};
use crate::time::{Span, Timestamp};

/// How a session ended, as `session.end.kind` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are those of the filter field")]
pub enum End {
    Clean,
    Open,
    Reset,
    Silent,
    Ghost,
    Refused,
    Timeout,
    Error,
}

impl End {
    /// All of them, in the order of the overview.
    pub const ALL: [Self; 8] = [
        Self::Clean,
        Self::Open,
        Self::Reset,
        Self::Silent,
        Self::Ghost,
        Self::Refused,
        Self::Timeout,
        Self::Error,
    ];

    /// Its name in a filter.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Open => "open",
            Self::Reset => "reset",
            Self::Silent => "silent",
            Self::Ghost => "ghost",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Error => "error",
        }
    }

    /// The word is the filter's: what a list counts is what the same word lets through.
    fn of(session: &Session, analysis: &Analysis) -> Self {
        let word = end_kind(session, analysis);
        Self::ALL.into_iter().find(|end| end.name() == word).unwrap_or(Self::Error)
    }
}

/// How a session ended, in a few words.
pub fn ended(session: &Session, end: End) -> String {
    let outcome = &session.outcome;
    let by = match outcome.by {
        By::Unknown => "",
        By::Client => " client",
        By::Server => " server",
        By::Middlebox => " middle",
        By::Network => " network",
    };
    let reason = match outcome.reason {
        Reason::Released => return "clean".to_owned(),
        Reason::CaptureEnded => return "open".to_owned(),
        Reason::Unknown => return "open ?".to_owned(),
        Reason::HalfReleased => "half-closed",
        Reason::Abort if end == End::Reset => "reset",
        Reason::Abort => "aborted",
        Reason::IdleTimeout => "idle timeout",
        Reason::AppTimeout => "answer timeout",
        Reason::KeepaliveTimeout => "keepalive timeout",
        Reason::AuthRefused => return "login refused".to_owned(),
        Reason::EstablishRefused => "refused",
        Reason::EstablishTimeout => return "no answer".to_owned(),
        Reason::MiddleboxTimeout => return "forgotten middle".to_owned(),
        Reason::MiddleboxReset => return "reset middle".to_owned(),
        Reason::PeerVanished => "silent",
        Reason::UserTimeout => "gave up",
        Reason::Superseded => "begun anew",
        Reason::Network => return "network error".to_owned(),
        Reason::ServerShutdown => return "shutdown server".to_owned(),
    };
    let ghost = if end == End::Ghost { "ghost " } else { "" };
    format!("{ghost}{reason}{by}")
}

/// What is known of a session beside itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// How it ended.
    pub end: End,
    /// The worst finding that concerns it.
    pub severity: Option<Severity>,
}

/// A protocol's line of the overview.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProtocolLine {
    /// Its sessions.
    pub sessions: u64,
    /// Logins granted, refused.
    pub logins: (u64, u64),
    /// Resumptions granted, refused.
    pub resumed: (u64, u64),
    /// Sessions that one side still holds.
    pub ghosts: u64,
    /// The time to the first work that 95 of 100 sessions keep below.
    pub setup: Option<Span>,
}

/// When things happened, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// Sessions began.
    pub start: Vec<Timestamp>,
    /// Sessions were interrupted.
    pub broken: Vec<Timestamp>,
    /// Sessions were resumed.
    pub resume: Vec<Timestamp>,
    /// Sessions ended.
    pub end: Vec<Timestamp>,
}

/// An analysis and what is shown of it.
#[derive(Debug, Default)]
pub struct Data {
    /// The analysis.
    pub analysis: Analysis,
    /// Whether it is the account of a beginning only: more is being read, or reading was stopped.
    pub partial: bool,
    /// Time of the first frame.
    pub origin: Timestamp,
    /// Time of the last frame.
    pub last: Timestamp,
    /// What is known of each session beside itself, in their order.
    pub facts: Vec<Facts>,
    /// Findings by severity, mildest first.
    pub severities: [usize; 4],
    /// Sessions by how they ended.
    pub ends: Vec<(End, usize)>,
    /// The overview's lines of protocols, those with most sessions first.
    pub protocols: Vec<(&'static str, ProtocolLine)>,
    /// What each server does with sessions.
    pub services: Vec<Service>,
    /// Statistics by name.
    pub tables: Vec<(&'static str, Table)>,
    /// When things happened.
    pub activity: Activity,
    /// Frames that findings cite, in order, with the places of the findings.
    pub cited: BTreeMap<u64, Vec<u32>>,
    /// Sessions by the ids of their connections.
    pub sessions_of: BTreeMap<u32, u32>,
}

impl Data {
    /// Counts what is to be shown.
    pub fn new(analysis: Analysis, partial: bool) -> Self {
        let files = &analysis.files;
        let origin = files.iter().filter_map(|file| file.first).min().unwrap_or_default();
        let last = files.iter().filter_map(|file| file.last).max().unwrap_or_default();
        let facts: Vec<Facts> = analysis.sessions.iter().map(|session| facts(&analysis, session)).collect();
        let mut severities = [0; 4];
        let mut cited: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (place, finding) in analysis.findings.iter().enumerate() {
            if let Some(count) = severities.get_mut(finding.severity as usize) {
                *count += 1;
            }
            for frame in finding.frames() {
                cited.entry(frame.number).or_default().push(place as u32);
            }
        }
        let count = |end: End| facts.iter().filter(|facts| facts.end == end).count();
        let ends = End::ALL.iter().map(|end| (*end, count(*end))).filter(|(_, count)| *count > 0).collect();
        let tables = vec![
            ("timers", tables::timers(&analysis)),
            ("idle", idle(&analysis)),
            ("resume", tables::resume(&analysis)),
            ("logins", tables::logins(&analysis)),
            ("setup", setup(&analysis)),
            ("ends", tables::ends(&analysis, Reason::name, By::name)),
            ("protocols", tables::protocols(&analysis)),
        ];
        Self {
            partial,
            origin,
            last,
            severities,
            ends,
            protocols: protocols(&analysis, &facts),
            services: services(&analysis),
            tables,
            activity: activity(&analysis),
            cited,
            sessions_of: tables::names_of_sessions(&analysis),
            facts,
            analysis,
        }
    }

    /// A session by its id.
    pub fn session(&self, id: u32) -> Option<&Session> {
        let guess = (id as usize).checked_sub(1).and_then(|place| self.analysis.sessions.get(place));
        guess
            .filter(|session| session.id == id)
            .or_else(|| self.analysis.sessions.iter().find(|session| session.id == id))
    }

    /// What is known of a session beside itself.
    pub fn facts(&self, id: u32) -> Facts {
        let place = (id as usize).saturating_sub(1);
        self.facts.get(place).copied().unwrap_or(Facts { end: End::Open, severity: None })
    }

    /// The last connection that carries a session.
    pub fn last_connection(&self, session: &Session) -> Option<&Connection> {
        session.last_main().and_then(|part| self.analysis.connections.get(part.connection as usize))
    }
}

fn facts(analysis: &Analysis, session: &Session) -> Facts {
    let severity = analysis.findings_of(session).map(|finding| finding.severity).max();
    Facts { end: End::of(session, analysis), severity }
}

/// From the first frame to the first work.
pub fn setup_time(session: &Session) -> Option<Span> {
    let first = session.phases.iter().find(|phase| phase.name == PhaseName::Active)?;
    Some(first.start.since(session.start))
}

/// The value below which so many percent of a sorted list lie.
fn percentile(sorted: &[Span], percent: usize) -> Option<Span> {
    let place = (sorted.len() * percent).div_ceil(100).checked_sub(1)?;
    sorted.get(place).copied()
}

fn protocols(analysis: &Analysis, facts: &[Facts]) -> Vec<(&'static str, ProtocolLine)> {
    let mut lines: BTreeMap<&'static str, (ProtocolLine, Vec<Span>)> = BTreeMap::new();
    for (session, facts) in analysis.sessions.iter().zip(facts) {
        let (line, setups) = lines.entry(session.protocol).or_default();
        line.sessions += 1;
        line.ghosts += u64::from(facts.end == End::Ghost);
        for login in session.logins() {
            line.logins.0 += u64::from(login.result == LoginResult::Granted);
            line.logins.1 += u64::from(login.result == LoginResult::Refused);
        }
        for resume in session.resumptions() {
            match resume.result {
                ResumeResult::Granted => line.resumed.0 += 1,
                ResumeResult::Refused | ResumeResult::Silent => line.resumed.1 += 1,
                ResumeResult::Unanswered => {}
            }
        }
        setups.extend(setup_time(session));
    }
    let mut lines: Vec<(&'static str, ProtocolLine)> = lines
        .into_iter()
        .map(|(name, (mut line, mut setups))| {
            setups.sort_unstable();
            line.setup = percentile(&setups, 95);
            (name, line)
        })
        .collect();
    lines.sort_by_key(|(name, line)| (std::cmp::Reverse(line.sessions), *name));
    lines
}

fn setup(analysis: &Analysis) -> Table {
    let mut times: BTreeMap<(String, String), Vec<Span>> = BTreeMap::new();
    for session in &analysis.sessions {
        if let Some(span) = setup_time(session) {
            let key = (session.protocol.to_owned(), session.server.to_string());
            times.entry(key).or_default().push(span);
        }
    }
    let rows = times.into_iter().map(|((protocol, server), mut spans)| {
        spans.sort_unstable();
        let at = |percent| percentile(&spans, percent).map_or(Cell::Empty, Cell::Time);
        let count = Cell::Number(spans.len() as u64);
        vec![Cell::Text(protocol), Cell::Text(server), count, at(50), at(90), at(95), at(100)]
    });
    Table {
        headings: vec!["protocol", "server", "sessions", "p50", "p90", "p95", "longest"],
        rows: rows.collect(),
    }
}

/// Upper ends of the classes of idle times, in seconds; the last class has none.
const CLASSES: [i64; 9] = [1, 10, 30, 60, 120, 300, 600, 1_800, 3_600];

/// Whether a session ended because of an idle time, whoever lost patience.
fn died_idle(session: &Session) -> bool {
    matches!(
        session.outcome.reason,
        Reason::IdleTimeout | Reason::MiddleboxTimeout | Reason::MiddleboxReset | Reason::PeerVanished
    )
}

/// For each class of the longest idle time: how many sessions lived through it, and how many died of it.
pub fn idle_classes<'a>(sessions: impl Iterator<Item = &'a Session>) -> Vec<(String, u64, u64)> {
    let mut counts = [(0_u64, 0_u64); CLASSES.len() + 1];
    for session in sessions {
        let longest = session.longest_quiet().map_or(Span::ZERO, |quiet| quiet.span);
        let class = CLASSES.iter().position(|end| longest < Span::from_secs(*end)).unwrap_or(CLASSES.len());
        if let Some(count) = counts.get_mut(class) {
            if died_idle(session) { count.1 += 1 } else { count.0 += 1 }
        }
    }
    let name = |class: usize| {
        CLASSES.get(class).map_or_else(
            || format!("over {}", seconds(CLASSES.last().copied().unwrap_or(0))),
            |end| format!("below {}", seconds(*end)),
        )
    };
    counts.iter().enumerate().map(|(class, (lived, died))| (name(class), *lived, *died)).collect()
}

fn seconds(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

fn idle(analysis: &Analysis) -> Table {
    let rows = idle_classes(analysis.sessions.iter())
        .into_iter()
        .map(|(class, lived, died)| vec![Cell::Text(class), Cell::Number(lived), Cell::Number(died)]);
    Table { headings: vec!["longest idle", "lived through it", "ended with it"], rows: rows.collect() }
}

fn activity(analysis: &Analysis) -> Activity {
    let mut activity = Activity::default();
    for session in &analysis.sessions {
        activity.start.push(session.start);
        activity.end.push(session.end);
        let broken = session.phases.iter().filter(|phase| phase.name == PhaseName::Interrupted);
        activity.broken.extend(broken.map(|phase| phase.start));
        let hurt = !matches!(
            session.outcome.reason,
            Reason::Released | Reason::CaptureEnded | Reason::Unknown | Reason::Superseded
        );
        if hurt {
            activity.broken.push(session.end);
        }
        let granted = session.resumptions().filter(|resume| resume.result == ResumeResult::Granted);
        activity.resume.extend(granted.map(|resume| resume.answered.unwrap_or(resume.begun).time));
    }
    for list in [&mut activity.start, &mut activity.broken, &mut activity.resume, &mut activity.end] {
        list.sort_unstable();
    }
    activity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_in_the_list() {
        let spans: Vec<Span> = (1..=20).map(Span::from_secs).collect();
        assert_eq!(percentile(&spans, 95), Some(Span::from_secs(19)));
        assert_eq!(percentile(&spans, 100), Some(Span::from_secs(20)));
        assert_eq!(percentile(&spans[..1], 50), Some(Span::from_secs(1)));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn classes_of_idle_times_have_names() {
        let classes = idle_classes(std::iter::empty());
        let names: Vec<&str> = classes.iter().map(|(name, _, _)| name.as_str()).collect();
        assert_eq!(names[0], "below 1 s");
        assert_eq!(names[4..7], ["below 2 min", "below 5 min", "below 10 min"]);
        assert_eq!(names[9], "over 1 h");
    }
}
