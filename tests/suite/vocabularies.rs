//! Results in the words of other tools: their fields, their forms, and nothing that they would read otherwise.

use std::collections::BTreeSet;

use ghostshark::analysis::Analysis;
use ghostshark::report::Request;
use ghostshark::report::findings::FindingList;
use ghostshark::report::session_columns::SessionList;
use ghostshark::report::vocabulary::{self, Vocabulary};
use ghostshark::scenario::Format;
use serde_json::Value;

use crate::support::run::{Desk, plain};
use crate::support::{self, file_of};

fn analyzed(name: &str) -> Analysis {
    let desk = Desk::new();
    let (_, story) = support::stories().into_iter().find(|(other, _)| other == name).unwrap();
    desk.analyze("story", &file_of(&story, Format::Pcapng), &plain()).unwrap()
}

fn connections(analysis: &Analysis, whose: Vocabulary) -> String {
    let mut out = Vec::new();
    vocabulary::connections(analysis, &Request::default(), whose, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn findings(analysis: &Analysis, whose: Vocabulary) -> String {
    let mut out = Vec::new();
    let list = FindingList { all: true, ..FindingList::default() };
    vocabulary::findings(analysis, &list, whose, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn zeek_s_tables_have_its_head_and_as_many_cells_as_fields() {
    let analysis = analyzed("ftp_download");
    for (text, path) in [
        (connections(&analysis, Vocabulary::Zeek { lines: false }), "conn"),
        (findings(&analyzed("smtp_sent_twice"), Vocabulary::Zeek { lines: false }), "notice"),
    ] {
        let head: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
        assert_eq!(
            head[..4],
            ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-"]
        );
        assert_eq!(head[4], format!("#path\t{path}"));
        assert!(head[5].starts_with("#open\t") && text.lines().last().unwrap().starts_with("#close\t"));
        let cells = |line: &str| line.split('\t').count();
        let fields = cells(head[6]);
        assert!(head[6].starts_with("#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t"));
        assert_eq!(cells(head[7]), fields);
        let rows: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(!rows.is_empty(), "{text}");
        assert!(rows.iter().all(|row| cells(row) + 1 == fields), "{text}");
    }
    let text = connections(&analysis, Vocabulary::Zeek { lines: false });
    assert!(text.lines().any(|line| line.contains("\ttcp\tftp\t") && line.contains("\tSF\t")), "{text}");
    let objects = lines(&connections(&analysis, Vocabulary::Zeek { lines: true }));
    assert_eq!(objects.len(), analysis.connections.len());
    for (object, one) in objects.iter().zip(&analysis.connections) {
        assert_eq!(object["id.orig_h"], one.client.ip.to_string());
        assert_eq!(object["orig_pkts"], one.sides.client.packets);
        assert_eq!(object["history"], one.history);
        assert!(object.get("orig_ip_bytes").is_none(), "what is not known is unset");
    }
}

#[test]
fn eve_has_flows_and_alerts() {
    let analysis = analyzed("smtp_sent_twice");
    let flows = lines(&connections(&analysis, Vocabulary::Eve));
    assert_eq!(flows.len(), analysis.connections.len());
    for flow in &flows {
        for field in
            ["timestamp", "flow_id", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "app_proto"]
        {
            assert!(flow.get(field).is_some(), "{field}: {flow}");
        }
        assert_eq!((&flow["event_type"], &flow["app_proto"]), (&Value::from("flow"), &Value::from("smtp")));
        for field in ["pkts_toserver", "pkts_toclient", "start", "end", "age", "state", "reason", "alerted"] {
            assert!(flow["flow"].get(field).is_some(), "{field}: {flow}");
        }
        assert!(flow["flow"].get("bytes_toserver").is_none(), "payload is not what Suricata counts");
        assert_eq!(flow["tcp"]["syn"], true);
    }
    let ids: BTreeSet<u64> = flows.iter().map(|flow| flow["flow_id"].as_u64().unwrap()).collect();
    let alerts = lines(&findings(&analysis, Vocabulary::Eve));
    assert_eq!(alerts.len(), analysis.findings.len());
    for alert in alerts.iter().filter(|alert| alert.get("flow_id").is_some()) {
        assert!(ids.contains(&alert["flow_id"].as_u64().unwrap()), "{alert}");
        assert_eq!(alert["alert"]["action"], "allowed");
        assert!((1..=4).contains(&alert["alert"]["severity"].as_u64().unwrap()));
        assert!(alert["alert"]["signature_id"].as_u64().unwrap() > 9_900_000);
    }
}

#[test]
fn ecs_holds_our_records_under_our_name() {
    let analysis = analyzed("smtp_sent_twice");
    let documents = lines(&connections(&analysis, Vocabulary::Ecs));
    for (document, one) in documents.iter().zip(&analysis.connections) {
        assert_eq!(document["event"]["kind"], "event");
        assert_eq!(document["network"]["community_id"], one.community_id);
        assert_eq!(document["source"]["ip"], one.client.ip.to_string());
        assert_eq!(document["event"]["duration"], one.end.since(one.start).0);
        assert_eq!(document["ghostshark"]["connection"]["id"], one.id);
    }
    let mut out = Vec::new();
    vocabulary::sessions(&analysis, &SessionList::default(), &mut out).unwrap();
    let sessions = lines(std::str::from_utf8(&out).unwrap());
    assert_eq!(sessions.len(), analysis.sessions.len());
    assert_eq!(sessions[0]["ghostshark"]["session"]["id"], "S-0001");
    assert_eq!(sessions[0]["network"]["protocol"], "smtp");
    let told = lines(&findings(&analysis, Vocabulary::Ecs));
    assert!(told.iter().all(|document| document["event"]["kind"] == "alert"));
    assert!(told.iter().any(|document| document["rule"]["id"] == "GSD405"));
    // Whatever stands beside our own name is one of theirs.
    let theirs: BTreeSet<&str> = [
        "@timestamp",
        "ecs",
        "event",
        "network",
        "source",
        "destination",
        "client",
        "server",
        "message",
        "rule",
        "user",
        "tls",
        "ghostshark",
    ]
    .into();
    for document in documents.iter().chain(&sessions).chain(&told) {
        let names: BTreeSet<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(names.is_subset(&theirs), "{names:?}");
    }
}
