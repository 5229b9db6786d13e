//! One TCP connection as an onlooker sees it: the semantic layer (`domain.md` C.3 to C.8).
//!
//! It is fed segment by segment, keeps what the account needs, and never looks at payload but for its first
//! bytes, which tell who is the server where no SYN does.

pub mod half;
mod mirror;
pub mod reset;
mod roles;
mod rtt;
pub mod trouble;

use half::{Act, Half, Unanswered};
use reset::Reset;

use super::pack::packed;
use super::reassembly::Piece;
use super::receiver::{Ear, Heard, Parties};
use super::sequence::Sequence;
use super::zeek::ZeekTcp;
use crate::events::ConnectionKey;
use crate::events::side::{PerSide, Side};
use crate::events::transport::{RoleEvidence, WiresharkCounters};
use crate::events::visibility::Gap;
use crate::limits;
use crate::packet::{Direction, FlowKey, IcmpError, Packet, ParityLength, TcpFlags, TcpHead};
use crate::place::PacketRef;
use crate::time::{Span, Timestamp};

/// After this long a SYN with an old initial sequence number is a new try, not a repetition.
const NEW_TRY: Span = Span::from_secs(1);

/// After so long a quiet time, what a closed connection still says is no straggler of its end.
const LONG_AFTER: Span = Span::from_secs(3);

/// How it stood when the first FIN or RST came: the four clocks of idleness and whose turn it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Closing {
    /// The first FIN or RST.
    pub act: Act,
    /// Who sent it.
    pub direction: Direction,
    /// Whether it is a FIN.
    pub fin: bool,
    /// Since the last payload of either side.
    pub since_payload: Option<Span>,
    /// Since the last segment of any kind.
    pub since_any: Option<Span>,
    /// Who sent the last payload, and where.
    pub spoke_last: Option<(Direction, Act)>,
    /// Runs of payload of each direction so far.
    pub turns: [u32; 2],
    /// What the closing side had sent without an answer.
    pub unanswered: Option<Unanswered>,
    /// Bytes each direction had in flight.
    pub unacked: [u64; 2],
}

packed!(Closing { act, direction, fin, since_payload, since_any, spoke_last, turns, unanswered, unacked });

/// An ICMP error about the connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IcmpNote {
    /// What it says.
    pub error: IcmpError,
    /// Its frame.
    pub act: Act,
    /// The way of the packet that it quotes.
    pub direction: Direction,
    /// Segments of either side after it.
    pub followed: u32,
    /// Payload or SYN-ACK of the side it speaks of, after it.
    pub contradicted: bool,
}

packed!(IcmpNote { error, act, direction, followed, contradicted });

/// A TCP connection in the making.
#[derive(Debug)]
pub struct TcpConnection {
    /// Its name until it has an id.
    pub key: ConnectionKey,
    /// Between whom.
    pub flow: FlowKey,
    /// The networks it was seen in, by direction (VLANs, tunnels).
    pub contexts: [Option<u32>; 2],
    /// Number of the first packet of its `tcp.stream`; none where tshark has none.
    pub stream_key: Option<u64>,
    /// First frame.
    pub first: Act,
    /// Last frame.
    pub last: PacketRef,
    /// Latest time: a clock that never runs backwards.
    pub clock: Timestamp,
    /// The client's direction, and why.
    pub client: (Direction, RoleEvidence),
    /// Both directions.
    pub halves: [Half; 2],
    /// tshark's counters.
    pub counters: WiresharkCounters,
    /// tshark's completeness of the stream so far.
    pub completeness: u8,
    /// tshark's initial round-trip time.
    pub initial_rtt: Option<Span>,
    /// Zeek's view.
    pub zeek: ZeekTcp,
    /// Holes in the bytes; bounded.
    pub gaps: Vec<(Direction, Gap)>,
    /// All holes.
    pub gap_count: u32,
    /// Bytes in holes.
    pub gap_bytes: [u64; 2],
    /// Who sent the last payload.
    pub spoke_last: Option<(Direction, Act)>,
    /// Longest time between two frames with payload, and where it ended.
    pub longest_idle: Span,
    /// The longest silence (no frame at all), and the two frames around it.
    pub longest_silence: (Span, Option<(Act, Act)>),
    /// How it stood at the first FIN or RST.
    pub closing: Option<Closing>,
    /// First RST of each direction.
    pub resets: [Option<Reset>; 2],
    /// Whether one side sent RSTs a segment or more apart in one burst, as a forger that guesses does.
    pub burst: bool,
    /// The latest ICMP error.
    pub icmp: Option<IcmpNote>,
    /// First acknowledgment that completes the handshake.
    pub established: Option<Act>,
    /// Where another recorder's copy of the first SYN came, long after it: that file's copies are left out.
    pub recorded_again: Option<Act>,
    /// How the first SYN looked, and where it was.
    first_syn: Option<(u32, Act)>,
    opened_by: Direction,
    /// The segment before the present one.
    previous: Option<Act>,
}

