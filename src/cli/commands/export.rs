//! `export`: the frames of chosen sessions as a capture of their own.

use std::io;

use super::show::{Meant, chosen, find, split};
use super::{Exit, Stop, analyse_these, inputs, messages, output, verdict};
use crate::capture::{Input, Spool};
use crate::cli::flags::{ExportArgs, InputArgs};
use crate::error::Error;
use crate::export::{self, Keys};
use crate::problem::ProblemKind;

pub(in crate::cli) fn run(args: &ExportArgs) -> Result<Exit, Stop> {
    if args.pcapng.is_none() {
        return Err(Stop::Usage("what is to be written? --pcapng FILE says where".to_owned()));
    }
    let (input, spool) = reread(&args.input)?;
    let Meant { input, ids, filter } = split(&input, &args.only)?;
    let given = inputs::gather(&input)?;
    let mut analysis = analyse_these(given.clone(), &input, false)?;
    if let Some(spool) = &spool {
        for file in analysis.files.iter_mut().filter(|file| file.path == spool.path()) {
            file.path = spool.name().to_owned();
        }
    }
    let sessions = match &filter {
        Some(filter) => chosen(&analysis, &ids, filter, &input)?,
        None if args.all => analysis.sessions.iter().collect(),
        None => find(&analysis, &ids)?,
    };
    if !input.quiet && !sessions.is_empty() {
        messages::damages(&analysis);
        let kept = |kind: &ProblemKind| *kind == ProblemKind::LimitReached;
        for problem in analysis.problems.iter().filter(|problem| kept(&problem.kind)) {
            messages::note(&problem.message);
        }
        let selection = export::select(given.clone(), &analysis, &sessions)?;
        let keys = Keys::from(args.secrets);
        output::deliver(args.pcapng.as_deref(), |out| {
            plain(export::slice(given, &analysis, &sessions, (&selection, keys), out))
        })?;
    }
    Ok(verdict(&analysis, inputs::gather(&input)?.len(), &input, !sessions.is_empty()))
}

/// The same arguments with standard input replaced by a copy on disk, which lives as long as the spool: frames are read
/// three times.
pub(super) fn reread(input: &InputArgs) -> Result<(InputArgs, Option<Spool>), Stop> {
    let mut input = input.clone();
    let mut spool = None;
    for path in input.read.iter_mut().chain(&mut input.files) {
        if path.as_os_str() == "-" && spool.is_none() {
            let kept = Spool::of(&Input::Stdin)?;
            kept.path().clone_into(path);
            spool = Some(kept);
        }
    }
    Ok((input, spool))
}

/// What a writer can say of an error.
pub(super) fn plain(done: Result<(), Error>) -> io::Result<()> {
    done.map_err(|error| match error {
        Error::Write(cause) => cause,
        other => io::Error::other(other.to_string()),
    })
}
