//! `report`: the whole result in one document.

use super::{Exit, Stop, analyse_and_write, look};
use crate::cli::flags::ReportArgs;
use crate::report::{Part, Request};

pub(in crate::cli) fn run(args: &ReportArgs) -> Result<Exit, Stop> {
    let request = Request {
        part: Part::Everything,
        events: args.events,
        stamps: args.output.ts.into(),
        look: look(&args.look, &args.output),
        ..Request::default()
    };
    analyse_and_write(&args.input, &args.output, args.format, &request)
}