packed!(TcpConnection {
    key,
    flow,
    contexts,
    stream_key,
    first,
    last,
    clock,
    client,
    halves,
    counters,
    completeness,
    initial_rtt,
    zeek,
    gaps,
    gap_count,
    gap_bytes,
    spoke_last,
    longest_idle,
    longest_silence,
    closing,
    resets,
    burst,
    icmp,
    established,
    recorded_again,
    first_syn,
    opened_by,
    previous
});

impl TcpConnection {
    /// Begins with its first segment, which must then be given to [`segment`](Self::segment).
    pub fn new(packet: &Packet, head: &TcpHead, key: ConnectionKey, stream_key: Option<u64>) -> Self {
        let act = Act { at: packet.at, time: packet.time };
        let (sender, receiver) =
            (packet.flow.source(packet.direction), packet.flow.source(packet.direction.reverse()));
        let client = if head.flags.is_pure_syn() {
            (packet.direction, RoleEvidence::Syn)
        } else if head.flags.is_syn_ack() {
            (packet.direction.reverse(), RoleEvidence::SynAck)
        } else if roles::port_makes_client(sender, receiver) {
            (packet.direction, RoleEvidence::Port)
        } else if roles::port_makes_client(receiver, sender) {
            (packet.direction.reverse(), RoleEvidence::Port)
        } else {
            (Direction::Up, RoleEvidence::Unknown)
        };
        Self {
            key,
            flow: packet.flow,
            contexts: [None; 2],
            stream_key,
            first: act,
            last: packet.at,
            clock: packet.time,
            client,
            halves: [Half::default(), Half::default()],
            counters: WiresharkCounters::default(),
            completeness: 0,
            initial_rtt: None,
            zeek: ZeekTcp::new(sender, receiver),
            gaps: Vec::new(),
            gap_count: 0,
            gap_bytes: [0; 2],
            spoke_last: None,
            longest_idle: Span::ZERO,
            longest_silence: (Span::ZERO, None),
            closing: None,
            resets: [None; 2],
            burst: false,
            icmp: None,
            established: None,
            recorded_again: None,
            first_syn: None,
            opened_by: packet.direction,
            previous: None,
        }
    }

    /// The direction that this side sends in.
    pub fn direction(&self, side: Side) -> Direction {
        match side {
            Side::Client => self.client.0,
            Side::Server => self.client.0.reverse(),
        }
    }

    /// The side that sends in this direction.
    pub fn side(&self, direction: Direction) -> Side {
        if direction == self.client.0 { Side::Client } else { Side::Server }
    }

    /// What this direction's sender did.
    pub fn half(&self, direction: Direction) -> &Half {
        let [up, down] = &self.halves;
        match direction {
            Direction::Up => up,
            Direction::Down => down,
        }
    }

    fn pair(&mut self, direction: Direction) -> (&mut Half, &mut Half) {
        let [up, down] = &mut self.halves;
        match direction {
            Direction::Up => (up, down),
            Direction::Down => (down, up),
        }
    }

    /// Whether both sides closed, or one reset it.
    pub fn is_over(&self) -> bool {
        let [up, down] = &self.halves;
        (up.fin.is_some() && down.fin.is_some()) || up.reset.is_some() || down.reset.is_some()
    }

