//! How a connection ended: the first closing act, the reason, who, how sure, and the frames that prove it
//! (`domain.md` B.3, C.5, C.6, C.9).
//!
//! One connection alone is judged here: `opening` where it never came to be, `reset`, `close` and
//! `silence`. What only several together can tell (a timer's cluster, a shutdown, a box that forgot) is
//! [`population`]'s. Where the evidence does not decide, the reason is `unknown`.

mod close;
mod opening;
pub mod population;
mod reset;
mod silence;
mod trouble;

use super::Window;
use super::community_id::{community_id, uid};
use super::tcp::TcpConnection;
use super::tcp::half::{Act, Half};
use crate::events::ConnectionKey;
use crate::events::side::{PerSide, Side};
use crate::events::transport::{
    By, ClosingAct, Confidence, Connection, Ending, How, Opened, Reason, RoundTrips, RstFacts, SideFacts,
};
use crate::events::visibility::{Sight, Visibility};
use crate::limits::CITED_FRAMES;
use crate::packet::{Direction, Transport};
use crate::time::{Span, Timestamp};

/// Segments of one side after which the other's absence is called one-sided sight (`domain.md` C.4).
const ONE_SIDED: u64 = 5;

/// A wait shorter than this shows no silence (`domain.md` C.5).
const WATCHED: Span = Span::from_secs(3);

/// A finished connection, and what the population is judged by.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name until it has an id.
    pub key: ConnectionKey,
    /// First packet of its `tcp.stream` or `udp.stream`, where it has one.
    pub stream_key: Option<u64>,
    /// Its account.
    pub connection: Connection,
    /// More facts that rows are compared by.
    pub facts: Facts,
}

/// Facts that rows are compared by.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Bytes acknowledged, both ways.
    pub acked_bytes: u64,
    /// Bytes acknowledged and never seen, both ways.
    pub unseen_bytes: u64,
    /// Whether the handshake was completed, or data went both ways.
    pub established: bool,
    /// Time to live of the server's segments other than RST.
    pub server_ttl: Option<u8>,
    /// Time to live of the server's first RST.
    pub server_rst_ttl: Option<u8>,
    /// When each side sent its first FIN.
    pub fins: PerSide<Option<Timestamp>>,
    /// Whether the other side acknowledged the FIN of this one.
    pub fin_acked: PerSide<bool>,
    /// The quiet time before the segments that stayed unanswered, and the time of the first of those.
    pub silence: Option<(Span, Timestamp)>,
    /// The first closing act, where there was one.
    pub closer: Option<Closer>,
}

/// Who closed first, and how it stood then.
#[derive(Debug, Clone, Copy)]
pub struct Closer {
    /// Who.
    pub side: Side,
    /// Whether by a FIN.
    pub fin: bool,
    /// When.
    pub time: Timestamp,
    /// Since the last payload of either side.
    pub since_payload: Option<Span>,
    /// When the last payload was sent.
    pub spoke_last: Option<Timestamp>,
    /// Whether it owed an answer itself.
    pub owed: bool,
    /// Whether a side had sent no payload.
    pub one_way: bool,
}

/// One connection and the window it is judged in.
pub(super) struct Case<'c> {
    connection: &'c TcpConnection,
    window: Window<'c>,
    superseded: bool,
}

/// A verdict on its way to an [`Ending`].
pub(super) struct Verdict {
    how: How,
    by: By,
    reason: Reason,
    detail: Option<&'static str>,
    confidence: Confidence,
    acts: Vec<Act>,
    because: String,
}

impl Case<'_> {
    fn half(&self, side: Side) -> &Half {
        self.connection.half(self.connection.direction(side))
    }

    fn side(&self, direction: Direction) -> Side {
        self.connection.side(direction)
    }

    /// How long was watched after this.
    fn watched(&self, act: Act) -> Span {
        self.window.end_after(act.time).since(act.time)
    }

    fn verdict(&self) -> Verdict {
        opening::verdict(self).unwrap_or_else(|| match &self.connection.closing {
            None => silence::verdict(self),
            Some(closing) if closing.fin => close::verdict(self, closing),
            Some(closing) => reset::verdict(self, closing),
        })
    }
}

impl Verdict {
    fn new(how: How, by: By, reason: Reason, confidence: Confidence, because: String) -> Self {
        Self { how, by, reason, detail: None, confidence, acts: Vec::new(), because }
    }

    fn detail(mut self, detail: &'static str) -> Self {
        self.detail = Some(detail);
        self
    }

    fn citing(mut self, acts: impl IntoIterator<Item = Option<Act>>) -> Self {
        self.acts.extend(acts.into_iter().flatten());
        self
    }

