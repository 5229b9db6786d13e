//! What people see of sessions: lists, stories, ladders, events, tables, transcripts.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ghostshark::analysis::{Analysis, Options};
use ghostshark::report::session_columns::{self, ListForm, SESSION_COLUMNS, SessionList, SessionOrder};
use ghostshark::report::stories::{
    self, EventForm, EventList, Statistic, StoryForm, StoryRequest, TableForm,
};
use ghostshark::report::text::Look;
use ghostshark::scenario::{self, Format};
use serde_json::Value;

use crate::support::file_of;
use crate::support::run::{Desk, plain};

/// The stories whose faces are golden: one for each shape of a session.
const TOLD: [&str; 6] = [
    "ftp_resume",
    "ftp_refused_while_held",
    "http_chunks_cut",
    "http_login_expires",
    "smtp_sent_twice",
    "websocket_abrupt",
];

fn forged(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stories").join(format!("{name}.story"));
    let text = fs::read_to_string(&path).unwrap();
    file_of(&scenario::compile(&text, &path).unwrap(), Format::Pcapng)
}

fn compiled(story: &str) -> Vec<u8> {
    file_of(&scenario::compile(story, Path::new("test.story")).unwrap(), Format::Pcapng)
}

fn analysed(bytes: &[u8]) -> Analysis {
    let options = Options { keep_events: true, ..plain() };
    Desk::new().analyze("story.pcapng", bytes, &options).unwrap()
}

