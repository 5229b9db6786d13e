//! The record `event`.

use serde::Serialize;

#[cfg(feature = "cli")]
use super::Frame;
use super::{Context, Frames, Time, record_type};
use crate::analysis::Analysis;
use crate::events::{self, Code, Grade, Marks, Scope};
use crate::place::PacketRef;
use crate::report::words::Said;

record_type!(EventType, "event");

/// Something that was said on a connection, in one of the twelve words of the vocabulary.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Event<'a> {
    /// `event`
    pub r#type: EventType,
    /// `id` of its connection.
    pub connection: u32,
    /// The protocol's own number of a multiplexed part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<u32>,
    /// `tcp` or `udp`.
    pub transport: Said<crate::packet::Transport>,
    /// Catalogue name of the protocol; `tcp` for what the transport does by itself.
    pub protocol: &'a str,
    /// Counts the events of the run from 0, in order.
    pub seq: u64,
    /// When it was complete.
    #[cfg_attr(feature = "cli", schemars(with = "super::Stamp"))]
    pub time: Time,
    /// Its first and its last frame.
    #[cfg_attr(feature = "cli", schemars(with = "Vec<Frame>"))]
    pub frames: Frames<'a>,
    /// Who says it: `client` or `server`.
    pub side: &'a str,
    /// What it is about.
    pub word: &'a str,
    /// How far it is: `offered`, `asked`, `granted`, `refused`, `told`.
    pub stage: &'a str,
    /// Which agreement it speaks of, where that is not the session itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'a str>,
    /// `minor` or `major`, of a checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<&'a str>,
    /// Where work stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Command, method or message name, in upper case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<&'a str>,
    /// Status of an answer, as the protocol prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Where it stands for several equal ones: how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// What it is about, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<&'a str>,
    /// Mechanism of a login or a resumption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<&'a str>,
    /// How sure it is.
    pub confidence: Said<events::Confidence>,
    /// Whether it was read in clear; otherwise it was guessed from outside.
    pub clear: bool,
}

/// A place in a unit of work.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Position {
    /// What is counted.
    pub unit: &'static str,
    /// How many.
    pub value: u64,
    /// Out of how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
}

impl From<events::Position> for Position {
    fn from(position: events::Position) -> Self {
        Self { unit: position.unit.name(), value: position.value, of: position.of }
    }
}

/// The frames of an event: the first and the last, or one.
pub fn frames(event: &events::Event) -> Vec<PacketRef> {
    let mut frames = vec![event.extent.first, event.extent.last];
    frames.dedup();
    frames
}

impl<'a> Event<'a> {
    /// The record of the event of this place in the run; none where its connection was only counted.
    pub fn new(
        seq: usize,
        event: &'a events::Event,
        frames: &'a [PacketRef],
        analysis: &'a Analysis,
        context: Context,
    ) -> Option<Self> {
        let connection = analysis.connection(event.connection)?;
        let details = event.details();
        Some(Self {
            r#type: EventType::It,
            connection: connection.id,
            channel: event.channel,
            transport: Said(connection.transport),
            protocol: event.protocol,
            seq: seq as u64,
            time: Time::new(event.moment.time, context),
            frames: Frames { refs: frames, context },
            side: event.side.name(),
            word: event.word.name(),
            stage: event.stage.name(),
            scope: (event.scope != Scope::Session).then(|| event.scope.name()),
            grade: event.grade.map(Grade::name),
            position: details.position.map(Position::from),
            op: Some(event.op.as_str()).filter(|op| !op.is_empty()),
            code: (event.code != Code::None).then(|| event.code.to_string()),
            count: (event.count > 1).then_some(event.count),
            label: details.object.as_deref().or(details.text.as_deref()),
            mechanism: details.mechanism,
            confidence: Said(event.confidence),
            clear: !event.marks.has(Marks::OPAQUE),
        })
    }
}
