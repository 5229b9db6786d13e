//! What reports say: golden files, the schema, and that nothing from the wire acts on a terminal.

mod sample;

use ghostshark::analysis::Analysis;
use ghostshark::capture::FileFacts;
use ghostshark::events::Connection;
use ghostshark::events::transport::Reason;
use ghostshark::packet::Transport;
use ghostshark::problem::Problem;
use ghostshark::report::columns::COLUMNS;
use ghostshark::report::text::{Clock, Look};
use ghostshark::report::view::Stamps;
use ghostshark::report::{CSV, Format, JSON, JSONL, Order, Part, Request, TEXT, filter};

use sample::{sample, two_captures};

fn written(format: &Format, analysis: &Analysis, request: &Request) -> String {
    let mut out = Vec::new();
    (format.write)(analysis, request, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn summary_of(analysis: &Analysis, look: Look) -> String {
    written(&TEXT, analysis, &Request { part: Part::Summary, look, ..Request::default() })
}

fn connections(format: &Format, analysis: &Analysis) -> String {
    written(format, analysis, &Request { part: Part::Connections, ..Request::default() })
}

#[test]
fn text_for_people() {
    insta::assert_snapshot!("summary", summary_of(&sample(), Look::default()));
    insta::assert_snapshot!("summary_two_captures", summary_of(&two_captures(), Look::default()));
    insta::assert_snapshot!("connections", connections(&TEXT, &sample()));
    let mut healthy = sample();
    healthy.connections.truncate(1);
    healthy.problems.clear();
    healthy.quality.clear();
    (healthy.files[0].truncated, healthy.files[0].interfaces) = (false, Vec::new());
    healthy.files[0].blackouts.clear();
    insta::assert_snapshot!("summary_healthy", summary_of(&healthy, Look::default()));
    insta::assert_snapshot!("nothing", summary_of(&Analysis::default(), Look::default()));
}

#[test]
fn records_for_machines() {
    insta::assert_snapshot!("report_jsonl", written(&JSONL, &sample(), &Request::default()));
    insta::assert_snapshot!(
        "report_jsonl_two_captures",
        written(&JSONL, &two_captures(), &Request::default())
    );
    insta::assert_snapshot!("connections_csv", connections(&CSV, &sample()));
    let named = ["id", "client.ip", "ended.reason", "ended.frames"];
    let columns = named.map(|name| COLUMNS.iter().find(|column| column.name == name).unwrap()).to_vec();
    let request = Request { part: Part::Connections, columns, limit: Some(2), ..Request::default() };
    assert_eq!(
        written(&TEXT, &sample(), &request),
        "0\t10.0.0.1\treleased\t140 141 142\n1\t10.0.0.1\tabort\t117 135 136 137\n"
    );
}

#[test]
fn the_document_holds_the_same_records_as_the_lines() {
    let lines = written(&JSONL, &two_captures(), &Request::default());
    let document: serde_json::Value =
        serde_json::from_str(&written(&JSON, &two_captures(), &Request::default())).unwrap();
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
    let text = written(&JSONL, &sample(), &request);
    assert!(text.contains("\"start\":1700000001.000000000,"), "{text}");
    assert!(!text.contains("2023-11-14T"), "{text}");
}

#[test]
fn a_filter_shows_what_it_can() {
    let filters = |change: fn(&mut Connection), several| -> Vec<String> {
        let mut connection = sample().connections.swap_remove(1);
        change(&mut connection);
        filter::ending(&connection, several).into_iter().map(|shown| shown.filter).collect()
    };
    assert_eq!(filters(|_| (), false), ["tcp.stream == 1 && frame.number in {117, 135..137}"]);
    assert_eq!(filters(|c| c.stream = None, false), ["frame.number in {117, 135..137}"]);
    assert_eq!(filters(|c| c.ended.frames.clear(), false), ["tcp.stream == 1"]);
    // With several captures a stream has another number in each file, so the connection's own ends are shown.
    assert_eq!(filters(|c| c.ended.frames.clear(), true), ["frame.number in {101, 141}"]);
    assert_eq!(
        filters(|c| c.transport = Transport::Udp, false),
        ["udp.stream == 1 && frame.number in {117, 135..137}"]
    );
}

#[test]
fn every_order_is_kept_and_cut() {
    let ids = |order, limit| -> Vec<u64> {
        let request = Request { part: Part::Connections, order, limit, ..Request::default() };
        let lines = written(&JSONL, &sample(), &request);
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
        let text = written(&TEXT, &analysis, &Request { look, ..Request::default() });
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
    assert!(text.lines().count() <= 60, "{} lines:\n{text}", text.lines().count());
    let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:?}");
    let whole = summary_of(&analysis, Look { verbose: true, ..Look::default() });
    assert!(whole.lines().count() > 1_000, "{} lines", whole.lines().count());
}

#[test]
fn a_scan_does_not_hide_the_peer_that_vanished() {
    let mut analysis = sample();
    let refused = analysis.connections[5].clone();
    for port in 1..=500 {
        let mut one = refused.clone();
        (one.id, one.stream, one.server.port) = (6 + u32::from(port), Some(6 + u32::from(port)), port);
        analysis.connections.push(one);
    }
    let text = summary_of(&analysis, Look::default());
    let worst = text.split("WORST").nth(1).unwrap();
    let heads: Vec<&str> =
        worst.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")).collect();
    assert!(heads[0].contains("middlebox-timeout"), "{worst}");
    assert!(heads[1].contains("abort"), "{worst}");
    assert!(heads[2].contains("establish-refused"), "{worst}");
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
        let text = written(&JSONL, analysis, &Request { stamps, ..Request::default() });
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn the_published_schema_is_fresh() {
        for (name, schema) in [("document", schema::document()), ("line", schema::line())] {
            let path = format!("{}/docs/schema/{name}.json", env!("CARGO_MANIFEST_DIR"));
            let published: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let command = "cargo run -- schema > docs/schema/document.json, and with -T jsonl for line.json";
            assert!(published == schema.to_value(), "{name}.json is stale; make it again: {command}");
        }
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
            let document = written(&JSON, &sample(), &Request { part, ..Request::default() });
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
