//! Writes pcapng (draft-ietf-opsawg-pcapng): one little-endian section.
//!
//! The stories have a writer of their own, for they must not share a mistake with what is analysed.

use std::io::{self, Write};
use std::net::IpAddr;

use crate::capture::LinkType;
use crate::time::Timestamp;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const NAMES: u32 = 4;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;
const SECRETS: u32 = 10;

const END: u16 = 0;
const COMMENT: u16 = 1;
const USER_APPLICATION: u16 = 4;
const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;
const IF_RESOLUTION: u16 = 9;
const IF_OFFSET: u16 = 14;
const ISB_START: u16 = 2;
const ISB_END: u16 = 3;
const ISB_DROPS: u16 = 5;

const NANOS: i64 = 1_000_000_000;

/// An interface of the section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    /// What its frames begin with.
    pub link: LinkType,
    /// Bytes kept of a frame at most; 0 for no limit.
    pub snaplen: u32,
    /// Its name, or empty.
    pub name: String,
    /// Where its frames come from, or empty.
    pub description: String,
    /// Whether its clock counts microseconds; nanoseconds otherwise.
    pub microseconds: bool,
    /// The earliest time that it has to hold: pcapng counts from an offset, and never backwards.
    pub earliest: Timestamp,
}

impl Interface {
    /// Seconds that the clock begins at: the epoch, or the second of an earlier frame.
    fn offset(&self) -> i64 {
        self.earliest.0.div_euclid(NANOS).min(0)
    }

    fn ticks(&self, time: Timestamp) -> u64 {
        let nanos = i128::from(time.0) - i128::from(self.offset()) * i128::from(NANOS);
        let ticks = if self.microseconds { nanos / 1_000 } else { nanos };
        u64::try_from(ticks.max(0)).unwrap_or(u64::MAX)
    }
}

/// A section being written.
pub struct Writer<'w> {
    out: &'w mut dyn Write,
    interfaces: Vec<Interface>,
    body: Vec<u8>,
}

impl<'w> Writer<'w> {
    /// Begins the section with its comments.
    ///
    /// # Errors
    /// What the writer says, as for all that follows.
    pub fn begin(out: &'w mut dyn Write, comments: &[String]) -> io::Result<Self> {
        let mut writer = Self { out, interfaces: Vec::new(), body: Vec::new() };
        writer.number(0x1a2b_3c4d);
        writer.body.extend(1_u16.to_le_bytes());
        writer.body.extend(0_u16.to_le_bytes());
        // The length of the section is not given.
        writer.body.extend(u64::MAX.to_le_bytes());
        for comment in comments {
            writer.text(COMMENT, comment);
        }
        writer.text(USER_APPLICATION, concat!("ghostshark ", env!("CARGO_PKG_VERSION")));
        writer.option(END, &[]);
        writer.block(SECTION)?;
        Ok(writer)
    }

