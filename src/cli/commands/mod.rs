//! One file a verb, and what those share that analyse.

pub(super) mod baseline;
pub(super) mod check;
pub(super) mod completions;
pub(super) mod connections;
pub(super) mod diff;
pub(super) mod doctor;
pub(super) mod events;
pub(super) mod export;
pub(super) mod fields;
pub(super) mod findings;
pub(super) mod follow;
pub(super) mod forge;
#[cfg(feature = "tui")]
mod gating;
pub(super) mod man;
pub(super) mod packets;
pub(super) mod policy;
pub(super) mod redact;
pub(super) mod report;
pub(super) mod rules;
pub(super) mod schema;
#[cfg(feature = "tui")]
pub(super) mod screen;
pub(super) mod sessions;
pub(super) mod show;
pub(super) mod stats;
pub(super) mod summary;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, IsTerminal};

use super::exit::{Exit, Stop};
use super::flags::{ColorWhen, FilterArgs, InputArgs, LookArgs, OutputArgs, ReportKind};
use super::progress::Progress;
use super::{inputs, messages, output};
use crate::analysis::{self, Analysis, Options};
use crate::capture::Input;
use crate::error::Error;
use crate::filter::{self, Filter, Macros, PacketSource, Reread, Scope};
use crate::gate::{Circumstances, Policy, Verdict, judge};
use crate::names::Names;
use crate::problem::ProblemKind;
use crate::report::gate::Judged;
use crate::report::text::Look;
use crate::report::{Format, Part, Request, TEXT};

/// Reads and analyses, writes the result in its format, and says how it went.
fn analyse_and_write(
    input: &InputArgs,
    output: &OutputArgs,
    format: &Format,
    request: &Request,
) -> Result<Exit, Stop> {
    let (analysis, count) =
        analyse(input, request.events || format.tells_stories() || output.also.tells_stories())?;
    written(&analysis, count, input, output, format, request)
}

/// The same for what was analysed already.
fn written(
    analysis: &Analysis,
    count: usize,
    input: &InputArgs,
    output: &OutputArgs,
    format: &Format,
    request: &Request,
) -> Result<Exit, Stop> {
    if !input.quiet {
        let both_are_one_terminal = io::stdout().is_terminal() && io::stderr().is_terminal();
        // A summary has the damages in it; on one and the same terminal they need not be told twice.
        let told = format.name == TEXT.name && request.part != Part::Connections && output.out.is_none();
        if !(told && both_are_one_terminal) {
            messages::damages(analysis);
        }
        output::deliver(output.out.as_deref(), |out| (format.write)(analysis, request, out))?;
    }
    also(output, input, analysis)?;
    let any = request.only.as_ref().map_or(!analysis.connections.is_empty(), |only| !only.is_empty());
    Ok(verdict(analysis, count, input, any))
}

/// The filter that was given, understood before anything is read.
fn understood(args: &FilterArgs, scope: Scope) -> Result<Option<Filter>, Stop> {
    Ok(args.filter.as_deref().map(|text| filter::compile(text, scope, &Macros::new())).transpose()?)
}

/// The same for who reads the inputs only once where the filter asks nothing of packets.
fn understood_for(args: &FilterArgs, scope: Scope, input: &InputArgs) -> Result<Option<Filter>, Stop> {
    let filter = understood(args, scope)?;
    if let Some(filter) = &filter {
        // What a filter wants to know of packets is read in a second pass, which a pipe does not allow.
        if filter.needs().second_pass {
            inputs::keep(input)?;
        }
    }
    Ok(filter)
}

/// What a filter answers over the result.
type Ask<T> = fn(&Filter, &Analysis, &dyn PacketSource) -> Result<Vec<T>, Error>;

/// The rows that satisfy the filter; none where there is no filter.
fn narrowed<T: Ord>(
    filter: Option<&Filter>,
    input: &InputArgs,
    analysis: &Analysis,
    ask: Ask<T>,
) -> Result<Option<BTreeSet<T>>, Stop> {
    let Some(filter) = filter else { return Ok(None) };
    let source = Reread::new(inputs::gather(input)?, analysis);
    Ok(Some(ask(filter, analysis, &source)?.into_iter().collect()))
}

/// Reads and analyses. Gives how many inputs there were, too.
fn analyse(input: &InputArgs, keep_events: bool) -> Result<(Analysis, usize), Stop> {
    let given = inputs::gather(input)?;
    let count = given.len();
    Ok((analyse_these(given, input, keep_events)?, count))
}

