//! Reports: their kinds, and the flag that asks for one beside the result of any verb that analyses.

use std::io;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::report::gate::{GATE_FORMATS, GateFormat, Judged};
use crate::report::{FORMATS, Format, Request};

/// Reports that are written beside the result.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct ReportsArgs {
    /// Write a report, too: KIND=FILE, where - is standard output; may be given again
    ///
    /// Kinds: junit, sarif, github, gitlab, md, tap for pipelines; html for people; json, jsonl, csv, text for the whole
    /// result.
    #[arg(long = "report", value_name = "KIND=FILE", value_parser = target, hide_short_help = true)]
    pub(in crate::cli) reports: Vec<ReportTarget>,
}

/// A report that is written beside the verdict.
#[derive(Debug, Clone)]
pub(in crate::cli) struct ReportTarget {
    /// Its kind.
    pub(in crate::cli) kind: ReportKind,
    /// Where it goes; `-` is standard output.
    pub(in crate::cli) path: PathBuf,
}

/// What a report tells.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) enum ReportKind {
    /// The verdict.
    Gate(&'static GateFormat),
    /// The whole result.
    Whole(&'static Format),
}

impl ReportsArgs {
    /// Whether one of them tells more of an analysis that kept its events.
    pub(in crate::cli) fn tells_stories(&self) -> bool {
        self.reports.iter().any(|target| match target.kind {
            ReportKind::Gate(format) => format.tells_stories(),
            ReportKind::Whole(format) => format.tells_stories(),
        })
    }
}

impl ReportKind {
    /// The form that tells no verdict, where there is one: who gave no policy asked for none.
    pub(in crate::cli) fn unjudged(self) -> Self {
        match self {
            Self::Gate(gate) => FORMATS
                .iter()
                .find(|format| format.name == gate.name)
                .map_or(self, |format| Self::Whole(format)),
            Self::Whole(_) => self,
        }
    }

    /// Writes it; `request` says how the whole result is written.
    pub(in crate::cli) fn write(
        self,
        judged: &Judged<'_>,
        request: &Request,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        match self {
            Self::Gate(format) => (format.write)(judged, out),
            Self::Whole(format) => (format.write)(judged.analysis, request, out),
        }
    }
}

/// All kinds, with what they are.
fn kinds() -> impl Iterator<Item = (&'static str, &'static str, ReportKind)> {
    let gate = GATE_FORMATS.iter().map(|format| (format.name, format.about, ReportKind::Gate(format)));
    let both = |name: &str| GATE_FORMATS.iter().any(|format| format.name == name);
    let whole = FORMATS.iter().filter(move |format| !both(format.name));
    whole.map(|format| (format.name, format.about, ReportKind::Whole(format))).chain(gate)
}

fn kind(name: &str) -> Option<ReportKind> {
    kinds().find(|(known, ..)| *known == name).map(|(.., kind)| kind)
}

/// A kind, out of both catalogues.
pub(in crate::cli) fn report_kind() -> impl TypedValueParser<Value = ReportKind> {
    let values = kinds().map(|(name, about, _)| PossibleValue::new(name).help(about));
    PossibleValuesParser::new(values).try_map(|name| kind(&name).ok_or("not in the catalogues of formats"))
}

fn target(text: &str) -> Result<ReportTarget, String> {
    let (name, path) = text.split_once('=').ok_or("a report is written KIND=FILE")?;
    let kind = kind(name).ok_or_else(|| {
        let known: Vec<&str> = kinds().map(|(name, ..)| name).collect();
        format!("there is no report of kind {name}; known are {}", known.join(", "))
    })?;
    if path.is_empty() {
        return Err("a report is written KIND=FILE".to_owned());
    }
    Ok(ReportTarget { kind, path: PathBuf::from(path) })
}
