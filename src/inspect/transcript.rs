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

/// Writes down what is heard on some connections, from frames that are given to it.
#[derive(Debug)]
pub struct Scribe {
    wanted: BTreeSet<ConnectionKey>,
    flows: BTreeSet<FlowKey>,
    decoder: Decoder,
    table: Table<Listener>,
    packets: Vec<(Packet, u64)>,
    first: Option<Timestamp>,
    last: Timestamp,
}

impl Scribe {
    /// For these connections. `keep_duplicates` is that of the analysis that found them.
    pub fn new(connections: &[(ConnectionKey, &Connection)], keep_duplicates: bool) -> Self {
        let flow = |one: &Connection| FlowKey::new(one.client, one.server, one.transport).0;
        Self {
            wanted: connections.iter().map(|(key, _)| *key).collect(),
            flows: connections.iter().map(|(_, connection)| flow(connection)).collect(),
            decoder: Decoder::new(),
            table: Table::new(keep_duplicates, true),
            packets: Vec::new(),
            first: None,
            last: Timestamp::default(),
        }
    }

    /// Hears the next frames of the run, and tells; `tell` answers whether it wants to hear more.
    ///
    /// # Errors
    /// What `tell` says.
    pub fn batch<E>(
        &mut self,
        batch: &mut Batch,
        tell: &mut dyn FnMut(&Piece) -> Result<(), E>,
    ) -> Result<(), E> {
        self.packets.clear();
        let mut side = std::mem::take(&mut batch.side);
        for record in &batch.frames {
            self.first.get_or_insert(record.time);
            self.last = self.last.max(record.time);
            let mut nth = 0;
            self.decoder.decode(&batch.frame(record), record.bytes, &mut side, &mut |packet| {
                if self.flows.contains(&packet.flow) {
                    self.packets.push((packet, packet.order(nth)));
                }
                nth += 1;
            });
        }
        batch.side = side;
        for (packet, order) in &self.packets {
            let payload = match &packet.body {
                Body::Tcp(head) => head.payload.captured,
                Body::Udp(_) | Body::IcmpError(_) | Body::Sampled(_) => Slice::default(),
            };
            self.table.packet(packet, *order, batch.bytes(payload), self.first.unwrap_or_default());
        }
        hand_on(&self.table.take_sink(), &self.wanted, tell)
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// What `tell` says.
    pub fn finish<E>(self, tell: &mut dyn FnMut(&Piece) -> Result<(), E>) -> Result<(), E> {
        let Self { table, wanted, first, last, .. } = self;
        let (_, rest) =
            table.finish(Window { start: first.unwrap_or_default(), end: last, ..Window::default() });
        hand_on(&rest, &wanted, tell)
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
    let mut capture = Capture::open(inputs, BATCH_BYTES)?;
    let mut scribe = Scribe::new(connections, keep_duplicates);
    let mut batch = Batch::default();
    while capture.fill(&mut batch) {
        if let Err(enough) = scribe.batch(&mut batch, tell) {
            return Ok(Err(enough));
        }
    }
    Ok(scribe.finish(tell))
}

fn hand_on<E>(
    pieces: &[Piece],
    wanted: &BTreeSet<ConnectionKey>,
    tell: &mut dyn FnMut(&Piece) -> Result<(), E>,
) -> Result<(), E> {
    pieces.iter().filter(|piece| wanted.contains(&piece.connection)).try_for_each(tell)
}
