//! The order of the house: who may import whom, how large files may be, what they are called, what lies beside what.
//!
//! The table of modules is that of `docs/architecture.md`; a change here is a change there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ghostshark::analysis::{Analysis, Options};
use ghostshark::events::Word;
use ghostshark::protocols::CATALOGUE;
use ghostshark::scenario::Format;

use crate::support::run::{Desk, plain};
use crate::support::{self, file_of};

/// Modules that stand on nothing but each other.
const GROUND: [&str; 7] = ["time", "place", "limits", "names", "problem", "error", "escape"];

/// The stages and faces: what each may import beside itself and the ground.
const ABOVE: [(&str, &[&str]); 18] = [
    ("capture", &[]),
    ("packet", &["capture"]),
    ("events", &["packet"]),
    ("stream", &["capture", "packet", "events"]),
    ("protocols", &["events", "stream"]),
    ("session", &["events"]),
    ("rules", &["events", "session"]),
    ("analysis", &["capture", "packet", "events", "stream", "protocols", "session", "rules"]),
    ("inspect", &["capture", "packet", "events", "stream", "protocols", "session", "analysis"]),
    ("diff", &["events", "session", "rules", "analysis"]),
    ("export", &["capture", "packet", "events", "session", "rules", "analysis", "inspect"]),
    ("filter", &["capture", "packet", "events", "session", "rules", "analysis", "inspect"]),
    ("gate", &["events", "rules", "analysis", "filter"]),
    ("story", &["packet", "events", "session", "rules", "analysis"]),
    ("scenario", &[]),
    (
        "report",
        &[
            "capture", "packet", "events", "session", "rules", "analysis", "inspect", "diff", "export",
            "filter", "gate", "story",
        ],
    ),
    ("tui", &["capture", "packet", "events", "session", "rules", "analysis", "inspect", "filter", "story"]),
    (
        "cli",
        &[
            "capture",
            "packet",
            "events",
            "stream",
            "protocols",
            "session",
            "rules",
            "analysis",
            "inspect",
            "diff",
            "export",
            "filter",
            "gate",
            "story",
            "scenario",
            "report",
            "tui",
        ],
    ),
];

/// Files of the crate that are no module of the table: the list of modules and the program.
const ROOTS: [&str; 2] = ["lib", "main"];

/// Names that say nothing of what is inside.
const FORBIDDEN: [&str; 7] = ["utils", "util", "helpers", "common", "types", "misc", "manager"];

/// Lines of one file, tests not counted, above which it is to be split.
const LINES_WANTED: usize = 600;

/// Lines of one file, tests not counted, that are never accepted.
const LINES_ALLOWED: usize = 800;

/// One source file.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The module of the table to which it belongs: `capture` for `src/capture/pcap.rs` as for `src/capture.rs`.
    fn module(&self) -> &str {
        let inside = self.path.strip_prefix("src").unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Its text before the module of tests that stands last in it.
    fn code(&self) -> &str {
        self.text.split("\n#[cfg(test)]\nmod tests {").next().unwrap()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below a folder of the project, by their paths in it, in order.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(root()).unwrap().to_path_buf());
            }
        }
    }
    found.sort();
    found
}

