//! Keeps on disk what can be read only once, or only from its beginning: pipes and compressed files. What is kept is
//! gone when nobody needs it any more.

use std::io::Write as _;
use std::path::{Path, PathBuf};

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

/// The same inputs in a form that can be read again and again: standard input becomes a file, which exists as long as
/// the spool does.
///
/// # Errors
/// Where standard input cannot be copied.
pub fn rereadable(inputs: Vec<Input>) -> Result<(Vec<Input>, Option<Spool>), Error> {
    let mut spool = None;
    let mut all = Vec::with_capacity(inputs.len());
    for input in inputs {
        match input {
            Input::Stdin => {
                let kept = Spool::of(&input)?;
                all.push(Input::File(kept.path().to_owned()));
                spool = Some(kept);
            }
            Input::File(_) | Input::Corrected { .. } => all.push(input),
        }
    }
    Ok((all, spool))
}
