//! The record `session`.

mod fill;

use serde::Serialize;

use super::event::Position;
use super::{Context, Frames, Seconds, Time, record_type};
#[cfg(feature = "cli")]
use super::{Frame, Stamp};
use crate::events::transport::{By, Confidence, Reason};
use crate::place::PacketRef;
use crate::report::words::Said;

record_type!(SessionType, "session");

/// What the user would call one session: one to many connections with one life.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Session {
    /// `session`
    pub r#type: SessionType,
    /// `S-0001`, in order of first frame.
    pub id: String,
    /// Stable name: that of its first connection.
    pub uid: String,
    /// Catalogue name of its protocol.
    pub protocol: &'static str,
    /// Who asked.
    pub client: End,
    /// Who was asked.
    pub server: End,
    /// What it is known by; secrets as hashes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<Identity>,
    /// Its connections in order.
    pub connections: Vec<Part>,
    /// Time of its first frame.
    #[cfg_attr(feature = "cli", schemars(with = "Stamp"))]
    pub start: Time,
    /// Time of its last frame.
    #[cfg_attr(feature = "cli", schemars(with = "Stamp"))]
    pub end: Time,
    /// From its first to its last frame.
    #[cfg_attr(feature = "cli", schemars(with = "f64"))]
    pub duration_s: Seconds,
    /// Its last state.
    pub state: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// The letters of its life.
    pub history: String,
    /// Its states in order.
    pub phases: Vec<Phase>,
    /// Logins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auth: Vec<Login>,
    /// Resumptions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resume: Vec<Resume>,
    /// Checkpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<Checkpoints>,
    /// What would be lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_risk: Option<AtRisk>,
    /// Who had the floor at the end.
    pub dialog: Dialog,
    /// Keep-alives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keepalive: Option<KeepAlive>,
    /// Security handshakes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tls: Vec<Tls>,
    /// Times without payload.
    pub idle: Idle,
    /// How much of it was readable.
    pub clear: &'static str,
    /// Ids of the findings that concern it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

/// An endpoint.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct End {
    /// Address.
    pub ip: String,
    /// Port.
    pub port: u16,
}

/// Something it is known by.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Identity {
    /// What sort of thing.
    pub kind: &'static str,
    /// 32 hex digits.
    pub hash: String,
    /// Something harmless to know it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A connection's part.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Part {
    /// `id` of the connection.
    pub id: u32,
    /// `main` or `data`.
    pub role: &'static str,
    /// How it came to belong to the session; absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stitch: Option<Stitch>,
}

/// How a connection was joined.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Stitch {
    /// How sure.
    pub confidence: Said<Confidence>,
    /// By what: a kind of identity, `announcement`, or `circumstances`.
    pub by: &'static str,
    /// `K` for a key, `P` for a protocol's name, `H` for circumstances.
    pub class: &'static str,
    /// The score of circumstances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
    /// `id` of the earlier connection.
    pub with: u32,
}

/// How it ended.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Outcome {
    /// Why.
    pub reason: Said<Reason>,
    /// A word more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'static str>,
    /// Who truly ended it.
    pub by: Said<By>,
    /// How sure.
    pub confidence: Said<Confidence>,
    /// The frames that prove it.
    #[cfg_attr(feature = "cli", schemars(with = "Vec<Frame>"))]
    pub frames: Cited,
    /// One sentence.
    pub because: String,
}

/// A state.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Phase {
    /// Which.
    pub state: &'static str,
    /// From when.
    #[cfg_attr(feature = "cli", schemars(with = "Stamp"))]
    pub start: Time,
    /// Until when.
    #[cfg_attr(feature = "cli", schemars(with = "Stamp"))]
    pub end: Time,
    /// What brought it.
    pub cause: &'static str,
    /// The frames that show it.
    #[cfg_attr(feature = "cli", schemars(with = "Vec<Frame>"))]
    pub frames: Cited,
}

/// A login.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Login {
    /// How.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<&'static str>,
    /// Hash of who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_hash: Option<String>,
    /// `granted`, `refused`, `unanswered`, `abandoned`.
    pub result: &'static str,
    /// How often credentials were sent.
    pub attempts: u32,
    /// Where it began and ended.
    #[cfg_attr(feature = "cli", schemars(with = "Vec<Frame>"))]
    pub frames: Cited,
}

/// A resumption.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Resume {
    /// How.
    pub mechanism: &'static str,
    /// `granted`, `refused`, `silent`, `unanswered`.
    pub result: &'static str,
    /// Of what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// From where it was asked to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position_asked: Option<u64>,
    /// From where it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position_granted: Option<u64>,
    /// Where it was asked and answered.
    #[cfg_attr(feature = "cli", schemars(with = "Vec<Frame>"))]
    pub frames: Cited,
}

/// Checkpoints.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Checkpoints {
    /// Confirmed inside of units of work.
    pub minor: u32,
    /// Confirmed at their ends.
    pub major: u32,
    /// The last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_confirmed: Option<Confirmed>,
}

/// A confirmed point.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Confirmed {
    /// `minor` or `major`.
    pub grade: &'static str,
    /// How far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Of what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// When.
    #[cfg_attr(feature = "cli", schemars(with = "Stamp"))]
    pub time: Time,
    /// Where.
    #[cfg_attr(feature = "cli", schemars(with = "Vec<Frame>"))]
    pub frames: Cited,
}

/// What would be lost.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct AtRisk {
    /// `resume`, `resume-unproven`, `restart`, `unknown`.
    pub verdict: &'static str,
    /// What was being done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Bytes past the last confirmed point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Bytes to be done again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redo_bytes: Option<u64>,
}

/// Whose turn it was.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Dialog {
    /// `one-way`, `half-duplex`, `full-duplex`.
    pub mode: &'static str,
    /// Messages of both sides.
    pub turns: u32,
    /// Who had the floor at the end.
    pub floor: &'static str,
    /// Who owed an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owed_by: Option<&'static str>,
    /// For how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub owed_s: Option<Seconds>,
}

/// Keep-alives.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct KeepAlive {
    /// `tcp` or `app`.
    pub layer: &'static str,
    /// Interval that was declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub declared_s: Option<Seconds>,
    /// Mean interval that was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub observed_s: Option<Seconds>,
    /// Probes without an answer.
    pub missed: u32,
}

/// A security handshake.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Tls {
    /// `id` of its connection.
    pub connection: u32,
    /// Selected version, as on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Server name asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// Application protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// Selected cipher suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// By what the client offered to resume.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub offered: Vec<&'static str>,
    /// Whether it was resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed: Option<bool>,
    /// What became of early data; absent where none was offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_data: Option<&'static str>,
    /// Alerts read in clear, by number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<u8>,
}

/// Times without payload.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Idle {
    /// The longest.
    #[cfg_attr(feature = "cli", schemars(with = "f64"))]
    pub max_s: Seconds,
    /// All of a second or more.
    #[cfg_attr(feature = "cli", schemars(with = "f64"))]
    pub total_s: Seconds,
}

/// Frames that are owned.
#[derive(Debug)]
pub struct Cited {
    refs: Vec<PacketRef>,
    context: Context,
}

impl Cited {
    /// These frames.
    pub(in crate::report::view) fn new(refs: Vec<PacketRef>, context: Context) -> Self {
        Self { refs, context }
    }
}

impl Serialize for Cited {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Frames { refs: &self.refs, context: self.context }.serialize(serializer)
    }
}