fn sources(folder: &str) -> Vec<Source> {
    let rust = files(folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs"));
    let read = |path: PathBuf| Source { text: fs::read_to_string(root().join(&path)).unwrap(), path };
    let found: Vec<_> = rust.map(read).collect();
    assert!(!found.is_empty(), "no Rust file under {folder}");
    found
}

/// The modules of this crate that a text names in paths (`crate::time::Span`, `crate::{place, time::Span}`).
/// Comments do not count: a document may point anywhere.
fn imports(text: &str) -> BTreeSet<String> {
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n");
    let mut named = BTreeSet::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (at, found) in code.match_indices("crate::") {
        if code[..at].ends_with(is_word) {
            continue;
        }
        let rest = &code[at + found.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            named.insert(rest.chars().take_while(|&c| is_word(c)).collect());
            continue;
        };
        let mut depth = 1;
        let mut first = String::new();
        let mut reading = true;
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => {
                    named.insert(std::mem::take(&mut first));
                    reading = true;
                    continue;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
            if reading && is_word(c) {
                first.push(c);
            } else if !c.is_whitespace() {
                reading = false;
            }
        }
        named.insert(first);
    }
    named.remove("");
    named
}

/// Whether code of one module may name another.
fn may_import(module: &str, other: &str) -> bool {
    let above = ABOVE.iter().find(|(name, _)| *name == module);
    module == other
        || GROUND.contains(&other)
        || ROOTS.contains(&module)
        || above.is_some_and(|(_, allowed)| allowed.contains(&other))
}

#[test]
fn paths_are_read_in_every_form() {
    for (text, modules) in [
        ("use crate::time::Span;", &["time"][..]),
        ("let x: crate::error::Error = y;", &["error"]),
        ("use crate::{place, time::{Span, Timestamp},\n    capture::Frame};", &["capture", "place", "time"]),
        ("// use crate::report;\n/// [`x`](crate::cli)", &[]),
        ("use other_crate::time;", &[]),
        ("use crate::limits::*; // not crate::cli", &["limits"]),
    ] {
        assert_eq!(imports(text).into_iter().collect::<Vec<_>>(), modules, "{text}");
    }
}

#[test]
fn the_table_forbids_what_it_should() {
    for (module, other) in [
        ("capture", "packet"),
        ("scenario", "packet"),
        ("stream", "analysis"),
        ("report", "cli"),
        ("time", "capture"),
    ] {
        assert!(!may_import(module, other), "{module} may import {other}");
    }
}

#[test]
fn every_module_stands_in_the_table() {
    for source in sources("src") {
        let module = source.module();
        let known = GROUND.contains(&module)
            || ROOTS.contains(&module)
            || ABOVE.iter().any(|(name, _)| *name == module);
        assert!(known, "{}: {module} has no place in the table of house.rs", source.path.display());
    }
}

#[test]
fn nothing_imports_what_stands_above_it() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        for other in imports(source.code()) {
            if !may_import(source.module(), &other) {
                wrong.push(format!("{} names crate::{other}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn threads_are_known_to_analysis_and_the_terminal_only() {
    let mut wrong = Vec::new();
    // The terminal has its own, beside those of the analysis: what is seen must never wait.
    for source in sources("src").iter().filter(|source| !["analysis", "tui"].contains(&source.module())) {
        for line in source.code().lines().map(|line| line.split("//").next().unwrap()) {
            if ["rayon::", "std::thread", "thread::spawn", "mpsc"].iter().any(|word| line.contains(word)) {
                wrong.push(format!("{}: {}", source.path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn serde_is_known_to_reports_only() {
    let mut wrong = Vec::new();
    for source in sources("src").iter().filter(|source| !["report", "gate", "cli"].contains(&source.module()))
    {
        for line in source.code().lines().map(|line| line.split("//").next().unwrap()) {
            if line.contains("serde") {
                wrong.push(format!("{}: {}", source.path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_are_of_a_size_that_can_be_read() {
    for source in sources("src").iter().chain(&sources("tests")) {
        let lines = source.code().lines().count();
        if lines > LINES_WANTED {
            println!("{}: {lines} lines, to be split", source.path.display());
        }
        assert!(lines <= LINES_ALLOWED, "{}: {lines} lines", source.path.display());
    }
}

#[test]
fn every_module_says_what_it_is() {
    for source in sources("src").iter().chain(&sources("tests")) {
        let sentence = source.text.lines().next().and_then(|line| line.strip_prefix("//! "));
        assert!(sentence.is_some_and(|s| !s.trim().is_empty()), "{} has no `//!`", source.path.display());
    }
}

#[test]
fn names_say_what_is_inside() {
    for folder in ["src", "tests", "benches"].into_iter().filter(|folder| root().join(folder).exists()) {
        for path in files(folder) {
            for part in path.with_extension("").iter().filter_map(|part| part.to_str()) {
                assert!(!FORBIDDEN.contains(&part), "{}: {part} says nothing", path.display());
            }
        }
    }
}

#[test]
fn every_recorded_capture_has_its_truth_and_its_script() {
    let mut captures = 0;
    for path in files("fixtures/captures") {
        let name = path.file_name().unwrap().to_str().unwrap();
        if let Some(story) = name.strip_suffix(".truth.toml") {
            let capture = [".pcap", ".pcapng"]
                .iter()
                .any(|end| root().join(path.with_file_name(format!("{story}{end}"))).exists());
            assert!(capture, "{name} tells of no capture");
        } else if path.extension().is_some_and(|end| end == "pcap" || end == "pcapng") {
            captures += 1;
            let truth = root().join(path.with_extension("truth.toml"));
            assert!(truth.exists(), "{name} has no truth");
            let script =
                Path::new("fixtures/lab/scenarios").join(path.with_extension("sh").file_name().unwrap());
            assert!(
                root().join(&script).exists(),
                "{name} cannot be recorded again: no {}",
                script.display()
            );
        }
    }
    assert!(captures >= 12, "{captures} captures");
}

#[test]
fn protocols_stand_in_the_order_of_their_names() {
    let names: Vec<_> = CATALOGUE.iter().map(|protocol| protocol.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}: a name twice");
    for protocol in CATALOGUE {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        assert!(protocol.name.chars().all(plain), "{}: a name is lower case", protocol.name);
        let module = root().join("src/protocols").join(protocol.name);
        assert!(module.is_dir() || module.with_extension("rs").is_file(), "{}: no module", protocol.name);
    }
}

#[test]
fn every_protocol_names_its_sources() {
    for protocol in CATALOGUE {
        assert!(!protocol.title.is_empty(), "{} has no title", protocol.name);
        assert!(!protocol.sources.is_empty(), "{} has no source", protocol.name);
    }
}

#[test]
fn every_protocol_has_three_stories() {
    let stories = files("fixtures/stories");
    for protocol in CATALOGUE {
        let begin = format!("{}_", protocol.name);
        let told = stories.iter().filter_map(|path| path.file_stem()?.to_str());
        let count = told.filter(|name| name.starts_with(&begin)).count();
        assert!(count >= 3, "{}: {count} stories fixtures/stories/{begin}*.story", protocol.name);
    }
}

#[test]
fn protocols_list_the_words_that_they_say() {
    let desk = Desk::new();
    let options = Options { keep_events: true, ..plain() };
    let mut said: BTreeMap<&str, BTreeSet<Word>> = BTreeMap::new();
    let mut hear = |analysis: &Analysis| {
        for event in &analysis.events {
            said.entry(event.protocol).or_default().insert(event.word);
        }
    };
    for (_, recording) in support::stories() {
        hear(&desk.analyze("story", &file_of(&recording, Format::Pcapng), &options).unwrap());
    }
    for capture in support::captures() {
        hear(&desk.analyze(&capture.name, &capture.bytes, &options).unwrap());
    }
    let mut wrong = Vec::new();
    for protocol in CATALOGUE {
        let listed: BTreeSet<Word> = protocol.words.iter().copied().collect();
        let heard = said.remove(protocol.name).unwrap_or_default();
        for word in heard.difference(&listed) {
            wrong.push(format!("{} says {} and does not list it", protocol.name, word.name()));
        }
        // A word may be too rare for a story; a protocol that says hardly any of its words is none.
        if heard.len() * 2 < listed.len() {
            wrong.push(format!(
                "{} lists {} words, and stories and captures say {}",
                protocol.name,
                listed.len(),
                heard.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
