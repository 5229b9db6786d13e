//! The parity layer: the flags and counters that tshark 4.0.17 gives to TCP segments, by its own rules.
//!
//! These rules are kept apart from the semantic layer on purpose: they are what users see in Wireshark, warts
//! included (`domain.md` C.7), and serve display, filters and comparison. Findings never rest on them.
//!
//! Two of the warts shape the code: a stored sequence number of 0 means "not known", and time differences are
//! unsigned, so that a clock running backwards looks like a very long wait.

use std::collections::VecDeque;

use super::pack::packed;
use crate::events::transport::WiresharkCounters;
use crate::limits::UNACKED_SEGMENTS;
use crate::packet::{Direction, TcpFlags, TcpHead};
use crate::time::{Span, Timestamp};

/// The analysis flags of one segment, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u16);

packed!(Flags(_));

#[allow(missing_docs, reason = "the names are those of Wireshark's tcp.analysis fields")]
impl Flags {
    pub const RETRANSMISSION: Self = Self(1);
    pub const FAST_RETRANSMISSION: Self = Self(1 << 1);
    pub const SPURIOUS_RETRANSMISSION: Self = Self(1 << 2);
    pub const OUT_OF_ORDER: Self = Self(1 << 3);
    pub const LOST_SEGMENT: Self = Self(1 << 4);
    pub const ACK_LOST_SEGMENT: Self = Self(1 << 5);
    pub const DUPLICATE_ACK: Self = Self(1 << 6);
    pub const KEEP_ALIVE: Self = Self(1 << 7);
    pub const KEEP_ALIVE_ACK: Self = Self(1 << 8);
    pub const ZERO_WINDOW: Self = Self(1 << 9);
    pub const ZERO_WINDOW_PROBE: Self = Self(1 << 10);
    pub const ZERO_WINDOW_PROBE_ACK: Self = Self(1 << 11);
    pub const WINDOW_FULL: Self = Self(1 << 12);
    pub const WINDOW_UPDATE: Self = Self(1 << 13);
    pub const REUSED_PORTS: Self = Self(1 << 14);

    /// Every kind of retransmission: what `tcp.analysis.retransmission` matches, and what tshark hands to no
    /// dissector a second time.
    pub const RETRANSMISSIONS: Self =
        Self(Self::RETRANSMISSION.0 | Self::FAST_RETRANSMISSION.0 | Self::SPURIOUS_RETRANSMISSION.0);

    /// Whether any of `other`'s flags is set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn set(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Counts what the filters `tcp.analysis.<name>` would match: the retransmission filter matches fast and
    /// spurious ones too.
    pub fn count(self, counters: &mut WiresharkCounters) {
        if self.0 == 0 {
            return;
        }
        for (flag, counter) in [
            (Self::RETRANSMISSIONS, &mut counters.retransmission),
            (Self::FAST_RETRANSMISSION, &mut counters.fast_retransmission),
            (Self::SPURIOUS_RETRANSMISSION, &mut counters.spurious_retransmission),
            (Self::OUT_OF_ORDER, &mut counters.out_of_order),
            (Self::LOST_SEGMENT, &mut counters.lost_segment),
            (Self::ACK_LOST_SEGMENT, &mut counters.ack_lost_segment),
            (Self::DUPLICATE_ACK, &mut counters.duplicate_ack),
            (Self::KEEP_ALIVE, &mut counters.keep_alive),
            (Self::KEEP_ALIVE_ACK, &mut counters.keep_alive_ack),
            (Self::ZERO_WINDOW, &mut counters.zero_window),
            (Self::ZERO_WINDOW_PROBE, &mut counters.zero_window_probe),
            (Self::ZERO_WINDOW_PROBE_ACK, &mut counters.zero_window_probe_ack),
            (Self::WINDOW_FULL, &mut counters.window_full),
            (Self::WINDOW_UPDATE, &mut counters.window_update),
            (Self::REUSED_PORTS, &mut counters.reused_ports),
        ] {
            *counter += u32::from(self.has(flag));
        }
    }
}

/// Bits of `tcp.completeness`.
mod completeness {
    pub(super) const SYN: u8 = 1;
    pub(super) const SYN_ACK: u8 = 2;
    pub(super) const ACK: u8 = 4;
    pub(super) const DATA: u8 = 8;
    pub(super) const FIN: u8 = 16;
    pub(super) const RST: u8 = 32;
}

