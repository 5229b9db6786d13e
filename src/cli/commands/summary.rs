//! `summary`, and what happens without a verb: one screen.

use super::{Exit, Stop, analyse_and_write, look};
use crate::cli::flags::SummaryArgs;
use crate::report::{Part, Request};

pub(in crate::cli) fn run(args: &SummaryArgs) -> Result<Exit, Stop> {
    let request = Request {
        part: Part::Summary,
        stamps: args.output.ts.into(),
        look: look(&args.look, &args.output),
        ..Request::default()
    };
    analyse_and_write(&args.input, &args.output, args.format, &request)
}
