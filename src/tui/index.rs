//! Where every packet lies and to which connection it belongs: what the list of packets needs to go anywhere at once.

use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::analysis::Analysis;
use crate::capture::{Batch, Capture, FrameRecord, Input, LinkType, Slice};
use crate::error::Error;
use crate::events::Endpoint;
use crate::limits::BATCH_BYTES;
use crate::packet::{Body, Decoder, FlowKey, Packet, Transport};
use crate::place::{FileId, PacketRef};
use crate::time::Timestamp;

/// One packet of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PacketRow {
    /// Where it lies.
    pub at: PacketRef,
    /// When it was captured.
    pub time: Timestamp,
    /// Its length on the wire.
    pub original: u32,
    /// Its connection; [`PacketRow::NONE`] where it belongs to none.
    pub connection: u32,
    /// What its first byte means.
    pub link: LinkType,
    /// Index of its interface.
    pub interface: u16,
    /// TCP flags, the lower eight.
    pub flags: u8,
    /// Who sent it and what it is.
    pub kind: Kind,
    /// Whether whoever reads a connection again needs it whatever its connection is: a fragment, or a frame with
    /// several packets.
    pub shared: bool,
}

/// Who sent a packet, as far as the index knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Neither TCP nor UDP.
    #[default]
    Other,
    /// The connection's client.
    Client,
    /// Its server.
    Server,
    /// An ICMP error about it.
    Error,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Other, Self::Client, Self::Server, Self::Error];
}

impl PacketRow {
    /// No connection.
    pub const NONE: u32 = u32::MAX;

    /// The connection, where there is one.
    pub fn connection(&self) -> Option<u32> {
        (self.connection != Self::NONE).then_some(self.connection)
    }

    /// Where it lies and its facts, for whoever reads it again.
    pub fn record(&self) -> FrameRecord {
        FrameRecord {
            at: self.at,
            time: self.time,
            link: self.link,
            interface: u32::from(self.interface),
            bytes: Slice::default(),
            original: self.original,
        }
    }
}

/// A packet as the list keeps it: what neighbours have in common is said once for all of them.
#[derive(Debug, Clone, Copy)]
struct Packed {
    time: Timestamp,
    /// Offset in its file, and number in it, from those of its origin.
    offset: u32,
    frame: u32,
    length: u32,
    original: u32,
    connection: u32,
    /// Which of the run's origins.
    origin: u16,
    flags: u8,
    /// Place of its kind among all, and [`Packed::SHARED`].
    kind: u8,
}

impl Packed {
    const SHARED: u8 = 0x80;
}

/// What packets of one file and interface have in common.
#[derive(Debug, Clone, Copy)]
struct Origin {
    file: FileId,
    link: LinkType,
    interface: u16,
    offset: u64,
    frame: u64,
}

impl Origin {
    /// How far behind it a packet lies, where it is one of its own and near enough.
    fn distance(&self, row: &PacketRow) -> Option<(u32, u32)> {
        let same = (self.file, self.link, self.interface) == (row.at.file, row.link, row.interface);
        let offset = row.at.offset.checked_sub(self.offset).and_then(|far| u32::try_from(far).ok())?;
        let frame = row.at.frame.checked_sub(self.frame).and_then(|far| u32::try_from(far).ok())?;
        same.then_some((offset, frame))
    }
}

/// A run of packets with consecutive numbers.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    first: u64,
    origins: Vec<Origin>,
    rows: Vec<Packed>,
}

impl Chunk {
    /// Packs packets, which are in order.
    pub fn pack(rows: &[PacketRow]) -> Vec<Self> {
        let mut chunks: Vec<Self> = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            let packed = chunks.last_mut().is_some_and(|chunk| chunk.push(row));
            if !packed {
                let mut chunk = Self { first: row.at.number, ..Self::default() };
                chunk.rows.reserve_exact(rows.len() - place);
                chunk.push(row);
                chunks.push(chunk);
            }
        }
        for chunk in &mut chunks {
            chunk.rows.shrink_to_fit();
        }
        chunks
    }

    /// How many packets it holds.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes the next packet; false where it does not follow the one before.
    fn push(&mut self, row: &PacketRow) -> bool {
        if row.at.number != self.first + self.rows.len() as u64 {
            return false;
        }
        // The one that was met last is the likeliest.
        let mut known = self.origins.iter().enumerate().rev();
        let known = known.find_map(|(place, origin)| Some((place, origin.distance(row)?)));
        let (origin, (offset, frame)) = known.unwrap_or_else(|| {
            let PacketRow { at, link, interface, .. } = *row;
            let origin = Origin { file: at.file, link, interface, offset: at.offset, frame: at.frame };
            self.origins.push(origin);
            (self.origins.len() - 1, (0, 0))
        });
        let Ok(origin) = u16::try_from(origin) else { return false };
        self.rows.push(Packed {
            time: row.time,
            offset,
            frame,
            length: row.at.length,
            original: row.original,
            connection: row.connection,
            origin,
            flags: row.flags,
            kind: row.kind as u8 | if row.shared { Packed::SHARED } else { 0 },
        });
        true
    }

    fn get(&self, place: usize) -> Option<PacketRow> {
        let packed = self.rows.get(place)?;
        let origin = self.origins.get(usize::from(packed.origin))?;
        let kind = Kind::ALL.get(usize::from(packed.kind & !Packed::SHARED)).copied();
        Some(PacketRow {
            at: PacketRef {
                number: self.first + place as u64,
                offset: origin.offset + u64::from(packed.offset),
                frame: origin.frame + u64::from(packed.frame),
                length: packed.length,
                file: origin.file,
            },
            time: packed.time,
            original: packed.original,
            connection: packed.connection,
            link: origin.link,
            interface: origin.interface,
            flags: packed.flags,
            kind: kind.unwrap_or_default(),
            shared: packed.kind & Packed::SHARED != 0,
        })
    }
}

