//! `fields`: the names that filters may use.

use super::{Exit, Stop, coloured, output};
use crate::cli::flags::FieldsArgs;
use crate::report::field_pages;
use crate::report::text::Look;

pub(in crate::cli) fn run(args: &FieldsArgs) -> Result<Exit, Stop> {
    let fields = field_pages::matching(args.pattern.as_deref().unwrap_or_default());
    let look = Look { colour: coloured(args.color, true), ..Look::default() };
    output::deliver(None, |out| {
        if args.json { field_pages::records(&fields, out) } else { field_pages::list(&fields, look, out) }
    })?;
    Ok(if fields.is_empty() { Exit::No } else { Exit::Done })
}
