//! Filters: the same frames as tshark for the shared part of the language, the right sessions for our own, and no text
//! that is not borne.
//!
//! `UPDATE_TSHARK=1 cargo test filters` asks tshark for all of its answers again; `UPDATE_FILTERS=1` writes our own.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ghostshark::analysis::Analysis;
use ghostshark::capture::Input;
use ghostshark::filter::{self, Filter, Macros, Reread, Scope, fields};
use proptest::prelude::*;

use crate::support::run::{files, plain};

/// A filter of a table with what is expected of it.
struct Row {
    filter: String,
    /// What tshark answers, or what we do where only we can.
    expected: String,
    /// What we answer where that differs from tshark, and why.
    ours: Option<(String, String)>,
}

/// The rows below one capture.
struct Section {
    capture: String,
    rows: Vec<Row>,
}

/// A table: the text above it, and its sections.
struct Table {
    path: PathBuf,
    head: String,
    sections: Vec<Section>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn capture(name: &str) -> PathBuf {
    root().join("fixtures/captures").join(name)
}

impl Table {
    fn read(name: &str) -> Self {
        let path = root().join("fixtures/filters").join(name);
        let text = fs::read_to_string(&path).unwrap();
        let mut table = Self { path, head: String::new(), sections: Vec::new() };
        for line in text.lines() {
            match (line.strip_prefix("# "), table.sections.last_mut()) {
                (Some(capture), _) => {
                    table.sections.push(Section { capture: capture.to_owned(), rows: Vec::new() });
                }
                (None, None) => table.head.extend([line, "\n"]),
                (None, Some(_)) if line.is_empty() => {}
                (None, Some(section)) => {
                    let mut cells = line.split('\t').map(str::to_owned);
                    let filter = cells.next().unwrap();
                    let expected = cells.next().unwrap_or_default();
                    let ours = cells.next().zip(cells.next());
                    section.rows.push(Row { filter, expected, ours });
                }
            }
        }
        table
    }

