//! One end of a TCP connection as Zeek sees it: its state and its sequence numbers.

use super::history::Scaled;
use crate::packet::{TcpFlags, TcpHead};
use crate::stream::pack::packed;

/// A change of sequence number that Zeek does not believe of a SYN or RST, in bytes.
const LARGE_JUMP: i32 = 1 << 20;

/// What Zeek has seen of one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    /// Nothing, or nothing that counts.
    #[default]
    Inactive,
    /// The originator's SYN.
    SynSent,
    /// A SYN-ACK from the end taken for the originator.
    SynAckSent,
    /// Traffic without a SYN before it.
    Partial,
    /// The handshake, as far as this end is concerned.
    Established,
    /// A FIN.
    Closed,
    /// A RST.
    Reset,
}

packed!(State: Inactive | SynSent | SynAckSent | Partial | Established | Closed | Reset);

/// One end. Sequence numbers are 32 bits as sent and compared by their distance (RFC 9293 §3.4).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct End {
    pub(super) state: State,
    /// The state before this one.
    pub(super) before: State,
    /// A FIN was seen.
    pub(super) has_fin: bool,
    /// More than 2³⁰ bytes beyond `start`, so that the distance to it no longer tells what is older.
    far: bool,
    /// More than SYN and FIN was sent or acknowledged.
    pub(super) sized: bool,
    /// Sequence number of the SYN, seen or supposed.
    pub(super) start: u32,
    /// One past the highest segment.
    last: u32,
    /// One past the bytes that lie in order from the start.
    next: u32,
    /// Bytes beyond a hole at `next`; holes between them are taken for filled. Equal where there are none.
    ahead: (u32, u32),
    /// Relative sequence numbers of the last SYN, FIN and RST that the history mentions.
    pub(super) last_syn: u32,
    pub(super) last_fin: u32,
    pub(super) last_rst: u32,
    pub(super) zero_windows: Scaled,
    pub(super) retransmissions: Scaled,
    pub(super) gaps: Scaled,
}

packed!(End {
    state,
    before,
    has_fin,
    far,
    sized,
    start,
    last,
    next,
    ahead,
    last_syn,
    last_fin,
    last_rst,
    zero_windows,
    retransmissions,
    gaps
});

impl End {
    /// Moves to a state, and remembers the one before.
    pub(super) fn enter(&mut self, state: State) {
        if state != self.state {
            self.before = self.state;
            self.state = state;
        }
    }

    /// Numbers the stream as if its SYN had been `start`.
    fn number_from(&mut self, start: u32, last: u32) {
        self.start = start;
        self.last = last;
        self.next = start.wrapping_add(1);
        self.ahead = (0, 0);
        self.far = false;
        self.sized = false;
    }

    /// Takes the numbering from a segment of this end where Zeek does: the first one, and SYNs that begin
    /// anew.
    pub(super) fn begin(&mut self, flags: TcpFlags, seq: u32, end: u32) {
        let syn = flags.has(TcpFlags::SYN);
        match self.state {
            State::Inactive if !syn => self.number_from(seq.wrapping_sub(1), seq),
            State::Inactive | State::Established | State::Partial if syn => self.number_from(seq, end),
            State::SynSent | State::SynAckSent if syn && seq != self.start => self.number_from(seq, end),
            State::Reset if syn && self.before == State::Inactive => self.number_from(seq, end),
            _ => {}
        }
    }

    /// Whether a sequence number lies before the stream's start.
    fn underflows(&self, seq: u32) -> bool {
        !self.far && distance(self.start, seq) < 0
    }

    /// Moves the highest sequence number; whether the segment's payload was sent before.
    pub(super) fn advance(&mut self, flags: TcpFlags, end: u32, length: u32) -> bool {
        let moved = distance(self.last, end);
        let unbelievable =
            flags.has(TcpFlags::SYN | TcpFlags::RST) && !(-LARGE_JUMP..=LARGE_JUMP).contains(&moved);
        let only_syn_so_far = self.last == self.start.wrapping_add(1);
        if unbelievable {
            return false;
        }
        // A FIN far away after nothing but the SYN is believed in any direction: the bytes between were not
        // recorded.
        if flags.has(TcpFlags::FIN) && only_syn_so_far {
            self.reach(end);
            return false;
        }
        if self.state == State::Reset {
            return false;
        }
        if moved > 0 {
            self.reach(end);
        }
        moved <= 0 && length > 0
    }

