//! Root and symptom: which finding explains which, and which are one finding of several sessions (`domain.md` D.3).

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Population, Severity};
use crate::events::Endpoint;

/// From so many sessions on, equal findings of one server are one finding with a list.
const TOGETHER: usize = 5;

/// Pieces of evidence that such a finding keeps.
const EVIDENCE: usize = 8;

/// Which codes explain which others on the same connection, the strongest explanation first: the protocol's own
/// stated reason, an outage of the path, a host that went down, a box between the two, a timer, a program.
const EXPLAINS: &[(&str, &[&str])] = &[
    ("GST116", &["GSR*", "GSW604"]),
    ("GST115", &["GST101", "GST102", "GST106", "GST112", "GSW*", "GSC*", "GSD*"]),
    ("GSA507", &["GSW*", "GSC*", "GSD4*", "GSG2*"]),
    ("GSA508", &["GSA507", "GSW*", "GSC*", "GSG2*"]),
    ("GSN806", &["GST113", "GST117", "GSG201", "GSN804", "GSW*", "GSC*", "GSD*"]),
    ("GSN803", &["GSG201", "GSN801", "GSN804", "GST117", "GSW*", "GSC*", "GSD*"]),
    ("GSN814", &["GSG201", "GSG202", "GSN811", "GSW*", "GSC*", "GSD*"]),
    ("GSG207", &["GSG201", "GSG202", "GSG203", "GSG206", "GSN808", "GSW*", "GSC*", "GSD*", "GSR*"]),
    ("GSN811", &["GSN802", "GSG202", "GSW*", "GSC*", "GSD*"]),
    (
        "GSN801",
        &[
            "GSG201", "GSG202", "GST105", "GSN804", "GST109", "GST110", "GST117", "GSG206", "GSW*", "GSC*",
            "GSD*",
        ],
    ),
    ("GSN802", &["GSN804", "GST117", "GSG202", "GSW*", "GSC*", "GSD*"]),
    ("GST109", &["GSG201", "GSG205", "GST110", "GSW*", "GSC*", "GSD*"]),
    ("GSG201", &["GSG206", "GSN804", "GST117", "GSG205", "GSW*", "GSC*", "GSD*"]),
    ("GSG202", &["GSW*", "GSC*", "GSD*"]),
    ("GSN813", &["GSN804", "GST105", "GST117", "GSD409"]),
    ("GSN804", &["GST105", "GST117", "GSD409", "GSD411"]),
    ("GST114", &["GSN807"]),
    ("GSN808", &["GSR315", "GSR316"]),
    ("GSN805", &["GST117", "GST105", "GSW*", "GSC*", "GSD*"]),
    ("GST104", &["GST101", "GST103"]),
    ("GST102", &["GSW*", "GSC*", "GSD*", "GST101", "GST106"]),
    ("GST101", &["GST103", "GST110", "GST111", "GSW612", "GSC*"]),
    ("GST103", &["GSD*", "GSW*", "GSC*"]),
    ("GST107", &["GSD409", "GSW*", "GSC*"]),
    ("GST105", &["GSD409", "GSD411", "GSW*", "GSC*"]),
    ("GST106", &["GSD409", "GST117", "GSW*", "GSC*"]),
    ("GST112", &["GSD408", "GSD409", "GSA*", "GSW612"]),
    ("GST117", &["GSW*", "GSC*", "GSD409"]),
    ("GST113", &["GSD408", "GSD409"]),
    ("GSG204", &["GSG203"]),
    ("GSC706", &["GSC701", "GSC702"]),
    ("GSC701", &["GSC702"]),
    ("GSG209", &["GSG205"]),
    ("GSD401", &["GSD404", "GSD402"]),
    ("GSD402", &["GSD404"]),
    ("GSD405", &["GSD404", "GSD402", "GSC706"]),
    ("GSD410", &["GST113", "GSD408"]),
    ("GSA506", &["GSA501", "GSG208", "GSR315", "GSR316"]),
    ("GSA504", &["GSA503", "GSA501", "GSA512"]),
    ("GSA503", &["GSW*", "GSC*"]),
    ("GSA510", &["GST113", "GSD409"]),
    ("GSR304", &["GSR301", "GSR302"]),
    ("GSW607", &["GSW604", "GSW601"]),
    ("GSW604", &["GSD412", "GSW601", "GSC*"]),
    ("GSR311", &["GSR312"]),
    ("GSR315", &["GSR316"]),
    ("GSW610", &["GSW603", "GSC*"]),
    ("GSW602", &["GSC*"]),
    ("GSW603", &["GSC*"]),
    ("GSD409", &["GSC*"]),
];

