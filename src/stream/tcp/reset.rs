//! What a RST answers, and what speaks against its coming from the end it names (`domain.md` C.6).

use super::half::{Act, Half};
use crate::events::transport::RstClass;
use crate::packet::{Packet, TcpFlags, TcpHead};
use crate::stream::pack::packed;
use crate::time::Span;

/// A score from which on a RST is taken for somebody else's.
pub const FORGED: f32 = 0.6;

/// The window of the other side must have been closed so long for a RST to be a stuck reader's end.
const STUCK: Span = Span::from_secs(30);

/// The first RST of a connection as it was when it came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reset {
    /// The frame.
    pub act: Act,
    /// What it answers.
    pub class: RstClass,
    /// The segment of the other side that it answers, where there is one.
    pub trigger: Option<Act>,
    /// Whether it comes at once after that segment.
    pub provoked: bool,
    /// What its headers and its timing say against its sender: 0 to 1.
    pub score: f32,
    /// Whether the TTL differs from its sender's.
    pub other_ttl: bool,
    /// Sequence number, to know a burst by.
    pub seq: u32,
    /// Time to live.
    pub ttl: u8,
}

packed!(Reset { act, class, trigger, provoked, score, other_ttl, seq, ttl });

impl Reset {
    /// Reads a RST of `own` in the light of what both sides did before.
    pub fn read(packet: &Packet, head: &TcpHead, own: &Half, other: &Half) -> Self {
        let act = Act { at: packet.at, time: packet.time };
        let trigger = other.last;
        let since = trigger.map(|trigger| packet.time.since(trigger.time));
        let heard_last = other.last.map(|act| act.at) > own.last.map(|act| act.at);
        let usual = other
            .rtt
            .smoothed()
            .map_or(Span::from_millis(200), |rtt| Span(rtt.0.saturating_mul(2).saturating_add(20_000_000)));
        let provoked = heard_last && since.is_some_and(|since| since <= usual);
        let (score, other_ttl) = identity_score(packet, own, other, provoked, since);
        Self {
            act,
            class: class(head, own, other, packet),
            trigger,
            provoked,
            score,
            other_ttl,
            seq: head.seq,
            ttl: packet.ip.ttl,
        }
    }
}

/// Whether a program, not its host, chose this time to live: routing protocols talk to neighbours with 1 or 255 (RFC 5082),
/// while resets have the host's own.
pub fn is_set_by_program(ttl: u8) -> bool {
    matches!(ttl, 1 | 255)
}

fn class(head: &TcpHead, own: &Half, other: &Half, packet: &Packet) -> RstClass {
    let acks = head.flags.has(TcpFlags::ACK);
    let answers_syn = own.syns == 0
        && own.payload_bytes == 0
        && other.isn.is_some_and(|isn| acks && head.ack.wrapping_sub(isn) <= 1 + other.payload_bytes as u32);
    if answers_syn && own.segments <= 1 {
        RstClass::Refused
    } else if own.fin.is_some() {
        RstClass::AfterClose
    } else if own.syns > 0
        && other.syns > 0
        && own.segments <= u64::from(own.syns) + 1
        && other.payload_bytes == 0
    {
        RstClass::SynScan
    } else if own.syns > 1 && own.last_syn.map(|syn| syn.at) == own.last.map(|last| last.at) {
        RstClass::ChallengeReply
    } else if !acks && other.ack_sent == Some(head.seq) {
        RstClass::NoState
    } else if other.closed_since.is_some_and(|since| packet.time.since(since) >= STUCK) {
        RstClass::ZeroWindowAbort
    } else {
        RstClass::Abort
    }
}

/// What its headers and its timing alone say; what follows the RST is added when the connection is over.
fn identity_score(
    packet: &Packet,
    own: &Half,
    other: &Half,
    provoked: bool,
    since: Option<Span>,
) -> (f32, bool) {
    let habit = &own.habit;
    let mut score = 0.0;
    let mut other_ttl = false;
    // A RST of a host whose other segments are few, or none, has nothing to be compared with.
    if habit.ttl_steady >= 3 && !is_set_by_program(habit.ip.ttl) {
        match habit.ip.ttl.abs_diff(packet.ip.ttl) {
            0 => {}
            1 => {
                score += 0.1;
                other_ttl = true;
            }
            _ => {
                score += 0.35;
                other_ttl = true;
            }
        }
    }
    if habit.link_steady >= 3 && habit.link_source != packet.link_source {
        score += 0.15;
    }
    if habit.ttl_steady >= 3 && habit.ip.traffic_class != packet.ip.traffic_class {
        score += 0.1;
    }
    let step = packet.ip.id.wrapping_sub(habit.ip.id);
    if habit.id_steady >= 3 && packet.ip.id != 0 && !(1..=1024).contains(&step) {
        score += 0.15;
    }
    // Faster than the end could have answered. The tap may stand beside the end, where all is fast: then the
    // shortest round trip is as small.
    if let (true, Some(since), Some(rtt)) = (provoked, since, other.rtt.min())
        && rtt >= Span(500_000)
        && other.rtt.samples() >= 2
        && since.0 < rtt.0 / 2
    {
        score += 0.35;
    }
    (score, other_ttl)
}
