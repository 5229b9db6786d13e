//! Small captures built for tests, and what reading them gives.

use std::io::{self, Read};
use std::path::PathBuf;

use crate::capture::format::ByteOrder;
use crate::capture::{Batch, Capture, Finished, LinkType};
use crate::time::Timestamp;

/// A number in the byte order of the capture.
fn u16_in(order: ByteOrder, number: u16) -> [u8; 2] {
    match order {
        ByteOrder::Little => number.to_le_bytes(),
        ByteOrder::Big => number.to_be_bytes(),
    }
}

fn u32_in(order: ByteOrder, number: u32) -> [u8; 4] {
    match order {
        ByteOrder::Little => number.to_le_bytes(),
        ByteOrder::Big => number.to_be_bytes(),
    }
}

fn u64_in(order: ByteOrder, number: u64) -> [u8; 8] {
    match order {
        ByteOrder::Little => number.to_le_bytes(),
        ByteOrder::Big => number.to_be_bytes(),
    }
}

/// A pcap file in the making.
#[derive(Debug, Clone)]
pub(super) struct PcapSample {
    order: ByteOrder,
    magic: u32,
    pub(super) bytes: Vec<u8>,
}

impl PcapSample {
    pub(super) fn new(order: ByteOrder, magic: u32) -> Self {
        Self::with_version(order, magic, 2, 4)
    }

    pub(super) fn with_version(order: ByteOrder, magic: u32, major: u16, minor: u16) -> Self {
        let mut bytes = u32_in(order, magic).to_vec();
        bytes.extend(u16_in(order, major));
        bytes.extend(u16_in(order, minor));
        for field in [0, 0, 65_535, 1] {
            bytes.extend(u32_in(order, field));
        }
        Self { order, magic, bytes }
    }

    /// Adds a record whose two lengths are as given.
    pub(super) fn lengths(mut self, time: (u32, u32), lengths: (u32, u32), data: &[u8]) -> Self {
        for field in [time.0, time.1, lengths.0, lengths.1] {
            self.bytes.extend(u32_in(self.order, field));
        }
        if self.magic == 0xa1b2_cd34 {
            self.bytes.extend([0, 1, 2, 3, 0, 1, 0, 0]);
        }
        self.bytes.extend(data);
        self
    }

    pub(super) fn record(self, time: (u32, u32), data: &[u8]) -> Self {
        let length = data.len() as u32;
        self.lengths(time, (length, length), data)
    }
}

/// A snoop file in the making.
#[derive(Debug, Clone)]
pub(super) struct SnoopSample {
    pub(super) bytes: Vec<u8>,
}

impl SnoopSample {
    pub(super) fn new(version: u32, datalink: u32) -> Self {
        let mut bytes = b"snoop\0\0\0".to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.extend(datalink.to_be_bytes());
        Self { bytes }
    }

    /// Adds a record with the drops so far, and more padding than it needs.
    pub(super) fn full(
        mut self,
        time: (u32, u32),
        original: u32,
        drops: u32,
        padding: usize,
        data: &[u8],
    ) -> Self {
        let length = (24 + data.len()).next_multiple_of(4) + padding;
        let end = self.bytes.len() + length;
        for field in [original, data.len() as u32, length as u32, drops, time.0, time.1] {
            self.bytes.extend(field.to_be_bytes());
        }
        self.bytes.extend(data);
        self.bytes.resize(end, 0);
        self
    }

    pub(super) fn record(self, time: (u32, u32), data: &[u8]) -> Self {
        self.full(time, data.len() as u32, 0, 0, data)
    }
}

/// A pcapng file in the making.
#[derive(Debug, Clone)]
pub(super) struct PcapngSample {
    order: ByteOrder,
    pub(super) bytes: Vec<u8>,
}

impl PcapngSample {
    pub(super) fn new(order: ByteOrder) -> Self {
        Self { order, bytes: Vec::new() }.section(order, &[])
    }

    pub(super) fn section(mut self, order: ByteOrder, options: &[(u16, &[u8])]) -> Self {
        self.order = order;
        let mut content = u32_in(order, 0x1a2b_3c4d).to_vec();
        content.extend(u16_in(order, 1));
        content.extend(u16_in(order, 0));
        content.extend(u64_in(order, u64::MAX));
        content.extend(options_in(order, options));
        self.block(0x0a0d_0d0a, &content)
    }

