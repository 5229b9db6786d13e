//! Small tables over all sessions: timers, resumptions, logins, ends, protocols.

use std::collections::BTreeMap;

use super::Teller;
use super::narrative::idle_before_end;
use crate::analysis::Analysis;
use crate::events::transport::{By, Reason};
use crate::session::{LoginResult, ResumeResult, Role};
use crate::time::Span;

/// A table: a heading for each column, and rows of as many cells. Cells may hold text from the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Headings.
    pub headings: Vec<&'static str>,
    /// Rows.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A word.
    Text(String),
    /// A number.
    Number(u64),
    /// A time.
    Time(Span),
    /// Does not apply.
    Empty,
}

/// Ids of sessions by those of their connections.
pub fn names_of_sessions(analysis: &Analysis) -> BTreeMap<u32, u32> {
    let parts = analysis
        .sessions
        .iter()
        .flat_map(|session| session.legs.iter().map(|part| (part.connection, session.id)));
    parts.collect()
}

/// What happens again and again between the same parties: how often, shortest, longest.
#[derive(Debug, Clone, Copy)]
struct Spread {
    times: u64,
    shortest: Span,
    longest: Span,
}

impl Spread {
    fn note(spreads: &mut BTreeMap<(String, String), Self>, server: String, what: String, span: Span) {
        let spread =
            spreads.entry((server, what)).or_insert(Self { times: 0, shortest: span, longest: span });
        spread.times += 1;
        spread.shortest = spread.shortest.min(span);
        spread.longest = spread.longest.max(span);
    }
}

/// Timers: those declared, those kept, and those by which sessions ended.
pub fn timers(analysis: &Analysis) -> Table {
    let teller = Teller::new(analysis, true);
    let mut spreads = BTreeMap::new();
    for session in &analysis.sessions {
        let server = format!("{} {}", session.protocol, session.server);
        for part in session.legs.iter().filter(|part| part.leg.role == Role::Main) {
            let clocks = &part.leg.clocks;
            for (side, declared, _) in &clocks.declared {
                let what = format!("{} declared by the {}", declared.timer.name(), side.name());
                Spread::note(&mut spreads, server.clone(), what, declared.span);
            }
            for (what, rhythm) in [
                ("keep-alives of TCP", clocks.transport),
                ("keep-alives of the protocol", clocks.application),
            ] {
                if let Some(interval) = rhythm.interval() {
                    Spread::note(&mut spreads, server.clone(), format!("{what}, mean"), interval);
                }
            }
            if let Some((wait, _)) = part.leg.dialog.longest_wait {
                Spread::note(&mut spreads, server.clone(), "longest wait for an answer".to_owned(), wait);
            }
        }
        let ended = match session.outcome.reason {
            Reason::IdleTimeout => "idle before the end (idle timeout)",
            Reason::MiddleboxTimeout => "idle before the end (forgotten on the path)",
            Reason::AppTimeout => "without payload before the end (answer timeout)",
            _ => continue,
        };
        let Some(part) = session.last_main() else { continue };
        // What found the path forgotten, or tells that a timer ran out, was sent after the pause.
        let idle = if session.outcome.reason == Reason::MiddleboxTimeout || part.leg.farewell.is_some() {
            part.leg.clocks.longest_quiet().map(|quiet| quiet.span)
        } else {
            teller.connection(part).and_then(|connection| idle_before_end(&part.leg, connection))
        };
        if let Some(idle) = idle {
            Spread::note(&mut spreads, server, ended.to_owned(), idle);
        }
    }
    Table {
        headings: vec!["server", "timer", "times", "shortest", "longest"],
        rows: spreads
            .into_iter()
            .map(|((server, what), spread)| {
                vec![
                    Cell::Text(server),
                    Cell::Text(what),
                    Cell::Number(spread.times),
                    Cell::Time(spread.shortest),
                    Cell::Time(spread.longest),
                ]
            })
            .collect(),
    }
}

/// Counts by a key of words, with so many numbers each.
struct Counts<const N: usize>(BTreeMap<Vec<String>, [u64; N]>);

impl<const N: usize> Counts<N> {
    fn new() -> Self {
        Self(BTreeMap::new())
    }

    fn of(&mut self, key: Vec<String>) -> &mut [u64; N] {
        self.0.entry(key).or_insert([0; N])
    }

