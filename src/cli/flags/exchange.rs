//! Flags of what goes out to others: `export`, `redact`, `diff`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::{FilterArgs, InputArgs};
use crate::export::{Keys, Payload};

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
