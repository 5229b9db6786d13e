//! What the captures teach about each server's way with sessions: its timers, what it resumes, how sessions end there.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::Analysis;
use crate::events::transport::{By, Reason};
use crate::events::{Connection, Endpoint, Side};
use crate::rules::{Severity, timers};
use crate::session::{LoginResult, ResumeResult, Role, Session};
use crate::time::Span;

/// One server's profile. What was not seen is absent, not zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// The server.
    pub server: Endpoint,
    /// Catalogue names of the protocols that it spoke.
    pub protocols: BTreeSet<&'static str>,
    /// Sessions with it.
    pub sessions: u64,
    /// Client hosts that had them.
    pub clients: u64,
    /// How they ended, the frequent first: reason, by whom, how many.
    pub ends: Vec<(Reason, By, u64)>,
    /// Idle timers that ends suggest: whose, the median, how many ends.
    pub idle_timers: Vec<(By, Span, u64)>,
    /// Timers declared in clear: whose, which, the longest.
    pub declared: Vec<(Side, &'static str, Span)>,
    /// Mean distance of keep-alives seen: of TCP, of the protocol.
    pub keepalives: (Option<Span>, Option<Span>),
    /// Ways to resume that it announced.
    pub offered: BTreeSet<&'static str>,
    /// Resumptions: mechanism, tried, granted, refused (in silence, too).
    pub resumptions: Vec<(&'static str, u64, u64, u64)>,
    /// Logins granted and refused.
    pub logins: (u64, u64),
    /// Sessions with a finding that one side still holds them.
    pub ghosts: u64,
    /// Whether state survives an interruption: of so many sessions that were taken up again, so many went on.
    pub survives: Option<(u64, u64)>,
}

/// The profiles of all servers that sessions were with, those with most sessions first.
pub fn services(analysis: &Analysis) -> Vec<Service> {
    let mut by_server: BTreeMap<Endpoint, Vec<&Session>> = BTreeMap::new();
    for session in &analysis.sessions {
        by_server.entry(session.server).or_default().push(session);
    }
    let mut all: Vec<Service> =
        by_server.into_iter().map(|(server, sessions)| profile(analysis, server, &sessions)).collect();
    // Stable: equals stay in order of address.
    all.sort_by_key(|service| std::cmp::Reverse(service.sessions));
    all
}

fn profile(analysis: &Analysis, server: Endpoint, sessions: &[&Session]) -> Service {
    let mut ends: BTreeMap<(Reason, By), u64> = BTreeMap::new();
    let mut idles: BTreeMap<By, Vec<Span>> = BTreeMap::new();
    let mut declared: BTreeMap<(Side, &'static str), Span> = BTreeMap::new();
    let mut intervals: (Vec<Span>, Vec<Span>) = (Vec::new(), Vec::new());
    let mut resumptions: BTreeMap<&'static str, (u64, u64, u64)> = BTreeMap::new();
    let mut service = Service {
        server,
        protocols: sessions.iter().map(|session| session.protocol).collect(),
        sessions: sessions.len() as u64,
        clients: sessions.iter().map(|session| session.client.ip).collect::<BTreeSet<_>>().len() as u64,
        ends: Vec::new(),
        idle_timers: Vec::new(),
        declared: Vec::new(),
        keepalives: (None, None),
        offered: BTreeSet::new(),
        resumptions: Vec::new(),
        logins: (0, 0),
        ghosts: 0,
        survives: None,
    };
    let (mut taken_up, mut went_on) = (0, 0);
    for session in sessions {
        *ends.entry((session.outcome.reason, session.outcome.by)).or_default() += 1;
        let held = analysis
            .findings_of(session)
            .any(|finding| finding.rule.code.starts_with("GSG") && finding.severity > Severity::Info);
        service.ghosts += u64::from(held);
        for part in session.legs.iter().filter(|part| part.leg.role == Role::Main) {
            let connection = analysis.connections.get(part.connection as usize);
            let said = session.outcome.reason == Reason::IdleTimeout && part.leg.farewell.is_some();
            let by_word = part
                .leg
                .clocks
                .longest_quiet()
                .filter(|_| said)
                .map(|quiet| (session.outcome.by, quiet.span));
            if let Some((by, idle)) = by_word.or_else(|| connection.and_then(idle_end)) {
                idles.entry(by).or_default().push(idle);
            }
            for (side, timer, _) in &part.leg.clocks.declared {
                let longest = declared.entry((*side, timer.timer.name())).or_default();
                *longest = (*longest).max(timer.span);
            }
            intervals.0.extend(part.leg.clocks.transport.interval());
            intervals.1.extend(part.leg.clocks.application.interval());
            service.offered.extend(part.leg.resumptions.offered.iter().map(|(mechanism, _)| *mechanism));
        }
        let mut tried = false;
        let mut granted = false;
        for resume in session.resumptions() {
            let counts = resumptions.entry(resume.mechanism).or_default();
            counts.0 += 1;
            match resume.result {
                ResumeResult::Granted => counts.1 += 1,
                ResumeResult::Refused | ResumeResult::Silent => counts.2 += 1,
                ResumeResult::Unanswered => {}
            }
            tried |= resume.result != ResumeResult::Unanswered;
            granted |= resume.result == ResumeResult::Granted;
        }
        taken_up += u64::from(tried);
        went_on += u64::from(granted);
        for login in session.logins() {
            service.logins.0 += u64::from(login.result == LoginResult::Granted);
            service.logins.1 += u64::from(login.refusals);
        }
    }
    service.ends = ends.into_iter().map(|((reason, by), count)| (reason, by, count)).collect();
    service.ends.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
    service.idle_timers = idles
        .into_iter()
        .filter_map(|(by, mut spans)| Some((by, median(&mut spans)?, spans.len() as u64)))
        .collect();
    service.declared = declared.into_iter().map(|((side, timer), span)| (side, timer, span)).collect();
    service.keepalives = (median(&mut intervals.0), median(&mut intervals.1));
    service.resumptions =
        resumptions.into_iter().map(|(mechanism, (tried, yes, no))| (mechanism, tried, yes, no)).collect();
    service.survives = (taken_up > 0).then_some((taken_up, went_on));
    service
}

/// Who ended a connection after being idle, and how long it had been.
fn idle_end(connection: &Connection) -> Option<(By, Span)> {
    let ended = &connection.ended;
    if !matches!(ended.reason, Reason::IdleTimeout | Reason::MiddleboxTimeout) {
        return None;
    }
    let spoken = Side::BOTH.iter().filter_map(|side| connection.sides[*side].last_payload).max()?;
    let idle = connection.end.since(spoken);
    // Who finds a connection forgotten speaks first: then the pause before counts.
    Some((ended.by, if ended.reason == Reason::MiddleboxTimeout { connection.longest_idle } else { idle }))
}

fn median(spans: &mut [Span]) -> Option<Span> {
    spans.sort_unstable();
    spans.get(spans.len() / 2).copied()
}

/// Products that are shipped with such a timer, for people; nothing where none is known.
pub fn candidates(span: Span) -> Option<String> {
    timers::named(span)
}
