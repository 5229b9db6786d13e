//! `events`: one line each.

use super::{Exit, Stop, look, tell};
use crate::cli::flags::EventsArgs;
use crate::report::stories;

pub(in crate::cli) fn run(args: &EventsArgs) -> Result<Exit, Stop> {
    let look = look(&args.look, &args.output);
    tell(
        &args.input,
        &args.output,
        true,
        |analysis| !analysis.events.is_empty(),
        |analysis, out| {
            stories::events(analysis, args.format.into(), args.limit, args.output.ts.into(), look, out)
        },
    )
}
