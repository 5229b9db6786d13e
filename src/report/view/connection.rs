//! The record `connection`: who, how long, how much, how it ended, and what could not be seen of it.

use std::net::IpAddr;

use serde::Serialize;

use super::reference::ratio;
use super::{Context, Frame, Frames, Seconds, Time, record_type};
use crate::events::transport::{
    By, Confidence, Ending, How, Opened, Reason, RoleEvidence, RoundTrips, RstClass, RstFacts, SideFacts,
    WiresharkCounters,
};
use crate::events::visibility::{self, Sight};
use crate::events::{self, PerSide, Side};
use crate::packet::Transport;
use crate::report::words::Said;

record_type!(ConnectionType, "connection");

/// One transport association: a TCP 4-tuple with its incarnation, or a UDP conversation.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Connection<'a> {
    /// `connection`
    pub r#type: ConnectionType,
    /// Counts all connections of the run from 0 in order of first frame, TCP and UDP together.
    pub id: u32,
    /// `tcp.stream` or `udp.stream` of tshark over the merged timeline; absent inside tunnels that tshark
    /// leaves closed. Two records may share one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<u32>,
    /// Stable hash of first packet time, endpoints and initial sequence number: 16 hex digits.
    pub uid: String,
    /// Community ID v1; absent where it was not computed.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub community_id: &'a str,
    /// The transport.
    pub transport: Said<Transport>,
    /// `index` of the captures that hold its first, last and cited frames.
    pub captures: Vec<u16>,
    /// Who asked.
    pub client: Address,
    /// Who was asked.
    pub server: Address,
    /// Why the client is thought to be the client.
    pub role_evidence: Said<RoleEvidence>,
    /// Time of its first frame.
    #[cfg_attr(feature = "cli", schemars(with = "super::Stamp"))]
    pub start: Time,
    /// Latest time of a frame.
    #[cfg_attr(feature = "cli", schemars(with = "super::Stamp"))]
    pub end: Time,
    /// From `start` to `end`.
    #[cfg_attr(feature = "cli", schemars(with = "f64"))]
    pub duration_s: Seconds,
    /// First and last frame.
    pub frames: FirstLast,
    /// Frames of each side as tshark counts them.
    pub packets: Sides<u64>,
    /// Payload bytes of those frames, retransmissions included, as tshark counts them.
    pub payload_bytes: Sides<u64>,
    /// How it began, as far as the capture shows.
    pub opened: Said<Opened>,
    /// How it ended.
    pub ended: Ended<'a>,
    /// tshark's `tcp.completeness` (1 SYN, 2 SYN-ACK, 4 ACK, 8 data, 16 FIN, 32 RST); absent for UDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completeness: Option<u8>,
    /// Zeek's `conn_state`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub conn_state: &'a str,
    /// Zeek's `history`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub history: &'a str,
    /// tshark's `tcp.analysis.initial_rtt`; absent where the handshake was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub irtt_s: Option<Seconds>,
    /// Round-trip times of data and its acknowledgment; absent where none was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_s: Option<RoundTripTimes>,
    /// Longest time between two frames with payload.
    #[cfg_attr(feature = "cli", schemars(with = "f64"))]
    pub longest_idle_s: Seconds,
    /// What each side did; segments recorded twice are left out.
    pub sides: Sides<Account>,
    /// tshark's counters by its own rules; absent for UDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wireshark: Option<Counters>,
    /// What could not be seen of it.
    pub visibility: Visibility,
}

/// An address with a port.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Address {
    /// The IP address.
    #[cfg_attr(feature = "cli", schemars(with = "String"))]
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
}

/// First and last frame.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct FirstLast {
    /// The first.
    pub first: Frame,
    /// The last.
    pub last: Frame,
}

/// One value for each side.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Sides<T> {
    /// The client's.
    pub client: T,
    /// The server's.
    pub server: T,
}

impl<T> Sides<T> {
    fn new<F>(facts: &PerSide<F>, read: impl Fn(&F) -> T) -> Self {
        Self { client: read(&facts.client), server: read(&facts.server) }
    }
}

/// How a connection ended: the first closing act as the packets show it, and why.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Ended<'a> {
    /// The first closing act.
    pub how: Said<How>,
    /// Who made it; for silence, who fell silent.
    pub by: Said<By>,
    /// Why.
    pub reason: Said<Reason>,
    /// A word more on the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'static str>,
    /// How sure the reason is.
    pub confidence: Said<Confidence>,
    /// One sentence that says it to people.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub because: &'a str,
    /// The frames that prove it.
    #[cfg_attr(feature = "cli", schemars(with = "Vec<Frame>"))]
    pub frames: Frames<'a>,
    /// The RST, where one was the closing act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rst: Option<Rst>,
}

