//! `connections`: one line each.

use super::{Exit, Stop, analyse, look, narrowed, told, understood_for, written};
use crate::cli::flags::ConnectionsArgs;
use crate::filter::{Filter, Scope};
use crate::report::{Part, Request, vocabulary};

pub(in crate::cli) fn run(args: &ConnectionsArgs) -> Result<Exit, Stop> {
    let filter = understood_for(&args.only, Scope::Connections, &args.input)?;
    let vocabulary = args.vocabulary.meant(args.format.name).map_err(Stop::Usage)?;
    let (analysis, count) = analyse(&args.input, args.output.also.tells_stories())?;
    let request = Request {
        part: Part::Connections,
        events: false,
        only: narrowed(filter.as_ref(), &args.input, &analysis, Filter::connections)?,
        order: args.sort.into(),
        limit: args.limit,
        columns: args.fields.clone(),
        stamps: args.output.ts.into(),
        look: look(&args.look, &args.output),
    };
    if let Some(whose) = vocabulary {
        let any = request.only.as_ref().map_or(!analysis.connections.is_empty(), |only| !only.is_empty());
        return told(
            &analysis,
            count,
            &args.input,
            &args.output,
            |_| any,
            |analysis, out| vocabulary::connections(analysis, &request, whose, out),
        );
    }
    written(&analysis, count, &args.input, &args.output, args.format, &request)
}
