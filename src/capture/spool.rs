//! Keeps on disk what can be read only once, or only from its beginning: pipes and compressed files. What is kept is
//! gone when nobody needs it any more.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::capture::Input;
use crate::capture::source::{Source, input_path};
use crate::error::Error;

/// Bytes copied at once.
const CHUNK: usize = 1 << 20;

/// The unpacked bytes of an input in a temporary file, which goes when this does.
#[derive(Debug)]
pub struct Spool {
    file: tempfile::NamedTempFile,
    /// As the user named the input.
    path: PathBuf,
}

impl Spool {
    /// Copies an input to its end. Where reading it fails in its middle, what came before is kept.
    ///
    /// # Errors
    /// Where it cannot be opened, or the copy cannot be written.
    pub fn of(input: &Input) -> Result<Self, Error> {
        let path = input_path(input);
        let mut source = Source::open(input)?;
        let failed = |cause| Error::Open { path: path.clone(), cause };
        let mut file = tempfile::Builder::new().prefix("ghostshark-").tempfile().map_err(failed)?;
        let mut buffer = Vec::new();
        while !source.is_ended() {
            buffer.clear();
            let broken = source.append(&mut buffer, CHUNK).is_err();
            file.write_all(&buffer).map_err(failed)?;
            if broken || buffer.is_empty() {
                break;
            }
        }
        file.flush().map_err(failed)?;
        Ok(Self { file, path })
    }

    /// Where the copy lies.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The input's name in results.
    pub fn name(&self) -> &Path {
        &self.path
    }
}

impl PartialEq for Spool {
    fn eq(&self, other: &Self) -> bool {
        self.path() == other.path()
    }
}

impl Eq for Spool {}

/// The same inputs in a form that can be read again and again: standard input is kept.
///
/// # Errors
/// Where standard input cannot be copied.
pub fn rereadable(inputs: Vec<Input>) -> Result<Vec<Input>, Error> {
    let again = |input| match input {
        Input::Stdin => Spool::of(&Input::Stdin).map(|kept| Input::Kept(Arc::new(kept))),
        Input::File(_) | Input::Corrected { .. } | Input::Kept(_) => Ok(input),
    };
    inputs.into_iter().map(again).collect()
}
