//! `report`: the whole result in one document.

use super::{Exit, Stop, analyse, look, written};
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
    let (analysis, count) = analyse(&args.input, request.events || args.format.tells_stories())?;
    written(&analysis, count, &args.input, &args.output, args.format, &request)
}
