//! Reports that pipelines read, held against the rules of those who read them: the schema of SARIF, the elements and
//! counts of `JUnit`, and the same bytes for the same capture.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ghostshark::analysis::Analysis;
use ghostshark::filter::Reread;
use ghostshark::gate::{Baseline, Circumstances, Day, Policy, Verdict, judge};
use ghostshark::report::gate::{GATE_FORMATS, Judged};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::support::{fixtures, run};

/// Every recording with what the analysis makes of it.
fn recordings() -> impl Iterator<Item = (String, Analysis)> {
    fixtures("captures", &["pcap", "pcapng"]).into_iter().map(|path| {
        let analysis = run::files(&[path.as_path()], &run::plain()).unwrap();
        (crate::support::stem(&path), analysis)
    })
}

fn judged_by(analysis: &Analysis, policy: &str, baseline: Option<&Baseline>) -> Verdict {
    let day = "2026-01-01".parse::<Day>().unwrap();
    let circumstances = Circumstances { baseline, today: day, stale_fails: false };
    let policy = Policy::parse(policy).unwrap();
    judge(analysis, &policy, circumstances, &Reread::new(Vec::new(), analysis)).unwrap()
}

fn written(kind: &str, judged: &Judged<'_>) -> String {
    let format = GATE_FORMATS.iter().find(|format| format.name == kind).unwrap();
    let mut out = Vec::new();
    (format.write)(judged, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A policy that uses everything that reports tell apart.
const POLICY: &str = "[gate]\nmax = { warning = 0 }\n[rules.GST110]\nseverity = \"off\"\n[[mute]]\nrule = \"GSA506\"\n\
    reason = \"ticket <1> & 2\"\n[[assert]]\nname = \"nobody \\\"vanishes\\\"\"\nexpect = \"none\"\n\
    that = 'session.end.kind == \"silent\"'\n";

#[test]
fn sarif_keeps_to_its_schema() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/schemas/sarif-2.1.0.json");
    let schema = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let mut results = 0;
    for (name, analysis) in recordings() {
        let known = Baseline::of(&analysis);
        for (policy, baseline, anchored) in
            [("", None, false), (POLICY, None, true), (POLICY, Some(&known), true)]
        {
            let verdict = judged_by(&analysis, policy, baseline);
            let path = (!policy.is_empty()).then_some("ci/policy one.toml");
            let judged = Judged { analysis: &analysis, verdict: &verdict, policy: path, anchored };
            let log: serde_json::Value = serde_json::from_str(&written("sarif", &judged)).unwrap();
            let wrong: Vec<String> = schema.iter_errors(&log).map(|wrong| wrong.to_string()).collect();
            assert!(wrong.is_empty(), "{name}: {wrong:?}");
            let found = log["runs"][0]["results"].as_array().unwrap();
            let findings = found.iter().filter(|result| result["ruleIndex"].is_number());
            assert_eq!(findings.count(), analysis.findings.len(), "{name}: known and muted ones stay in");
            results += found.len();
        }
    }
    assert!(results > 100, "{results}");
    // A schema that lets everything pass would prove nothing.
    assert!(!schema.is_valid(&serde_json::json!({"version": "2.1.0", "runs": [{"tool": 1}]})));
}

#[test]
fn sarif_says_what_is_excused_and_where_it_stands() {
    let path =
        fixtures("captures", &["pcapng"]).into_iter().find(|path| path.ends_with("ftp_login_held.pcapng"));
    let analysis = run::files(&[path.unwrap().as_path()], &run::plain()).unwrap();
    let known = Baseline::of(&analysis);
    let verdict = judged_by(&analysis, "", Some(&known));
    let judged = Judged { analysis: &analysis, verdict: &verdict, policy: None, anchored: false };
    let log: serde_json::Value = serde_json::from_str(&written("sarif", &judged)).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let held = results.iter().find(|result| result["ruleId"] == "GSA506").unwrap();
    assert_eq!(held["baselineState"], "unchanged");
    assert_eq!(held["suppressions"][0]["justification"], "in the baseline");
    let region = &held["locations"][0]["physicalLocation"]["region"];
    assert!(
        region["byteOffset"].as_u64().unwrap() > 0 && region["byteLength"].as_u64().unwrap() > 0,
        "{region}"
    );
    let policy = "[gate]\nfail_on = \"error\"\n\n[rules.GSA506]\nseverity = \"critical\"\n";
    let verdict = judged_by(&analysis, policy, None);
    let judged =
        Judged { analysis: &analysis, verdict: &verdict, policy: Some("policy.toml"), anchored: true };
    let log: serde_json::Value = serde_json::from_str(&written("sarif", &judged)).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let held = results.iter().find(|result| result["ruleId"] == "GSA506").unwrap();
    let place = &held["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"policy.toml".into(), &4.into())
    );
    assert!(held["relatedLocations"][0]["physicalLocation"]["region"]["byteOffset"].is_number());
    assert_eq!(held["suppressions"], serde_json::json!([]));
}

/// What may stand in an element, and which attributes it may have: the schema that Jenkins' `JUnit` plugin reads by.
const ELEMENTS: [(&str, &[&str], &[&str]); 6] = [
    ("testsuites", &["testsuite"], &["name", "tests", "failures", "errors", "time", "disabled", "uuid"]),
    (
        "testsuite",
        &["testcase", "properties", "system-out", "system-err"],
        &[
            "name",
            "tests",
            "failures",
            "errors",
            "skipped",
            "disabled",
            "time",
            "timestamp",
            "hostname",
            "package",
            "id",
        ],
    ),
    (
        "testcase",
        &["failure", "error", "skipped", "system-out", "system-err"],
        &["name", "classname", "time", "assertions", "status", "group"],
    ),
    ("failure", &[], &["message", "type"]),
    ("error", &[], &["message", "type"]),
    ("skipped", &[], &["message", "type"]),
];

/// Reads a report strictly, and counts its elements.
fn junit(text: &str) -> BTreeMap<String, u64> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut open: Vec<String> = Vec::new();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut suite: Option<BTreeMap<String, String>> = None;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                enter(&start, &open, &mut counts, &mut suite);
                open.push(name(&start));
            }
            Event::Empty(start) => enter(&start, &open, &mut counts, &mut suite),
            Event::End(_) => drop(open.pop().expect("ends what began")),
            Event::Text(text) => {
                let text = text.decode().unwrap();
                let room = open.last().is_some_and(|last| ["failure", "error"].contains(&last.as_str()));
                assert!(room || text.trim().is_empty(), "text in {open:?}: {text}");
            }
            Event::GeneralRef(_) | Event::CData(_) => assert!(!open.is_empty()),
            Event::Eof => break,
            Event::Decl(_) => assert!(open.is_empty() && counts.is_empty()),
            other => panic!("{other:?}"),
        }
    }
    assert!(open.is_empty(), "{open:?}");
    let suite = suite.expect("a suite");
    for (attribute, element) in [("tests", "testcase"), ("failures", "failure"), ("errors", "error")] {
        let counted = counts.get(element).copied().unwrap_or(0);
        assert_eq!(
            suite.get(attribute).map(String::as_str),
            Some(counted.to_string().as_str()),
            "{attribute}"
        );
    }
    counts
}

