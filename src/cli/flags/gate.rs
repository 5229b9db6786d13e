//! Flags of the gate: `check`, `baseline`, `policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{InputArgs, LookArgs, OutputArgs};

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
    /// Alerts of a SARIF report stand at the policy's lines, where reviewers see them, and not at octets of the capture
    #[arg(long, help_heading = "Output", requires = "policy")]
    pub(in crate::cli) sarif_anchor: bool,
    #[command(flatten)]
    pub(in crate::cli) look: LookArgs,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
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
