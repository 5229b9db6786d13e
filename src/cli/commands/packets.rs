//! `packets`: one line a packet, its fields, its octets.

use std::collections::BTreeSet;
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::{Exit, Stop, also, analyse_these, inputs, look, messages, output, understood, verdict};
use crate::analysis::Analysis;
use crate::capture::{self, Input};
use crate::cli::flags::{PacketsArgs, PacketsFormat};
use crate::error::Error;
use crate::filter::{Filter, Reread, Scope};
use crate::inspect::{self, Dissection, Wanted};
use crate::report::packets::{PacketForm, PacketWriter};

pub(in crate::cli) fn run(args: &PacketsArgs) -> Result<Exit, Stop> {
    let filter = understood(&args.only, Scope::Packets)?;
    let form = form(args)?;
    let wanted = wanted(args, &form);
    let given = inputs::gather(&args.input)?;
    let count = given.len();
    let piped = given.iter().position(|input| *input == Input::Stdin);
    // The copy of standard input is there until the packets were read from it.
    let (again, _spool) = capture::rereadable(given)?;
    let mut analysis = analyse_these(again.clone(), &args.input, args.output.also.tells_stories())?;
    if let Some(file) = piped.and_then(|place| analysis.files.get_mut(place)) {
        file.path = PathBuf::from("-");
    }
    if args.input.quiet {
        let mut any = filter.is_none() && analysis.totals.packets > 0;
        if let Some(filter) = &filter {
            filter.each_packet(&analysis, &Reread::new(again, &analysis), &mut |_, _| {
                any = true;
                ControlFlow::Break(())
            })?;
        }
        return Ok(verdict(&analysis, count, &args.input, any));
    }
    messages::damages(&analysis);
    let look = look(&args.look, &args.output);
    let mut failed: Option<Error> = None;
    output::deliver(args.output.out.as_deref(), |out| {
        let mut writer = PacketWriter::new(&analysis, form, look);
        let mut trouble: io::Result<()> = Ok(());
        let done = read(again, &analysis, &wanted, filter.as_ref(), &mut |packet, bytes| {
            trouble = writer.packet(packet, bytes, out);
            let enough = args.limit.is_some_and(|limit| writer.written() >= limit as u64);
            if trouble.is_err() || enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        failed = done.err();
        trouble
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    also(&args.output, &args.input, &analysis)?;
    Ok(verdict(&analysis, count, &args.input, true))
}

/// Tells the packets that are wanted, those that satisfy the filter where there is one.
fn read(
    again: Vec<Input>,
    analysis: &Analysis,
    wanted: &Wanted,
    filter: Option<&Filter>,
    tell: &mut dyn FnMut(&Dissection, &[u8]) -> ControlFlow<()>,
) -> Result<(), Error> {
    match filter {
        None => inspect::dissect(again, analysis, wanted, tell),
        Some(filter) => {
            let source = Reread::new(again, analysis).showing(wanted.clone());
            filter.each_packet(analysis, &source, tell)
        }
    }
}

fn form(args: &PacketsArgs) -> Result<PacketForm, Stop> {
    let fields = args.format == PacketsFormat::Fields;
    if fields == args.fields.is_empty() {
        return Err(Stop::Usage(
            "-T fields and -e NAME belong together: which fields, of every packet one line".to_owned(),
        ));
    }
    Ok(match args.format {
        PacketsFormat::Text => PacketForm::Text { tree: args.decode, bytes: args.bytes },
        PacketsFormat::Fields => PacketForm::Fields(args.fields.clone()),
        PacketsFormat::Jsonl => PacketForm::Jsonl,
    })
}

/// Reads no more than what is shown.
fn wanted(args: &PacketsArgs, form: &PacketForm) -> Wanted {
    let frames = (!args.frames.is_empty()).then(|| args.frames.iter().copied().collect::<BTreeSet<u64>>());
    let (application, info) = match form {
        PacketForm::Text { .. } | PacketForm::Jsonl => (true, true),
        PacketForm::Fields(names) => (
            names.iter().any(|name| inspect::is_of_application(name)),
            names.iter().any(|name| name.starts_with("_ws.col.")),
        ),
    };
    Wanted { frames, application, info, ..Wanted::default() }
}
