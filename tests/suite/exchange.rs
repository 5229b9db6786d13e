//! The verbs that hand captures and results to others, as a user types them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures")
}

fn capture(name: &str) -> String {
    captures().join(name).to_str().unwrap().to_owned()
}

fn run(args: &[&str], input: Option<&str>) -> Output {
    let stdin = input.map_or(Stdio::null(), |path| fs::File::open(path).unwrap().into());
    Command::new(env!("CARGO_BIN_EXE_ghostshark")).args(args).stdin(stdin).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_session_is_exported_from_a_file_and_from_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let source = capture("ftp_download.pcapng");
    let (one, other) = (at("one.pcapng"), at("other.pcapng"));
    let done = run(&["export", &source, "S-0001", "--pcapng", &one], None);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let done = run(&["export", "-", "S-0001", "--pcapng", &other], Some(&source));
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    // Only the name of the input differs.
    let plain = |path: &str| fs::read(path).unwrap().len();
    assert!(plain(&one).abs_diff(plain(&other)) < 64);
    let said = run(&["sessions", &one, "-T", "jsonl"], None);
    assert!(text(&said.stdout).contains("\"protocol\":\"ftp\""), "{}", text(&said.stdout));
}

#[test]
fn streams_are_files_with_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("streams");
    let into = into.to_str().unwrap();
    let source = capture("ftp_download.pcapng");
    let refused = run(&["export", &source, "S-0001", "--streams", into], None);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("--show-secrets") && !Path::new(into).exists());
    let done = run(&["export", &source, "S-0001", "--streams", into, "--show-secrets"], None);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let index = fs::read_to_string(Path::new(into).join("index.jsonl")).unwrap();
    let mut files = 0;
    for line in index.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = record["file"].as_str().unwrap();
        assert_eq!(
            fs::metadata(Path::new(into).join(name)).unwrap().len(),
            record["bytes"].as_u64().unwrap()
        );
        assert_eq!(record["missing_bytes"], 0);
        files += 1;
    }
    assert_eq!(fs::read_dir(into).unwrap().count(), files + 1);
    assert!(files >= 2, "{index}");
    let again = run(&["export", &source, "S-0001", "--streams", into, "--show-secrets"], None);
    assert_eq!(again.status.code(), Some(2), "a folder that is not empty is left alone");
}

#[test]
fn a_capture_is_redacted_the_same_with_the_same_phrase() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let source = capture("smtp_delivered.pcapng");
    let phrase = "sixteen letters and more";
    for out in ["a.pcapng", "b.pcapng"] {
        let done = run(&["redact", &source, &at(out), "--key", phrase, "--map", &at("map.txt")], None);
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    }
    assert_eq!(fs::read(at("a.pcapng")).unwrap(), fs::read(at("b.pcapng")).unwrap());
    assert!(fs::read_to_string(at("map.txt")).unwrap().lines().count() > 2);
    run(&["redact", &source, &at("c.pcapng")], None);
    assert_ne!(fs::read(at("a.pcapng")).unwrap(), fs::read(at("c.pcapng")).unwrap(), "a random key");
    for (args, code) in [
        (vec!["redact", &source, &source], 2),
        (vec!["redact", &source, &at("d"), "--key", "short"], 2),
        (vec!["redact", "no-such.pcap", &at("d")], 3),
    ] {
        assert_eq!(run(&args, None).status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn a_difference_is_a_code_where_it_is_asked_for() {
    let (one, other) = (capture("smtp_delivered.pcapng"), capture("smtp_sent_twice.pcap"));
    for (args, code) in [
        (vec!["diff", &one, &one, "--exit-code"], 0),
        (vec!["diff", &one, &other], 0),
        (vec!["diff", &one, &other, "--exit-code"], 1),
        (vec!["diff", &one, &other, "-q"], 1),
        (vec!["diff", &one, "no-such.pcap"], 3),
        (vec!["diff", &one, &one, "--factor", "0.5"], 2),
    ] {
        let output = run(&args, None);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", text(&output.stderr));
    }
    assert!(run(&["diff", &one, &other, "-q"], None).stdout.is_empty());
}

#[test]
fn other_words_are_refused_where_there_are_none() {
    let source = capture("smtp_delivered.pcapng");
    for (args, code) in [
        (vec!["connections", &source, "--as", "zeek"], 0),
        (vec!["connections", &source, "--as", "zeek", "-T", "csv"], 2),
        (vec!["sessions", &source, "--as", "eve"], 2),
        (vec!["sessions", &source, "--as", "ecs"], 0),
        (vec!["findings", &source, "--as", "eve"], 0),
    ] {
        assert_eq!(run(&args, None).status.code(), Some(code), "{args:?}");
    }
}
