//! What the interface does not know how to do itself: writing reports, and the text of a session with secrets masked.

use std::fmt;
use std::sync::Arc;

use super::gating::{Files, Mute};
use crate::analysis::Analysis;
use crate::capture::Input;
use crate::events::Event;
use crate::inspect::Piece;
use crate::session::Session;

/// A form of files that sessions can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Its name, which is the end of a file's name too.
    pub name: &'static str,
    /// What it is made of.
    pub of: Material,
}

/// What an exported file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Material {
    /// Of what was said.
    Events,
    /// Of the packets themselves.
    Packets,
}

/// A file that is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Commission<'a> {
    /// The account.
    pub analysis: &'a Analysis,
    /// The inputs, which can be read again.
    pub inputs: &'a [Input],
    /// What was said in the sessions, in order; nothing where the form is not made of it.
    pub events: &'a [Event],
    /// Ids of the sessions.
    pub sessions: &'a [u32],
    /// The form.
    pub form: &'static str,
    /// The file.
    pub path: &'a str,
}

/// Writes a file, and gives a word on it.
pub type Export = dyn Fn(&Commission<'_>) -> Result<String, String> + Send + Sync;

/// How a finding stands before the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Standing {
    /// It counts.
    #[default]
    New,
    /// The user has seen it; the gate does not know that.
    Acknowledged,
    /// The baseline holds it.
    Known,
    /// The policy mutes it.
    Muted,
    /// The policy switches its rule off.
    Off,
}

impl Standing {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Acknowledged => "seen",
            Self::Known => "known",
            Self::Muted => "muted",
            Self::Off => "off",
        }
    }
}

/// What the gate does for the interface. Each gives a word on it, or why it could not.
#[derive(Clone)]
pub struct Gate {
    /// Where its files lie, or would.
    pub files: Files,
    /// How each finding stands, in their order.
    pub standings: Arc<Standings>,
    /// Writes a mute into a policy.
    pub mute: Arc<WriteMute>,
    /// Writes the findings of these places into a baseline.
    pub baseline: Arc<BaselineOf>,
}

/// Writes a mute into its policy.
pub type WriteMute = dyn Fn(&Mute) -> Result<String, String> + Send + Sync;

/// Tells how each finding stands, in their order.
pub type Standings = dyn Fn(&Analysis, &[Input], &Files) -> Result<Vec<Standing>, String> + Send + Sync;

/// Writes the findings of these places into the baseline of this name.
pub type BaselineOf = dyn Fn(&Analysis, &[u32], &str) -> Result<String, String> + Send + Sync;

/// Writes the next piece of a session, and with none what waited for more.
pub type Follower<'a> = Box<dyn FnMut(Option<&Piece>, &mut Vec<u8>) + 'a>;

/// Makes a follower of a session: as hex or as text, tokens shown or masked.
pub type Follow = dyn for<'a> Fn(&'a Analysis, &'a Session, bool, bool) -> Follower<'a> + Send + Sync;

/// What others do for the interface.
#[derive(Clone)]
pub struct Faces {
    /// Writes sessions to a file.
    pub export: Arc<Export>,
    /// Forms that it knows.
    pub forms: Vec<Form>,
    /// Follows a session.
    pub follow: Arc<Follow>,
    /// Speaks for the gate; none where there is none.
    pub gate: Option<Gate>,
}

impl fmt::Debug for Faces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faces").field("forms", &self.forms).finish_non_exhaustive()
    }
}
