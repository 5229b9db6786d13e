//! How two recordings differ, as text and as records.

use std::io::{self, Write};

use serde::Serialize;

use super::text::{Look, Paint, Tone};
use super::view::{self, Context, Seconds};
use super::words::Said;
use super::{json, jsonl};
use crate::analysis::Analysis;
use crate::diff::{Difference, Key, Limits, Pair};
use crate::escape;
use crate::events::transport::{By, Reason};
use crate::rules::Finding;
use crate::session::Session;

/// How the differences are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Text for people.
    #[default]
    Text,
    /// One document.
    Json,
    /// One record a line.
    Jsonl,
}

/// What is told of a session: one that differs.
#[derive(Debug, Serialize)]
struct Record<'a> {
    r#type: &'static str,
    protocol: &'a str,
    service: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    object: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    who_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<Seen>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<Seen>,
    #[serde(skip_serializing_if = "Option::is_none")]
    measure: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_s: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_s: Option<Seconds>,
}

/// A session in one of the recordings.
#[derive(Debug, Serialize)]
struct Seen {
    session: String,
    reason: Said<Reason>,
    by: Said<By>,
    duration_s: Seconds,
}

/// The last record: how many of each.
#[derive(Debug, Serialize)]
struct Summary {
    r#type: &'static str,
    paired: usize,
    lost: usize,
    new: usize,
    changed: usize,
    slower: usize,
    faster: usize,
    findings_new: usize,
    findings_gone: usize,
    not_comparable: usize,
    moved: usize,
    factor: f64,
    least_s: Seconds,
    differs: bool,
}

/// A finding that one of the recordings has.
#[derive(Debug, Serialize)]
struct FindingRecord<'a> {
    r#type: &'static str,
    finding: view::Finding<'a>,
}

impl Seen {
    fn of(session: &Session) -> Self {
        Self {
            session: session.name(),
            reason: Said(session.outcome.reason),
            by: Said(session.outcome.by),
            duration_s: Seconds(session.duration()),
        }
    }
}

impl<'a> Record<'a> {
    fn new(r#type: &'static str, key: &'a Key, old: Option<&Session>, new: Option<&Session>) -> Self {
        Self {
            r#type,
            protocol: &key.about.protocol,
            service: &key.about.service,
            object: &key.about.object,
            who_hash: key.who.map(crate::events::Hash128::hex),
            old: old.map(Seen::of),
            new: new.map(Seen::of),
            measure: None,
            old_s: None,
            new_s: None,
        }
    }

    fn pair(r#type: &'static str, key: &'a Key, pair: &Pair<'_>) -> Self {
        Self::new(r#type, key, Some(pair.old), Some(pair.new))
    }
}

/// Two recordings and how they differ.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    /// The old recording.
    pub old: &'a Analysis,
    /// The new one.
    pub new: &'a Analysis,
    /// How they differ.
    pub difference: &'a Difference<'a>,
    /// From which difference of times on.
    pub limits: Limits,
}

/// Writes the differences.
///
/// # Errors
/// What the writer says.
pub fn write(compared: Compared<'_>, form: Form, look: Look, out: &mut dyn Write) -> io::Result<()> {
    match form {
        Form::Text => text(compared, look, out),
        Form::Jsonl => {
            for record in sessions(compared.difference) {
                jsonl::line(out, &record)?;
            }
            for record in findings(compared) {
                jsonl::line(out, &record)?;
            }
            jsonl::line(out, &summary(compared))
        }
        Form::Json => {
            write!(out, "{{\"schema\":\"{}\"", view::SCHEMA)?;
            json::array(out, "sessions", sessions(compared.difference).into_iter())?;
            json::array(out, "findings", findings(compared).into_iter())?;
            write!(out, ",\n\"summary\":")?;
            jsonl::object(out, &summary(compared))?;
            out.write_all(b"}\n")
        }
    }
}

fn sessions<'a>(difference: &'a Difference<'_>) -> Vec<Record<'a>> {
    let mut all = Vec::new();
    all.extend(difference.lost.iter().map(|(key, old)| Record::new("session-lost", key, Some(*old), None)));
    all.extend(difference.new.iter().map(|(key, new)| Record::new("session-new", key, None, Some(*new))));
    all.extend(difference.changed.iter().map(|(key, pair)| Record::pair("session-changed", key, pair)));
    all.extend(difference.shifts.iter().map(|(key, pair, shift)| {
        let name = if shift.is_slower() { "session-slower" } else { "session-faster" };
        let record = Record::pair(name, key, pair);
        let (old_s, new_s) = (Some(Seconds(shift.old)), Some(Seconds(shift.new)));
        Record { measure: Some(shift.measure.name()), old_s, new_s, ..record }
    }));
    all.extend(
        difference.unclear.iter().map(|(key, pair)| Record::pair("session-not-comparable", key, pair)),
    );
    all.extend(difference.moved.iter().map(|(key, pair)| Record::pair("session-moved", key, pair)));
    all
}

