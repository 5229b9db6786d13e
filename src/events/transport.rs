//! A connection and its facts: who, how long, how much, how it ended, and how sure we are.

use crate::events::side::{PerSide, Side};
use crate::events::trouble::Trouble;
use crate::events::visibility::Visibility;
use crate::packet::{Endpoint, Transport};
use crate::place::PacketRef;
use crate::time::{Span, Timestamp};

/// Why we think that the client is the client (`domain.md` C.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoleEvidence {
    /// It sent the SYN.
    Syn,
    /// It received the SYN-ACK.
    SynAck,
    /// The first bytes of one side are those of a known protocol's server or client.
    Signature,
    /// One port is a registered service and the other an ephemeral one.
    Port,
    /// Nothing tells.
    Unknown,
}

/// How the connection began, as far as the capture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// Its SYN is in the capture.
    Observed,
    /// The capture began in its middle.
    MidCapture,
    /// Its SYN-ACK is in the capture and its SYN is not.
    LostSyn,
    /// It was tried and never came to be.
    Never,
}

/// The first closing act as the packets show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// A FIN.
    Fin,
    /// A RST.
    Rst,
    /// No closing packet: given up.
    Silence,
    /// An ICMP error after which nothing came.
    Icmp,
    /// The capture ended while it was open.
    CaptureEnd,
}

/// Who made the closing act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// The client.
    Client,
    /// The server.
    Server,
    /// Something between the two that spoke in the name of one.
    Middlebox,
    /// A router or firewall that spoke in its own name.
    Network,
    /// The capture does not tell.
    Unknown,
}

impl How {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Silence => "silence",
            Self::Icmp => "icmp",
            Self::CaptureEnd => "capture-end",
        }
    }
}

impl By {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Middlebox => "middlebox",
            Self::Network => "network",
            Self::Unknown => "unknown",
        }
    }
}

impl From<Side> for By {
    fn from(side: Side) -> Self {
        match side {
            Side::Client => Self::Client,
            Side::Server => Self::Server,
        }
    }
}

/// Why it ended (`domain.md` B.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// Both sides closed and nothing was owed.
    Released,
    /// One side closed and the other never did, though we watched long enough.
    HalfReleased,
    /// One end gave up in the middle.
    Abort,
    /// The closing side had been idle for a time that looks like a timer.
    IdleTimeout,
    /// The closing side was waiting for an answer, for a time that looks like a timer.
    AppTimeout,
    /// Keep-alive probes stayed unanswered and the prober ended it.
    KeepaliveTimeout,
    /// The login was refused.
    AuthRefused,
    /// The set-up was refused.
    EstablishRefused,
    /// The set-up was never answered.
    EstablishTimeout,
    /// Something between the two forgot the connection.
    MiddleboxTimeout,
    /// Something between the two reset the connection, not after idleness.
    MiddleboxReset,
    /// One side vanished: data or probes to it were repeated until given up.
    PeerVanished,
    /// The sender gave up repeating its data.
    UserTimeout,
    /// The same addresses and ports began anew.
    Superseded,
    /// The network said that it cannot deliver.
    Network,
    /// The server (or the process behind it) stopped and closed its connections together.
    ServerShutdown,
    /// The capture ended first.
    CaptureEnded,
    /// The evidence does not decide.
    Unknown,
}

impl Reason {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::HalfReleased => "half-released",
            Self::Abort => "abort",
            Self::IdleTimeout => "idle-timeout",
            Self::AppTimeout => "app-timeout",
            Self::KeepaliveTimeout => "keepalive-timeout",
            Self::AuthRefused => "auth-refused",
            Self::EstablishRefused => "establish-refused",
            Self::EstablishTimeout => "establish-timeout",
            Self::MiddleboxTimeout => "middlebox-timeout",
            Self::MiddleboxReset => "middlebox-reset",
            Self::PeerVanished => "peer-vanished",
            Self::UserTimeout => "user-timeout",
            Self::Superseded => "superseded",
            Self::Network => "network",
            Self::ServerShutdown => "server-shutdown",
            Self::CaptureEnded => "capture-ended",
            Self::Unknown => "unknown",
        }
    }
}

