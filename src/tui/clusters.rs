//! Findings put together: by rule, by server, by session.

use std::collections::BTreeMap;

use super::data::Data;
use crate::events::Confidence;
use crate::rules::{Finding, Severity};
use crate::time::Timestamp;

/// Names of the groupings of findings.
pub const GROUPS: [&str; 3] = ["rule", "server", "session"];

/// Findings of one rule, and what they have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// The rule's code.
    pub code: &'static str,
    /// The rule's name.
    pub name: &'static str,
    /// The worst of them.
    pub severity: Severity,
    /// The surest of them.
    pub confidence: Confidence,
    /// Their places in the analysis.
    pub findings: Vec<u32>,
    /// Ids of their sessions, in order.
    pub sessions: Vec<u32>,
    /// Their server, or how many there are.
    pub server: String,
    /// When the first showed.
    pub first: Timestamp,
    /// Whether one of them hurts, is more than a guess, and has no other finding as its cause.
    pub told: bool,
    /// How many sessions they stand for.
    pub hits: u64,
}

/// Whether a finding is worth telling without being asked for.
pub fn is_told(finding: &Finding) -> bool {
    finding.severity >= Severity::Warning
        && finding.confidence >= Confidence::Medium
        && finding.caused_by.is_none()
}

/// Puts the findings together that pass, the worst first.
pub fn clusters(data: &Data, group: usize, mut passes: impl FnMut(usize, &Finding) -> bool) -> Vec<Cluster> {
    let mut lists: BTreeMap<(&'static str, String), Vec<u32>> = BTreeMap::new();
    for (place, finding) in data.analysis.findings.iter().enumerate() {
        if !passes(place, finding) {
            continue;
        }
        let key = match GROUPS.get(group) {
            Some(&"server") => server(data, finding),
            Some(&"session") => finding.session.map(|id| format!("{id:08}")).unwrap_or_default(),
            _ => String::new(),
        };
        lists.entry((finding.rule.code, key)).or_default().push(place as u32);
    }
    let mut all: Vec<Cluster> = lists.into_values().filter_map(|findings| cluster(data, findings)).collect();
    all.sort_by(|a, b| {
        (b.told, b.severity, b.confidence, b.hits, a.code, a.first).cmp(&(
            a.told,
            a.severity,
            a.confidence,
            a.hits,
            b.code,
            b.first,
        ))
    });
    all
}

fn cluster(data: &Data, places: Vec<u32>) -> Option<Cluster> {
    let findings: Vec<&Finding> =
        places.iter().filter_map(|place| data.analysis.findings.get(*place as usize)).collect();
    let first = findings.first()?;
    let mut sessions: Vec<u32> = findings.iter().filter_map(|finding| finding.session).collect();
    sessions.sort_unstable();
    sessions.dedup();
    let mut servers: Vec<String> = findings.iter().map(|finding| server(data, finding)).collect();
    servers.sort_unstable();
    servers.dedup();
    let server = match &servers[..] {
        [only] if only.is_empty() => "-".to_owned(),
        [only] => only.clone(),
        several => format!("({})", several.len()),
    };
    Some(Cluster {
        code: first.rule.code,
        name: first.rule.name,
        severity: findings.iter().map(|finding| finding.severity).max()?,
        confidence: findings.iter().map(|finding| finding.confidence).max()?,
        sessions,
        server,
        first: findings.iter().map(|finding| finding.time).min()?,
        told: findings.iter().any(|finding| is_told(finding)),
        hits: findings.iter().map(|finding| u64::from(finding.occurrences)).sum(),
        findings: places,
    })
}

fn server(data: &Data, finding: &Finding) -> String {
    let session = finding.session.and_then(|id| data.session(id));
    let connection = || {
        let id = finding.connections.first()?;
        data.analysis.connections.get(*id as usize).map(|connection| connection.server)
    };
    let server = session.map(|session| session.server).or_else(connection);
    server.map(|server| server.to_string()).unwrap_or_default()
}
