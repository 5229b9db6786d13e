//! What a stack receives: order, holes, windows, and when it acknowledges.

use super::{Segment, Stack};

/// Ranges behind holes that are remembered; SACK can tell of four at most.
const RANGES: usize = 64;

impl Stack {
    /// Free bytes of the receive buffer.
    pub(in crate::scenario) fn room(&self) -> u64 {
        u64::from(self.traits.buffer).saturating_sub(self.used)
    }

    /// The window as the header holds it; that of a SYN is never scaled (RFC 7323 section 2.2).
    pub(in crate::scenario) fn window_field(&self, syn: bool) -> u16 {
        let shift = if syn { 0 } else { self.traits.scale.unwrap_or(0) };
        u16::try_from(self.room() >> shift).unwrap_or(u16::MAX)
    }

    /// What SACK tells at this moment.
    pub(in crate::scenario) fn blocks(&self) -> Vec<(u64, u64)> {
        if self.traits.sack { self.early.clone() } else { Vec::new() }
    }

    /// Some segment carries the acknowledgement that was owed.
    pub(in crate::scenario) fn note_ack_sent(&mut self) {
        self.ack_due = None;
        self.unacked = 0;
        self.last_ack_sent = self.rcv_nxt;
    }

    /// Sends an acknowledgement now; `again` is what came twice, for D-SACK (RFC 2883).
    pub(in crate::scenario) fn acknowledge(&mut self, now: i64, again: Option<(u64, u64)>) {
        let mut ack = self.plain(now);
        if let Some(range) = again.filter(|_| self.traits.sack) {
            ack.options.sack.insert(0, range);
        }
        self.note_ack_sent();
        self.out.push(ack);
    }

    /// Takes the data of a segment.
    pub(in crate::scenario) fn receive(&mut self, now: i64, segment: &Segment) {
        let (start, end) = (segment.data_start(), segment.end());
        if start == end {
            // An acknowledgement; one from before is a keep-alive and wants an answer.
            if start < self.rcv_nxt {
                self.acknowledge(now, None);
            }
            return;
        }
        if self.orphan && !segment.data.is_empty() && end > self.rcv_nxt {
            self.out.push(Segment::stateless_reset(segment));
            return self.forget();
        }
        if end <= self.rcv_nxt {
            // A single byte from before is a keep-alive of the kind with garbage, not data.
            let again = (end - start > 1 || segment.flags.fin).then_some((start, end));
            return self.acknowledge(now, again);
        }
        if segment.flags.fin {
            self.peer_fin_at = Some(end - 1);
        }
        let limit = self.rcv_nxt + self.room();
        if start > self.rcv_nxt {
            if start < limit {
                self.keep_early(start, end.min(limit));
            }
            return self.acknowledge(now, None);
        }
        let data_end = start + segment.data.len() as u64;
        let had_holes = !self.early.is_empty();
        let before = self.rcv_nxt;
        self.rcv_nxt = data_end.min(limit).max(before);
        self.join_early();
        if self.stalled {
            self.used += self.rcv_nxt - before;
        }
        if self.peer_fin_at == Some(self.rcv_nxt) {
            self.rcv_nxt += 1;
            self.peer_fin = true;
        }
        self.unacked += 1;
        if had_holes || self.peer_fin || self.rcv_nxt == before || self.unacked >= 2 || self.room() == 0 {
            self.acknowledge(now, None);
        } else if self.ack_due.is_none() {
            self.ack_due = Some(now + self.traits.delayed_ack);
        }
    }

    /// Remembers a range behind a hole, joined with its neighbours.
    fn keep_early(&mut self, start: u64, end: u64) {
        let (mut start, mut end) = (start, end);
        self.early.retain(|(from, to)| {
            let apart = *to < start || end < *from;
            if !apart {
                start = start.min(*from);
                end = end.max(*to);
            }
            apart
        });
        self.early.insert(0, (start, end));
        self.early.truncate(RANGES);
    }

    /// Takes the ranges whose hole is filled.
    fn join_early(&mut self) {
        while let Some(index) = self.early.iter().position(|(from, _)| *from <= self.rcv_nxt) {
            let (_, to) = self.early.remove(index);
            // The FIN takes a number of its own, which is counted when it is reached.
            let to = if self.peer_fin_at == Some(to - 1) { to - 1 } else { to };
            self.rcv_nxt = self.rcv_nxt.max(to);
        }
    }
}
