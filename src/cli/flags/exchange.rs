//! Flags of what goes out to others: `export`, `redact`, `diff`.

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum, ValueHint};

use super::{ColorWhen, FilterArgs, InputArgs, ProgressWhen, SettingsArgs};
use crate::export::{Keys, Payload};
use crate::names::Names;
use crate::report::diff::Form;

/// Behind the files stand the sessions that are meant: `S-0001`, or 1, or a filter.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ExportArgs {
    #[command(flatten)]
    pub(in crate::cli) input: InputArgs,
    #[command(flatten)]
    pub(in crate::cli) only: FilterArgs,
    /// Every session
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// Write the frames of the sessions to this capture, with what was found as comments; - is standard output
    ///
    /// With them go ICMP errors about their connections and the DNS exchange that named the server.
    #[arg(long, help_heading = "Output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) pcapng: Option<PathBuf>,
    /// Write what each side of each connection said to a file of its own in this new or empty folder, with an index of
    /// what is missing; raw bytes hold secrets and want --show-secrets
    #[arg(long, help_heading = "Output", value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) streams: Option<PathBuf>,
    /// Secrets may be in what is written
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) show_secrets: bool,
    /// What becomes of the decryption secrets that the captures hold
    #[arg(long, help_heading = "Output", value_name = "WHAT", default_value = "strip")]
    pub(in crate::cli) secrets: SecretsGo,
}

/// What becomes of decryption secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SecretsGo {
    /// They are written
    Embed,
    /// They are left out
    Strip,
}

impl From<SecretsGo> for Keys {
    fn from(word: SecretsGo) -> Self {
        match word {
            SecretsGo::Embed => Self::Embed,
            SecretsGo::Strip => Self::Strip,
        }
    }
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct RedactArgs {
    /// The capture to read; - is standard input
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) input: PathBuf,
    /// The capture to write; - is standard output
    #[arg(value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) out: PathBuf,
    /// What becomes of what programs said
    #[arg(long, value_name = "WHAT", default_value = "mask")]
    pub(in crate::cli) payload: PayloadGoes,
    /// A phrase that decides which address stands for which, so that another capture gets the same ones; without, it is
    /// random and forgotten
    #[arg(long, value_name = "PHRASE", env = "GHOSTSHARK_REDACT_KEY", hide_env_values = true)]
    pub(in crate::cli) key: Option<String>,
    /// Write which address stands for which to this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) map: Option<PathBuf>,
    /// Do not say how much was done
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
}

/// What becomes of payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PayloadGoes {
    /// It stays, with every secret in it
    Keep,
    /// Every octet becomes an X
    Mask,
    /// It is cut off
    Cut,
}

impl From<PayloadGoes> for Payload {
    fn from(word: PayloadGoes) -> Self {
        match word {
            PayloadGoes::Keep => Self::Keep,
            PayloadGoes::Mask => Self::Mask,
            PayloadGoes::Cut => Self::Cut,
        }
    }
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct DiffArgs {
    /// The old recording: a capture, a pattern or a folder
    #[arg(value_name = "OLD", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) old: PathBuf,
    /// The new recording
    #[arg(value_name = "NEW", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) new: PathBuf,
    /// End with code 1 if they differ
    #[arg(long)]
    pub(in crate::cli) exit_code: bool,
    /// Print nothing; end with code 1 if they differ
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
    /// So many times as long is slower, so many times as short is faster
    #[arg(long, value_name = "TIMES", default_value_t = 2.0, value_parser = at_least_one)]
    pub(in crate::cli) factor: f64,
    /// Times that differ by fewer seconds than this are the same
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5, value_parser = seconds)]
    pub(in crate::cli) least: f64,
    /// Form of the result
    #[arg(short = 'T', long, help_heading = "Output", value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: DiffFormat,
    /// Write to this file instead of standard output
    #[arg(short = 'o', long = "out", help_heading = "Output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Show what only moved to another port, too
    #[arg(short, long, help_heading = "Output")]
    pub(in crate::cli) verbose: bool,
    /// Colours in text; auto means on a terminal where `NO_COLOR` is not set
    #[arg(long, help_heading = "Output", value_name = "WHEN", default_value = "auto")]
    pub(in crate::cli) color: ColorWhen,
    /// Threads to use; 0 for one a core. Never changes a result
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0, value_parser = RangedU64ValueParser::<usize>::new().range(..=1024))]
    pub(in crate::cli) threads: usize,
    /// Progress on standard error: by itself for a large input on a terminal, or one JSON object a line
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(in crate::cli) progress: ProgressWhen,
    /// Names of hosts and services, in the syntax of hosts(5), where an address may have a port: 10.0.0.5:5432 orders-db
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) names: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) settings: SettingsArgs,
    /// Names that the settings know, too.
    #[arg(skip)]
    pub(in crate::cli) known_names: Names,
}

/// How differences are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DiffFormat {
    /// Text for people
    Text,
    /// One JSON document
    Json,
    /// One JSON object a line
    Jsonl,
}

impl From<DiffFormat> for Form {
    fn from(format: DiffFormat) -> Self {
        match format {
            DiffFormat::Text => Self::Text,
            DiffFormat::Json => Self::Json,
            DiffFormat::Jsonl => Self::Jsonl,
        }
    }
}

fn number(word: &str, least: f64) -> Result<f64, String> {
    let number: f64 = word.parse().map_err(|_| "not a number".to_owned())?;
    // A hundred years are more than any difference.
    if (least..=3.2e9).contains(&number) {
        Ok(number)
    } else {
        Err(format!("a number from {least} on is wanted"))
    }
}

fn at_least_one(word: &str) -> Result<f64, String> {
    number(word, 1.0)
}

fn seconds(word: &str) -> Result<f64, String> {
    number(word, 0.0)
}
