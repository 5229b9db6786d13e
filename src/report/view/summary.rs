//! The records `problem` and `summary`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{SCHEMA, record_type};
use crate::analysis::Analysis;
use crate::events::transport::{By, How, Reason};
use crate::packet::Transport;
use crate::problem::{self, ProblemKind};
use crate::report::words::{Said, Word};

record_type!(ProblemType, "problem");
record_type!(SummaryType, "summary");

/// What was wrong in the input and yet survived.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Problem<'a> {
    /// `problem`
    pub r#type: ProblemType,
    /// What kind.
    pub kind: Said<ProblemKind>,
    /// `index` of the capture; absent where it concerns the whole run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<u16>,
    /// Frame in that capture, where a frame is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<u64>,
    /// Byte offset in the uncompressed file of the first occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// How often it was met.
    pub count: u64,
    /// One sentence: what was expected, what was found, what was done about it.
    pub message: &'a str,
}

impl<'a> Problem<'a> {
    /// The record of one problem.
    pub fn new(problem: &'a problem::Problem) -> Self {
        Self {
            r#type: ProblemType::It,
            kind: Said(problem.kind),
            capture: problem.file.map(|file| file.0),
            frame: problem.frame,
            offset: problem.offset,
            count: problem.count,
            message: &problem.message,
        }
    }
}

/// Counts over the whole run, and what changed the result.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Summary<'a> {
    /// `summary`
    pub r#type: SummaryType,
    /// Name and version of this contract.
    pub schema: &'static str,
    /// Version of ghostshark.
    pub version: &'static str,
    /// Whose rules `wireshark`, `stream` and `completeness` follow.
    pub parity: &'static str,
    /// Frames read.
    pub packets: u64,
    /// Their captured bytes.
    pub bytes: u64,
    /// TCP segments among them.
    pub tcp_segments: u64,
    /// UDP datagrams among them.
    pub udp_datagrams: u64,
    /// ICMP errors that quote a TCP or UDP packet.
    pub icmp_errors: u64,
    /// Everything else, by name with its number.
    pub not_understood: Vec<Other<'a>>,
    /// Connections.
    pub connections: ConnectionCounts,
    /// Connections by `ended.reason`; reasons that did not occur are absent.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Connections by everything that tells their ends apart.
    pub ends: Vec<EndCount>,
    /// Options that change results.
    pub options: ResultOptions,
}

/// Frames of one kind that were counted and not analysed further.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Other<'a> {
    /// The kind, with its number.
    pub name: &'a str,
    /// How many.
    pub packets: u64,
}

/// How many connections there were.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ConnectionCounts {
    /// TCP connections that have a record.
    pub tcp: u64,
    /// UDP conversations that have a record.
    pub udp: u64,
    /// Connections that have no record because a bound was reached.
    pub folded: u64,
}

/// How many connections ended alike.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct EndCount {
    /// The transport.
    pub transport: Said<Transport>,
    /// Why.
    pub reason: Said<Reason>,
    /// The first closing act.
    pub how: Said<How>,
    /// Who made it.
    pub by: Said<By>,
    /// How many.
    pub count: u64,
}

/// Options that change results.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ResultOptions {
    /// `--no-dedup`: segments recorded twice stay in the figures of `sides`.
    pub keep_duplicates: bool,
}

impl<'a> Summary<'a> {
    /// The record of the whole run.
    pub fn new(analysis: &'a Analysis) -> Self {
        let mut outcomes = BTreeMap::new();
        let mut ends = BTreeMap::new();
        let (mut tcp, mut udp) = (0, 0);
        for connection in &analysis.connections {
            match connection.transport {
                Transport::Tcp => tcp += 1,
                Transport::Udp => udp += 1,
            }
            let ended = &connection.ended;
            *outcomes.entry(ended.reason.word()).or_default() += 1;
            *ends.entry((connection.transport, ended.reason, ended.how, ended.by)).or_default() += 1;
        }
        let totals = &analysis.totals;
        Self {
            r#type: SummaryType::It,
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            parity: "tshark 4.0.17",
            packets: totals.packets,
            bytes: totals.bytes,
            tcp_segments: totals.tcp_segments,
            udp_datagrams: totals.udp_datagrams,
            icmp_errors: totals.icmp_errors,
            not_understood: totals
                .other
                .iter()
                .map(|(name, packets)| Other { name, packets: *packets })
                .collect(),
            connections: ConnectionCounts { tcp, udp, folded: totals.folded_connections },
            outcomes,
            ends: ends
                .into_iter()
                .map(|((transport, reason, how, by), count)| EndCount {
                    transport: Said(transport),
                    reason: Said(reason),
                    how: Said(how),
                    by: Said(by),
                    count,
                })
                .collect(),
            options: ResultOptions { keep_duplicates: analysis.options.keep_duplicates },
        }
    }
}