    fn reach(&mut self, last: u32) {
        self.last = last;
        self.far |= last.wrapping_sub(self.start) > 1 << 30;
        self.measure(last);
    }

    /// Notes that the stream reaches to `end`, by being sent or acknowledged.
    fn measure(&mut self, end: u32) {
        self.sized |= self.far || distance(self.start, end) > 1 + i32::from(self.has_fin);
    }

    /// The other end sent this acknowledgment number: it numbers an end that has not spoken yet, and measures
    /// one that has. What it acknowledges, if that can be true.
    pub(super) fn hear_ack(&mut self, flags: TcpFlags, ack: u32) -> Option<u32> {
        if self.state == State::Inactive {
            let start = ack.wrapping_sub(1);
            self.number_from(start, start);
            return None;
        }
        if self.underflows(ack) {
            return None;
        }
        // The number in a RST is not believed, and neither is a zero far from everything.
        let broken_zero = ack == 0 && distance(self.last, ack) > LARGE_JUMP;
        if !flags.has(TcpFlags::RST) && !broken_zero {
            self.measure(ack);
        }
        Some(ack)
    }

    /// Puts the payload, and the number that a FIN takes, in order.
    pub(super) fn take_payload(&mut self, head: &TcpHead) {
        if head.flags.has(TcpFlags::RST) || self.underflows(head.seq) {
            return;
        }
        let from = head.seq.wrapping_add(u32::from(head.flags.has(TcpFlags::SYN)));
        let to = from.wrapping_add(head.payload.length);
        // Zeek does not take payload that the recorder cut.
        if head.payload.length > 0 && head.payload.captured.length >= head.payload.length {
            self.deliver(from, to);
        }
        if head.flags.has(TcpFlags::FIN) {
            self.deliver(to, to.wrapping_add(1));
        }
    }

    /// Puts delivered bytes in order.
    fn deliver(&mut self, from: u32, to: u32) {
        if distance(self.next, from) > 0 {
            let (ahead_from, ahead_to) = self.ahead;
            self.ahead = if ahead_from == ahead_to {
                (from, to)
            } else {
                (earlier(ahead_from, from), later(ahead_to, to))
            };
        } else {
            self.next = later(self.next, to);
            self.join();
        }
    }

    /// Takes in what lay beyond the hole, once the hole is filled.
    fn join(&mut self) {
        let (ahead_from, ahead_to) = self.ahead;
        if ahead_from != ahead_to && distance(ahead_from, self.next) >= 0 {
            self.next = later(self.next, ahead_to);
            self.ahead = (0, 0);
        }
    }

    /// The other end acknowledged up to `ack`; how many holes lie before it.
    pub(super) fn acknowledge(&mut self, ack: u32) -> u32 {
        let mut holes = 0;
        while distance(self.next, ack) > 0 {
            holes += 1;
            let (ahead_from, ahead_to) = self.ahead;
            let hole_ends_before = ahead_from != ahead_to && distance(ahead_from, ack) > 0;
            self.next = if hole_ends_before { ahead_from } else { ack };
            self.join();
        }
        holes
    }

    /// Whether holes of this end are worth a letter: its handshake was seen, and its end was no RST.
    pub(super) fn is_clean(&self) -> bool {
        self.state == State::Established || (self.state == State::Closed && self.before == State::Established)
    }

    /// Whether this end opened nothing and closed nothing.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.state, State::Inactive | State::Partial)
    }
}

/// How far `to` lies beyond `from`; negative if before.
fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from) as i32
}

fn later(a: u32, b: u32) -> u32 {
    if distance(a, b) > 0 { b } else { a }
}

fn earlier(a: u32, b: u32) -> u32 {
    if distance(a, b) > 0 { a } else { b }
}