/// Out-of-order or retransmission, where no round trip is known: tshark's 3 ms.
const OUT_OF_ORDER_DEFAULT: Span = Span(3_000_000);

/// How soon after the last duplicate ACK a retransmission counts as fast.
const FAST_RETRANSMISSION_WITHIN: Span = Span(20_000_000);

/// A shift known to be absent: the side sent a SYN without the option.
const NO_SCALING: i8 = -2;

/// A shift not known: no SYN was seen.
const UNKNOWN_SCALING: i8 = -1;

/// What is remembered of one direction. Sequence numbers of 0 mean "not known", as in tshark.
#[derive(Debug, Clone)]
struct Half {
    base: Option<u32>,
    /// Sequence number of its first SYN-ACK, and whether that one was flagged as a reuse of ports.
    sent_syn_ack: Option<(u32, bool)>,
    next: u32,
    next_time: Timestamp,
    max_to_be_acked: u32,
    last_ack: u32,
    last_ack_time: Timestamp,
    duplicate_acks: u32,
    window: Option<u16>,
    scale: i8,
    before_first_ack: bool,
    last_flags: Flags,
    /// Where the segments in flight end, oldest first; empty in a connection at rest.
    unacked: VecDeque<u32>,
}

packed!(Half {
    base,
    sent_syn_ack,
    next,
    next_time,
    max_to_be_acked,
    last_ack,
    last_ack_time,
    duplicate_acks,
    window,
    scale,
    before_first_ack,
    last_flags,
    unacked
});

impl Default for Half {
    fn default() -> Self {
        Self {
            base: None,
            sent_syn_ack: None,
            next: 0,
            next_time: Timestamp(0),
            max_to_be_acked: 0,
            last_ack: 0,
            last_ack_time: Timestamp(0),
            duplicate_acks: 0,
            window: None,
            scale: UNKNOWN_SCALING,
            before_first_ack: false,
            last_flags: Flags::default(),
            unacked: VecDeque::new(),
        }
    }
}

/// One `tcp.stream`: what tshark remembers of it.
#[derive(Debug, Clone, Default)]
pub struct WiresharkStream {
    halves: [Half; 2],
    last_syn: Option<Timestamp>,
    initial_rtt: Option<Span>,
    completeness: u8,
    first_seen: u8,
    begun: bool,
}

packed!(WiresharkStream { halves, last_syn, initial_rtt, completeness, first_seen, begun });

/// `a` is after `b` in sequence space. Of two numbers exactly half the space apart tshark takes each for after
/// the other, and each for not after the other where it asks that.
fn after(a: u32, b: u32) -> bool {
    (b.wrapping_sub(a) as i32) < 0
}

/// `a` is not after `b` in sequence space.
fn not_after(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) <= 0
}

/// An unsigned difference of times: a negative one is huge, as in tshark.
fn elapsed(now: Timestamp, then: Timestamp) -> u64 {
    now.0.wrapping_sub(then.0) as u64
}

impl WiresharkStream {
    /// Whether this segment makes tshark begin a new stream on the same addresses and ports: a SYN without ACK
    /// whose sequence number is not the one its direction began with.
    pub fn is_reused_by(&self, direction: Direction, head: &TcpHead) -> bool {
        head.flags.is_pure_syn() && self.half(direction).base.is_some_and(|base| base != head.seq)
    }

    /// `tcp.completeness` after the segments so far.
    pub fn completeness(&self) -> u8 {
        self.completeness
    }

    /// `tcp.analysis.initial_rtt`.
    pub fn initial_rtt(&self) -> Option<Span> {
        self.initial_rtt
    }

    /// Sequence number from which the relative ones of this direction count.
    pub fn base(&self, direction: Direction) -> Option<u32> {
        self.half(direction).base
    }

    /// `tcp.window_size_scalefactor` of this direction: -1 for unknown, -2 for no scaling, else a factor.
    pub fn scale_factor(&self, direction: Direction) -> i64 {
        match self.half(direction).scale {
            shift @ (UNKNOWN_SCALING | NO_SCALING) => i64::from(shift),
            shift => 1 << shift.clamp(0, 14),
        }
    }

