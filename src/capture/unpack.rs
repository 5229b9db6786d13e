//! Compressed inputs: gzip members, zstd frames and lz4 frames, one after the other, as one stream.

use std::io::{self, BufRead, Read};
use std::path::Path;

use flate2::{Decompress, FlushDecompress, Status};
use lz4_flex::frame::FrameDecoder as Lz4Decoder;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder as ZstdDecoder};

use crate::capture::source::{Compression, Raw, Trouble, compression_of};

/// The largest window that gzip knows, as a power of 2.
const WINDOW_BITS: u8 = 15;

/// One piece (gzip calls it a member, the others a frame) being unpacked.
enum Piece {
    Gzip(Box<GzipMember>),
    Zstd(Box<ZstdFrame>),
    Lz4(Box<Lz4Decoder<Raw>>),
    /// Nothing more is unpacked.
    Done(Raw),
}

/// Unpacks all pieces of an input.
pub(super) struct Unpacker {
    // Empty only for the moment in which one piece gives way to the next.
    piece: Option<Piece>,
}

impl Unpacker {
    /// For bytes whose first piece is of this kind.
    pub(super) fn new(kind: Compression, raw: Raw) -> Self {
        Self { piece: Some(Piece::begin(kind, raw)) }
    }

    /// Compressed bytes taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.piece.as_ref().map_or(0, |piece| piece.raw().taken())
    }

    /// Gives a plain file back to the system until more of it is read.
    pub(super) fn park(&mut self, path: &Path) {
        if let Some(piece) = &mut self.piece {
            piece.raw_mut().park(path);
        }
    }

    /// Appends up to `want` unpacked bytes; fewer only at the end or where the data is damaged.
    pub(super) fn append(&mut self, buffer: &mut Vec<u8>, want: usize) -> Result<(), Trouble> {
        let goal = buffer.len() + want;
        buffer.reserve(want + 64);
        while buffer.len() < goal {
            let before = buffer.len();
            let Some(piece) = self.piece.as_mut() else { return Ok(()) };
            let result = piece.take((goal - before) as u64).read_to_end(buffer);
            let failure = piece.raw_mut().take_failure();
            if let Some(error) = failure {
                return Err(Trouble::Read(error));
            }
            if let Err(error) = result {
                return Err(Trouble::Compression(error.to_string()));
            }
            if buffer.len() < goal && !self.next_piece()? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Goes on to the next piece; false at the end of the input.
    fn next_piece(&mut self) -> Result<bool, Trouble> {
        let Some(piece) = self.piece.take() else { return Ok(false) };
        let (mut raw, complaint) = piece.end();
        let mut more = None;
        let mut trailing = false;
        loop {
            let head = raw.peek(8);
            if head.is_empty() {
                break;
            }
            if let Some(kind) = head.get(..4).and_then(compression_of) {
                more = Some(kind);
                break;
            }
            // zstd and lz4 share frames to be skipped: a magic with any low digit, then a length (RFC 8878 §3.1.2).
            if let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d] = *head {
                let length = u64::from(u32::from_le_bytes([a, b, c, d])) + 8;
                // Sinking bytes cannot fail; failures of reading stay in `raw` for the caller.
                let _ = io::copy(&mut (&mut raw).take(length), &mut io::sink());
                continue;
            }
            // Archivers pad with zeros; that is no damage.
            trailing = raw.peek(512).iter().any(|&byte| byte != 0);
            break;
        }
        let failure = raw.take_failure();
        self.piece = Some(match more {
            Some(kind) if complaint.is_none() => Piece::begin(kind, raw),
            _ => Piece::Done(raw),
        });
        if let Some(error) = failure {
            return Err(Trouble::Read(error));
        }
        if let Some(complaint) = complaint {
            return Err(Trouble::Compression(complaint));
        }
        if trailing {
            let what = "expected the end or a further compressed piece, found other bytes";
            return Err(Trouble::Compression(what.to_owned()));
        }
        Ok(more.is_some())
    }
}

impl Piece {
    fn begin(kind: Compression, raw: Raw) -> Self {
        match kind {
            Compression::Gzip => {
                let inflate = Decompress::new_gzip(WINDOW_BITS);
                Self::Gzip(Box::new(GzipMember { raw, inflate, ended: false, complaint: None }))
            }
            Compression::Zstd => {
                let decoder = ZstdDecoder::new();
                Self::Zstd(Box::new(ZstdFrame { raw, decoder, begun: false, complaint: None }))
            }
            Compression::Lz4 => Self::Lz4(Box::new(Lz4Decoder::new(raw))),
        }
    }

