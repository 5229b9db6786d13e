//! TCP: each segment moves the states of both ends and may leave a letter.

use super::end::{End, State};
use super::history::{History, Role};
use super::{is_broadcast, tcp_server_speaks};
use crate::packet::{Endpoint, TcpFlags, TcpHead};
use crate::stream::pack::packed;
use crate::time::{Span, Timestamp};

/// How long Zeek remembers a closed connection (`tcp_close_delay`).
const CLOSE_DELAY: Span = Span::from_secs(5);

/// Zeek's account of one TCP connection, segment by segment.
#[derive(Debug, Clone, Copy)]
pub struct ZeekTcp {
    originator: End,
    responder: End,
    history: History,
    /// When Zeek forgets the connection, once it is closed.
    forgotten: Option<Timestamp>,
    /// Ports of the first segment's sender and receiver.
    ports: (u16, u16),
    /// A broadcast address cannot be the originator.
    never_flips: bool,
    /// The sender of the first segment is the responder.
    flipped: bool,
    /// The row is still empty.
    fresh: bool,
}

packed!(ZeekTcp { originator, responder, history, forgotten, ports, never_flips, flipped, fresh });

impl ZeekTcp {
    /// For a connection whose first segment goes from `sender` to `receiver`; then give all its segments to
    /// [`segment`](Self::segment), the first one too.
    pub fn new(sender: Endpoint, receiver: Endpoint) -> Self {
        Self {
            originator: End::default(),
            responder: End::default(),
            history: History::new(),
            forgotten: None,
            ports: (sender.port, receiver.port),
            never_flips: is_broadcast(receiver.ip),
            flipped: false,
            fresh: true,
        }
    }

    /// Whether Zeek now takes the receiver of the connection's first segment for the originator.
    pub fn is_flipped(&self) -> bool {
        self.flipped
    }

    /// Takes the next segment; `from_first_sender` says whether the connection's first segment had the same
    /// source.
    pub fn segment(&mut self, from_first_sender: bool, head: &TcpHead, time: Timestamp) {
        if self.forgotten.is_some_and(|moment| time >= moment) {
            self.originator = End::default();
            self.responder = End::default();
            self.history = History::new();
            self.forgotten = None;
            self.fresh = true;
        }
        if self.fresh {
            self.choose_roles(from_first_sender, head.flags);
        }
        self.follow(from_first_sender == self.flipped, head, time);
    }

    /// The sender of a row's first segment is the originator, unless that segment is no pure SYN and the
    /// ports tell that a server speaks: then Zeek flips the roles, and the history begins with `^`.
    fn choose_roles(&mut self, from_first_sender: bool, flags: TcpFlags) {
        let (first, second) = self.ports;
        let (source, destination) = if from_first_sender { (first, second) } else { (second, first) };
        let flips = tcp_server_speaks(source, destination, flags) && !self.never_flips;
        self.flipped = from_first_sender == flips;
        self.fresh = false;
        if flips {
            self.history.push(Role::Originator, b'^');
        }
    }

    fn follow(&mut self, from_responder: bool, head: &TcpHead, time: Timestamp) {
        let (flags, length) = (head.flags, head.payload.length);
        let (role, me, peer) = if from_responder {
            (Role::Responder, &mut self.responder, &mut self.originator)
        } else {
            (Role::Originator, &mut self.originator, &mut self.responder)
        };
        let history = &mut self.history;

        // A SYN and a FIN each take a sequence number; what a RST carries is no part of the stream.
        let carried = if flags.has(TcpFlags::RST) { 0 } else { length };
        let end = head
            .seq
            .wrapping_add(carried)
            .wrapping_add(u32::from(flags.has(TcpFlags::SYN)))
            .wrapping_add(u32::from(flags.has(TcpFlags::FIN)));
        let answers_syn_ack = head.seq == me.start;
        me.begin(flags, head.seq, end);
        mention(history, role, me, flags, head.seq.wrapping_sub(me.start), length);
        // A window of zero means nothing in or after a RST, or once the peer has nothing more to send.
        let window_matters =
            !flags.has(TcpFlags::RST) && peer.state != State::Closed && me.state != State::Reset;
        if head.window == 0 && window_matters && me.zero_windows.count() {
            history.push(role, b'W');
        }
        me.has_fin |= flags.has(TcpFlags::FIN);

        let acked = if flags.has(TcpFlags::ACK) { peer.hear_ack(flags, head.ack) } else { None };
        if me.advance(flags, end, length) && me.retransmissions.count() {
            history.push(role, b'T');
        }
        let flip = step(role, me, peer, flags, length, answers_syn_ack);
        if is_closed(me, peer, flags) && self.forgotten.is_none() {
            self.forgotten = Some(time + CLOSE_DELAY);
        }
        // Only now, so that a hole that the last segment reveals is not told.
        for _ in 0..acked.map_or(0, |ack| peer.acknowledge(ack)) {
            if peer.is_clean() && me.is_clean() && peer.gaps.count() {
                history.push(role.other(), b'G');
            }
        }
        me.take_payload(head);
        if flip {
            history.push(Role::Originator, b'^');
            std::mem::swap(&mut self.originator, &mut self.responder);
            self.flipped = !self.flipped;
        }
    }

