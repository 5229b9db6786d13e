//! SARIF 2.1.0 (OASIS), for platforms that show alerts beside code.
//!
//! What the baseline or the policy excuses stays in, with a suppression: an alert that is left out once and comes again
//! would be closed and opened anew each time.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_sarif::sarif;

use super::{Judged, account, worst_first};
use crate::gate::{Case, State};
use crate::place::PacketRef;
use crate::rules::{Finding, Rule, Severity};

/// Results that are written; platforms show no more (GitHub: 5,000 of a run).
const RESULTS: usize = 5_000;

/// Further places of one result.
const RELATED: usize = 20;

/// The version of our fingerprints, as part of their name.
const FINGERPRINT: &str = "ghostshark/v1";

/// The id under which asserts, budgets and the capture's quality are told.
const GATE: [(&str, &str); 3] = [
    ("assert", "An assert of the policy does not hold"),
    ("budget", "There are more findings of a severity than the policy allows"),
    ("capture", "The capture is not as good as the policy asks"),
];

pub(super) fn write(judged: &Judged<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &log(judged))?;
    out.write_all(b"\n")
}

fn log(judged: &Judged<'_>) -> sarif::Sarif {
    let mut results = demands(judged);
    let cases = worst_first(judged.cases().collect());
    let told = cases.len().min(RESULTS.saturating_sub(results.len()));
    let mut rules = Rules::default();
    results.extend(cases.iter().take(told).map(|(case, finding)| {
        let index = rules.index(finding.rule);
        result(judged, case, finding, index)
    }));
    let driver = sarif::ToolComponent::builder()
        .name("ghostshark")
        .version(env!("CARGO_PKG_VERSION"))
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .information_uri(env!("CARGO_PKG_REPOSITORY"))
        .rules(rules.list)
        .build();
    let invocation = invocation(cases.len() - told);
    let run = sarif::Run::builder()
        .tool(sarif::Tool::builder().driver(driver).build())
        .invocations(vec![invocation])
        .results(results)
        .column_kind(serde_json::json!("unicodeCodePoints"))
        .build();
    sarif::Sarif::builder()
        .version(serde_json::json!("2.1.0"))
        .schema("https://json.schemastore.org/sarif-2.1.0.json")
        .runs(vec![run])
        .build()
}

/// That the run went well, and what was left out of its results.
fn invocation(cut: usize) -> sarif::Invocation {
    let notes: Vec<sarif::Notification> = (cut > 0)
        .then(|| {
            let text = format!("{cut} more findings, the mildest, are left out; `-T jsonl` has all of them");
            sarif::Notification::builder().message(message(&text)).level(serde_json::json!("warning")).build()
        })
        .into_iter()
        .collect();
    sarif::Invocation::builder().execution_successful(true).tool_execution_notifications(notes).build()
}

/// The rules that results name, in the order in which they came.
#[derive(Default)]
struct Rules {
    list: Vec<sarif::ReportingDescriptor>,
    places: BTreeMap<&'static str, i64>,
}

impl Rules {
    fn index(&mut self, rule: &'static Rule) -> i64 {
        if let Some(index) = self.places.get(rule.code) {
            return *index;
        }
        let index = self.list.len() as i64;
        self.places.insert(rule.code, index);
        self.list.push(descriptor(rule));
        index
    }
}

fn descriptor(rule: &'static Rule) -> sarif::ReportingDescriptor {
    let page = format!("{}/blob/main/docs/rules/{}.md", env!("CARGO_PKG_REPOSITORY"), rule.code);
    let configuration =
        sarif::ReportingConfiguration::builder().level(serde_json::json!(level(rule.severity))).build();
    let section = |heading: &str| text(&rule.section(heading).unwrap_or_default());
    sarif::ReportingDescriptor::builder()
        .id(rule.code)
        .name(rule.name)
        .short_description(text(rule.title))
        .full_description(section("What it finds"))
        .help(section("How to mend it"))
        .help_uri(page)
        .default_configuration(configuration)
        .build()
}

/// What the policy demands and the run does not give: asserts, budgets, the quality of the capture.
fn demands(judged: &Judged<'_>) -> Vec<sarif::Result> {
    let [assert, budget, capture] = GATE;
    let verdict = judged.verdict;
    let mut told = Vec::new();
    let mut tell = |(id, about): (&str, &str), line: Option<usize>, sentence: &str, name: &str| {
        let prints = BTreeMap::from([(FINGERPRINT.to_owned(), format!("{id}:{name}"))]);
        let place = judged.policy.map(|path| in_text(path, line.unwrap_or(1)));
        told.push(
            sarif::Result::builder()
                .rule_id(id)
                .level(sarif::ResultLevel::Error)
                .message(message(&format!("{about}: {sentence}")))
                .locations(place.into_iter().collect::<Vec<_>>())
                .partial_fingerprints(prints)
                .build(),
        );
    };
    for outcome in verdict.asserts.iter().filter(|outcome| !outcome.holds()) {
        let sentence = format!("{}: {}", outcome.name, outcome.sentence());
        tell(assert, Some(outcome.line), &sentence, &outcome.name);
    }
    for (severity, (count, most)) in &verdict.overruns {
        let sentence = format!("{count} of severity {}, {most} allowed", severity.name());
        tell(budget, None, &sentence, severity.name());
    }
    for wrong in &verdict.capture {
        tell(capture, None, wrong, wrong);
    }
    told
}

