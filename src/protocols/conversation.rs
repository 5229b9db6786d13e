//! One connection's talk: finds out which protocol it is, runs its dissector, hands over to the next.

use super::identification::{self, Choice};
use super::labels::{Labels, Reading};
use super::notes::Notes;
use super::opaque::Opaque;
use super::provenance::Provenance;
use super::verdict::{End, Step, Verdict, Why};
use super::{CATALOGUE, Dissector, Protocol, transport};
use crate::events::{Event, PerSide, Side};
use crate::limits::MESSAGE_BYTES;
use crate::stream::receiver::{Heard, Origin, Parties, Receiver};

/// Deliveries of a connection begun before the capture in which a message's beginning is looked for.
const SYNC_TRIES: u32 = 64;

/// Content type of a TLS handshake record (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;

/// The talk on one connection. It costs nothing until the first byte comes.
#[derive(Debug, Default)]
pub struct Conversation {
    talk: Option<Box<Talk>>,
    over: bool,
    last_payload: Option<Origin>,
}

#[derive(Debug)]
struct Talk {
    reader: Reader,
    sides: PerSide<SideState>,
    provenance: PerSide<Provenance>,
    sync_tries: u32,
    /// The first bytes at hand may be the middle of a message: the capture began later than the talk, or lost its
    /// beginning.
    mid_message: bool,
}

/// Who reads.
#[derive(Debug)]
enum Reader {
    /// Nobody yet.
    Unknown,
    /// A protocol's dissector; `outer` are those that handed over to it.
    Known {
        protocol: &'static Protocol,
        dissector: Box<dyn Dissector>,
        outer: Vec<(&'static Protocol, Box<dyn Dissector>)>,
    },
    /// Nobody knows it: turns and rhythm alone.
    Opaque(Box<Opaque>),
}

/// How far the reading of one side is.
#[derive(Debug, Default)]
struct SideState {
    /// Bytes that were heard and not yet taken.
    pending: Vec<u8>,
    /// Offset of the first byte not yet taken.
    base: u64,
    /// Bytes to come that nobody wants.
    skip: u64,
    /// So many pending bytes are needed before it is worth another look.
    waits: usize,
    /// The pending bytes wait for the other side.
    held: bool,
    ended: bool,
    /// It sent its FIN, but its last bytes still wait for the other side.
    closing: bool,
}

/// What a round of reading needs besides the talk itself.
struct Round<'r> {
    now: Origin,
    parties: &'r Parties,
    /// Protocols that it may be.
    among: &'r [&'static Protocol],
    events: &'r mut Vec<Event>,
    given_up: &'r mut Vec<GivenUp>,
    labels: Option<&'r mut Labels>,
    steps: u32,
}

/// What came out of the dissection of a shard, in order.
#[derive(Debug, Default)]
pub struct Said {
    /// The events.
    pub events: Vec<Event>,
    /// Dissectors that gave up: protocol, reason, where.
    pub given_up: Vec<GivenUp>,
    /// Names of the bytes that were read, where somebody wants them.
    pub labels: Option<Box<Labels>>,
    /// Events of the packet at hand so far.
    last: (u64, u32),
}

impl Said {
    /// Takes it all away, and keeps the room for more.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let (events, given_up) = (self.events.drain(..).collect(), self.given_up.drain(..).collect());
        Self { events, given_up, labels: None, last: self.last }
    }
}

/// A dissector gave up.
#[derive(Debug, Clone, Copy)]
pub struct GivenUp {
    /// Which.
    pub protocol: &'static str,
    /// Why.
    pub why: Why,
    /// At which packet.
    pub at: Origin,
}

impl Receiver for Conversation {
    type Sink = Said;

    fn wants_bytes(&self) -> bool {
        !self.over
    }

    fn may_rest(&self) -> bool {
        self.talk.is_none()
    }

    fn hear(&mut self, side: Side, heard: Heard<'_>, now: Origin, parties: &Parties, said: &mut Said) {
        self.hear_among(CATALOGUE, side, heard, now, parties, said);
    }
}

