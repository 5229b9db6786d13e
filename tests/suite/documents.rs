//! Documents say what is true: commands that exist, bounds as they are in the code, links that lead somewhere.
//!
//! `UPDATE_DOCS=1 cargo test documents` writes what is made from the code.

use std::fs;
use std::path::{Path, PathBuf};

use ghostshark::protocols::CATALOGUE;
use ghostshark::report::{field_pages, rule_pages};
use ghostshark::rules;

/// The documents that people read first, and all below `docs` and its folder of symptoms.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: Vec<_> =
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].iter().map(|name| root.join(name)).collect();
    for entry in
        ["docs", "docs/symptoms"].into_iter().flat_map(|folder| fs::read_dir(root.join(folder)).unwrap())
    {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The fenced blocks of a document, without their fences.
fn blocks(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match (&mut open, line.starts_with("```")) {
            (None, true) => open = Some(String::new()),
            (None, false) => {}
            (Some(_), true) => found.extend(open.take()),
            (Some(block), false) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    found
}

/// The targets of links to files of the project: no web addresses, no places within a page.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .map(|target| target.split('#').next().unwrap())
        .collect()
}

/// A bound as people read it; what is no plain number stays as it is written.
fn amount(name: &str, written: &str) -> String {
    let shifted = written
        .split_once(" << ")
        .and_then(|(n, by)| Some((n.parse::<u64>().ok()?, by.parse::<u32>().ok()?)));
    let seconds = written.strip_prefix("Span::from_secs(").and_then(|rest| rest.strip_suffix(')'));
    match (shifted, seconds) {
        (Some((n, 20)), _) if name.ends_with("BYTES") => format!("{n} MiB"),
        (Some((n, 10)), _) if name.ends_with("BYTES") => format!("{n} KiB"),
        (Some((n, by)), _) => (n << by).to_string(),
        (None, Some(seconds)) => format!("{seconds} s"),
        (None, None) => written.replace('_', ""),
    }
}

/// The table of `docs/limits.md`, made from the constants of `src/limits.rs` and their comments.
fn bounds(source: &str) -> String {
    let mut table = String::from("| bound | value | what it bounds, and why |\n|---|---|---|\n");
    let mut reason: Vec<&str> = Vec::new();
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("/// ") {
            reason.push(text);
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let (name, rest) = rest.split_once(": ").unwrap();
            let value = rest.split_once(" = ").unwrap().1.strip_suffix(';').unwrap();
            assert!(!reason.is_empty(), "{name} has no reason");
            let row = ["| `", name, "` | ", &amount(name, value), " | ", &reason.join(" "), " |\n"];
            table.extend(row);
            reason.clear();
        }
    }
    table
}

#[test]
fn the_first_two_blocks_of_the_readme_are_its_two_commands() {
    let readme = read("README.md");
    let blocks = blocks(&readme);
    let first = blocks[0].strip_suffix('\n').unwrap();
    let capture = first.strip_prefix("cargo run --release -- summary ").unwrap();
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(capture).is_file(), "{capture} does not exist");
    assert_eq!(blocks[1], "cargo test\n");
}

/// The table of `docs/protocols.md`, made from what the protocols say of themselves.
fn protocols() -> String {
    let mut table =
        String::from("| name | protocol | ports | words | good-bye | sources |\n|---|---|---|---|---|---|\n");
    for protocol in CATALOGUE {
        let list = |parts: Vec<String>| if parts.is_empty() { "—".to_owned() } else { parts.join(", ") };
        let row = [
            format!("`{}`", protocol.name),
            protocol.title.to_owned(),
            list(protocol.ports.iter().map(u16::to_string).collect()),
            list(protocol.words.iter().map(|word| word.name().to_owned()).collect()),
            list(protocol.goodbye.iter().map(|word| format!("`{word}`")).collect()),
            protocol.sources.join("; "),
        ];
        table.extend(["| ", &row.join(" | "), " |\n"]);
    }
    table
}

