//! `findings`: what is wrong, and the proof.

use super::{Exit, Stop, analyse, look, narrowed, told, understood_for};
use crate::cli::flags::{FindingsArgs, FindingsFormat};
use crate::filter::{Filter, Scope};
use crate::report::findings::{FindingList, chosen, write};
use crate::report::vocabulary;

pub(in crate::cli) fn run(args: &FindingsArgs) -> Result<Exit, Stop> {
    let filter = understood_for(&args.only, Scope::Findings, &args.input)?;
    let vocabulary = args.vocabulary.meant(form_name(args.format)).map_err(Stop::Usage)?;
    let (analysis, count) = analyse(&args.input, args.output.also.tells_stories())?;
    let list = FindingList {
        form: args.format.into(),
        group: args.group.into(),
        only: narrowed(filter.as_ref(), &args.input, &analysis, Filter::findings)?,
        // Who names what he wants to see gets it, mild or not.
        all: args.all || filter.is_some(),
        rules: args.rules.clone(),
        limit: args.limit,
        stamps: args.output.ts.into(),
        look: look(&args.look, &args.output),
    };
    told(
        &analysis,
        count,
        &args.input,
        &args.output,
        |analysis| !chosen(analysis, &list).is_empty(),
        |analysis, out| match vocabulary {
            Some(whose) => vocabulary::findings(analysis, &list, whose, out),
            None => write(analysis, &list, out),
        },
    )
}

fn form_name(format: FindingsFormat) -> &'static str {
    match format {
        FindingsFormat::Text => "text",
        FindingsFormat::Json => "json",
        FindingsFormat::Jsonl => "jsonl",
    }
}
