//! The filter language: Wireshark 4.0's display filters, over packets and over sessions.
//!
//! A filter is compiled before the run ([`compile`]), and then asked which sessions, connections, findings, events or
//! packets satisfy it. What the analysis knows is answered from it; what only packets tell wants a second pass over
//! the inputs ([`PacketSource`]), and then only over those packets that the rest of the filter leaves.
//!
//! ```text
//! text → macros → token → parse → syntax (tree) → check (names, types) → program → evaluate, pass
//! ```

mod check;
pub mod complete;
mod evaluate;
pub mod fields;
mod literals;
mod macros;
mod parse;
mod pass;
mod program;
mod reading;
mod refusal;
mod relations;
mod syntax;
mod token;
mod typing;
mod values;

pub use literals::duration;
pub use macros::Macros;
pub use reading::Reread;
pub use refusal::Refusal;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::ControlFlow;

use crate::analysis::Analysis;
use crate::error::Error;
use crate::inspect::Dissection;
use crate::place::PacketRef;
use pass::{Lifted, Reading, Rows};
use program::{Program, Slot};
use relations::Relations;

/// What a filter is asked of: each row is one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Sessions: a field of packets means some packet of the session.
    #[default]
    Sessions,
    /// Connections: some packet of the connection.
    Connections,
    /// Findings: some packet that the finding cites.
    Findings,
    /// Events: the packets of the event.
    Events,
    /// Packets, as in Wireshark.
    Packets,
}

/// What a filter has to know of packets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Whether the inputs have to be read again at all.
    pub second_pass: bool,
    /// The fields that it names.
    pub names: BTreeSet<&'static str>,
    /// Whether one of them is of a protocol above the transport.
    pub application: bool,
    /// The connections whose packets matter; none where all do.
    pub connections: Option<BTreeSet<u32>>,
    /// The numbers of the packets that matter; none where all do.
    pub frames: Option<BTreeSet<u64>>,
}

/// Where packets are read again.
pub trait PacketSource {
    /// Tells every packet that is needed with its frame, in the order of the run, until it is told to stop.
    ///
    /// # Errors
    /// Where the inputs cannot be read again.
    fn read(
        &self,
        needs: &Needs,
        tell: &mut dyn FnMut(&Dissection, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Error>;
}

/// A filter that was understood.
#[derive(Debug, Clone)]
pub struct Filter {
    tree: syntax::Node,
    scope: Scope,
    program: Program,
    lifted: Vec<Program>,
}

/// Understands a filter.
///
/// # Errors
/// Where it is none, or asks what cannot be answered.
pub fn compile(text: &str, scope: Scope, macros: &Macros) -> Result<Filter, Refusal> {
    let text = macros.expand(text)?;
    let with_text = |refusal: Refusal| Refusal { text: text.clone(), ..refusal };
    let tree = parse::parse(&text).map_err(with_text)?;
    let mut lifted = Vec::new();
    let program = check::check(&tree, scope, &mut lifted).map_err(with_text)?;
    Ok(Filter { tree, scope, program, lifted })
}

/// The filter as it is written, macros put in.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tree.fmt(f)
    }
}

impl Filter {
    /// What it is asked of.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// What it has to know of packets.
    pub fn needs(&self) -> Needs {
        let of = |program: &Program| pass::needs(program.slots.iter().flat_map(Slot::tests));
        let mut needs = of(&self.program);
        if self.scope == Scope::Packets {
            needs = pass::needs(std::iter::once(&self.program.test));
        }
        for lifted in self.lifted.iter().map(of) {
            needs.second_pass |= lifted.second_pass;
            needs.application |= lifted.application;
            needs.names.extend(lifted.names);
        }
        needs
    }

    /// Ids of the sessions that satisfy it, in order.
    ///
    /// # Errors
    /// Where packets are needed and cannot be read.
    pub fn sessions(&self, analysis: &Analysis, source: &dyn PacketSource) -> Result<Vec<u32>, Error> {
        let relations = Relations::new(analysis);
        let lifted = self.lift(&relations, source)?;
        let chosen = sessions(&self.program, &relations, &lifted, source)?;
        Ok(analysis
            .sessions
            .iter()
            .zip(chosen)
            .filter(|(_, yes)| *yes)
            .map(|(session, _)| session.id)
            .collect())
    }

    /// Ids of the connections that satisfy it, in order.
    ///
    /// # Errors
    /// Where packets are needed and cannot be read.
    pub fn connections(&self, analysis: &Analysis, source: &dyn PacketSource) -> Result<Vec<u32>, Error> {
        let relations = Relations::new(analysis);
        let lifted = self.lift(&relations, source)?;
        let all = &analysis.connections;
        let rows = Rows {
            belongings: Box::new(|place| relations.of_connection(&all[place])),
            count: all.len(),
            of_packet: Box::new(|packet| packet.connections.iter().map(|id| *id as usize).collect()),
            packets: Box::new(|place| Reading::Connections(vec![all[place].id])),
        };
        let chosen = pass::rows(&self.program, &rows, &relations, &lifted, source)?;
        Ok(all.iter().zip(chosen).filter(|(_, yes)| *yes).map(|(connection, _)| connection.id).collect())
    }

