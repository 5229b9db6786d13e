//! Where a result goes. A file appears whole or not at all: it is written beside its place and then renamed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::exit::Stop;

/// Bytes gathered before the system is asked to write.
const BUFFER: usize = 1 << 16;

/// Calls `write` with the file, or with standard output where there is none or it is `-`.
///
/// # Errors
/// What the system said, with the name of the file.
pub(super) fn deliver(
    out: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Stop> {
    match out.filter(|path| *path != Path::new("-")) {
        None => {
            let mut stdout = BufWriter::with_capacity(BUFFER, io::stdout().lock());
            write(&mut stdout)?;
            Ok(stdout.flush()?)
        }
        Some(path) => to_file(path, write)
            .map_err(|cause| Stop::Output(format!("{}: cannot write: {cause}", path.display()))),
    }
}

fn to_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    // A device or a named pipe cannot be replaced, only written to.
    if fs::metadata(path).is_ok_and(|facts| !facts.is_file()) {
        return through(File::options().write(true).open(path)?, write);
    }
    let beside = partial_name(path);
    let done =
        File::create(&beside).and_then(|file| through(file, write)).and_then(|()| fs::rename(&beside, path));
    if done.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    done
}

fn through(file: File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(BUFFER, file);
    write(&mut file)?;
    file.flush()
}

/// `out.json.partial`: what a stopped run leaves is marked so.
fn partial_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_fails_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        deliver(Some(&path), |out| out.write_all(b"first")).unwrap();
        let failing = |out: &mut dyn Write| {
            out.write_all(b"second")?;
            Err(io::Error::other("on purpose"))
        };
        assert!(deliver(Some(&path), failing).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
