//! Sessions as rows: the catalogue of columns, the order of rows, and the forms for machines.
//!
//! A column has the name of its place in the JSON record: `outcome.reason` is `reason` in `outcome`.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::{self, Write};

use super::columns::quoted;
use super::view::{self, Stamps};
use super::words::Word;
use super::{jsonl, text};
use crate::analysis::Analysis;
use crate::events::{Connection, Side};
use crate::session::Session;

/// One fact of a session.
#[derive(Debug)]
pub struct SessionColumn {
    /// What users type.
    pub name: &'static str,
    /// One line for the help.
    pub about: &'static str,
    read: fn(&Session, &Analysis, Stamps) -> String,
}

macro_rules! columns {
    ($($name:literal $about:literal $read:expr;)+) => {
        /// All columns, in the order of a table that asks for none by name.
        pub static SESSION_COLUMNS: &[SessionColumn] =
            &[$(SessionColumn { name: $name, about: $about, read: $read }),+];
    };
}

columns! {
    "id" "S-0001, in order of first frame" |s, _, _| s.name();
    "protocol" "catalogue name of its protocol" |s, _, _| s.protocol.to_owned();
    "start" "time of its first frame" |s, _, stamps| time(s.start, stamps);
    "end" "time of its last frame" |s, _, stamps| time(s.end, stamps);
    "duration_s" "seconds from start to end" |s, _, _| s.duration().as_secs().to_string();
    "client.ip" "address of the client" |s, _, _| s.client.ip.to_string();
    "client.port" "port of the client" |s, _, _| s.client.port.to_string();
    "server.ip" "address of the server" |s, _, _| s.server.ip.to_string();
    "server.port" "port of the server" |s, _, _| s.server.port.to_string();
    "connections" "ids of its connections" |s, _, _| connections(s);
    "state" "its last state" |s, _, _| s.phases.last().map_or("opening", |phase| phase.name.name()).to_owned();
    "outcome.reason" "why it ended" |s, _, _| s.outcome.reason.word().to_owned();
    "outcome.by" "who ended it" |s, _, _| s.outcome.by.word().to_owned();
    "outcome.detail" "a word more on the reason" |s, _, _| s.outcome.detail.unwrap_or_default().to_owned();
    "outcome.confidence" "how sure the reason is" |s, _, _| s.outcome.confidence.word().to_owned();
    "outcome.because" "one sentence that says it" |s, _, _| s.outcome.because.clone();
    "outcome.frames" "the frames that prove it, numbered in their own files" |s, _, _| frames(s);
    "history" "the letters of its life" |s, _, _| s.history.clone();
    "auth.result" "what became of its last login" |s, _, _| s.logins().last().map(|login| login.result.name()).unwrap_or_default().to_owned();
    "auth.principal_hash" "who logged in, as a hash" |s, _, _| s.principal.as_ref().map(|who| who.hash.hex()).unwrap_or_default();
    "resume.mechanism" "by what its last resumption was asked" |s, _, _| s.resumptions().last().map(|resume| resume.mechanism).unwrap_or_default().to_owned();
    "resume.result" "what became of it" |s, _, _| s.resumptions().last().map(|resume| resume.result.name()).unwrap_or_default().to_owned();
    "at_risk.verdict" "whether interrupted work can go on" |s, _, _| s.at_risk.as_ref().map(|risk| risk.verdict.name()).unwrap_or_default().to_owned();
    "at_risk.bytes" "bytes past the last confirmed point" |s, _, _| s.at_risk.as_ref().and_then(|risk| risk.bytes).map(|bytes| bytes.to_string()).unwrap_or_default();
    "dialog.floor" "whose turn it was at the end" |s, _, _| s.last_main().map(|part| part.leg.dialog.floor().name()).unwrap_or_default().to_owned();
    "idle.max_s" "longest time without payload" |s, _, _| s.longest_quiet().map_or(0.0, |quiet| quiet.span.as_secs()).to_string();
    "payload_bytes" "payload of both sides, on all connections" |s, a, _| payload(s, a).to_string();
    "clear" "how much of it was readable" |s, _, _| s.clear.name().to_owned();
    "uid" "stable name of the session" |s, _, _| format!("{:016x}", s.uid);
}

fn time(at: crate::time::Timestamp, stamps: Stamps) -> String {
    match stamps {
        Stamps::Rfc3339 => at.rfc3339(),
        Stamps::Epoch => view::epoch(at),
    }
}

fn connections(session: &Session) -> String {
    let ids: Vec<String> = session.legs.iter().map(|part| part.connection.to_string()).collect();
    ids.join(" ")
}

fn frames(session: &Session) -> String {
    let numbers: Vec<String> = session.outcome.frames.iter().map(|at| at.frame.to_string()).collect();
    numbers.join(" ")
}

