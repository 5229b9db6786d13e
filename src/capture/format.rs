//! The capture formats behind one face: what stands next in a window of bytes.

use crate::capture::LinkType;
use crate::capture::ledger::Ledger;
use crate::capture::pcap::Pcap;
use crate::capture::pcapng::Pcapng;
use crate::capture::snoop::Snoop;
use crate::time::Timestamp;

/// Bytes from which every format can be told.
pub(super) const HEAD_BYTES: usize = 24;

/// Which beginnings are understood, for messages.
pub(super) const EXPECTED: &str = "a pcap magic (a1b2c3d4, a1b23c4d or a1b2cd34, in either byte order), a pcapng section header (0a0d0d0a) or a snoop magic (736e6f6f70000000)";

/// The bytes of a file that are at hand, from the first that is not yet dealt with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'w> {
    /// The bytes.
    pub(super) bytes: &'w [u8],
    /// Offset of the first one in the (unpacked) file.
    pub(super) offset: u64,
    /// Whether the file has no more than these.
    pub(super) ended: bool,
}

/// A frame as its record describes it; positions count from the window's first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawFrame {
    /// First captured byte.
    pub(super) start: usize,
    /// Captured bytes.
    pub(super) length: u32,
    /// Bytes on the wire.
    pub(super) original: u32,
    /// When; none where the record holds no time.
    pub(super) time: Option<Timestamp>,
    /// What its first byte means.
    pub(super) link: LinkType,
    /// Index of its interface in the file.
    pub(super) interface: u32,
}

/// What stands next in the window.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A frame; so many bytes are dealt with once it is taken.
    Frame(RawFrame, usize),
    /// So many bytes that hold no frame.
    Skip(usize),
    /// Unclear until the window holds so many bytes.
    More(usize),
    /// Nothing more in this file.
    End,
}

/// The reader of one file's records.
#[derive(Debug)]
pub(super) enum Format {
    /// The older format of libpcap.
    Pcap(Pcap),
    /// The newer one.
    Pcapng(Box<Pcapng>),
    /// Solaris' own.
    Snoop(Snoop),
}

impl Format {
    /// Tells the format from the file's first bytes; none if it is no capture.
    pub(super) fn detect(head: &[u8], ledger: &mut Ledger) -> Option<Self> {
        if let Some(pcap) = Pcap::detect(head, ledger) {
            return Some(Self::Pcap(pcap));
        }
        if let Some(snoop) = Snoop::detect(head, ledger) {
            return Some(Self::Snoop(snoop));
        }
        Pcapng::detect(head, ledger).map(|pcapng| Self::Pcapng(Box::new(pcapng)))
    }

    /// What stands next.
    pub(super) fn step(&mut self, window: Window<'_>, ledger: &mut Ledger) -> Step {
        match self {
            Self::Pcap(pcap) => pcap.step(window, ledger),
            Self::Pcapng(pcapng) => pcapng.step(window, ledger),
            Self::Snoop(snoop) => snoop.step(window, ledger),
        }
    }
}

/// The order of bytes in a number of more than one.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    /// The one that this is not.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Little => Self::Big,
            Self::Big => Self::Little,
        }
    }

    /// The 16-bit number at `at`.
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let field = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(*field),
            Self::Big => u16::from_be_bytes(*field),
        })
    }

    /// The 32-bit number at `at`.
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let field = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(*field),
            Self::Big => u32::from_be_bytes(*field),
        })
    }

    /// The 64-bit number at `at`.
    pub(super) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let field = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u64::from_le_bytes(*field),
            Self::Big => u64::from_be_bytes(*field),
        })
    }
}
