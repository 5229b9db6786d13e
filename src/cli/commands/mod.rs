//! One file a verb, and what those share that analyse.

pub(super) mod completions;
pub(super) mod connections;
pub(super) mod forge;
pub(super) mod man;
pub(super) mod report;
pub(super) mod schema;
pub(super) mod summary;

use std::io::{self, IsTerminal};

use super::exit::{Exit, Stop};
use super::flags::{ColorWhen, InputArgs, LookArgs, OutputArgs};
use super::progress::Progress;
use super::{inputs, messages, output};
use crate::analysis::{self, Analysis, Options};
use crate::problem::ProblemKind;
use crate::report::text::Look;
use crate::report::{Format, Part, Request, TEXT};

/// Reads and analyses, writes the result in its format, and says how it went.
fn analyse_and_write(
    input: &InputArgs,
    output: &OutputArgs,
    format: &Format,
    request: &Request,
) -> Result<Exit, Stop> {
    let given = inputs::gather(input)?;
    let count = given.len();
    let options = Options {
        keep_duplicates: input.no_dedup,
        threads: input.threads,
        keep_events: request.events,
        ..Options::default()
    };
    let mut progress = Progress::new(input.progress, input.quiet);
    let analysis = analysis::analyze(given, &options, &mut |read, total| progress.at(read, total))?;
    drop(progress);
    if !input.quiet {
        let both_are_one_terminal = io::stdout().is_terminal() && io::stderr().is_terminal();
        // A summary has the damages in it; on one and the same terminal they need not be told twice.
        let told = format.name == TEXT.name && request.part != Part::Connections && output.out.is_none();
        if !(told && both_are_one_terminal) {
            messages::damages(&analysis);
        }
        output::deliver(output.out.as_deref(), |out| (format.write)(&analysis, request, out))?;
    }
    Ok(verdict(&analysis, count, input))
}

/// The exit code of a finished analysis.
fn verdict(analysis: &Analysis, given: usize, input: &InputArgs) -> Exit {
    let unreadable =
        analysis.problems.iter().filter(|problem| problem.kind == ProblemKind::UnreadableFile).count();
    let damaged = analysis.problems.iter().any(|problem| problem.kind.is_damage());
    if unreadable >= given || (input.strict_input && damaged) {
        Exit::Input
    } else if input.quiet && analysis.connections.is_empty() {
        Exit::No
    } else {
        Exit::Done
    }
}

/// How text looks where it will be read.
fn look(args: &LookArgs, output: &OutputArgs) -> Look {
    let colour = match args.color {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => {
            let wanted = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
            output.out.is_none()
                && io::stdout().is_terminal()
                && wanted("NO_COLOR").is_none()
                && wanted("TERM").is_none_or(|term| term != "dumb")
        }
    };
    Look { colour, clock: args.time.into(), verbose: args.verbose }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags::{Cli, Verb};
    use crate::problem::Problem;
    use clap::Parser;

    fn input(flags: &[&str]) -> InputArgs {
        let words = ["ghostshark", "summary", "a.pcap", "b.pcap"].iter().chain(flags);
        match Cli::try_parse_from(words).unwrap().verb {
            Some(Verb::Summary(args)) => args.input,
            other => panic!("{other:?}"),
        }
    }

    fn with(kinds: &[ProblemKind]) -> Analysis {
        let problem = |kind: &ProblemKind| Problem {
            kind: *kind,
            file: None,
            frame: None,
            offset: None,
            count: 1,
            message: String::new(),
        };
        Analysis { problems: kinds.iter().map(problem).collect(), ..Analysis::default() }
    }

    #[test]
    fn the_code_says_what_became_of_the_inputs() {
        use ProblemKind::{BadPacket, CutShort, UnreadableFile};
        for (kinds, flags, exit) in [
            (&[][..], &[][..], Exit::Done),
            (&[], &["-q"], Exit::No),
            (&[BadPacket], &["--strict-input"], Exit::Done),
            (&[CutShort], &[], Exit::Done),
            (&[CutShort], &["--strict-input"], Exit::Input),
            (&[UnreadableFile], &[], Exit::Done),
            (&[UnreadableFile], &["--strict-input"], Exit::Input),
            (&[UnreadableFile, UnreadableFile], &[], Exit::Input),
        ] {
            assert_eq!(verdict(&with(kinds), 2, &input(flags)), exit, "{kinds:?} {flags:?}");
        }
    }
}
