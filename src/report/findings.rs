//! What the rules found, one by one: chosen, in the order of telling, as text or as records.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::{self, Write};

use super::text::{self, Look};
use super::view::{self, Stamps};
use super::{json, jsonl};
use crate::analysis::Analysis;
use crate::events::Confidence;
use crate::rules::{Finding, Layer, Severity};

/// What findings stand under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Group {
    /// Under their rules.
    #[default]
    Rule,
    /// Under the servers they are about.
    Server,
    /// Under their sessions.
    Session,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Text for people.
    #[default]
    Text,
    /// One document.
    Json,
    /// One `finding` record a line.
    Jsonl,
}

/// Which findings are asked for, and how they are told.
#[derive(Debug, Clone, Default)]
pub struct FindingList {
    /// How they are written.
    pub form: Form,
    /// What they stand under in text.
    pub group: Group,
    /// Ids of those that are meant; all where there is no list.
    pub only: Option<BTreeSet<u32>>,
    /// Remarks, guesses and mere consequences of other findings, too.
    pub all: bool,
    /// Those of these rules only, by code or name; all where none is named.
    pub rules: Vec<String>,
    /// At most so many.
    pub limit: Option<usize>,
    /// How times are written for machines.
    pub stamps: Stamps,
    /// How text looks.
    pub look: Look,
}

/// Whether it is told without being asked for: it hurts, is more than a guess, and nothing else explains it
/// (`domain.md` D.1).
pub fn is_told(finding: &Finding) -> bool {
    finding.severity >= Severity::Warning
        && finding.confidence >= Confidence::Medium
        && finding.caused_by.is_none()
}

/// The findings that are asked for: in text the worst first, for machines in order of id.
pub fn chosen<'a>(analysis: &'a Analysis, list: &FindingList) -> Vec<&'a Finding> {
    let named = |finding: &&Finding| {
        let is = |word: &String| {
            word.eq_ignore_ascii_case(finding.rule.code) || word.eq_ignore_ascii_case(finding.rule.name)
        };
        list.rules.is_empty() || list.rules.iter().any(is)
    };
    let meant = |finding: &&Finding| list.only.as_ref().is_none_or(|only| only.contains(&finding.id));
    let mut chosen: Vec<&Finding> = analysis
        .findings
        .iter()
        .filter(|finding| list.all || is_told(finding))
        .filter(named)
        .filter(meant)
        .collect();
    if list.form == Form::Text {
        sort(&mut chosen);
    }
    chosen.truncate(list.limit.unwrap_or(usize::MAX));
    chosen
}

/// The worst first, of equals the surest; what is said of the captures stands behind all that is said of sessions.
pub(super) fn sort(findings: &mut [&Finding]) {
    findings.sort_by_key(|finding| {
        let aside = finding.layer == Layer::Capture;
        (aside, Reverse(finding.severity), Reverse(finding.confidence), finding.id)
    });
}

/// Writes the findings that are asked for.
///
/// # Errors
/// What the writer says.
pub fn write(analysis: &Analysis, list: &FindingList, out: &mut dyn Write) -> io::Result<()> {
    let chosen = chosen(analysis, list);
    let context = view::Context { several_captures: analysis.files.len() > 1, stamps: list.stamps };
    let mut records = chosen.iter().map(|finding| view::Finding::new(finding, analysis, context));
    match list.form {
        Form::Text => text::findings::write(analysis, &chosen, list, out),
        Form::Jsonl => records.try_for_each(|record| jsonl::line(out, &record)),
        Form::Json => {
            write!(out, "{{\"schema\":\"{}\"", view::SCHEMA)?;
            json::array(out, "findings", records)?;
            out.write_all(b"}\n")
        }
    }
}
