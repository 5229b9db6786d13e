//! The baseline: findings that are known, one line of JSON each, sorted, made to be read in a code review.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::policy::Wrong;
use crate::analysis::Analysis;
use crate::rules::{self, Finding, Layer};

/// A known finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The name of the finding: holds no time, client port, frame number or address.
    pub fingerprint: String,
    /// The rule.
    pub rule: String,
    /// What it is about, for people.
    pub hint: String,
}

/// The known findings, by fingerprint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<String, Entry>,
}

impl Entry {
    fn of(finding: &Finding) -> Self {
        let about = &finding.about;
        let words = [about.protocol.as_str(), &about.service, &about.object];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let hint = format!("{} {}", finding.rule.name, words.join(" "));
        Self {
            fingerprint: finding.fingerprint.hex(),
            rule: finding.rule.code.to_owned(),
            hint: hint.trim_end().to_owned(),
        }
    }
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// The first line that is none, and why.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let mut entries = BTreeMap::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let bytes = at..at + line.trim_end().len();
            at += line.len();
            if line.trim().is_empty() {
                continue;
            }
            let entry: Entry = serde_json::from_str(line)
                .map_err(|error| Wrong::at(text, &bytes, format!("this is no entry: {error}")))?;
            if rules::named(&entry.rule).is_none() {
                return Err(Wrong::at(text, &bytes, format!("there is no rule {}", entry.rule)));
            }
            entries.insert(entry.fingerprint.clone(), entry);
        }
        Ok(Self { entries })
    }

    /// What a run found. Notes on the capture itself are no findings of the service, and are left out.
    pub fn of(analysis: &Analysis) -> Self {
        Self::of_findings(analysis.findings.iter())
    }

    /// The same of some findings.
    pub fn of_findings<'f>(findings: impl Iterator<Item = &'f Finding>) -> Self {
        let lasting = findings.filter(|finding| finding.layer != Layer::Capture);
        let entries = lasting.map(Entry::of).map(|entry| (entry.fingerprint.clone(), entry));
        Self { entries: entries.collect() }
    }

    /// Takes what a run found beside what is known. With `prune` nothing stays that it did not find.
    #[must_use]
    pub fn updated(mut self, found: Self, prune: bool) -> Self {
        if prune {
            return found;
        }
        self.entries.extend(found.entries);
        self
    }

    /// Whether this is known.
    pub fn holds(&self, fingerprint: &str) -> bool {
        self.entries.contains_key(fingerprint)
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Known ones that a run did not find: mended, or not exercised.
    pub fn stale<'b>(&'b self, found: &Self) -> Vec<&'b Entry> {
        self.sorted().into_iter().filter(|entry| !found.holds(&entry.fingerprint)).collect()
    }

    fn sorted(&self) -> Vec<&Entry> {
        let mut all: Vec<&Entry> = self.entries.values().collect();
        all.sort_by_key(|entry| (&entry.rule, &entry.hint, &entry.fingerprint));
        all
    }

    /// The text of it.
    pub fn write(&self) -> String {
        let lines = self.sorted().into_iter().filter_map(|entry| serde_json::to_string(entry).ok());
        lines.map(|line| line + "\n").collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let text = "{\"fingerprint\":\"ab\",\"rule\":\"GSN802\",\"hint\":\"middlebox-reset postgresql port 5432\"}\n\
                    {\"fingerprint\":\"aa\",\"rule\":\"GST101\",\"hint\":\"idle-timeout-inferred ftp port 21\"}\n";
        let baseline = Baseline::parse(text).unwrap();
        assert_eq!(baseline.len(), 2);
        assert_eq!(baseline.write(), text);
        assert!(baseline.holds("aa") && !baseline.holds("ac"));
    }

    #[test]
    fn what_is_no_entry_is_refused_with_its_line() {
        let good = "{\"fingerprint\":\"ab\",\"rule\":\"GSN802\",\"hint\":\"\"}\n";
        for wrong in ["nonsense", "{}", "{\"fingerprint\":\"ab\",\"rule\":\"GSN999\",\"hint\":\"\"}"] {
            let refused = Baseline::parse(&format!("{good}\n{wrong}\n")).unwrap_err();
            assert_eq!(refused.line, 3, "{refused}");
        }
    }
}
