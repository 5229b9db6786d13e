//! Every rule finds what its stories show and spares their near misses, also when all of it takes a third or seven times
//! as long, at other addresses and ports, over IPv6, with a packet lost on the way and one recorded twice.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use ghostshark::analysis::Analysis;
use ghostshark::gate::Baseline;
use ghostshark::rules::{self, CATALOGUE, Layer, Rule, Severity};
use ghostshark::scenario::{self, Format, Frame, Recording};
use ghostshark::time::Timestamp;

use crate::support::file_of;
use crate::support::run::{Desk, files, plain};

/// Rules about damaged files and bounds, which no story can show; their tests are below their code.
const UNTOLD: [&str; 3] = ["GSQ906", "GSQ912", "GSQ913"];

/// The folder with the stories of a rule.
fn folder(rule: &Rule) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules").join(rule.code)
}

/// The stories of a rule whose names begin so, with their texts, in order.
fn stories(rule: &Rule, start: &str) -> Vec<(PathBuf, String)> {
    let Ok(entries) = fs::read_dir(folder(rule)) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| {
        path.extension().is_some_and(|end| end == "story")
            && path.file_name().unwrap().to_str().unwrap().starts_with(start)
    });
    found.sort();
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// How a story is told otherwise without becoming another one.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    None,
    Pace(&'static str),
    OtherEnds,
    Ipv6,
    OneLost,
    OneTwice,
}

const CHANGES: [Change; 7] = [
    Change::None,
    Change::Pace("0.3"),
    Change::Pace("7"),
    Change::OtherEnds,
    Change::Ipv6,
    Change::OneLost,
    Change::OneTwice,
];

/// The recording of a story with this change; none where the story has nothing to change in this way.
fn told(text: &str, path: &Path, change: Change) -> Option<Recording> {
    let text = match change {
        Change::None | Change::OneTwice => text.to_owned(),
        Change::Pace(pace) => format!("pace {pace}\n{text}"),
        Change::OtherEnds => {
            outside_of_texts(text, |part| other_ends(part, moves_ports(text))).replace("10,0,0,", "172,20,9,")
        }
        Change::Ipv6 => outside_of_texts(text, ipv6),
        Change::OneLost => one_lost(text)?,
    };
    let mut recording = scenario::compile(&text, path)
        .unwrap_or_else(|complaint| panic!("{change:?} of {}: {complaint}\n{text}", path.display()));
    if change == Change::OneTwice {
        let middle = recording.frames.len() / 2;
        let frame = recording.frames[middle].clone();
        let next = recording.frames.get(middle + 1).map_or(i64::MAX, |frame| frame.time.0);
        let again = Timestamp((frame.time.0 + 5_000).min(next));
        recording.frames.insert(middle + 1, Frame { time: again, ..frame });
    }
    Some(recording)
}

