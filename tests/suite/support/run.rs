//! Runs of the analysis on bytes, and what they say.

use std::path::{Path, PathBuf};

use ghostshark::analysis::{self, Analysis, Options};
use ghostshark::capture::Input;
use ghostshark::error::Error;
use ghostshark::report::{FORMATS, Format, Request};
use serde_json::Value;

/// Options that change how the work is divided, which must change nothing else.
pub(crate) fn divided(threads: usize, batch_bytes: usize) -> Options {
    Options { threads, batch_bytes, ..Options::default() }
}

/// One thread and small batches: the cheapest way for the many runs over tiny captures.
pub(crate) fn plain() -> Options {
    divided(1, 64 << 10)
}

/// A folder of one's own for the captures that a test writes; gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Writes a file.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Analyses bytes as a file; in the result the file is called `name` without its folder.
    pub(crate) fn analyze(&self, name: &str, bytes: &[u8], options: &Options) -> Result<Analysis, Error> {
        let path = self.put(name, bytes);
        files(&[&path], options)
    }
}

/// Analyses files; in the result each has its name without the folder.
pub(crate) fn files(paths: &[&Path], options: &Options) -> Result<Analysis, Error> {
    let inputs = paths.iter().map(|path| Input::File(path.to_path_buf())).collect();
    let mut analysis = analysis::analyze(inputs, options, &mut |_, _| ())?;
    for file in &mut analysis.files {
        if let Some(name) = file.path.file_name() {
            file.path = PathBuf::from(name);
        }
    }
    Ok(analysis)
}

/// A result in one of the formats.
pub(crate) fn written(name: &str, analysis: &Analysis) -> String {
    let format: &&Format = FORMATS.iter().find(|format| format.name == name).unwrap();
    let mut out = Vec::new();
    (format.write)(analysis, &Request::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A result as lines of JSON.
pub(crate) fn jsonl(analysis: &Analysis) -> String {
    written("jsonl", analysis)
}

/// The records of one type, as machines read them.
pub(crate) fn records(analysis: &Analysis, kind: &str) -> Vec<Value> {
    let lines = jsonl(analysis);
    let read = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    read.filter(|record| record["type"] == kind).collect()
}

/// Fails at the first line in which two results differ, and shows only that.
#[track_caller]
pub(crate) fn assert_same(what: &str, left: &str, right: &str) {
    if left == right {
        return;
    }
    for (number, (a, b)) in left.lines().zip(right.lines()).enumerate() {
        assert!(a == b, "{what}: line {} differs {}", number + 1, difference(a, b));
    }
    panic!("{what}: {} lines against {}", left.lines().count(), right.lines().count());
}

/// Where two lines part, with what stands around.
fn difference(a: &str, b: &str) -> String {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| {
        let bytes = text.as_bytes();
        let part = &bytes[same.saturating_sub(90)..bytes.len().min(same + 60)];
        String::from_utf8_lossy(part).into_owned()
    };
    format!("at byte {same}:\n  …{}…\n  …{}…", around(a), around(b))
}