fn name(start: &BytesStart<'_>) -> String {
    String::from_utf8(start.name().as_ref().to_vec()).unwrap()
}

fn enter(
    start: &BytesStart<'_>,
    open: &[String],
    counts: &mut BTreeMap<String, u64>,
    suite: &mut Option<BTreeMap<String, String>>,
) {
    let name = name(start);
    let inside =
        |outer: &String| ELEMENTS.iter().find(|(known, ..)| known == outer).map(|(_, inner, _)| *inner);
    match open.last() {
        None => assert_eq!(name, "testsuites"),
        Some(outer) => assert!(inside(outer).unwrap().contains(&name.as_str()), "{name} in {outer}"),
    }
    let (.., allowed) = ELEMENTS.iter().find(|(known, ..)| *known == name).expect("a known element");
    let mut attributes = BTreeMap::new();
    for attribute in start.attributes() {
        let attribute = attribute.unwrap();
        let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
        assert!(allowed.contains(&key.as_str()), "{name} {key}");
        let value = String::from_utf8(attribute.value.to_vec()).unwrap();
        assert!(value.chars().all(|c| c == '\n' || !c.is_control()), "{value:?}");
        attributes.insert(key, value);
    }
    if name == "testsuite" {
        *suite = Some(attributes);
    }
    *counts.entry(name).or_default() += 1;
}

#[test]
fn junit_keeps_to_its_elements_and_its_counts() {
    let mut failures = 0;
    let mut cases = None;
    for (name, analysis) in recordings() {
        for policy in ["", POLICY] {
            let verdict = judged_by(&analysis, policy, None);
            let judged = Judged { analysis: &analysis, verdict: &verdict, policy: None, anchored: false };
            let counts = junit(&written("junit", &judged));
            failures += counts.get("failure").copied().unwrap_or(0);
            // Trends need the same cases every time: they depend on the policy and not on the capture.
            if policy.is_empty() {
                let count = counts.get("testcase").copied();
                assert_eq!(*cases.get_or_insert(count), count, "{name}");
            }
        }
    }
    assert!(failures > 20, "{failures}");
}

#[test]
fn the_same_capture_gives_the_same_bytes() {
    for name in ["ftp_login_held.pcapng", "tls_ticket_refused.pcap", "udp_mixed.pcap"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures").join(name);
        let mut before: BTreeMap<&str, String> = BTreeMap::new();
        for threads in [1, 2, 5] {
            let analysis = run::files(&[path.as_path()], &run::divided(threads, 1 << 12)).unwrap();
            let verdict = judged_by(&analysis, POLICY, None);
            let judged = Judged {
                analysis: &analysis,
                verdict: &verdict,
                policy: Some("policy.toml"),
                anchored: true,
            };
            for format in &GATE_FORMATS {
                let text = written(format.name, &judged);
                let first = before.entry(format.name).or_insert_with(|| text.clone());
                assert_eq!(*first, text, "{name} {} with {threads} threads", format.name);
            }
        }
    }
}
