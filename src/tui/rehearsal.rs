//! The interface without a terminal and without threads: keys in, screens out. For tests, and for pictures in documents.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::data::Data;
use super::desk::{Desk, Manner};
use super::faces::Faces;
use super::keys;
use super::load::{self, Reins, Work, bytes_of};
use super::screens;
use super::state::{Answer, Effect, Message, State};
use super::theme::Theme;
use crate::analysis::Options;
use crate::capture::Input;
use std::sync::{Arc, Mutex, PoisonError};

/// A run without a terminal.
#[derive(Debug)]
pub struct Rehearsal {
    /// What the interface knows.
    pub state: State,
    /// What it wanted done outside, but for what the desk did.
    pub outside: Vec<Effect>,
    desk: Desk,
    size: (u16, u16),
}

impl Rehearsal {
    /// Reads these inputs whole. `name` stands in the place of their paths, which are not the same everywhere.
    pub fn new(inputs: &[Input], name: &str, theme: Theme, faces: Faces, size: (u16, u16)) -> Self {
        let options = Options { threads: 1, ..Options::default() };
        let bytes = bytes_of(inputs);
        let state = State::new(vec![name.to_owned()], bytes, theme, &faces);
        let desk = Desk::new(inputs.to_vec(), faces, options.keep_duplicates);
        let mut run = Self { state, outside: Vec::new(), desk, size };
        let heard: Mutex<Vec<Answer>> = Mutex::new(Vec::new());
        let names = inputs.iter().map(|_| Some(name.to_owned())).collect();
        let work = Work { inputs: inputs.to_vec(), names, options, growing: None };
        load::run(&work, &Reins::default(), &|answer| {
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        });
        let heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Whoever asks waits until the packets are listed; here nobody lists them while he waits.
        for answer in &heard {
            run.desk.note(answer);
        }
        for answer in heard {
            run.message(Message::Answer(answer));
        }
        run.screen();
        run
    }

    /// A message, and all that follows from it.
    pub fn message(&mut self, message: Message) {
        let mut effects = self.state.update(message);
        while !effects.is_empty() {
            let mut more = Vec::new();
            for effect in effects {
                let data: Option<Arc<Data>> = self.state.data.clone();
                let manner = Manner { hex: self.state.visit().hex, secrets: self.state.secrets };
                let answer = data.and_then(|data| self.desk.answer(&data, &effect, manner, &|| true));
                match answer {
                    Some(answer) => more.extend(self.state.update(Message::Answer(answer))),
                    None => self.outside.push(effect),
                }
            }
            effects = more;
        }
    }

    /// The inputs have grown: reads them again, as the worker would.
    pub fn grow(&mut self, inputs: &[Input], name: &str) {
        let names = inputs.iter().map(|_| Some(name.to_owned())).collect();
        let options = Options { threads: 1, ..Options::default() };
        let work = Work { inputs: inputs.to_vec(), names, options, growing: None };
        if let Some(answer) = load::grown(&work) {
            self.desk.note(&answer);
            self.message(Message::Answer(answer));
        }
        self.screen();
    }

    /// Keys by their names, with blanks between; what stands in quotes is typed.
    pub fn keys(&mut self, keys: &str) {
        let mut rest = keys.trim();
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix('"') {
                let (typed, after) = quoted.split_once('"').unwrap_or((quoted, ""));
                for c in typed.chars() {
                    let name = if c == ' ' { "Space".to_owned() } else { c.to_string() };
                    self.press(&name);
                }
                rest = after.trim_start();
                continue;
            }
            let (key, after) = rest.split_once(' ').unwrap_or((rest, ""));
            self.press(key);
            rest = after.trim_start();
        }
    }

    /// One key.
    pub fn press(&mut self, key: &str) {
        if let Some(event) = keys::event(key) {
            self.message(Message::Key(event));
        }
        self.screen();
    }

    /// Another size of the terminal.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.size = (width, height);
        self.screen();
    }

    /// The screen as it is now.
    pub fn screen(&mut self) -> Buffer {
        let (width, height) = self.size;
        // A backend in memory does not fail.
        let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
        let mut drawn = None;
        let Ok(frame) = terminal.draw(|frame| drawn = Some(screens::draw(&self.state, frame.buffer_mut())));
        let buffer = frame.buffer.clone();
        if let Some(drawn) = drawn {
            self.message(Message::Drawn(drawn));
        }
        buffer
    }

    /// The screen as text, lines without blanks at their ends.
    pub fn text(&mut self) -> String {
        let buffer = self.screen();
        let mut lines = String::new();
        for y in 0..buffer.area.height {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..buffer.area.width {
                let symbol = buffer.cell((x, y)).map_or(" ", |cell| cell.symbol());
                // A wide character stands in two cells; the second holds nothing.
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                skip = super::widgets::text::width(symbol).saturating_sub(1);
                line.push_str(symbol);
            }
            lines.push_str(line.trim_end());
            lines.push('\n');
        }
        lines
    }
}