/// Whether the table in a document that begins with this head is as fresh as this one; with `UPDATE_DOCS` it is made so.
#[track_caller]
fn assert_fresh(document: &str, head: &str, table: &str) {
    let page = read(document);
    let start = page.find(head).unwrap_or(page.len());
    let length: usize =
        page[start..].split_inclusive('\n').take_while(|line| line.starts_with('|')).map(str::len).sum();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let fresh = format!("{}{table}{}", &page[..start], &page[start + length..]);
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(document), fresh).unwrap();
    } else {
        assert_eq!(&page[start..start + length], table, "stale: UPDATE_DOCS=1 cargo test documents");
    }
}

#[test]
fn every_bound_is_documented_as_it_is() {
    assert_fresh("docs/limits.md", "| bound |", &bounds(&read("src/limits.rs")));
}

#[test]
fn every_protocol_is_documented_as_it_is() {
    assert_fresh("docs/protocols.md", "| name |", &protocols());
}

#[test]
fn every_field_of_filters_is_documented_as_it_is() {
    assert_fresh("docs/filters.md", "| field |", &field_pages::markdown());
}

/// The words of a command line; what stands between apostrophes is one word.
#[cfg(feature = "cli")]
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in command.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The pages of the rules, by the names of their files, and the list of all.
fn rule_pages() -> Vec<(String, String)> {
    let mut list = String::from(
        "# Rules\n\nMade from the code: `UPDATE_DOCS=1 cargo test documents`. `ghostshark explain CODE` shows the same.\n\n| code | name | severity | what it finds |\n|---|---|---|---|\n",
    );
    let mut pages = Vec::new();
    for rule in rules::CATALOGUE {
        let file = format!("{}.md", rule.code);
        let row = [
            format!("[{}]({file})", rule.code),
            rule.name.to_owned(),
            rule.severity.name().to_owned(),
            rule.title.to_owned(),
        ];
        list.extend(["| ", &row.join(" | "), " |\n"]);
        pages.push((file, rule_pages::markdown(rule)));
    }
    pages.push(("README.md".to_owned(), list));
    pages
}

#[test]
fn every_rule_has_its_page_as_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    let pages = rule_pages();
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    if update {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
    }
    for (name, page) in &pages {
        let path = folder.join(name);
        if update {
            fs::write(&path, page).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == *page, "{name} is stale: UPDATE_DOCS=1 cargo test documents");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), pages.len(), "a page without its rule");
}

/// The page with the output of its commands as it is now.
#[cfg(feature = "cli")]
fn with_outputs(page: &str) -> String {
    let mut fresh = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        fresh.extend([line, "\n"]);
        if line != "```console" {
            continue;
        }
        let command = lines.next().unwrap();
        let words = words(command.strip_prefix("$ ghostshark ").unwrap_or_else(|| panic!("{command}")));
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_ghostshark"))
            .args(words)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        fresh.extend([command, "\n", &text, "```\n"]);
        // What stood there before is passed over.
        lines.by_ref().find(|line| *line == "```").unwrap();
    }
    fresh
}

#[test]
#[cfg(feature = "cli")]
fn commands_in_documents_print_what_they_say() {
    let mut seen = 0;
    for document in documents() {
        let page = fs::read_to_string(&document).unwrap();
        if !page.contains("```console\n$ ghostshark ") {
            continue;
        }
        seen += 1;
        let fresh = with_outputs(&page);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&document, &fresh).unwrap();
        } else {
            assert!(fresh == page, "{} is stale: UPDATE_DOCS=1 cargo test documents", document.display());
        }
    }
    assert!(seen >= 6, "the pages by symptom");
}

#[test]
fn bounds_are_written_for_people() {
    let source = "/// Bytes held,\n/// at most.\npub const HELD_BYTES: usize = 16 << 20;\n\n/// Names.\npub const NAMES: usize = 1 << 3;\n\n/// Wait.\npub const WAIT: Span = Span::from_secs(60);\n";
    let table = bounds(source);
    for row in [
        "| `HELD_BYTES` | 16 MiB | Bytes held, at most. |",
        "| `NAMES` | 8 | Names. |",
        "| `WAIT` | 60 s | Wait. |",
    ] {
        assert!(table.contains(row), "{table}");
    }
}

#[test]
fn links_lead_somewhere() {
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text) {
            let target = document.parent().unwrap().join(link);
            assert!(target.exists(), "{} points to {link}, which does not exist", document.display());
        }
    }
}
