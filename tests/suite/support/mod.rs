//! What several of these tests need: the fixtures, runs of the analysis, and made captures.

pub(crate) mod flood;
pub(crate) mod run;

use std::fs;
use std::path::{Path, PathBuf};

use ghostshark::scenario::{self, Format, Frame, Recording};

/// A capture that lies in `fixtures/captures`, or is made of a story.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Name of its file, without a folder.
    pub name: String,
    /// The file's bytes.
    pub bytes: Vec<u8>,
}

/// The files of a folder of fixtures with one of the ends of name, in order of name.
pub(crate) fn fixtures(folder: &str, ends: &[&str]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| ends.iter().any(|wanted| end == *wanted)))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no fixtures in {}", folder.display());
    paths
}

/// The name of a file without its folder and end.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// The recorded captures.
pub(crate) fn captures() -> Vec<Sample> {
    let sample = |path: PathBuf| Sample {
        name: path.file_name().unwrap().to_str().unwrap().to_owned(),
        bytes: fs::read(&path).unwrap(),
    };
    fixtures("captures", &["pcap", "pcapng"]).into_iter().map(sample).collect()
}

/// The stories, compiled, by name.
pub(crate) fn stories() -> Vec<(String, Recording)> {
    let compiled = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (stem(&path), scenario::compile(&text, &path).unwrap())
    };
    fixtures("stories", &["story"]).into_iter().map(compiled).collect()
}

/// All stories at once, as if one tap had seen them: the same addresses and ports do many things side by side,
/// so that what is told of them is wild, and must be the same wild thing every time.
pub(crate) fn all_stories_at_once() -> Recording {
    let mut whole = Recording { title: "all stories at once".to_owned(), ..Recording::default() };
    for (_, story) in stories() {
        for frame in story.frames {
            let link = story.interfaces[frame.interface as usize];
            let known = whole.interfaces.iter().position(|other| *other == link);
            let interface = known.unwrap_or_else(|| {
                whole.interfaces.push(link);
                whole.interfaces.len() - 1
            });
            whole.frames.push(Frame { interface: interface as u32, ..frame });
        }
    }
    whole.frames.sort_by_key(|frame| frame.time);
    whole
}

/// A recording as the bytes of a file.
pub(crate) fn file_of(recording: &Recording, format: Format) -> Vec<u8> {
    let mut bytes = Vec::new();
    recording.write(format, &mut bytes).unwrap();
    bytes
}
