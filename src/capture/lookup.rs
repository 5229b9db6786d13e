//! Reads single frames again by where they lie.

use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use crate::capture::source::{Source, input_path};
use crate::capture::spool::Spool;
use crate::capture::{Batch, FrameRecord, Input, Slice};
use crate::error::Error;
use crate::limits::RECORD_BYTES;
use crate::place::{FileId, PacketRef};

/// The inputs of a run, open for looking frames up.
#[derive(Debug)]
pub struct Lookup {
    files: Arc<[Held]>,
    /// The file that was read last stays open.
    open: Option<Opened>,
}

/// A file, and a stretch of it: frames that are looked up one after the other mostly lie side by side.
#[derive(Debug)]
struct Opened {
    id: FileId,
    file: File,
    start: u64,
    stretch: Vec<u8>,
}

/// Bytes read at once.
const STRETCH: usize = 64 << 10;

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
        Ok(Self { files: files.into(), open: None })
    }

    /// Another one for the same inputs; copies are shared.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { files: Arc::clone(&self.files), open: None }
    }

    /// The captured bytes of a frame.
    ///
    /// # Errors
    /// Where its file cannot be opened, or holds less than it did.
    pub fn frame(&mut self, at: PacketRef) -> Result<Vec<u8>, Error> {
        self.bytes(at).map(<[u8]>::to_vec)
    }

    /// Reads a frame into a batch, behind the others.
    ///
    /// # Errors
    /// Where its file cannot be opened, or holds less than it did.
    pub fn load(&mut self, batch: &mut Batch, record: FrameRecord) -> Result<(), Error> {
        let bytes = self.bytes(record.at)?;
        if batch.buffers.is_empty() {
            batch.buffers.push(Vec::new());
        }
        let Some(buffer) = batch.buffers.first_mut() else { return Ok(()) };
        let bytes_at = Slice { buffer: 0, start: buffer.len() as u32, length: bytes.len() as u32 };
        buffer.extend_from_slice(bytes);
        batch.frames.push(FrameRecord { bytes: bytes_at, ..record });
        Ok(())
    }

    fn bytes(&mut self, at: PacketRef) -> Result<&[u8], Error> {
        let Some(held) = self.files.get(usize::from(at.file.0)) else {
            let cause = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Error::Open { path: PathBuf::new(), cause });
        };
        self.open.take_if(|opened| opened.id != at.file);
        let opened = match &mut self.open {
            Some(opened) => opened,
            slot @ None => {
                let file = File::open(&held.path);
                let file = file.map_err(|cause| Error::Open { path: held.name.clone(), cause })?;
                slot.insert(Opened { id: at.file, file, start: 0, stretch: Vec::new() })
            }
        };
        let length = at.length.min(RECORD_BYTES) as usize;
        let known = at.offset.checked_sub(opened.start).and_then(|far| usize::try_from(far).ok());
        let known =
            known.filter(|from| from.checked_add(length).is_some_and(|to| to <= opened.stretch.len()));
        let from = if let Some(from) = known {
            from
        } else {
            let failed = |cause| Error::Read { path: held.name.clone(), offset: at.offset, cause };
            opened.read(at.offset, length).map_err(failed)?;
            0
        };
        Ok(opened.stretch.get(from..from + length).unwrap_or_default())
    }
}

impl Opened {
    /// Holds the stretch from this place on, of at least these bytes.
    fn read(&mut self, offset: u64, least: usize) -> std::io::Result<()> {
        self.stretch.clear();
        self.start = offset;
        self.file.seek(SeekFrom::Start(offset))?;
        let most = least.max(STRETCH) as u64;
        let read = Read::by_ref(&mut self.file).take(most).read_to_end(&mut self.stretch)?;
        if read < least { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
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