/// Whether a pattern (`GSC*` or a whole code) means this code.
fn means(pattern: &str, code: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == code, |start| code.starts_with(start))
}

/// Ties symptoms to their causes, as indexes into the list. A cause has no cause itself.
pub(super) fn link(mut findings: Vec<Finding>) -> Vec<Finding> {
    let mut by_connection: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        for connection in &finding.connections {
            by_connection.entry(*connection).or_default().push(index);
        }
    }
    let mut causes: Vec<Option<usize>> = vec![None; findings.len()];
    for (cause_code, patterns) in EXPLAINS {
        let explaining: Vec<usize> = (0..findings.len())
            .filter(|index| {
                let finding = &findings[*index];
                // What is a mere remark explains nothing that hurts.
                finding.rule.code == *cause_code
                    && finding.severity > Severity::Info
                    && causes[*index].is_none()
            })
            .collect();
        for cause in explaining {
            let near: BTreeSet<usize> = findings[cause]
                .connections
                .iter()
                .flat_map(|connection| &by_connection[connection])
                .copied()
                .collect();
            for symptom in near {
                let code = findings[symptom].rule.code;
                let explains_others = causes.contains(&Some(symptom));
                if symptom != cause
                    && code != *cause_code
                    && causes[symptom].is_none()
                    && !explains_others
                    && patterns.iter().any(|pattern| means(pattern, code))
                {
                    causes[symptom] = Some(cause);
                }
            }
        }
    }
    for (finding, cause) in findings.iter_mut().zip(causes) {
        finding.caused_by = cause.map(|index| index as u32);
    }
    findings
}

/// Folds equal findings of one server over many sessions into one with a list.
pub(super) fn together(findings: Vec<Finding>, population: &Population<'_>) -> Vec<Finding> {
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        if let Some(server) = server_of(finding, population) {
            let alike = (finding.rule.code, server, finding.severity, finding.fault);
            groups.entry(alike).or_default().push(index);
        }
    }
    let many: Vec<&Vec<usize>> = groups.values().filter(|group| group.len() >= TOGETHER).collect();
    let first_of: BTreeMap<usize, usize> =
        many.iter().flat_map(|group| group.iter().map(|index| (*index, group[0]))).collect();
    let mut kept: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    for index in 0..kept.len() {
        let Some(first) = first_of.get(&index).copied().filter(|first| *first != index) else { continue };
        if let Some(other) = kept[index].take()
            && let Some(finding) = kept[first].as_mut()
        {
            take_in(finding, other);
        }
    }
    let mut all: Vec<Finding> = kept.into_iter().flatten().collect();
    for finding in all.iter_mut().filter(|finding| finding.session.is_some() && finding.occurrences > 1) {
        let others = finding.occurrences - 1;
        finding.message = format!("{} ({others} more sessions alike)", finding.message);
        finding.session = None;
    }
    all
}

fn server_of(finding: &Finding, population: &Population<'_>) -> Option<Endpoint> {
    let session = finding.session?;
    population.sessions.get(session.checked_sub(1)? as usize).map(|session| session.server)
}

fn take_in(finding: &mut Finding, other: Finding) {
    finding.occurrences = finding.occurrences.saturating_add(other.occurrences);
    finding.connections.extend(other.connections);
    finding.connections.sort_unstable();
    finding.connections.dedup();
    finding.confidence = finding.confidence.min(other.confidence);
    finding.time = finding.time.min(other.time);
    let room = EVIDENCE.saturating_sub(finding.evidence.len());
    finding.evidence.extend(other.evidence.into_iter().take(room));
}
