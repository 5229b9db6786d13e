//! The pages of rules: in a terminal, as Markdown for the documentation, and as records.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use super::jsonl;
use super::text::{Look, Paint, Tone};
use super::words::Said;
use crate::rules::{HEADINGS, Layer, Rule, Severity};

/// The page of a rule in a terminal.
///
/// # Errors
/// What the writer says.
pub fn explain(rule: &Rule, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let head = format!("{} {}", rule.code, rule.name);
    let kind = format!("{}, layer {}", rule.severity.name(), rule.layer.name());
    writeln!(out, "{}  {}", paint.tone(Tone::Heading, head), paint.tone(Tone::Aside, kind))?;
    writeln!(out, "{}", rule.title)?;
    for heading in HEADINGS {
        writeln!(out, "\n{}", paint.tone(Tone::Heading, heading))?;
        for paragraph in rule.section(heading).unwrap_or_default().split("\n\n") {
            for line in super::text::paragraph(&paragraph.replace('\n', " "), 2) {
                writeln!(out, "  {line}")?;
            }
        }
    }
    Ok(())
}

/// One line a rule.
///
/// # Errors
/// What the writer says.
pub fn list(rules: &[&Rule], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let wide = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    for rule in rules {
        let name = paint.tone(Tone::Heading, format!("{:<wide$}", rule.name));
        writeln!(out, "{}  {name}  {:<8}  {}", rule.code, rule.severity.name(), rule.title)?;
    }
    Ok(())
}

/// A rule for machines.
#[derive(Debug, Serialize)]
struct Page {
    code: &'static str,
    name: &'static str,
    title: &'static str,
    severity: Said<Severity>,
    layer: Said<Layer>,
    sections: Vec<Section>,
}

#[derive(Debug, Serialize)]
struct Section {
    heading: &'static str,
    text: String,
}

/// One JSON object a rule, a line each.
///
/// # Errors
/// What the writer says.
pub fn records(rules: &[&Rule], out: &mut dyn Write) -> io::Result<()> {
    for rule in rules {
        let sections = HEADINGS
            .iter()
            .map(|heading| Section { heading, text: rule.section(heading).unwrap_or_default() })
            .collect();
        let page = Page {
            code: rule.code,
            name: rule.name,
            title: rule.title,
            severity: Said(rule.severity),
            layer: Said(rule.layer),
            sections,
        };
        jsonl::line(out, &page)?;
    }
    Ok(())
}

/// The page of a rule in the documentation.
pub fn markdown(rule: &Rule) -> String {
    let mut page = format!(
        "# {} {}\n\n{}. Usual severity: {}; layer: {}; written in `{}`.\n",
        rule.code,
        rule.name,
        capitalised(rule.title),
        rule.severity.name(),
        rule.layer.name(),
        rule.file
    );
    for heading in HEADINGS {
        let text = rule.section(heading).unwrap_or_default();
        let _ = write!(page, "\n## {heading}\n\n{text}\n");
    }
    page
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
