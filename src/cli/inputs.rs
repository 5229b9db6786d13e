//! From paths to inputs: files, patterns, folders, standard input.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::exit::Stop;
use super::flags::InputArgs;
use super::messages;
use crate::capture::Input;

/// Ends of names of captures, as Wireshark and its kin give them.
const CAPTURES: [&str; 6] = ["pcap", "pcapng", "cap", "dmp", "trc", "snoop"];
/// Ends that a compressed one has besides.
const COMPRESSED: [&str; 4] = ["gz", "zst", "zstd", "lz4"];
/// A frame names its file by 16 bits.
const MOST: usize = 1 << 16;

/// The inputs that the arguments name, in their order.
///
/// # Errors
/// Where they name nothing, or standard input twice, or more than can be told apart.
pub(super) fn gather(args: &InputArgs) -> Result<Vec<Input>, Stop> {
    let mut inputs = Vec::new();
    for path in args.read.iter().chain(&args.files) {
        add(path, &mut inputs)?;
    }
    correct(&mut inputs, args)?;
    if inputs.iter().filter(|input| **input == Input::Stdin).count() > 1 {
        return Err(Stop::Usage("standard input (-) can be read only once".to_owned()));
    }
    if inputs.is_empty() {
        return Err(Stop::NoInput("no file could be read".to_owned()));
    }
    if inputs.len() > MOST {
        return Err(Stop::Usage(format!("{} files are more than the {MOST} of one run", inputs.len())));
    }
    Ok(inputs)
}

/// Corrects the clocks that are said to be wrong. A file is named as it was typed, or by its name without a folder.
fn correct(inputs: &mut [Input], args: &InputArgs) -> Result<(), Stop> {
    for (name, by) in &args.clock_offsets {
        let mut any = false;
        for input in inputs.iter_mut() {
            let Input::File(path) = input else { continue };
            if path == name || path.file_name().is_some_and(|file| file == name.as_os_str()) {
                *input = Input::Corrected { path: std::mem::take(path), by: *by };
                any = true;
            }
        }
        if !any {
            let name = name.display();
            return Err(Stop::Usage(format!("--clock-offset {name}: no such file among the inputs")));
        }
    }
    Ok(())
}

fn add(path: &Path, inputs: &mut Vec<Input>) -> Result<(), Stop> {
    if path == Path::new("-") {
        inputs.push(Input::Stdin);
    } else if path.is_dir() {
        let before = inputs.len();
        walk(path, inputs);
        if inputs.len() == before {
            messages::note(&format!(
                "{}: no captures in this folder (looked for .pcap, .pcapng …)",
                path.display()
            ));
        }
    } else if let Some(pattern) = pattern(path) {
        // A name that holds such a character and exists is a file; the pattern is tried only where it does not.
        let matches = glob::glob(pattern)
            .map_err(|error| Stop::Usage(format!("{pattern}: not a pattern: {}", error.msg)))?;
        let mut any = false;
        for matched in matches {
            match matched {
                Ok(found) if found.is_dir() => walk(&found, inputs),
                Ok(found) => inputs.push(Input::File(found)),
                Err(error) => messages::note(&error),
            }
            any = true;
        }
        if !any {
            messages::note(&format!("{pattern}: no file matches"));
        }
    } else {
        // Whether it can be opened is for the capture stage to say, with its place among the others.
        inputs.push(Input::File(path.to_owned()));
    }
    Ok(())
}

/// The path as a pattern, where it is one and no file of this very name exists.
fn pattern(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    (text.contains(['*', '?', '[']) && !path.exists()).then_some(text)
}

/// The captures of a folder and the folders in it, in order of name. Links to folders are not followed: they may
/// lead in a circle.
fn walk(folder: &Path, inputs: &mut Vec<Input>) {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return messages::note(&format!("{}: cannot list: {error}", folder.display())),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, inputs);
        } else if path.is_file() && is_capture_name(&path) {
            inputs.push(Input::File(path));
        }
    }
}

/// `a.pcap`, `a.pcapng.gz`, `a.pcap12` (tcpdump -C), `a.cap.3`.
fn is_capture_name(path: &Path) -> bool {
    let mut name = PathBuf::from(path.file_name().unwrap_or_default());
    let extension = |name: &Path| name.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
    if extension(&name).is_some_and(|end| COMPRESSED.contains(&end.as_str())) {
        name.set_extension("");
    }
    if extension(&name).is_some_and(|end| end.bytes().all(|b| b.is_ascii_digit())) {
        name.set_extension("");
    }
    extension(&name).is_some_and(|end| CAPTURES.contains(&end.trim_end_matches(|c: char| c.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_are_known_by_their_names() {
        for name in
            ["a.pcap", "A.PCAPNG", "x/a.pcapng.gz", "a.pcap12", "a.cap.3", "a.dmp.zst", "a.b.pcap.1.lz4"]
        {
            assert!(is_capture_name(Path::new(name)), "{name}");
        }
        for name in ["pcap", "a.txt", "a.gz", "a.pcap.txt", "a.tar.gz", "a.1", ""] {
            assert!(!is_capture_name(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn a_folder_gives_its_captures_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("m")).unwrap();
        fs::create_dir(at(".hidden")).unwrap();
        for name in ["z.pcap", "a.pcapng", "m/b.cap", "notes.txt", ".hidden/c.pcap", ".d.pcap"] {
            fs::write(at(name), "").unwrap();
        }
        let mut inputs = Vec::new();
        add(folder.path(), &mut inputs).unwrap();
        assert_eq!(inputs, ["a.pcapng", "m/b.cap", "z.pcap"].map(|name| Input::File(at(name))));

        let mut matched = Vec::new();
        add(&at("*.pcap*"), &mut matched).unwrap();
        assert_eq!(matched, [".d.pcap", "a.pcapng", "z.pcap"].map(|name| Input::File(at(name))));
    }

    #[test]
    fn a_name_that_looks_like_a_pattern_is_a_file_if_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("a[1].pcap");
        fs::write(&odd, "").unwrap();
        let mut inputs = Vec::new();
        add(&odd, &mut inputs).unwrap();
        assert_eq!(inputs, [Input::File(odd)]);
    }
}
