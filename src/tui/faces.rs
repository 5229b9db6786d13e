//! What the interface does not know how to do itself: writing reports, and the text of a session with secrets masked.

use std::fmt;
use std::sync::Arc;

use crate::analysis::Analysis;
use crate::inspect::Piece;
use crate::session::Session;

/// Writes these sessions in a form to a file, and gives a word on it.
pub type Export = dyn Fn(&Analysis, &[u32], &str, &str) -> Result<String, String> + Send + Sync;

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
    pub forms: Vec<&'static str>,
    /// Follows a session.
    pub follow: Arc<Follow>,
}

impl fmt::Debug for Faces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faces").field("forms", &self.forms).finish_non_exhaustive()
    }
}
