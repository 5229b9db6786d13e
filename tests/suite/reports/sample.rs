//! A made result with a little of everything.

use std::net::IpAddr;

use ghostshark::analysis::{Analysis, Quality, Totals};
use ghostshark::capture::{Blackout, FileFacts, InterfaceFacts, LinkType};
use ghostshark::events::transport::{
    By, Confidence, How, Opened, Reason, RoleEvidence, RoundTrips, RstClass, RstFacts, SideFacts,
    WiresharkCounters,
};
use ghostshark::events::visibility::{Gap, Sight};
use ghostshark::events::{Connection, Ending, PerSide, Side, Visibility};
use ghostshark::packet::{Endpoint, Transport};
use ghostshark::place::{FileId, PacketRef};
use ghostshark::problem::{Problem, ProblemKind};
use ghostshark::time::{Span, Timestamp};

fn second(seconds: i64) -> Timestamp {
    Timestamp::from_parts(1_700_000_000 + seconds, 0)
}

fn frame(number: u64) -> PacketRef {
    PacketRef { number, frame: number, offset: number * 100, length: 60, file: FileId(0) }
}

fn ending(how: How, by: By, reason: Reason, confidence: Confidence, frames: &[u64], because: &str) -> Ending {
    Ending {
        how,
        by,
        reason,
        detail: None,
        confidence,
        frames: frames.iter().copied().map(frame).collect(),
        because: because.to_owned(),
        rst: None,
    }
}

/// A connection that opened, exchanged something and ended as told.
fn connection(id: u32, start: i64, end: i64, ended: Ending) -> Connection {
    let number = u64::from(id) * 100 + 1;
    let side = |packets, payload_bytes| SideFacts {
        packets,
        payload_bytes,
        delivered_bytes: payload_bytes,
        last: Some(second(end)),
        last_payload: Some(second(end)),
        ..SideFacts::default()
    };
    Connection {
        id,
        stream: Some(id),
        uid: 0xfeed_0000_0000_0000 + u64::from(id),
        community_id: "1:wCb3OG7yAFWelaUydu0D+125CLM=".to_owned(),
        transport: Transport::Tcp,
        client: Endpoint::new(IpAddr::from([10, 0, 0, 1]), 40_000 + id as u16),
        server: Endpoint::new(IpAddr::from([10, 0, 0, 2]), 443),
        role_evidence: RoleEvidence::Syn,
        first: frame(number),
        last: frame(number + 40),
        start: second(start),
        end: second(end),
        opened: Opened::Observed,
        ended,
        sides: PerSide { client: side(12, 1_234), server: side(14, 3_456_789) },
        completeness: 31,
        conn_state: "SF",
        history: "ShADadfF".to_owned(),
        rtt: RoundTrips {
            initial: Some(Span::from_millis(20)),
            min: Some(Span::from_millis(18)),
            median: Some(Span(21_500_000)),
            smoothed: None,
            peak: None,
            samples: 9,
        },
        wireshark: WiresharkCounters::default(),
        visibility: Visibility { tail: Span::from_secs(30), ..Visibility::default() },
        longest_idle: Span::from_secs(2),
        closing: None,
        trouble: None,
    }
}

fn released(id: u32, start: i64, end: i64) -> Connection {
    connection(
        id,
        start,
        end,
        ending(
            How::Fin,
            By::Client,
            Reason::Released,
            Confidence::Certain,
            &[140, 141, 142],
            "Both sides closed.",
        ),
    )
}