impl Conversation {
    /// Something is heard of a connection that may be one of these protocols.
    pub(super) fn hear_among(
        &mut self,
        among: &[&'static Protocol],
        side: Side,
        heard: Heard<'_>,
        now: Origin,
        parties: &Parties,
        said: &mut Said,
    ) {
        let steps = if said.last.0 == now.order { said.last.1 } else { 0 };
        let (events, given_up, labels) = (&mut said.events, &mut said.given_up, said.labels.as_deref_mut());
        let mut round = Round { now, parties, among, events, given_up, labels, steps };
        transport::say(side, heard, &mut round.steps, now, parties, round.events);
        if matches!(heard, Heard::Bytes { .. } | Heard::Missing { .. }) {
            let last = self.last_payload.replace(now);
            transport::say_quiet(side, last, &mut round.steps, now, parties, round.events);
        }
        match heard {
            Heard::Bytes { offset, bytes, from } if !self.over => {
                let talk = self.talk.get_or_insert_with(|| Box::new(Talk::new(parties)));
                talk.bytes(side, offset, bytes, from, &mut round);
            }
            Heard::Missing { offset, length, .. } if !self.over => {
                let talk = self.talk.get_or_insert_with(|| Box::new(Talk::new(parties)));
                talk.missing(side, offset, length, &mut round);
            }
            Heard::Closed => {
                if let Some(talk) = &mut self.talk {
                    talk.end(side, End::Fin, &mut round);
                }
            }
            Heard::Reset | Heard::Over => {
                let how = if matches!(heard, Heard::Reset) { End::Reset } else { End::Over };
                if let Some(talk) = &mut self.talk {
                    for side in Side::BOTH {
                        talk.end(side, how, &mut round);
                    }
                }
            }
            Heard::Bytes { .. }
            | Heard::Missing { .. }
            | Heard::Syn { .. }
            | Heard::Fin
            | Heard::Probe
            | Heard::ProbeAnswer => {}
        }
        said.last = (now.order, round.steps);
        if self.talk.as_ref().is_some_and(|talk| talk.sides.client.ended && talk.sides.server.ended) {
            self.talk = None;
            self.over = true;
        }
    }
}

impl Talk {
    fn new(parties: &Parties) -> Self {
        Self {
            reader: Reader::Unknown,
            sides: PerSide::default(),
            provenance: PerSide::default(),
            sync_tries: 0,
            mid_message: !parties.from_start,
        }
    }

    fn bytes(&mut self, side: Side, offset: u64, bytes: &[u8], from: Origin, round: &mut Round<'_>) {
        if self.sides[side].ended {
            return;
        }
        if matches!(self.reader, Reader::Opaque(_)) {
            self.begin_inside(side, bytes);
        }
        // Where nobody reads, every question about bytes is about those of the packet at hand.
        let at_hand = from.order == round.now.order && round.labels.is_none();
        if at_hand && matches!(self.reader, Reader::Opaque(_)) {
            self.provenance[side].forget();
        } else {
            self.provenance[side].note(offset, bytes.len() as u64, from);
        }
        let rest = self.pass_skip(side, bytes, round);
        if rest.is_empty() {
            // The end of what was skipped may be what the other side waited for.
            return self.wake_other(side, round);
        }
        let offset = offset + (bytes.len() - rest.len()) as u64;
        let bytes = rest;
        if self.sides[side].pending.is_empty() {
            self.sides[side].base = offset;
        }
        match &self.reader {
            Reader::Unknown => {
                self.sides[side].pending.extend_from_slice(bytes);
                self.identify(round, false);
            }
            Reader::Opaque(_) => self.read_opaque(side, bytes.len(), from, round),
            Reader::Known { .. } => self.read_new(side, bytes, round),
        }
    }

    /// A talk that nobody understands may begin another one in its middle: whatever it is (a proxy's, a database's),
    /// it has its own way to ask for one, and the first words of TLS and HTTP are unmistakable.
    fn begin_inside(&mut self, side: Side, bytes: &[u8]) {
        if side != Side::Client {
            return;
        }
        let inner = match bytes.first() {
            Some(&HANDSHAKE) => super::named("tls"),
            Some(b'A'..=b'Z') => super::named("http"),
            _ => None,
        };
        if let Some(protocol) = inner.filter(|protocol| (protocol.probe)(side, bytes) == Verdict::Certain) {
            self.reader = Reader::Known { protocol, dissector: (protocol.start)(), outer: Vec::new() };
        }
    }

    /// Takes from new bytes what a skip still wants, and gives back the rest.
    fn pass_skip<'b>(&mut self, side: Side, bytes: &'b [u8], round: &mut Round<'_>) -> &'b [u8] {
        let state = &mut self.sides[side];
        if state.skip == 0 {
            return bytes;
        }
        let skipped = state.skip.min(bytes.len() as u64);
        state.skip -= skipped;
        state.base += skipped;
        if state.skip == 0 {
            self.skip_done(side, round);
        }
        self.provenance[side].forget_before(self.sides[side].base);
        bytes.get(skipped as usize..).unwrap_or(&[])
    }