    /// `conn_state` as of now: S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH.
    pub fn conn_state(&self) -> &'static str {
        use State::{Closed, Established, Inactive, Reset, SynAckSent, SynSent};
        let (originator, responder) = (&self.originator, &self.responder);
        match (originator.state, responder.state) {
            (SynSent | SynAckSent, Reset) => "REJ",
            (Reset, Reset) if !originator.sized && !responder.sized => "REJ",
            (_, Reset) if originator.is_silent() => "RSTRH",
            (_, Reset) => "RSTR",
            (Reset, _) if !responder.is_silent() => "RSTO",
            (Reset, _) if self.history.syn_then_reset() => "RSTOS0",
            (Closed, Closed) => "SF",
            (Closed, _) if responder.is_silent() => "SH",
            (Closed, _) => "S2",
            (_, Closed) if originator.is_silent() => "SHR",
            (_, Closed) => "S3",
            (SynSent, Inactive) => "S0",
            (Established, Established) => "S1",
            _ => "OTH",
        }
    }

    /// `history` as of now, without the letters `C` and `X`; at most 44 letters.
    pub fn history(&self) -> &str {
        self.history.as_str()
    }
}

/// Writes the letter of a segment. Data and acknowledgments are said once, a SYN, FIN or RST again when it
/// stands at another sequence number than the last one.
fn mention(history: &mut History, role: Role, me: &mut End, flags: TcpFlags, relative: u32, length: u32) {
    let (syn, fin, rst) = (flags.has(TcpFlags::SYN), flags.has(TcpFlags::FIN), flags.has(TcpFlags::RST));
    let (kind, letter, place, last) = match (syn, fin, rst) {
        (_, true, true) => {
            history.push_once(role, History::FIN_RST, b'I');
            return;
        }
        (true, true, false) | (true, false, true) => {
            history.push_once(role, History::MULTIPLE, b'Q');
            return;
        }
        (false, false, false) => {
            if length > 0 {
                history.push_once(role, History::DATA, b'D');
            } else if flags.has(TcpFlags::ACK) {
                history.push_once(role, History::ACK, b'A');
            }
            return;
        }
        (true, false, false) => {
            let letter = if flags.has(TcpFlags::ACK) { b'H' } else { b'S' };
            (History::SYN, letter, relative, &mut me.last_syn)
        }
        (false, true, false) => (History::FIN, b'F', relative.wrapping_add(length), &mut me.last_fin),
        (false, false, true) => (History::RST, b'R', relative, &mut me.last_rst),
    };
    let said_before = history.push_once(role, kind, letter);
    if said_before && place != *last {
        history.push(role, letter);
    }
    *last = place;
}