fn result(judged: &Judged<'_>, case: &Case, finding: &Finding, rule: i64) -> sarif::Result {
    let mut frames = finding.frames().into_iter();
    let first = frames.next().map(|at| in_capture(judged, at));
    let further = frames.take(RELATED).map(|at| in_capture(judged, at));
    // A reviewer sees lines of text files and no octets of a capture: where he asks for it, the policy's line that
    // decides stands first and the capture second.
    let anchor = judged.policy.filter(|_| judged.anchored).map(|path| in_text(path, case.line.unwrap_or(1)));
    let (locations, related): (Vec<_>, Vec<_>) = match anchor {
        Some(anchor) => (vec![anchor], first.into_iter().chain(further).collect()),
        None => (first.into_iter().collect(), further.collect()),
    };
    let prints = BTreeMap::from([(FINGERPRINT.to_owned(), finding.fingerprint.hex())]);
    let mut result = sarif::Result::builder()
        .rule_id(finding.rule.code)
        .rule_index(rule)
        .level(result_level(case.severity))
        .message(message(&account(judged, finding)))
        .locations(locations)
        .related_locations(related)
        .partial_fingerprints(prints)
        .occurrence_count(i64::from(finding.occurrences.max(1)))
        .suppressions(suppressions(case))
        .build();
    if judged.verdict.has_baseline {
        let known = case.state == State::Known;
        result.baseline_state = Some(serde_json::json!(if known { "unchanged" } else { "new" }));
    }
    result
}

/// Why it does not count, where it does not. An empty list says that nothing excuses it.
fn suppressions(case: &Case) -> Vec<sarif::Suppression> {
    let reason = match &case.state {
        State::New => return Vec::new(),
        State::Known => "in the baseline",
        State::Muted(reason) => reason,
        State::Off => "switched off by the policy",
    };
    let suppression = sarif::Suppression::builder()
        .kind(serde_json::json!("external"))
        .status(serde_json::json!("accepted"))
        .justification(crate::escape::terminal(reason))
        .build();
    vec![suppression]
}

/// A frame, as octets of the capture.
fn in_capture(judged: &Judged<'_>, at: PacketRef) -> sarif::Location {
    let file = judged.analysis.files.get(usize::from(at.file.0));
    let path = file.map_or(String::new(), |file| file.path.display().to_string());
    let region =
        sarif::Region::builder().byte_offset(at.offset as i64).byte_length(i64::from(at.length)).build();
    let place = sarif::PhysicalLocation::builder().artifact_location(artifact(&path)).region(region).build();
    sarif::Location::builder()
        .physical_location(place)
        .message(message(&format!("frame {}", at.frame)))
        .build()
}

/// A line of a text file.
fn in_text(path: &str, line: usize) -> sarif::Location {
    let region = sarif::Region::builder().start_line(line.max(1) as i64).build();
    let place = sarif::PhysicalLocation::builder().artifact_location(artifact(path)).region(region).build();
    sarif::Location::builder().physical_location(place).build()
}

/// The path as a relative reference (RFC 3986 §4.2), as it was typed: who runs this at the top of a repository gets
/// paths that begin there.
fn artifact(path: &str) -> sarif::ArtifactLocation {
    let mut uri = String::new();
    for byte in path.strip_prefix("./").unwrap_or(path).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            b'\\' if cfg!(windows) => uri.push('/'),
            _ => {
                let _ = std::fmt::Write::write_fmt(&mut uri, format_args!("%{byte:02X}"));
            }
        }
    }
    sarif::ArtifactLocation::builder().uri(uri).build()
}

fn message(text: &str) -> sarif::Message {
    let lines: Vec<_> = text.lines().map(crate::escape::terminal).collect();
    sarif::Message::builder().text(lines.join("\n")).build()
}

fn text(text: &str) -> sarif::MultiformatMessageString {
    sarif::MultiformatMessageString::builder().text(text).build()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error | Severity::Critical => "error",
    }
}

fn result_level(severity: Severity) -> sarif::ResultLevel {
    match severity {
        Severity::Info => sarif::ResultLevel::Note,
        Severity::Warning => sarif::ResultLevel::Warning,
        Severity::Error | Severity::Critical => sarif::ResultLevel::Error,
    }
}
