//! What is said on standard error. Nothing here can fail: a closed standard error is no reason to stop.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};
use std::panic::PanicHookInfo;

use super::exit::Stop;
use crate::analysis::Analysis;
use crate::error::Error;
use crate::escape;
use crate::problem::Problem;

/// Damages told one by one before the rest is only counted.
const TOLD: usize = 10;

/// One message.
pub(super) fn note(text: &impl Display) {
    // A name of a file may hold anything.
    let text = escape::terminal(&text.to_string());
    let _ = writeln!(io::stderr().lock(), "ghostshark: {text}");
}

/// Why a verb stopped; nothing where its reader just went away.
pub(super) fn say(stop: &Stop) {
    if !matches!(stop, Stop::Failed(Error::Write(cause)) if cause.kind() == io::ErrorKind::BrokenPipe) {
        note(stop);
    }
}

/// Tells what is damaged: the file, the place, and what was expected there.
pub(super) fn damages(analysis: &Analysis) {
    let damages: Vec<&Problem> =
        analysis.problems.iter().filter(|problem| problem.kind.is_damage()).collect();
    for problem in damages.iter().take(TOLD) {
        note(&damage(analysis, problem));
    }
    if damages.len() > TOLD {
        note(&format!("{} more damages; the report lists them as problems", damages.len() - TOLD));
    }
}

fn damage(analysis: &Analysis, problem: &Problem) -> String {
    let mut text = String::new();
    if let Some(facts) = problem.file.and_then(|file| analysis.files.get(usize::from(file.0))) {
        let _ = write!(text, "{}: ", facts.path.display());
    }
    if let Some(offset) = problem.offset {
        let _ = write!(text, "at byte {offset}: ");
    }
    text.push_str(&problem.message);
    if problem.count > 1 {
        let _ = write!(text, " ({} times)", problem.count);
    }
    text
}

/// A panic: what happened where, and what to do with it.
pub(super) fn crash(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
    let what = panic.payload();
    let what = what
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| what.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    note(&format!("internal error{place}: {what}"));
    note(&format!(
        "this is a bug in ghostshark {} ({} {}); please report these lines, and the file that shows it if you may \
         share it, at {}/issues",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        env!("CARGO_PKG_REPOSITORY"),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::FileFacts;
    use crate::place::FileId;
    use crate::problem::ProblemKind;

    #[test]
    fn a_damage_names_file_and_byte() {
        let analysis = Analysis {
            files: vec![FileFacts { path: "a.pcap".into(), ..FileFacts::default() }],
            ..Analysis::default()
        };
        let problem = Problem {
            kind: ProblemKind::CutShort,
            file: Some(FileId(0)),
            frame: None,
            offset: Some(40),
            count: 2,
            message: "expected 16 bytes, found 3".to_owned(),
        };
        assert_eq!(damage(&analysis, &problem), "a.pcap: at byte 40: expected 16 bytes, found 3 (2 times)");
    }
}