    /// Whether a SYN begins a new connection on the same ports though tshark sees the same stream.
    pub fn is_succeeded_by(&self, packet: &Packet, head: &TcpHead) -> bool {
        if !head.flags.is_pure_syn() || !self.is_over() {
            return false;
        }
        packet.direction != self.client.0 || packet.time.since(self.clock) >= NEW_TRY
    }

    /// Whether it was seen in this network.
    pub fn is_in(&self, context: u32) -> bool {
        self.contexts.contains(&Some(context))
    }

    /// Whether a packet from another network may still be its: a mirror port may tag one direction only.
    pub fn may_be_tagged_one_way(&self, direction: Direction) -> bool {
        let [up, down] = self.contexts;
        match direction {
            Direction::Up => up.is_none(),
            Direction::Down => down.is_none(),
        }
    }

    /// The next segment. `payload` is what was captured of its payload; `ear` hears what is new in it.
    pub fn segment(
        &mut self,
        packet: &Packet,
        head: &TcpHead,
        payload: &[u8],
        keep_duplicates: bool,
        ear: &mut Ear<'_>,
    ) {
        let act = Act { at: packet.at, time: packet.time };
        let length = match head.parity {
            ParityLength::Same => head.payload.length,
            ParityLength::Length(length) | ParityLength::BadHeader(length) => length,
            ParityLength::Unknown => 0,
        };
        if let Some(context) = self.contexts.get_mut(packet.direction.index()) {
            *context = context.or(Some(packet.context));
        }
        self.last = packet.at;
        let before = self.clock;
        self.clock = self.clock.max(packet.time);
        let previous = self.halves.iter().filter_map(|half| half.last).max_by_key(|act| act.at);
        self.previous = previous;
        let elsewhere = self.is_of_another_recorder(packet, head, act);
        let (own, _) = self.pair(packet.direction);
        let duplicate = own.mirror.is_duplicate(packet, head) || elsewhere;
        if duplicate && !keep_duplicates {
            let last = own.last;
            own.note_frame(packet, length);
            own.last = last;
            own.duplicates += 1;
            return;
        }
        if matches!(head.parity, ParityLength::BadHeader(_) | ParityLength::Unknown) {
            own.note_frame(packet, length);
            return;
        }
        self.zeek.segment(packet.direction == self.opened_by, head, packet.time);
        if let Some(previous) = previous {
            let silence = self.clock.since(before);
            if silence > self.longest_silence.0 {
                self.longest_silence = (silence, Some((previous, act)));
            }
        }
        self.note_icmp_contradiction(packet, head);
        if head.flags.has(TcpFlags::RST) {
            let before = self.half(packet.direction).resets;
            self.reset(packet, head, act, length);
            if before == 0 && self.half(packet.direction).resets > 0 {
                ear.hear(self.side(packet.direction), Heard::Reset);
            }
            return;
        }
        let established = self.established;
        let (own, other) = self.pair(packet.direction);
        own.note_frame(packet, length);
        own.segments += 1;
        own.note_habit(packet);
        if own.reset.is_some() {
            own.after_reset += 1;
        }
        // A refusal that a later handshake overcame ended nothing.
        let counts = |reset: Option<Act>| {
            reset.is_some_and(|reset| established.is_some_and(|act| reset.time > act.time))
        };
        let over = counts(own.reset)
            || counts(other.reset)
            || (own.fin_acked.is_some() && other.fin_acked.is_some());
        let long_after = previous.is_some_and(|last| packet.time.since(last.time) >= LONG_AFTER);
        if over && long_after && head.payload.length > 0 && !head.flags.has(TcpFlags::SYN) {
            own.after_end.get_or_insert(act);
        }
        let (answered, probed) = (other.probes_answered, own.probes);
        other.heard(act);
        let answered = other.probes_answered > answered;
        own.note_window(head, act);
        self.note_syn(packet, head, act, ear);
        self.note_ack(packet, head, act, ear);
        if answered {
            ear.hear(self.side(packet.direction), Heard::ProbeAnswer);
        }
        if head.payload.length > 0 {
            self.note_payload(packet, head, act, payload, ear);
        } else {
            self.note_probe(packet, head, act);
        }
        if self.half(packet.direction).probes > probed {
            ear.hear(self.side(packet.direction), Heard::Probe);
        }
        if head.flags.has(TcpFlags::FIN) {
            self.note_fin(packet, head, act, ear);
        }
        self.tell_closed(packet.direction, ear);
        let (own, _) = self.pair(packet.direction);
        if let Some((value, _)) = head.options.timestamps
            && own.highest_timestamp.is_none_or(|highest| (value.wrapping_sub(highest) as i32) > 0)
        {
            own.highest_timestamp = Some(value);
        }
        if head.flags.has(TcpFlags::ACK) {
            own.ack_sent = Some(head.ack);
        }
    }