/// Ends of every kind of interest.
fn connections() -> Vec<Connection> {
    let mut aborted = connection(
        1,
        3,
        12,
        ending(
            How::Rst,
            By::Server,
            Reason::Abort,
            Confidence::High,
            &[117, 135, 136, 137],
            "The server reset the connection 2.00 s after a request of the client that it had not answered; 300 bytes \
             of the client were never acknowledged.",
        ),
    );
    aborted.ended.rst = Some(RstFacts { class: RstClass::Abort, forgery_score: 0.1 });
    aborted.sides.client.unacked_bytes = 300;
    aborted.wireshark =
        WiresharkCounters { retransmission: 3, duplicate_ack: 2, ..WiresharkCounters::default() };
    aborted.conn_state = "RSTR";

    let mut again = aborted.clone();
    (again.id, again.stream, again.ended.confidence) = (2, Some(2), Confidence::Medium);

    let mut forgotten = connection(
        3,
        0,
        3_600,
        ending(
            How::Silence,
            By::Middlebox,
            Reason::MiddleboxTimeout,
            Confidence::Medium,
            &[310, 341],
            "After 58m 00s without a packet the client's data was repeated 6 times and nothing came back.",
        ),
    );
    forgotten.ended.detail = Some("silent");
    forgotten.visibility = Visibility {
        began_before: true,
        sight: Sight::Both,
        gaps: vec![Gap { side: Side::Server, start: 1_460, length: 2_920, acknowledged: true, noticed: 320 }],
        gap_count: 1,
        gap_bytes: PerSide { client: 0, server: 2_920 },
        loss_ratio: 0.000_8,
        ..Visibility::default()
    };
    forgotten.opened = Opened::MidCapture;
    forgotten.rtt = RoundTrips::default();

    let mut query = connection(
        4,
        5,
        6,
        ending(How::CaptureEnd, By::Unknown, Reason::CaptureEnded, Confidence::Low, &[], ""),
    );
    query.transport = Transport::Udp;
    (query.stream, query.server.port) = (Some(0), 53);
    (query.rtt, query.completeness) = (RoundTrips::default(), 0);

    let refused = connection(
        5,
        7,
        7,
        ending(
            How::Rst,
            By::Server,
            Reason::EstablishRefused,
            Confidence::Certain,
            &[501, 502],
            "The server answered the SYN with a RST.",
        ),
    );
    let open = connection(
        6,
        8,
        3_700,
        ending(How::CaptureEnd, By::Unknown, Reason::CaptureEnded, Confidence::Low, &[], ""),
    );
    vec![released(0, 1, 4), aborted, again, forgotten, query, refused, open]
}

fn file() -> FileFacts {
    FileFacts {
        path: "captures/upload.pcapng".into(),
        format: "pcapng",
        compression: Some("gzip"),
        link_types: vec![LinkType(1)],
        time_resolution_ns: 1_000,
        packets: 12_345,
        bytes_captured: 9_100_000,
        bytes_wire: 9_200_000,
        first: Some(second(0)),
        last: Some(second(3_700)),
        truncated: true,
        interfaces: vec![InterfaceFacts {
            name: "eth0".to_owned(),
            link: LinkType(1),
            snaplen: 262_144,
            drops: Some(12),
        }],
        blackouts: vec![Blackout { start: second(100), end: second(3_000) }],
        ..FileFacts::default()
    }
}

fn problems() -> Vec<Problem> {
    vec![
        Problem {
            kind: ProblemKind::CutShort,
            file: Some(FileId(0)),
            frame: None,
            offset: Some(9_099_940),
            count: 1,
            message: "expected a block of 120 bytes, found 60; the rest was left out".to_owned(),
        },
        Problem {
            kind: ProblemKind::BadPacket,
            file: Some(FileId(0)),
            frame: Some(77),
            offset: Some(7_700),
            count: 1_500,
            message: "the TCP header is longer than the packet".to_owned(),
        },
    ]
}

/// One capture.
pub(crate) fn sample() -> Analysis {
    Analysis {
        files: vec![file()],
        quality: vec![Quality { loss_ratio: 0.03, snapped_ratio: 0.002, ..Quality::default() }],
        connections: connections(),
        problems: problems(),
        totals: Totals {
            packets: 12_345,
            bytes: 9_100_000,
            tcp_segments: 12_000,
            udp_datagrams: 200,
            icmp_errors: 1,
            other: vec![("ARP".to_owned(), 140), ("ethertype 0x88cc (LLDP)".to_owned(), 4)],
            folded_connections: 0,
        },
        ..Analysis::default()
    }
}

/// The same with a second capture, in which the third connection ends.
pub(crate) fn two_captures() -> Analysis {
    let mut analysis = sample();
    analysis.files.push(FileFacts {
        path: "captures/other side.pcap".into(),
        format: "pcap",
        link_types: vec![LinkType(113)],
        packets: 10,
        bytes_captured: 1_000,
        bytes_wire: 1_000,
        first: Some(second(1)),
        last: Some(second(3_600)),
        ..FileFacts::default()
    });
    analysis.quality.push(Quality::default());
    let last = PacketRef { number: 20_000, frame: 9, file: FileId(1), ..PacketRef::default() };
    analysis.connections[3].last = last;
    analysis.connections[3].ended.frames.push(last);
    analysis
}