/// The same with inputs that were gathered before.
fn analyse_these(given: Vec<Input>, input: &InputArgs, keep_events: bool) -> Result<Analysis, Stop> {
    let options = Options {
        keep_duplicates: input.no_dedup,
        threads: input.threads,
        keep_events,
        names: names(input)?,
        ..Options::default()
    };
    let mut progress = Progress::new(input.progress, input.quiet);
    Ok(analysis::analyze(given, &options, &mut |read, total| progress.at(read, total))?)
}

/// Names of hosts: those of the flag's file go before those of the settings.
fn names(input: &InputArgs) -> Result<Names, Stop> {
    let mut names = match &input.names {
        None => Names::default(),
        Some(path) => {
            let text = fs::read_to_string(path)
                .map_err(|cause| Stop::Usage(format!("{}: cannot read: {cause}", path.display())))?;
            Names::parse(&text).map_err(|wrong| {
                Stop::Usage(format!("{}, line {}: {}", path.display(), wrong.line, wrong.reason))
            })?
        }
    };
    names.fill(input.known_names.clone());
    Ok(names)
}

/// The same for the verbs about sessions: `shown` tells whether there is anything, and `write` writes it.
fn tell(
    input: &InputArgs,
    output: &OutputArgs,
    keep_events: bool,
    shown: impl FnOnce(&Analysis) -> bool,
    write: impl FnOnce(&Analysis, &mut dyn io::Write) -> io::Result<()>,
) -> Result<Exit, Stop> {
    let (analysis, count) = analyse(input, keep_events || output.also.tells_stories())?;
    told(&analysis, count, input, output, shown, write)
}

/// The same for what was analysed already.
fn told(
    analysis: &Analysis,
    count: usize,
    input: &InputArgs,
    output: &OutputArgs,
    shown: impl FnOnce(&Analysis) -> bool,
    write: impl FnOnce(&Analysis, &mut dyn io::Write) -> io::Result<()>,
) -> Result<Exit, Stop> {
    if !input.quiet {
        messages::damages(analysis);
        output::deliver(output.out.as_deref(), |out| write(analysis, out))?;
    }
    also(output, input, analysis)?;
    let any = shown(analysis);
    Ok(verdict(analysis, count, input, any))
}

/// Writes the reports that are asked for beside the result of a verb that judges nothing: as a gate without a policy
/// sees it.
fn also(output: &OutputArgs, input: &InputArgs, analysis: &Analysis) -> Result<(), Stop> {
    if output.also.reports.is_empty() {
        return Ok(());
    }
    let verdict = unasked(input, analysis)?;
    let judged = Judged { analysis, verdict: &verdict, policy: None, anchored: false };
    reports(output, &judged, ReportKind::unjudged)
}

/// What a gate without a policy says.
fn unasked(input: &InputArgs, analysis: &Analysis) -> Result<Verdict, Stop> {
    let source = Reread::new(inputs::gather(input)?, analysis);
    let circumstances = Circumstances { baseline: None, today: check::today(), stale_fails: false };
    Ok(judge(analysis, &Policy::default(), circumstances, &source)?)
}

/// Writes the reports that are asked for; `of` tells which form of a kind is meant.
fn reports(output: &OutputArgs, judged: &Judged<'_>, of: fn(ReportKind) -> ReportKind) -> Result<(), Stop> {
    let request = Request { stamps: output.ts.into(), ..Request::default() };
    for target in &output.also.reports {
        output::deliver(Some(&target.path), |out| of(target.kind).write(judged, &request, out))?;
    }
    Ok(())
}

/// The exit code of a finished analysis; `any` tells whether there was anything to show.
fn verdict(analysis: &Analysis, given: usize, input: &InputArgs, any: bool) -> Exit {
    let unreadable =
        analysis.problems.iter().filter(|problem| problem.kind == ProblemKind::UnreadableFile).count();
    let damaged = analysis.problems.iter().any(|problem| problem.kind.is_damage());
    if unreadable >= given || (input.strict_input && damaged) {
        Exit::Input
    } else if input.quiet && !any {
        Exit::No
    } else {
        Exit::Done
    }
}

/// How text looks where it will be read.
fn look(args: &LookArgs, output: &OutputArgs) -> Look {
    let colour = coloured(args.color, output.out.is_none());
    Look { colour, clock: args.time.into(), verbose: args.verbose }
}

/// Whether colours are wanted.
fn coloured(when: ColorWhen, to_standard_output: bool) -> bool {
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => {
            let wanted = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
            to_standard_output
                && io::stdout().is_terminal()
                && wanted("NO_COLOR").is_none()
                && wanted("TERM").is_none_or(|term| term != "dumb")
        }
    }
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
            assert_eq!(verdict(&with(kinds), 2, &input(flags), false), exit, "{kinds:?} {flags:?}");
        }
    }
}
