//! Copies standard input to a file while it comes, so that it can be read as often as somebody looks.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tempfile::NamedTempFile;

use crate::capture::Input;

/// Bytes read at once; what is there is written at once, however little it is.
const CHUNK: usize = 64 << 10;

/// The copy of standard input. It goes when this does.
#[derive(Debug)]
pub(super) struct Pipe {
    /// Where it lies.
    pub(super) file: NamedTempFile,
    /// Raised when nothing more comes.
    pub(super) over: Arc<AtomicBool>,
}

impl Pipe {
    /// Begins to copy.
    ///
    /// # Errors
    /// Where there is no place for the copy.
    pub(super) fn open() -> io::Result<Self> {
        let file = tempfile::Builder::new().prefix("ghostshark-").tempfile()?;
        let over: Arc<AtomicBool> = Arc::default();
        let (mut out, done) = (file.reopen()?, Arc::clone(&over));
        thread::Builder::new().name("pipe".to_owned()).spawn(move || {
            // A pipe that breaks, or a full disk, ends it: what came before is there.
            let _ = copy(&mut io::stdin().lock(), &mut out);
            done.store(true, Ordering::Relaxed);
        })?;
        Ok(Self { file, over })
    }
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => to.write_all(buffer.get(..read).unwrap_or_default())?,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
}

/// Whether one of them is standard input.
pub(super) fn is_among(inputs: &[Input]) -> bool {
    inputs.contains(&Input::Stdin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_is_copied_whole() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        let mut out = Vec::new();
        copy(&mut bytes.as_slice(), &mut out).unwrap();
        assert_eq!(out, bytes);
    }
}
