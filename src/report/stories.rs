//! Stories, ladders, events and tables, in the forms that the verbs offer.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use std::io::{self, Write};

use serde::Serialize;

use super::text::{self, Look};
use super::view::{self, Stamps};
use super::words::Word;
use super::{jsonl, services, svg};
use crate::analysis::Analysis;
use crate::escape;
use crate::events::{Event, Side};
use crate::session::Session;
use crate::story::ladder::{Ladder, Step};
use crate::story::tables::{self, Cell, Table};
use crate::story::{Story, Teller};

/// How a story is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StoryForm {
    /// Text for people.
    #[default]
    Text,
    /// One JSON object a session: its record, its lines, its ladder.
    Json,
    /// A sequence diagram for documents that know Mermaid.
    Mermaid,
    /// Markdown: what happened as a table.
    Markdown,
    /// A picture: the life along time, and the ladder.
    Svg,
}

/// What is asked of stories.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoryRequest {
    /// How they are written.
    pub form: StoryForm,
    /// Whether the ladder is shown too.
    pub ladder: bool,
    /// Whether names of users are told by their hashes only.
    pub hide_names: bool,
    /// How times are written for machines.
    pub stamps: Stamps,
    /// How text looks.
    pub look: Look,
}

/// The story of each of these sessions. The analysis has to have kept its events.
///
/// # Errors
/// What the writer says.
pub fn write(
    analysis: &Analysis,
    sessions: &[&Session],
    request: StoryRequest,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_of(analysis, &analysis.events, sessions, request, out)
}

/// The same from the events of these sessions, in order, where the analysis did not keep them.
///
/// # Errors
/// What the writer says.
pub fn write_of(
    analysis: &Analysis,
    events: &[Event],
    sessions: &[&Session],
    request: StoryRequest,
    out: &mut dyn Write,
) -> io::Result<()> {
    let hide = request.hide_names || request.form != StoryForm::Text;
    let teller = Teller::of(analysis, events, hide);
    if request.form == StoryForm::Svg {
        // One document has one root, so all of them are in one picture.
        return svg::write(analysis, sessions, &teller, request.look.clock, out);
    }
    for (index, session) in sessions.iter().enumerate() {
        let story = teller.story(session);
        let ladder = request.ladder.then(|| teller.ladder(session));
        match request.form {
            StoryForm::Text => {
                if index > 0 {
                    writeln!(out)?;
                }
                text::story::write(analysis, session, &story, ladder.as_ref(), hide, request.look, out)?;
            }
            StoryForm::Json => {
                let context =
                    view::Context { several_captures: analysis.files.len() > 1, stamps: request.stamps };
                jsonl::line(out, &Told::new(session, &story, ladder.as_ref(), analysis, context))?;
            }
            StoryForm::Mermaid => mermaid(&teller.ladder(session), out)?,
            StoryForm::Markdown => markdown(analysis, session, &story, out)?,
            StoryForm::Svg => {}
        }
    }
    Ok(())
}

/// A session with its story.
#[derive(Debug, Serialize)]
struct Told<'a> {
    session: view::Session,
    story: Vec<Sentence<'a>>,
    next: &'a str,
    findings: Vec<view::Finding<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ladder: Option<Vec<Rung<'a>>>,
}

#[derive(Debug, Serialize)]
struct Sentence<'a> {
    time: view::Time,
    phase: &'a str,
    text: &'a str,
    frames: Vec<view::Frame>,
}

#[derive(Debug, Serialize)]
struct Rung<'a> {
    time: view::Time,
    connection: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    label: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    meaning: &'a str,
    count: u32,
    frames: Vec<view::Frame>,
}

impl<'a> Told<'a> {
    fn new(
        session: &Session,
        story: &'a Story,
        ladder: Option<&'a Ladder>,
        analysis: &'a Analysis,
        context: view::Context,
    ) -> Self {
        let frame = |at: &crate::place::PacketRef| view::Frame::new(*at, context);
        let sentence = |line: &'a crate::story::Line| Sentence {
            time: view::Time::new(line.time, context),
            phase: line.phase,
            text: &line.text,
            frames: line.proof.frames().iter().map(frame).collect(),
        };
        let rung = |row: &'a crate::story::Row| Rung {
            time: view::Time::new(row.time, context),
            connection: row.connection,
            side: match row.step {
                Step::Message(side) => Some(side.name()),
                Step::Silence | Step::Joint => None,
            },
            label: &row.label,
            meaning: &row.meaning,
            count: row.count,
            frames: row.frames.iter().map(frame).collect(),
        };
        Self {
            session: view::Session::new(session, analysis, context),
            story: story.lines.iter().map(sentence).collect(),
            next: &story.next,
            findings: analysis
                .findings_of(session)
                .map(|finding| view::Finding::new(finding, analysis, context))
                .collect(),
            ladder: ladder.map(|ladder| ladder.rows.iter().map(rung).collect()),
        }
    }
}