    /// Ids of the findings that satisfy it, in order.
    ///
    /// # Errors
    /// Where packets are needed and cannot be read.
    pub fn findings(&self, analysis: &Analysis, source: &dyn PacketSource) -> Result<Vec<u32>, Error> {
        let relations = Relations::new(analysis);
        let lifted = self.lift(&relations, source)?;
        let all = &analysis.findings;
        let rows = Rows {
            belongings: Box::new(|place| relations.of_finding(&all[place])),
            count: all.len(),
            of_packet: Box::new(|packet| {
                relations.citing(packet.at.number).iter().map(|at| *at as usize).collect()
            }),
            packets: Box::new(|place| {
                Reading::Numbers(all[place].frames().iter().map(|at| at.number).collect())
            }),
        };
        let chosen = pass::rows(&self.program, &rows, &relations, &lifted, source)?;
        Ok(all.iter().zip(chosen).filter(|(_, yes)| *yes).map(|(finding, _)| finding.id).collect())
    }

    /// Places in [`Analysis::events`] of the events that satisfy it, in order.
    ///
    /// # Errors
    /// Where packets are needed and cannot be read.
    pub fn events(&self, analysis: &Analysis, source: &dyn PacketSource) -> Result<Vec<usize>, Error> {
        let relations = Relations::new(analysis);
        let lifted = self.lift(&relations, source)?;
        let all = &analysis.events;
        let numbers = |place: usize| {
            let extent = &all[place].extent;
            [extent.first.number, extent.last.number]
        };
        let mut at: std::collections::BTreeMap<u64, Vec<usize>> = std::collections::BTreeMap::new();
        for place in 0..all.len() {
            let [first, last] = numbers(place);
            at.entry(first).or_default().push(place);
            if last != first {
                at.entry(last).or_default().push(place);
            }
        }
        let rows = Rows {
            belongings: Box::new(|place| relations.of_event(&all[place])),
            count: all.len(),
            of_packet: Box::new(|packet| at.get(&packet.at.number).cloned().unwrap_or_default()),
            packets: Box::new(|place| Reading::Numbers(numbers(place).to_vec())),
        };
        let chosen = pass::rows(&self.program, &rows, &relations, &lifted, source)?;
        Ok((0..all.len()).zip(chosen).filter(|(_, yes)| *yes).map(|(place, _)| place).collect())
    }

    /// Where the packets that satisfy it lie, in the order of the run.
    ///
    /// # Errors
    /// Where packets cannot be read.
    pub fn packets(&self, analysis: &Analysis, source: &dyn PacketSource) -> Result<Vec<PacketRef>, Error> {
        let mut found = Vec::new();
        self.each_packet(analysis, source, &mut pass::places(&mut found))?;
        Ok(found)
    }

    /// Tells every packet that satisfies it with its frame, in the order of the run, until it is told to stop.
    ///
    /// # Errors
    /// Where packets cannot be read.
    pub fn each_packet(
        &self,
        analysis: &Analysis,
        source: &dyn PacketSource,
        tell: &mut dyn FnMut(&Dissection, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let relations = Relations::new(analysis);
        let lifted = self.lift(&relations, source)?;
        let needs = pass::needs(std::iter::once(&self.program.test));
        pass::packets(&self.program.test, &needs, &relations, &lifted, source, tell)
    }

    /// The sessions of each filter about sessions within this one.
    fn lift(&self, relations: &Relations<'_>, source: &dyn PacketSource) -> Result<Lifted, Error> {
        let mut lifted = Lifted::new();
        for program in &self.lifted {
            let chosen = sessions(program, relations, &lifted, source)?;
            let all = relations.analysis().sessions.iter();
            let ids = all.zip(chosen).filter(|(_, yes)| *yes).map(|(session, _)| session.id).collect();
            lifted.push(ids);
        }
        Ok(lifted)
    }
}

fn sessions(
    program: &Program,
    relations: &Relations<'_>,
    lifted: &Lifted,
    source: &dyn PacketSource,
) -> Result<Vec<bool>, Error> {
    let all = &relations.analysis().sessions;
    let rows = Rows {
        belongings: Box::new(|place| relations.of_session(&all[place])),
        count: all.len(),
        of_packet: Box::new(|packet| {
            let places = packet.connections.iter().flat_map(|id| relations.sessions_of(*id));
            let places: BTreeSet<usize> = places.map(|place| *place as usize).collect();
            places.into_iter().collect()
        }),
        packets: Box::new(|place| {
            Reading::Connections(all[place].legs.iter().map(|leg| leg.connection).collect())
        }),
    };
    pass::rows(program, &rows, relations, lifted, source)
}
