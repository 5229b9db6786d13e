//! What reports say: golden files, the schema, and that nothing from the wire acts on a terminal.

use std::net::IpAddr;

use ghostshark::analysis::{Analysis, Options, Quality, Totals};
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
use ghostshark::report::text::{Clock, Look};
use ghostshark::report::view::Stamps;
use ghostshark::report::{CSV, Format, JSON, JSONL, Order, Part, Request, TEXT};
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
            samples: 9,
        },
        wireshark: WiresharkCounters::default(),
        visibility: Visibility { tail: Span::from_secs(30), ..Visibility::default() },
        longest_idle: Span::from_secs(2),
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

/// One capture, a little of everything.
fn sample() -> Analysis {
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

    Analysis {
        files: vec![FileFacts {
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
        }],
        quality: vec![Quality { loss_ratio: 0.03, snapped_ratio: 0.002, ..Quality::default() }],
        connections: vec![released(0, 1, 4), aborted, again, forgotten, query, refused, open],
        problems: vec![
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
        ],
        totals: Totals {
            packets: 12_345,
            bytes: 9_100_000,
            tcp_segments: 12_000,
            udp_datagrams: 200,
            icmp_errors: 1,
            other: vec![("ARP".to_owned(), 140), ("ethertype 0x88cc (LLDP)".to_owned(), 4)],
            folded_connections: 0,
        },
        options: Options::default(),
    }
}

