//! Flags of the gate: `check`, `baseline`, `policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{InputArgs, LookArgs, OutputArgs};
use crate::report::gate::{GATE_FORMATS, GateFormat};
use crate::report::{FORMATS, Format, HTML};

/// What is checked, and by what.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct CheckArgs {
    #[command(flatten)]
    pub(in crate::cli) input: InputArgs,
    /// The policy; without one, an error fails
    #[arg(short = 'p', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) policy: Option<PathBuf>,
    /// The findings that are known: they are counted and do not fail
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) baseline: Option<PathBuf>,
    /// The least severity that fails, in place of the policy's
    #[arg(long, value_name = "SEVERITY", value_parser = ["info", "warning", "error", "critical", "never"])]
    pub(in crate::cli) fail_on: Option<String>,
    /// Findings less sure than this never fail, in place of the policy's
    #[arg(long, value_name = "WORD", value_parser = ["low", "medium", "high", "certain"])]
    pub(in crate::cli) min_confidence: Option<String>,
    /// Entries of the baseline that did not come again fail, too
    #[arg(long)]
    pub(in crate::cli) fail_on_stale: bool,
    /// Write a report, too: KIND=FILE, where - is standard output; may be given again
    ///
    /// Kinds: junit, github, gitlab, md, tap for pipelines; html for people; json, jsonl, csv for the whole result.
    #[arg(long = "report", help_heading = "Output", value_name = "KIND=FILE", value_parser = report_target)]
    pub(in crate::cli) reports: Vec<ReportTarget>,
    #[command(flatten)]
    pub(in crate::cli) look: LookArgs,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
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

impl ReportTarget {
    /// Whether it tells more of an analysis that kept its events.
    pub(in crate::cli) fn tells_stories(&self) -> bool {
        match self.kind {
            ReportKind::Gate(format) => format.tells_stories(),
            ReportKind::Whole(format) => format.tells_stories(),
        }
    }
}

fn report_target(text: &str) -> Result<ReportTarget, String> {
    let (kind, path) = text.split_once('=').ok_or("a report is written KIND=FILE")?;
    let gate = GATE_FORMATS.iter().find(|format| format.name == kind).map(ReportKind::Gate);
    let whole = || FORMATS.iter().find(|format| format.name == kind).map(|format| ReportKind::Whole(format));
    let kind = gate.or_else(whole).ok_or_else(|| {
        let known: Vec<&str> = GATE_FORMATS
            .iter()
            .map(|format| format.name)
            .chain(FORMATS.iter().map(|format| format.name).filter(|name| *name != HTML.name))
            .collect();
        format!("there is no report of kind {kind}; known are {}", known.join(", "))
    })?;
    if path.is_empty() {
        return Err("a report is written KIND=FILE".to_owned());
    }
    Ok(ReportTarget { kind, path: PathBuf::from(path) })
}

/// Where a baseline goes.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct BaselineArgs {
    #[command(flatten)]
    pub(in crate::cli) input: InputArgs,
    /// The baseline to write
    #[arg(short = 'o', long = "out", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) out: PathBuf,
    /// Add to what the file holds, instead of beginning anew
    #[arg(long)]
    pub(in crate::cli) update: bool,
    /// With --update: drop what did not come again
    #[arg(long, requires = "update")]
    pub(in crate::cli) prune: bool,
}

/// What is done with a policy.
#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum PolicyVerb {
    /// Print a policy to begin with, every line of it explained
    Init,
    /// Tell the first mistake of a policy, if it has one
    Lint {
        /// The policy
        file: PathBuf,
    },
    /// Print what a policy means
    Show {
        /// The policy
        file: PathBuf,
    },
}
