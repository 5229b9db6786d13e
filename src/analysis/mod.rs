//! The only place where the stages meet: captures in, connections and their account out.

pub mod again;
mod judging;
mod numbering;
pub mod options;
mod ordering;
mod pipeline;
mod quality;
mod shard;

pub use again::{Again, Recalled};
pub use options::Options;
pub use pipeline::{Progress, analyze, analyze_while};

use std::collections::BTreeMap;

use crate::capture::FileFacts;
use crate::events::{Connection, ConnectionKey, Event};
use crate::problem::Problem;
use crate::rules::Finding;
use crate::session::Session;
use crate::time::Span;

/// The finished result of a run: plain data, the same for any number of threads.
#[derive(Debug, Clone, Default)]
pub struct Analysis {
    /// The inputs, in order of their [`FileId`](crate::place::FileId).
    pub files: Vec<FileFacts>,
    /// What can be said of each input's quality, in the same order.
    pub quality: Vec<Quality>,
    /// The connections, in order of id.
    pub connections: Vec<Connection>,
    /// The sessions, in order of id.
    pub sessions: Vec<Session>,
    /// What the rules found, in order of id.
    pub findings: Vec<Finding>,
    /// Places of the findings that concern a session, by its id.
    pub findings_of_sessions: BTreeMap<u32, Vec<u32>>,
    /// Ids of connections by the keys that events have; sorted.
    pub names: Vec<(ConnectionKey, u32)>,
    /// What was said in them, in order; only where it was asked to be kept.
    pub events: Vec<Event>,
    /// What was wrong and yet survived, in a fixed order.
    pub problems: Vec<Problem>,
    /// Counts over the whole run.
    pub totals: Totals,
    /// What changed the result.
    pub options: Options,
}

impl Analysis {
    /// The connection that an event is about; none where only a count was kept of it.
    pub fn connection(&self, key: ConnectionKey) -> Option<&Connection> {
        let index = self.names.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        self.names.get(index).and_then(|(_, id)| self.connections.get(*id as usize))
    }

    /// The findings that concern a session or a connection of it, in order of id.
    pub fn findings_of(&self, session: &Session) -> impl Iterator<Item = &Finding> {
        let list = self.findings_of_sessions.get(&session.id).map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(|index| self.findings.get(*index as usize))
    }
}

/// How much one capture can be trusted (`domain.md` C.4).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quality {
    /// TCP connections of at least five segments seen from one side only ÷ TCP connections of at least five segments.
    pub one_sided_ratio: f64,
    /// TCP bytes acknowledged and never seen ÷ bytes acknowledged.
    pub loss_ratio: f64,
    /// TCP segments recorded twice ÷ TCP segments.
    pub duplicate_ratio: f64,
    /// Frames cut by the recorder ÷ frames.
    pub snapped_ratio: f64,
    /// How far time ran backwards at most.
    pub disorder: Span,
}

/// Counts over the whole run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
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
    /// Everything else, by name with its number (`ARP`, `IP protocol 89 (OSPF)`, `ethertype 0x88cc (LLDP)`).
    pub other: Vec<(String, u64)>,
    /// Connections that were folded into counters because of a bound.
    pub folded_connections: u64,
}