/// Moves the sender's state, and the peer's where the segment tells of it; whether the roles are to be
/// flipped.
fn step(
    role: Role,
    me: &mut End,
    peer: &mut End,
    flags: TcpFlags,
    length: u32,
    answers_syn_ack: bool,
) -> bool {
    let (syn, fin, rst) = (flags.has(TcpFlags::SYN), flags.has(TcpFlags::FIN), flags.has(TcpFlags::RST));
    let mut flip = false;
    match me.state {
        State::Inactive => {
            if syn {
                flip = first_syn(role, me, peer, flags, answers_syn_ack);
            }
            if fin {
                me.enter(State::Closed);
            }
            if rst {
                me.enter(State::Reset);
            }
            if me.state == State::Inactive {
                first_without_flags(role, me, peer, flags, length);
            }
        }
        State::SynSent | State::SynAckSent => {
            if fin {
                me.enter(State::Closed);
            }
            if rst {
                me.enter(State::Reset);
            }
        }
        State::Established | State::Partial => {
            // The connection began with something older than its own SYN.
            if flags.is_pure_syn() && me.state == State::Partial && peer.state == State::Inactive {
                me.enter(State::SynSent);
            }
            if rst {
                me.enter(State::Reset);
            } else if fin {
                me.enter(State::Closed);
                // A FIN and then a RST of the peer, answered by a FIN, was an orderly end after all.
                if peer.state == State::Reset && peer.before == State::Closed {
                    peer.enter(State::Closed);
                }
            }
        }
        State::Closed => {
            // After both FINs a RST changes nothing any more.
            if rst && peer.state != State::Closed {
                me.enter(State::Reset);
            }
        }
        State::Reset => {}
    }
    flip
}

/// Whether the segment just taken makes the connection one that Zeek waits to forget.
fn is_closed(me: &End, peer: &End, flags: TcpFlags) -> bool {
    let closed = |end: &End| matches!(end.state, State::Closed | State::Reset);
    (flags.has(TcpFlags::RST) && me.state == State::Reset)
        || (flags.has(TcpFlags::FIN) && closed(me) && (closed(peer) || peer.state == State::Inactive))
}

/// The first segment of an end has SYN set.
fn first_syn(role: Role, me: &mut End, peer: &mut End, flags: TcpFlags, answers_syn_ack: bool) -> bool {
    if role == Role::Originator {
        me.enter(if flags.has(TcpFlags::ACK) { State::SynAckSent } else { State::SynSent });
        return false;
    }
    // SYN-ACK and SYN were recorded in the wrong order, so the supposed responder is the one who asks.
    let flip = flags.is_pure_syn() && peer.state == State::SynAckSent && answers_syn_ack;
    if flip || peer.state == State::SynSent {
        peer.enter(State::Established);
    }
    me.enter(State::Established);
    flip
}