    pub(super) fn block(mut self, kind: u32, content: &[u8]) -> Self {
        let length = content.len().next_multiple_of(4) as u32 + 12;
        self.bytes.extend(u32_in(self.order, kind));
        self.bytes.extend(u32_in(self.order, length));
        self.bytes.extend(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.bytes.extend(u32_in(self.order, length));
        self
    }

    pub(super) fn interface(self, link: u16, snaplen: u32, options: &[(u16, &[u8])]) -> Self {
        let mut content = u16_in(self.order, link).to_vec();
        content.extend([0, 0]);
        content.extend(u32_in(self.order, snaplen));
        content.extend(options_in(self.order, options));
        self.block(1, &content)
    }

    pub(super) fn enhanced(self, interface: u32, ticks: u64, data: &[u8]) -> Self {
        self.enhanced_with(interface, ticks, data, data.len() as u32, &[])
    }

    pub(super) fn enhanced_with(
        self,
        interface: u32,
        ticks: u64,
        data: &[u8],
        original: u32,
        options: &[(u16, &[u8])],
    ) -> Self {
        let mut content = Vec::new();
        for field in [interface, (ticks >> 32) as u32, ticks as u32, data.len() as u32, original] {
            content.extend(u32_in(self.order, field));
        }
        content.extend(data);
        content.resize(content.len().next_multiple_of(4), 0);
        content.extend(options_in(self.order, options));
        self.block(6, &content)
    }

    pub(super) fn obsolete(self, interface: u16, drops: u16, ticks: u64, data: &[u8]) -> Self {
        let mut content = u16_in(self.order, interface).to_vec();
        content.extend(u16_in(self.order, drops));
        let length = data.len() as u32;
        for field in [(ticks >> 32) as u32, ticks as u32, length, length] {
            content.extend(u32_in(self.order, field));
        }
        content.extend(data);
        self.block(2, &content)
    }

    pub(super) fn simple(self, original: u32, data: &[u8]) -> Self {
        let mut content = u32_in(self.order, original).to_vec();
        content.extend(data);
        self.block(3, &content)
    }

    pub(super) fn statistics(self, interface: u32, options: &[(u16, &[u8])]) -> Self {
        let mut content = u32_in(self.order, interface).to_vec();
        content.extend([0; 8]);
        content.extend(options_in(self.order, options));
        self.block(5, &content)
    }

    pub(super) fn secrets(self, kind: u32, secret: &[u8]) -> Self {
        let mut content = u32_in(self.order, kind).to_vec();
        content.extend(u32_in(self.order, secret.len() as u32));
        content.extend(secret);
        self.block(10, &content)
    }

    pub(super) fn names(self, records: &[(u16, &[u8])]) -> Self {
        let content = options_in(self.order, records);
        self.block(4, &content)
    }
}

/// Options, or the records of a name resolution block, which look alike; ended where there are any.
fn options_in(order: ByteOrder, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (code, value) in options {
        bytes.extend(u16_in(order, *code));
        bytes.extend(u16_in(order, value.len() as u16));
        bytes.extend(*value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    if !options.is_empty() {
        bytes.extend([0; 4]);
    }
    bytes
}

/// Bytes of a frame that differ from those of every other.
pub(super) fn payload(index: usize, length: usize) -> Vec<u8> {
    (0..length).map(|at| (index * 31 + at * 7 + 0x41) as u8 | 0x80).collect()
}

/// One frame as it came out of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) number: u64,
    pub(super) file: u16,
    pub(super) frame: u64,
    pub(super) offset: u64,
    pub(super) time: Timestamp,
    pub(super) link: LinkType,
    pub(super) interface: u32,
    pub(super) original: u32,
    pub(super) bytes: Vec<u8>,
}

/// Reads everything, checking each batch's bounds.
pub(super) fn drain(mut capture: Capture, batch_bytes: usize) -> (Vec<Seen>, Finished) {
    let mut batch = Batch::default();
    let mut seen = Vec::new();
    while capture.fill(&mut batch) {
        assert!(!batch.frames.is_empty());
        let bytes: usize = batch.frames.iter().map(|record| record.bytes.length as usize).sum();
        assert!(bytes <= batch_bytes || batch.frames.len() == 1, "{bytes} in a batch of {batch_bytes}");
        for record in &batch.frames {
            let frame = batch.frame(record);
            assert_eq!(frame.bytes.len(), record.at.length as usize);
            seen.push(Seen {
                number: frame.at.number,
                file: frame.at.file.0,
                frame: frame.at.frame,
                offset: frame.at.offset,
                time: frame.time,
                link: frame.link,
                interface: frame.interface,
                original: frame.original,
                bytes: frame.bytes.to_vec(),
            });
        }
    }
    assert!(batch.frames.is_empty());
    (seen, capture.finish())
}

/// Reads one capture from memory.
pub(super) fn read(bytes: &[u8]) -> (Vec<Seen>, Finished) {
    read_in(bytes, 1 << 20, usize::MAX)
}

/// Reads one capture from memory, in batches of a size and at most `step` bytes at once.
pub(super) fn read_in(bytes: &[u8], batch_bytes: usize, step: usize) -> (Vec<Seen>, Finished) {
    let reader = Trickle { bytes: bytes.to_vec(), at: 0, step };
    let readers: Vec<(PathBuf, Box<dyn Read + Send>)> = vec![("sample".into(), Box::new(reader))];
    drain(Capture::from_readers(readers, batch_bytes).unwrap(), batch_bytes)
}

/// A reader that gives only a few bytes at once, as pipes do.
struct Trickle {
    bytes: Vec<u8>,
    at: usize,
    step: usize,
}

impl Read for Trickle {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[self.at..];
        let count = rest.len().min(into.len()).min(self.step);
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}
