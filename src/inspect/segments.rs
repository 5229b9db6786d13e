//! What is told of a segment beside its header: its place in the stream, and what tshark 4.0.17 computes of it.
//!
//! The flags are those of the parity layer. What is kept here beside it (times, bytes in flight, who acknowledged whom)
//! follows the same rules and is wanted only where single packets are looked at, so the analysis does not pay for it.

use std::collections::VecDeque;

use crate::events::ConnectionKey;
use crate::limits::UNACKED_SEGMENTS;
use crate::packet::{Body, Direction, Packet, ParityLength, TcpFlags, TcpHead};
use crate::stream::receiver::{Counted, Parties};
use crate::stream::wireshark::Flags;
use crate::time::{Span, Timestamp};

/// What is known of one segment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Segment {
    /// Its connection.
    pub(super) connection: ConnectionKey,
    /// The flags of tshark's analysis; none where it does not analyse it.
    pub(super) flags: Option<Flags>,
    /// Sequence numbers from which the relative ones of both directions count: its own, and the other's.
    pub(super) bases: (Option<u32>, Option<u32>),
    /// `tcp.window_size_scalefactor`.
    pub(super) scale: i64,
    /// Since the first frame of its stream, and since the one before.
    pub(super) relative: Span,
    /// Since the frame before in its stream.
    pub(super) delta: Span,
    /// The frame that it acknowledges, and how long ago that was.
    pub(super) acks: Option<(u64, Span)>,
    /// `tcp.analysis.bytes_in_flight`.
    pub(super) in_flight: Option<u32>,
    /// tshark looked for what is in flight, whatever came of it.
    pub(super) is_tracked: bool,
    /// `tcp.analysis.push_bytes_sent`.
    pub(super) pushed: Option<u32>,
    /// Which of several equal acknowledgments it is, and the frame that they repeat.
    pub(super) duplicate: Option<(u32, u64)>,
    /// For a retransmission: since when its sender had waited, and from which frame on.
    pub(super) timeout: Option<(Span, u64)>,
    /// For a FIN: whether its side closes first.
    pub(super) is_first_to_close: bool,
}

/// A segment that was not acknowledged.
#[derive(Debug, Clone, Copy)]
struct Unacked {
    seq: u32,
    next: u32,
    frame: u64,
    time: Timestamp,
}

/// Selective acknowledgments of one segment: edges, and how many are meant.
type Sacked = ([(u32, u32); 4], u8);

/// One direction.
#[derive(Debug, Default)]
struct Half {
    unacked: VecDeque<Unacked>,
    /// A segment is missing, and none was acknowledged since: what is in flight is not known.
    blind: bool,
    /// Bytes since the last segment with PSH.
    pushed: u32,
    was_pushed: bool,
    closes_first: bool,
    /// The last acknowledgment number, and the frame in which it was new.
    last_ack: Option<(u32, u64)>,
    /// What the last segment acknowledged beside that.
    sacked: Sacked,
    highest: Option<(u32, Timestamp, u64)>,
}

/// One stream, segment by segment.
#[derive(Debug, Default)]
pub(super) struct Follower {
    times: Option<(Timestamp, Timestamp)>,
    halves: [Half; 2],
}

/// `a` is after `b` in sequence space.
fn after(a: u32, b: u32) -> bool {
    (b.wrapping_sub(a) as i32) < 0
}

impl Follower {
    /// The next segment.
    pub(super) fn segment(&mut self, counted: &Counted<'_>, parties: &Parties) -> Segment {
        let Packet { time, direction, at, .. } = *counted.packet;
        let (first, before) = *self.times.get_or_insert((time, time));
        self.times = Some((first, time));
        let stream = counted.stream;
        let mut segment = Segment {
            connection: parties.key,
            flags: counted.flags,
            bases: (stream.base(direction), stream.base(direction.reverse())),
            scale: stream.scale_factor(direction),
            relative: time - first,
            delta: time - before,
            ..Segment::default()
        };
        if let (Body::Tcp(head), Some(flags)) = (&counted.packet.body, counted.flags) {
            let length = match head.parity {
                ParityLength::Length(length) => length,
                _ => head.payload.length,
            };
            let now = (time, at.frame);
            self.analyse(direction, head, length, flags, now, &mut segment);
            let half = self.half(direction);
            if half.last_ack.is_none_or(|(last, _)| last != head.ack) {
                half.last_ack = Some((head.ack, at.frame));
            }
            if flags.has(Flags::DUPLICATE_ACK) {
                let earlier = half.last_ack.map_or(0, |(_, frame)| frame);
                segment.duplicate = Some((stream.duplicate_acks(direction), earlier));
            }
        }
        segment
    }

