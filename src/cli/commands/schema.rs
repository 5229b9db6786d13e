//! `schema`: the JSON Schema of the machine formats.

use super::{Exit, Stop, output};
use crate::cli::flags::SchemaArgs;
use crate::report::{JSONL, schema};

pub(in crate::cli) fn run(args: &SchemaArgs) -> Result<Exit, Stop> {
    let schema = if args.format.name == JSONL.name { schema::line() } else { schema::document() };
    output::deliver(None, |out| {
        serde_json::to_writer_pretty(&mut *out, &schema)?;
        out.write_all(b"\n")
    })?;
    Ok(Exit::Done)
}
