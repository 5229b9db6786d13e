//! The bytes of chosen connections in order, heard in a second pass over the inputs.
//!
//! What is heard is handed on after each batch, so that a long session needs no more memory than its reordering does.

use std::collections::BTreeSet;

use crate::capture::{Batch, Capture, Input, Slice};
use crate::error::Error;
use crate::events::{Connection, ConnectionKey, Side};
use crate::limits::BATCH_BYTES;
use crate::packet::{Body, Decoder, FlowKey, Packet};
use crate::place::PacketRef;
use crate::stream::Window;
use crate::stream::receiver::{Heard, Origin, Parties, Receiver};
use crate::stream::table::Table;
use crate::time::Timestamp;

/// Something heard on one of the connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The connection.
    pub connection: ConnectionKey,
    /// Whose it is.
    pub side: Side,
    /// The frame that carried it.
    pub at: PacketRef,
    /// When.
    pub time: Timestamp,
    /// What was heard.
    pub said: Said,
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The connection is asked for, or accepted.
    Opens,
    /// The next bytes.
    Bytes(Vec<u8>),
    /// So many bytes are not in the capture.
    Missing(u64),
    /// It says no more.
    Closes,
    /// It gives the connection up.
    Resets,
}

/// Hears the connections that run between these endpoints; it cannot know yet which of them are meant.
#[derive(Debug, Default)]
struct Listener;

impl Receiver for Listener {
    type Sink = Vec<Piece>;

    fn wants_bytes(&self) -> bool {
        true
    }

    fn hear(&mut self, side: Side, heard: Heard<'_>, now: Origin, parties: &Parties, sink: &mut Vec<Piece>) {
        let (from, said) = match heard {
            Heard::Syn { .. } => (now, Said::Opens),
            Heard::Bytes { bytes, from, .. } => (from, Said::Bytes(bytes.to_vec())),
            Heard::Missing { length, .. } => (now, Said::Missing(length)),
            Heard::Closed => (now, Said::Closes),
            Heard::Reset => (now, Said::Resets),
            Heard::Fin | Heard::Probe | Heard::ProbeAnswer | Heard::Over => return,
        };
        sink.push(Piece { connection: parties.key, side, at: from.at, time: from.time, said });
    }
}

/// Reads the inputs again and tells what is heard on these connections, in order. `keep_duplicates` is that of the
/// analysis that found them; `tell` answers whether it wants to hear more.
///
/// # Errors
/// Where not one input can be read again.
pub fn transcribe<E>(
    inputs: Vec<Input>,
    connections: &[(ConnectionKey, &Connection)],
    keep_duplicates: bool,
    tell: &mut dyn FnMut(&Piece) -> Result<(), E>,
) -> Result<Result<(), E>, Error> {
    let wanted: BTreeSet<ConnectionKey> = connections.iter().map(|(key, _)| *key).collect();
    let flows: BTreeSet<FlowKey> = connections
        .iter()
        .map(|(_, connection)| FlowKey::new(connection.client, connection.server, connection.transport).0)
        .collect();
    let mut capture = Capture::open(inputs, BATCH_BYTES)?;
    let mut decoder = Decoder::new();
    let mut table: Table<Listener> = Table::new(keep_duplicates, true);
    let mut batch = Batch::default();
    let mut packets: Vec<(Packet, u64)> = Vec::new();
    let (mut first, mut last) = (None, Timestamp::default());
    while capture.fill(&mut batch) {
        packets.clear();
        let mut side = std::mem::take(&mut batch.side);
        for record in &batch.frames {
            first.get_or_insert(record.time);
            last = last.max(record.time);
            let mut nth = 0;
            decoder.decode(&batch.frame(record), record.bytes, &mut side, &mut |packet| {
                if flows.contains(&packet.flow) {
                    packets.push((packet, packet.order(nth)));
                }
                nth += 1;
            });
        }
        batch.side = side;
        for (packet, order) in &packets {
            let payload = match &packet.body {
                Body::Tcp(head) => head.payload.captured,
                Body::Udp(_) | Body::IcmpError(_) | Body::Sampled(_) => Slice::default(),
            };
            table.packet(packet, *order, batch.bytes(payload), first.unwrap_or_default());
        }
        if let Err(enough) = hand_on(&table.take_sink(), &wanted, tell) {
            return Ok(Err(enough));
        }
    }
    let (_, rest) = table.finish(Window { start: first.unwrap_or_default(), end: last, ..Window::default() });
    Ok(hand_on(&rest, &wanted, tell))
}

fn hand_on<E>(
    pieces: &[Piece],
    wanted: &BTreeSet<ConnectionKey>,
    tell: &mut dyn FnMut(&Piece) -> Result<(), E>,
) -> Result<(), E> {
    pieces.iter().filter(|piece| wanted.contains(&piece.connection)).try_for_each(tell)
}
