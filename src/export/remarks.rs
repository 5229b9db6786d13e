//! What a slice says of itself: findings beside the frames that show them, and what was left out of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::selection::Selection;
use super::slice::Keys;
use crate::analysis::Analysis;
use crate::escape;
use crate::rules::{Finding, Role};
use crate::session::Session;

/// Letters of the list of frame numbers: a longer one ends with the number of those that are not in it.
const NUMBERS: usize = 6_000;
/// Sessions, and findings, that are named one by one.
const NAMED: usize = 200;

/// The findings that concern any of these sessions, each once, in order of id.
pub(super) fn findings<'a>(analysis: &'a Analysis, sessions: &[&Session]) -> Vec<&'a Finding> {
    let of_all = sessions.iter().flat_map(|session| analysis.findings_of(session));
    let by_id: BTreeMap<u32, &Finding> = of_all.map(|finding| (finding.id, finding)).collect();
    by_id.into_values().collect()
}

/// What is said beside each frame, by its number in the run: one line a finding that cites it.
pub(super) fn beside_frames(findings: &[&Finding]) -> BTreeMap<u64, Vec<String>> {
    let mut lines = BTreeMap::<u64, Vec<String>>::new();
    for finding in findings {
        let mut seen = BTreeSet::new();
        for piece in &finding.evidence {
            let role = match piece.role {
                Role::Shows => "",
                Role::Context => " (context)",
                Role::Absence => " (what did not come)",
            };
            let broken = finding.rule;
            let line =
                format!("{} {}{role}: {}", broken.code, broken.name, escape::terminal(&piece.sentence));
            for at in &piece.frames {
                if seen.insert((at.number, line.clone())) {
                    lines.entry(at.number).or_default().push(line.clone());
                }
            }
        }
    }
    lines
}

/// What stands at the head of the slice.
pub(super) fn head(
    analysis: &Analysis,
    sessions: &[&Session],
    findings: &[&Finding],
    selection: &Selection,
    keys: Keys,
) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "Slice of {}: {} of {} frames, {} of {} sessions.",
        files(analysis),
        selection.frames.len(),
        analysis.totals.packets,
        sessions.len(),
        analysis.sessions.len()
    );
    let _ = writeln!(
        text,
        "Kept: {} packets of their connections, {} ICMP errors about them, {} more parts of datagrams, \
         {} frames of the DNS exchanges that named the server.",
        selection.packets, selection.errors, selection.fragments, selection.resolutions
    );
    let secrets = selection.secrets.len();
    let _ = match (secrets, keys) {
        (0, _) => writeln!(text, "Left out: all other frames. The source held no decryption secrets."),
        (_, Keys::Embed) => {
            writeln!(
                text,
                "Left out: all other frames. All {secrets} blocks of decryption secrets are in here."
            )
        }
        (_, Keys::Strip) => {
            writeln!(text, "Left out: all other frames, and {secrets} blocks of decryption secrets.")
        }
    };
    for session in sessions.iter().take(NAMED) {
        let outcome = &session.outcome;
        let _ = writeln!(
            text,
            "{} {} {} -> {}: {} by {}. {}",
            session.name(),
            session.protocol,
            session.client,
            session.server,
            outcome.reason.name(),
            outcome.by.name(),
            escape::terminal(&outcome.because)
        );
    }
    more(&mut text, sessions.len(), "sessions");
    let inside: BTreeSet<u32> =
        sessions.iter().flat_map(|session| session.legs.iter().map(|leg| leg.connection)).collect();
    for finding in findings.iter().take(NAMED) {
        let others = if finding.connections.iter().all(|id| inside.contains(id)) {
            ""
        } else {
            " (it rests on connections that are not in here, too)"
        };
        let _ = writeln!(
            text,
            "{} {} {} ({}, {} confidence): {}{others}",
            finding.name(),
            finding.rule.code,
            finding.rule.name,
            finding.severity.name(),
            finding.confidence.name(),
            escape::terminal(&finding.message)
        );
    }
    more(&mut text, findings.len(), "findings");
    let whose = if analysis.files.len() > 1 { "the inputs as one timeline" } else { "the source" };
    let _ = write!(text, "Frames by their numbers in {whose}: {}", numbers(&selection.frames));
    text
}

fn more(text: &mut String, count: usize, what: &str) {
    if count > NAMED {
        let _ = writeln!(text, "and {} {what} more", count - NAMED);
    }
}

/// The inputs by their names, without folders: where they lay is nobody's business.
fn files(analysis: &Analysis) -> String {
    let name = |path: &std::path::Path| {
        escape::terminal(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy())
    };
    let names: Vec<String> = analysis.files.iter().map(|file| name(&file.path)).collect();
    names.join(", ")
}

/// `1-3, 17, 90211`.
fn numbers(frames: &BTreeSet<u64>) -> String {
    let mut text = String::new();
    let mut told = 0;
    let mut rest = frames.iter().copied().peekable();
    while let Some(first) = rest.next() {
        if text.len() > NUMBERS {
            let _ = write!(text, " and {} more", frames.len() - told);
            break;
        }
        let mut last = first;
        while let Some(next) = rest.next_if(|next| *next == last + 1) {
            last = next;
        }
        told += (last - first) as usize + 1;
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = match last - first {
            0 => write!(text, "{comma}{first}"),
            _ => write!(text, "{comma}{first}-{last}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn runs_of_numbers_are_short() {
        assert_eq!(numbers(&[1, 2, 3, 17, 20, 21].into()), "1-3, 17, 20-21");
        let many = (0..20_000).map(|n| n * 2).collect();
        assert!(numbers(&many).ends_with(" more") && numbers(&many).len() < 6_100);
    }
}
