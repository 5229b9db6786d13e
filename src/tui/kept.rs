//! What is kept of a capture from one run to the next: tags, notes, marks, what was typed, and the place.

use std::collections::{BTreeMap, BTreeSet};

use super::state::Subject;
use crate::rules;

/// A place marked with a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Name of the screen.
    pub screen: String,
    /// Place of the tab.
    pub tab: usize,
    /// What the cursor was on.
    pub subject: Option<Subject>,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Tagged rows.
    pub tags: BTreeSet<Subject>,
    /// Notes.
    pub notes: BTreeMap<Subject, String>,
    /// Marks by their letters.
    pub marks: BTreeMap<char, Mark>,
    /// Filters typed, newest last.
    pub filters: Vec<String>,
    /// Commands typed, newest last.
    pub commands: Vec<String>,
    /// Filters saved, by their names.
    pub saved: BTreeMap<String, String>,
    /// Fingerprints of the findings that were acknowledged.
    pub acknowledged: BTreeSet<String>,
    /// Texts looked for, newest last.
    pub finds: Vec<String>,
    /// The filter of the list of sessions that was in force.
    pub filter: String,
    /// The place that was left.
    pub place: Option<Mark>,
    /// Whether something of it could not be written.
    pub unsaved: bool,
}

/// Lines that are remembered of each kind.
const LINES: usize = 50;

/// Puts a line behind the others of its kind, once.
pub fn remember(lines: &mut Vec<String>, line: &str) {
    if line.trim().is_empty() {
        return;
    }
    lines.retain(|other| other != line);
    lines.push(line.to_owned());
    if lines.len() > LINES {
        lines.remove(0);
    }
}

fn subject_text(subject: Subject) -> String {
    match subject {
        Subject::Session(uid) => format!("session {uid:016x}"),
        Subject::Packet(number) => format!("packet {number}"),
        Subject::Rule(code) => format!("rule {code}"),
    }
}

fn subject_of(text: &str) -> Option<Subject> {
    let (kind, name) = text.split_once(' ')?;
    match kind {
        "session" => u64::from_str_radix(name, 16).ok().map(Subject::Session),
        "packet" => name.parse().ok().map(Subject::Packet),
        "rule" => rules::CATALOGUE.iter().find(|rule| rule.code == name).map(|rule| Subject::Rule(rule.code)),
        _ => None,
    }
}

impl Mark {
    fn table(&self) -> toml::Table {
        let mut table = toml::Table::new();
        table.insert("screen".to_owned(), self.screen.clone().into());
        table.insert("tab".to_owned(), toml::Value::Integer(self.tab as i64));
        if let Some(subject) = self.subject {
            table.insert("on".to_owned(), subject_text(subject).into());
        }
        table
    }

    fn of(value: &toml::Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(toml::Value::as_str);
        Some(Self {
            screen: text("screen")?.to_owned(),
            tab: value
                .get("tab")
                .and_then(toml::Value::as_integer)
                .and_then(|tab| tab.try_into().ok())
                .unwrap_or(0),
            subject: text("on").and_then(subject_of),
        })
    }
}

impl Kept {
    /// As the text of a file.
    pub fn to_text(&self) -> String {
        let mut table = toml::Table::new();
        let lines =
            |list: &[String]| toml::Value::Array(list.iter().cloned().map(toml::Value::String).collect());
        let tags: Vec<String> = self.tags.iter().map(|subject| subject_text(*subject)).collect();
        table.insert("version".to_owned(), toml::Value::Integer(1));
        table.insert("tags".to_owned(), lines(&tags));
        table.insert("filters".to_owned(), lines(&self.filters));
        table.insert("commands".to_owned(), lines(&self.commands));
        table.insert("finds".to_owned(), lines(&self.finds));
        table.insert("filter".to_owned(), self.filter.clone().into());
        let acknowledged: Vec<String> = self.acknowledged.iter().cloned().collect();
        table.insert("acknowledged".to_owned(), lines(&acknowledged));
        let saved = self.saved.iter().map(|(name, text)| (name.clone(), text.clone().into()));
        table.insert("saved".to_owned(), saved.collect::<toml::Table>().into());
        let mut notes = toml::Table::new();
        for (subject, note) in &self.notes {
            notes.insert(subject_text(*subject), note.clone().into());
        }
        table.insert("notes".to_owned(), notes.into());
        let mut marks = toml::Table::new();
        for (letter, mark) in &self.marks {
            marks.insert(letter.to_string(), mark.table().into());
        }
        table.insert("marks".to_owned(), marks.into());
        if let Some(place) = &self.place {
            table.insert("place".to_owned(), place.table().into());
        }
        table.to_string()
    }

    /// From the text of a file; what is not understood is left out.
    pub fn of_text(text: &str) -> Self {
        let Ok(table) = text.parse::<toml::Table>() else { return Self::default() };
        let strings = |name: &str| -> Vec<String> {
            let list = table.get(name).and_then(toml::Value::as_array).map_or(&[][..], Vec::as_slice);
            list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
        };
        let entries = |name: &str| {
            table.get(name).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::iter)
        };
        Self {
            tags: strings("tags").iter().filter_map(|text| subject_of(text)).collect(),
            notes: entries("notes")
                .filter_map(|(on, note)| Some((subject_of(on)?, note.as_str()?.to_owned())))
                .collect(),
            marks: entries("marks")
                .filter_map(|(letter, mark)| Some((letter.chars().next()?, Mark::of(mark)?)))
                .collect(),
            filters: strings("filters"),
            saved: entries("saved")
                .filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())))
                .collect(),
            acknowledged: strings("acknowledged").into_iter().collect(),
            commands: strings("commands"),
            finds: strings("finds"),
            filter: table.get("filter").and_then(toml::Value::as_str).unwrap_or_default().to_owned(),
            place: table.get("place").and_then(Mark::of),
            unsaved: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let mark = Mark { screen: "session".into(), tab: 2, subject: Some(Subject::Session(7)) };
        let mut kept = Kept {
            tags: BTreeSet::from([Subject::Session(u64::MAX), Subject::Packet(9), Subject::Rule("GSN802")]),
            notes: BTreeMap::from([(Subject::Packet(9), "odd \"one\"\n".to_owned())]),
            marks: BTreeMap::from([('a', mark.clone())]),
            filter: "tcp".into(),
            place: Some(mark),
            ..Kept::default()
        };
        remember(&mut kept.filters, "tcp");
        remember(&mut kept.filters, "ftp");
        remember(&mut kept.filters, "tcp");
        assert_eq!(kept.filters, ["ftp", "tcp"]);
        assert_eq!(Kept::of_text(&kept.to_text()), kept);
    }

    #[test]
    fn a_damaged_file_is_no_trouble() {
        for text in ["", "\u{0}", "tags = 3", "[marks]\na = 1\n[notes]\nx = 2", "place = []"] {
            assert_eq!(Kept::of_text(text), Kept::default(), "{text:?}");
        }
    }
}