    /// How many duplicate ACKs of this direction stand in a row.
    pub fn duplicate_acks(&self, direction: Direction) -> u32 {
        self.half(direction).duplicate_acks
    }

    /// Frames that tshark flags as reused ports in its second pass only: it begins that pass with the base
    /// sequence numbers that the first pass ended with, so a first SYN-ACK that was later contradicted is flagged
    /// too.
    pub fn reused_in_second_pass(&self) -> u32 {
        let late =
            |half: &&Half| half.sent_syn_ack.is_some_and(|(seq, flagged)| !flagged && half.base != Some(seq));
        self.halves.iter().filter(late).count() as u32
    }

    /// A segment that tshark counts in the stream and does not analyse, or that it finds quoted elsewhere.
    pub fn unanalysed(&mut self, flags: TcpFlags) {
        let first = !std::mem::replace(&mut self.begun, true);
        if first && flags.is_pure_syn() {
            self.completeness = completeness::SYN;
        }
    }

    fn half(&self, direction: Direction) -> &Half {
        let [up, down] = &self.halves;
        match direction {
            Direction::Up => up,
            Direction::Down => down,
        }
    }

    /// The next segment of the stream. `reused` tells that it began a new stream on used ports.
    pub fn segment(&mut self, time: Timestamp, direction: Direction, head: &TcpHead, reused: bool) -> Flags {
        let mut flags = Flags::default();
        if reused {
            flags.set(Flags::REUSED_PORTS);
        }
        self.note_completeness(head);
        let [up, down] = &mut self.halves;
        let (fwd, rev) = match direction {
            Direction::Up => (up, down),
            Direction::Down => (down, up),
        };
        note_base(fwd, rev, head, &mut flags);
        note_scale(fwd, rev, head);
        if head.flags.is_pure_syn() {
            self.last_syn = Some(time);
        }
        analyse(fwd, rev, time, head, self.initial_rtt, &mut flags);
        update(fwd, rev, time, head, flags);
        if head.flags.has(TcpFlags::ACK) && !head.flags.has(TcpFlags::SYN) {
            fwd.before_first_ack = false;
            // A SYN at time 0 is no SYN to tshark, whose unset time is 0.
            if let (None, Some(syn)) = (self.initial_rtt, self.last_syn.filter(|syn| syn.0 != 0)) {
                self.initial_rtt = Some(time - syn);
            }
        }
        flags
    }

    fn note_completeness(&mut self, head: &TcpHead) {
        let mut seen = 0;
        let (flags, length) = (head.flags, head.payload.length);
        if flags.is_syn_ack() {
            seen |= completeness::SYN_ACK;
        }
        if flags.0 & (TcpFlags::ACK | TcpFlags::SYN) == TcpFlags::ACK {
            seen |= if length > 0 { completeness::DATA } else { completeness::ACK };
            if flags.has(TcpFlags::FIN) {
                seen |= completeness::FIN;
            }
        }
        if flags.has(TcpFlags::RST) {
            seen |= completeness::RST;
        }
        if std::mem::replace(&mut self.begun, true) {
            self.completeness |= seen | std::mem::take(&mut self.first_seen);
        } else {
            // tshark learns what the first frame contributes in its second pass only, and shows it on later frames.
            self.first_seen = seen;
            if flags.is_pure_syn() {
                self.completeness = completeness::SYN;
                if length > 0 {
                    self.completeness |= completeness::DATA;
                }
            }
        }
    }
}

/// Base sequence numbers: relative numbers begin at 1 in a connection joined in its middle.
fn note_base(fwd: &mut Half, rev: &mut Half, head: &TcpHead, flags: &mut Flags) {
    if head.flags.is_pure_syn() && fwd.base == Some(head.seq) {
        // A repeated SYN: whatever was sent ahead of it was not accepted.
        fwd.next = fwd.max_to_be_acked;
    }
    if head.flags.is_syn_ack() && fwd.base.is_some_and(|base| base != head.seq) {
        flags.set(Flags::REUSED_PORTS);
        fwd.base = None;
    }
    if head.flags.is_syn_ack() && fwd.sent_syn_ack.is_none() {
        fwd.sent_syn_ack = Some((head.seq, flags.has(Flags::REUSED_PORTS)));
    }
    if fwd.base.is_none() {
        let syn = head.flags.has(TcpFlags::SYN);
        fwd.base = Some(if syn { head.seq } else { head.seq.wrapping_sub(1) });
    }
    if rev.base.is_none() && head.flags.has(TcpFlags::ACK) {
        rev.base = Some(head.ack.wrapping_sub(1));
    }
}

