//! Reads single frames again by where they lie.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use crate::capture::Input;
use crate::capture::source::{Source, input_path};
use crate::capture::spool::Spool;
use crate::error::Error;
use crate::limits::RECORD_BYTES;
use crate::place::{FileId, PacketRef};

/// The inputs of a run, open for looking frames up.
#[derive(Debug)]
pub struct Lookup {
    files: Vec<Held>,
    /// The file that was read last stays open.
    open: Option<(FileId, File)>,
}

/// How an input can be read at any place.
#[derive(Debug)]
struct Held {
    /// As the user named it.
    name: PathBuf,
    /// Its uncompressed bytes.
    path: PathBuf,
    /// The copy, where it needs one.
    _spool: Option<Spool>,
}

impl Lookup {
    /// For inputs in the order in which they were analysed. A compressed one is unpacked to a temporary file.
    ///
    /// # Errors
    /// Where an input that can be read only once or only from its beginning cannot be copied.
    pub fn open(inputs: &[Input]) -> Result<Self, Error> {
        let mut files = Vec::with_capacity(inputs.len());
        for input in inputs {
            let name = input_path(input);
            let needs_copy = match input {
                Input::Stdin => true,
                // One that cannot be opened has no frame that anybody could ask for.
                Input::File(_) | Input::Corrected { .. } | Input::Kept(_) => {
                    Source::open(input).is_ok_and(|source| source.compression().is_some())
                }
            };
            let spool = if needs_copy { Some(Spool::of(input)?) } else { None };
            let path = match (&spool, input) {
                (Some(spool), _) => spool.path().to_owned(),
                (None, Input::Kept(kept)) => kept.path().to_owned(),
                (None, _) => name.clone(),
            };
            files.push(Held { name, path, _spool: spool });
        }
        Ok(Self { files, open: None })
    }

    /// The captured bytes of a frame.
    ///
    /// # Errors
    /// Where its file cannot be opened, or holds less than it did.
    pub fn frame(&mut self, at: PacketRef) -> Result<Vec<u8>, Error> {
        let Some(held) = self.files.get(usize::from(at.file.0)) else {
            let cause = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Error::Open { path: PathBuf::new(), cause });
        };
        let file = match &mut self.open {
            Some((id, file)) if *id == at.file => file,
            slot => {
                let opened = File::open(&held.path);
                let file = opened.map_err(|cause| Error::Open { path: held.name.clone(), cause })?;
                &mut slot.insert((at.file, file)).1
            }
        };
        let mut bytes = vec![0; at.length.min(RECORD_BYTES) as usize];
        let read = file.seek(SeekFrom::Start(at.offset)).and_then(|_| file.read_exact(&mut bytes));
        read.map_err(|cause| Error::Read { path: held.name.clone(), offset: at.offset, cause })?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::capture::{Batch, Capture};

    fn check(path: &Path) {
        let inputs = [Input::File(path.to_owned())];
        let mut capture = Capture::open(inputs.to_vec(), 1 << 16).unwrap();
        let mut lookup = Lookup::open(&inputs).unwrap();
        let mut batch = Batch::default();
        let mut frames = 0;
        while capture.fill(&mut batch) {
            for record in &batch.frames {
                let frame = batch.frame(record);
                assert_eq!(lookup.frame(frame.at).unwrap(), frame.bytes, "{} {:?}", path.display(), frame.at);
                frames += 1;
            }
        }
        assert!(frames > 0, "{}", path.display());
    }

    #[test]
    fn every_frame_is_found_again() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures");
        for name in ["ftp_resumed.pcapng", "curl_killed.pcap"] {
            check(&folder.join(name));
        }
    }

    #[cfg(feature = "compressed")]
    #[test]
    fn a_compressed_file_is_unpacked_for_it() {
        use std::io::Write as _;
        let plain = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures/curl_killed.pcap");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcap.gz");
        let mut packed =
            flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
        packed.write_all(&std::fs::read(plain).unwrap()).unwrap();
        packed.finish().unwrap();
        check(&path);
    }

    #[test]
    fn a_place_that_does_not_exist_is_an_error() {
        let mut lookup = Lookup::open(&[Input::File("nowhere.pcap".into())]).unwrap();
        assert!(lookup.frame(PacketRef { length: 5, ..PacketRef::default() }).is_err());
        assert!(lookup.frame(PacketRef { file: FileId(7), ..PacketRef::default() }).is_err());
    }
}
