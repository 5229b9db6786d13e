//! UDP conversations: what went each way between two endpoints, and how it ended.
//!
//! A conversation is all that two endpoints exchange by UDP, as tshark's `udp.stream` has it: no pause splits
//! it, and nothing closes it but the capture's end or an ICMP error after which nothing came.

mod ending;

use ending::Refusal;

use super::community_id::{community_id, uid};
use super::zeek::ZeekUdp;
use crate::events::side::{PerSide, Side};
use crate::events::transport::{
    Connection, Opened, Reason, RoleEvidence, RoundTrips, SideFacts, WiresharkCounters,
};
use crate::events::visibility::{Sight, Visibility};
use crate::packet::{Body, Direction, FlowKey, IcmpError, Packet, Payload, Transport};
use crate::place::PacketRef;
use crate::time::{Span, Timestamp};

/// A conversation whose first frame is this close to the capture's start may be older (`domain.md` C.4,
/// `head`).
const HEAD: Span = Span::from_secs(2);

/// Datagrams of one side after which the other side's absence is called one-sided sight (`domain.md` C.4).
const ONE_SIDED: u64 = 5;

/// First port that systems hand out to clients and that is no service's (`domain.md` C.2).
const EPHEMERAL: u16 = 32_768;

/// Ports of well-known UDP services beyond the first 1023 (IANA), sorted: VPNs, RADIUS, SSDP, flow records,
/// GTP, RDP, STUN, Teredo, VXLAN, SIP, CAPWAP, mDNS, LLMNR, CoAP, GENEVE, sFlow, memcached.
const SERVICES: [u16; 31] = [
    1194, 1645, 1646, 1701, 1812, 1813, 1900, 2049, 2055, 2123, 2152, 3389, 3478, 3544, 4500, 4739, 4789,
    5060, 5061, 5246, 5247, 5349, 5353, 5355, 5683, 5684, 6081, 6343, 8472, 9995, 11211,
];

/// A frame and its time.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: PacketRef,
    time: Timestamp,
}

/// What went one way.
#[derive(Debug, Clone, Copy, Default)]
struct Way {
    packets: u64,
    payload_bytes: u64,
    first: Option<Seen>,
    last: Option<Seen>,
    last_payload: Option<Timestamp>,
    /// Payload length of the first datagram, and whether all others have it too.
    length: u32,
    lengths_differ: bool,
}

impl Way {
    fn take(&mut self, seen: Seen, length: u32) {
        if self.first.is_none() {
            self.first = Some(seen);
            self.length = length;
        }
        self.packets += 1;
        self.payload_bytes += u64::from(length);
        self.lengths_differ |= length != self.length;
        self.last = Some(seen);
        if length > 0 {
            self.last_payload = Some(seen.time);
        }
    }

    fn facts(&self) -> SideFacts {
        SideFacts {
            packets: self.packets,
            payload_bytes: self.payload_bytes,
            delivered_bytes: self.payload_bytes,
            last: self.last.map(|seen| seen.time),
            last_payload: self.last_payload,
            ..SideFacts::default()
        }
    }
}

/// A UDP conversation as it grows, packet by packet.
#[derive(Debug, Clone)]
pub struct Datagrams {
    flow: FlowKey,
    /// The way of the first datagram.
    opening: Direction,
    up: Way,
    down: Way,
    first: Seen,
    last: PacketRef,
    end: Timestamp,
    last_payload: Option<Timestamp>,
    longest_idle: Span,
    snapped: u32,
    zeek: ZeekUdp,
    refusal: Option<Refusal>,
}

