//! `export`: the frames of chosen sessions as a capture of their own.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::show::{Meant, chosen, find, split};
use super::{Exit, Stop, analyse_these, inputs, messages, output, verdict};
use crate::analysis::Analysis;
use crate::capture::{Input, Spool};
use crate::cli::flags::{ExportArgs, InputArgs};
use crate::error::Error;
use crate::export::{self, Keys};
use crate::problem::ProblemKind;
use crate::report::stream_index;
use crate::session::Session;

/// Files held open at one time: a session can have thousands of connections.
const OPEN: usize = 64;

pub(in crate::cli) fn run(args: &ExportArgs) -> Result<Exit, Stop> {
    if args.pcapng.is_none() && args.streams.is_none() {
        let reason = "what is to be written? --pcapng FILE: their frames, --streams FOLDER: what was said";
        return Err(Stop::Usage(reason.to_owned()));
    }
    if args.streams.is_some() && !args.show_secrets {
        let reason = "raw bytes cannot be masked; --show-secrets says that secrets may be in what is written";
        return Err(Stop::Usage(reason.to_owned()));
    }
    let (input, spool) = reread(&args.input)?;
    let Meant { input, ids, filter } = split(&input, &args.only)?;
    let given = inputs::gather(&input)?;
    let mut analysis = analyse_these(given.clone(), &input, false)?;
    if let Some(spool) = &spool {
        for file in analysis.files.iter_mut().filter(|file| file.path == spool.path()) {
            spool.name().clone_into(&mut file.path);
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
        if args.pcapng.is_some() {
            let selection = export::select(given.clone(), &analysis, &sessions)?;
            let keys = Keys::from(args.secrets);
            output::deliver(args.pcapng.as_deref(), |out| {
                plain(export::slice(given.clone(), &analysis, &sessions, (&selection, keys), out))
            })?;
        }
        if let Some(folder) = &args.streams {
            write_streams(folder, given, &analysis, &sessions)?;
        }
    }
    Ok(verdict(&analysis, inputs::gather(&input)?.len(), &input, !sessions.is_empty()))
}

/// A file a direction, and the index beside them.
fn write_streams(
    folder: &Path,
    given: Vec<Input>,
    analysis: &Analysis,
    sessions: &[&Session],
) -> Result<(), Stop> {
    let failed = |cause: io::Error| Stop::Output(format!("{}: cannot write: {cause}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    if fs::read_dir(folder).map_err(failed)?.next().is_some() {
        return Err(Stop::Output(format!("{}: this folder is not empty", folder.display())));
    }
    let mut open = BTreeMap::<String, File>::new();
    let streams = export::streams(given, analysis, sessions, &mut |name, bytes| {
        if open.len() >= OPEN && !open.contains_key(name) {
            open.clear();
        }
        let file = match open.entry(name.to_owned()) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(free) => {
                free.insert(File::options().append(true).create(true).open(folder.join(name))?)
            }
        };
        file.write_all(bytes)
    })?;
    output::deliver(Some(&folder.join("index.jsonl")), |out| stream_index::write(analysis, &streams, out))
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