    fn skip_done(&mut self, side: Side, round: &mut Round<'_>) {
        let base = self.sides[side].base;
        if let Reader::Known { protocol, dissector, .. } = &mut self.reader {
            round.begin_labels();
            let mut notes = round.notes(&self.provenance, protocol.name, side, base);
            dissector.skipped(side, &mut notes);
            if let Some((labels, reading)) = round.labels(&self.provenance, side) {
                labels.passed(reading, base);
            }
        }
    }

    /// New bytes for a known protocol: read in place where nothing waits before them.
    fn read_new(&mut self, side: Side, bytes: &[u8], round: &mut Round<'_>) {
        if self.sides[side].pending.is_empty() {
            let taken = self.drive(side, bytes, round);
            let rest = bytes.get(taken..).unwrap_or(&[]);
            self.keep(side, rest, round);
        } else {
            self.keep(side, bytes, round);
            if self.sides[side].pending.len() >= self.sides[side].waits || self.sides[side].held {
                self.read_pending(side, round);
            }
        }
        self.wake_other(side, round);
    }

    /// Keeps what could not be taken yet, within bounds.
    fn keep(&mut self, side: Side, rest: &[u8], round: &mut Round<'_>) {
        if rest.is_empty() || matches!(self.reader, Reader::Opaque(_)) {
            return;
        }
        let state = &mut self.sides[side];
        state.pending.extend_from_slice(rest);
        if state.pending.len() > MESSAGE_BYTES {
            self.give_up(Why::TooLong, round);
        }
    }

    /// Reads what has been kept.
    fn read_pending(&mut self, side: Side, round: &mut Round<'_>) {
        if !matches!(self.reader, Reader::Known { .. }) || self.sides[side].pending.is_empty() {
            return;
        }
        let mut pending = std::mem::take(&mut self.sides[side].pending);
        let taken = self.drive(side, &pending, round);
        if !matches!(self.reader, Reader::Opaque(_)) {
            pending.drain(..taken.min(pending.len()));
            self.sides[side].pending = pending;
        }
    }

    /// The other side may have waited for what was just read, and this one in turn for that.
    fn wake_other(&mut self, side: Side, round: &mut Round<'_>) {
        let mut woken = side.other();
        while self.sides[woken].held {
            let before = self.sides[woken].base;
            self.read_pending(woken, round);
            if self.sides[woken].base == before {
                break;
            }
            woken = woken.other();
        }
        for side in Side::BOTH {
            if self.sides[side].closing && (!self.sides[side].held || self.sides[side.other()].ended) {
                self.finish(side, End::Fin, round);
            }
        }
    }

    /// Lets the dissector read as far as it can, and tells how many bytes it took.
    fn drive(&mut self, side: Side, bytes: &[u8], round: &mut Round<'_>) -> usize {
        let mut at = 0;
        self.sides[side].waits = 0;
        self.sides[side].held = false;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let Reader::Known { protocol, dissector, .. } = &mut self.reader else { break };
            let base = self.sides[side].base;
            round.begin_labels();
            let mut notes = round.notes(&self.provenance, protocol.name, side, base);
            let step = dissector.read(side, rest, &mut notes);
            if let (Step::Done | Step::NotMine(_), Some(pen)) = (step, notes.labels()) {
                pen.undecoded(rest.len());
            }
            if let Some((labels, reading)) = round.labels(&self.provenance, side) {
                labels.settle(reading, step, base, rest.len());
            }
            let taken = match step {
                Step::Took(0) | Step::Skip(0) => return self.give_up(Why::Grammar, round),
                Step::Took(taken) | Step::Replace(taken, _) | Step::Under(taken, _) => taken.min(rest.len()),
                Step::Skip(wanted) => wanted.min(rest.len() as u64) as usize,
                Step::NeedMore(least) => {
                    self.sides[side].waits = least.max(rest.len() + 1);
                    break;
                }
                Step::Hold => {
                    self.sides[side].held = true;
                    break;
                }
                Step::Done => {
                    self.fall_opaque();
                    return bytes.len();
                }
                Step::NotMine(why) => return self.give_up(why, round),
            };
            at += taken;
            self.sides[side].base += taken as u64;
            match step {
                Step::Skip(wanted) => {
                    self.sides[side].skip = wanted - taken as u64;
                    if self.sides[side].skip == 0 {
                        self.skip_done(side, round);
                    }
                }
                Step::Replace(_, next) => self.hand_over(next, false, side, round),
                Step::Under(_, next) => self.hand_over(next, true, side, round),
                _ => {}
            }
            let base = self.sides[side].base;
            self.provenance[side].forget_before(base);
        }
        at
    }

