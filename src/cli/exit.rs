//! The exit codes of `interface.md` 1, the same for every verb, and what stops a verb.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::error::Error;
use crate::filter::Refusal;

/// Printed at the end of every `--help` and in the man page.
pub(super) const TABLE: &str = "\
Exit codes:
  0        done; check: the gate passed; diff --exit-code: no difference; with -q: there was something
           to show
  1        check: the gate failed; diff --exit-code: they differ; with -q: there was nothing to show
  2        wrong use: flags, a filter, a story, a policy or a baseline with mistakes, or an output that
           cannot be written
  3        input: no file could be read, or --strict-input and one was damaged
  4        internal error (a bug)
  130/143  stopped by the user";

/// What the process says at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// The answer is "no".
    No,
    /// Wrong use.
    Usage,
    /// The input could not be read, or was damaged and that was not allowed.
    Input,
    /// A bug.
    Internal,
    /// A signal ended it.
    Stopped,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Internal => 4,
            Self::Stopped => 143,
        }
    }

    /// clap says 0 where it printed help, and 2 where it did not understand.
    pub(super) fn from_clap(code: i32) -> Self {
        if code == 0 { Self::Done } else { Self::Usage }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What stops a verb, as the user is told.
#[derive(Debug)]
pub(super) enum Stop {
    /// The library could not go on.
    Failed(Error),
    /// The paths name nothing that could be read.
    NoInput(String),
    /// The paths or flags contradict each other in a way that clap cannot know.
    Usage(String),
    /// A filter could not be understood.
    Filter(Box<Refusal>),
    /// A file for the result could not be written.
    Output(String),
}

impl Stop {
    /// The code to end with.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Failed(Error::Write(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Failed(Error::Write(_) | Error::Story { .. })
            | Self::Usage(_)
            | Self::Filter(_)
            | Self::Output(_) => Exit::Usage,
            Self::Failed(_) | Self::NoInput(_) => Exit::Input,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Filter(refusal) => write!(f, "cannot use this filter\n{refusal}"),
            Self::NoInput(text) | Self::Usage(text) | Self::Output(text) => f.write_str(text),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Filter(Box::new(refusal))
    }
}

impl From<io::Error> for Stop {
    fn from(cause: io::Error) -> Self {
        Self::Failed(Error::Write(cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn what_stops_a_run_has_its_code() {
        let cause = || io::Error::from(io::ErrorKind::NotFound);
        let broken = io::Error::from(io::ErrorKind::BrokenPipe);
        for (stop, exit) in [
            (Stop::from(Error::Open { path: PathBuf::from("x"), cause: cause() }), Exit::Input),
            (Stop::from(broken), Exit::Done),
            (Stop::from(cause()), Exit::Usage),
            (Stop::NoInput(String::new()), Exit::Input),
            (Stop::Usage(String::new()), Exit::Usage),
        ] {
            assert_eq!(stop.exit(), exit, "{stop:?}");
        }
    }

    #[test]
    fn the_table_has_every_code() {
        for exit in [Exit::Done, Exit::No, Exit::Usage, Exit::Input, Exit::Internal] {
            assert!(TABLE.contains(&format!("\n  {} ", exit.code())));
        }
    }
}
