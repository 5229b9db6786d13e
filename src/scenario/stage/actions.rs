//! What the two sides, and others, do on a connection.

use std::net::IpAddr;

use super::{Delivery, Event, Message, Stage};
use crate::limits;
use crate::scenario::complaint::Complaint;
use crate::scenario::script::{Action, Place, RawSegment, Side, Unreachable};
use crate::scenario::segment::{Flags, Options, Segment};

impl Stage {
    /// Does one thing. What a side does waits until it has heard everything that its peer has said before,
    /// unless it happens `meanwhile`; only `vanish` and `stall` come at once.
    pub(super) fn action(&mut self, conn: usize, action: &Action, meanwhile: bool) -> Result<(), Complaint> {
        match action {
            Action::Open(opening) => self.open(conn, opening),
            Action::Say(side, data) => {
                self.speaker(conn, *side, meanwhile)?;
                self.count_said(data.len())?;
                self.conns[conn].stacks.of_mut(*side).write(self.now, &data.to_bytes());
                self.flush(conn, *side)
            }
            Action::Fin(side) => {
                self.speaker(conn, *side, meanwhile)?;
                self.conns[conn].stacks.of_mut(*side).finish(self.now);
                self.flush(conn, *side)
            }
            Action::Close(side) => self.close(conn, *side, meanwhile),
            Action::CloseBy(side) => {
                *self.conns[conn].follows.of_mut(side.other()) = true;
                self.close(conn, *side, meanwhile)
            }
            Action::Datagram(side, data) => self.datagram(conn, *side, &data.to_bytes(), meanwhile),
            Action::Icmp { kind, from, quoting } => self.icmp(conn, *kind, *from, *quoting),
            Action::MiddleboxReset { towards, ttl, mac, bare } => {
                self.middlebox_reset(conn, towards, *ttl, *mac, *bare)
            }
            Action::Segment(side, raw) => self.raw_segment(conn, *side, raw),
            Action::Vanish(side) => {
                *self.conns[conn].vanished.of_mut(*side) = true;
                Ok(())
            }
            Action::Stall(side) => {
                self.conns[conn].stacks.of_mut(*side).stall();
                Ok(())
            }
            Action::Return(side) => {
                *self.conns[conn].vanished.of_mut(*side) = false;
                Ok(())
            }
            Action::Forget(side) => {
                self.settle()?;
                self.conns[conn].stacks.of_mut(*side).forget();
                Ok(())
            }
            Action::Reset { .. }
            | Action::KeepAlive { .. }
            | Action::Window(..)
            | Action::Read(_)
            | Action::Ack(_) => self.stack_action(conn, action, meanwhile),
        }
    }

    /// What a side can do even after it has finished sending.
    fn stack_action(&mut self, conn: usize, action: &Action, meanwhile: bool) -> Result<(), Complaint> {
        let (Action::Reset { side, .. }
        | Action::KeepAlive { side, .. }
        | Action::Window(side, _)
        | Action::Read(side)
        | Action::Ack(side)) = *action
        else {
            return Ok(());
        };
        self.await_open(conn, side)?;
        if !meanwhile {
            self.await_all(conn, side)?;
        }
        if !self.conns[conn].stacks.of(side).is_open() {
            return Err(Complaint::NotOpen(side));
        }
        if matches!(action, Action::Window(..) | Action::KeepAlive { .. }) {
            // What is under way was sent for the old window, and a probe belongs into silence.
            self.settle()?;
        }
        let now = self.now;
        let stack = self.conns[conn].stacks.of_mut(side);
        match *action {
            Action::Reset { bare, .. } => stack.abort(now, bare),
            Action::Window(_, bytes) => stack.set_window(now, bytes),
            Action::Read(_) => stack.read(now),
            Action::KeepAlive { byte, times, every, .. } => {
                self.push(now, Event::Probe { conn, side, byte, left: times, every });
                return self.run_until(now);
            }
            _ => stack.acknowledge(now, None),
        }
        self.flush(conn, side)
    }

    /// Bounds what a story can have its sides send.
    fn count_said(&mut self, bytes: usize) -> Result<(), Complaint> {
        self.said += bytes;
        if self.said > limits::STORY_BYTES { Err(Complaint::TooLong(limits::STORY_BYTES)) } else { Ok(()) }
    }

    fn close(&mut self, conn: usize, side: Side, meanwhile: bool) -> Result<(), Complaint> {
        self.speaker(conn, side, meanwhile)?;
        self.conns[conn].stacks.of_mut(side).close(self.now);
        self.flush(conn, side)
    }

    /// Waits until a side may speak, and makes sure that it can.
    fn speaker(&mut self, conn: usize, side: Side, meanwhile: bool) -> Result<(), Complaint> {
        self.await_open(conn, side)?;
        if !meanwhile {
            self.await_all(conn, side)?;
        }
        let stack = self.conns[conn].stacks.of(side);
        if stack.is_finished() && stack.is_alive() {
            return Err(Complaint::Finished(side));
        }
        if stack.is_open() { Ok(()) } else { Err(Complaint::NotOpen(side)) }
    }

