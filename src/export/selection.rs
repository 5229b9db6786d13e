//! Which frames a slice holds: those of the chosen sessions' connections, the errors about them, the parts of datagrams
//! that came in parts, and the exchanges that told where the servers are.

use std::collections::{BTreeMap, BTreeSet};

use super::resolution::Resolutions;
use crate::analysis::Analysis;
use crate::capture::{Input, Secret};
use crate::error::Error;
use crate::events::Connection;
use crate::events::transport::Reason;
use crate::inspect::{self, Member};
use crate::limits::FRAGMENTS_REMEMBERED;
use crate::packet::{FlowKey, HeaderKind};
use crate::session::Session;

/// The frames of a slice.
#[derive(Debug, Default)]
pub struct Selection {
    /// Their numbers in the run.
    pub frames: BTreeSet<u64>,
    /// How many are packets of the connections.
    pub packets: u64,
    /// How many are errors about them.
    pub errors: u64,
    /// How many are parts of datagrams that another frame completes.
    pub fragments: u64,
    /// How many belong to exchanges that named a server.
    pub resolutions: u64,
    /// The decryption secrets that the inputs hold.
    pub secrets: Vec<Secret>,
}

/// Chooses the frames of these sessions, in one pass over the inputs.
///
/// # Errors
/// Where not one input can be read again.
pub fn select(inputs: Vec<Input>, analysis: &Analysis, sessions: &[&Session]) -> Result<Selection, Error> {
    let wanted: BTreeSet<u32> =
        sessions.iter().flat_map(|session| session.legs.iter().map(|leg| leg.connection)).collect();
    let proof = taken_over(analysis, &wanted);
    let known = wanted.iter().filter_map(|id| analysis.connections.get(*id as usize));
    let mut resolutions = Resolutions::of(known);
    let mut parts = Parts::default();
    let mut selection = Selection::default();
    let finished = inspect::members(inputs, analysis, Some(wanted.clone()), &mut |member| {
        let number = member.frame.at.number;
        let chosen = member.connections.iter().any(|id| wanted.contains(id)) || proof.contains(&number);
        if chosen {
            selection.frames.insert(number);
            if member.is_error() {
                selection.errors += 1;
            } else {
                selection.packets += 1;
            }
        } else {
            resolutions.look(member);
        }
        if let Some(datagram) = datagram(member) {
            if chosen {
                let earlier = parts.take(&datagram);
                selection.fragments += earlier.len() as u64;
                selection.frames.extend(earlier);
            } else if member.packets.is_empty() {
                parts.keep(datagram, number);
            }
        }
    })?;
    for number in resolutions.frames() {
        selection.resolutions += u64::from(selection.frames.insert(number));
    }
    selection.secrets = finished.secrets;
    Ok(selection)
}

/// What proves some ends lies outside: the first frame of who took the ports over.
fn taken_over(analysis: &Analysis, wanted: &BTreeSet<u32>) -> BTreeSet<u64> {
    let flow = |one: &Connection| FlowKey::new(one.client, one.server, one.transport).0;
    let ended: BTreeSet<FlowKey> = wanted
        .iter()
        .filter_map(|id| analysis.connections.get(*id as usize))
        .filter(|one| one.ended.reason == Reason::Superseded)
        .map(flow)
        .collect();
    let mut proof = BTreeSet::new();
    let mut last = BTreeMap::<FlowKey, u32>::new();
    for one in analysis.connections.iter().filter(|one| ended.contains(&flow(one))) {
        let before = last.insert(flow(one), one.id);
        if before.is_some_and(|id| wanted.contains(&id)) {
            proof.insert(one.first.number);
        }
    }
    proof
}

/// What tells a datagram that comes in parts: its addresses, its number and what it carries.
type Datagram = Vec<u8>;

/// The datagram that a frame holds a part of.
fn datagram(member: &Member<'_>) -> Option<Datagram> {
    let place = member.headers.iter().position(|header| header.kind == HeaderKind::Fragment)?;
    let mut before = member.headers.get(..place)?.iter().rev();
    let ip = before.find(|header| matches!(header.kind, HeaderKind::Ipv4 | HeaderKind::Ipv6))?;
    let bytes = member.frame.bytes.get(ip.start as usize..)?;
    if ip.kind == HeaderKind::Ipv4 {
        return Some([bytes.get(4..6)?, bytes.get(9..10)?, bytes.get(12..20)?].concat());
    }
    // The fragment header ends where the part begins, and its last four octets are the number.
    let start = member.headers.get(place)?.start as usize;
    let number = member.frame.bytes.get(start.checked_sub(4)?..start)?;
    Some([number, bytes.get(8..40)?].concat())
}

/// Frames with parts of datagrams that are not whole yet.
#[derive(Debug, Default)]
struct Parts {
    of: BTreeMap<Datagram, Vec<u64>>,
    count: usize,
}

impl Parts {
    fn keep(&mut self, datagram: Datagram, number: u64) {
        // Forged parts must not fill the memory; the decoder gives up as many.
        if self.count >= FRAGMENTS_REMEMBERED {
            *self = Self::default();
        }
        self.of.entry(datagram).or_default().push(number);
        self.count += 1;
    }

    fn take(&mut self, datagram: &Datagram) -> Vec<u64> {
        let taken = self.of.remove(datagram).unwrap_or_default();
        self.count -= taken.len();
        taken
    }
}