/// Changes what stands outside of quotation marks.
pub(crate) fn outside_of_texts(text: &str, change: impl Fn(&str) -> String) -> String {
    let lines = text.lines().map(|line| {
        if line.trim_start().starts_with("title ") {
            return line.to_owned();
        }
        let parts = line.split('"').enumerate();
        let parts: Vec<String> =
            parts.map(|(index, part)| if index % 2 == 0 { change(part) } else { part.to_owned() }).collect();
        parts.join("\"")
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// Whether the servers' ports may change: not where a protocol says one of them in its own words, nor where a server
/// turns clients away by a word that several protocols have.
fn moves_ports(text: &str) -> bool {
    !["\"227 ", "\"229 ", "PORT ", "EPRT ", "\"421 "].iter().any(|announcement| text.contains(announcement))
}

/// Words that name an end, changed.
fn each_end(part: &str, change: impl Fn(&str, Option<u16>, bool) -> String) -> String {
    let mut server = false;
    let words: Vec<String> = part
        .split(' ')
        .map(|word| {
            let digits = |host: &str| host.strip_prefix("10.0.").map(str::to_owned);
            let changed = match word.split_once(':') {
                Some((host, number)) => digits(host)
                    .and_then(|rest| number.parse().ok().map(|number| change(&rest, Some(number), server))),
                None => digits(word).map(|rest| change(&rest, None, server)),
            };
            match word {
                "server" => server = true,
                "client" => server = false,
                _ => {}
            }
            changed.unwrap_or_else(|| word.to_owned())
        })
        .collect();
    words.join(" ")
}

pub(crate) fn other_ends(part: &str, moves_servers: bool) -> String {
    each_end(part, |rest, port, server| {
        let host = format!("172.20.{}", rest.replacen("0.", "9.", 1));
        match port {
            Some(number) if !server => format!("{host}:{}", number % 20_000 + 30_000),
            Some(number) if moves_servers => format!("{host}:{}", number % 20_000 + 20_000),
            Some(number) => format!("{host}:{number}"),
            None => host,
        }
    })
}

fn ipv6(part: &str) -> String {
    each_end(part, |rest, port, _| {
        let host = format!("2001:db8::{}", rest.replace('.', ":"));
        port.map_or(host.clone(), |port| format!("[{host}]:{port}"))
    })
}

/// The story with the first message of a side lost on the way, behind the tap; it is sent again. Where the story loses
/// packets itself, nothing is added.
fn one_lost(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let deed = |line: &&str| {
        let line = line.split_once(": ").map_or(*line, |(_, rest)| rest).trim_start();
        ["client \"", "server \"", "client hex", "server hex"].iter().any(|start| line.starts_with(start))
    };
    if ["lose ", "miss ", "vanish", "blind ", "begin", "swap "].iter().any(|word| text.contains(word)) {
        return None;
    }
    let place = lines.iter().position(deed)?;
    let (name, rest) = lines[place].split_once(": ").map_or(("", lines[place]), |(name, rest)| (name, rest));
    let side = if rest.trim_start().starts_with("client") { "client" } else { "server" };
    let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
    let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    changed.insert(place, format!("{name}lose {side}"));
    Some(changed.join("\n") + "\n")
}

fn analyzed(desk: &Desk, recording: &Recording) -> Analysis {
    desk.analyze("story", &file_of(recording, Format::Pcapng), &plain()).unwrap()
}

/// How severe this rule's worst finding is.
fn verdict(analysis: &Analysis, rule: &Rule) -> Option<Severity> {
    analysis
        .findings
        .iter()
        .filter(|finding| finding.rule.code == rule.code)
        .map(|finding| finding.severity)
        .max()
}

/// All findings, for the reader of a failure.
fn list(analysis: &Analysis) -> String {
    let mut out = String::new();
    for finding in &analysis.findings {
        let (severity, confidence) = (finding.severity.name(), format!("{:?}", finding.confidence));
        let _ = writeln!(out, "    {} {severity} {confidence}: {}", finding.rule.code, finding.message);
    }
    for connection in &analysis.connections {
        let _ = writeln!(
            out,
            "    #{} {:?} {}",
            connection.id, connection.ended.reason, connection.ended.because
        );
    }
    out
}

#[test]
fn every_rule_finds_and_spares_in_all_circumstances() {
    let desk = Desk::new();
    let mut wrong = String::new();
    for rule in CATALOGUE {
        let (finds, spares) = (stories(rule, "finds"), stories(rule, "spares"));
        if (finds.is_empty() || spares.is_empty()) && !UNTOLD.contains(&rule.code) {
            let _ = writeln!(
                wrong,
                "{} wants finds*.story and spares*.story in {}",
                rule.code,
                folder(rule).display()
            );
        }
        // A rule whose findings are remarks must make or leave its remark; else only what hurts counts.
        let hurts = finds.iter().all(|(path, text)| {
            told(text, path, Change::None).is_some_and(|recording| {
                verdict(&analyzed(&desk, &recording), rule) >= Some(Severity::Warning)
            })
        });
        let floor = if hurts { Severity::Warning } else { Severity::Info };
        for (found, (path, text)) in
            finds.iter().map(|story| (true, story)).chain(spares.iter().map(|story| (false, story)))
        {
            for change in CHANGES {
                let Some(recording) = told(text, path, change) else { continue };
                let analysis = analyzed(&desk, &recording);
                let said = verdict(&analysis, rule);
                if said.is_some_and(|severity| severity >= floor) != found {
                    let name = path.strip_prefix(folder(rule).parent().unwrap()).unwrap().display();
                    let _ = writeln!(wrong, "{name} with {change:?}: {said:?}\n{}", list(&analysis));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A baseline of one recording knows what another recording of the same shows: slower or faster, from other client ports,
/// at other addresses.
#[test]
fn a_baseline_knows_another_recording_of_the_same() {
    let desk = Desk::new();
    let mut wrong = String::new();
    for rule in CATALOGUE {
        for (path, text) in stories(rule, "finds") {
            let Some(recording) = told(&text, &path, Change::None) else { continue };
            let known = Baseline::of(&analyzed(&desk, &recording));
            let other_clients = outside_of_texts(&text, |part| other_ends(part, false));
            let others = [Change::Pace("0.3"), Change::Pace("7"), Change::Ipv6]
                .into_iter()
                .filter_map(|change| told(&text, &path, change))
                .chain(scenario::compile(&other_clients, &path));
            for other in others {
                let analysis = analyzed(&desk, &other);
                for finding in analysis
                    .findings
                    .iter()
                    .filter(|finding| finding.rule.code == rule.code && finding.layer != Layer::Capture)
                {
                    if !known.holds(&finding.fingerprint.hex()) {
                        let _ = writeln!(
                            wrong,
                            "{}: {} is new: {:?}\n{}",
                            path.display(),
                            finding.message,
                            finding.about,
                            known.write()
                        );
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn two_recorders_with_clocks_apart_hold_one_connection() {
    let desk = Desk::new();
    let text = "client 10.0.0.1:40000\nserver 10.0.0.2:8080\nopen\nclient \"one\\n\"\nserver \"one\\n\"\nsleep 3s\nclient \"two\\n\"\nserver \"two\\n\"\nclose by client\n";
    let recording = scenario::compile(text, Path::new("clocks.story")).unwrap();
    let first = desk.put("first.pcapng", &file_of(&recording, Format::Pcapng));
    for (seconds, told) in [(0, false), (2, true), (60, true)] {
        let mut other = recording.clone();
        for frame in &mut other.frames {
            frame.time = Timestamp(frame.time.0 + seconds * 1_000_000_000);
        }
        let second = desk.put("second.pcapng", &file_of(&other, Format::Pcapng));
        let analysis = files(&[&first, &second], &plain()).unwrap();
        let said = |code| verdict(&analysis, rules::named(code).unwrap());
        assert_eq!(said("GSQ906") == Some(Severity::Warning), told, "{seconds} s: {}", list(&analysis));
        for connection in &analysis.connections {
            let again = connection.sides.client.retransmitted_segments
                + connection.sides.server.retransmitted_segments;
            assert_eq!(again, 0, "{seconds} s: copies are no repetitions");
        }
    }
}

#[test]
fn changes_change_what_they_should() {
    let text = "client 10.0.0.1:40000 ttl 64\nserver 10.0.0.2:8080\nopen\nclient \"at 10.0.0.1:40000\"\nicmp x from 10.0.0.9 quoting client\n";
    let other = outside_of_texts(text, |part| other_ends(part, true));
    assert!(other.contains("client 172.20.9.1:30000 ttl 64\nserver 172.20.9.2:28080"), "{other}");
    assert!(other.contains("\"at 10.0.0.1:40000\"") && other.contains("from 172.20.9.9 "), "{other}");
    let six = outside_of_texts(text, ipv6);
    assert!(six.contains("client [2001:db8::0:1]:40000") && six.contains("from 2001:db8::0:9 "), "{six}");
    assert!(one_lost(text).unwrap().contains("open\nlose client\nclient \"at"));
    assert_eq!(rules::named("nothing").map(|rule| rule.code), None);
}