    /// Whether the segment is of a file that holds the connection a second time, by a clock of its own: its first SYN
    /// came again, equal to the last bit, in another file.
    fn is_of_another_recorder(&mut self, packet: &Packet, head: &TcpHead, act: Act) -> bool {
        if head.flags.is_pure_syn() && self.recorded_again.is_none() {
            let print = mirror::fingerprint(packet, head);
            let (known, first) = *self.first_syn.get_or_insert((print, act));
            let apart = act.time.since(first.time).0 > mirror::ONE_HOP_NS;
            if known == print && apart && first.at.file != act.at.file {
                self.recorded_again = Some(act);
            }
        }
        self.recorded_again.is_some_and(|again| again.at.file == act.at.file)
    }

    /// An ICMP error quotes a segment of this connection.
    pub fn icmp(&mut self, packet: &Packet, error: &IcmpError) {
        let half = self.half(packet.direction);
        // A quoted sequence number that was never in flight is a forgery or another incarnation (RFC 5927 §4).
        let fits = match (error.quoted_seq, &half.sequence) {
            (Some(seq), Some(sequence)) => sequence
                .offset(seq)
                .is_some_and(|offset| offset >= -1 && offset <= sequence.highest() as i64 + 1),
            _ => true,
        };
        if fits {
            let act = Act { at: packet.at, time: packet.time };
            self.icmp = Some(IcmpNote {
                error: *error,
                act,
                direction: packet.direction,
                followed: 0,
                contradicted: false,
            });
        }
    }

    fn note_icmp_contradiction(&mut self, packet: &Packet, head: &TcpHead) {
        if let Some(note) = &mut self.icmp {
            note.followed += 1;
            note.contradicted |= packet.direction != note.direction && !head.flags.has(TcpFlags::RST);
        }
    }

    fn reset(&mut self, packet: &Packet, head: &TcpHead, act: Act, length: u32) {
        let (own, other) = self.pair(packet.direction);
        if own.syns > 0 && other.syns == 0 && other.segments > 0 {
            // A challenge ACK answered the SYN, and this RST clears the old connection out of the way: it ends
            // that one, not the one being opened (RFC 9293 §3.5.1).
            own.note_frame(packet, length);
            return;
        }
        self.note_closing(packet.direction, act, false);
        let (own, other) = self.pair(packet.direction);
        own.segments += 1;
        let reset = Reset::read(packet, head, own, other);
        own.note_frame(packet, length);
        own.resets += 1;
        own.reset.get_or_insert(act);
        let slot = self.resets.get_mut(packet.direction.index());
        if let Some(slot) = slot {
            if let Some(first) = slot {
                let near = act.time.since(first.act.time) <= Span::from_millis(50);
                self.burst |= near && first.seq.abs_diff(head.seq) >= 536;
            } else {
                *slot = Some(reset);
            }
        }
    }

