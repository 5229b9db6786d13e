//! A TCP stack for one side of one connection: what it would send, and when.
//!
//! It follows RFC 9293, with the habits of Linux where the standard leaves a choice: delayed acknowledgements,
//! retransmission timers of RFC 6298 with a floor of 200 ms, three duplicate ACKs for a fast retransmission,
//! SACK and D-SACK, ten segments at the start. It has no congestion control beyond slow start, and no tail
//! loss probe. Times are nanoseconds since the start of the story, as seen at the tap.

mod receiver;
mod sender;

use std::collections::VecDeque;

use super::script::{Pair, Setup, Side, Unreachable};
use super::segment::{Flags, Options, Segment};

/// First timeout, before a round trip was measured (RFC 6298 section 2.1).
const FIRST_TIMEOUT: i64 = 1_000_000_000;

/// Added to 32-bit initial sequence numbers, so that a little less than the first is still a number.
const ROOM_BELOW: u64 = 1 << 32;

/// Retries of a SYN on Linux.
const SYN_RETRIES: u32 = 6;

/// Retries of a SYN-ACK on Linux.
const SYN_ACK_RETRIES: u32 = 5;

/// What is known of the other side's SYN and ACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No connection.
    Closed,
    /// SYN sent.
    SynSent,
    /// SYN received and answered.
    SynReceived,
    /// Both are sure; includes all states of closing.
    Open,
}

/// What is done with a SYN when there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manners {
    /// Answer it.
    Accept,
    /// Answer it, but leave data in it alone.
    AcceptWithoutData,
    /// Reset.
    Refuse,
    /// Say nothing.
    Ignore,
}

/// How the stack is set up.
#[derive(Debug, Clone)]
struct Traits {
    mss: u16,
    timestamps: bool,
    sack: bool,
    scale: Option<u8>,
    isn: u32,
    buffer: u32,
    retries: u32,
    delayed_ack: i64,
    clock: u32,
}

/// A sent segment that is not yet acknowledged.
#[derive(Debug, Clone)]
struct Flight {
    seq: u64,
    data: Vec<u8>,
    flags: Flags,
    /// When it was last sent.
    sent: i64,
    times: u32,
    sacked: bool,
}

impl Flight {
    fn end(&self) -> u64 {
        self.seq + self.data.len() as u64 + u64::from(self.flags.syn) + u64::from(self.flags.fin)
    }
}

/// One side of a connection.
#[derive(Debug, Clone)]
pub(super) struct Stack {
    traits: Traits,
    /// What to do with a SYN that comes out of the blue.
    pub(super) manners: Manners,
    state: State,
    incarnation: u32,
    out: Vec<Segment>,

    // What this side sends.
    iss: u64,
    una: u64,
    nxt: u64,
    /// What the application has sent and the window has not yet let pass, one entry a write.
    writes: VecDeque<VecDeque<u8>>,
    flight: VecDeque<Flight>,
    fin_asked: bool,
    fin_sent: bool,
    peer_window: u64,
    /// Segments that may be under way.
    congestion: usize,
    duplicates: u32,
    /// Until where a loss is being repaired.
    recover: Option<u64>,
    smoothed: Option<(i64, i64)>,
    backoff: u32,
    timer: Option<i64>,
    /// Whether a byte was sent into a closed window.
    probing: bool,
    syn_retries: u32,
    cookie: bool,

    // What this side receives.
    irs: u64,
    rcv_nxt: u64,
    /// Ranges behind a hole, the latest first.
    early: Vec<(u64, u64)>,
    peer_fin_at: Option<u64>,
    peer_fin: bool,
    /// Whether the peer finished before this side did.
    passive: bool,
    used: u64,
    stalled: bool,
    orphan: bool,
    ack_due: Option<i64>,
    unacked: u32,
    last_ack_sent: u64,
    ts_recent: u32,
}

