//! For machines and documents: what a run found, written in one of several formats.
//!
//! Formats are a catalogue ([`FORMATS`]); each writes one or more [`Part`]s of the result. serde is known here
//! and nowhere below.

pub mod columns;
pub mod diff;
pub mod field_pages;
pub use crate::story::wireshark as filter;
pub mod findings;
pub mod gate;
mod html;
mod json;
mod jsonl;
mod markup;
pub mod packets;
pub mod rule_pages;
#[cfg(feature = "cli")]
pub mod schema;
pub mod services;
pub mod session_columns;
pub mod stories;
pub mod stream_index;
mod svg;
pub mod text;
pub mod view;
pub mod vocabulary;
pub mod words;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::analysis::Analysis;
use crate::events::{Connection, Side};

/// Which part of the result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// All of it.
    #[default]
    Everything,
    /// Captures, problems and counts, without the connections one by one.
    Summary,
    /// The connections alone.
    Connections,
}

/// The order of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By first frame, which is the order of their ids.
    #[default]
    Id,
    /// Longest first.
    Duration,
    /// Most payload bytes first.
    Bytes,
    /// Most packets first.
    Packets,
    /// Ends that hurt first.
    Concern,
}

/// What is asked of a report.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Which part of the result.
    pub part: Part,
    /// Whether every event is written too.
    pub events: bool,
    /// Ids of the connections that are meant; all where there is no list.
    pub only: Option<BTreeSet<u32>>,
    /// In which order connections come.
    pub order: Order,
    /// How many of them at most.
    pub limit: Option<usize>,
    /// Which facts of a connection a table has; all where none is named.
    pub columns: Vec<&'static columns::Column>,
    /// How times are written for machines.
    pub stamps: view::Stamps,
    /// How text looks.
    pub look: text::Look,
}

/// A format that a result can be written in.
#[derive(Debug)]
pub struct Format {
    /// What users type.
    pub name: &'static str,
    /// Usual end of a file name.
    pub extension: &'static str,
    /// One line for the help.
    pub about: &'static str,
    /// Writes the part that is asked for.
    pub write: fn(&Analysis, &Request, &mut dyn Write) -> io::Result<()>,
}

/// Text for people.
pub static TEXT: Format =
    Format { name: "text", extension: "txt", about: "text for people", write: text::write };
/// One document.
pub static JSON: Format =
    Format { name: "json", extension: "json", about: "one JSON document", write: json::write };
/// One object a line.
pub static JSONL: Format =
    Format { name: "jsonl", extension: "jsonl", about: "one JSON object a line", write: jsonl::write };
/// One row a connection.
pub static CSV: Format = Format {
    name: "csv",
    extension: "csv",
    about: "one row a connection, comma-separated, with a heading",
    write: columns::csv,
};

/// One page for a browser.
pub static HTML: Format = Format {
    name: "html",
    extension: "html",
    about: "one page for a browser, with stories and ladders; it asks the network for nothing",
    write: html::write,
};

/// All formats.
pub static FORMATS: [&Format; 5] = [&TEXT, &JSON, &JSONL, &CSV, &HTML];

impl Format {
    /// Whether it tells more of an analysis that kept its events: stories and ladders are made of them.
    pub fn tells_stories(&self) -> bool {
        self.name == HTML.name
    }
}

impl Request {
    fn context(&self, analysis: &Analysis) -> view::Context {
        view::Context { several_captures: analysis.files.len() > 1, stamps: self.stamps }
    }
}

/// The connections that are asked for, in the order that is asked for.
fn chosen<'a>(analysis: &'a Analysis, request: &Request) -> Vec<&'a Connection> {
    let meant =
        |connection: &&Connection| request.only.as_ref().is_none_or(|only| only.contains(&connection.id));
    let mut chosen: Vec<&Connection> = analysis.connections.iter().filter(meant).collect();
    // The sort is stable, so that equals stay in order of id.
    match request.order {
        Order::Id => {}
        Order::Duration => chosen.sort_by_key(|c| Reverse(c.end.since(c.start))),
        Order::Bytes => chosen.sort_by_key(|c| Reverse(both(c, |side| side.payload_bytes))),
        Order::Packets => chosen.sort_by_key(|c| Reverse(both(c, |side| side.packets))),
        Order::Concern => chosen.sort_by_key(|c| (text::rank(&c.ended), Reverse(c.ended.confidence))),
    }
    chosen.truncate(request.limit.unwrap_or(usize::MAX));
    chosen
}

fn both(connection: &Connection, read: fn(&crate::events::transport::SideFacts) -> u64) -> u64 {
    Side::BOTH.iter().map(|side| read(&connection.sides[*side])).fold(0, u64::saturating_add)
}
