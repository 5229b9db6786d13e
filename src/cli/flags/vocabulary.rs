//! Whose words a result is written in.

use clap::ValueEnum;

use crate::report::vocabulary::Vocabulary;

/// Whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum As {
    /// Our own
    Native,
    /// Zeek's logs: a table with tabs, or with -T jsonl one JSON object a line
    Zeek,
    /// Suricata's EVE, one JSON object a line
    Eve,
    /// The Elastic Common Schema, one JSON object a line
    Ecs,
}

impl As {
    /// The vocabulary, where it is not our own; `format` is the name of the form that was asked for.
    ///
    /// # Errors
    /// Where it has no such form.
    pub(in crate::cli) fn meant(self, format: &str) -> Result<Option<Vocabulary>, String> {
        let vocabulary = match self {
            Self::Native => return Ok(None),
            Self::Zeek => Vocabulary::Zeek { lines: format == "jsonl" },
            Self::Eve => Vocabulary::Eve,
            Self::Ecs => Vocabulary::Ecs,
        };
        match format {
            "text" | "jsonl" => Ok(Some(vocabulary)),
            other => {
                Err(format!("--as writes lines of its own: -T {other} is not among them, text and jsonl are"))
            }
        }
    }
}