    /// Another protocol takes over on both sides.
    fn hand_over(&mut self, next: &'static Protocol, keep_outer: bool, side: Side, round: &mut Round<'_>) {
        let Reader::Known { protocol, dissector, mut outer } =
            std::mem::replace(&mut self.reader, Reader::Unknown)
        else {
            return;
        };
        if keep_outer {
            outer.push((protocol, dissector));
        }
        self.reader = Reader::Known { protocol: next, dissector: (next.start)(), outer };
        self.read_pending(side.other(), round);
    }

    /// The dissector cannot go on. Everything at hand counts as taken.
    fn give_up(&mut self, why: Why, round: &mut Round<'_>) -> usize {
        if let Reader::Known { protocol, .. } = &self.reader {
            round.given_up.push(GivenUp { protocol: protocol.name, why, at: round.now });
        }
        self.fall_opaque();
        usize::MAX
    }

    fn fall_opaque(&mut self) {
        self.reader = Reader::Opaque(Box::default());
        for side in Side::BOTH {
            let state = &mut self.sides[side];
            state.pending = Vec::new();
            state.skip = 0;
            state.held = false;
        }
    }

    fn read_opaque(&mut self, side: Side, length: usize, from: Origin, round: &mut Round<'_>) {
        let base = self.sides[side].base;
        self.sides[side].base += length as u64;
        if let Reader::Opaque(opaque) = &mut self.reader {
            round.begin_labels();
            let mut notes = round.notes(&self.provenance, super::opaque::NAME, side, base);
            if let Some(pen) = notes.labels() {
                pen.undecoded(length);
            }
            opaque.read_at(side, length as u64, length, from.time, &mut notes);
            if let Some((labels, reading)) = round.labels(&self.provenance, side) {
                labels.complete(reading, base + length as u64);
            }
        }
        let base = self.sides[side].base;
        self.provenance[side].forget_before(base);
    }

    /// What both sides said while it was not clear what it is, in the order in which it came.
    fn replay_opaque(&mut self, round: &mut Round<'_>) {
        let mut pieces = Vec::new();
        for side in Side::BOTH {
            let base = self.sides[side].base;
            // A piece that waited for a hole to be filled came when that was filled.
            let mut latest = 0;
            for (start, end, from) in self.provenance[side].since(base) {
                latest = latest.max(from.order);
                pieces.push((latest, side, start, (end - start) as usize, from));
            }
            self.sides[side].pending = Vec::new();
        }
        pieces.sort_by_key(|(order, ..)| *order);
        for (_, side, start, length, from) in pieces {
            self.sides[side].base = start;
            self.read_opaque(side, length, from, round);
        }
    }

    /// Passes over what a side said so far.
    fn drop_pending(&mut self, side: Side) {
        let state = &mut self.sides[side];
        state.base += state.pending.len() as u64;
        state.pending.clear();
        self.provenance[side].forget_before(state.base);
    }

    /// Bytes that nobody will ever see.
    fn missing(&mut self, side: Side, offset: u64, length: u64, round: &mut Round<'_>) {
        let state = &mut self.sides[side];
        if state.ended {
            return;
        }
        let skipped = state.skip.min(length);
        state.skip -= skipped;
        state.base = offset + length;
        if skipped > 0 && self.sides[side].skip == 0 {
            self.skip_done(side, round);
        }
        let lost = length - skipped;
        if lost == 0 {
            return self.wake_other(side, round);
        }
        self.sides[side].pending.clear();
        self.sides[side].held = false;
        match &mut self.reader {
            Reader::Unknown => self.mid_message = true,
            Reader::Opaque(_) => {}
            Reader::Known { protocol, dissector, .. } => {
                round.begin_labels();
                let mut notes = round.notes(&self.provenance, protocol.name, side, offset + length);
                let step = dissector.gap(side, lost, &mut notes);
                if let Some((labels, reading)) = round.labels(&self.provenance, side) {
                    labels.complete(reading, offset);
                }
                match step {
                    Step::NotMine(why) => {
                        self.give_up(why, round);
                    }
                    Step::Skip(more) => self.sides[side].skip = more,
                    _ => {}
                }
            }
        }
    }

    /// This side says no more.
    fn end(&mut self, side: Side, how: End, round: &mut Round<'_>) {
        if self.sides[side].ended {
            return;
        }
        if matches!(self.reader, Reader::Unknown) {
            self.identify(round, true);
        }
        let state = &mut self.sides[side];
        if state.held && how == End::Fin {
            // Its last bytes wait for the other side, which may still speak.
            state.closing = true;
            self.wake_other(side, round);
        } else {
            self.finish(side, how, round);
        }
    }

