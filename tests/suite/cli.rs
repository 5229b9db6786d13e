//! The program as a user meets it: exit codes, streams, flags.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A pcap file without packets: little-endian, microseconds, Ethernet.
const EMPTY: [u8; 24] = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];

fn ghostshark(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ghostshark"));
    command.args(args).stdin(Stdio::null()).env_remove("NO_COLOR");
    command
}

fn run(args: &[&str]) -> Output {
    ghostshark(args).output().unwrap()
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with the files that tests read.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn path(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

#[test]
fn help_says_every_exit_code() {
    for verb in [&["--help"][..], &["summary", "--help"], &["connections", "--help"], &["report", "--help"]] {
        let output = run(verb);
        assert_eq!(code(&output), Some(0), "{verb:?}");
        let help = text(&output.stdout);
        for said in ["Exit codes:", "  0 ", "  1 ", "  2 ", "  3 ", "  4 ", "130/143"] {
            assert!(help.contains(said), "{verb:?} does not say {said}:\n{help}");
        }
    }
}

#[test]
fn wrong_use_is_2_and_offers_the_nearest_name() {
    let folder = folder(&[("a.pcap", &EMPTY)]);
    let file = path(&folder, "a.pcap");
    for (args, said) in [
        (&["summary", "--strict-imput", &file][..], "--strict-input"),
        (&["connections", &file, "--format", "jsonll"], "jsonl"),
        (&["summary", &file, "--format", "csv"], "possible values"),
        (&["connections", &file, "--limit", "many"], "--limit"),
        (&["man", "nothing"], "no verb"),
        (&["summary", "-", "-"], "only once"),
        (&["connections", "-e", "ended.reson", &file], "ended.reason"),
        (&["sumary", &file], "`summary`"),
        (&["summary", "-j", "many", &file], "--threads"),
    ] {
        let output = run(args);
        assert_eq!(code(&output), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(text(&output.stderr).contains(said), "{args:?}: {}", text(&output.stderr));
    }
    assert_eq!(code(&run(&[])), Some(2));
}

#[test]
fn an_input_that_is_not_there_is_3() {
    for args in [
        &["no-such.pcap"][..],
        &["summary", "no-such.pcap"],
        &["report", "-r", "no-such.pcap"],
        &["connections", "no-such-*.pcap"],
    ] {
        let output = run(args);
        assert_eq!(code(&output), Some(3), "{args:?}");
        assert!(output.stdout.is_empty());
        assert!(text(&output.stderr).contains("no-such"), "{args:?}: {}", text(&output.stderr));
    }
    let empty = folder(&[("notes.txt", b"no capture")]);
    assert_eq!(code(&run(&["summary", empty.path().to_str().unwrap()])), Some(3));
}

#[test]
fn an_empty_capture_is_an_answer() {
    let folder = folder(&[("a.pcap", &EMPTY)]);
    let file = path(&folder, "a.pcap");
    for args in [&[file.as_str()][..], &["summary", &file], &["connections", &file], &["report", &file]] {
        assert_eq!(code(&run(args)), Some(0), "{args:?}");
    }
    // With -q the code is the answer, and nothing is printed.
    let quiet = run(&["connections", "-q", &file]);
    assert_eq!((code(&quiet), quiet.stdout.len(), quiet.stderr.len()), (Some(1), 0, 0));
}

#[test]
fn a_report_goes_where_it_is_told() {
    let folder = folder(&[("a.pcap", &EMPTY)]);
    let (file, out) = (path(&folder, "a.pcap"), path(&folder, "out.json"));
    let output = run(&["report", &file, "-o", &out]);
    assert_eq!((code(&output), output.stdout.len()), (Some(0), 0), "{}", text(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    assert_eq!(document["summary"]["packets"], 0);
    assert_eq!(run(&["report", &file]).stdout, fs::read(&out).unwrap());

    let nowhere = run(&["report", &file, "-o", &path(&folder, "no/such/out.json")]);
    assert_eq!(code(&nowhere), Some(2));
    assert!(text(&nowhere.stderr).contains("out.json"));
}

#[test]
fn a_folder_and_a_pattern_are_files() {
    let folder = folder(&[("b.pcap", &EMPTY), ("a.pcap", &EMPTY), ("c.txt", b"")]);
    let whole = folder.path().to_str().unwrap().to_owned();
    for given in [whole.clone(), format!("{whole}/*.pcap")] {
        let output = run(&["report", "--format", "jsonl", &given]);
        let paths: Vec<String> = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .filter(|record| record["type"] == "capture")
            .map(|record| record["path"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(paths, [path(&folder, "a.pcap"), path(&folder, "b.pcap")], "{given}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = ghostshark(&["schema"]).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(said, "");
}

#[test]
fn standard_input_is_a_file() {
    let mut child = ghostshark(&["report", "--format", "jsonl", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&EMPTY).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), Some(0));
    assert!(text(&output.stdout).contains(r#""type":"summary""#));
}

#[test]
fn colour_is_asked_for_or_absent() {
    let folder = folder(&[("a.pcap", &EMPTY)]);
    let file = path(&folder, "a.pcap");
    let escapes = |args: &[&str]| run(args).stdout.contains(&0x1b);
    assert!(!escapes(&["summary", &file]));
    assert!(!escapes(&["summary", "--color", "never", &file]));
    assert!(escapes(&["summary", "--color", "always", &file]));
}

#[test]
fn the_schema_is_json() {
    for format in ["json", "jsonl"] {
        let output = run(&["schema", "--format", format]);
        let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
}

#[test]
fn completions_and_man_come_from_the_flags() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = run(&["completions", shell]);
        assert_eq!(code(&output), Some(0));
        assert!(text(&output.stdout).contains("strict-input"), "{shell}");
    }
    let page = text(&run(&["man"]).stdout);
    assert!(page.starts_with(".ie") || page.contains(".TH"), "{page}");
    assert!(page.contains("Exit codes"), "{page}");
    assert!(text(&run(&["man", "connections"]).stdout).contains("sort"));
}

#[test]
fn a_story_becomes_a_capture() {
    let story = b"title One line\nclient 10.0.0.1:40000\nserver 10.0.0.2:80\nopen\nclient \"hello\"\nclose by client\n";
    let folder = folder(&[("a.story", story), ("bad.story", b"title Bad\nnonsense here\n")]);
    let (told, out) = (path(&folder, "a.story"), path(&folder, "out"));
    for (flags, magic) in [(&[][..], [0x0a, 0x0d, 0x0d, 0x0a]), (&["--pcap"], [0xd4, 0xc3, 0xb2, 0xa1])] {
        let forged = run(&[&["forge", &told, "-o", &out], flags].concat());
        assert_eq!((code(&forged), forged.stdout.len()), (Some(0), 0), "{}", text(&forged.stderr));
        assert_eq!(fs::read(&out).unwrap()[..4], magic);
        let piped = run(&[&["forge", &told, "-o", "-"], flags].concat());
        assert_eq!(piped.stdout, fs::read(&out).unwrap());
    }
    let bad = run(&["forge", &path(&folder, "bad.story"), "-o", &out]);
    assert_eq!(code(&bad), Some(2));
    assert!(text(&bad.stderr).contains("bad.story:2"), "{}", text(&bad.stderr));
    assert_eq!(code(&run(&["forge", "no-such.story", "-o", &out])), Some(3));
}

#[test]
fn no_flag_of_the_future_is_shown() {
    let help = text(&run(&["connections", "--help"]).stdout);
    for later in ["--keylog", "--policy"] {
        assert!(!help.contains(later), "{later}");
    }
}

/// A recording of the fixtures.
fn fixture(name: &str) -> String {
    format!("{}/fixtures/captures/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_bad_filter_is_2_with_a_caret_before_anything_is_read() {
    for verb in ["sessions", "findings", "connections", "events", "packets", "show", "follow"] {
        let output = run(&[verb, "no such file.pcap", "-Y", "tcp.prt == 443"]);
        assert_eq!(code(&output), Some(2), "{verb}");
        let said = text(&output.stderr);
        assert!(said.contains("\ntcp.prt == 443\n^~~~~~~ "), "{verb}: {said}");
        assert!(said.contains("nearest: tcp.port; example: tcp.port == 443"), "{verb}: {said}");
    }
}

#[test]
fn quiet_filters_answer_by_their_code() {
    let capture = fixture("ftp_idle_timeout.pcap");
    for verb in ["sessions", "findings", "connections", "events", "packets", "show", "follow"] {
        for (filter, expected) in [
            ("session.server.port == 21", 0),
            ("session.server.port == 22", 1),
            ("ftp.request.command == \"USER\" || finding", 0),
            ("ftp.request.command == \"NEVER\"", 1),
        ] {
            let output = run(&[verb, &capture, "-q", "-Y", filter]);
            assert_eq!(code(&output), Some(expected), "{verb} -Y {filter}: {}", text(&output.stderr));
            assert!(output.stdout.is_empty(), "{verb} -Y {filter}");
        }
    }
}

#[test]
fn a_filter_stands_for_an_id() {
    let capture = fixture("ftp_idle_timeout.pcap");
    let by_id = run(&["show", &capture, "S-0001"]);
    let by_filter = run(&["show", &capture, "session.id == S-0001"]);
    assert_eq!(text(&by_id.stdout), text(&by_filter.stdout));
    assert!(!by_id.stdout.is_empty());
}

#[test]
fn fields_are_listed() {
    let listed = text(&run(&["fields", "session.end"]).stdout);
    assert!(listed.contains("session.end.kind") && !listed.contains("tcp.port"), "{listed}");
    for line in text(&run(&["fields", "--json"]).stdout).lines() {
        let field: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(field["example"].as_str().is_some_and(|example| !example.is_empty()), "{line}");
    }
    assert_eq!(code(&run(&["fields", "qwertzuiop"])), Some(1));
}

#[test]
fn standard_input_can_be_asked_twice() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures/ftp_login_held.pcapng");
    let run = |args: &[&str], stdin: Stdio| {
        let output = Command::new(env!("CARGO_BIN_EXE_ghostshark"))
            .args(args)
            .env("NO_COLOR", "1")
            .stdin(stdin)
            .output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?} {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    for verb in
        [&["sessions", "-Y", "tcp.analysis.retransmission"][..], &["follow"], &["packets", "--limit", "3"]]
    {
        let mut piped = verb.to_vec();
        let mut plain = verb.to_vec();
        piped.push("-");
        plain.push(path.to_str().unwrap());
        if verb[0] == "follow" {
            piped.push("1");
            plain.push("1");
        }
        let file = std::fs::File::open(&path).unwrap();
        let from_pipe = run(&piped, Stdio::from(file));
        assert!(!from_pipe.is_empty());
        assert_eq!(from_pipe, run(&plain, Stdio::null()), "{verb:?}");
    }
}