fn findings<'a>(compared: Compared<'a>) -> Vec<FindingRecord<'a>> {
    let record = |r#type: &'static str, finding: &'a Finding, analysis: &'a Analysis| {
        let context = Context { several_captures: analysis.files.len() > 1, stamps: view::Stamps::default() };
        FindingRecord { r#type, finding: view::Finding::new(finding, analysis, context) }
    };
    let new = compared.difference.findings_new.iter().map(|one| record("finding-new", one, compared.new));
    let gone = compared.difference.findings_gone.iter().map(|one| record("finding-gone", one, compared.old));
    new.chain(gone).collect()
}

fn summary(compared: Compared<'_>) -> Summary {
    let difference = compared.difference;
    let slower = difference.shifts.iter().filter(|(_, _, shift)| shift.is_slower()).count();
    Summary {
        r#type: "diff-summary",
        paired: difference.paired,
        lost: difference.lost.len(),
        new: difference.new.len(),
        changed: difference.changed.len(),
        slower,
        faster: difference.shifts.len() - slower,
        findings_new: difference.findings_new.len(),
        findings_gone: difference.findings_gone.len(),
        not_comparable: difference.unclear.len(),
        moved: difference.moved.len(),
        factor: compared.limits.factor,
        least_s: Seconds(compared.limits.least),
        differs: !difference.is_empty(),
    }
}

/// Sections with a line each: `-` gone, `+` new, `~` changed.
fn text(compared: Compared<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let difference = compared.difference;
    let mut section = |title: &str, lines: Vec<String>| -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(out, "{}", paint.tone(Tone::Heading, format!("{title} ({})", lines.len())))?;
        for line in lines {
            writeln!(out, "  {line}")?;
        }
        writeln!(out)
    };
    let one = |sign: &str, key: &Key, session: &Session| {
        format!("{sign} {} {}: {}", session.name(), about(key), ended(session))
    };
    section("lost sessions", difference.lost.iter().map(|(key, old)| one("-", key, old)).collect())?;
    section("new sessions", difference.new.iter().map(|(key, new)| one("+", key, new)).collect())?;
    let two = |key: &Key, pair: &Pair<'_>| {
        let names = format!("{} -> {}", pair.old.name(), pair.new.name());
        format!("~ {names} {}: {} -> {}", about(key), ended(pair.old), ended(pair.new))
    };
    section("ended otherwise", difference.changed.iter().map(|(key, pair)| two(key, pair)).collect())?;
    let shifts = difference.shifts.iter().map(|(key, pair, shift)| {
        let names = format!("{} -> {}", pair.old.name(), pair.new.name());
        let word = if shift.is_slower() { "slower" } else { "faster" };
        format!("~ {names} {}: {} {word}: {} -> {}", about(key), shift.measure.name(), shift.old, shift.new)
    });
    let title =
        format!("slower or faster, {} times and {} at least", compared.limits.factor, compared.limits.least);
    section(&title, shifts.collect())?;
    let finding = |sign: &str, finding: &Finding| {
        format!(
            "{sign} {} {} {} {}: {}",
            finding.name(),
            finding.rule.code,
            finding.rule.name,
            finding.severity.name(),
            escape::terminal(&finding.message)
        )
    };
    section("new findings", difference.findings_new.iter().map(|one| finding("+", one)).collect())?;
    section("findings gone", difference.findings_gone.iter().map(|one| finding("-", one)).collect())?;
    section(
        "not comparable, for a recording ends before, or why it ended is a guess",
        difference.unclear.iter().map(|(key, pair)| two(key, pair)).collect(),
    )?;
    let moved = difference.moved.iter().map(|(key, pair)| {
        format!(
            "  {} -> {} {}: port {} -> {}",
            pair.old.name(),
            pair.new.name(),
            about(key),
            pair.old.server.port,
            pair.new.server.port
        )
    });
    if look.verbose {
        section("the same at another port", moved.collect())?;
    }
    let paired = difference.paired;
    let plural = if paired == 1 { "" } else { "s" };
    let verdict = if difference.is_empty() { "no difference" } else { "they differ" };
    writeln!(out, "{paired} session{plural} in both; {verdict}")
}

fn about(key: &Key) -> String {
    let mut text = format!("{} at {}", key.about.protocol, escape::terminal(&key.about.service));
    if !key.about.object.is_empty() {
        text.push_str(", ");
        text.push_str(&escape::terminal(&key.about.object));
    }
    text
}

fn ended(session: &Session) -> String {
    format!("{} by {}", session.outcome.reason.name(), session.outcome.by.name())
}