    /// Tells the dissector that a side's bytes are over.
    fn finish(&mut self, side: Side, how: End, round: &mut Round<'_>) {
        let state = &mut self.sides[side];
        state.ended = true;
        state.closing = false;
        state.held = false;
        let unread = std::mem::take(&mut state.pending);
        let (base, pending) = (state.base, std::mem::take(&mut state.skip));
        round.begin_labels();
        match &mut self.reader {
            Reader::Unknown => {}
            Reader::Opaque(opaque) => {
                opaque.end(side, how, &mut round.notes(&self.provenance, super::opaque::NAME, side, base));
            }
            Reader::Known { protocol, dissector, outer } => {
                let mut notes = round.notes(&self.provenance, protocol.name, side, base);
                if let Some(mut pen) = notes.labels().filter(|_| !unread.is_empty()) {
                    pen.protocol(protocol.name, protocol.title, 0..unread.len());
                    pen.line("", "The beginning of a message that never came whole", 0..unread.len());
                }
                dissector.end(side, how, &unread, pending, &mut notes);
                for (protocol, dissector) in outer.iter_mut().rev() {
                    let mut notes = round.notes(&self.provenance, protocol.name, side, base);
                    dissector.end(side, how, &[], 0, &mut notes);
                }
            }
        }
        // What was begun is told as far as it came.
        if let Some((labels, reading)) = round.labels(&self.provenance, side) {
            labels.complete(reading, base + unread.len() as u64);
        }
        self.wake_other(side, round);
    }

    /// Decides which protocol this is, once the bytes of both sides, or the time to decide, allow it.
    fn identify(&mut self, round: &mut Round<'_>, finally: bool) {
        let heard = PerSide {
            client: self.sides.client.pending.as_slice(),
            server: self.sides.server.pending.as_slice(),
        };
        match identification::choose(round.among, heard, round.parties.server.port, finally) {
            Choice::Known(protocol) => {
                self.reader = Reader::Known { protocol, dissector: (protocol.start)(), outer: Vec::new() };
                for side in Side::BOTH {
                    self.sides[side].waits = 0;
                }
            }
            Choice::Wait => {}
            Choice::Nobody(alone) if self.mid_message && self.sync_tries < SYNC_TRIES && !finally => {
                // The bytes at hand begin in the middle of a message: perhaps the next packet begins one. What
                // the other side said may still be good.
                self.sync_tries += 1;
                for side in Side::BOTH {
                    if alone[side] || alone == PerSide::default() {
                        self.drop_pending(side);
                    }
                }
            }
            Choice::Nobody(_) => {
                self.reader = Reader::Opaque(Box::default());
                self.replay_opaque(round);
            }
        }
        if !matches!(self.reader, Reader::Unknown) {
            // The side that spoke first is read first: the server where it greets.
            let first = self.first_speaker();
            self.read_pending(first, round);
            self.read_pending(first.other(), round);
            self.wake_other(first.other(), round);
        }
    }

    /// Who said its first byte first.
    fn first_speaker(&self) -> Side {
        let first = |side: Side| self.provenance[side].first_order();
        match (first(Side::Client), first(Side::Server)) {
            (Some(client), Some(server)) if server < client => Side::Server,
            (None, Some(_)) => Side::Server,
            _ => Side::Client,
        }
    }
}

impl Round<'_> {
    fn notes<'n>(
        &'n mut self,
        provenance: &'n PerSide<Provenance>,
        protocol: &'static str,
        side: Side,
        base: u64,
    ) -> Notes<'n> {
        Notes {
            events: self.events,
            steps: &mut self.steps,
            provenance,
            parties: self.parties,
            protocol,
            side,
            base,
            now: self.now,
            labels: self.labels.as_deref_mut(),
        }
    }

    fn begin_labels(&mut self) {
        if let Some(labels) = &mut self.labels {
            labels.begin();
        }
    }

    /// The labels, where they are wanted, and where the reading of a side is.
    fn labels<'n>(
        &'n mut self,
        provenance: &'n PerSide<Provenance>,
        side: Side,
    ) -> Option<(&'n mut Labels, Reading<'n>)> {
        let labels = self.labels.as_deref_mut()?;
        let provenance = &provenance[side];
        Some((labels, Reading { connection: self.parties.key, side, provenance, now: self.now }))
    }
}

#[cfg(test)]
mod tests;
