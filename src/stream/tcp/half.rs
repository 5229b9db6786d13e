//! One direction of a TCP connection as an onlooker sees it (`domain.md` C.3, C.8).

use super::mirror::Mirror;
use super::rtt::RttMeter;
use super::trouble::Trouble;
use crate::packet::{IpFacts, Packet, TcpFlags, TcpHead};
use crate::place::PacketRef;
use crate::stream::pack::packed;
use crate::stream::reassembly::Reassembly;
use crate::stream::sequence::Sequence;
use crate::time::{Span, Timestamp};

/// A segment that matters for the account: where it is, and when it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// The frame.
    pub at: PacketRef,
    /// Its time.
    pub time: Timestamp,
}

/// What one side has sent since it last heard anything from the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered {
    /// The first segment that wants an answer.
    pub first: Act,
    /// The last one.
    pub last: Act,
    /// How often the segment at `start` was sent.
    pub transmissions: u32,
    /// Keep-alive probes among them.
    pub probes: u32,
    /// All segments that want an answer.
    pub segments: u32,
    /// Offset of the oldest segment.
    pub start: i64,
    /// Longest wait between two transmissions of it.
    pub longest: Span,
}

/// What the IP and link headers of a side looked like, to know its forger by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Habit {
    /// The last segment's IP header.
    pub ip: IpFacts,
    /// The last segment's link-layer source.
    pub link_source: u32,
    /// How many segments in a row had this TTL.
    pub ttl_steady: u32,
    /// How many segments in a row had this link-layer source.
    pub link_steady: u32,
    /// How many IP identifications in a row went up a little.
    pub id_steady: u32,
}

impl Habit {
    fn note(&mut self, packet: &Packet) {
        let steady = |same: bool, count: u32| if same { count.saturating_add(1) } else { 1 };
        self.ttl_steady = steady(packet.ip.ttl == self.ip.ttl, self.ttl_steady);
        self.link_steady = steady(packet.link_source == self.link_source, self.link_steady);
        let step = packet.ip.id.wrapping_sub(self.ip.id);
        self.id_steady = steady((1..=64).contains(&step), self.id_steady);
        self.ip = packet.ip;
        self.link_source = packet.link_source;
    }
}

/// One direction: what its sender did.
#[derive(Debug, Clone, Default)]
pub struct Half {
    /// All frames, duplicates included, as tshark counts.
    pub packets: u64,
    /// All payload bytes, as tshark counts.
    pub payload_bytes: u64,
    /// Segments counted by the semantic layer.
    pub segments: u64,
    /// Where the stream is; none until a sequence or acknowledgment number told.
    pub sequence: Option<Sequence>,
    /// Initial sequence number, where a SYN showed it.
    pub isn: Option<u32>,
    /// First SYN (or SYN-ACK), and the last, and how many.
    pub syn: Option<Act>,
    /// The last SYN or SYN-ACK.
    pub last_syn: Option<Act>,
    /// How many SYN or SYN-ACK were sent.
    pub syns: u32,
    /// Offset of the FIN, its first frame.
    pub fin: Option<(u64, Act)>,
    /// Whether the listener was told that all before the FIN was heard.
    pub closed_told: bool,
    /// Where the other side acknowledged the FIN.
    pub fin_acked: Option<Act>,
    /// First RST.
    pub reset: Option<Act>,
    /// RSTs sent.
    pub resets: u32,
    /// Segments other than RST after the first RST, sent as if nothing had happened.
    pub after_reset: u32,
    /// The first payload sent long after the connection was over.
    pub after_end: Option<Act>,
    /// Bytes acknowledged by the other side, as an offset of this stream.
    pub acked: u64,
    /// When the other side last acknowledged bytes that it had not acknowledged before.
    pub acked_at: Option<Timestamp>,
    /// The last segment's acknowledgment number, where it had one.
    pub ack_sent: Option<u32>,
    /// Whether and how its window scales; none until its SYN was seen.
    pub scale: Option<u8>,
    /// Since when its window is closed.
    pub closed_since: Option<Timestamp>,
    /// Episodes of a closed window, and how long they were in all and at most.
    pub zero_windows: u32,
    /// How long the window was closed in all.
    pub zero_window_time: Span,
    /// Segments of bytes sent before.
    pub retransmitted_segments: u32,
    /// Bytes sent before.
    pub retransmitted_bytes: u64,
    /// Segments that came late.
    pub reordered_segments: u32,
    /// Keep-alive probes, and those that got an answer.
    pub probes: u32,
    /// Probes answered.
    pub probes_answered: u32,
    /// Payload cut by the recorder.
    pub snapped: u32,
    /// Payload whose sequence numbers are too far from the rest to be placed.
    pub unplaced: u64,
    /// Frames recorded twice.
    pub duplicates: u32,
    /// Last frame.
    pub last: Option<Act>,
    /// Last frame with payload.
    pub last_payload: Option<Act>,
    /// Runs of payload between two of the other side.
    pub turns: u32,
    /// What waits for an answer.
    pub unanswered: Option<Unanswered>,
    /// Bytes acknowledged and never seen.
    pub unseen_bytes: u64,
    /// How its headers look.
    pub habit: Habit,
    /// Round trips from the tap to the *other* side, measured on this side's data.
    pub rtt: RttMeter,
    /// Putting its bytes in order.
    pub reassembly: Reassembly,
    /// Finding frames recorded twice.
    pub mirror: Mirror,
    /// The last timestamp value sent, to tell late segments from repeated ones.
    pub highest_timestamp: Option<u32>,
    /// What went wrong.
    pub trouble: Trouble,
}

