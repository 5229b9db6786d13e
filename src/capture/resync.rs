//! Finding the way again after damage: a scan for the next place where the format's records make sense.

use crate::capture::format::Window;

/// What a place in the file looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Records begin here.
    Good,
    /// They do not.
    Bad,
    /// Not to be told without so many bytes from here; never said of a file that has ended.
    Unclear(usize),
}

/// What a scan of a window found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// Records begin after so many bytes.
    Found(usize),
    /// They do not within so many bytes; more than none.
    Nothing(usize),
    /// Not to be told without so many bytes in the window.
    Unclear(usize),
}

/// Where and why the way was lost.
#[derive(Debug, Clone)]
pub(super) struct Lost {
    /// Offset of the first byte that made no sense.
    pub(super) from: u64,
    /// What was expected there, and what was found.
    pub(super) why: String,
    /// Whether the record would be fine if the file did not end in the middle of it.
    pub(super) cut: bool,
}

/// Tries each place of the window in turn. Every byte is tried once or twice over a whole file, however the
/// window grows: what was found to be nothing is given back to be dropped.
pub(super) fn scan(window: Window<'_>, verdict: impl Fn(Window<'_>) -> Verdict) -> Scan {
    let mut rest = window;
    loop {
        let tried = window.bytes.len() - rest.bytes.len();
        let Some((_, next)) = rest.bytes.split_first() else { return Scan::Nothing(tried) };
        match verdict(rest) {
            Verdict::Good => return Scan::Found(tried),
            Verdict::Unclear(_) if tried > 0 => return Scan::Nothing(tried),
            Verdict::Unclear(wanted) => return Scan::Unclear(wanted),
            Verdict::Bad => rest = Window { bytes: next, offset: rest.offset + 1, ended: rest.ended },
        }
    }
}