    fn write(&self) {
        let mut text = self.head.trim_end().to_owned() + "\n";
        for section in &self.sections {
            text.extend(["\n# ", &section.capture, "\n"]);
            for row in &section.rows {
                text.extend([&row.filter, "\t", &row.expected]);
                if let Some((ours, why)) = &row.ours {
                    text.extend(["\t", ours, "\t", why]);
                }
                text.push('\n');
            }
        }
        fs::write(&self.path, text).unwrap();
    }
}

/// `1 2 5..9`, or `-` for none.
fn compact(numbers: impl IntoIterator<Item = u64>) -> String {
    let numbers: Vec<u64> = numbers.into_iter().collect();
    let mut parts = Vec::new();
    for run in numbers.chunk_by(|a, b| a + 1 == *b) {
        match run {
            [first, .., last] if run.len() > 2 => parts.push(format!("{first}..{last}")),
            few => parts.extend(few.iter().map(u64::to_string)),
        }
    }
    if parts.is_empty() { "-".to_owned() } else { parts.join(" ") }
}

/// What tshark says in its two passes; none where there is no tshark of the release that we follow.
fn tshark(capture: &Path, filter: &str, field: &str) -> Option<Vec<u64>> {
    let output = Command::new("tshark")
        .args(["-2", "-n", "-r"])
        .arg(capture)
        .args(["-Y", filter, "-T", "fields", "-e", field])
        .output()
        .ok()?;
    assert!(output.status.success(), "{filter}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.split([',', '\n', ' ']).filter_map(|number| number.trim().parse().ok()).collect())
}

fn has_tshark() -> bool {
    let version = Command::new("tshark").arg("--version").output();
    version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("4.0.17"))
}

fn analysed(name: &str) -> (Analysis, Vec<Input>) {
    let path = capture(name);
    (files(&[&path], &plain()).unwrap(), vec![Input::File(path)])
}

#[track_caller]
fn compiled(text: &str, scope: Scope) -> Filter {
    filter::compile(text, scope, &Macros::new()).unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// The frames that satisfy it.
fn frames(text: &str, analysis: &Analysis, inputs: &[Input]) -> String {
    let found =
        compiled(text, Scope::Packets).packets(analysis, &Reread::new(inputs.to_vec(), analysis)).unwrap();
    compact(found.iter().map(|at| at.frame))
}

/// The streams of the connections that satisfy it.
fn streams(text: &str, analysis: &Analysis, inputs: &[Input]) -> String {
    let found =
        compiled(text, Scope::Connections).connections(analysis, &Reread::new(inputs.to_vec(), analysis));
    let ids: BTreeSet<u32> = found.unwrap().into_iter().collect();
    let meant = analysis.connections.iter().filter(|connection| ids.contains(&connection.id));
    let streams: BTreeSet<u64> = meant.filter_map(|connection| connection.stream).map(u64::from).collect();
    compact(streams)
}

/// Checks a table against what we answer, and with `UPDATE_TSHARK` writes what tshark does.
fn check_table(name: &str, least: usize, field: &str, ours: fn(&str, &Analysis, &[Input]) -> String) {
    let mut table = Table::read(name);
    if std::env::var_os("UPDATE_TSHARK").is_some() {
        assert!(has_tshark(), "UPDATE_TSHARK wants tshark 4.0.17");
        for section in &mut table.sections {
            for row in &mut section.rows {
                let numbers = tshark(&capture(&section.capture), &row.filter, field).unwrap();
                row.expected = compact(numbers.into_iter().collect::<BTreeSet<u64>>());
            }
        }
        table.write();
    }
    let mut wrong = Vec::new();
    let mut count = 0;
    for section in &table.sections {
        let (analysis, inputs) = analysed(&section.capture);
        for row in &section.rows {
            count += 1;
            let found = ours(&row.filter, &analysis, &inputs);
            let (expected, why) = match &row.ours {
                // A deviation that is none any more is to be taken out of the table.
                Some((ours, why)) => {
                    assert_ne!(*ours, row.expected, "{}: the same as tshark again", row.filter);
                    (ours, why.as_str())
                }
                None => (&row.expected, "as tshark"),
            };
            if found != *expected {
                let filter = &row.filter;
                wrong.push(format!(
                    "{}: {filter}\n  expected {expected} ({why})\n  found    {found}",
                    section.capture
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= least, "only {count} filters");
}

#[test]
fn packets_are_those_of_tshark() {
    check_table("packets.txt", 300, "frame.number", frames);
}

#[test]
fn connections_are_those_of_the_packets_that_tshark_shows() {
    check_table("streams.txt", 30, "tcp.stream", streams);
}

/// What tshark says today, of every twelfth filter: it takes half a second each time.
#[test]
fn the_tables_are_what_tshark_says() {
    if !has_tshark() {
        eprintln!("SKIPPED: no tshark 4.0.17 here, so its answers are not asked for again");
        return;
    }
    let table = Table::read("packets.txt");
    let rows = table.sections.iter().flat_map(|section| section.rows.iter().map(move |row| (section, row)));
    for (section, row) in rows.step_by(12) {
        let numbers = tshark(&capture(&section.capture), &row.filter, "frame.number").unwrap();
        assert_eq!(compact(numbers), row.expected, "{}: {}", section.capture, row.filter);
    }
}

#[test]
fn every_operator_and_every_shared_field_with_a_capture_is_in_the_tables() {
    let table = Table::read("packets.txt");
    let filters: Vec<&str> =
        table.sections.iter().flat_map(|section| &section.rows).map(|row| row.filter.as_str()).collect();
    for sign in [
        " == ",
        " != ",
        " === ",
        " !== ",
        " ~= ",
        " > ",
        " < ",
        " >= ",
        " <= ",
        " eq ",
        " ne ",
        " gt ",
        " lt ",
        " ge ",
        " le ",
        " any_ne ",
        " all_eq ",
        " all_ne ",
        " contains ",
        " matches ",
        " ~ ",
        " in {",
        " not in {",
        " && ",
        " || ",
        "!",
        " and ",
        " or ",
        "not ",
        " & ",
        " bitwise_and ",
        " + ",
        " - ",
        " * ",
        " / ",
        " % ",
        "any ",
        "all ",
        "len(",
        "count(",
        "lower(",
        "upper(",
        "string(",
        "min(",
        "max(",
        "abs(",
        "[0:2]",
        "[0-2]",
        "[0]",
        "[-2:]",
        "#1",
        "/12",
        "..",
        "r\"",
        "'\\x",
    ] {
        assert!(filters.iter().any(|filter| filter.contains(sign)), "no filter with {sign}");
    }
}

/// Sessions by our own fields, findings, order: the ids that satisfy a filter, reviewed by people.
#[test]
fn sessions_and_findings_are_those_that_are_meant() {
    let mut table = Table::read("own.txt");
    let update = std::env::var_os("UPDATE_FILTERS").is_some();
    let mut wrong = Vec::new();
    for section in &mut table.sections {
        let (analysis, inputs) = analysed(&section.capture);
        let source = Reread::new(inputs, &analysis);
        for row in &mut section.rows {
            let (scope, text) = row.filter.split_once(": ").unwrap();
            let found: Vec<u64> = match scope {
                "sessions" => ids(compiled(text, Scope::Sessions).sessions(&analysis, &source).unwrap()),
                "findings" => ids(compiled(text, Scope::Findings).findings(&analysis, &source).unwrap()),
                "connections" => {
                    ids(compiled(text, Scope::Connections).connections(&analysis, &source).unwrap())
                }
                "packets" => {
                    let found = compiled(text, Scope::Packets).packets(&analysis, &source).unwrap();
                    found.iter().map(|at| at.frame).collect()
                }
                other => panic!("{other}"),
            };
            let found = compact(found);
            if update {
                row.expected = found;
            } else if row.expected != found {
                wrong.push(format!(
                    "{}: {}: {} expected, {found} found",
                    section.capture, row.filter, row.expected
                ));
            }
        }
    }
    if update {
        table.write();
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn ids(ids: Vec<u32>) -> Vec<u64> {
    ids.into_iter().map(u64::from).collect()
}

#[test]
fn every_example_of_the_catalogue_is_a_filter() {
    for field in fields::all() {
        let example = field.example();
        for scope in [Scope::Sessions, Scope::Connections, Scope::Findings, Scope::Events, Scope::Packets] {
            if let Err(refusal) = filter::compile(&example, scope, &Macros::new()) {
                panic!("{scope:?}\n{refusal}");
            }
        }
    }
}

#[test]
fn a_bad_filter_is_shown_with_its_place_its_reason_and_a_good_one() {
    let mut text = String::new();
    for filter in [
        "tcp.prt == 443",
        "tcp.port == \"abc\"",
        "tcp.port == https",
        "tcp.port == 99999",
        "ip.addr == 10.0.0",
        "eth.src == 02:42",
        "tcp.port ==",
        "(tcp.port == 1",
        "tcp.port = 1",
        "tcp AND ip",
        "tcp.port contains \"4\"",
        "http.host matches abc",
        "http.host matches \"(\"",
        "frame contains \"a\\.b\"",
        "1 == tcp.port",
        "1 + tcp.len == 1",
        "tcp.len-1 == 0",
        "tcp.analysis.retransmission == 1",
        "tcp.port[0] == 1",
        "ip.addr == tcp.port",
        "quic.connection.number == 1",
        "bgp.type == 2",
        "http.range",
        "session.end.kind == \"silnt\"",
        "session.end.kind > \"silent\"",
        "finding.rule == \"GSX999\"",
        "finding.severity >= warn",
        "finding.state == \"new\"",
        "session.dur > 5 parsecs",
        "session.dur > 5parsecs",
        "http.request then tcp.flags.reset == 1 within soon",
        "lenght(tcp) > 3",
        "upper(tcp.port) == \"A\"",
        "$nothing(1)",
        "any tcp",
        "count(tcp.len > 0) > tcp.len",
    ] {
        let refusal = filter::compile(filter, Scope::Sessions, &Macros::new()).unwrap_err();
        let sign = if refusal.incomplete { " (incomplete)" } else { "" };
        writeln!(text, "{refusal}{sign}\n").unwrap();
    }
    insta::assert_snapshot!("refusals", text);
}

/// Pieces of filters, from which texts are made that are nearly some.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "tcp.port",
        "ip.addr",
        "session.dur",
        "finding.severity",
        "frame",
        "tcp.payload",
        "session",
        "any",
        "all",
        "not",
        "and",
        "or",
        "xor",
        "then",
        "without",
        "within",
        "in",
        "==",
        "!=",
        "===",
        ">",
        "contains",
        "matches",
        "~",
        "&",
        "+",
        "-",
        "*",
        "/",
        "%",
        "(",
        ")",
        "{",
        "}",
        "[0:4]",
        "[-1]",
        "#1",
        ",",
        "..",
        "443",
        "0x1f",
        "10.0.0.0/8",
        "\"text\"",
        "r\"a\\b\"",
        "'c'",
        "30s",
        "10KiB",
        "warning",
        "S-0001",
        "len(",
        "count(",
        "$m",
        "tcp.flags.syn",
        "2026-01-01",
        "::1",
        "aa:bb:cc:dd:ee:ff",
        "\"",
        "'",
        "\\",
        "é",
        "!",
        "=",
        "||",
        "&&",
    ];
    prop_oneof![8 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_understood_or_refused(pieces in proptest::collection::vec(piece(), 0..24), space in any::<bool>()) {
        let text = pieces.join(if space { " " } else { "" });
        for scope in [Scope::Packets, Scope::Sessions, Scope::Findings] {
            match filter::compile(&text, scope, &Macros::new()) {
                Err(refusal) => prop_assert!(!refusal.to_string().is_empty()),
                Ok(first) => {
                    let printed = first.to_string();
                    let again = filter::compile(&printed, scope, &Macros::new());
                    match again {
                        Err(refusal) => prop_assert!(false, "{text}\n{refusal}"),
                        Ok(again) => prop_assert_eq!(again.to_string(), printed),
                    }
                }
            }
        }
        let _ = filter::complete::complete(&text, text.len() / 2);
    }
}