    /// Adds an interface; its number.
    ///
    /// # Errors
    /// What the writer says; `InvalidInput` for a link type that the format has no room for.
    pub fn interface(&mut self, interface: Interface) -> io::Result<u32> {
        let link = u16::try_from(interface.link.0)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "pcapng has 16 bits for a link type"))?;
        self.body.extend(link.to_le_bytes());
        self.body.extend(0_u16.to_le_bytes());
        self.number(interface.snaplen);
        for (code, text) in [(IF_NAME, &interface.name), (IF_DESCRIPTION, &interface.description)] {
            if !text.is_empty() {
                self.text(code, text);
            }
        }
        self.option(IF_RESOLUTION, &[if interface.microseconds { 6 } else { 9 }]);
        if interface.offset() != 0 {
            self.option(IF_OFFSET, &interface.offset().to_le_bytes());
        }
        self.option(END, &[]);
        self.block(INTERFACE)?;
        self.interfaces.push(interface);
        Ok(self.interfaces.len() as u32 - 1)
    }

    /// Writes decryption secrets; they must stand before the packets that they open.
    ///
    /// # Errors
    /// What the writer says.
    pub fn secrets(&mut self, kind: u32, bytes: &[u8]) -> io::Result<()> {
        self.number(kind);
        self.number(bytes.len() as u32);
        self.padded(bytes);
        self.block(SECRETS)
    }

    /// Writes names of addresses; nothing where there are none.
    ///
    /// # Errors
    /// What the writer says.
    pub fn names(&mut self, names: &[(IpAddr, String)]) -> io::Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        for (address, name) in names {
            let (kind, mut record) = match address {
                IpAddr::V4(address) => (1, address.octets().to_vec()),
                IpAddr::V6(address) => (2, address.octets().to_vec()),
            };
            record.extend(name.bytes().filter(|byte| *byte != 0));
            record.push(0);
            self.option(kind, &record);
        }
        self.option(END, &[]);
        self.block(NAMES)
    }

    /// Writes a packet with its comments.
    ///
    /// # Errors
    /// What the writer says.
    pub fn packet(
        &mut self,
        interface: u32,
        time: Timestamp,
        (bytes, original): (&[u8], u32),
        comments: &[String],
    ) -> io::Result<()> {
        let ticks = self.interfaces.get(interface as usize).map_or(0, |known| known.ticks(time));
        for number in [interface, (ticks >> 32) as u32, ticks as u32, bytes.len() as u32, original] {
            self.number(number);
        }
        self.padded(bytes);
        for comment in comments {
            self.text(COMMENT, comment);
        }
        if !comments.is_empty() {
            self.option(END, &[]);
        }
        self.block(PACKET)
    }

    /// Writes from when to when an interface was watched, and what was dropped there where that is known.
    ///
    /// # Errors
    /// What the writer says.
    pub fn statistics(
        &mut self,
        interface: u32,
        watched: Option<(Timestamp, Timestamp)>,
        drops: Option<u64>,
    ) -> io::Result<()> {
        let Some(known) = self.interfaces.get(interface as usize) else { return Ok(()) };
        let ticks = watched.map(|(start, end)| (known.ticks(start), known.ticks(end)));
        let halves = |ticks: u64| {
            let mut octets = ((ticks >> 32) as u32).to_le_bytes().to_vec();
            octets.extend((ticks as u32).to_le_bytes());
            octets
        };
        let now = ticks.map_or(0, |(_, end)| end);
        self.number(interface);
        self.body.extend(halves(now));
        if let Some((start, end)) = ticks {
            self.option(ISB_START, &halves(start));
            self.option(ISB_END, &halves(end));
        }
        if let Some(drops) = drops {
            self.option(ISB_DROPS, &drops.to_le_bytes());
        }
        self.option(END, &[]);
        self.block(STATISTICS)
    }

    fn number(&mut self, number: u32) {
        self.body.extend(number.to_le_bytes());
    }

    /// A text, cut where an option cannot hold more.
    fn text(&mut self, code: u16, text: &str) {
        let most = usize::from(u16::MAX);
        let mut end = text.len().min(most);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.option(code, text.as_bytes().get(..end).unwrap_or_default());
    }

    /// An option or a record of a name: code, length, value.
    fn option(&mut self, code: u16, value: &[u8]) {
        let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
        self.body.extend(code.to_le_bytes());
        self.body.extend((value.len() as u16).to_le_bytes());
        self.padded(value);
    }

    /// Bytes filled up to a multiple of four.
    fn padded(&mut self, bytes: &[u8]) {
        self.body.extend_from_slice(bytes);
        self.body.resize(self.body.len().next_multiple_of(4), 0);
    }

    /// The block around what was gathered, with its length at both ends.
    fn block(&mut self, kind: u32) -> io::Result<()> {
        let total = (self.body.len() as u32).saturating_add(12).to_le_bytes();
        self.out.write_all(&kind.to_le_bytes())?;
        self.out.write_all(&total)?;
        self.out.write_all(&self.body)?;
        self.out.write_all(&total)?;
        self.body.clear();
        Ok(())
    }
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("interfaces", &self.interfaces).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Batch, Capture};

    #[test]
    fn what_is_written_is_read() {
        let times = [Timestamp(-1_500_000_000), Timestamp(1_700_000_000_123_456_789)];
        let mut out = Vec::new();
        let mut writer = Writer::begin(&mut out, &["all of it".to_owned()]).unwrap();
        let interface = Interface { link: LinkType(101), earliest: times[0], ..Interface::default() };
        let plain = Interface {
            link: LinkType(1),
            name: "eth0".to_owned(),
            microseconds: true,
            ..Interface::default()
        };
        let early = writer.interface(interface).unwrap();
        let late = writer.interface(plain).unwrap();
        writer.secrets(0x544c_534b, b"CLIENT_RANDOM").unwrap();
        writer.names(&[("10.0.0.1".parse().unwrap(), "one".to_owned())]).unwrap();
        writer.packet(early, times[0], (b"early", 5), &["a".to_owned(), "b".to_owned()]).unwrap();
        writer.packet(late, times[1], (b"late", 1500), &[]).unwrap();
        writer.statistics(late, Some((times[1], times[1])), Some(3)).unwrap();

        let mut capture =
            Capture::from_readers(vec![("x".into(), Box::new(io::Cursor::new(out)))], 1 << 16).unwrap();
        let mut batch = Batch::default();
        let mut seen = Vec::new();
        while capture.fill(&mut batch) {
            for record in &batch.frames {
                let frame = batch.frame(record);
                seen.push((frame.time, frame.link.0, frame.bytes.to_vec(), frame.original));
            }
        }
        let finished = capture.finish();
        assert_eq!(
            seen,
            [
                (times[0], 101, b"early".to_vec(), 5),
                (Timestamp(1_700_000_000_123_456_000), 1, b"late".to_vec(), 1500),
            ]
        );
        let file = &finished.files[0];
        assert_eq!((file.interfaces[1].name.as_str(), file.interfaces[1].drops), ("eth0", Some(3)));
        let comments: Vec<_> = file.comments.iter().map(|(frame, text)| (*frame, text.as_str())).collect();
        assert_eq!(comments, [(0, "all of it"), (1, "a"), (1, "b")]);
        assert_eq!(file.names[0].1, "one");
        assert_eq!(finished.secrets[0].bytes, b"CLIENT_RANDOM");
        // The recorder's drops are the only thing to remark.
        assert_eq!(finished.problems.list().len(), 1);
    }
}