    fn raw(&self) -> &Raw {
        match self {
            Self::Gzip(member) => &member.raw,
            Self::Lz4(decoder) => decoder.get_ref(),
            Self::Zstd(frame) => &frame.raw,
            Self::Done(raw) => raw,
        }
    }

    fn raw_mut(&mut self) -> &mut Raw {
        match self {
            Self::Gzip(member) => &mut member.raw,
            Self::Lz4(decoder) => decoder.get_mut(),
            Self::Zstd(frame) => &mut frame.raw,
            Self::Done(raw) => raw,
        }
    }

    /// Gives the compressed bytes back, and what is wrong with the piece as a whole.
    fn end(self) -> (Raw, Option<String>) {
        match self {
            Self::Gzip(member) => (member.raw, member.complaint),
            Self::Lz4(decoder) => (decoder.into_inner(), None),
            Self::Done(raw) => (raw, None),
            Self::Zstd(frame) => frame.end(),
        }
    }
}

impl Read for Piece {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(member) => member.read(into),
            Self::Lz4(decoder) => decoder.read(into),
            Self::Zstd(frame) => frame.read(into),
            Self::Done(_) => Ok(0),
        }
    }
}

/// One gzip member (RFC 1952) being unpacked. flate2's own reader drops what it unpacked since its latest call
/// when it meets damage; this one gives out every byte before it.
struct GzipMember {
    raw: Raw,
    inflate: Decompress,
    ended: bool,
    complaint: Option<String>,
}

impl Read for GzipMember {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !into.is_empty() {
            let input = self.raw.fill_buf()?;
            let exhausted = input.is_empty();
            let (taken, given) = (self.inflate.total_in(), self.inflate.total_out());
            let result = self.inflate.decompress(input, into, FlushDecompress::None);
            let taken = (self.inflate.total_in() - taken) as usize;
            let given = (self.inflate.total_out() - given) as usize;
            self.raw.consume(taken);
            match result {
                Ok(Status::StreamEnd) => self.ended = true,
                Ok(_) if exhausted && given == 0 => {
                    self.complaint = Some("it ends in the middle of a gzip member".to_owned());
                    self.ended = true;
                }
                Ok(_) => {}
                Err(_) => {
                    // What zlib says depends on how much room it had when it met the damage.
                    self.complaint = Some("it breaks the rules of a gzip member".to_owned());
                    self.ended = true;
                }
            }
            if given > 0 {
                return Ok(given);
            }
        }
        Ok(0)
    }
}

/// One zstd frame (RFC 8878 §3.1.1) being unpacked.
struct ZstdFrame {
    raw: Raw,
    decoder: ZstdDecoder,
    begun: bool,
    complaint: Option<String>,
}

impl ZstdFrame {
    /// An empty last block and a checksum that nobody looks at.
    const FAREWELL: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

    /// Unpacks the next block. Damage is remembered, and the frame ends with what was unpacked before it.
    fn next_block(&mut self) {
        if let Err(error) = self.decoder.decode_blocks(&mut self.raw, BlockDecodingStrategy::UptoBlocks(1)) {
            self.complaint = Some(error.to_string());
            // The decoder holds back its whole window until it sees a last block: give it one.
            let _ = self.decoder.decode_blocks(&Self::FAREWELL[..], BlockDecodingStrategy::UptoBlocks(1));
        }
    }

    fn end(self) -> (Raw, Option<String>) {
        let stored = self.decoder.get_checksum_from_data();
        let wrong = stored.is_some() && stored != self.decoder.get_calculated_checksum();
        let mismatch = wrong.then(|| "the checksum of a zstd frame does not match its content".to_owned());
        (self.raw, self.complaint.or(mismatch))
    }
}

impl Read for ZstdFrame {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.begun {
            self.begun = true;
            self.decoder.init(&mut self.raw).map_err(io::Error::other)?;
        }
        while self.decoder.can_collect() == 0 && !self.decoder.is_finished() && self.complaint.is_none() {
            self.next_block();
        }
        self.decoder.read(into)
    }
}
