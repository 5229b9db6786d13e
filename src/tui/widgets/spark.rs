//! A session's life as letters along its time: what `history` says, drawn where it happened.

use crate::session::Session;
use crate::story::timeline::{self, letter, rank};
use crate::time::Timestamp;

/// Sessions that last no longer than this are told by their letters alone: along time they would be one cell.
const SHORT: i64 = 2_000_000_000;

/// The letters of a session between two times, one a cell; a blank where it was not there.
pub fn along(session: &Session, from: Timestamp, to: Timestamp, cells: usize) -> String {
    let mut drawn = vec![' '; cells];
    let length = to.since(from).0.max(1) as f64;
    let place = |time: Timestamp| {
        let share = (time.0.saturating_sub(from.0)) as f64 / length;
        share * cells as f64
    };
    let mut put = |begin: f64, end: f64, letter: char| {
        if end < 0.0 || begin >= cells as f64 {
            return;
        }
        let first = begin.max(0.0).floor() as usize;
        let last = (end.max(begin).floor() as usize).min(cells.saturating_sub(1));
        for cell in drawn.iter_mut().take(last + 1).skip(first.min(last)) {
            if rank(letter) < rank(*cell) {
                *cell = letter;
            }
        }
    };
    for phase in &session.phases {
        if let Some(letter) = letter(phase.name) {
            // A phase ends where the next begins: that cell is the next one's.
            let end = place(phase.end);
            let begin = place(phase.start);
            put(begin, if end > begin + 0.001 { end - 0.001 } else { begin }, letter);
        }
    }
    for mark in timeline::marks(session) {
        put(place(mark.time), place(mark.time), mark.letter);
    }
    if let Some(last) = timeline::last_letter(session) {
        let end = place(session.end);
        put(end - 0.001, end - 0.001, last);
    }
    drawn.into_iter().collect::<String>().trim_end().to_owned()
}

/// The life in so many cells: along its own time, or where that is short its letters.
pub fn life(session: &Session, cells: usize) -> String {
    let letters = session.history.chars().count();
    if session.duration().0 <= SHORT && letters <= cells {
        return session.history.clone();
    }
    along(session, session.start, session.end, cells)
}
