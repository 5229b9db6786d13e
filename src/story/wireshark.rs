//! The Wireshark display filter that shows what is claimed.
//!
//! With one input the filter names the stream. With several, the stream numbers of a single file are not those of
//! the merged timeline, so there is one filter for each capture, and it names frames only.

use std::fmt::Write as _;

use crate::analysis::Analysis;
use crate::events::Connection;
use crate::place::{FileId, PacketRef};
use crate::rules::Finding;

/// A filter, and the capture to open with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The capture, where there are several.
    pub capture: Option<FileId>,
    /// The display filter.
    pub filter: String,
}

/// The filters that show how a connection ended.
pub fn ending(connection: &Connection, several_captures: bool) -> Vec<Shown> {
    let cited = &connection.ended.frames;
    // Where nothing is cited, the connection's own ends are what there is to see.
    let own_ends = [connection.first, connection.last];
    let refs: &[PacketRef] =
        if cited.is_empty() && (several_captures || connection.stream.is_none()) { &own_ends } else { cited };
    if several_captures {
        let mut files: Vec<FileId> = refs.iter().map(|at| at.file).collect();
        files.sort_unstable();
        files.dedup();
        return files
            .into_iter()
            .map(|file| Shown {
                capture: Some(file),
                filter: frames(refs.iter().filter(|at| at.file == file).map(|at| at.frame)),
            })
            .collect();
    }
    let mut terms = Vec::new();
    if let Some(stream) = connection.stream {
        terms.push(format!("{}.stream == {stream}", connection.transport.name()));
    }
    if !refs.is_empty() {
        terms.push(frames(refs.iter().map(|at| at.frame)));
    }
    vec![Shown { capture: None, filter: terms.join(" && ") }]
}

/// The filters that show what a finding rests on.
pub fn finding(finding: &Finding, analysis: &Analysis) -> Vec<Shown> {
    let refs = finding.frames();
    let mut files: Vec<FileId> = refs.iter().map(|at| at.file).collect();
    files.sort_unstable();
    files.dedup();
    let several_captures = analysis.files.len() > 1;
    // The stream is named where there is one: then the filter shows nothing of others, and may be cut down to it.
    let only = match &finding.connections[..] {
        [id] if !several_captures => analysis.connections.get(*id as usize),
        _ => None,
    };
    let stream = only.and_then(|connection| Some((connection.transport.name(), connection.stream?)));
    let mut shown = Vec::new();
    for file in files {
        let cited = frames(refs.iter().filter(|at| at.file == file).map(|at| at.frame));
        let filter = match stream {
            Some((name, stream)) => format!("{name}.stream == {stream} && {cited}"),
            None => cited,
        };
        shown.push(Shown { capture: several_captures.then_some(file), filter });
    }
    shown
}

/// `frame.number == 7`, `frame.number in {17, 90211..90213}`.
fn frames(numbers: impl Iterator<Item = u64>) -> String {
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    if let [only] = numbers[..] {
        return format!("frame.number == {only}");
    }
    let runs = numbers.chunk_by(|a, b| a + 1 == *b);
    let mut set = String::new();
    for run in runs {
        match run {
            [first, .., last] if run.len() > 2 => {
                let _ = write!(set, ", {first}..{last}");
            }
            few => {
                for number in few {
                    let _ = write!(set, ", {number}");
                }
            }
        }
    }
    format!("frame.number in {{{}}}", set.trim_start_matches(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_ranges() {
        for (numbers, filter) in [
            (&[7][..], "frame.number == 7"),
            (&[7, 7], "frame.number == 7"),
            (&[90211, 17, 90212, 90213], "frame.number in {17, 90211..90213}"),
            (&[1, 2, 9], "frame.number in {1, 2, 9}"),
            (&[4, 5, 6, 7], "frame.number in {4..7}"),
        ] {
            assert_eq!(frames(numbers.iter().copied()), filter);
        }
    }
}