    fn ending(mut self, rst: Option<RstFacts>) -> Ending {
        self.acts.sort_by_key(|act| act.at);
        self.acts.dedup_by_key(|act| act.at);
        self.acts.truncate(CITED_FRAMES);
        self.because.shrink_to_fit();
        Ending {
            how: self.how,
            by: self.by,
            reason: self.reason,
            detail: self.detail,
            confidence: self.confidence,
            frames: self.acts.iter().map(|act| act.at).collect(),
            because: self.because,
            rst,
        }
    }
}

/// The account of a connection that is over, or that the capture leaves. `superseded` tells that its ports began
/// anew at the window's end.
pub fn finish(connection: &TcpConnection, window: Window<'_>, superseded: bool) -> Row {
    let case = Case { connection, window, superseded };
    let rst = connection.closing.filter(|closing| !closing.fin).and_then(|closing| {
        let reset = connection.resets.get(closing.direction.index()).copied().flatten()?;
        let score = reset::score(&case, &reset);
        let class = if score >= super::tcp::reset::FORGED {
            crate::events::transport::RstClass::Forged
        } else {
            reset.class
        };
        Some(RstFacts { class, forgery_score: score })
    });
    let ended = case.verdict().ending(rst);
    let sides = PerSide { client: side_facts(&case, Side::Client), server: side_facts(&case, Side::Server) };
    let [client, server] =
        [Side::Client, Side::Server].map(|side| connection.flow.source(connection.direction(side)));
    let opened = opened(&case);
    let start = connection.first.time;
    let isn = case.half(Side::Client).isn.or(case.half(Side::Server).isn).unwrap_or(0);
    let facts = facts(&case);
    let account = Connection {
        id: 0,
        stream: None,
        uid: uid(start, client, server, Transport::Tcp, isn),
        community_id: community_id(client, server, Transport::Tcp),
        transport: Transport::Tcp,
        client,
        server,
        role_evidence: connection.client.1,
        first: connection.first.at,
        last: connection.last,
        start,
        end: connection.clock,
        opened,
        sides,
        completeness: connection.completeness,
        conn_state: connection.zeek.conn_state(),
        history: connection.zeek.history().to_owned(),
        rtt: round_trips(&case),
        wireshark: connection.counters,
        visibility: visibility(&case, &facts, &ended),
        longest_idle: connection.longest_idle,
        closing: connection.closing.as_ref().map(|closing| Box::new(closing_act(&case, closing))),
        trouble: trouble::of(&case),
        ended,
    };
    Row { key: connection.key, stream_key: connection.stream_key, connection: account, facts }
}

fn opened(case: &Case<'_>) -> Opened {
    let (client, server) = (case.half(Side::Client), case.half(Side::Server));
    let answered = server.syns > 0 || server.payload_bytes > 0 || server.segments > u64::from(server.resets);
    match (client.syns > 0, server.syns > 0) {
        (true, _) if !answered => Opened::Never,
        (true, _) => Opened::Observed,
        (false, true) => Opened::LostSyn,
        (false, false) => Opened::MidCapture,
    }
}

fn closing_act(case: &Case<'_>, closing: &super::tcp::Closing) -> ClosingAct {
    let unacked = |side| closing.unacked.get(case.connection.direction(side).index()).copied().unwrap_or(0);
    ClosingAct {
        side: case.side(closing.direction),
        fin: closing.fin,
        at: closing.act.at,
        time: closing.act.time,
        quiet: closing.since_payload,
        still: closing.since_any,
        spoke_last: closing.spoke_last.map(|(way, act)| (case.side(way), act.at)),
        unacked: PerSide { client: unacked(Side::Client), server: unacked(Side::Server) },
    }
}

fn facts(case: &Case<'_>) -> Facts {
    let connection = case.connection;
    let (client, server) = (case.half(Side::Client), case.half(Side::Server));
    let closer = connection.closing.as_ref().map(|closing| Closer {
        side: case.side(closing.direction),
        fin: closing.fin,
        time: closing.act.time,
        since_payload: closing.since_payload,
        spoke_last: closing.spoke_last.map(|(_, act)| act.time),
        owed: close::owed_by_closer(closing),
        one_way: closing.turns.contains(&0),
    });
    let silence = Side::BOTH
        .iter()
        .filter_map(|side| case.half(*side).unanswered)
        .max_by_key(|open| open.segments)
        .map(|open| {
            let (gap, around) = connection.longest_silence;
            let before = around.filter(|(_, after)| after.at == open.first.at).map_or(Span::ZERO, |_| gap);
            (before, open.first.time)
        });
    let server_reset = connection
        .resets
        .get(connection.direction(Side::Server).index())
        .copied()
        .flatten()
        .map(|reset| reset.ttl);
    Facts {
        acked_bytes: client.acked + server.acked,
        unseen_bytes: client.unseen_bytes + server.unseen_bytes,
        established: connection.established.is_some() || (client.turns > 0 && server.turns > 0),
        server_ttl: (server.segments > u64::from(server.resets)).then_some(server.habit.ip.ttl),
        server_rst_ttl: server_reset,
        fins: PerSide {
            client: client.fin.map(|(_, act)| act.time),
            server: server.fin.map(|(_, act)| act.time),
        },
        fin_acked: PerSide { client: client.fin_acked.is_some(), server: server.fin_acked.is_some() },
        silence,
        closer,
    }
}

