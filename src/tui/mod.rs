//! The terminal interface: a loop that draws a [`State`], feeds it with keys and with what the workers found, and does
//! outside what it wants done.
//!
//! Drawing reads the state, [`State::update`] changes it, [`worker`] works beside both. [`rehearsal`] runs the same
//! without a terminal.
#![allow(clippy::disallowed_methods, reason = "the interface reads the clock and keeps its state in a file")]

mod accounts;
pub mod clock;
pub mod clusters;
mod command_line;
mod commanding;
pub mod data;
pub mod desk;
pub mod dialogs;
pub mod faces;
mod filtering;
pub mod follow;
pub mod gating;
pub mod index;
pub mod kept;
pub mod keys;
pub mod load;
mod marking;
mod moving;
mod pipe;
mod pointing;
mod recall;
pub mod rehearsal;
mod rows;
pub mod screens;
pub mod seek;
pub mod state;
mod store;
mod terminal;
pub mod theme;
pub mod visit;
pub mod widgets;
pub mod worker;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event};

use crate::analysis::Options;
use crate::capture::Input;
use desk::Manner;
use faces::Faces;
use keys::Remapped;
use load::{Work, bytes_of};
use pipe::Pipe;
use state::{Answer, Effect, Message, State};
use terminal::Screen;
use theme::Theme;
use worker::Workers;

/// What the interface is asked to show.
#[derive(Debug)]
pub struct Request {
    /// The inputs.
    pub inputs: Vec<Input>,
    /// How they are analysed.
    pub options: Options,
    /// How things look.
    pub theme: Theme,
    /// Keys that are bound otherwise than the table says.
    pub keys: Remapped,
    /// What others do for it.
    pub faces: Faces,
    /// Folder in which the state of each capture is kept; none to keep nothing.
    pub keep: Option<PathBuf>,
    /// Whether what was kept before is left aside.
    pub fresh: bool,
    /// Whether the files grow, and what comes is read too. Standard input always does.
    pub follow: bool,
}

/// How the interface ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The user left.
    Left,
    /// A signal ended it.
    Terminated,
}

/// Longest time without a look at the workers.
const BEAT: Duration = Duration::from_millis(40);

/// Messages that are taken before the screen is drawn again.
const AT_ONCE: usize = 256;

/// Shows the inputs until the user leaves.
///
/// # Errors
/// What the terminal says.
pub fn run(request: Request) -> io::Result<Ended> {
    let terminated = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    terminal::heed_signals(&terminated)?;
    let name = |input: &Input| match input {
        Input::File(path) | Input::Corrected { path, .. } => path.display().to_string(),
        Input::Stdin | Input::Kept(_) => "standard input".to_owned(),
    };
    let names: Vec<String> = request.inputs.iter().map(name).collect();
    let bytes = bytes_of(&request.inputs);
    let pipe = if pipe::is_among(&request.inputs) { Some(Pipe::open()?) } else { None };
    let mut state = State::new(names, bytes, request.theme, &request.faces);
    state.remapped = request.keys;
    // What came through a pipe does not come again.
    let keep = request.keep.filter(|_| pipe.is_none());
    let kept = keep.map(|folder| store::place(&folder, &request.inputs));
    if let Some(place) = kept.as_deref().filter(|_| !request.fresh) {
        state.kept = store::read(place);
    }
    let mut workers =
        Workers::start(work(request.inputs, request.options, request.follow, pipe.as_ref()), request.faces);
    let mut screen = Screen::take(state.mouse)?;
    let mut terminal = Screen::anew()?;
    let begun = Instant::now();
    loop {
        let mut drawn = None;
        terminal.draw(|frame| drawn = Some(screens::draw(&state, frame.buffer_mut())))?;
        let mut effects = Vec::new();
        if let Some(drawn) = drawn {
            effects.extend(state.update(Message::Drawn(drawn)));
        }
        effects.extend(state.update(Message::Tick(begun.elapsed().as_millis() as u64)));
        for message in messages(&workers)? {
            effects.extend(state.update(message));
        }
        if terminated.load(Ordering::Relaxed) {
            if let Some(place) = kept.as_deref() {
                let _ = store::write(place, &state.to_keep());
            }
            return Ok(Ended::Terminated);
        }
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(Ended::Left),
                Effect::Stop => workers.stop(),
                Effect::Hold(hold) => workers.hold(hold),
                Effect::Copy(text) => terminal::copy(&text)?,
                Effect::Mouse(on) => screen.mouse(on)?,
                Effect::Redraw => terminal = Screen::anew()?,
                Effect::Suspend => {
                    screen.suspend()?;
                    terminal = Screen::anew()?;
                }
                Effect::Keep => {
                    if let Some(place) = kept.as_deref() {
                        let failed = store::write(place, &state.to_keep()).is_err();
                        state.kept.unsaved = failed && !state.kept.notes.is_empty();
                    }
                }
                request => {
                    let manner = Manner { hex: state.visit().hex, secrets: state.secrets };
                    workers.ask(request, manner);
                }
            }
        }
    }
}

/// What is to be read: standard input from its copy.
fn work(inputs: Vec<Input>, options: Options, follow: bool, pipe: Option<&Pipe>) -> Work {
    let growing = pipe.map(|pipe| Arc::clone(&pipe.over)).or_else(|| follow.then(Arc::default));
    let other = |input: &Input| (*input == Input::Stdin).then(|| "standard input".to_owned());
    let names = inputs.iter().map(other).collect();
    let files = inputs.into_iter().map(|input| match (input, pipe) {
        (Input::Stdin, Some(pipe)) => Input::File(pipe.file.path().to_owned()),
        (other, _) => other,
    });
    Work { inputs: files.collect(), names, options, growing }
}

/// What came in: keys, the mouse, answers. Waits a beat where nothing did.
fn messages(workers: &Workers) -> io::Result<Vec<Message>> {
    let mut messages: Vec<Message> = Vec::new();
    let mut last_stage = None;
    while messages.len() < AT_ONCE
        && let Ok(answer) = workers.answers.try_recv()
    {
        match answer {
            // Of how far it is, only the last word counts.
            Answer::Stage(stage) => last_stage = Some(Answer::Stage(stage)),
            other => messages.push(Message::Answer(other)),
        }
    }
    messages.extend(last_stage.map(Message::Answer));
    let mut wait = if messages.is_empty() { BEAT } else { Duration::ZERO };
    while messages.len() < AT_ONCE && event::poll(wait)? {
        wait = Duration::ZERO;
        match event::read()? {
            Event::Key(key) => messages.push(Message::Key(key)),
            Event::Mouse(mouse) => messages.push(Message::Mouse(mouse)),
            Event::Paste(text) => messages.push(Message::Paste(text)),
            Event::Resize(..) | Event::FocusGained | Event::FocusLost => {}
        }
    }
    Ok(messages)
}
