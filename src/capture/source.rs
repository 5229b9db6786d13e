//! Where the bytes of an input come from: a file, standard input or any reader, unpacked where compressed.

use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::capture::Input;
use crate::error::Error;
use crate::time::Span;

#[cfg(feature = "compressed")]
use crate::capture::unpack::Unpacker;

/// Bytes read at once where a decoder or a look at the first bytes asks for a few.
const LOOK_BYTES: usize = 64 << 10;

/// What went wrong while reading. What was read before it is in the caller's buffer.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "compressed"),
    allow(dead_code, reason = "only the feature `compressed` makes the variant for compression")
)]
pub(super) enum Trouble {
    /// The system could not read.
    Read(io::Error),
    /// The compressed data is damaged in this way.
    Compression(String),
}

/// The system's side of an input.
enum Origin {
    File(File),
    Stdin(io::Stdin),
    Reader(Box<dyn Read + Send>),
    /// A file that is given back to the system and goes on at this byte.
    Parked(PathBuf, u64),
    /// At its end.
    Closed,
}

impl Origin {
    /// Opens a parked file again.
    fn wake(&mut self) -> io::Result<()> {
        if let Self::Parked(path, position) = self {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(*position))?;
            *self = Self::File(file);
        }
        Ok(())
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.wake()?;
        loop {
            let result = match self {
                Self::File(file) => file.read(into),
                Self::Stdin(stdin) => stdin.read(into),
                Self::Reader(reader) => reader.read(into),
                Self::Parked(..) | Self::Closed => Ok(0),
            };
            match result {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    /// Appends up to `want` bytes; fewer only at the end. Reads straight into the vector's spare room.
    fn append(&mut self, buffer: &mut Vec<u8>, want: usize) -> io::Result<()> {
        self.wake()?;
        // A little more room than asked for spares the vector the doubling that it makes when it is full.
        buffer.reserve(want + 64);
        let limit = want as u64;
        match self {
            Self::File(file) => file.take(limit).read_to_end(buffer),
            Self::Stdin(stdin) => stdin.take(limit).read_to_end(buffer),
            Self::Reader(reader) => reader.take(limit).read_to_end(buffer),
            Self::Parked(..) | Self::Closed => Ok(0),
        }
        .map(drop)
    }
}

/// The bytes of an input as they lie on disk, with a look ahead.
pub(super) struct Raw {
    origin: Origin,
    ahead: Vec<u8>,
    start: usize,
    taken: u64,
    ended: bool,
    failure: Option<io::Error>,
}

impl Raw {
    fn new(origin: Origin) -> Self {
        Self { origin, ahead: Vec::new(), start: 0, taken: 0, ended: false, failure: None }
    }

    /// Bytes handed out so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// The next `count` bytes without taking them; fewer only at the end or where reading failed.
    pub(super) fn peek(&mut self, count: usize) -> &[u8] {
        while self.waiting().len() < count && !self.ended {
            self.look();
        }
        let waiting = self.waiting();
        waiting.get(..count).unwrap_or(waiting)
    }

    /// Gives a file back to the system until more of it is read.
    pub(super) fn park(&mut self, path: &Path) {
        if matches!(self.origin, Origin::File(_)) {
            let position = self.taken + self.waiting().len() as u64;
            self.origin = Origin::Parked(path.to_owned(), position);
        }
    }

    /// What the system said when reading failed, once.
    pub(super) fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    fn end(&mut self) {
        self.ended = true;
        self.origin = Origin::Closed;
    }

    fn waiting(&self) -> &[u8] {
        self.ahead.get(self.start..).unwrap_or_default()
    }

    /// Reads once into the buffer of bytes ahead.
    fn look(&mut self) {
        self.ahead.drain(..self.start);
        self.start = 0;
        let have = self.ahead.len();
        self.ahead.resize(have + LOOK_BYTES, 0);
        let room = self.ahead.get_mut(have..).unwrap_or_default();
        let count = match self.origin.read(room) {
            Ok(count) => count,
            Err(error) => {
                self.failure = Some(error);
                0
            }
        };
        self.ahead.truncate(have + count);
        if count == 0 {
            self.end();
        }
    }

    /// Appends up to `want` bytes; fewer only at the end.
    fn append(&mut self, buffer: &mut Vec<u8>, want: usize) -> Result<(), Trouble> {
        let before = buffer.len();
        let waiting = self.waiting();
        let first = waiting.get(..want).unwrap_or(waiting);
        buffer.extend_from_slice(first);
        self.start += first.len();
        let rest = want.saturating_sub(buffer.len() - before);
        let result = if rest > 0 && !self.ended { self.origin.append(buffer, rest) } else { Ok(()) };
        let count = buffer.len() - before;
        self.taken += count as u64;
        if count < want {
            self.end();
        }
        match result.err().or_else(|| if self.ended { self.failure.take() } else { None }) {
            Some(error) => Err(Trouble::Read(error)),
            None => Ok(()),
        }
    }
}

impl Read for Raw {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Raw {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.waiting().is_empty() && !self.ended {
            self.look();
        }
        Ok(self.waiting())
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        self.taken += count as u64;
    }
}

enum Stream {
    Plain(Raw),
    #[cfg(feature = "compressed")]
    Packed(Box<Unpacker>),
}

/// The bytes of a capture, unpacked.
pub(super) struct Source {
    stream: Stream,
    compression: Option<&'static str>,
    size: Option<u64>,
    /// By which path a plain file can be opened again.
    reopen: Option<PathBuf>,
    ended: bool,
    /// What is added to the times in it.
    clock_offset: Span,
}

impl Source {
    /// Opens an input and finds out from its first bytes whether it is compressed.
    pub(super) fn open(input: &Input) -> Result<Self, Error> {
        match input {
            Input::File(path) | Input::Corrected { path, .. } => {
                let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
                let (metadata, file) = opened.map_err(|cause| Error::Open { path: path.clone(), cause })?;
                let plain = metadata.is_file();
                let size = plain.then_some(metadata.len());
                let mut source = Self::over(Origin::File(file), path, size)?;
                source.reopen = plain.then(|| path.clone());
                if let Input::Corrected { by, .. } = input {
                    source.clock_offset = *by;
                }
                Ok(source)
            }
            Input::Stdin => Self::over(Origin::Stdin(io::stdin()), &input_path(input), None),
        }
    }

    /// Over any reader, named `path` in messages.
    pub(super) fn from_reader(reader: Box<dyn Read + Send>, path: &Path) -> Result<Self, Error> {
        Self::over(Origin::Reader(reader), path, None)
    }

    fn over(origin: Origin, path: &Path, size: Option<u64>) -> Result<Self, Error> {
        let mut raw = Raw::new(origin);
        let compression = compression_of(raw.peek(4));
        if let Some(cause) = raw.take_failure() {
            return Err(Error::Read { path: path.to_owned(), offset: 0, cause });
        }
        let stream = match compression {
            None => Stream::Plain(raw),
            #[cfg(feature = "compressed")]
            Some(what) => Stream::Packed(Box::new(Unpacker::new(what, raw))),
            #[cfg(not(feature = "compressed"))]
            Some(what) => return Err(Error::Compressed { path: path.to_owned(), what: what.name() }),
        };
        let compression = compression.map(Compression::name);
        Ok(Self { stream, compression, size, reopen: None, ended: false, clock_offset: Span::ZERO })
    }

    /// `gzip`, `zstd`, `lz4`, where it is compressed.
    pub(super) fn compression(&self) -> Option<&'static str> {
        self.compression
    }

    /// Its size in bytes as it lies on disk, where that is known beforehand.
    pub(super) fn size(&self) -> Option<u64> {
        self.size
    }

    /// Whether opening it a second time gives the same bytes again.
    pub(super) fn is_reopenable(&self) -> bool {
        self.reopen.is_some()
    }

    /// Gives a plain file back to the system until more of it is read.
    pub(super) fn park(&mut self) {
        let Some(path) = &self.reopen else { return };
        match &mut self.stream {
            Stream::Plain(raw) => raw.park(path),
            #[cfg(feature = "compressed")]
            Stream::Packed(unpacker) => unpacker.park(path),
        }
    }

    /// Bytes read so far, as they lie on disk.
    pub(super) fn taken(&self) -> u64 {
        match &self.stream {
            Stream::Plain(raw) => raw.taken(),
            #[cfg(feature = "compressed")]
            Stream::Packed(unpacker) => unpacker.taken(),
        }
    }

    /// What is added to the times in it.
    pub(super) fn clock_offset(&self) -> Span {
        self.clock_offset
    }

    /// Whether nothing more comes.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Appends up to `want` bytes to `buffer`; fewer only where the input ends, by its end or by trouble.
    pub(super) fn append(&mut self, buffer: &mut Vec<u8>, want: usize) -> Result<(), Trouble> {
        if self.ended {
            return Ok(());
        }
        let before = buffer.len();
        let result = match &mut self.stream {
            Stream::Plain(raw) => raw.append(buffer, want),
            #[cfg(feature = "compressed")]
            Stream::Packed(unpacker) => unpacker.append(buffer, want),
        };
        self.ended = result.is_err() || buffer.len() - before < want;
        result
    }
}

/// The path by which an input is named in results and messages.
pub(super) fn input_path(input: &Input) -> PathBuf {
    match input {
        Input::File(path) | Input::Corrected { path, .. } => path.clone(),
        Input::Stdin => PathBuf::from("-"),
    }
}

/// The compressions that are recognised by their first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// The LZ4 frame format, also its legacy form.
    Lz4,
}

impl Compression {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }
}

/// Tells a compression by the first four bytes.
pub(super) fn compression_of(head: &[u8]) -> Option<Compression> {
    match head {
        [0x1f, 0x8b, 8, ..] => Some(Compression::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd] => Some(Compression::Zstd),
        [0x04, 0x22, 0x4d, 0x18] | [0x02, 0x21, 0x4c, 0x18] => Some(Compression::Lz4),
        _ => None,
    }
}