/// What is known of an RST.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Rst {
    /// What it answers, and in which state its sender was.
    pub class: Said<RstClass>,
    /// 0 to 1: how much speaks against its coming from the end that it names.
    pub forgery_score: f32,
}

/// Round-trip times of data and its acknowledgment.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct RoundTripTimes {
    /// Shortest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub min: Option<Seconds>,
    /// Median.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub median: Option<Seconds>,
    /// Smoothed as RFC 6298 does, at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub smoothed: Option<Seconds>,
}

/// What one side did.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Account {
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
    /// How often its receive window was closed.
    pub zero_windows: u32,
    /// How long its receive window was closed in all.
    #[cfg_attr(feature = "cli", schemars(with = "f64"))]
    pub zero_window_s: Seconds,
    /// Keep-alive probes sent.
    pub keepalive_probes: u32,
    /// Those of them that got an answer.
    pub keepalive_answered: u32,
    /// Time of its last frame; absent where it sent none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<super::Stamp>"))]
    pub last: Option<Time>,
    /// Time of its last payload; absent where it sent none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<super::Stamp>"))]
    pub last_payload: Option<Time>,
}

/// How often tshark 4.0.17's filter `tcp.analysis.<name>` matches a frame of the connection.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[allow(missing_docs, reason = "the names are those of Wireshark's fields")]
pub struct Counters {
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

/// Whether an end of a connection lies inside the capture.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub enum Edge {
    /// It was seen.
    Seen,
    /// It lies before the capture, or was lost.
    BeforeCapture,
    /// The capture stopped first.
    AfterCapture,
}

/// What could not be seen of a connection.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Visibility {
    /// Whether its beginning was seen: `seen` or `before-capture`.
    pub start: Edge,
    /// Whether it was watched to its end: `seen` or `after-capture`.
    pub end: Edge,
    /// Which directions the capture holds.
    pub sight: Said<Sight>,
    /// Holes that were never filled, at most 64.
    pub gaps: Vec<Gap>,
    /// All holes, the listed ones included.
    pub gap_count: u32,
    /// Bytes in holes.
    pub gap_bytes: Sides<u64>,
    /// Segments whose payload was cut by the recorder.
    pub snapped: u32,
    /// Segments recorded twice.
    pub duplicates: u32,
    /// Acknowledged bytes never seen ÷ acknowledged bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_ratio: Option<f64>,
    /// Time from its last frame to the end of its capture, or to the next use of its addresses and ports.
    #[cfg_attr(feature = "cli", schemars(with = "f64"))]
    pub tail_s: Seconds,
    /// Whether state was given up to stay within a bound, so that figures after that point are missing.
    pub evicted: bool,
}

/// Bytes of one side that are not in the capture.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Gap {
    /// Whose bytes.
    pub side: Said<Side>,
    /// First missing byte, as an offset of its stream.
    pub start: u64,
    /// How many.
    pub length: u64,
    /// Whether the other side acknowledged them: then the capture lost them, not the network.
    pub acknowledged: bool,
    /// Frame at which it was noticed; with several inputs it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<u64>,
}

impl<'a> Connection<'a> {
    /// The record of one connection.
    pub fn new(facts: &'a events::Connection, context: Context) -> Self {
        let tcp = facts.transport == Transport::Tcp;
        Self {
            r#type: ConnectionType::It,
            id: facts.id,
            stream: facts.stream,
            uid: format!("{:016x}", facts.uid),
            community_id: &facts.community_id,
            transport: Said(facts.transport),
            captures: captures(facts),
            client: Address { ip: facts.client.ip, port: facts.client.port },
            server: Address { ip: facts.server.ip, port: facts.server.port },
            role_evidence: Said(facts.role_evidence),
            start: Time::new(facts.start, context),
            end: Time::new(facts.end, context),
            duration_s: Seconds(facts.end.since(facts.start)),
            frames: FirstLast {
                first: Frame::new(facts.first, context),
                last: Frame::new(facts.last, context),
            },
            packets: Sides::new(&facts.sides, |side| side.packets),
            payload_bytes: Sides::new(&facts.sides, |side| side.payload_bytes),
            opened: Said(facts.opened),
            ended: Ended::new(&facts.ended, context),
            completeness: tcp.then_some(facts.completeness),
            conn_state: facts.conn_state,
            history: &facts.history,
            irtt_s: facts.rtt.initial.map(Seconds),
            rtt_s: RoundTripTimes::new(facts.rtt),
            longest_idle_s: Seconds(facts.longest_idle),
            sides: Sides::new(&facts.sides, |side| Account::new(side, context)),
            wireshark: tcp.then(|| Counters::new(facts.wireshark)),
            visibility: Visibility::new(&facts.visibility, context),
        }
    }
}

