//! `report`: the whole result in one document.

use super::{Exit, Stop, analyse, analyse_and_write, look, messages, output, unasked, verdict};
use crate::cli::flags::{ReportArgs, ReportKind};
use crate::report::gate::{GateFormat, Judged};
use crate::report::{Part, Request};

pub(in crate::cli) fn run(args: &ReportArgs) -> Result<Exit, Stop> {
    match args.format.unjudged() {
        ReportKind::Whole(format) => {
            let request = Request {
                part: Part::Everything,
                events: args.events,
                stamps: args.output.ts.into(),
                look: look(&args.look, &args.output),
                ..Request::default()
            };
            analyse_and_write(&args.input, &args.output, format, &request)
        }
        ReportKind::Gate(format) => judged(args, format),
    }
}

/// The forms that tell a verdict: without a policy, an error fails.
fn judged(args: &ReportArgs, format: &GateFormat) -> Result<Exit, Stop> {
    let (analysis, count) = analyse(&args.input, args.output.also.tells_stories())?;
    let verdict_of_gate = unasked(&args.input, &analysis)?;
    if !args.input.quiet {
        messages::damages(&analysis);
        let judged = Judged { analysis: &analysis, verdict: &verdict_of_gate, policy: None, anchored: false };
        output::deliver(args.output.out.as_deref(), |out| (format.write)(&judged, out))?;
        super::reports(&args.output, &judged, ReportKind::unjudged)?;
    }
    Ok(verdict(&analysis, count, &args.input, !analysis.connections.is_empty()))
}