    fn table(self, headings: Vec<&'static str>) -> Table {
        let row = |(key, counts): (Vec<String>, [u64; N])| {
            key.into_iter().map(Cell::Text).chain(counts.into_iter().map(Cell::Number)).collect()
        };
        Table { headings, rows: self.0.into_iter().map(row).collect() }
    }
}

/// Resumptions by mechanism, and what came of them.
pub fn resume(analysis: &Analysis) -> Table {
    let mut counts = Counts::<5>::new();
    for session in &analysis.sessions {
        for resume in session.resumptions() {
            let row = counts.of(vec![session.protocol.to_owned(), resume.mechanism.to_owned()]);
            let index = match resume.result {
                ResumeResult::Granted => 1,
                ResumeResult::Refused => 2,
                ResumeResult::Silent => 3,
                ResumeResult::Unanswered => 4,
            };
            for (at, count) in row.iter_mut().enumerate() {
                *count += u64::from(at == 0 || at == index);
            }
        }
    }
    counts.table(vec!["protocol", "mechanism", "asked", "granted", "refused", "silent", "unanswered"])
}

/// Logins by server and mechanism, and what came of them.
pub fn logins(analysis: &Analysis) -> Table {
    let mut counts = Counts::<6>::new();
    for session in &analysis.sessions {
        for login in session.logins() {
            let mechanism = login.mechanism.unwrap_or("unknown").to_owned();
            let row = counts.of(vec![session.protocol.to_owned(), session.server.to_string(), mechanism]);
            let index = match login.result {
                LoginResult::Granted => 2,
                LoginResult::Refused => 3,
                LoginResult::Unanswered => 4,
                LoginResult::Abandoned => 5,
            };
            for (at, count) in row.iter_mut().enumerate() {
                *count += match at {
                    0 => 1,
                    1 => u64::from(login.refusals),
                    at => u64::from(at == index),
                };
            }
        }
    }
    counts.table(vec![
        "protocol",
        "server",
        "mechanism",
        "logins",
        "refusals",
        "granted",
        "refused",
        "unanswered",
        "abandoned",
    ])
}

/// Sessions by how they ended; `reason` and `by` give the words.
pub fn ends(
    analysis: &Analysis,
    reason: impl Fn(Reason) -> &'static str,
    by: impl Fn(By) -> &'static str,
) -> Table {
    let mut counts: BTreeMap<(String, String, String), (u64, String)> = BTreeMap::new();
    for session in &analysis.sessions {
        let outcome = &session.outcome;
        let key = (session.protocol.to_owned(), reason(outcome.reason).to_owned(), by(outcome.by).to_owned());
        let (count, _) = counts.entry(key).or_insert_with(|| (0, session.name()));
        *count += 1;
    }
    Table {
        headings: vec!["protocol", "ended", "by", "sessions", "first"],
        rows: counts
            .into_iter()
            .map(|((protocol, reason, by), (count, first))| {
                vec![
                    Cell::Text(protocol),
                    Cell::Text(reason),
                    Cell::Text(by),
                    Cell::Number(count),
                    Cell::Text(first),
                ]
            })
            .collect(),
    }
}

/// Sessions by protocol: how many, over how many connections, how they fared.
pub fn protocols(analysis: &Analysis) -> Table {
    let mut counts = Counts::<7>::new();
    for session in &analysis.sessions {
        let granted = session.resumptions().filter(|resume| resume.result == ResumeResult::Granted).count();
        let resumed = session.resumptions().count();
        let questions: u64 = session.legs.iter().map(|part| u64::from(part.leg.dialog.answered)).sum();
        let row = [
            1,
            session.legs.len() as u64,
            questions,
            u64::from(session.outcome.reason == Reason::Released),
            u64::from(session.outcome.reason == Reason::CaptureEnded),
            resumed as u64,
            granted as u64,
        ];
        for (sum, more) in counts.of(vec![session.protocol.to_owned()]).iter_mut().zip(row) {
            *sum += more;
        }
    }
    counts.table(vec![
        "protocol",
        "sessions",
        "connections",
        "answers",
        "released",
        "open",
        "resumes",
        "granted",
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_knows_its_ends() {
        let mut spreads = BTreeMap::new();
        for seconds in [60, 59, 61] {
            Spread::note(&mut spreads, "s".to_owned(), "t".to_owned(), Span::from_secs(seconds));
        }
        let spread = spreads.into_values().next().unwrap();
        assert_eq!(
            (spread.times, spread.shortest, spread.longest),
            (3, Span::from_secs(59), Span::from_secs(61))
        );
    }
}
