//! A session's life as letters along its time: what `history` says, drawn where it happened.

use crate::events::{Grade, Side};
use crate::session::{LoginResult, PhaseName, ResumeResult, Session};
use crate::time::Timestamp;

/// Letters by what they hide: where several things fall into one cell, the first of these is shown.
const WORST: &str = "x!gAn?RODaosfk#.";

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
    let mut point = |time: Timestamp, letter: char| put(place(time), place(time), letter);
    for login in session.logins() {
        point(login.last.time, if login.result == LoginResult::Granted { 'a' } else { 'A' });
    }
    for resume in session.resumptions() {
        let letter = match resume.result {
            ResumeResult::Granted => 'R',
            ResumeResult::Refused | ResumeResult::Silent => 'n',
            ResumeResult::Unanswered => '!',
        };
        point(resume.answered.unwrap_or(resume.begun).time, letter);
    }
    for part in &session.legs {
        if let Some(confirmed) = part.leg.works.last_confirmed.as_deref() {
            point(confirmed.at.time, if confirmed.grade == Grade::Major { 'O' } else { 'o' });
        }
        for rhythm in [&part.leg.clocks.transport, &part.leg.clocks.application] {
            if let Some((Side::Client | Side::Server, at)) = &rhythm.last {
                point(at.time, 'k');
            }
        }
    }
    if let Some(last) = session.history.chars().last()
        && "xfg?!".contains(last)
    {
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

fn rank(letter: char) -> usize {
    WORST.find(letter).unwrap_or(WORST.len())
}

fn letter(phase: PhaseName) -> Option<char> {
    match phase {
        PhaseName::Opening | PhaseName::Up | PhaseName::Negotiating => Some('s'),
        PhaseName::Authenticating => Some('a'),
        PhaseName::Active => Some('#'),
        PhaseName::Idle => Some('.'),
        PhaseName::Interrupted => Some('!'),
        PhaseName::Resuming => Some('R'),
        PhaseName::Releasing => Some('f'),
        PhaseName::Ended => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_a_life_has_its_rank() {
        for letter in "saAD#.koO!RnxfGg?".chars().filter(|letter| *letter != 'G') {
            assert!(rank(letter) < WORST.len(), "{letter}");
        }
        assert!(rank('!') < rank('#') && rank('#') < rank('.') && rank('.') < rank(' '));
    }
}