impl Stack {
    /// The stack of `side` in the connection with this place in the story.
    pub(super) fn new(setup: &Setup, side: Side, place: u32) -> Self {
        // Without options, the header of TCP takes 20 bytes, that of IPv4 20, and that of IPv6 40.
        let headers = if setup.ends.client.address.is_ipv6() { 60 } else { 40 };
        // Any numbers will do; these are far apart and below 2^31, so that no story wraps by accident.
        let made: Pair<u32> = Pair { client: 0x1234_5000, server: 0x4321_9000 };
        let isn =
            setup.isn.of(side).unwrap_or_else(|| made.of(side).wrapping_add(place.wrapping_mul(0x0010_0301)));
        let traits = Traits {
            mss: setup.mss.unwrap_or(setup.mtu - headers),
            timestamps: setup.timestamps,
            sack: setup.sack,
            scale: setup.window_scale,
            isn,
            buffer: *setup.window.of(side),
            retries: setup.retries,
            delayed_ack: setup.delayed_ack,
            clock: *Pair { client: 1_000_000, server: 3_000_000_000 }.of(side),
        };
        let manners = if side == Side::Server { Manners::Accept } else { Manners::Refuse };
        Self::fresh(traits, manners, 0)
    }

    fn fresh(traits: Traits, manners: Manners, incarnation: u32) -> Self {
        let iss = ROOM_BELOW + u64::from(traits.isn.wrapping_add(incarnation.wrapping_mul(0x0003_0D41)));
        Self {
            traits,
            manners,
            state: State::Closed,
            incarnation,
            out: Vec::new(),
            iss,
            una: iss,
            nxt: iss,
            writes: VecDeque::new(),
            flight: VecDeque::new(),
            fin_asked: false,
            fin_sent: false,
            peer_window: 0,
            congestion: 10,
            duplicates: 0,
            recover: None,
            smoothed: None,
            backoff: 0,
            timer: None,
            probing: false,
            syn_retries: SYN_RETRIES,
            cookie: false,
            irs: 0,
            rcv_nxt: 0,
            early: Vec::new(),
            peer_fin_at: None,
            peer_fin: false,
            passive: false,
            used: 0,
            stalled: false,
            orphan: false,
            ack_due: None,
            unacked: 0,
            last_ack_sent: 0,
            ts_recent: 0,
        }
    }

    /// Forgets the old connection for a new one, with other numbers.
    fn renew(&mut self) {
        let used = u32::from(self.iss != self.nxt);
        let out = std::mem::take(&mut self.out);
        let stalled = self.stalled;
        *self = Self::fresh(self.traits.clone(), self.manners, self.incarnation + used);
        (self.out, self.stalled) = (out, stalled);
    }

    /// Opens actively. `retries` of the SYN, else as Linux; `early` data ride on the SYN.
    pub(super) fn connect(
        &mut self,
        now: i64,
        isn: Option<u32>,
        retries: Option<u32>,
        early: Option<Vec<u8>>,
    ) {
        self.renew();
        if let Some(isn) = isn {
            self.iss = ROOM_BELOW + u64::from(isn);
            (self.una, self.nxt) = (self.iss, self.iss);
        }
        self.syn_retries = retries.unwrap_or(SYN_RETRIES);
        self.state = State::SynSent;
        self.cookie = early.is_some();
        let flags = Flags { syn: true, ..Flags::default() };
        self.send_new(now, early.unwrap_or_default(), flags);
    }

    /// The application sends.
    pub(super) fn write(&mut self, now: i64, data: &[u8]) {
        if !data.is_empty() {
            self.writes.push_back(data.iter().copied().collect());
            self.pump(now);
        }
    }

    /// The application will send no more.
    pub(super) fn finish(&mut self, now: i64) {
        self.fin_asked = true;
        self.pump(now);
    }

    /// The application is gone: whatever comes from now on is answered by a reset, and if it left something
    /// unread, that is said at once.
    pub(super) fn close(&mut self, now: i64) {
        if self.used > 0 {
            self.abort(now, false);
        } else {
            self.orphan = true;
            self.finish(now);
        }
    }

    /// Resets the connection.
    pub(super) fn abort(&mut self, now: i64, bare: bool) {
        let mut reset = self.plain(now);
        reset.flags.rst = true;
        if bare {
            reset.ack = None;
            reset.window = 0;
            reset.options = Options::default();
        }
        self.out.push(reset);
        self.forget();
    }