impl Datagrams {
    /// Begins a conversation with its first datagram, which is counted.
    pub fn new(packet: &Packet) -> Self {
        let (sender, receiver) =
            (packet.flow.source(packet.direction), packet.flow.source(packet.direction.reverse()));
        let mut new = Self {
            flow: packet.flow,
            opening: packet.direction,
            up: Way::default(),
            down: Way::default(),
            first: Seen { at: packet.at, time: packet.time },
            last: packet.at,
            end: packet.time,
            last_payload: None,
            longest_idle: Span::ZERO,
            snapped: 0,
            zeek: ZeekUdp::new(sender, receiver),
            refusal: None,
        };
        new.packet(packet);
        new
    }

    /// Takes the next datagram of this flow, either way.
    pub fn packet(&mut self, packet: &Packet) {
        let payload = match packet.body {
            Body::Udp(payload) => payload,
            Body::Tcp(_) | Body::IcmpError(_) | Body::Sampled(_) => Payload::default(),
        };
        let seen = Seen { at: packet.at, time: packet.time };
        if payload.length > 0 {
            if let Some(last) = self.last_payload {
                self.longest_idle = self.longest_idle.max(packet.time.since(last));
            }
            self.last_payload = self.last_payload.max(Some(packet.time));
        }
        self.snapped += u32::from(payload.captured.length < payload.length);
        self.last = packet.at;
        self.end = self.end.max(packet.time);
        self.zeek.datagram(packet.direction == self.opening);
        self.refusal = self.refusal.take().and_then(|refusal| refusal.after_datagram(packet.direction));
        match packet.direction {
            Direction::Up => self.up.take(seen, payload.length),
            Direction::Down => self.down.take(seen, payload.length),
        }
    }

    /// Takes an ICMP error that quotes a datagram of this flow. It is no frame of the conversation itself.
    pub fn icmp(&mut self, packet: &Packet, error: &IcmpError) {
        let quoted = self.way(packet.direction).last;
        let seen = Seen { at: packet.at, time: packet.time };
        if let Some(refusal) = Refusal::new(error, packet.direction, seen, quoted) {
            self.refusal = Some(refusal);
        }
    }

    /// The conversation's account, given when its capture began and ended. `id` and `stream` are left to the
    /// caller.
    pub fn finish(&self, capture_end: Timestamp, capture_start: Timestamp) -> Connection {
        let (client_way, role_evidence) = self.roles();
        let (client, server) = (self.flow.source(client_way), self.flow.source(client_way.reverse()));
        let ended = self.ending(client_way, capture_end);
        let opened = self.opened(client_way, capture_start);
        let sides =
            PerSide { client: self.way(client_way).facts(), server: self.way(client_way.reverse()).facts() };
        Connection {
            id: 0,
            stream: None,
            uid: uid(self.first.time, client, server, Transport::Udp, 0),
            community_id: community_id(client, server, Transport::Udp),
            transport: Transport::Udp,
            client,
            server,
            role_evidence,
            first: self.first.at,
            last: self.last,
            start: self.first.time,
            end: self.end,
            opened,
            sides,
            completeness: 0,
            conn_state: self.zeek.conn_state(),
            history: self.zeek.history().to_owned(),
            rtt: RoundTrips::default(),
            wireshark: WiresharkCounters::default(),
            visibility: Visibility {
                began_before: opened == Opened::MidCapture,
                ended_after: ended.reason == Reason::CaptureEnded,
                sight: sight(&sides),
                snapped: self.snapped,
                tail: capture_end.since(self.end),
                ..Visibility::default()
            },
            longest_idle: self.longest_idle,
            closing: None,
            trouble: self.trouble(client_way),
            ended,
        }
    }

