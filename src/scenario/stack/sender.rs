//! What a stack sends: new data, data again, probes; and what acknowledgements do to that.

use super::{FIRST_TIMEOUT, Flags, Flight, Options, SYN_ACK_RETRIES, Segment, Stack, State};

/// Least timeout of data, as on Linux; the standard says one second, which hardly anybody obeys.
const LEAST_TIMEOUT: i64 = 200_000_000;

/// Longest timeout, as on Linux.
const LONGEST_TIMEOUT: i64 = 120_000_000_000;

/// Duplicate acknowledgements that mean a loss (RFC 5681 section 3.2).
const DUPLICATES: u32 = 3;

/// Most segments under way: slow start ends somewhere.
const MOST_UNDER_WAY: usize = 1_024;

impl Stack {
    /// A segment without data at the next sequence number, with everything that a segment always has.
    pub(in crate::scenario) fn plain(&self, now: i64) -> Segment {
        let clock = (now / 1_000_000) as u32;
        let timestamps =
            self.traits.timestamps.then(|| (self.traits.clock.wrapping_add(clock), self.ts_recent));
        let knows_peer = matches!(self.state, State::SynReceived | State::Open);
        Segment {
            seq: self.nxt,
            ack: knows_peer.then_some(self.rcv_nxt),
            window: self.window_field(false),
            options: Options { timestamps, sack: self.blocks(), ..Options::default() },
            ..Segment::default()
        }
    }

    /// Sends something for the first time.
    pub(in crate::scenario) fn send_new(&mut self, now: i64, data: Vec<u8>, flags: Flags) {
        let flight = Flight { seq: self.nxt, data, flags, sent: now, times: 0, sacked: false };
        self.nxt = flight.end();
        self.flight.push_back(flight);
        self.transmit(now, self.flight.len() - 1);
        if self.timer.is_none() || self.flight.len() == 1 {
            self.restart_timer(now);
        }
    }

    /// Sends what lies at `index` of the flight.
    fn transmit(&mut self, now: i64, index: usize) {
        let mut segment = self.plain(now);
        let cookie = self.cookie;
        let Some(flight) = self.flight.get_mut(index) else { return };
        flight.times += 1;
        flight.sent = now;
        segment.seq = flight.seq;
        segment.flags = flight.flags;
        segment.data.clone_from(&flight.data);
        if flight.flags.syn {
            segment.window = self.window_field(true);
            segment.options = self.syn_options(now);
            // A SYN that is sent again leaves out what may have kept it from arriving (RFC 7413 section 4.1.3).
            if cookie && segment.ack.is_none() {
                let first = self.flight[index].times == 1;
                segment.options.fast_open = first.then_some(*b"ghost\0\0\x01");
                if !first {
                    segment.data.clear();
                }
            }
        }
        self.note_ack_sent();
        self.out.push(segment);
    }

    /// Sends the oldest unacknowledged segment again.
    pub(in crate::scenario) fn resend_first(&mut self, now: i64) {
        if let Some(index) = self.flight.iter().position(|flight| !flight.sacked) {
            self.transmit(now, index);
        }
    }

    /// Sends what windows allow.
    pub(in crate::scenario) fn pump(&mut self, now: i64) {
        if self.state != State::Open {
            return;
        }
        let options = self.plain(now).options.to_bytes().len();
        let most = usize::from(self.traits.mss).saturating_sub(options).max(1);
        while let Some(write) = self.writes.front_mut() {
            let under_way = self.flight.iter().filter(|flight| !flight.sacked).count();
            let window = (self.una + self.peer_window).saturating_sub(self.nxt) as usize;
            let take = most.min(write.len()).min(window);
            if take == 0 || under_way >= self.congestion {
                break;
            }
            let data = write.drain(..take).collect();
            let psh = write.is_empty();
            if psh {
                self.writes.pop_front();
            }
            self.probing = false;
            self.send_new(now, data, Flags { psh, ..Flags::default() });
        }
        if self.fin_asked && !self.fin_sent && self.writes.is_empty() {
            self.fin_sent = true;
            self.passive = self.peer_fin;
            self.send_new(now, Vec::new(), Flags { fin: true, ..Flags::default() });
        }
        // Nothing may be sent and nothing is under way: somebody has to ask whether the window is open again.
        if !self.writes.is_empty() && self.flight.is_empty() && self.timer.is_none() {
            self.restart_timer(now);
        }
    }

    /// Waits afresh for what is under way.
    pub(in crate::scenario) fn restart_timer(&mut self, now: i64) {
        self.timer = Some(now + self.timeout());
    }

    /// How long to wait for an acknowledgement (RFC 6298 section 2).
    fn timeout(&self) -> i64 {
        let first = self
            .smoothed
            .map_or(FIRST_TIMEOUT, |(mean, deviation)| mean + (4 * deviation).max(LEAST_TIMEOUT));
        first.saturating_mul(1 << self.backoff.min(30)).min(LONGEST_TIMEOUT)
    }