    fn note_syn(&mut self, packet: &Packet, head: &TcpHead, act: Act, ear: &mut Ear<'_>) {
        if !head.flags.has(TcpFlags::SYN) {
            return;
        }
        if head.flags.is_pure_syn() && self.client.1 > RoleEvidence::Syn && self.spoke_last.is_none() {
            // A SYN that came late in the file still tells who asked.
            self.client = (packet.direction, RoleEvidence::Syn);
        }
        let (own, other) = self.pair(packet.direction);
        // A SYN tried again with another number (SYN cookies, a restarted stack) counts while nothing was said, and so does
        // one behind a challenge ACK, whose numbers are those of an older connection on these ports.
        let renumbered = own.isn != Some(head.seq) && own.highest() == 0 && own.reassembly.next() == 0;
        own.isn = Some(head.seq);
        if own.sequence.is_none() || renumbered {
            own.sequence = Some(Sequence::starting_at(head.seq.wrapping_add(1)));
        }
        let first = own.syns == 0;
        own.syns += 1;
        own.syn.get_or_insert(act);
        own.last_syn = Some(act);
        own.wants_answer(act, -1, false);
        if head.flags.is_syn_ack()
            && let Some(syn) = other.last_syn
            && other.syns == 1
            && own.syns == 1
        {
            other.rtt.sample(act.time.since(syn.time));
        }
        if first {
            ear.hear(self.side(packet.direction), Heard::Syn { answer: head.flags.is_syn_ack() });
        }
    }

    fn note_ack(&mut self, packet: &Packet, head: &TcpHead, act: Act, ear: &mut Ear<'_>) {
        if !head.flags.has(TcpFlags::ACK) {
            return;
        }
        let syn_ack = head.flags.is_syn_ack();
        let mut gap = None;
        let mut established = false;
        let (own, other) = self.pair(packet.direction);
        if let (false, Some(syn_ack_act), 1) = (syn_ack, other.last_syn, other.syns)
            && other.acked == 0
            && other.rtt.samples() == 0
            && own.syns > 0
            && other.highest() == 0
        {
            other.rtt.sample(act.time.since(syn_ack_act.time));
        }
        if !syn_ack && other.syns > 0 {
            established = true;
        }
        if !syn_ack
            && other.has_said_nothing()
            && other.syns > 0
            && other.isn != Some(head.ack.wrapping_sub(1))
        {
            if own.syns == 0 && other.segments == u64::from(other.syns) {
                // A challenge ACK: it speaks of an older connection on these ports (RFC 9293 §3.10.7.3).
                return;
            }
            if other.syns > 1 && own.segments > u64::from(own.syns) {
                // The peer answers the one of several SYNs whose number this is.
                other.isn = Some(head.ack.wrapping_sub(1));
                other.sequence = Some(Sequence::starting_at(head.ack));
            }
        }
        let Some(offset) = other.offset(head.ack) else { return };
        let Ok(offset) = u64::try_from(offset) else { return };
        let fin = other.fin.map(|(at, _)| at);
        if let Some(fin) = fin
            && offset > fin
            && other.fin_acked.is_none()
        {
            other.fin_acked = Some(act);
        }
        let payload_end = fin.map_or(offset, |fin| offset.min(fin));
        let highest = other.highest();
        // One octet more than was seen may be a FIN that the capture missed.
        if payload_end > highest + u64::from(fin.is_none()) {
            other.unseen_bytes += payload_end - highest;
            gap = Some(payload_end);
        }
        let payload_end = payload_end.min(highest.max(gap.unwrap_or(0)));
        if payload_end > other.acked {
            other.acked = payload_end;
            other.acked_at = Some(act.time);
            other.rtt.acknowledged(payload_end, act.time);
            other.trouble.acknowledged(payload_end, highest);
        }
        if let Some((_, echo)) = head.options.timestamps {
            other.trouble.echo.came_back(echo, act.time);
        }
        for (from, to) in head.options.sack.iter().take(usize::from(head.options.sack_blocks)) {
            other.trouble.arrived(to.wrapping_sub(*from));
        }
        if gap.is_some() || (other.reassembly.has_hole() && other.reassembly.next() < other.acked) {
            self.declare_gaps(packet.direction.reverse(), gap, act, ear);
            self.tell_closed(packet.direction.reverse(), ear);
        }
        if established && self.established.is_none() {
            self.established = Some(act);
        }
    }

