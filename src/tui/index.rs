//! Where every packet lies and to which connection it belongs: what the list of packets needs to go anywhere at once.

use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::analysis::Analysis;
use crate::capture::{Batch, Capture, Input, LinkType};
use crate::error::Error;
use crate::events::Endpoint;
use crate::limits::BATCH_BYTES;
use crate::packet::{Body, Decoder, FlowKey, Packet, Transport};
use crate::place::PacketRef;
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

impl PacketRow {
    /// No connection.
    pub const NONE: u32 = u32::MAX;

    /// The connection, where there is one.
    pub fn connection(&self) -> Option<u32> {
        (self.connection != Self::NONE).then_some(self.connection)
    }
}

/// The list of all packets so far. Grows by batches, and nothing in it moves.
#[derive(Debug, Clone, Default)]
pub struct PacketIndex {
    batches: Vec<Arc<Vec<PacketRow>>>,
    starts: Vec<usize>,
    rows: usize,
}

impl PacketIndex {
    /// Puts the packets of the next batch behind the others.
    pub fn push(&mut self, batch: Arc<Vec<PacketRow>>) {
        self.starts.push(self.rows);
        self.rows += batch.len();
        self.batches.push(batch);
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
    pub fn get(&self, place: usize) -> Option<&PacketRow> {
        let batch = self.starts.partition_point(|start| *start <= place).checked_sub(1)?;
        self.batches.get(batch)?.get(place - self.starts.get(batch)?)
    }

    /// The place of the packet with this running number, or of the next one.
    pub fn find(&self, number: u64) -> usize {
        let batch =
            self.batches.partition_point(|batch| batch.last().is_none_or(|last| last.at.number < number));
        let Some(rows) = self.batches.get(batch) else { return self.rows };
        self.starts.get(batch).copied().unwrap_or(0) + rows.partition_point(|row| row.at.number < number)
    }

    /// The places of the packets from one on that are wanted, in order.
    pub fn places(&self, from: usize, mut wanted: impl FnMut(&PacketRow) -> bool) -> Vec<u32> {
        let batch = self.starts.partition_point(|start| *start <= from).saturating_sub(1);
        let first = self.starts.get(batch).copied().unwrap_or(0);
        let rows = self.batches.iter().skip(batch).flat_map(|batch| batch.iter());
        let rows = rows.enumerate().skip(from.saturating_sub(first));
        rows.filter(|(_, row)| wanted(row)).map(|(place, _)| (first + place) as u32).collect()
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
            };
            let mut first = true;
            decoder.decode(&batch.frame(record), record.bytes, &mut side, &mut |packet| {
                // A frame may hold several packets; the list shows the first.
                if std::mem::replace(&mut first, false) {
                    describe(&mut row, &packet, &owners);
                }
            });
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
        assert!(size_of::<PacketRow>() <= 64, "{}", size_of::<PacketRow>());
    }

    #[test]
    fn five_million_packets_are_reached_at_once() {
        let mut index = PacketIndex::default();
        for batch in 0..500_u64 {
            let row = |n: u64| PacketRow {
                at: PacketRef { number: batch * 10_000 + n + 1, ..PacketRef::default() },
                ..PacketRow::default()
            };
            index.push(Arc::new((0..10_000).map(row).collect()));
        }
        assert_eq!(index.len(), 5_000_000);
        for number in [1, 9_999, 10_000, 10_001, 4_999_999, 5_000_000] {
            let place = index.find(number);
            assert_eq!(index.get(place).map(|row| row.at.number), Some(number));
        }
        assert_eq!(index.find(5_000_001), 5_000_000);
        assert!(index.get(5_000_000).is_none());
    }
}