    /// Loses the connection without a word.
    pub(super) fn forget(&mut self) {
        self.state = State::Closed;
        self.writes.clear();
        self.flight.clear();
        self.timer = None;
        self.ack_due = None;
    }

    /// A keep-alive probe, with a byte of garbage as some stacks send it.
    pub(super) fn keep_alive(&mut self, now: i64, byte: bool) {
        let mut probe = self.plain(now);
        probe.seq = self.nxt - 1;
        probe.data = vec![0; usize::from(byte)];
        self.out.push(probe);
    }

    /// Gives the receive buffer another size and tells the peer.
    pub(super) fn set_window(&mut self, now: i64, bytes: u32) {
        self.traits.buffer = bytes;
        self.acknowledge(now, None);
    }

    /// The application stops reading.
    pub(super) fn stall(&mut self) {
        self.stalled = true;
    }

    /// The application reads everything and goes on reading.
    pub(super) fn read(&mut self, now: i64) {
        self.stalled = false;
        if self.used > 0 {
            self.used = 0;
            self.acknowledge(now, None);
        }
    }

    /// Whether data can flow.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether there is a connection, or one is being made.
    pub(super) fn is_alive(&self) -> bool {
        self.state != State::Closed
    }

    /// Whether both directions are finished, so that the same ports may be used again.
    pub(super) fn is_over(&self) -> bool {
        !self.is_alive() || (self.peer_fin && self.fin_sent && self.una == self.nxt)
    }

    /// Whether the application has said that it will send no more.
    pub(super) fn is_finished(&self) -> bool {
        self.fin_asked
    }

    /// Whether the peer has finished.
    pub(super) fn sees_end(&self) -> bool {
        self.peer_fin
    }

    /// Whether nothing more can come in for now.
    pub(super) fn is_stuffed(&self) -> bool {
        self.stalled || self.room() == 0
    }

    /// Whether everything that the application of `peer` has sent has arrived here.
    pub(super) fn has_all_of(&self, peer: &Self) -> bool {
        !peer.is_alive()
            || (peer.writes.is_empty() && self.rcv_nxt == peer.nxt && peer.fin_asked == peer.fin_sent)
    }

    /// Initial and next sequence number, and what is expected of the peer.
    pub(super) fn numbers(&self) -> (u64, u64, u64) {
        (self.iss, self.nxt, self.rcv_nxt)
    }

    /// Initial sequence number of the peer.
    pub(super) fn peer_isn(&self) -> u64 {
        self.irs
    }

    /// What the side wants sent, in order.
    pub(super) fn take_out(&mut self) -> Vec<Segment> {
        std::mem::take(&mut self.out)
    }

    /// When the side acts by itself next.
    pub(super) fn deadline(&self) -> Option<i64> {
        match (self.timer, self.ack_due) {
            (Some(timer), Some(ack)) => Some(timer.min(ack)),
            (timer, ack) => timer.or(ack),
        }
    }

    /// Whether the only thing left to wait for is a window that may stay closed for ever.
    pub(super) fn only_probes(&self) -> bool {
        self.ack_due.is_none() && self.flight.is_empty()
    }

    /// Whether an acknowledgement is still owed.
    pub(super) fn owes_ack(&self) -> bool {
        self.ack_due.is_some()
    }

    /// Acts on the deadlines that have come.
    pub(super) fn expire(&mut self, now: i64) {
        if self.ack_due.is_some_and(|due| due <= now) {
            self.acknowledge(now, None);
        }
        if self.timer.is_some_and(|due| due <= now) {
            self.time_out(now);
        }
    }

    /// An ICMP error about a segment of this side: while connecting it ends the attempt, as on Linux; later
    /// it is only a hint (RFC 5927 section 4.1). A packet that is too big says nothing about the peer.
    pub(super) fn hear_complaint(&mut self, kind: Unreachable) {
        let hint = matches!(kind, Unreachable::TimeExceeded | Unreachable::TooBig { .. });
        if self.state == State::SynSent && !hint {
            self.forget();
        }
    }

    /// The options of a SYN.
    pub(super) fn syn_options(&self, now: i64) -> Options {
        Options {
            mss: Some(self.traits.mss),
            sack_permitted: self.traits.sack,
            window_scale: self.traits.scale,
            ..self.plain(now).options
        }
    }