    /// Holes that the other side acknowledged will not be filled.
    fn declare_gaps(&mut self, direction: Direction, beyond: Option<u64>, act: Act, ear: &mut Ear<'_>) {
        let side = self.side(direction);
        let (own, _) = self.pair(direction);
        let mut found = Vec::new();
        let acked = own.acked;
        own.reassembly.acknowledged(acked, &mut |piece| {
            if let Piece::Gap(start, length) = piece {
                found.push((start, length));
            }
            ear.piece(side, piece);
        });
        if let (Some(end), Some(sequence)) = (beyond, &mut own.sequence) {
            sequence.advance(end);
        }
        for (start, length) in found {
            self.note_gap(side, direction, start, length, true, act);
        }
    }

    fn note_gap(&mut self, side: Side, direction: Direction, start: u64, length: u64, acked: bool, act: Act) {
        if let Some(bytes) = self.gap_bytes.get_mut(direction.index()) {
            *bytes += length;
        }
        if let Some((_, last)) = self.gaps.iter_mut().rev().find(|(way, _)| *way == direction)
            && last.start + last.length == start
        {
            last.length += length;
            return;
        }
        self.gap_count += 1;
        if self.gaps.len() < limits::GAPS {
            self.gaps
                .push((direction, Gap { side, start, length, acknowledged: acked, noticed: act.at.number }));
        }
    }

    fn note_payload(&mut self, packet: &Packet, head: &TcpHead, act: Act, payload: &[u8], ear: &mut Ear<'_>) {
        self.note_role(packet.direction, payload);
        let side = self.side(packet.direction);
        let syn = head.flags.has(TcpFlags::SYN);
        let mut gaps = Vec::new();
        let (own, other) = self.pair(packet.direction);
        let Some(offset) = own.offset(head.seq.wrapping_add(u32::from(syn))) else {
            // So much is missing that the same sequence numbers may come again and mean other bytes.
            own.trouble.forget_content();
            own.unplaced = own.unplaced.saturating_add(head.payload.length.into());
            return;
        };
        let length = u64::from(head.payload.length);
        let end = offset + length as i64;
        own.snapped += u32::from(payload.len() < head.payload.length as usize);
        let highest = own.highest();
        other.trouble.probed(act);
        let probe = length == 1 && end == highest as i64 && own.acked >= highest && highest > 0;
        if probe {
            own.probes += u32::from(other.closed_since.is_none());
            own.wants_answer(act, offset, true);
            return;
        }
        own.wants_answer(act, offset, false);
        let fresh = end > highest as i64;
        own.trouble.sent(act, offset, head.payload.length, own.acked, fresh);
        if let Some((value, _)) = head.options.timestamps {
            own.trouble.echo.sent(value, act.time, fresh);
        }
        if let Ok(start) = u64::try_from(offset) {
            own.trouble.content(act, start, head.payload.length, payload);
        }
        if fresh {
            own.rtt.sent(end.max(0) as u64, act.time);
            if let Some(sequence) = &mut own.sequence {
                sequence.advance(end.max(0) as u64);
            }
        }
        if !fresh || offset < highest as i64 {
            own.rtt.resent();
            let late = own.reassembly.is_new(offset.max(0) as u64, end.max(0) as u64)
                && head.options.timestamps.is_none_or(|(value, _)| {
                    own.highest_timestamp.is_none_or(|highest| (highest.wrapping_sub(value) as i32) >= 0)
                });
            if late {
                own.reordered_segments += 1;
            } else {
                own.retransmitted_segments += 1;
                own.retransmitted_bytes += (highest as i64).min(end).saturating_sub(offset).max(0) as u64;
            }
        }
        // What lies before the first byte ever seen (a repetition from before the capture) is nobody's loss.
        let skipped = (-offset).max(0) as usize;
        if end > 0 {
            let start = offset.max(0) as u64;
            own.reassembly.segment(
                start,
                end as u64 - start,
                payload.get(skipped..).unwrap_or(&[]),
                ear.wanted.then_some(ear.now),
                &mut |piece| {
                    if let Piece::Gap(start, length) = piece {
                        gaps.push((start, length));
                    }
                    ear.piece(side, piece);
                },
            );
        }
        let new_turn = self.spoke_last.is_none_or(|(last, _)| last != packet.direction);
        if let Some((_, last)) = self.spoke_last {
            self.longest_idle = self.longest_idle.max(act.time.since(last.time));
        }
        let (own, _) = self.pair(packet.direction);
        own.last_payload = Some(act);
        if fresh {
            own.turns += u32::from(new_turn);
            self.spoke_last = Some((packet.direction, act));
        }
        for (start, length) in gaps {
            self.note_gap(side, packet.direction, start, length, false, act);
        }
    }

