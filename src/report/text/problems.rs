//! Problems as sentences: which file, where, what, how often.

use std::fmt::Write as _;

use super::amounts::count;
use crate::analysis::Analysis;
use crate::problem::Problem;

/// Whether a sentence names its capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// By its path: the sentence stands alone.
    Path,
    /// By its number in brackets.
    Index,
    /// Not at all: the capture is named beside it.
    Nothing,
}

/// One problem as a sentence. What comes from the input is in it as it is: escape it before printing.
pub fn sentence(analysis: &Analysis, problem: &Problem, naming: Naming) -> String {
    let path = problem
        .file
        .and_then(|file| analysis.files.get(usize::from(file.0)))
        .map(|facts| facts.path.display().to_string())
        .unwrap_or_default();
    // What cannot be opened names its path itself.
    let message = match problem.message.strip_prefix(&path).and_then(|rest| rest.strip_prefix(": ")) {
        Some(rest) if !path.is_empty() => rest,
        _ => &problem.message,
    };
    let mut text = match (naming, problem.file) {
        (Naming::Path, Some(_)) if !path.is_empty() => format!("{path}: "),
        (Naming::Index, Some(file)) => format!("[{}] ", file.0),
        _ => String::new(),
    };
    // Writing to a String cannot fail.
    if let Some(frame) = problem.frame {
        let _ = write!(text, "frame {frame}: ");
    }
    if let Some(offset) = problem.offset.filter(|_| !message.starts_with("at byte ")) {
        let _ = write!(text, "at byte {offset}: ");
    }
    text.push_str(message);
    if problem.count > 1 {
        let _ = write!(text, " ({} times)", count(problem.count));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::FileFacts;
    use crate::place::FileId;
    use crate::problem::ProblemKind;

    #[test]
    fn file_and_byte_are_named_once() {
        let files = vec![FileFacts { path: "a.pcap".into(), ..FileFacts::default() }];
        let analysis = Analysis { files, ..Analysis::default() };
        let said = |message: &str, offset, count, naming| {
            let problem = Problem {
                kind: ProblemKind::CutShort,
                file: Some(FileId(0)),
                frame: None,
                offset,
                count,
                message: message.to_owned(),
            };
            sentence(&analysis, &problem, naming)
        };
        for naming in [Naming::Path, Naming::Nothing] {
            let path = if naming == Naming::Path { "a.pcap: " } else { "" };
            for (message, offset, expected) in [
                ("expected more", Some(40), "at byte 40: expected more (1,200 times)"),
                ("at byte 40: expected more", Some(40), "at byte 40: expected more (1,200 times)"),
                ("a.pcap: cannot open", None, "cannot open (1,200 times)"),
            ] {
                assert_eq!(said(message, offset, 1_200, naming), format!("{path}{expected}"));
            }
        }
        assert_eq!(said("expected more", None, 1, Naming::Index), "[0] expected more");
    }
}