    fn half(&mut self, direction: Direction) -> &mut Half {
        let [up, down] = &mut self.halves;
        match direction {
            Direction::Up => up,
            Direction::Down => down,
        }
    }

    fn analyse(
        &mut self,
        direction: Direction,
        head: &TcpHead,
        length: u32,
        flags: Flags,
        (time, frame): (Timestamp, u64),
        segment: &mut Segment,
    ) {
        let [up, down] = &mut self.halves;
        let (fwd, rev) = match direction {
            Direction::Up => (up, down),
            Direction::Down => (down, up),
        };
        if flags.has(Flags::LOST_SEGMENT) {
            fwd.blind = true;
        }
        if flags.has(Flags::RETRANSMISSION) {
            // The oldest segment, as the one that is most likely repeated; else the last that sent anything new.
            let oldest = fwd.unacked.back().map(|unacked| (unacked.time, unacked.frame));
            let since = oldest.or(fwd.highest.map(|(_, time, frame)| (time, frame)));
            segment.timeout = since.map(|(since, frame)| (time - since, frame));
        }
        if head.flags.has(TcpFlags::FIN) {
            fwd.closes_first |= !rev.closes_first;
            segment.is_first_to_close = fwd.closes_first;
        }
        let control = head.flags.has(TcpFlags::SYN | TcpFlags::FIN);
        let next = head.seq.wrapping_add(length);
        let end = next.wrapping_add(u32::from(control));
        if (length > 0 || control) && fwd.unacked.len() < UNACKED_SEGMENTS {
            fwd.unacked.push_front(Unacked { seq: head.seq, next: end, frame, time });
        }
        if !flags.has(Flags::ZERO_WINDOW_PROBE) && fwd.highest.is_none_or(|(highest, ..)| after(end, highest))
        {
            fwd.highest = Some((end, time, frame));
        }
        rev.acknowledge(head.ack, time, segment);
        rev.blind &= !head.flags.has(TcpFlags::ACK);
        fwd.sacked = (head.options.sack, head.options.sack_blocks);
        if length > 0 && !fwd.blind && !fwd.unacked.is_empty() {
            segment.is_tracked = true;
            let control = u32::from(head.flags.has(TcpFlags::FIN));
            let in_flight = fwd.in_flight(&rev.sacked).map(|bytes| bytes.saturating_sub(control));
            segment.in_flight = in_flight.filter(|bytes| *bytes > 0);
            if std::mem::replace(&mut fwd.was_pushed, head.flags.has(TcpFlags::PSH)) {
                fwd.pushed = 0;
            }
            fwd.pushed = fwd.pushed.saturating_add(length);
            segment.pushed = segment.in_flight.map(|_| fwd.pushed);
        }
    }
}

impl Half {
    /// The other side acknowledges everything before this.
    fn acknowledge(&mut self, ack: u32, time: Timestamp, segment: &mut Segment) {
        self.unacked.retain_mut(|unacked| {
            if unacked.next == ack {
                segment.acks = Some((unacked.frame, time - unacked.time));
                return false;
            }
            if after(ack, unacked.seq) && after(unacked.next, ack) {
                unacked.seq = ack;
            }
            after(unacked.next, ack)
        });
    }

    /// Bytes sent and not acknowledged, but for those that the other side says it has.
    fn in_flight(&self, (blocks, count): &Sacked) -> Option<u32> {
        let newest = self.unacked.front()?;
        let (mut first, mut last) = (newest.seq, newest.next);
        for unacked in &self.unacked {
            if after(unacked.next, last) {
                last = unacked.next;
            }
            if after(first, unacked.seq) {
                first = unacked.seq;
            }
        }
        let mut bytes = last.wrapping_sub(first);
        for (left, right) in blocks.iter().take(usize::from(*count)) {
            // tshark counts those that tell of octets received twice, too.
            bytes = bytes.wrapping_sub(right.wrapping_sub(*left));
        }
        Some(bytes).filter(|bytes| (1..2_000_000_000).contains(bytes))
    }
}
