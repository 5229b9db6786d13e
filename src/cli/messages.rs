//! What is said on standard error. Nothing here can fail: a closed standard error is no reason to stop.

use std::fmt::Display;
use std::io::{self, Write};
use std::panic::PanicHookInfo;

use super::exit::Stop;
use crate::analysis::Analysis;
use crate::error::Error;
use crate::escape;
use crate::problem::Problem;
use crate::report::text::{Naming, sentence};

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
    match stop {
        Stop::Failed(Error::Write(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => {}
        // Its lines belong below each other, and it has escaped what was typed.
        Stop::Filter(_) => {
            let _ = writeln!(io::stderr().lock(), "ghostshark: {stop}");
        }
        _ => note(stop),
    }
}

/// Tells what is damaged: the file, the place, and what was expected there.
pub(super) fn damages(analysis: &Analysis) {
    let damages: Vec<&Problem> =
        analysis.problems.iter().filter(|problem| problem.kind.is_damage()).collect();
    for problem in damages.iter().take(TOLD) {
        note(&sentence(analysis, problem, Naming::Path));
    }
    if damages.len() > TOLD {
        note(&format!("{} more damages; the report lists them as problems", damages.len() - TOLD));
    }
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