/// The captures that are known to hold frames of a connection.
fn captures(facts: &events::Connection) -> Vec<u16> {
    let cited = facts.ended.frames.iter().map(|at| at.file.0);
    let mut all: Vec<u16> = [facts.first.file.0, facts.last.file.0].into_iter().chain(cited).collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl<'a> Ended<'a> {
    fn new(ending: &'a Ending, context: Context) -> Self {
        Self {
            how: Said(ending.how),
            by: Said(ending.by),
            reason: Said(ending.reason),
            detail: ending.detail,
            confidence: Said(ending.confidence),
            because: &ending.because,
            frames: Frames { refs: &ending.frames, context },
            rst: ending
                .rst
                .map(|RstFacts { class, forgery_score }| Rst { class: Said(class), forgery_score }),
        }
    }
}

impl RoundTripTimes {
    fn new(facts: RoundTrips) -> Option<Self> {
        let RoundTrips { min, median, smoothed, .. } = facts;
        (min.is_some() || median.is_some() || smoothed.is_some()).then(|| Self {
            min: min.map(Seconds),
            median: median.map(Seconds),
            smoothed: smoothed.map(Seconds),
        })
    }
}

impl Account {
    fn new(facts: &SideFacts, context: Context) -> Self {
        Self {
            delivered_bytes: facts.delivered_bytes,
            retransmitted_segments: facts.retransmitted_segments,
            retransmitted_bytes: facts.retransmitted_bytes,
            reordered_segments: facts.reordered_segments,
            unacked_bytes: facts.unacked_bytes,
            zero_windows: facts.zero_windows,
            zero_window_s: Seconds(facts.zero_window_time),
            keepalive_probes: facts.keepalive_probes,
            keepalive_answered: facts.keepalive_answered,
            last: facts.last.map(|at| Time::new(at, context)),
            last_payload: facts.last_payload.map(|at| Time::new(at, context)),
        }
    }
}

impl Counters {
    fn new(facts: WiresharkCounters) -> Self {
        // Taken apart by name, so that a counter added to the facts cannot be forgotten here.
        let WiresharkCounters {
            retransmission,
            fast_retransmission,
            spurious_retransmission,
            out_of_order,
            lost_segment,
            ack_lost_segment,
            duplicate_ack,
            keep_alive,
            keep_alive_ack,
            zero_window,
            zero_window_probe,
            zero_window_probe_ack,
            window_full,
            window_update,
            reused_ports,
        } = facts;
        Self {
            retransmission,
            fast_retransmission,
            spurious_retransmission,
            out_of_order,
            lost_segment,
            ack_lost_segment,
            duplicate_ack,
            keep_alive,
            keep_alive_ack,
            zero_window,
            zero_window_probe,
            zero_window_probe_ack,
            window_full,
            window_update,
            reused_ports,
        }
    }
}

impl Visibility {
    fn new(facts: &visibility::Visibility, context: Context) -> Self {
        Self {
            start: if facts.began_before { Edge::BeforeCapture } else { Edge::Seen },
            end: if facts.ended_after { Edge::AfterCapture } else { Edge::Seen },
            sight: Said(facts.sight),
            gaps: facts.gaps.iter().map(|gap| Gap::new(gap, context)).collect(),
            gap_count: facts.gap_count,
            gap_bytes: Sides::new(&facts.gap_bytes, |bytes| *bytes),
            snapped: facts.snapped,
            duplicates: facts.duplicates,
            loss_ratio: ratio(facts.loss_ratio),
            tail_s: Seconds(facts.tail),
            evicted: facts.evicted,
        }
    }
}

impl Gap {
    fn new(facts: &visibility::Gap, context: Context) -> Self {
        Self {
            side: Said(facts.side),
            start: facts.start,
            length: facts.length,
            acknowledged: facts.acknowledged,
            // The fact is a number of the merged timeline, which is the frame's own number with one input only.
            frame: (!context.several_captures).then_some(facts.noticed),
        }
    }
}
