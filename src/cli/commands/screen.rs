//! The terminal interface, which opens where no verb is given and both ends are a terminal.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Exit, Stop, inputs};
use crate::analysis::{Analysis, Options};
use crate::capture::Input;
use crate::cli::flags::{ScreenArgs, SummaryArgs};
use crate::cli::settings::Settings;
use crate::error::Error;
use crate::export::{self, Keys};
use crate::report::stories::{self, StoryForm, StoryRequest};
use crate::report::text::Look;
use crate::report::text::follow::{Follower, View};
use crate::session::Session;
use crate::story::amounts::counted;
use crate::tui::keys::{Profile, Remapped};
use crate::tui::theme::{Depth, Theme};
use crate::tui::{self, Ended, Request, faces};

/// Forms in which sessions are exported from the interface.
const FORMS: [(&str, StoryForm); 5] = [
    ("json", StoryForm::Json),
    ("md", StoryForm::Markdown),
    ("txt", StoryForm::Text),
    ("mermaid", StoryForm::Mermaid),
    ("svg", StoryForm::Svg),
];

/// The form that is made of the packets themselves.
const PACKETS: &str = "pcapng";

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

pub(in crate::cli) fn run(
    args: &SummaryArgs,
    screen: &ScreenArgs,
    settings: &Settings,
) -> Result<Exit, Stop> {
    let given = inputs::gather(&args.input)?;
    openable(&given)?;
    let options = Options {
        keep_duplicates: args.input.no_dedup,
        threads: args.input.threads,
        names: super::names(&args.input)?,
        ..Options::default()
    };
    let request = Request {
        inputs: given,
        options,
        theme: coloured(&theme(screen)?, settings)?,
        keys: bound(settings)?,
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
        Input::File(path) | Input::Corrected { path, .. } => {
            File::open(path).err().map(|cause| Error::Open { path: path.clone(), cause })
        }
        Input::Stdin | Input::Kept(_) => None,
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

/// The theme with the colours of the settings.
fn coloured(theme: &Theme, settings: &Settings) -> Result<Theme, Stop> {
    let entries = settings.theme.iter().map(|(name, value)| (name.as_str(), value.text.as_str()));
    theme.from_entries(entries).map_err(|wrong| Stop::Usage(format!("[theme] {}", wrong.join("\n[theme] "))))
}

/// The keys of the settings: `profile = "vim"`, and a command's name for each key.
fn bound(settings: &Settings) -> Result<Remapped, Stop> {
    let (profiles, keys): (Vec<_>, Vec<_>) = settings.keys.iter().partition(|(name, _)| name == "profile");
    let mut bound = Remapped::new();
    for (_, value) in profiles {
        let profile = Profile::named(&value.text).ok_or_else(|| {
            let names = Profile::ALL.map(Profile::name).join(", ");
            let (file, line) = (value.file.display(), value.line);
            Stop::Usage(format!("{file}, line {line}: no profile {:?}; there are {names}", value.text))
        })?;
        bound.extend(profile.keys());
    }
    for (keys, value) in keys {
        let (file, line) = (value.file.display(), value.line);
        let (keys, name) = tui::keys::binding(keys, &value.text)
            .map_err(|why| Stop::Usage(format!("{file}, line {line}: {why}")))?;
        bound.insert(keys, name);
    }
    Ok(bound)
}

/// Where the state of captures is kept: `$XDG_STATE_HOME/ghostshark`.
fn state_folder() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").filter(|path| path.is_absolute());
    Some(state.or_else(|| Some(folder("HOME")?.join(".local/state")))?.join("ghostshark"))
}

fn all_faces(screen: &ScreenArgs) -> faces::Faces {
    let stories = FORMS.iter().map(|(name, _)| faces::Form { name, of: faces::Material::Events });
    let packets = faces::Form { name: PACKETS, of: faces::Material::Packets };
    faces::Faces {
        export: Arc::new(write),
        forms: stories.chain([packets]).collect(),
        follow: Arc::new(follow),
        gate: Some(super::gating::gate(screen)),
    }
}

/// Writes sessions to a file, and gives a word on what was left out.
fn write(order: &faces::Commission<'_>) -> Result<String, String> {
    let faces::Commission { analysis, events, sessions: ids, form, path, .. } = *order;
    if form == PACKETS {
        return packets(order);
    }
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
            StoryForm::Markdown | StoryForm::Svg => writeln!(out, "<!-- {left_out} -->\n")?,
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

/// Writes the frames of sessions as a capture of their own.
fn packets(order: &faces::Commission<'_>) -> Result<String, String> {
    let faces::Commission { analysis, inputs, sessions: ids, path, .. } = *order;
    if Path::new(path).exists() {
        return Err(format!("{path} is there already; choose another name"));
    }
    let sessions: Vec<&Session> =
        analysis.sessions.iter().filter(|session| ids.contains(&session.id)).collect();
    let selection =
        export::select(inputs.to_vec(), analysis, &sessions).map_err(|error| error.to_string())?;
    let frames = selection.frames.len() as u64;
    crate::cli::output::deliver(Some(Path::new(path)), |out| {
        let chosen = (&selection, Keys::default());
        super::export::plain(export::slice(inputs.to_vec(), analysis, &sessions, chosen, out))
    })
    .map_err(|stop| stop.to_string())?;
    Ok(format!("{path}: {} written, as they were, without keys", counted(frames, "packet")))
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