    fn way(&self, direction: Direction) -> &Way {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    /// The client's way, and why: a service's port opposite an ephemeral one tells; else who spoke first is
    /// taken.
    fn roles(&self) -> (Direction, RoleEvidence) {
        let (sender, receiver) =
            (self.flow.source(self.opening).port, self.flow.source(self.opening.reverse()).port);
        let serves = |server: u16, client: u16| is_service(server) && client >= EPHEMERAL;
        match (serves(receiver, sender), serves(sender, receiver)) {
            (true, false) => (self.opening, RoleEvidence::Port),
            (false, true) => (self.opening.reverse(), RoleEvidence::Port),
            _ => (self.opening, RoleEvidence::Unknown),
        }
    }

    /// UDP has no SYN: the beginning was seen if the capture had run for a while and the client spoke first.
    fn opened(&self, client_way: Direction, capture_start: Timestamp) -> Opened {
        let answered = self.way(client_way.reverse()).packets > 0;
        let refused = self.refusal.as_ref().is_some_and(Refusal::is_hard);
        if refused && !answered {
            Opened::Never
        } else if self.first.time.since(capture_start) < HEAD || self.opening != client_way {
            Opened::MidCapture
        } else {
            Opened::Observed
        }
    }
}

/// Whether a port below the ephemeral ones is a service's.
fn is_service(port: u16) -> bool {
    port < 1024 || SERVICES.binary_search(&port).is_ok()
}

fn sight(sides: &PerSide<SideFacts>) -> Sight {
    match (sides[Side::Client].packets, sides[Side::Server].packets) {
        (client, 0) if client >= ONE_SIDED => Sight::ClientOnly,
        (0, server) if server >= ONE_SIDED => Sight::ServerOnly,
        _ => Sight::Both,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::capture::Slice;
    use crate::packet::{Endpoint, IpFacts};

    const CLIENT: &str = "10.0.0.1";

    /// Plays datagrams `>length@ms` of the client and `<length@ms` of the server, and ICMP errors
    /// `!type.code@ms` about the client's (`?` about the server's), sent by `icmp_from`.
    fn play(client_port: u16, server: &str, icmp_from: &str, script: &str) -> Datagrams {
        let server: std::net::SocketAddr = server.parse().unwrap();
        let ends =
            [Endpoint::new(CLIENT.parse().unwrap(), client_port), Endpoint::new(server.ip(), server.port())];
        let mut conversation: Option<Datagrams> = None;
        for (index, word) in script.split_whitespace().enumerate() {
            let (what, at) = word[1..].split_once('@').unwrap();
            let from_client = matches!(&word[..1], ">" | "!");
            let (source, destination) = if from_client { (ends[0], ends[1]) } else { (ends[1], ends[0]) };
            let (flow, direction) = FlowKey::new(source, destination, Transport::Udp);
            let body = if let Some((kind, code)) = what.split_once('.') {
                let from: IpAddr = icmp_from.parse().unwrap();
                Body::IcmpError(IcmpError {
                    from,
                    kind: kind.parse().unwrap(),
                    code: code.parse().unwrap(),
                    mtu: None,
                    quoted_seq: None,
                    quoted_flags: None,
                })
            } else {
                let length = what.parse().unwrap();
                Body::Udp(Payload { captured: Slice { length, ..Slice::default() }, frame_offset: 0, length })
            };
            let number = index as u64 + 1;
            let packet = Packet {
                at: PacketRef { number, frame: number, ..PacketRef::default() },
                time: Timestamp(at.parse::<i64>().unwrap() * 1_000_000),
                flow,
                direction,
                context: 0,
                hidden: false,
                link_source: 0,
                ip: IpFacts::default(),
                body,
            };
            match (&mut conversation, &body) {
                (Some(known), Body::IcmpError(error)) => known.icmp(&packet, error),
                (Some(known), _) => known.packet(&packet),
                (none, _) => *none = Some(Datagrams::new(&packet)),
            }
        }
        conversation.unwrap()
    }

    fn finish(conversation: &Datagrams, end_s: i64) -> Connection {
        conversation.finish(Timestamp::from_parts(end_s, 0), Timestamp(0))
    }

    const DNS: &str = "10.0.0.2:53";
    const HOST: &str = "10.0.0.2";
    const ROUTER: &str = "10.0.0.9";

    /// Server, sender of ICMP errors, script, second of the capture's end; how, by, reason, confidence,
    /// opened.
    const ENDINGS: [(&str, &str, &str, i64, &str); 21] = [
        // Answered, and then nothing more.
        (DNS, HOST, ">30@9000 <80@9020", 10, "CaptureEnd Unknown CaptureEnded Low Observed"),
        (DNS, HOST, ">30@9000 <80@9020", 90, "CaptureEnd Unknown Unknown Low Observed"),
        (DNS, HOST, ">30@500 <80@520", 2, "CaptureEnd Unknown CaptureEnded Low MidCapture"),
        (
            DNS,
            HOST,
            ">30@3000 <80@3020 >30@9000 <80@9020",
            12,
            "CaptureEnd Unknown CaptureEnded Medium Observed",
        ),
        // Refused: by the host, by a router, by a policy.
        (DNS, HOST, ">30@3000 !3.3@3010", 4, "Icmp Server EstablishRefused High Never"),
        (DNS, ROUTER, ">30@3000 !3.3@3010", 4, "Icmp Network EstablishRefused High Never"),
        (DNS, ROUTER, ">30@3000 !3.13@3010", 4, "Icmp Network EstablishRefused High Never"),
        (DNS, HOST, ">30@3000 !3.3@3010 >30@4000", 9, "Icmp Server EstablishRefused Medium Never"),
        // The path is down, and then it is not.
        (DNS, ROUTER, ">30@3000 !3.1@3010", 4, "Icmp Network Network High Observed"),
        (DNS, ROUTER, ">30@3000 !3.1@3010 >30@4000", 9, "Silence Server EstablishTimeout Medium Observed"),
        // An error refuted by an answer, one about the path's MTU, and one after an answer.
        (DNS, HOST, ">30@3000 !3.3@3010 <80@3020", 4, "CaptureEnd Unknown CaptureEnded Low Observed"),
        (DNS, ROUTER, ">30@3000 !3.4@3010", 4, "CaptureEnd Unknown CaptureEnded Low Observed"),
        (DNS, CLIENT, ">30@3000 <80@9000 ?3.3@9001", 10, "Icmp Client Network High Observed"),
        // Silence is one only after retries and a wait, and from someone who should answer.
        (DNS, HOST, ">30@3000 >30@8000 >30@13000", 20, "Silence Server EstablishTimeout Medium Observed"),
        (
            DNS,
            HOST,
            ">30@3000 >30@4000 >30@6000 >30@9000 >30@13000",
            20,
            "Silence Server EstablishTimeout Low Observed",
        ),
        (DNS, HOST, ">30@3000 >30@8000", 10, "CaptureEnd Unknown CaptureEnded Low Observed"),
        (DNS, HOST, ">30@3000", 20, "CaptureEnd Unknown Unknown Low Observed"),
        (DNS, HOST, ">30@3000 >31@8000", 20, "CaptureEnd Unknown Unknown Low Observed"),
        (DNS, HOST, ">30@3000 >30@3100", 20, "CaptureEnd Unknown Unknown Low Observed"),
        ("10.0.0.2:514", HOST, ">30@3000 >30@8000", 20, "CaptureEnd Unknown Unknown Low Observed"),
        ("239.255.255.250:1900", HOST, ">30@3000 >30@8000", 20, "CaptureEnd Unknown Unknown Low Observed"),
    ];

    #[test]
    fn endings_follow_what_was_seen() {
        for (server, icmp_from, script, end_s, expected) in ENDINGS {
            let connection = finish(&play(40000, server, icmp_from, script), end_s);
            let ended = &connection.ended;
            let told = format!(
                "{:?} {:?} {:?} {:?} {:?}",
                ended.how, ended.by, ended.reason, ended.confidence, connection.opened
            );
            assert_eq!(told, expected, "{server} {script} until {end_s} s: {}", ended.because);
            assert!(!ended.frames.is_empty() && ended.frames.is_sorted(), "{script}");
        }
    }

    #[test]
    fn reasons_are_said_with_their_figures() {
        let say = |icmp_from, script, end_s| {
            finish(&play(40000, "10.0.0.2:53", icmp_from, script), end_s).ended.because
        };
        assert_eq!(
            say("10.0.0.2", ">30@3000 !3.3@3010", 4),
            "10 ms after a datagram to 10.0.0.2:53, 10.0.0.2 said by ICMP (type 3, code 3) that no one listens there; no \
             answer came to 1 datagram"
        );
        assert_eq!(
            say("10.0.0.2", ">30@3000 >30@8000", 20),
            "the client sent 2 datagrams of 30 bytes to 10.0.0.2:53 in 5.00 s, and nothing came back in the 12.00 s \
             that the capture went on"
        );
        assert_eq!(
            say("10.0.0.2", ">30@3000 <80@3500", 4),
            "the last of 2 datagrams came 500 ms before the capture's end, and UDP has no close"
        );
    }

    #[test]
    fn the_frames_cited_are_those_of_the_claim() {
        let cited = |script, end_s| -> Vec<u64> {
            let connection = finish(&play(40000, "10.0.0.2:53", "10.0.0.2", script), end_s);
            connection.ended.frames.iter().map(|at| at.number).collect()
        };
        assert_eq!(cited(">30@3000 >30@4000 !3.3@4001", 9), [2, 3]);
        assert_eq!(cited(">30@3000 >30@4000 >30@6000", 30), [1, 3]);
        assert_eq!(cited(">30@3000 <9@3001 >30@3002", 4), [2, 3]);
    }

    #[test]
    fn ports_tell_roles_where_they_can() {
        for (client_port, server, script, client_is_client, evidence) in [
            (40000, "10.0.0.2:53", ">1@0", true, RoleEvidence::Port),
            (40000, "10.0.0.2:53", "<1@0 >1@1", true, RoleEvidence::Port),
            (40000, "10.0.0.2:5060", "<1@0", true, RoleEvidence::Port),
            (20000, "10.0.0.2:53", "<1@0", false, RoleEvidence::Unknown),
            (123, "10.0.0.2:123", ">1@0", true, RoleEvidence::Unknown),
            (40000, "10.0.0.2:50000", "<1@0", false, RoleEvidence::Unknown),
        ] {
            let connection = finish(&play(client_port, server, CLIENT, script), 9);
            let is_client = connection.client == Endpoint::new(CLIENT.parse().unwrap(), client_port);
            assert_eq!(
                (is_client, connection.role_evidence),
                (client_is_client, evidence),
                "{server} {script}"
            );
        }
        assert!(SERVICES.is_sorted() && SERVICES.iter().all(|port| *port < EPHEMERAL));
    }

    #[test]
    fn each_side_is_counted_and_a_server_that_speaks_first_came_late() {
        let connection =
            finish(&play(40000, "10.0.0.2:53", CLIENT, "<80@5000 >30@6000 >0@6500 <70@20000"), 21);
        let PerSide { client, server } = &connection.sides;
        assert_eq!((client.packets, client.payload_bytes), (2, 30));
        assert_eq!((server.packets, server.payload_bytes), (2, 150));
        assert_eq!(
            (client.last, client.last_payload),
            (Some(Timestamp(6_500_000_000)), Some(Timestamp(6_000_000_000)))
        );
        assert_eq!(connection.longest_idle, Span::from_secs(14));
        assert_eq!((connection.conn_state, connection.history.as_str()), ("SF", "^dD"));
        assert_eq!(connection.opened, Opened::MidCapture);
        assert!(connection.visibility.began_before && connection.visibility.ended_after);
        assert_eq!(connection.visibility.sight, Sight::Both);
        assert_eq!((connection.first.number, connection.last.number), (1, 4));
    }
}
