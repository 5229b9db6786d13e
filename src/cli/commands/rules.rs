//! `rules` and `explain`: what the rules say of themselves.

use super::{Exit, Stop, coloured, output};
use crate::cli::flags::{ExplainArgs, RulesArgs};
use crate::report::rule_pages;
use crate::report::text::Look;
use crate::rules::{CATALOGUE, named};

pub(in crate::cli) fn explain(args: &ExplainArgs) -> Result<Exit, Stop> {
    let Some(rule) = named(&args.rule) else {
        return Err(Stop::Usage(format!("{}: no such rule", args.rule)));
    };
    let look = Look { colour: coloured(args.color, true), ..Look::default() };
    output::deliver(None, |out| rule_pages::explain(rule, look, out))?;
    Ok(Exit::Done)
}

pub(in crate::cli) fn list(args: &RulesArgs) -> Result<Exit, Stop> {
    let look = Look { colour: coloured(args.color, true), ..Look::default() };
    output::deliver(None, |out| {
        if args.json { rule_pages::records(CATALOGUE, out) } else { rule_pages::list(CATALOGUE, look, out) }
    })?;
    Ok(Exit::Done)
}
