//! `diff`: what differs between two recordings of the same.

use super::{Exit, Stop, analyse_these, coloured, messages, output};
use crate::analysis::Analysis;
use crate::cli::flags::{DiffArgs, InputArgs};
use crate::cli::inputs;
use crate::diff::{self, Limits};
use crate::report::diff::{Compared, write};
use crate::report::text::Look;
use crate::time::Span;

pub(in crate::cli) fn run(args: &DiffArgs) -> Result<Exit, Stop> {
    let (old, new) = (read(args, true)?, read(args, false)?);
    let limits = Limits { factor: args.factor, least: Span((args.least * 1e9) as i64) };
    let difference = diff::compare(&old, &new, limits);
    messages::damages(&old);
    messages::damages(&new);
    if !args.quiet {
        let colour = coloured(args.color, args.output.is_none());
        let look = Look { colour, verbose: args.verbose, ..Look::default() };
        let compared = Compared { old: &old, new: &new, difference: &difference, limits };
        output::deliver(args.output.as_deref(), |out| write(compared, args.format.into(), look, out))?;
    }
    let says_no = (args.exit_code || args.quiet) && !difference.is_empty();
    Ok(if says_no { Exit::No } else { Exit::Done })
}

/// One of the two: a capture, a pattern or a folder.
fn read(args: &DiffArgs, old: bool) -> Result<Analysis, Stop> {
    let file = if old { args.old.clone() } else { args.new.clone() };
    let input = InputArgs {
        files: vec![file],
        read: Vec::new(),
        threads: args.threads,
        strict_input: false,
        no_dedup: false,
        quiet: args.quiet,
        progress: args.progress,
        clock_offsets: Vec::new(),
        names: args.names.clone(),
        settings: args.settings.clone(),
        known_names: args.known_names.clone(),
        two_passes: false,
        no_names: false,
    };
    analyse_these(inputs::gather(&input)?, &input, false)
}
