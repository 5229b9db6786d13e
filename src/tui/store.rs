//! The file in which the state of a capture is kept: one for each capture, known by its path, size and first bytes.

use std::fs;
use std::hash::{BuildHasher, Hash};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use foldhash::fast::FixedState;

use super::kept::Kept;
use crate::capture::Input;

/// Bytes of a file that tell it from another of the same name and size: the first packet's time lies in them.
const HEAD: usize = 256;
/// A file that is longer was not written here.
const MOST: u64 = 4 << 20;

/// Where the state of these inputs is kept.
pub(super) fn place(folder: &Path, inputs: &[Input]) -> PathBuf {
    let mut seen: Vec<(String, u64, Vec<u8>)> = Vec::new();
    for input in inputs {
        let (Input::File(path) | Input::Corrected { path, .. }) = input else { continue };
        let whole = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let size = fs::metadata(path).map_or(0, |facts| facts.len());
        let mut head = Vec::new();
        if let Ok(file) = fs::File::open(path) {
            // What cannot be read is no part of the name.
            let _ = file.take(HEAD as u64).read_to_end(&mut head);
        }
        seen.push((whole.display().to_string(), size, head));
    }
    let first = inputs.iter().find_map(|input| match input {
        Input::File(path) | Input::Corrected { path, .. } => {
            path.file_stem().map(|name| name.to_string_lossy().into_owned())
        }
        Input::Stdin => None,
    });
    let plain: String = first
        .unwrap_or_else(|| "stdin".to_owned())
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '_' })
        .take(40)
        .collect();
    folder.join(format!("{plain}-{:016x}.toml", hash(&seen)))
}

fn hash(seen: &impl Hash) -> u64 {
    FixedState::with_seed(0x6b65_7074).hash_one(seen)
}

/// What was kept; nothing where there is nothing or nothing that is understood.
pub(super) fn read(place: &Path) -> Kept {
    if fs::metadata(place).is_ok_and(|facts| facts.len() > MOST) {
        return Kept::default();
    }
    fs::read_to_string(place).map(|text| Kept::of_text(&text)).unwrap_or_default()
}

/// Keeps it: whole or not at all, and for the user alone, because notes and filters tell of what was captured.
pub(super) fn write(place: &Path, kept: &Kept) -> io::Result<()> {
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = place.with_extension("partial");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(kept.to_text().as_bytes())?;
    fs::rename(&beside, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_each_capture_has_its_own_file() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            place(folder.path(), &[Input::File(path)])
        };
        let (one, other) = (make("a b.pcap", "x"), make("a b.pcap", "xy"));
        assert_ne!(one, other);
        assert!(one.file_name().unwrap().to_str().unwrap().starts_with("a_b-"));
        let kept = Kept { filter: "tcp".into(), ..Kept::default() };
        write(&one, &kept).unwrap();
        assert_eq!(read(&one), kept);
        assert_eq!(read(&other), Kept::default());
    }
}