/// How sure a claim is (`domain.md` D.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Confidence {
    /// A hint.
    #[default]
    Low,
    /// More likely than not.
    Medium,
    /// Hardly otherwise.
    High,
    /// The packets say so.
    Certain,
}

impl Confidence {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Certain => "certain",
        }
    }
}

/// What an RST answers, and in which state its sender was (`domain.md` C.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RstClass {
    /// It answers a SYN.
    Refused,
    /// It answers a segment of a connection that its sender does not know.
    NoState,
    /// A live socket gave up.
    Abort,
    /// It follows its sender's FIN, or both FINs.
    AfterClose,
    /// SYN, SYN-ACK, RST: a half-open probe.
    SynScan,
    /// It follows a challenge ACK (RFC 5961).
    ChallengeReply,
    /// The peer's window had been zero for long.
    ZeroWindowAbort,
    /// Its sender is not who it says.
    Forged,
}

/// The RST that ended a connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RstFacts {
    /// What it answers.
    pub class: RstClass,
    /// 0 to 1: how much speaks against its coming from the end it names.
    pub forgery_score: f32,
}

/// How a connection ended: first closing act, reason, and the frames that prove it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// The first closing act.
    pub how: How,
    /// Who made it; for silence, who fell silent.
    pub by: By,
    /// Why.
    pub reason: Reason,
    /// A word more: `silent` or `reset` for a middlebox, `icmp`, `reuse`.
    pub detail: Option<&'static str>,
    /// How sure the reason is.
    pub confidence: Confidence,
    /// The frames that prove it, in order, at most [`CITED_FRAMES`](crate::limits::CITED_FRAMES).
    pub frames: Vec<PacketRef>,
    /// One sentence that says it to people.
    pub because: String,
    /// The RST, where one was the closing act.
    pub rst: Option<RstFacts>,
}

/// The first closing act, and how it stood between the two at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosingAct {
    /// In whose name it was made.
    pub side: Side,
    /// Whether it is a FIN; else a RST.
    pub fin: bool,
    /// Its frame.
    pub at: PacketRef,
    /// When.
    pub time: Timestamp,
    /// Since the last payload of either side; none where nothing was ever said.
    pub quiet: Option<Span>,
    /// Since the last segment of any kind, keep-alive probes included.
    pub still: Option<Span>,
    /// Who had sent the last payload, and its frame.
    pub spoke_last: Option<(Side, PacketRef)>,
    /// Payload bytes of each side that were sent and not acknowledged then.
    pub unacked: PerSide<u64>,
}

/// tshark 4.0.17's own counters of one connection, by its own rules (`domain.md` C.7): each counts the frames
/// that the filter `tcp.analysis.<name>` matches. `retransmission` includes fast and spurious ones, as there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names are those of Wireshark's fields")]
pub struct WiresharkCounters {
    pub retransmission: u32,
    pub fast_retransmission: u32,
    pub spurious_retransmission: u32,
    pub out_of_order: u32,
    pub lost_segment: u32,
    pub ack_lost_segment: u32,
    pub duplicate_ack: u32,
    pub keep_alive: u32,
    pub keep_alive_ack: u32,
    pub zero_window: u32,
    pub zero_window_probe: u32,
    pub zero_window_probe_ack: u32,
    pub window_full: u32,
    pub window_update: u32,
    pub reused_ports: u32,
}

