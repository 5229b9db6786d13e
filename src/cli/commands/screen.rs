//! The terminal interface, which opens where no verb is given and both ends are a terminal.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Exit, Stop, inputs};
use crate::analysis::{Analysis, Options};
use crate::capture::Input;
use crate::cli::flags::{ScreenArgs, SummaryArgs};
use crate::error::Error;
use crate::report::stories::{self, StoryForm, StoryRequest};
use crate::report::text::Look;
use crate::report::text::follow::{Follower, View};
use crate::session::Session;
use crate::tui::keys::Remapped;
use crate::tui::theme::{Depth, Theme};
use crate::tui::{self, Ended, Request, faces};

/// Forms in which sessions are exported from the interface.
const FORMS: [(&str, StoryForm); 4] = [
    ("json", StoryForm::Json),
    ("md", StoryForm::Markdown),
    ("txt", StoryForm::Text),
    ("mermaid", StoryForm::Mermaid),
];

/// Whether the interface is to open: nothing asks for text, and somebody is there to see and to type.
pub(in crate::cli) fn is_wanted(args: &SummaryArgs) -> bool {
    let plain = args.output.out.is_none() && args.format.name == "text" && !args.input.quiet;
    // Where the packets come through standard input, the keys come from the terminal itself.
    let piped = args.input.files.iter().chain(&args.input.read).any(|path| path == Path::new("-"));
    let keys = io::stdin().is_terminal() || piped && has_keys();
    plain && io::stdout().is_terminal() && keys
}

/// Whether this process has a terminal that it can read keys from.
fn has_keys() -> bool {
    cfg!(unix) && File::open("/dev/tty").is_ok()
}

pub(in crate::cli) fn run(args: &SummaryArgs, screen: &ScreenArgs) -> Result<Exit, Stop> {
    let given = inputs::gather(&args.input)?;
    openable(&given)?;
    let options =
        Options { keep_duplicates: args.input.no_dedup, threads: args.input.threads, ..Options::default() };
    let request = Request {
        inputs: given,
        options,
        theme: theme(screen)?,
        keys: Remapped::new(),
        faces: all_faces(screen),
        keep: state_folder(),
        fresh: screen.fresh,
        follow: screen.follow,
    };
    match tui::run(request) {
        Ok(Ended::Left) => Ok(Exit::Done),
        Ok(Ended::Terminated) => Ok(Exit::Stopped),
        Err(cause) => Err(Stop::Failed(Error::Write(cause))),
    }
}

/// What cannot even be opened is told on the command line, where its reader is still looking.
fn openable(inputs: &[Input]) -> Result<(), Stop> {
    let closed = |input: &Input| match input {
        Input::File(path) => File::open(path).err().map(|cause| Error::Open { path: path.clone(), cause }),
        Input::Stdin => None,
    };
    let mut errors: Vec<Error> = inputs.iter().filter_map(closed).collect();
    match errors.pop() {
        Some(error) if errors.len() + 1 == inputs.len() => Err(Stop::Failed(error)),
        _ => Ok(()),
    }
}

fn theme(screen: &ScreenArgs) -> Result<Theme, Stop> {
    let told = |name: &str| std::env::var(name).unwrap_or_default();
    let no_color = !told("NO_COLOR").is_empty();
    let depth = Depth::told(no_color, &told("TERM"), &told("COLORTERM"));
    let ascii = screen.ascii || told("TERM") == "dumb";
    let base = Theme::new("default", depth, ascii);
    let Some(name) = &screen.theme else { return Ok(base) };
    if Theme::is_known(name) {
        return Ok(base.with(name));
    }
    let text = std::fs::read_to_string(name)
        .map_err(|cause| Stop::Usage(format!("--theme {name}: neither a theme nor a file: {cause}")))?;
    base.from_file(&text).map_err(|why| Stop::Usage(format!("{name}: {why}")))
}

/// Where the state of captures is kept: `$XDG_STATE_HOME/ghostshark`.
fn state_folder() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").filter(|path| path.is_absolute());
    Some(state.or_else(|| Some(folder("HOME")?.join(".local/state")))?.join("ghostshark"))
}

fn all_faces(screen: &ScreenArgs) -> faces::Faces {
    faces::Faces {
        export: Arc::new(export),
        forms: FORMS.iter().map(|(name, _)| faces::Form { name, of: faces::Material::Events }).collect(),
        follow: Arc::new(follow),
        gate: Some(super::gating::gate(screen)),
    }
}

/// Writes sessions to a file, and gives a word on what was left out.
fn export(order: &faces::Commission<'_>) -> Result<String, String> {
    let faces::Commission { analysis, events, sessions: ids, form, path, .. } = *order;
    let form = FORMS.iter().find(|(name, _)| *name == form).map(|(_, form)| *form);
    let form = form.ok_or_else(|| "no such form".to_owned())?;
    let sessions: Vec<&Session> =
        analysis.sessions.iter().filter(|session| ids.contains(&session.id)).collect();
    if Path::new(path).exists() {
        return Err(format!("{path} is there already; choose another name"));
    }
    let request = StoryRequest { form, ladder: true, hide_names: true, ..StoryRequest::default() };
    let write = |out: &mut dyn Write| {
        let left_out = "payload and secrets are not in this file; names of users are hashes";
        match form {
            StoryForm::Text => writeln!(out, "{left_out}\n")?,
            StoryForm::Markdown => writeln!(out, "<!-- {left_out} -->\n")?,
            StoryForm::Mermaid => writeln!(out, "%% {left_out}")?,
            // The records have no place for a remark, and a schema that says the same.
            StoryForm::Json => {}
        }
        stories::write_of(analysis, events, &sessions, request, out)
    };
    crate::cli::output::deliver(Some(Path::new(path)), write).map_err(|stop| stop.to_string())?;
    let number = sessions.len();
    Ok(format!("{path}: {number} session{} written", if number == 1 { "" } else { "s" }))
}

/// Follows a session with the text that `follow` writes.
fn follow<'a>(analysis: &'a Analysis, session: &'a Session, hex: bool, secrets: bool) -> faces::Follower<'a> {
    let view = if hex { View::Hex } else { View::Text };
    let mut follower = Follower::new(analysis, session, view, None, secrets, Look::default());
    Box::new(move |piece, out| {
        // Writing to memory does not fail.
        let _ = match piece {
            Some(piece) => follower.piece(piece, out),
            None => follower.finish(out),
        };
    })
}
