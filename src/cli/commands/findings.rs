//! `findings`: what is wrong, and the proof.

use super::{Exit, Stop, look, tell};
use crate::cli::flags::FindingsArgs;
use crate::report::findings::{FindingList, chosen, write};

pub(in crate::cli) fn run(args: &FindingsArgs) -> Result<Exit, Stop> {
    let list = FindingList {
        form: args.format.into(),
        group: args.group.into(),
        all: args.all,
        rules: args.rules.clone(),
        limit: args.limit,
        stamps: args.output.ts.into(),
        look: look(&args.look, &args.output),
    };
    tell(
        &args.input,
        &args.output,
        false,
        |analysis| !chosen(analysis, &list).is_empty(),
        |analysis, out| write(analysis, &list, out),
    )
}
