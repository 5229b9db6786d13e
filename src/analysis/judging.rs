//! Lets the rules judge: gives them the captures' facts, and takes their findings.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Quality;
use crate::capture::FileFacts;
use crate::events::Connection;
use crate::names::Names;
use crate::problem::Problem;
use crate::protocols;
use crate::rules::{self, CaptureFacts, Finding, Population};
use crate::session::Session;

/// What the rules find.
pub(super) fn findings(
    sessions: &[Session],
    connections: &[Connection],
    files: &[FileFacts],
    quality: &[Quality],
    problems: &[Problem],
    other_frames: u64,
    names: &Names,
) -> Vec<Finding> {
    let captures: Vec<CaptureFacts> =
        files.iter().zip(quality).map(|(file, quality)| facts(file, quality, other_frames)).collect();
    let population = Population::new(sessions, connections, &captures, problems, protocols::says_goodbye);
    let mut findings = rules::run(&population.named(names));
    if !names.is_empty() {
        for finding in &mut findings {
            name(finding, names);
        }
    }
    findings
}

/// Puts names in place of addresses in what a finding says.
fn name(finding: &mut Finding, names: &Names) {
    let texts = [&mut finding.message, &mut finding.why, &mut finding.advice].into_iter();
    let sentences = finding.evidence.iter_mut().map(|piece| &mut piece.sentence);
    for text in texts.chain(sentences).chain(&mut finding.ruled_out) {
        if let Cow::Owned(named) = names.in_text(text) {
            *text = named;
        }
    }
}

fn facts(file: &FileFacts, quality: &Quality, other_frames: u64) -> CaptureFacts {
    CaptureFacts {
        path: file.path.display().to_string(),
        packets: file.packets,
        window: file.first.zip(file.last),
        one_sided_ratio: quality.one_sided_ratio,
        loss_ratio: quality.loss_ratio,
        duplicate_ratio: quality.duplicate_ratio,
        snapped_ratio: quality.snapped_ratio,
        snaplen: file.interfaces.iter().map(|interface| interface.snaplen).filter(|bytes| *bytes > 0).min(),
        disorder: file.disorder,
        backward: file.backward,
        drops: file.interfaces.iter().filter_map(|interface| interface.drops).sum(),
        truncated: file.truncated,
        blackouts: file.blackouts.iter().map(|blackout| (blackout.start, blackout.end)).collect(),
        other_frames,
    }
}

/// Places of the findings that concern a session, by its id.
pub(super) fn by_session(findings: &[Finding], sessions: &[Session]) -> BTreeMap<u32, Vec<u32>> {
    let mut by_connection: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        for connection in &finding.connections {
            by_connection.entry(*connection).or_default().push(index as u32);
        }
    }
    let mut by_session: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for session in sessions {
        let near = session.legs.iter().filter_map(|leg| by_connection.get(&leg.connection)).flatten();
        let mut list: Vec<u32> = near.copied().collect();
        list.sort_unstable();
        list.dedup();
        if !list.is_empty() {
            by_session.insert(session.id, list);
        }
    }
    by_session
}
