//! `connections`: one line each.

use super::{Exit, Stop, analyse_and_write, look};
use crate::cli::flags::ConnectionsArgs;
use crate::report::{Part, Request};

pub(in crate::cli) fn run(args: &ConnectionsArgs) -> Result<Exit, Stop> {
    let request = Request {
        part: Part::Connections,
        events: false,
        order: args.sort.into(),
        limit: args.limit,
        columns: args.fields.clone(),
        stamps: args.output.ts.into(),
        look: look(&args.look, &args.output),
    };
    analyse_and_write(&args.input, &args.output, args.format, &request)
}