/// A sequence diagram.
fn mermaid(ladder: &Ladder, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "sequenceDiagram")?;
    writeln!(out, "    participant c as client {}", ladder.client)?;
    writeln!(out, "    participant s as server {}", ladder.server)?;
    for row in &ladder.rows {
        let times = if row.count > 1 { format!(" x{}", row.count) } else { String::new() };
        let connection =
            if ladder.several { format!(" (connection {})", row.connection) } else { String::new() };
        let label = harmless(&row.label);
        match row.step {
            Step::Message(side) => {
                let (from, arrow, to) =
                    if side == Side::Client { ("c", "->>", "s") } else { ("s", "->>", "c") };
                let meaning = if row.meaning.is_empty() {
                    String::new()
                } else {
                    format!(" — {}", harmless(&row.meaning))
                };
                writeln!(out, "    {from}{arrow}{to}: {label}{times}{meaning}{connection}")?;
            }
            Step::Silence | Step::Joint => writeln!(out, "    Note over c,s: {label}")?,
        }
    }
    Ok(())
}

/// Text that Mermaid takes as text: its own signs become the numbers that it prints as signs.
fn harmless(text: &str) -> String {
    let mut safe = String::new();
    for c in crate::escape::terminal(text).chars() {
        match c {
            '#' | ';' | '<' | '>' | '&' | '"' | '`' | '%' | '{' | '}' => {
                let _ = write!(safe, "#{};", c as u32);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// What happened as a table.
fn markdown(analysis: &Analysis, session: &Session, story: &Story, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## {} {} {} → {}\n", session.name(), session.protocol, session.client, session.server)?;
    writeln!(out, "| time | | what happened | proof |\n|---|---|---|---|")?;
    for line in &story.lines {
        let cited = text::story::cited(&line.proof, analysis.files.len() > 1);
        writeln!(
            out,
            "| {} | {} | {} | {cited} |",
            line.time.rfc3339(),
            line.phase,
            escape::markdown(&line.text)
        )?;
    }
    writeln!(out, "\n**Next:** {}\n", escape::markdown(&story.next))
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventForm {
    /// One line each, for people.
    #[default]
    Text,
    /// One `event` record a line.
    Jsonl,
}

/// The events, at most so many. The analysis has to have kept them.
///
/// # Errors
/// What the writer says.
pub fn events(analysis: &Analysis, list: &EventList, out: &mut dyn Write) -> io::Result<()> {
    let limit = list.limit.unwrap_or(usize::MAX);
    let meant = |place: usize| list.only.as_ref().is_none_or(|only| only.contains(&place));
    if list.form == EventForm::Text {
        return text::events::write(analysis, limit, &meant, list.look, out);
    }
    let context = view::Context { several_captures: analysis.files.len() > 1, stamps: list.stamps };
    let mut written = 0;
    for (seq, event) in analysis.events.iter().enumerate().filter(|(seq, _)| meant(*seq)) {
        if written >= limit {
            break;
        }
        let frames = view::event_frames(event);
        if let Some(record) = view::Event::new(seq, event, &frames, analysis, context) {
            jsonl::line(out, &record)?;
            written += 1;
        }
    }
    Ok(())
}

/// What is asked of a list of events.
#[derive(Debug, Clone, Default)]
pub struct EventList {
    /// How they are written.
    pub form: EventForm,
    /// Places of those that are meant; all where there is no list.
    pub only: Option<BTreeSet<usize>>,
    /// At most so many.
    pub limit: Option<usize>,
    /// How times are written for machines.
    pub stamps: Stamps,
    /// How text looks.
    pub look: Look,
}

/// Which table of statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// Timers declared, kept and run out.
    Timers,
    /// Resumptions.
    Resume,
    /// Logins.
    Logins,
    /// Sessions by how they ended.
    Ends,
    /// Sessions by protocol.
    Protocols,
    /// What each server does with sessions.
    Services,
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableForm {
    /// Columns for people.
    Text,
    /// Comma-separated, with a heading.
    Csv,
    /// One JSON object a row.
    Jsonl,
}

/// A table over all sessions.
///
/// # Errors
/// What the writer says.
pub fn statistics(
    analysis: &Analysis,
    which: Statistic,
    form: TableForm,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let table = match which {
        Statistic::Services => {
            return services::write(analysis, form, look, out);
        }
        Statistic::Timers => tables::timers(analysis),
        Statistic::Resume => tables::resume(analysis),
        Statistic::Logins => tables::logins(analysis),
        Statistic::Ends => tables::ends(analysis, Word::word, Word::word),
        Statistic::Protocols => tables::protocols(analysis),
    };
    match form {
        TableForm::Text => text::table::write(&table, text::Paint { on: look.colour }, out),
        TableForm::Csv => csv(&table, out),
        TableForm::Jsonl => rows(&table, out),
    }
}

/// One object a row, its members named like the columns.
fn rows(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    for row in &table.rows {
        let members = table.headings.iter().zip(row).filter_map(|(heading, cell)| {
            let name = heading.replace([' ', '-'], "_");
            Some(match cell {
                Cell::Text(text) => (name, text.as_str().into()),
                Cell::Number(number) => (name, (*number).into()),
                Cell::Time(span) => (name + "_s", span.as_secs().into()),
                Cell::Empty => return None,
            })
        });
        jsonl::line(out, &members.collect::<serde_json::Map<String, serde_json::Value>>())?;
    }
    Ok(())
}

/// Comma-separated with a heading; times in seconds.
fn csv(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{}\r\n", table.headings.join(","))?;
    for row in &table.rows {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| match cell {
                Cell::Text(text) => super::columns::quoted(text.clone()),
                Cell::Number(number) => number.to_string(),
                Cell::Time(span) => span.as_secs().to_string(),
                Cell::Empty => String::new(),
            })
            .collect();
        write!(out, "{}\r\n", cells.join(","))?;
    }
    Ok(())
}