fn side_facts(case: &Case<'_>, side: Side) -> SideFacts {
    let half = case.half(side);
    let open = half.closed_since.map_or(Span::ZERO, |since| case.connection.clock.since(since));
    SideFacts {
        packets: half.packets,
        payload_bytes: half.payload_bytes,
        delivered_bytes: half.reassembly.next()
            - case.connection.gap_bytes_by_side()[side].min(half.reassembly.next()),
        retransmitted_segments: half.retransmitted_segments,
        retransmitted_bytes: half.retransmitted_bytes,
        reordered_segments: half.reordered_segments,
        unacked_bytes: half.unacked(),
        zero_windows: half.zero_windows,
        zero_window_time: half.zero_window_time + open,
        keepalive_probes: half.probes,
        keepalive_answered: half.probes_answered,
        data_segments: half.trouble.data_segments,
        isn: half.isn,
        ttl: (half.segments > u64::from(half.resets)).then_some(half.habit.ip.ttl),
        reset_ttl: case
            .connection
            .resets
            .get(case.connection.direction(side).index())
            .copied()
            .flatten()
            .map(|reset| reset.ttl),
        link: half.habit.link_source,
        last: half.last.map(|act| act.time),
        last_payload: half.last_payload.map(|act| act.time),
        after_end: half.after_end.map(|act| act.at),
        acknowledged: half.acked_at,
        closed: closed_at(half),
    }
}

/// When a side said that it would send no more, or gave up.
fn closed_at(half: &Half) -> Option<Timestamp> {
    [half.fin.map(|(_, act)| act), half.reset].into_iter().flatten().map(|act| act.time).min()
}

/// The tap splits the path: the whole round trip is the sum of both parts.
fn round_trips(case: &Case<'_>) -> RoundTrips {
    let (client, server) = (&case.half(Side::Client).rtt, &case.half(Side::Server).rtt);
    let sum = |a: Option<Span>, b: Option<Span>| match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (one, other) => one.or(other),
    };
    RoundTrips {
        initial: case.connection.initial_rtt,
        min: sum(client.min(), server.min()),
        median: sum(client.median(), server.median()),
        smoothed: sum(client.smoothed(), server.smoothed()),
        peak: client.peak().max(server.peak()),
        samples: client.samples() + server.samples(),
    }
}

fn visibility(case: &Case<'_>, facts: &Facts, ended: &Ending) -> Visibility {
    let connection = case.connection;
    let (client, server) = (case.half(Side::Client), case.half(Side::Server));
    let lost = connection.gap_bytes_by_side();
    let mut gaps: Vec<_> = connection
        .gaps
        .iter()
        .map(|(way, gap)| crate::events::visibility::Gap { side: case.side(*way), ..*gap })
        .collect();
    gaps.sort_by_key(|gap| (gap.noticed, gap.start));
    Visibility {
        began_before: client.syns == 0,
        ended_after: ended.how == How::CaptureEnd,
        sight: match (client.packets, server.packets) {
            (ONE_SIDED.., 0) => Sight::ClientOnly,
            (0, ONE_SIDED..) => Sight::ServerOnly,
            _ => Sight::Both,
        },
        gaps,
        gap_count: connection.gap_count,
        gap_bytes: PerSide {
            client: lost.client.saturating_add(client.unplaced),
            server: lost.server.saturating_add(server.unplaced),
        },
        snapped: client.snapped + server.snapped,
        duplicates: client.duplicates + server.duplicates,
        loss_ratio: if facts.acked_bytes == 0 {
            0.0
        } else {
            facts.unseen_bytes.min(facts.acked_bytes) as f64 / facts.acked_bytes as f64
        },
        tail: case.window.end_after(connection.clock).since(connection.clock),
        evicted: false,
    }
}

/// A time relative to the connection's begin, as people say it.
fn after_start(case: &Case<'_>, time: Timestamp) -> Span {
    time.since(case.connection.first.time)
}
