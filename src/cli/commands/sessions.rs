//! `sessions`: one line each.

use super::{Exit, Stop, analyse, look, narrowed, told, understood_for};
use crate::cli::flags::{SessionsArgs, SessionsFormat};
use crate::filter::{Filter, Scope};
use crate::report::session_columns::{SessionList, any, write};
use crate::report::vocabulary::{self, Vocabulary};

pub(in crate::cli) fn run(args: &SessionsArgs) -> Result<Exit, Stop> {
    let filter = understood_for(&args.only, Scope::Sessions, &args.input)?;
    let vocabulary = args.vocabulary.meant(form_name(args.format)).map_err(Stop::Usage)?;
    if vocabulary.is_some_and(|whose| whose != Vocabulary::Ecs) {
        let reason =
            "only ECS has a word for sessions; connections and findings can be written as zeek and eve";
        return Err(Stop::Usage(reason.to_owned()));
    }
    let (analysis, count) = analyse(&args.input, args.output.also.tells_stories())?;
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
        |analysis, out| match vocabulary {
            Some(_) => vocabulary::sessions(analysis, &list, out),
            None => write(analysis, &list, out),
        },
    )
}

fn form_name(format: SessionsFormat) -> &'static str {
    match format {
        SessionsFormat::Text => "text",
        SessionsFormat::Jsonl => "jsonl",
        SessionsFormat::Csv => "csv",
    }
}