/// The first segment of an end has none of SYN, FIN and RST.
fn first_without_flags(role: Role, me: &mut End, peer: &End, flags: TcpFlags, length: u32) {
    if role == Role::Responder && length == 0 && peer.state == State::SynSent {
        // An ACK before the SYN-ACK: some hosts do that, and the SYN-ACK still comes.
    } else if flags.has(TcpFlags::ACK) && peer.state == State::Established {
        me.enter(State::Established);
    } else {
        me.enter(State::Partial);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::capture::Slice;
    use crate::packet::Payload;

    fn endpoint(host: u8, port: u16) -> Endpoint {
        Endpoint::new(IpAddr::from([10, 0, 0, host]), port)
    }

    /// Plays segments written as `>SA:seq:ack+length@second`: `>` from 10.0.0.1, `<` from 10.0.0.2; flags S A
    /// F R; `w` after the flags is a window of zero, `c` a payload cut by the recorder.
    fn play(ports: (u16, u16), script: &str) -> ZeekTcp {
        let (client, server) = (endpoint(1, ports.0), endpoint(2, ports.1));
        let first_is_client = script.starts_with('>');
        let mut zeek =
            if first_is_client { ZeekTcp::new(client, server) } else { ZeekTcp::new(server, client) };
        for word in script.split_whitespace() {
            let (word, second) = word.split_once('@').unwrap_or((word, "0"));
            let (word, length) = word.split_once('+').unwrap_or((word, "0"));
            let mut fields = word[1..].split(':');
            let letters = fields.next().unwrap();
            let mut number = || fields.next().map_or(0, |text| text.parse().unwrap());
            let flags = letters.chars().fold(0, |flags, letter| {
                flags
                    | match letter {
                        'S' => TcpFlags::SYN,
                        'A' => TcpFlags::ACK,
                        'F' => TcpFlags::FIN,
                        'R' => TcpFlags::RST,
                        _ => 0,
                    }
            });
            let length = length.parse().unwrap();
            let captured =
                Slice { length: if letters.contains('c') { 1 } else { length }, ..Slice::default() };
            let head = TcpHead {
                seq: number(),
                ack: number(),
                flags: TcpFlags(flags),
                window: if letters.contains('w') { 0 } else { 1000 },
                payload: Payload { captured, frame_offset: 0, length },
                ..TcpHead::default()
            };
            let time = Timestamp::from_parts(second.parse().unwrap(), 0);
            zeek.segment(word.starts_with('>') == first_is_client, &head, time);
        }
        zeek
    }

    #[test]
    fn scripts_of_segments_give_the_states_and_letters_of_zeek() {
        const UP: &str = ">S:0 <SA:500:1 >A:1:501 ";
        let long_resets = (1..100).map(|n| format!(">R:{n}")).collect::<Vec<_>>().join(" ");
        for (before, script, state, history) in [
            // The handshake, and what is left of it.
            ("", ">S:0", "S0", "S"),
            ("", ">S:0 >S:0 >S:0@3", "S0", "S"),
            ("", ">S:0 >A:1:501 >A:1:501+5", "S0", "SAD"),
            ("", ">S:0 <A:9:1 <SA:500:1", "S1", "Sah"),
            // Zeek takes the data of a first SYN for sent twice.
            ("", ">S:0+5 <SA:500:6", "S1", "STh"),
            ("", ">S:0 <S:500", "S1", "Ss"),
            ("", ">S:0 <RA:0:1", "REJ", "Sr"),
            ("", ">S:0 <RA:0:1 >S:0@1 <RA:0:1@1", "REJ", "Sr"),
            ("", ">S:0 <RA:0:1 >R:1", "REJ", "SrR"),
            ("", ">S:0 >R:1", "RSTOS0", "SR"),
            ("", ">S:0 >A:1:501 >R:1", "OTH", "SAR"),
            ("", ">S:0 >FA:1:501", "SH", "SF"),
            ("", ">S:0 <SA:500:1 >R:1", "RSTO", "ShR"),
            (UP, "", "S1", "ShA"),
            // How it ends.
            (UP, ">A:1:501+9 <A:501:10+9 >FA:10:510 <FA:510:11 >A:11:511", "SF", "ShADdFf"),
            (UP, ">FA:1:501 <A:501:2", "S2", "ShAFa"),
            (UP, "<FA:501:1 >A:1:502", "S3", "ShAf"),
            (UP, ">RA:1:501", "RSTO", "ShAR"),
            (UP, "<RA:501:1", "RSTR", "ShAr"),
            (UP, ">A:1:501+9 >R:10 <R:501", "RSTR", "ShADRr"),
            (UP, ">FA:1:501 <FA:501:2 >R:2", "SF", "ShAFfR"),
            (UP, ">FA:1:501 >RA:2:501", "RSTO", "ShAFR"),
            (UP, ">FA:1:501 >RA:2:501 <FA:501:2", "SF", "ShAFRf"),
            (UP, ">FA:1:501 >FA:1:501@1", "S2", "ShAF"),
            (UP, ">FA:1:501 >FA:5:501", "S2", "ShAFF"),
            // Begun before the capture.
            ("", ">A:7:70+5 <A:70:12+5", "OTH", "Dd"),
            ("", "<A:70:7+5 >A:7:75", "OTH", "^dA"),
            ("", "<SA:500:1", "OTH", "^h"),
            ("", "<SA:500:1 >A:1:501", "S1", "^hA"),
            ("", "<SA:500:1 <R:501", "RSTRH", "^hr"),
            ("", "<SA:500:1 <A:501:1+5 <FA:506:1", "SHR", "^hdf"),
            ("", "<R:500", "RSTRH", "^r"),
            ("", ">R:500", "OTH", "R"),
            ("", ">A:7:70+5 >S:100", "S0", "DS"),
            // Letters that are said at 1, 10, 100 …, and odd flags.
            (UP, ">A:1:501+5 >A:1:501+5 >A:1:501+5", "S1", "ShADT"),
            (UP, ">A:1:501+5 >A:0:501 >A:5:501+1", "S1", "ShADT"),
            (UP, "<Aw:501:1 <Aw:501:1", "S1", "ShAaw"),
            (UP, ">A:6:501+5 <A:501:11", "S1", "ShADaG"),
            (UP, ">A:6:501+5 >A:1:501+5 <A:501:11", "S1", "ShADTa"),
            (UP, ">Ac:1:501+5 <A:501:6", "S1", "ShADaG"),
            (UP, ">A:1:501+5 <RA:501:99", "RSTR", "ShADr"),
            (UP, ">FRA:1:501", "RSTO", "ShAI"),
            ("", ">SF:0", "SH", "Q"),
            ("", ">SR:0", "OTH", "Q"),
            // Forgotten five seconds after its end; what comes then is a row of its own.
            (UP, ">RA:1:501@1 <A:501:1+5@5", "RSTO", "ShARd"),
            (UP, ">RA:1:501@1 >A:1:501+5@6 <R:501@6", "RSTRH", "Dr"),
            (UP, ">FA:1:501@1 <FA:501:2@2 <RA:502:2@9", "RSTRH", "^r"),
            // SYN and SYN-ACK recorded in the wrong order, and the port told who asks.
            ("", "<SA:500:1 >S:0 >A:1:501", "OTH", "^hSA"),
            (UP, &long_resets, "RSTO", "ShARRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR"),
        ] {
            let zeek = play((40000, 80), &format!("{before}{script}"));
            assert_eq!((zeek.conn_state(), zeek.history()), (state, history), "{before}{script}");
        }
    }

    #[test]
    fn ports_decide_roles_only_without_a_syn() {
        let high = (40000, 50000);
        for (ports, script, state, history, flipped) in [
            (high, ">A:7:70+5", "OTH", "D", false),
            (high, "<SA:500:1 >S:0 >A:1:501", "S1", "Hs^A", true),
            ((22, 80), ">SA:7:1", "OTH", "H", false),
            ((22, 80), ">A:7:70+5", "OTH", "^d", true),
            ((80, 22), ">A:7:70+5", "OTH", "D", false),
            ((80, 40000), ">S:7", "S0", "S", false),
            ((80, 40000), ">A:7:70+5", "OTH", "^d", true),
        ] {
            let zeek = play(ports, script);
            assert_eq!(
                (zeek.conn_state(), zeek.history(), zeek.is_flipped()),
                (state, history, flipped),
                "{script}"
            );
        }
        let mut to_all = ZeekTcp::new(endpoint(1, 80), Endpoint::new(IpAddr::from([255; 4]), 40000));
        to_all.segment(true, &TcpHead::default(), Timestamp(0));
        assert!(!to_all.is_flipped());
    }

    #[test]
    fn a_stream_longer_than_half_the_sequence_space_has_no_false_letters() {
        let mut zeek = ZeekTcp::new(endpoint(1, 40000), endpoint(2, 80));
        let mut send = |from_client: bool, flags: u16, seq: u32, ack: u32, length: u32| {
            let captured = Slice { length, ..Slice::default() };
            let payload = Payload { captured, frame_offset: 0, length };
            let head = TcpHead { seq, ack, flags: TcpFlags(flags), window: 9, payload, ..TcpHead::default() };
            zeek.segment(from_client, &head, Timestamp(0));
        };
        send(true, TcpFlags::SYN, 0, 0, 0);
        send(false, TcpFlags::SYN | TcpFlags::ACK, 500, 1, 0);
        let step = 1 << 28;
        for n in 0..40_u32 {
            let seq = 1_u32.wrapping_add(n.wrapping_mul(step));
            send(true, TcpFlags::ACK, seq, 501, step);
            send(false, TcpFlags::ACK, 501, seq.wrapping_add(step), 0);
        }
        assert_eq!((zeek.conn_state(), zeek.history()), ("S1", "ShDa"));
    }

    #[test]
    fn the_account_stays_small() {
        assert!(size_of::<ZeekTcp>() <= 192, "{}", size_of::<ZeekTcp>());
    }
}
