//! Flags of what goes out to others: `export`, `redact`, `diff`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::{FilterArgs, InputArgs};
use crate::export::Keys;

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
