//! `events`: one line each.

use super::{Exit, Stop, analyse, look, narrowed, told, understood_for};
use crate::cli::flags::EventsArgs;
use crate::filter::{Filter, Scope};
use crate::report::stories::{self, EventList};

pub(in crate::cli) fn run(args: &EventsArgs) -> Result<Exit, Stop> {
    let filter = understood_for(&args.only, Scope::Events, &args.input)?;
    let (analysis, count) = analyse(&args.input, true)?;
    let list = EventList {
        form: args.format.into(),
        only: narrowed(filter.as_ref(), &args.input, &analysis, Filter::events)?,
        limit: args.limit,
        stamps: args.output.ts.into(),
        look: look(&args.look, &args.output),
    };
    told(
        &analysis,
        count,
        &args.input,
        &args.output,
        |analysis| list.only.as_ref().map_or(!analysis.events.is_empty(), |only| !only.is_empty()),
        |analysis, out| stories::events(analysis, &list, out),
    )
}