    /// Takes a segment from the peer.
    pub(super) fn arrive(&mut self, now: i64, segment: &Segment) {
        match self.state {
            State::Closed => self.arrive_closed(now, segment),
            State::SynSent => self.arrive_opening(now, segment),
            State::SynReceived | State::Open => self.arrive_synchronised(now, segment),
        }
    }

    fn arrive_closed(&mut self, now: i64, segment: &Segment) {
        if segment.flags.rst {
            return;
        }
        if segment.flags.syn && segment.ack.is_none() {
            match self.manners {
                Manners::Accept | Manners::AcceptWithoutData => return self.accept(now, segment),
                Manners::Ignore => return,
                Manners::Refuse => {}
            }
        }
        self.out.push(Segment::stateless_reset(segment));
    }

    /// Answers a SYN.
    fn accept(&mut self, now: i64, syn: &Segment) {
        self.renew();
        self.state = State::SynReceived;
        self.take_syn(syn);
        self.cookie = syn.options.fast_open.is_some();
        if self.manners == Manners::Accept {
            self.rcv_nxt = syn.end();
        }
        self.send_new(now, Vec::new(), Flags { syn: true, ..Flags::default() });
    }

    /// Notes what a SYN says.
    fn take_syn(&mut self, syn: &Segment) {
        self.irs = syn.seq;
        self.rcv_nxt = self.rcv_nxt.max(syn.seq + 1);
        self.peer_window = u64::from(syn.window);
        self.ts_recent = syn.options.timestamps.map_or(0, |(value, _)| value);
    }

    /// In SYN-SENT (RFC 9293 section 3.10.7.3).
    fn arrive_opening(&mut self, now: i64, segment: &Segment) {
        let acceptable = segment.ack.is_none_or(|ack| ack > self.iss && ack <= self.nxt);
        if !acceptable {
            if !segment.flags.rst {
                self.out.push(Segment::stateless_reset(segment));
            }
        } else if segment.flags.rst {
            if segment.ack.is_some() {
                self.forget();
            }
        } else if segment.flags.syn {
            self.take_syn(segment);
            if let Some(ack) = segment.ack {
                self.state = State::Open;
                self.requeue_early_data(ack);
                self.take_ack(now, ack, segment);
                self.acknowledge(now, None);
                self.pump(now);
            } else {
                // The peer opens as well: the SYN goes out again, now with an acknowledgement.
                self.state = State::SynReceived;
                self.resend_first(now);
            }
        }
    }

    /// In SYN-RECEIVED and later (RFC 9293 section 3.10.7.4, RFC 5961 sections 3 and 4).
    fn arrive_synchronised(&mut self, now: i64, segment: &Segment) {
        if segment.flags.rst {
            let window = self.room().max(1);
            if segment.seq >= self.rcv_nxt && segment.seq < self.rcv_nxt + window {
                self.forget();
            }
            return;
        }
        if segment.flags.syn {
            return self.arrive_late_syn(now, segment);
        }
        if let Some((value, _)) = segment.options.timestamps
            && segment.seq <= self.last_ack_sent.max(self.irs + 1)
            && segment.end() >= self.last_ack_sent
        {
            self.ts_recent = value;
        }
        if let Some(ack) = segment.ack {
            self.take_ack(now, ack, segment);
        }
        if self.state == State::Open {
            self.receive(now, segment);
            self.pump(now);
        }
    }

    /// A SYN where there is a connection already.
    fn arrive_late_syn(&mut self, now: i64, segment: &Segment) {
        match (self.state, segment.ack) {
            (State::SynReceived, None) if segment.seq == self.irs => {
                self.take_syn(segment);
                self.resend_first(now);
                self.restart_timer(now);
            }
            (State::SynReceived, Some(ack)) => self.take_ack(now, ack, segment),
            (_, None) if self.is_over() && self.manners != Manners::Refuse => self.accept(now, segment),
            // A challenge: if the peer has really forgotten, it will answer with a reset.
            _ => self.acknowledge(now, None),
        }
    }
}