fn shown(analysis: &Analysis, form: StoryForm, ladder: bool) -> String {
    let sessions: Vec<_> = analysis.sessions.iter().collect();
    let mut out = Vec::new();
    let request = StoryRequest { form, ladder, ..StoryRequest::default() };
    stories::write(analysis, &sessions, request, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn listed(analysis: &Analysis, list: &SessionList) -> String {
    let mut out = Vec::new();
    session_columns::write(analysis, list, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn events(analysis: &Analysis, form: EventForm, limit: Option<usize>) -> String {
    let mut out = Vec::new();
    let list = EventList { form, limit, ..EventList::default() };
    stories::events(analysis, &list, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn stories_are_told_as_before() {
    for name in TOLD {
        let analysis = analysed(&forged(name));
        let list = listed(&analysis, &SessionList::default());
        insta::assert_snapshot!(
            format!("show_{name}"),
            format!("{list}\n{}", shown(&analysis, StoryForm::Text, true))
        );
    }
}

#[test]
fn events_are_told_as_before() {
    insta::assert_snapshot!(
        "events_ftp_resume",
        events(&analysed(&forged("ftp_resume")), EventForm::Text, None)
    );
}

#[test]
fn every_sentence_has_its_frames() {
    for name in TOLD {
        let told = shown(&analysed(&forged(name)), StoryForm::Json, true);
        for line in told.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let story = record["story"].as_array().unwrap();
            assert!(story.len() >= 2, "{name}: {line}");
            for sentence in story {
                assert!(!sentence["frames"].as_array().unwrap().is_empty(), "{name}: {sentence}");
                assert!(!sentence["text"].as_str().unwrap().is_empty(), "{name}: {sentence}");
            }
            assert!(record["next"].as_str().is_some_and(|next| !next.is_empty()));
            assert!(record["ladder"].as_array().is_some_and(|rows| rows.len() > 2));
            assert_eq!(record["session"]["type"], "session");
        }
    }
}

#[test]
fn different_fates_have_different_ends() {
    let mut ends = Vec::new();
    for name in TOLD {
        for session in analysed(&forged(name)).sessions {
            if session.outcome.reason != ghostshark::events::transport::Reason::Released {
                ends.push((session.outcome.because, format!("{name} {}", session.id)));
            }
        }
    }
    ends.sort();
    for pair in ends.windows(2) {
        assert_ne!(pair[0].0, pair[1].0, "{} and {} end alike", pair[0].1, pair[1].1);
    }
}

#[test]
fn lists_are_sorted_cut_and_written_in_every_form() {
    let analysis = analysed(&forged("ftp_refused_while_held"));
    let all = SessionList::default();
    assert_eq!(listed(&analysis, &all).lines().count(), analysis.sessions.len() + 1);
    let one = SessionList { limit: Some(1), order: SessionOrder::Duration, ..SessionList::default() };
    let longest = analysis.sessions.iter().max_by_key(|session| session.duration()).unwrap();
    assert!(listed(&analysis, &one).lines().nth(1).unwrap().starts_with(&longest.name()));
    let jsonl = listed(&analysis, &SessionList { form: ListForm::Jsonl, ..SessionList::default() });
    for (line, session) in jsonl.lines().zip(&analysis.sessions) {
        assert_eq!(serde_json::from_str::<Value>(line).unwrap()["id"], session.name());
    }
    let columns = ["id", "outcome.reason"]
        .map(|name| SESSION_COLUMNS.iter().find(|c| c.name == name).unwrap())
        .to_vec();
    let csv = listed(&analysis, &SessionList { form: ListForm::Csv, columns, ..SessionList::default() });
    assert!(csv.starts_with("id,outcome.reason\r\nS-0001,"), "{csv}");
}

#[test]
fn nothing_from_the_wire_acts() {
    let story = "title Hostile\nclient 10.0.0.1:40000\nserver 10.0.0.2:80\nopen\n\
        client \"GET /\\x1b[2Ja|b`c;d#e HTTP/1.1\\r\\nHost: \\x1b]0;x\\x07\\r\\n\\r\\n\"\n\
        server \"HTTP/1.1 404 No\\x1b[31m\\r\\nContent-Length: 0\\r\\n\\r\\n\"\nclose by client\n";
    let analysis = analysed(&compiled(story));
    let mut all = listed(
        &analysis,
        &SessionList { look: Look { verbose: true, ..Look::default() }, ..SessionList::default() },
    );
    for form in [StoryForm::Text, StoryForm::Json, StoryForm::Mermaid, StoryForm::Markdown] {
        all.push_str(&shown(&analysis, form, true));
    }
    all.push_str(&events(&analysis, EventForm::Text, None));
    assert!(all.contains("GET"), "the request was not read: {all}");
    assert!(!all.contains('\u{1b}') && !all.contains('\u{7}'));
    let diagram = shown(&analysis, StoryForm::Mermaid, true);
    for line in diagram.lines().skip(1) {
        assert!(line.starts_with("    "), "{line}");
    }
    let table = shown(&analysis, StoryForm::Markdown, false);
    for row in table.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 5, "{row}");
    }
}

#[test]
fn tables_count_what_there_is() {
    let analysis = analysed(&forged("ftp_refused_while_held"));
    let written = |which, form| {
        let mut out = Vec::new();
        stories::statistics(&analysis, which, form, Look::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    for which in [
        Statistic::Timers,
        Statistic::Resume,
        Statistic::Logins,
        Statistic::Ends,
        Statistic::Protocols,
        Statistic::Services,
    ] {
        assert!(written(which, TableForm::Text).lines().count() >= 1, "{which:?}");
        for line in written(which, TableForm::Jsonl).lines() {
            assert!(serde_json::from_str::<Value>(line).unwrap().is_object(), "{which:?}: {line}");
        }
    }
    insta::assert_snapshot!("services", written(Statistic::Services, TableForm::Text));
    let ends = written(Statistic::Ends, TableForm::Csv);
    let counted: usize =
        ends.lines().skip(1).map(|row| row.split(',').nth(3).unwrap().parse::<usize>().unwrap()).sum();
    assert_eq!(counted, analysis.sessions.len());
}

/// The program, on a forged story in a folder of its own.
#[cfg(feature = "cli")]
fn run(bytes: &[u8], verb: &str, rest: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.pcapng");
    fs::write(&file, bytes).unwrap();
    Command::new(env!("CARGO_BIN_EXE_ghostshark"))
        .arg(verb)
        .arg(&file)
        .args(rest)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[cfg(feature = "cli")]
fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A pcap file without packets.
#[cfg(feature = "cli")]
const EMPTY: [u8; 24] = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];

#[cfg(feature = "cli")]
#[test]
fn codes_of_the_verbs() {
    let story = forged("ftp_refused_while_held");
    for (bytes, verb, rest, code) in [
        (&EMPTY[..], "sessions", &[][..], 0),
        (&EMPTY, "events", &[], 0),
        (&EMPTY, "stats", &["ends"], 0),
        (&EMPTY, "sessions", &["-q"], 1),
        (&EMPTY, "show", &["--all"], 0),
        (&EMPTY, "show", &["1"], 2),
        (&story, "sessions", &[], 0),
        (&story, "show", &["S-0001"], 0),
        (&story, "show", &["1", "s-1"], 0),
        (&story, "follow", &["1"], 0),
        (&story, "follow", &["1", "--view", "raw"], 2),
        (&story, "follow", &["1", "--view", "raw", "--show-secrets"], 0),
        (&story, "stats", &["nonsense"], 2),
    ] {
        let output = run(bytes, verb, rest);
        assert_eq!(output.status.code(), Some(code), "{verb} {rest:?}: {}", said(&output.stderr));
    }
    let unknown = run(&story, "show", &["S-0400"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(said(&unknown.stderr).contains("nearest: S-0001"), "{}", said(&unknown.stderr));
    assert!(unknown.stdout.is_empty());
}

#[cfg(feature = "cli")]
#[test]
fn a_session_is_followed_over_its_connections() {
    let output = said(&run(&forged("ftp_resume"), "follow", &["1"]).stdout);
    insta::assert_snapshot!("follow_ftp_resume", output);
    let client = said(&run(&forged("ftp_resume"), "follow", &["1", "--side", "c"]).stdout);
    assert!(client.lines().all(|line| !line.starts_with("<-")), "{client}");
}

#[cfg(feature = "cli")]
#[test]
fn secrets_are_masked_whatever_their_segments() {
    let story = "title Secrets\nclient 10.0.0.1:40000\nserver 10.0.0.2:80\nopen\n\
        client \"POST /in HTTP/1.1\\r\\nCoo\"\nclient \"kie: sid=geheim1\\r\\nAuthorization: Bearer geh\"\n\
        client \"eim2\\r\\nContent-Length: 24\\r\\n\\r\\nuser=eve&password=geheim\"\n\
        server \"HTTP/1.1 200 OK\\r\\nSet-Cookie: sid=geheim3\\r\\nContent-Length: 0\\r\\n\\r\\n\"\nclose by client\n";
    let masked = said(&run(&compiled(story), "follow", &["1"]).stdout);
    assert!(!masked.contains("geh") && !masked.contains("eim2"), "{masked}");
    assert!(masked.contains("Cookie: <masked>"), "{masked}");
    let shown = said(&run(&compiled(story), "follow", &["1", "--show-secrets"]).stdout);
    assert!(shown.contains("sid=geheim1") && !shown.contains("password=geheim"), "{shown}");
}

#[cfg(feature = "cli")]
#[test]
fn names_of_users_do_not_go_into_files() {
    let story = forged("ftp_resume");
    let seen = said(&run(&story, "sessions", &[]).stdout);
    let analysis = analysed(&story);
    let name = &analysis.sessions[0].principal.as_ref().unwrap().name;
    assert!(seen.contains(&**name), "{seen}");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    for verb in [&["sessions"][..], &["show", "1", "--ladder"]] {
        run(&story, verb[0], &[&verb[1..], &["-o", out.to_str().unwrap()]].concat());
        let written = fs::read_to_string(&out).unwrap();
        assert!(!written.is_empty() && !written.contains(&format!(" {name}")), "{verb:?}: {written}");
    }
}
