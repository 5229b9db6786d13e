//! The terminal: into the mode of the interface and out of it, whatever ends it.

use std::io::{self, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
    is_raw_mode_enabled,
};
use ratatui::crossterm::{cursor, execute};

/// Bytes of a text that is copied: terminals drop longer ones.
const COPIED: usize = 74_000;

/// Whether the terminal is in our mode.
static ON: AtomicBool = AtomicBool::new(false);

/// Keeps the terminal in the mode of the interface; gives it back when it is dropped.
#[derive(Debug)]
pub(super) struct Screen {
    mouse: bool,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// What the terminal says.
    pub(super) fn take(mouse: bool) -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            // What a panic says has to be readable, on a terminal as it was.
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
            }));
        });
        let screen = Self { mouse };
        screen.on()?;
        Ok(screen)
    }

    fn on(&self) -> io::Result<()> {
        ON.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        if self.mouse { execute!(io::stdout(), EnableMouseCapture) } else { Ok(()) }
    }

    /// An empty screen to draw on. It is made anew where it is to be drawn whole: to clear the old one, the library would
    /// ask the terminal where its cursor is, and a terminal that does not answer would end the program.
    ///
    /// # Errors
    /// What the terminal says.
    pub(super) fn anew() -> io::Result<Terminal<CrosstermBackend<io::Stdout>>> {
        execute!(io::stdout(), Clear(ClearType::All))?;
        Terminal::new(CrosstermBackend::new(io::stdout()))
    }

    /// Mouse on or off.
    pub(super) fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        if on {
            execute!(io::stdout(), EnableMouseCapture)
        } else {
            execute!(io::stdout(), DisableMouseCapture)
        }
    }

    /// Gives the terminal back, stops this process until somebody says go on, and takes it again.
    pub(super) fn suspend(&self) -> io::Result<()> {
        give_back();
        #[cfg(unix)]
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        self.on()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back as it was; does nothing where it is so already. Nobody is left to tell of a failure.
pub(super) fn give_back() {
    if !ON.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = execute!(
        io::stdout(),
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    if is_raw_mode_enabled().unwrap_or(true) {
        let _ = disable_raw_mode();
    }
}

/// How long the loop has to notice that it is to end. A terminal that is gone keeps whoever reads it busy for ever.
#[cfg(unix)]
const GRACE: std::time::Duration = std::time::Duration::from_secs(2);

/// Raises the flag when a signal asks the program to end, and ends it where the loop cannot hear that any more.
///
/// # Errors
/// What the system says.
#[cfg(unix)]
pub(super) fn heed_signals(terminated: &Arc<AtomicBool>) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT])?;
    let terminated = Arc::clone(terminated);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            terminated.store(true, Ordering::Relaxed);
            std::thread::sleep(GRACE);
            give_back();
            signal_hook::low_level::exit(128 + signal);
        }
    })?;
    Ok(())
}

/// Copies a text by asking the terminal to (OSC 52), which works over ssh too.
pub(super) fn copy(text: &str) -> io::Result<()> {
    let mut end = text.len().min(COPIED);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut out = io::stdout().lock();
    write!(out, "{}", osc52(text.get(..end).unwrap_or_default()))?;
    out.flush()
}

/// The sequence that copies a text.
fn osc52(text: &str) -> String {
    format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_text_cannot_end_the_sequence() {
        assert_eq!(osc52("a\u{7}b"), "\u{1b}]52;c;YQdi\u{7}");
    }

    #[test]
    fn giving_back_what_was_not_taken_does_nothing() {
        give_back();
        assert!(!ON.load(Ordering::SeqCst));
    }
}
