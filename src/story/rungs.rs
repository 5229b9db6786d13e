//! A ladder for eyes: what is said again and again stands there once, and where nobody says anything that is said.

use super::ladder::{Row, Step};
use crate::events::Side;
use crate::time::Span;

/// A line of a ladder for eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// A row; where it is one of several that come again and again, how often, and how far it is from its last time.
    Row {
        /// Its place.
        at: usize,
        /// How often.
        times: u32,
        /// The place of its last time.
        last: usize,
    },
    /// Nobody says anything for so long, between the rows before and behind.
    Idle(Span),
}

/// Rows that are looked at as one turn: a question, its answer, and what belongs to it.
const TURN: usize = 6;
/// How often a turn comes before it is said once.
const AGAIN: usize = 3;
/// A silence that is worth a line.
const IDLE: Span = Span::from_secs(2);

/// The lines of a ladder. Without `fold` every row stands for itself.
pub fn rungs(rows: &[Row], fold: bool) -> Vec<Rung> {
    let mut list = Vec::with_capacity(rows.len());
    let mut at = 0;
    let mut before: Option<&Row> = None;
    while let Some(row) = rows.get(at) {
        let quiet = before.map(|before| row.time.since(before.time)).filter(|quiet| *quiet >= IDLE);
        let told = before.is_some_and(|before| before.step == Step::Silence);
        if let (Some(quiet), false) = (quiet, told) {
            list.push(Rung::Idle(quiet));
        }
        let (turn, times) = if fold { again(rows, at) } else { (1, 1) };
        let all = turn * times;
        for nth in at..at + turn {
            list.push(Rung::Row { at: nth, times: times as u32, last: nth + all - turn });
        }
        before = rows.get(at + all - 1);
        at += all;
    }
    list
}

/// How many rows from here make a turn that comes again at once, and how often it comes.
fn again(rows: &[Row], at: usize) -> (usize, usize) {
    let same = |a: &Row, b: &Row| {
        a.step != Step::Joint
            && (a.step, a.connection, &a.label, &a.meaning) == (b.step, b.connection, &b.label, &b.meaning)
    };
    for turn in 1..=TURN {
        let Some(first) = rows.get(at..at + turn) else { break };
        // A turn begins with a question, and the answer before it is none of its own.
        let asks = |row: &Row| row.step == Step::Message(Side::Client);
        if turn > 1 && !first.first().is_some_and(asks) && first.iter().any(asks) {
            continue;
        }
        let rest = rows.get(at + turn..).unwrap_or_default();
        let more =
            rest.chunks_exact(turn).take_while(|next| first.iter().zip(*next).all(|(a, b)| same(a, b)));
        let times = 1 + more.count();
        if times >= AGAIN {
            return (turn, times);
        }
    }
    (1, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn row(seconds: i64, label: &str) -> Row {
        let side = if label.starts_with('2') { Side::Server } else { Side::Client };
        Row {
            time: Timestamp(seconds * 1_000_000_000),
            connection: 0,
            step: Step::Message(side),
            label: label.to_owned(),
            meaning: String::new(),
            count: 1,
            frames: Vec::new(),
        }
    }

    #[test]
    fn a_turn_that_comes_again_stands_there_once() {
        let said = ["USER", "200", "PING", "200", "PING", "200", "PING", "200", "QUIT"];
        let rows: Vec<Row> = said.iter().map(|label| row(0, label)).collect();
        let folded = rungs(&rows, true);
        assert_eq!(
            folded,
            [
                Rung::Row { at: 0, times: 1, last: 0 },
                Rung::Row { at: 1, times: 1, last: 1 },
                Rung::Row { at: 2, times: 3, last: 6 },
                Rung::Row { at: 3, times: 3, last: 7 },
                Rung::Row { at: 8, times: 1, last: 8 },
            ]
        );
        assert_eq!(rungs(&rows, false).len(), rows.len());
    }

    #[test]
    fn twice_is_not_again_and_again() {
        let rows: Vec<Row> = ["PING", "200", "PING", "200"].iter().map(|label| row(0, label)).collect();
        assert_eq!(rungs(&rows, true).len(), 4);
    }

    #[test]
    fn silence_is_said_once() {
        let mut rows = vec![row(0, "GET"), row(30, "200"), row(31, "GET")];
        assert_eq!(rungs(&rows, true)[1], Rung::Idle(Span::from_secs(30)));
        assert_eq!(rungs(&rows, true).len(), 4);
        rows.insert(1, Row { step: Step::Silence, ..row(0, "30.0 s without payload") });
        assert_eq!(rungs(&rows, true).len(), 4, "it is told already");
    }
}