/// Window scaling holds only where both sides offered it.
fn note_scale(fwd: &mut Half, rev: &mut Half, head: &TcpHead) {
    if !head.flags.has(TcpFlags::SYN) {
        return;
    }
    fwd.before_first_ack = true;
    if let Some(shift) = head.options.window_scale {
        let refused = head.flags.is_syn_ack() && rev.scale == NO_SCALING;
        fwd.scale = if refused { NO_SCALING } else { shift.min(14) as i8 };
    } else {
        fwd.scale = NO_SCALING;
        rev.scale = NO_SCALING;
    }
}

/// The rules of `domain.md` C.7, in their order.
fn analyse(
    fwd: &mut Half,
    rev: &mut Half,
    time: Timestamp,
    head: &TcpHead,
    initial_rtt: Option<Span>,
    flags: &mut Flags,
) {
    let length = head.payload.length;
    let quiet = !head.flags.has(TcpFlags::SYN | TcpFlags::FIN | TcpFlags::RST);
    if length == 1 && head.seq == fwd.next && rev.window == Some(0) {
        flags.set(Flags::ZERO_WINDOW_PROBE);
    } else {
        analyse_windows(fwd, rev, head, quiet, flags);
    }
    if head.ack != fwd.last_ack {
        fwd.duplicate_acks = 0;
    }
    if rev.max_to_be_acked != 0 && after(head.ack, rev.max_to_be_acked) && head.flags.has(TcpFlags::ACK) {
        if after(rev.next, rev.max_to_be_acked) {
            rev.max_to_be_acked = rev.next;
            flags.set(Flags::ACK_LOST_SEGMENT);
        } else if rev.duplicate_acks == 0 {
            flags.set(Flags::ACK_LOST_SEGMENT);
            rev.duplicate_acks = u32::MAX;
        }
    }
    if (length > 0 || head.flags.has(TcpFlags::SYN | TcpFlags::FIN)) && !flags.has(Flags::KEEP_ALIVE) {
        analyse_repeats(fwd, rev, time, head, initial_rtt, flags);
    }
}

fn analyse_windows(fwd: &mut Half, rev: &Half, head: &TcpHead, quiet: bool, flags: &mut Flags) {
    let (length, window) = (head.payload.length, head.window);
    if window == 0 && quiet {
        flags.set(Flags::ZERO_WINDOW);
    }
    if fwd.next != 0 && after(head.seq, fwd.next) && !head.flags.has(TcpFlags::RST) {
        flags.set(Flags::LOST_SEGMENT);
    }
    if length <= 1 && head.seq == fwd.next.wrapping_sub(1) && quiet {
        flags.set(Flags::KEEP_ALIVE);
    }
    let nothing_new = length == 0 && head.seq == fwd.next && head.ack == fwd.last_ack && quiet;
    let same_window = fwd.window == Some(window);
    if nothing_new && window != 0 && !same_window {
        flags.set(Flags::WINDOW_UPDATE);
    }
    if length > 0 && quiet && rev.scale != UNKNOWN_SCALING && fills_window(rev, head) {
        flags.set(Flags::WINDOW_FULL);
    }
    if nothing_new && same_window {
        if window != 0 && rev.last_flags.has(Flags::KEEP_ALIVE) {
            flags.set(Flags::KEEP_ALIVE_ACK);
        } else if window == 0 && rev.last_flags.has(Flags::ZERO_WINDOW_PROBE) {
            flags.set(Flags::ZERO_WINDOW_PROBE_ACK);
        } else if window != 0 {
            fwd.duplicate_acks = if fwd.duplicate_acks == u32::MAX { 1 } else { fwd.duplicate_acks + 1 };
            flags.set(Flags::DUPLICATE_ACK);
        }
    }
}