    /// Waits for the end of the handshake.
    fn await_open(&mut self, conn: usize, side: Side) -> Result<(), Complaint> {
        loop {
            let this = &self.conns[conn];
            if *this.vanished.of(side) {
                return Err(Complaint::Vanished(side));
            }
            if this.stacks.of(side).is_open() {
                return Ok(());
            }
            let hopeless = !this.stacks.client.is_alive() || this.stacks.of(side.other()).is_open();
            if hopeless && !this.stacks.of(side).is_alive() || !self.step()? {
                return Err(Complaint::NotOpen(side));
            }
        }
    }

    /// Waits until a side has heard all that its peer has said, as far as that can ever be.
    pub(super) fn await_all(&mut self, conn: usize, side: Side) -> Result<(), Complaint> {
        loop {
            let this = &self.conns[conn];
            let (stack, peer) = (this.stacks.of(side), this.stacks.of(side.other()));
            let enough = stack.has_all_of(peer) || stack.is_stuffed() || *this.vanished.of(side.other());
            if enough || !stack.is_open() || !self.step()? {
                return Ok(());
            }
        }
    }

    fn datagram(&mut self, conn: usize, side: Side, data: &[u8], meanwhile: bool) -> Result<(), Complaint> {
        if *self.conns[conn].vanished.of(side) {
            return Err(Complaint::Vanished(side));
        }
        if !meanwhile && let Some((answerable, _)) = self.conns[conn].last.of(side.other()) {
            self.run_until(*answerable)?;
        }
        self.send(conn, side, &Message::Datagram(data), Delivery::Nothing)
    }

    /// Somebody on the way, or the other end, complains about the last packet of `quoting`.
    fn icmp(
        &mut self,
        conn: usize,
        kind: Unreachable,
        from: Option<IpAddr>,
        quoting: Side,
    ) -> Result<(), Complaint> {
        let last = self.conns[conn].last.of(quoting).clone();
        let (answerable, quoted) = last.ok_or(Complaint::NothingToQuote(quoting))?;
        self.run_until(answerable)?;
        let other = self.conns[conn].setup.ends.of(quoting.other()).address.ip();
        let from = from.unwrap_or(other);
        let message = Message::Complaint { kind, from, quoted: &quoted };
        self.send(conn, quoting.other(), &message, Delivery::Complaint(kind))
    }

    /// A reset to one or both ends, each in the name of the other, with the numbers that it expects.
    fn middlebox_reset(
        &mut self,
        conn: usize,
        towards: &[Side],
        ttl: Option<u8>,
        mac: Option<[u8; 6]>,
        bare: bool,
    ) -> Result<(), Complaint> {
        for to in towards {
            let stack = self.conns[conn].stacks.of(*to);
            if !stack.is_alive() {
                return Err(Complaint::NotOpen(*to));
            }
            let (_, next, expected) = stack.numbers();
            let flags = Flags { rst: true, ..Flags::default() };
            let ack = (!bare).then_some(next);
            let segment = Segment { seq: expected, ack, flags, ttl, mac, ..Segment::default() };
            self.send(conn, to.other(), &Message::Segment(&segment), Delivery::Segment(segment.clone()))?;
        }
        Ok(())
    }

    /// A segment that passes the tap and that neither stack hears of.
    fn raw_segment(&mut self, conn: usize, side: Side, raw: &RawSegment) -> Result<(), Complaint> {
        let this = &self.conns[conn];
        let (stack, peer) = (this.stacks.of(side), this.stacks.of(side.other()));
        let (isn, next, expected) = stack.numbers();
        let (peer_isn, peer_next, _) = peer.numbers();
        let resolve = |place: Option<Place>, isn: u64, here: u64| match place {
            None => here,
            Some(Place::Relative(number)) => isn + u64::from(number),
            Some(Place::Shifted(shift)) => here.wrapping_add_signed(shift),
        };
        let knows_peer = stack.is_open();
        let (flags, has_ack) = match &raw.flags {
            Some(list) => Flags::from_list(list),
            None => (Flags::default(), true),
        };
        let ack_from = if knows_peer { (stack.peer_isn(), expected) } else { (peer_isn, peer_next) };
        let model = stack.plain(self.now);
        let options = match (flags.rst, flags.syn) {
            (true, _) => Options::default(),
            (_, true) => stack.syn_options(self.now),
            _ => Options { timestamps: model.options.timestamps, ..Options::default() },
        };
        let segment = Segment {
            seq: resolve(raw.seq, isn, next),
            ack: has_ack.then(|| resolve(raw.ack, ack_from.0, ack_from.1)),
            flags,
            window: raw.window.unwrap_or(model.window),
            options,
            data: raw.data.clone(),
            ttl: raw.ttl,
            mac: None,
        };
        self.send(conn, side, &Message::Segment(&segment), Delivery::Nothing)
    }
}