/// What one side did, by the semantic layer: duplicates of a mirror port are left out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SideFacts {
    /// Frames of this side, as tshark counts them: duplicates included.
    pub packets: u64,
    /// Payload bytes of those frames, retransmissions included, as tshark counts them.
    pub payload_bytes: u64,
    /// Distinct payload bytes that lay in order or were put in order.
    pub delivered_bytes: u64,
    /// Segments whose bytes were all sent before.
    pub retransmitted_segments: u32,
    /// Payload bytes sent again.
    pub retransmitted_bytes: u64,
    /// Segments that came late without having been sent before.
    pub reordered_segments: u32,
    /// Bytes sent and not acknowledged at the end.
    pub unacked_bytes: u64,
    /// Episodes of a closed receive window announced by this side, and their whole time.
    pub zero_windows: u32,
    /// How long this side's window was closed in all.
    pub zero_window_time: Span,
    /// Keep-alive probes sent.
    pub keepalive_probes: u32,
    /// Keep-alive probes of this side that got an answer.
    pub keepalive_answered: u32,
    /// Segments with payload, repetitions included.
    pub data_segments: u32,
    /// Initial sequence number, where a SYN showed it.
    pub isn: Option<u32>,
    /// Time to live of its last segment other than RST.
    pub ttl: Option<u8>,
    /// Time to live of its first RST.
    pub reset_ttl: Option<u8>,
    /// Hash of the link-layer address that its last segment came from; 0 where there is none.
    pub link: u32,
    /// Time of its last frame.
    pub last: Option<Timestamp>,
    /// Time of its last payload.
    pub last_payload: Option<Timestamp>,
    /// Its first payload long after both sides had closed or one had reset.
    pub after_end: Option<PacketRef>,
    /// When the other side last acknowledged bytes of this side that it had not acknowledged before.
    pub acknowledged: Option<Timestamp>,
    /// When it closed: its first FIN or RST.
    pub closed: Option<Timestamp>,
}

/// Round-trip times measured on the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoundTrips {
    /// tshark's `tcp.analysis.initial_rtt`: from the last SYN to the first acknowledgment after it.
    pub initial: Option<Span>,
    /// Shortest of data and its acknowledgment (Karn: only what was sent once).
    pub min: Option<Span>,
    /// Median of a bounded sample of the same.
    pub median: Option<Span>,
    /// Smoothed as RFC 6298 does.
    pub smoothed: Option<Span>,
    /// The highest that the smoothed one ever was.
    pub peak: Option<Span>,
    /// How many were measured.
    pub samples: u32,
}

/// One transport association: a TCP 4-tuple with its incarnation, or a UDP conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Counts all connections of the run from 0 in order of first frame, TCP and UDP together.
    pub id: u32,
    /// tshark's `tcp.stream` or `udp.stream` of the merged timeline; none inside tunnels that tshark leaves closed.
    pub stream: Option<u32>,
    /// Stable hash of first time, endpoints and initial sequence number.
    pub uid: u64,
    /// Community ID v1 (`1:…`).
    pub community_id: String,
    /// TCP or UDP.
    pub transport: Transport,
    /// Who asked.
    pub client: Endpoint,
    /// Who was asked.
    pub server: Endpoint,
    /// Why we think so.
    pub role_evidence: RoleEvidence,
    /// First frame.
    pub first: PacketRef,
    /// Last frame.
    pub last: PacketRef,
    /// Time of the first frame.
    pub start: Timestamp,
    /// Latest time of a frame.
    pub end: Timestamp,
    /// How it began.
    pub opened: Opened,
    /// How it ended.
    pub ended: Ending,
    /// What each side did.
    pub sides: PerSide<SideFacts>,
    /// tshark's `tcp.completeness`; 0 for UDP.
    pub completeness: u8,
    /// Zeek's `conn_state`.
    pub conn_state: &'static str,
    /// Zeek's `history`.
    pub history: String,
    /// Round-trip times.
    pub rtt: RoundTrips,
    /// tshark's counters.
    pub wireshark: WiresharkCounters,
    /// What could not be seen of it.
    pub visibility: Visibility,
    /// Longest time between two payload-carrying frames.
    pub longest_idle: Span,
    /// The first closing act of a TCP connection, where the capture holds one.
    pub closing: Option<Box<ClosingAct>>,
    /// What went wrong on the way, where anything did.
    pub trouble: Option<Box<Trouble>>,
}