    /// The timer has run out: send the oldest again, probe the window, or give up.
    pub(in crate::scenario) fn time_out(&mut self, now: i64) {
        let retries = match self.state {
            State::SynSent => self.syn_retries,
            State::SynReceived => SYN_ACK_RETRIES,
            _ => self.traits.retries,
        };
        if let Some(oldest) = self.flight.iter().find(|flight| !flight.sacked) {
            if oldest.times > retries && self.backoff >= retries {
                return self.forget();
            }
            self.resend_first(now);
            if self.state == State::Open {
                self.congestion = 1;
                self.recover = Some(self.nxt);
            }
        } else if let Some(byte) = self.writes.front().and_then(|write| write.front()).copied() {
            let mut probe = self.plain(now);
            probe.data = vec![byte];
            self.probing = true;
            self.note_ack_sent();
            self.out.push(probe);
        } else {
            self.timer = None;
            return;
        }
        self.backoff += 1;
        self.restart_timer(now);
    }

    /// What the peer's acknowledgement tells.
    pub(in crate::scenario) fn take_ack(&mut self, now: i64, ack: u64, segment: &Segment) {
        if self.state == State::SynReceived {
            if ack != self.nxt {
                return;
            }
            self.state = State::Open;
        }
        if ack < self.una || ack > self.nxt + u64::from(self.probing) {
            return;
        }
        let shift = if segment.flags.syn { 0 } else { self.traits.scale.unwrap_or(0) };
        let window = u64::from(segment.window) << shift;
        let same_window = window == self.peer_window;
        self.peer_window = window;
        for flight in &mut self.flight {
            let inside = |(start, end): &(u64, u64)| *start <= flight.seq && flight.end() <= *end;
            flight.sacked |= segment.options.sack.iter().any(inside);
        }
        if ack > self.una {
            self.advance(now, ack);
        } else if segment.data.is_empty() && !segment.flags.fin && same_window && !self.flight.is_empty() {
            self.count_duplicate(now);
        }
        if self.flight.is_empty() && self.peer_window > 0 {
            // The window is open again, or was never closed: the next timeout starts afresh.
            self.backoff = 0;
            self.timer = None;
        }
    }

    /// New data are acknowledged.
    fn advance(&mut self, now: i64, ack: u64) {
        if ack > self.nxt {
            // The byte of the probe was taken after all.
            self.nxt = ack;
            if let Some(write) = self.writes.front_mut() {
                write.pop_front();
                if write.is_empty() {
                    self.writes.pop_front();
                }
            }
            self.probing = false;
        }
        let mut sample = None;
        while self.flight.front().is_some_and(|flight| flight.end() <= ack) {
            if let Some(done) = self.flight.pop_front() {
                // Only what was sent once tells a round trip (Karn).
                sample = if done.times == 1 { Some(now - done.sent) } else { None };
                self.congestion = (self.congestion + 1).min(MOST_UNDER_WAY);
            }
        }
        if let Some(sample) = sample {
            self.smoothed = Some(self.smoothed.map_or((sample, sample / 2), |(mean, deviation)| {
                let deviation = (3 * deviation + (mean - sample).abs()) / 4;
                ((7 * mean + sample) / 8, deviation)
            }));
        }
        self.una = ack;
        self.backoff = 0;
        self.duplicates = 0;
        self.timer = (!self.flight.is_empty()).then(|| now + self.timeout());
        match self.recover {
            Some(until) if ack < until => self.resend_first(now),
            _ => self.recover = None,
        }
        if self.passive && self.flight.is_empty() && self.fin_sent {
            self.forget();
        }
    }

    /// The same acknowledgement again.
    fn count_duplicate(&mut self, now: i64) {
        self.duplicates += 1;
        if self.duplicates == DUPLICATES && self.recover.is_none() {
            self.recover = Some(self.nxt);
            self.resend_first(now);
            self.restart_timer(now);
        } else if self.duplicates > DUPLICATES {
            // Further holes below what has arrived are filled one an acknowledgement (RFC 6675).
            let last = self.flight.iter().rposition(|flight| flight.sacked).unwrap_or(0);
            let hole = self.flight.iter().take(last).position(|flight| !flight.sacked && flight.times == 1);
            if let Some(index) = hole {
                self.transmit(now, index);
            }
        }
    }

    /// Data that rode on the SYN and were not taken are queued to be sent in the usual way.
    pub(in crate::scenario) fn requeue_early_data(&mut self, ack: u64) {
        if let Some(syn) = self.flight.front_mut()
            && ack < syn.end()
        {
            let data = std::mem::take(&mut syn.data);
            self.nxt = self.iss + 1;
            self.writes.push_front(data.into());
        }
    }
}
