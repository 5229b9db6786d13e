//! `stats`: a small table over all sessions.

use std::path::Path;

use clap::ValueEnum;

use super::{Exit, Stop, look, tell};
use crate::cli::flags::{StatsArgs, StatsName};
use crate::report::stories;

pub(in crate::cli) fn run(args: &StatsArgs) -> Result<Exit, Stop> {
    let mut input = args.input.clone();
    let name = name(input.files.pop().as_deref())?;
    let look = look(&args.look, &args.output);
    tell(
        &input,
        &args.output,
        true,
        |analysis| !analysis.sessions.is_empty(),
        |analysis, out| stories::statistics(analysis, name.into(), args.format.into(), look, out),
    )
}

/// The table that the last argument names.
fn name(word: Option<&Path>) -> Result<StatsName, Stop> {
    let word = word.and_then(Path::to_str).unwrap_or_default();
    StatsName::from_str(word, false).map_err(|_| {
        let all = StatsName::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let names: Vec<String> = all.map(|value| value.get_name().to_owned()).collect();
        Stop::Usage(format!("{word}: no table; behind the files stands one of: {}", names.join(", ")))
    })
}