    /// Without a SYN, the first bytes of either side may tell who is the server.
    fn note_role(&mut self, direction: Direction, payload: &[u8]) {
        if self.client.1 <= RoleEvidence::SynAck || self.half(direction).turns > 0 {
            return;
        }
        match roles::signature(payload) {
            Some(Side::Client) => self.client = (direction, RoleEvidence::Signature),
            Some(Side::Server) => self.client = (direction.reverse(), RoleEvidence::Signature),
            None => {}
        }
    }

    /// An empty segment one octet before the next: a probe of keep-alive, or of a closed window.
    fn note_probe(&mut self, packet: &Packet, head: &TcpHead, act: Act) {
        if head.flags.has(TcpFlags::SYN | TcpFlags::FIN) {
            return;
        }
        let (own, other) = self.pair(packet.direction);
        let before = own.sequence.is_some();
        let Some(offset) = own.offset(head.seq) else { return };
        if before && offset == own.highest() as i64 - 1 && own.acked >= own.highest() && own.fin.is_none() {
            own.probes += u32::from(other.closed_since.is_none());
            other.trouble.probed(act);
            own.wants_answer(act, offset, true);
        }
    }

    fn note_fin(&mut self, packet: &Packet, head: &TcpHead, act: Act, ear: &mut Ear<'_>) {
        let (own, _) = self.pair(packet.direction);
        let Some(offset) = own.offset(head.seq.wrapping_add(head.payload.length)) else { return };
        if head.payload.length == 0 {
            own.wants_answer(act, offset, false);
        }
        if own.fin.is_none() {
            own.fin = Some((offset.max(0) as u64, act));
            self.note_closing(packet.direction, act, true);
            ear.hear(self.side(packet.direction), Heard::Fin);
        }
    }

    /// Tells the listener once when all bytes before a side's FIN were heard.
    fn tell_closed(&mut self, direction: Direction, ear: &mut Ear<'_>) {
        let side = self.side(direction);
        let (own, _) = self.pair(direction);
        let complete = own.fin.is_some_and(|(end, _)| own.reassembly.next() >= end);
        if complete && !std::mem::replace(&mut own.closed_told, true) {
            ear.hear(side, Heard::Closed);
        }
    }

    /// What a listener knows the connection by.
    pub fn parties(&self) -> Parties {
        let client = self.flow.source(self.client.0);
        let server = self.flow.source(self.client.0.reverse());
        Parties { key: self.key, client, server, from_start: self.halves.iter().any(|half| half.syns > 0) }
    }

    /// Keeps how it stood when the first closing act came.
    fn note_closing(&mut self, direction: Direction, act: Act, fin: bool) {
        if self.closing.is_some() {
            return;
        }
        let [up, down] = &self.halves;
        self.closing = Some(Closing {
            act,
            direction,
            fin,
            since_payload: self.spoke_last.map(|(_, last)| act.time.since(last.time)),
            since_any: self.previous.map(|last| act.time.since(last.time)),
            spoke_last: self.spoke_last,
            turns: [up.turns, down.turns],
            unanswered: self.half(direction).unanswered,
            unacked: [up.unacked(), down.unacked()],
        });
    }

    /// Gap bytes by side.
    pub fn gap_bytes_by_side(&self) -> PerSide<u64> {
        let [up, down] = self.gap_bytes;
        if self.client.0 == Direction::Up {
            PerSide { client: up, server: down }
        } else {
            PerSide { client: down, server: up }
        }
    }
}
