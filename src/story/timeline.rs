//! A session along its time: when it was in which state, and the moments worth a mark.

use crate::events::{Grade, Side};
use crate::session::{LoginResult, PhaseName, ResumeResult, Session};
use crate::time::Timestamp;

/// Letters by what they hide: where several things fall into one place, the first of these is shown.
pub const WORST: &str = "x!gAn?RODaosfk#.";

/// A moment of a session that is worth a letter of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub time: Timestamp,
    /// The letter, as in [`Session::history`].
    pub letter: char,
}

/// The letter of a state; none for what is over.
pub fn letter(phase: PhaseName) -> Option<char> {
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

/// The place of a letter in [`WORST`]; behind all others for one that is not there.
pub fn rank(letter: char) -> usize {
    WORST.find(letter).unwrap_or(WORST.len())
}

/// Logins, resumptions, last checkpoints and last keep-alives, as they stand in the session.
pub fn marks(session: &Session) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut point = |time: Timestamp, letter: char| marks.push(Mark { time, letter });
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
    marks
}

/// The letter of how it ended, where it has one of its own.
pub fn last_letter(session: &Session) -> Option<char> {
    session.history.chars().last().filter(|last| "xfg?!".contains(*last))
}

/// The times between which a session is looked at in a run that lasted from `origin` to `last`. One that is a small part
/// of the run is looked at by itself; beside it stands what others did then.
pub fn window(session: &Session, origin: Timestamp, last: Timestamp) -> (Timestamp, Timestamp) {
    let whole = last.since(origin).0.max(1);
    let own = session.duration().0.max(1);
    if own.saturating_mul(4) >= whole {
        return (origin, last);
    }
    let margin = own / 8;
    (Timestamp(session.start.0.saturating_sub(margin)), Timestamp(session.end.0.saturating_add(margin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_a_life_has_its_rank() {
        for letter in "saAD#.koO!Rnxfg?".chars() {
            assert!(rank(letter) < WORST.len(), "{letter}");
        }
        assert!(rank('!') < rank('#') && rank('#') < rank('.') && rank('.') < rank(' '));
    }
}
