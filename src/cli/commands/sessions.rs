//! `sessions`: one line each.

use super::{Exit, Stop, look, tell};
use crate::cli::flags::SessionsArgs;
use crate::report::session_columns::{SessionList, write};

pub(in crate::cli) fn run(args: &SessionsArgs) -> Result<Exit, Stop> {
    let list = SessionList {
        form: args.format.into(),
        order: args.sort.into(),
        limit: args.limit,
        columns: args.fields.clone(),
        hide_names: args.output.out.is_some(),
        stamps: args.output.ts.into(),
        look: look(&args.look, &args.output),
    };
    tell(
        &args.input,
        &args.output,
        false,
        |analysis| !analysis.sessions.is_empty(),
        |analysis, out| write(analysis, &list, out),
    )
}
