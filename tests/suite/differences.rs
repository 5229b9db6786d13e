//! Two recordings of the same differ in nothing, however and wherever they were made; and what does differ is told.

use std::fmt::Write as _;
use std::path::Path;

use ghostshark::analysis::Analysis;
use ghostshark::diff::{self, Limits};
use ghostshark::report::diff::{Compared, Form, write};
use ghostshark::report::text::Look;
use ghostshark::scenario::{self, Format};

use crate::rules::{other_ends, outside_of_texts};
use crate::support;
use crate::support::file_of;
use crate::support::run::{Desk, plain};

fn analyzed(desk: &Desk, text: &str, name: &Path) -> Analysis {
    let recording = scenario::compile(text, name)
        .unwrap_or_else(|complaint| panic!("{}: {complaint}\n{text}", name.display()));
    desk.analyze("story", &file_of(&recording, Format::Pcapng), &plain()).unwrap()
}

fn told(old: &Analysis, new: &Analysis, form: Form) -> (bool, String) {
    let limits = Limits::default();
    let difference = diff::compare(old, new, limits);
    let mut out = Vec::new();
    let compared = Compared { old, new, difference: &difference, limits };
    write(compared, form, Look::default(), &mut out).unwrap();
    (difference.is_empty(), String::from_utf8(out).unwrap())
}

#[test]
fn the_same_test_at_another_time_and_place_is_the_same() {
    let desk = Desk::new();
    let mut wrong = String::new();
    let mut compared = 0;
    for path in support::fixtures("stories", &["story"]) {
        let text = std::fs::read_to_string(&path).unwrap();
        // Its cookie says how long it is good for, at any pace.
        if path.ends_with("http_login_expires.story") {
            continue;
        }
        let old = analyzed(&desk, &text, &path);
        let elsewhere =
            outside_of_texts(&text, |part| other_ends(part, false)).replace("10,0,0,", "172,20,9,");
        for (what, other) in [("pace 0.7", format!("pace 0.7\n{text}")), ("other ends", elsewhere)] {
            let new = analyzed(&desk, &other, &path);
            compared += old.sessions.len();
            let (same, said) = told(&old, &new, Form::Text);
            if !same {
                let _ = writeln!(wrong, "{} with {what}:\n{said}", path.file_stem().unwrap().display());
            }
        }
    }
    assert!(compared > 100, "{compared} sessions");
    assert!(wrong.is_empty(), "{wrong}");
}

/// Two tasks at one service, one of which ends as this says.
fn tasks(end: &str, wait: &str) -> String {
    format!(
        "client 10.0.0.1:40000\nserver 10.0.0.2:21\nconnection b client 10.0.0.1:40001\nopen\n\
         server \"220 hello\\r\\n\"\nclient \"USER anna\\r\\n\"\nserver \"331 go on\\r\\n\"\nclient \"PASS x\\r\\n\"\n\
         sleep {wait}\nserver \"230 in\\r\\n\"\nclient \"PWD\\r\\n\"\nserver \"257 here\\r\\n\"\n{end}\n\
         b: open\nb: server \"220 hello\\r\\n\"\nb: client \"USER bert\\r\\n\"\nb: server \"331 go on\\r\\n\"\n\
         b: client \"PASS x\\r\\n\"\nb: server \"230 in\\r\\n\"\nb: client \"QUIT\\r\\n\"\nb: server \"221 bye\\r\\n\"\n\
         b: close by server\n"
    )
}

#[test]
fn what_differs_is_told() {
    let desk = Desk::new();
    let name = Path::new("tasks.story");
    let quit = "client \"QUIT\\r\\n\"\nserver \"221 bye\\r\\n\"\nclose by server";
    let old = analyzed(&desk, &tasks(quit, "100ms"), name);
    assert_eq!(old.sessions.len(), 2);
    assert!(told(&old, &old, Form::Text).0);

    let broken = analyzed(&desk, &tasks("server reset", "100ms"), name);
    let (same, said) = told(&old, &broken, Form::Text);
    assert!(!same && said.contains("ended otherwise (1)"), "{said}");
    assert!(said.contains("released by client -> abort by server"), "{said}");

    let slow = analyzed(&desk, &tasks(quit, "9s"), name);
    let (same, said) = told(&old, &slow, Form::Jsonl);
    assert!(!same, "{said}");
    let records: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let slower: Vec<&str> = records
        .iter()
        .filter(|record| record["type"] == "session-slower")
        .map(|record| record["measure"].as_str().unwrap())
        .collect();
    assert!(slower.contains(&"setup") && slower.contains(&"duration"), "{said}");
    assert!(!said.contains("anna") && !said.contains("bert"), "names of users are hashes: {said}");
    let (_, faster) = told(&slow, &old, Form::Jsonl);
    assert!(faster.contains("session-faster") && !faster.contains("session-slower"), "{faster}");

    let text = tasks(quit, "100ms");
    let alone: String =
        text.lines().filter(|line| !line.starts_with("b:")).flat_map(|line| [line, "\n"]).collect();
    let alone = analyzed(&desk, &alone.replace("connection b client 10.0.0.1:40001\n", ""), name);
    let (_, said) = told(&old, &alone, Form::Jsonl);
    assert!(said.contains("\"type\":\"session-lost\"") && !said.contains("session-new"), "{said}");
    let (_, said) = told(&alone, &old, Form::Json);
    let document: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(document["summary"]["new"], 1, "{said}");

    let moved = analyzed(&desk, &tasks(quit, "100ms").replace("10.0.0.2:21", "10.0.0.2:2121"), name);
    let (same, said) = told(&old, &moved, Form::Jsonl);
    assert!(same && said.matches("session-moved").count() == 2, "{said}");
}
