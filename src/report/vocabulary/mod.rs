//! The words of other tools, for what already reads them: Zeek's logs, Suricata's EVE, the Elastic Common Schema.
//!
//! A field with another tool's name has that tool's meaning, or it is not written: bytes of headers, which Zeek and
//! Suricata count too, are not known here, so that payload stands under our own name.

mod ecs;
mod eve;
mod zeek;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::findings::FindingList;
use super::session_columns::SessionList;
use super::{Request, chosen, findings, session_columns};
use crate::analysis::Analysis;
use crate::events::{Connection, Endpoint};
use crate::rules::Finding;
use crate::session::{Role, Session, SessionLeg};

/// Whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// Zeek's `conn.log` and `notice.log`.
    Zeek {
        /// As one JSON object a line, and not as a table with tabs.
        lines: bool,
    },
    /// Suricata's EVE, one JSON object a line.
    Eve,
    /// The Elastic Common Schema, one JSON object a line.
    Ecs,
}

/// Writes the connections that are asked for.
///
/// # Errors
/// What the writer says.
pub fn connections(
    analysis: &Analysis,
    request: &Request,
    vocabulary: Vocabulary,
    out: &mut dyn Write,
) -> io::Result<()> {
    let chosen = chosen(analysis, request);
    let legs = Legs::of(analysis);
    match vocabulary {
        Vocabulary::Zeek { lines } => zeek::connections(&chosen, &legs, lines, out),
        Vocabulary::Eve => eve::connections(&chosen, &legs, analysis, out),
        Vocabulary::Ecs => ecs::connections(&chosen, &legs, analysis, out),
    }
}

/// Writes the sessions that are asked for, in the only one of these vocabularies that has a word for them: ECS.
///
/// # Errors
/// What the writer says.
pub fn sessions(analysis: &Analysis, list: &SessionList, out: &mut dyn Write) -> io::Result<()> {
    ecs::sessions(&session_columns::chosen(analysis, list), analysis, out)
}

/// Writes the findings that are asked for.
///
/// # Errors
/// What the writer says.
pub fn findings(
    analysis: &Analysis,
    list: &FindingList,
    vocabulary: Vocabulary,
    out: &mut dyn Write,
) -> io::Result<()> {
    let chosen = findings::chosen(analysis, list);
    let legs = Legs::of(analysis);
    match vocabulary {
        Vocabulary::Zeek { lines } => zeek::notices(&chosen, analysis, lines, out),
        Vocabulary::Eve => eve::alerts(&chosen, &legs, analysis, out),
        Vocabulary::Ecs => ecs::findings(&chosen, analysis, out),
    }
}

/// Which part a connection has in which session.
struct Legs<'a>(BTreeMap<u32, (&'a Session, &'a SessionLeg)>);

impl<'a> Legs<'a> {
    fn of(analysis: &'a Analysis) -> Self {
        let parts = analysis
            .sessions
            .iter()
            .flat_map(|session| session.legs.iter().map(move |leg| (leg.connection, (session, leg))));
        Self(parts.collect())
    }

    /// Whether a connection was announced by a session of this protocol, and carries its data.
    fn carries_data_of(&self, connection: &Connection, protocol: &str) -> bool {
        let part = self.0.get(&connection.id);
        part.is_some_and(|(session, leg)| leg.leg.role == Role::Data && session.protocol == protocol)
    }

    /// The protocols that were understood on a connection, outermost first.
    fn protocols(&self, connection: &Connection) -> Vec<&'static str> {
        let spoken = self.0.get(&connection.id).map_or(&[][..], |(_, part)| &part.leg.protocols);
        spoken.iter().copied().filter(|name| *name != "opaque").collect()
    }
}

/// The connection that a finding is about: the first one, which may stand for others.
fn connection_of<'a>(finding: &Finding, analysis: &'a Analysis) -> Option<&'a Connection> {
    analysis.connections.get(*finding.connections.first()? as usize)
}

/// The ends that a finding is about.
fn ends(finding: &Finding, analysis: &Analysis) -> Option<(Endpoint, Endpoint)> {
    let session = finding.session.and_then(|id| analysis.sessions.get(id.checked_sub(1)? as usize));
    let of_session = session.map(|session| (session.client, session.server));
    of_session.or_else(|| connection_of(finding, analysis).map(|one| (one.client, one.server)))
}