/// Whether the segment ends exactly at the edge of the peer's window.
fn fills_window(rev: &Half, head: &TcpHead) -> bool {
    let shift = if rev.scale == NO_SCALING || rev.before_first_ack { 0 } else { rev.scale as u32 };
    let window = u32::from(rev.window.unwrap_or(0)).wrapping_shl(shift);
    head.seq.wrapping_add(head.payload.length) == rev.last_ack.wrapping_add(window)
}

/// Retransmissions, spurious and fast ones, and segments out of order.
fn analyse_repeats(
    fwd: &Half,
    rev: &Half,
    time: Timestamp,
    head: &TcpHead,
    initial_rtt: Option<Span>,
    flags: &mut Flags,
) {
    let length = head.payload.length;
    let end = head.seq.wrapping_add(length);
    let mut behind = fwd.next != 0 && after(fwd.next, head.seq);
    if length > 1 && head.seq == fwd.next.wrapping_sub(1) {
        behind = false;
    }
    if length > 0 && rev.last_ack != 0 && not_after(end, rev.last_ack) {
        flags.set(Flags::SPURIOUS_RETRANSMISSION);
        return;
    }
    if !behind {
        return;
    }
    if rev.duplicate_acks >= 2
        && rev.last_ack == head.seq
        && elapsed(time, rev.last_ack_time) < FAST_RETRANSMISSION_WITHIN.0 as u64
    {
        flags.set(Flags::FAST_RETRANSMISSION);
        return;
    }
    let near = match initial_rtt {
        Some(rtt) if rtt.0 != 0 => rtt.0 as u64,
        _ => OUT_OF_ORDER_DEFAULT.0 as u64,
    };
    let control = u32::from(head.flags.has(TcpFlags::SYN | TcpFlags::FIN));
    if elapsed(time, fwd.next_time) < near && fwd.next != end.wrapping_add(control) {
        flags.set(Flags::OUT_OF_ORDER);
        return;
    }
    flags.set(Flags::RETRANSMISSION);
}

/// What the next segment is measured against.
fn update(fwd: &mut Half, rev: &mut Half, time: Timestamp, head: &TcpHead, flags: Flags) {
    let length = head.payload.length;
    let control = head.flags.has(TcpFlags::SYN | TcpFlags::FIN);
    let mut next = head.seq.wrapping_add(length);
    if (length > 0 || control) && fwd.unacked.len() < UNACKED_SEGMENTS {
        // Beyond the bound tshark forgets the octet of SYN and FIN too.
        next = next.wrapping_add(u32::from(control));
        fwd.unacked.push_back(next);
    }
    let probe = flags.has(Flags::ZERO_WINDOW_PROBE);
    if !probe && (fwd.next == 0 || after(next, fwd.next)) {
        fwd.next = next;
        fwd.next_time = time;
    }
    if !probe && (fwd.max_to_be_acked == 0 || head.seq == fwd.max_to_be_acked) {
        fwd.max_to_be_acked = fwd.next;
    }
    fwd.window = Some(head.window);
    fwd.last_ack = head.ack;
    fwd.last_ack_time = time;
    fwd.last_flags = flags;
    while rev.unacked.front().is_some_and(|&next| !after(next, head.ack)) {
        rev.unacked.pop_front();
    }
    if rev.unacked.is_empty() && rev.unacked.capacity() > 64 {
        rev.unacked = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Payload;

    fn head(flags: u16, seq: u32, ack: u32, length: u32) -> TcpHead {
        let payload = Payload { length, ..Payload::default() };
        TcpHead { seq, ack, flags: TcpFlags(flags), window: 500, payload, ..TcpHead::default() }
    }

    #[test]
    fn half_the_sequence_space_is_both_ahead_and_behind() {
        for (ahead, expected) in [
            ((1 << 31) - 1, Flags::LOST_SEGMENT.0),
            (1 << 31, Flags::LOST_SEGMENT.0 | Flags::RETRANSMISSION.0),
            ((1 << 31) + 1, Flags::RETRANSMISSION.0),
        ] {
            let mut stream = WiresharkStream::default();
            stream.segment(Timestamp(0), Direction::Up, &head(TcpFlags::ACK, 1000, 1, 10), false);
            let far = head(TcpFlags::ACK, 1010_u32.wrapping_add(ahead), 1, 10);
            let flags = stream.segment(Timestamp(1_000_000_000), Direction::Up, &far, false);
            assert_eq!(flags.0, expected, "{ahead}");
        }
    }
}