/// The list of all packets so far. Grows by chunks, and nothing in it moves.
#[derive(Debug, Clone, Default)]
pub struct PacketIndex {
    chunks: Vec<Arc<Chunk>>,
    starts: Vec<usize>,
    rows: usize,
}

impl PacketIndex {
    /// Puts the next packets behind the others.
    pub fn push(&mut self, chunk: Arc<Chunk>) {
        self.starts.push(self.rows);
        self.rows += chunk.len();
        self.chunks.push(chunk);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The packet of a place.
    pub fn get(&self, place: usize) -> Option<PacketRow> {
        let chunk = self.starts.partition_point(|start| *start <= place).checked_sub(1)?;
        self.chunks.get(chunk)?.get(place - self.starts.get(chunk)?)
    }

    /// The place of the packet with this running number, or of the next one.
    pub fn find(&self, number: u64) -> usize {
        let end = |chunk: &Chunk| chunk.first + chunk.len() as u64;
        let place = self.chunks.partition_point(|chunk| end(chunk) <= number);
        let (Some(chunk), Some(start)) = (self.chunks.get(place), self.starts.get(place)) else {
            return self.rows;
        };
        start + number.saturating_sub(chunk.first) as usize
    }

    /// The packets of these places, in order.
    pub fn rows(&self, places: Range<usize>) -> impl DoubleEndedIterator<Item = (usize, PacketRow)> {
        let first = self.starts.partition_point(|start| *start <= places.start).saturating_sub(1);
        let last = self.starts.partition_point(|start| *start < places.end).max(first);
        let chunks = self.chunks.get(first..last).unwrap_or_default();
        let starts = self.starts.get(first..last).unwrap_or_default();
        chunks.iter().zip(starts).flat_map(move |(chunk, start)| {
            let from = places.start.saturating_sub(*start);
            let to = chunk.len().min(places.end - start);
            (from..to).filter_map(move |place| Some((start + place, chunk.get(place)?)))
        })
    }

    /// The places of the packets from one on that are wanted, in order.
    pub fn places(&self, from: usize, mut wanted: impl FnMut(&PacketRow) -> bool) -> Vec<u32> {
        let rows = self.rows(from..self.rows);
        rows.filter(|(_, row)| wanted(row)).map(|(place, _)| place as u32).collect()
    }
}

/// A connection among those of the same endpoints.
#[derive(Debug)]
struct Life {
    first: u64,
    last: u64,
    id: u32,
    low_is_client: bool,
}

/// Finds the connections of packets.
#[derive(Debug)]
struct Owners {
    flows: HashMap<FlowKey, Vec<Life>, FixedState>,
}

impl Owners {
    fn new(analysis: &Analysis) -> Self {
        let mut flows: HashMap<FlowKey, Vec<Life>, FixedState> = HashMap::with_hasher(FixedState::default());
        for connection in &analysis.connections {
            let (key, _) = FlowKey::new(connection.client, connection.server, connection.transport);
            flows.entry(key).or_default().push(Life {
                first: connection.first.number,
                last: connection.last.number,
                id: connection.id,
                low_is_client: key.low == connection.client,
            });
        }
        Self { flows }
    }