/// Payload of both sides on all connections of a session.
fn payload(session: &Session, analysis: &Analysis) -> u64 {
    let of = |connection: &Connection| {
        Side::BOTH.iter().map(|side| connection.sides[*side].payload_bytes).fold(0, u64::saturating_add)
    };
    let all = session.legs.iter().filter_map(|part| analysis.connections.get(part.connection as usize));
    all.map(of).fold(0, u64::saturating_add)
}

/// The order of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionOrder {
    /// By first frame, which is the order of their ids.
    #[default]
    Id,
    /// Longest first.
    Duration,
    /// Longest quiet time first.
    Idle,
    /// Most payload first.
    Bytes,
    /// Most connections first.
    Connections,
    /// Ends that hurt first.
    Concern,
}

/// How a list of sessions is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListForm {
    /// Columns for people; tab-separated where fields are named.
    #[default]
    Text,
    /// One `session` record a line.
    Jsonl,
    /// Comma-separated with a heading.
    Csv,
}

/// What is asked of a list of sessions.
#[derive(Debug, Clone, Default)]
pub struct SessionList {
    /// How it is written.
    pub form: ListForm,
    /// Ids of those that are meant; all where there is no list.
    pub only: Option<BTreeSet<u32>>,
    /// In which order.
    pub order: SessionOrder,
    /// How many at most.
    pub limit: Option<usize>,
    /// Which facts a table has; all where none is named.
    pub columns: Vec<&'static SessionColumn>,
    /// Whether names of users are told by their hashes only.
    pub hide_names: bool,
    /// How times are written for machines.
    pub stamps: Stamps,
    /// How text looks.
    pub look: text::Look,
}

/// Whether there is any session to write.
pub fn any(analysis: &Analysis, list: &SessionList) -> bool {
    !chosen(analysis, list).is_empty()
}

/// Writes the sessions, one line each.
///
/// # Errors
/// What the writer says.
pub fn write(analysis: &Analysis, list: &SessionList, out: &mut dyn Write) -> io::Result<()> {
    let chosen = chosen(analysis, list);
    match list.form {
        ListForm::Text if list.columns.is_empty() => {
            text::sessions::write(analysis, &chosen, list.hide_names, list.look, out)
        }
        ListForm::Text => {
            for session in chosen {
                let cells: Vec<String> =
                    cells(session, analysis, list).iter().map(|cell| crate::escape::terminal(cell)).collect();
                writeln!(out, "{}", cells.join("\t"))?;
            }
            Ok(())
        }
        ListForm::Csv => {
            let heading: Vec<&str> = asked(list).iter().map(|column| column.name).collect();
            write!(out, "{}\r\n", heading.join(","))?;
            for session in chosen {
                let cells: Vec<String> = cells(session, analysis, list).into_iter().map(quoted).collect();
                write!(out, "{}\r\n", cells.join(","))?;
            }
            Ok(())
        }
        ListForm::Jsonl => {
            let context = view::Context { several_captures: analysis.files.len() > 1, stamps: list.stamps };
            for session in chosen {
                jsonl::line(out, &view::Session::new(session, analysis, context))?;
            }
            Ok(())
        }
    }
}

fn asked(list: &SessionList) -> Vec<&'static SessionColumn> {
    if list.columns.is_empty() { SESSION_COLUMNS.iter().collect() } else { list.columns.clone() }
}

fn cells(session: &Session, analysis: &Analysis, list: &SessionList) -> Vec<String> {
    asked(list).iter().map(|column| (column.read)(session, analysis, list.stamps)).collect()
}

/// The sessions that are asked for, in the order that is asked for.
pub(super) fn chosen<'a>(analysis: &'a Analysis, list: &SessionList) -> Vec<&'a Session> {
    let meant = |session: &&Session| list.only.as_ref().is_none_or(|only| only.contains(&session.id));
    let mut chosen: Vec<&Session> = analysis.sessions.iter().filter(meant).collect();
    // The sort is stable, so that equals stay in order of id.
    match list.order {
        SessionOrder::Id => {}
        SessionOrder::Duration => chosen.sort_by_key(|s| Reverse(s.duration())),
        SessionOrder::Idle => chosen.sort_by_key(|s| Reverse(s.longest_quiet().map(|quiet| quiet.span))),
        SessionOrder::Bytes => chosen.sort_by_cached_key(|s| Reverse(payload(s, analysis))),
        SessionOrder::Connections => chosen.sort_by_key(|s| Reverse(s.legs.len())),
        SessionOrder::Concern => {
            chosen.sort_by_key(|s| (text::rank_of(s.outcome.reason), Reverse(s.outcome.confidence)));
        }
    }
    chosen.truncate(list.limit.unwrap_or(usize::MAX));
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_named_once() {
        let mut names: Vec<&str> = SESSION_COLUMNS.iter().map(|column| column.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SESSION_COLUMNS.len());
    }
}
