//! The fields that filters may use: as a list in a terminal, as records, and as the table of the documentation.

use std::io::{self, Write};

use serde::Serialize;

use super::jsonl;
use super::text::{Look, Paint, Tone};
use crate::filter::fields::{self, FieldInfo};

/// The fields whose names hold this text, or that a pattern with `*` fits.
pub fn matching(pattern: &str) -> Vec<&'static FieldInfo> {
    fields::all().iter().copied().filter(|field| fits(pattern, field.name)).collect()
}

/// Whether the parts between the asterisks stand in the name in this order; without an asterisk anywhere in it.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase(), name.to_ascii_lowercase());
    if !pattern.contains('*') {
        return name.contains(&pattern);
    }
    let parts: Vec<&str> = pattern.split('*').collect();
    let (first, last) = (parts[0], parts[parts.len() - 1]);
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    for part in &parts[1..parts.len() - 1] {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn origin(field: &FieldInfo) -> &'static str {
    if field.is_wireshark() { "wireshark" } else { "own" }
}

/// One line a field.
///
/// # Errors
/// What the writer says.
pub fn list(fields: &[&FieldInfo], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    let wide = fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
    for field in fields {
        let name = paint.tone(Tone::Heading, format!("{:<wide$}", field.name));
        let (kind, scope) = (field.kind.short(), field.scope());
        writeln!(out, "{name}  {kind:<12}  {scope:<10}  {:<9}  {}", origin(field), field.about)?;
    }
    if let [only] = fields {
        writeln!(out, "{}", paint.tone(Tone::Aside, format!("example: {}", only.example())))?;
        if !only.kind.words().is_empty() {
            writeln!(out, "{}", paint.tone(Tone::Aside, format!("words: {}", only.kind.words().join(", "))))?;
        }
    }
    Ok(())
}

/// A field for machines.
#[derive(Debug, Serialize)]
struct Record {
    name: &'static str,
    r#type: &'static str,
    scope: &'static str,
    origin: &'static str,
    about: &'static str,
    example: String,
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    words: &'static [&'static str],
}

/// One JSON object a line.
///
/// # Errors
/// What the writer says.
pub fn records(fields: &[&FieldInfo], out: &mut dyn Write) -> io::Result<()> {
    for field in fields {
        jsonl::line(
            out,
            &Record {
                name: field.name,
                r#type: field.kind.short(),
                scope: field.scope(),
                origin: origin(field),
                about: field.about,
                example: field.example(),
                words: field.kind.words(),
            },
        )?;
    }
    Ok(())
}

/// The table of `docs/filters.md`.
pub fn markdown() -> String {
    let mut table =
        String::from("| field | type | of a | from | meaning | example |\n|---|---|---|---|---|---|\n");
    for field in fields::all() {
        let row = [
            format!("`{}`", field.name),
            field.kind.short().to_owned(),
            field.scope().to_owned(),
            origin(field).to_owned(),
            field.about.replace('|', "\\|"),
            format!("`{}`", field.example()),
        ];
        table.extend(["| ", &row.join(" | "), " |\n"]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_parts_and_patterns() {
        for (pattern, name, found) in [
            ("retrans", "tcp.analysis.retransmission", true),
            ("RETRANS", "tcp.analysis.retransmission", true),
            ("session.*", "session.id", true),
            ("session.*", "conn.id", false),
            ("*.port", "session.server.port", true),
            ("tcp.*.flags", "tcp.analysis.flags", true),
            ("tcp.*.flags", "tcp.analysis.flags.x", false),
            ("", "tcp", true),
        ] {
            assert_eq!(fits(pattern, name), found, "{pattern} {name}");
        }
    }
}