    /// The connection of a packet: the one that lives then, else the one that lived last.
    fn of(&self, packet: &Packet) -> Option<&Life> {
        let lives = self.flows.get(&packet.flow)?;
        let number = packet.at.number;
        let living = lives.iter().rev().find(|life| life.first <= number && number <= life.last);
        living.or_else(|| lives.iter().rev().find(|life| life.first <= number)).or(lives.first())
    }
}

/// Reads the inputs once more and hands over the packets of each batch, for as long as `take` wants more.
///
/// # Errors
/// Where not one input can be read again.
pub fn build(
    inputs: Vec<Input>,
    analysis: &Analysis,
    take: &mut dyn FnMut(Vec<PacketRow>, u64, Option<u64>) -> bool,
) -> Result<(), Error> {
    let owners = Owners::new(analysis);
    let mut capture = Capture::open(inputs, BATCH_BYTES)?;
    let mut decoder = Decoder::new();
    let mut batch = Batch::default();
    while capture.fill(&mut batch) {
        let mut rows = Vec::with_capacity(batch.frames.len());
        let mut side = std::mem::take(&mut batch.side);
        for record in &batch.frames {
            let mut row = PacketRow {
                at: record.at,
                time: record.time,
                original: record.original,
                connection: PacketRow::NONE,
                link: record.link,
                interface: record.interface.min(u32::from(u16::MAX)) as u16,
                flags: 0,
                kind: Kind::Other,
                shared: false,
            };
            let mut first = true;
            let aside = decoder.put_aside();
            decoder.decode(&batch.frame(record), record.bytes, &mut side, &mut |packet| {
                // A frame may hold several packets; the list shows the first.
                if std::mem::replace(&mut first, false) {
                    describe(&mut row, &packet, &owners);
                } else {
                    row.shared = true;
                }
            });
            row.shared |= decoder.put_aside() > aside;
            rows.push(row);
        }
        batch.side = side;
        let progress = capture.progress();
        if !take(rows, progress.read, progress.total) {
            break;
        }
    }
    Ok(())
}

fn describe(row: &mut PacketRow, packet: &Packet, owners: &Owners) {
    let owner = owners.of(packet);
    row.connection = owner.map_or(PacketRow::NONE, |life| life.id);
    let sender = packet.flow.source(packet.direction);
    let from_client = owner.is_some_and(|life| (sender == packet.flow.low) == life.low_is_client);
    row.kind = match &packet.body {
        Body::IcmpError(_) => Kind::Error,
        _ if from_client => Kind::Client,
        _ => Kind::Server,
    };
    if let Body::Tcp(head) = &packet.body {
        row.flags = head.flags.0 as u8;
    }
}

/// What a packet is called without being decoded: its transport, and for TCP its flags.
pub fn title(row: &PacketRow, transport: Option<Transport>) -> String {
    const FLAGS: [(u8, &str); 6] =
        [(0x02, "SYN"), (0x01, "FIN"), (0x04, "RST"), (0x08, "PSH"), (0x10, "ACK"), (0x20, "URG")];
    match (row.kind, transport) {
        (Kind::Error, _) => "ICMP error".to_owned(),
        (_, Some(Transport::Tcp)) => {
            let set: Vec<&str> =
                FLAGS.iter().filter(|(bit, _)| row.flags & bit != 0).map(|(_, name)| *name).collect();
            set.join(", ")
        }
        (_, Some(Transport::Udp)) => "datagram".to_owned(),
        _ => String::new(),
    }
}

/// Source and destination of a packet by its connection.
pub fn parties(row: &PacketRow, client: Endpoint, server: Endpoint) -> (Endpoint, Endpoint) {
    if row.kind == Kind::Server { (server, client) } else { (client, server) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_of_the_list_is_small() {
        assert_eq!(size_of::<Packed>(), 32);
    }

    #[test]
    fn five_million_packets_are_reached_at_once() {
        let mut index = PacketIndex::default();
        for batch in 0..500_u64 {
            let row = |n: u64| PacketRow {
                at: PacketRef { number: batch * 10_000 + n + 1, ..PacketRef::default() },
                ..PacketRow::default()
            };
            let rows: Vec<PacketRow> = (0..10_000).map(row).collect();
            for chunk in Chunk::pack(&rows) {
                index.push(Arc::new(chunk));
            }
        }
        assert_eq!(index.len(), 5_000_000);
        for number in [1, 9_999, 10_000, 10_001, 4_999_999, 5_000_000] {
            let place = index.find(number);
            assert_eq!(index.get(place).map(|row| row.at.number), Some(number));
        }
        assert_eq!(index.find(5_000_001), 5_000_000);
        assert!(index.get(5_000_000).is_none());
        let some: Vec<usize> = index.rows(19_999..20_002).map(|(place, _)| place).collect();
        assert_eq!(some, [19_999, 20_000, 20_001]);
        assert_eq!(index.places(4_999_998, |_| true), [4_999_998, 4_999_999]);
    }

    #[test]
    fn what_is_packed_comes_out_as_it_went_in() {
        let row = |number: u64, file: u16, offset: u64, interface: u16| PacketRow {
            at: PacketRef { number, offset, frame: number + 7, length: 60, file: FileId(file) },
            time: Timestamp(1_700_000_000_000_000_000 + number as i64),
            original: 1_500,
            connection: if number.is_multiple_of(2) { 3 } else { PacketRow::NONE },
            link: LinkType(1),
            interface,
            flags: 0x18,
            kind: Kind::Server,
            shared: number.is_multiple_of(3),
        };
        // Two files, two interfaces, a place beyond 4 GiB, one before those seen, and a number that is left out.
        let rows = [
            row(1, 0, 24, 0),
            row(2, 1, 24, 0),
            row(3, 0, 6 << 30, 0),
            row(4, 0, 100, 1),
            row(5, 0, 40, 0),
            row(9, 0, 200, 0),
        ];
        let mut index = PacketIndex::default();
        for chunk in Chunk::pack(&rows) {
            index.push(Arc::new(chunk));
        }
        let out: Vec<PacketRow> = index.rows(0..index.len()).map(|(_, row)| row).collect();
        assert_eq!(out, rows);
        assert_eq!(index.find(6), 5);
        assert_eq!(index.find(9), 5);
    }
}