packed!(Half {
    closed_told,
    packets,
    payload_bytes,
    segments,
    sequence,
    isn,
    syn,
    last_syn,
    syns,
    fin,
    fin_acked,
    reset,
    resets,
    after_reset,
    after_end,
    acked,
    acked_at,
    ack_sent,
    scale,
    closed_since,
    zero_windows,
    zero_window_time,
    retransmitted_segments,
    retransmitted_bytes,
    reordered_segments,
    probes,
    probes_answered,
    snapped,
    unplaced,
    duplicates,
    last,
    last_payload,
    turns,
    unanswered,
    unseen_bytes,
    habit,
    rtt,
    reassembly,
    mirror,
    highest_timestamp,
    trouble
});
packed!(Habit { ip, link_source, ttl_steady, link_steady, id_steady });
packed!(Unanswered { first, last, transmissions, probes, segments, start, longest });

impl Half {
    /// The offset of a sequence number of this direction; where nothing is known yet, this is where it begins.
    pub fn offset(&mut self, seq: u32) -> Option<i64> {
        self.sequence.get_or_insert_with(|| Sequence::starting_at(seq)).offset(seq)
    }

    /// One past the highest payload byte sent.
    pub fn highest(&self) -> u64 {
        self.sequence.as_ref().map_or(0, Sequence::highest)
    }

    /// Whether no payload of this direction was seen, nor is known to be missing.
    pub fn has_said_nothing(&self) -> bool {
        self.highest() == 0 && self.reassembly.next() == 0
    }

    /// Bytes sent and not acknowledged.
    pub fn unacked(&self) -> u64 {
        self.highest().saturating_sub(self.acked)
    }

    /// Takes note of a frame of this direction before anything is made of it.
    pub fn note_frame(&mut self, packet: &Packet, length: u32) {
        self.packets += 1;
        self.payload_bytes += u64::from(length);
        self.last = Some(Act { at: packet.at, time: packet.time });
    }

    /// Takes note of how the sender's headers look. A RST is measured against this, and does not enter it.
    pub fn note_habit(&mut self, packet: &Packet) {
        self.habit.note(packet);
    }

    /// Takes note of the announced window.
    pub fn note_window(&mut self, head: &TcpHead, act: Act) {
        let time = act.time;
        if head.flags.has(TcpFlags::SYN) {
            self.scale = head.options.window_scale;
        }
        if head.flags.has(TcpFlags::RST | TcpFlags::SYN) {
            return;
        }
        self.trouble.window(head.window > 0, act);
        if head.window == 0 {
            if self.closed_since.is_none() {
                self.closed_since = Some(time);
                self.zero_windows += 1;
            }
        } else if let Some(since) = self.closed_since.take() {
            self.zero_window_time = self.zero_window_time + time.since(since);
        }
    }

    /// This side sent something that wants an answer.
    pub fn wants_answer(&mut self, act: Act, start: i64, probe: bool) {
        match &mut self.unanswered {
            Some(open) => {
                if start <= open.start {
                    open.longest = open.longest.max(act.time.since(open.last.time));
                    open.transmissions += 1;
                }
                open.segments += 1;
                open.probes += u32::from(probe);
                open.last = act;
            }
            None => {
                self.unanswered = Some(Unanswered {
                    first: act,
                    last: act,
                    transmissions: 1,
                    probes: u32::from(probe),
                    segments: 1,
                    start,
                    longest: Span::ZERO,
                });
            }
        }
    }

    /// The other side said something.
    pub fn heard(&mut self, act: Act) {
        self.trouble.heard(self.unanswered, act);
        if let Some(open) = self.unanswered.take()
            && open.probes > 0
        {
            self.probes_answered += 1;
        }
    }
}