/// The same with a second capture, in which the third connection ends.
fn two_captures() -> Analysis {
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

fn written(format: &Format, analysis: &Analysis, request: Request) -> String {
    let mut out = Vec::new();
    (format.write)(analysis, &request, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn summary_of(analysis: &Analysis, look: Look) -> String {
    written(&TEXT, analysis, Request { part: Part::Summary, look, ..Request::default() })
}

fn connections(format: &Format, analysis: &Analysis) -> String {
    written(format, analysis, Request { part: Part::Connections, ..Request::default() })
}

#[test]
fn text_for_people() {
    insta::assert_snapshot!("summary", summary_of(&sample(), Look::default()));
    insta::assert_snapshot!("summary_two_captures", summary_of(&two_captures(), Look::default()));
    insta::assert_snapshot!("connections", connections(&TEXT, &sample()));
    insta::assert_snapshot!("nothing", summary_of(&Analysis::default(), Look::default()));
}

#[test]
fn records_for_machines() {
    insta::assert_snapshot!("report_jsonl", written(&JSONL, &sample(), Request::default()));
    insta::assert_snapshot!(
        "report_jsonl_two_captures",
        written(&JSONL, &two_captures(), Request::default())
    );
    insta::assert_snapshot!("connections_csv", connections(&CSV, &sample()));
}

#[test]
fn the_document_holds_the_same_records_as_the_lines() {
    let lines = written(&JSONL, &two_captures(), Request::default());
    let document: serde_json::Value =
        serde_json::from_str(&written(&JSON, &two_captures(), Request::default())).unwrap();
    assert_eq!(document["schema"], "ghostshark/1");
    let mut of_document: Vec<&serde_json::Value> = Vec::new();
    for name in ["captures", "connections", "problems"] {
        of_document.extend(document[name].as_array().unwrap());
    }
    of_document.push(&document["summary"]);
    let of_lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(of_document, of_lines.iter().collect::<Vec<_>>());
}

#[test]
fn times_may_be_numbers() {
    let request = Request { stamps: Stamps::Epoch, ..Request::default() };
    let text = written(&JSONL, &sample(), request);
    assert!(text.contains("\"start\":1700000001.000000000,"), "{text}");
    assert!(!text.contains("2023-11-14T"), "{text}");
}

#[test]
fn every_order_is_kept_and_cut() {
    let ids = |order, limit| -> Vec<u64> {
        let request = Request { part: Part::Connections, order, limit, ..Request::default() };
        let lines = written(&JSONL, &sample(), request);
        let id =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_u64().unwrap();
        lines.lines().map(id).collect()
    };
    assert_eq!(ids(Order::Id, None), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(ids(Order::Duration, Some(3)), [6, 3, 1]);
    assert_eq!(ids(Order::Concern, Some(4)), [3, 1, 2, 5]);
    assert!(ids(Order::Bytes, Some(0)).is_empty());
}

#[test]
fn nothing_from_the_wire_acts() {
    let mut analysis = sample();
    let evil = "\u{1b}[2J\u{202e}evil\r\n";
    analysis.files[0].path = format!("a{evil}.pcap").into();
    analysis.problems[0].message = evil.to_owned();
    analysis.totals.other[0].0 = evil.to_owned();
    analysis.connections[1].ended.because = evil.to_owned();
    for clock in [Clock::Relative, Clock::Utc, Clock::Epoch] {
        let look = Look { colour: false, clock, verbose: true };
        let text = written(&TEXT, &analysis, Request { look, ..Request::default() });
        let bad = text.chars().find(|c| c.is_control() && *c != '\n' || *c == '\u{202e}');
        assert_eq!(bad, None, "{text}");
    }
}

#[test]
fn a_large_result_still_fits_a_screen() {
    let mut analysis = sample();
    let few = analysis.connections.clone();
    let reasons = [Reason::Abort, Reason::PeerVanished, Reason::HalfReleased, Reason::UserTimeout];
    for id in 10..4_000_u32 {
        let mut one = few[id as usize % few.len()].clone();
        one.id = id;
        one.server.port = (id % 50) as u16;
        if id % 3 == 0 {
            one.ended.reason = reasons[id as usize % reasons.len()];
        }
        analysis.connections.push(one);
    }
    analysis.problems = (0..30).map(|n| Problem { frame: Some(n), ..analysis.problems[1].clone() }).collect();
    analysis.totals.other = (0..40).map(|n| (format!("IP protocol {n}"), n)).collect();
    for _ in 0..20 {
        analysis.files.push(FileFacts { path: "more.pcap".into(), ..FileFacts::default() });
    }
    let text = summary_of(&analysis, Look::default());
    assert!(text.lines().count() <= 70, "{} lines:\n{text}", text.lines().count());
    let whole = summary_of(&analysis, Look { verbose: true, ..Look::default() });
    assert!(whole.lines().count() > text.lines().count());
}

#[test]
fn colour_only_repeats_what_the_words_say() {
    let plain = summary_of(&sample(), Look::default());
    let painted = summary_of(&sample(), Look { colour: true, ..Look::default() });
    let mut stripped = String::new();
    for (index, part) in painted.split("\u{1b}[").enumerate() {
        stripped.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(stripped, plain);
    assert_ne!(painted, plain);
}

/// The schema and the output are held together: what is written is valid, and what is changed is not.
#[cfg(feature = "cli")]
mod schema {
    use super::*;
    use ghostshark::report::schema;
    use serde_json::{Value, json};

    fn lines(analysis: &Analysis, stamps: Stamps) -> Vec<Value> {
        let text = written(&JSONL, analysis, Request { stamps, ..Request::default() });
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_record_is_valid() {
        let validator = jsonschema::validator_for(schema::line().as_value()).unwrap();
        for analysis in [sample(), two_captures()] {
            for stamps in [Stamps::Rfc3339, Stamps::Epoch] {
                for record in lines(&analysis, stamps) {
                    let errors: Vec<String> = validator.iter_errors(&record).map(|e| e.to_string()).collect();
                    assert_eq!(errors, Vec::<String>::new(), "{record}");
                }
            }
        }
    }

    #[test]
    fn every_document_is_valid() {
        let validator = jsonschema::validator_for(schema::document().as_value()).unwrap();
        for part in [Part::Everything, Part::Summary, Part::Connections] {
            let document = written(&JSON, &sample(), Request { part, ..Request::default() });
            let errors: Vec<String> = validator
                .iter_errors(&serde_json::from_str(&document).unwrap())
                .map(|e| format!("{e} at {}", e.instance_path()))
                .collect();
            assert_eq!(errors, Vec::<String>::new(), "{document}");
        }
    }

    #[test]
    fn a_changed_record_is_not() {
        let validator = jsonschema::validator_for(schema::line().as_value()).unwrap();
        let connection =
            lines(&sample(), Stamps::Rfc3339).into_iter().find(|r| r["type"] == "connection").unwrap();
        assert!(validator.is_valid(&connection));
        for (place, value) in [
            ("/type", json!("session")),
            ("/id", json!("0")),
            ("/stream", Value::Null),
            ("/ended/reason", json!("Released")),
            ("/ended/frames", json!(7)),
            ("/start", Value::Null),
            ("/wireshark/retransmission", json!(-1)),
        ] {
            let mut changed = connection.clone();
            *changed.pointer_mut(place).unwrap() = value;
            assert!(!validator.is_valid(&changed), "{place}");
        }
    }

    #[test]
    fn every_field_that_is_written_is_described() {
        let schema = schema::line();
        let described = serde_json::to_string(&schema).unwrap();
        for record in lines(&sample(), Stamps::Rfc3339) {
            let Value::Object(fields) = record else { panic!("{record}") };
            for name in fields.keys() {
                assert!(described.contains(&format!("\"{name}\":")), "{name}");
            }
        }
    }
}
