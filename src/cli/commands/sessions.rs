//! `sessions`: one line each.

use super::{Exit, Stop, analyse, look, narrowed, told, understood_for};
use crate::cli::flags::SessionsArgs;
use crate::filter::{Filter, Scope};
use crate::report::session_columns::{SessionList, any, write};

pub(in crate::cli) fn run(args: &SessionsArgs) -> Result<Exit, Stop> {
    let filter = understood_for(&args.only, Scope::Sessions, &args.input)?;
    let (analysis, count) = analyse(&args.input, false)?;
    let list = SessionList {
        form: args.format.into(),
        only: narrowed(filter.as_ref(), &args.input, &analysis, Filter::sessions)?,
        order: args.sort.into(),
        limit: args.limit,
        columns: args.fields.clone(),
        hide_names: args.output.out.is_some(),
        stamps: args.output.ts.into(),
        look: look(&args.look, &args.output),
    };
    told(
        &analysis,
        count,
        &args.input,
        &args.output,
        |analysis| any(analysis, &list),
        |analysis, out| write(analysis, &list, out),
    )
}
