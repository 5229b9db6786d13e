//! The packets of the inputs with their fields, in a second pass over them.
//!
//! Headers are shown as the decoder took them apart, and what is computed of a segment comes from the same tables of
//! connections that the analysis used. A frame is told when its batch was read: a field that is known only from later
//! frames of the same batch is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::account::Sessions;
use super::application::{self, Place};
use super::field::Dissection;
use super::frame::{Known, Moments};
use super::hearing::{Hearing, Heeded};
use super::membership::Member;
use super::{frame, layers};
use crate::analysis::Analysis;
use crate::capture::{Batch, Capture, FrameRecord, Input, Slice};
use crate::error::Error;
use crate::events::{Connection, ConnectionKey};
use crate::limits::{BATCH_BYTES, LIVE_PER_SHARD, SHARDS};
use crate::packet::{Body, Decoder, FlowKey, Header, Packet, Transport};
use crate::place::PacketRef;
use crate::stream::table::Table;
use crate::time::{Span, Timestamp};

/// What is wanted of the packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Numbers of the frames in the run ([`PacketRef::number`]); none for all.
    pub frames: Option<BTreeSet<u64>>,
    /// Ids of the connections whose packets are wanted; none for all packets.
    pub connections: Option<BTreeSet<u32>>,
    /// Whether the fields of the protocols above the transport are needed.
    pub application: bool,
    /// Whether the line that sums a packet up is needed.
    pub info: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { frames: None, connections: None, application: true, info: true }
    }
}

impl Wanted {
    /// Everything of one frame.
    pub fn one(at: PacketRef) -> Self {
        Self { frames: Some(BTreeSet::from([at.number])), ..Self::default() }
    }
}

/// Reads the inputs again and tells the wanted packets, with their frames, in the order of the run. `tell` answers
/// whether it wants more.
///
/// # Errors
/// Where not one input can be read again.
pub fn dissect(
    inputs: Vec<Input>,
    analysis: &Analysis,
    wanted: &Wanted,
    tell: &mut dyn FnMut(&Dissection, &[u8]) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut capture = Capture::open(inputs, BATCH_BYTES)?;
    let mut pass = Pass::new(analysis, wanted);
    let mut batch = Batch::default();
    while capture.fill(&mut batch) {
        if pass.batch(&mut batch, tell).is_break() {
            break;
        }
    }
    Ok(())
}

/// One packet with all its fields; none where the inputs do not hold it any more. The inputs are read up to it.
///
/// # Errors
/// Where not one input can be read again.
pub fn one(
    inputs: Vec<Input>,
    analysis: &Analysis,
    at: PacketRef,
) -> Result<Option<(Dissection, Vec<u8>)>, Error> {
    let mut found = None;
    dissect(inputs, analysis, &Wanted::one(at), &mut |dissection, bytes| {
        found = Some((dissection.clone(), bytes.to_vec()));
        ControlFlow::Break(())
    })?;
    Ok(found)
}

/// A frame of the batch at hand, taken apart.
struct Parts {
    record: FrameRecord,
    headers: Vec<Header>,
    /// Its packets and their places in the run.
    packets: Vec<(Packet, u64)>,
    /// When the frame before it was captured.
    before: Option<Timestamp>,
}

/// The datagrams between two endpoints so far.
#[derive(Debug, Clone, Copy)]
struct Datagrams {
    key: ConnectionKey,
    first: Timestamp,
    last: Timestamp,
}

/// The second pass.
pub(super) struct Pass<'a> {
    analysis: &'a Analysis,
    wanted: &'a Wanted,
    /// Flows of the wanted connections; none for all.
    flows: Option<BTreeSet<FlowKey>>,
    decoder: Decoder,
    tables: Vec<Table<Hearing>>,
    datagrams: BTreeMap<(FlowKey, bool), Datagrams>,
    /// Connections by flow, for errors that quote a packet of one.
    by_flow: Option<BTreeMap<FlowKey, Vec<u32>>>,
    /// The sessions of connections, where the packets are to be shown.
    sessions: Option<Sessions>,
    first: Option<Timestamp>,
    before: Option<Timestamp>,
    /// The same by frame, where not all are heard.
    before_of: BTreeMap<u64, Timestamp>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(analysis: &'a Analysis, wanted: &'a Wanted) -> Self {
        let flows = wanted.connections.as_ref().map(|ids| {
            let known = ids.iter().filter_map(|id| analysis.connections.get(*id as usize));
            known.map(|one| FlowKey::new(one.client, one.server, one.transport).0).collect()
        });
        let duplicates = analysis.options.keep_duplicates;
        let mut tables: Vec<Table<Hearing>> = (0..SHARDS).map(|_| Table::new(duplicates, true)).collect();
        if wanted.application {
            for table in &mut tables {
                table.sink().label();
            }
        }
        Self {
            analysis,
            wanted,
            flows,
            decoder: Decoder::new(),
            tables,
            datagrams: BTreeMap::new(),
            by_flow: None,
            sessions: wanted.info.then(|| Sessions::of(analysis)),
            first: None,
            before: None,
            before_of: BTreeMap::new(),
        }
    }

    /// Takes these for the times of the run's first frame, and of those before the frames of these numbers: not all
    /// frames are going to be heard.
    pub(super) fn begin(&mut self, first: Option<Timestamp>, before: BTreeMap<u64, Timestamp>) {
        self.first = first;
        self.before_of = before;
    }

    /// Tells each frame of a batch, and the innermost connection that it belongs to.
    pub(super) fn places(&mut self, batch: &mut Batch, tell: &mut dyn FnMut(&FrameRecord, Option<u32>)) {
        let parts = self.take_apart(batch);
        let mut spans = BTreeMap::new();
        for (packet, order) in parts.iter().flat_map(|parts| &parts.packets) {
            self.hear(packet, *order, batch, &mut spans);
        }
        for parts in &parts {
            let known = self.known(parts, batch, &spans);
            tell(&parts.record, known.iter().rev().find_map(|known| Some(known.connection?.id)));
        }
        self.tables.iter_mut().for_each(|table| table.sink().clear());
    }

    /// Tells each frame of a batch, with what it was taken apart into and every connection that it belongs to, an error
    /// about one of them included.
    pub(super) fn members(&mut self, batch: &mut Batch, tell: &mut dyn FnMut(&Member<'_>)) {
        let parts = self.take_apart(batch);
        let mut spans = BTreeMap::new();
        for (packet, order) in parts.iter().flat_map(|parts| &parts.packets) {
            self.hear(packet, *order, batch, &mut spans);
        }
        for parts in &parts {
            let known = self.known(parts, batch, &spans);
            let mut connections: Vec<u32> =
                known.iter().filter_map(|known| Some(known.connection?.id)).collect();
            connections.dedup();
            tell(&Member {
                frame: batch.frame(&parts.record),
                headers: &parts.headers,
                packets: &parts.packets,
                connections,
                batch,
            });
        }
        self.tables.iter_mut().for_each(|table| table.sink().clear());
    }

    /// Tells the wanted frames of a batch; breaks off where no more are wanted.
    pub(super) fn batch(
        &mut self,
        batch: &mut Batch,
        tell: &mut dyn FnMut(&Dissection, &[u8]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let parts = self.take_apart(batch);
        let mut spans = BTreeMap::new();
        for (packet, order) in parts.iter().flat_map(|parts| &parts.packets) {
            self.hear(packet, *order, batch, &mut spans);
        }
        let messages = self.messages(parts.first().map_or(0, |parts| parts.record.at.number));
        for parts in &parts {
            if self.wants(parts.record.at) {
                let mine = messages.get(&parts.record.at.number).map_or(&[][..], Vec::as_slice);
                self.tell(parts, batch, (&spans, mine), tell)?;
            }
        }
        self.tables.iter_mut().for_each(|table| table.sink().clear());
        let last = self.wanted.frames.as_ref().map(|frames| frames.last().copied().unwrap_or_default());
        let here = parts.last().map_or(0, |parts| parts.record.at.number);
        if last.is_some_and(|last| last <= here) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// The messages of this batch by the number of the frame in which they are shown: that with their last byte, or,
    /// where that was told before, the one at hand.
    fn messages(&mut self, first: u64) -> BTreeMap<u64, Vec<Heeded>> {
        let mut by_frame = BTreeMap::<u64, Vec<Heeded>>::new();
        for heeded in self.tables.iter_mut().flat_map(|table| table.sink().messages.drain(..)) {
            let (at, now) = (heeded.message.at.at.number, heeded.message.now.at.number);
            by_frame.entry(if at < first { now } else { at }).or_default().push(heeded);
        }
        by_frame
    }

    fn wants(&self, at: PacketRef) -> bool {
        self.wanted.frames.as_ref().is_none_or(|frames| frames.contains(&at.number))
    }

    fn take_apart(&mut self, batch: &mut Batch) -> Vec<Parts> {
        let mut all = Vec::with_capacity(batch.frames.len());
        let mut side = std::mem::take(&mut batch.side);
        for record in &batch.frames {
            self.first.get_or_insert(record.time);
            let mut packets = Vec::new();
            let frame = batch.frame(record);
            let mut sink = |packet: Packet| packets.push((packet, packet.order(packets.len() as u64)));
            let headers = self.decoder.decode_traced(&frame, record.bytes, &mut side, &mut sink);
            let previous = self.before.replace(record.time);
            let before = self.before_of.get(&record.at.number).copied().or(previous);
            all.push(Parts { record: *record, headers, packets, before });
        }
        batch.side = side;
        all
    }

    /// Gives a packet to its table, and takes the times of datagrams.
    fn hear(&mut self, packet: &Packet, order: u64, batch: &Batch, spans: &mut BTreeMap<u64, Times>) {
        if self.flows.as_ref().is_some_and(|flows| !flows.contains(&packet.flow)) {
            return;
        }
        match packet.body {
            Body::Udp(_) => {
                let key = (packet.flow, packet.hidden);
                let room = self.datagrams.len() < SHARDS * LIVE_PER_SHARD;
                if !room && !self.datagrams.contains_key(&key) {
                    return;
                }
                let now = packet.time;
                let fresh = Datagrams { key: ConnectionKey(order), first: now, last: now };
                let known = self.datagrams.entry(key).or_insert(fresh);
                spans.insert(order, Times { key: known.key, spans: (now - known.first, now - known.last) });
                known.last = now;
            }
            Body::Tcp(_) | Body::IcmpError(_) | Body::Sampled(_) => {
                let payload = match &packet.body {
                    Body::Tcp(head) => head.payload.captured,
                    _ => Slice::default(),
                };
                if let Some(table) = self.tables.get_mut(packet.flow.shard()) {
                    table.packet(packet, order, batch.bytes(payload), self.first.unwrap_or_default());
                }
            }
        }
    }

    fn tell(
        &mut self,
        parts: &Parts,
        batch: &Batch,
        (spans, messages): (&BTreeMap<u64, Times>, &[Heeded]),
        tell: &mut dyn FnMut(&Dissection, &[u8]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let analysis = self.analysis;
        let known = self.known(parts, batch, spans);
        let mut connections: Vec<u32> = known.iter().filter_map(|known| Some(known.connection?.id)).collect();
        connections.dedup();
        if let Some(wanted) = &self.wanted.connections
            && !connections.iter().any(|id| wanted.contains(id))
        {
            return ControlFlow::Continue(());
        }
        let frame = batch.frame(&parts.record);
        let moments = Moments { first: self.first, before: parts.before };
        let mut dissection =
            Dissection { at: frame.at, time: frame.time, connections, ..Dissection::default() };
        frame::begin(&mut dissection, &frame, moments, analysis);
        layers::headers(&mut dissection, &frame, &parts.headers, &known, &batch.side, self.wanted.info);
        for heeded in messages {
            let place = self.place(parts, heeded);
            application::add(&mut dissection, heeded, place, self.wanted.info);
        }
        frame::finish(&mut dissection);
        if let Some(sessions) = &self.sessions {
            sessions.add(&mut dissection, analysis);
        }
        tell(&dissection, frame.bytes)
    }

    /// The packets of a frame, with what is known of them.
    fn known<'p>(
        &mut self,
        parts: &'p Parts,
        batch: &'p Batch,
        spans: &BTreeMap<u64, Times>,
    ) -> Vec<Known<'p>>
    where
        'a: 'p,
    {
        let analysis = self.analysis;
        let mut known: Vec<Known<'_>> = Vec::new();
        for (packet, order) in &parts.packets {
            let (connection, segment, spans) = match packet.body {
                Body::Udp(_) => {
                    let times = spans.get(order);
                    let connection = times.and_then(|times| analysis.connection(times.key));
                    (connection, None, times.map(|times| times.spans))
                }
                Body::Tcp(_) => {
                    let table = self.tables.get_mut(packet.flow.shard());
                    let segment = table.and_then(|table| table.sink().segments.get(order).copied());
                    let connection = segment.and_then(|segment| analysis.connection(segment.connection));
                    (connection, segment, None)
                }
                Body::IcmpError(_) => (self.quoted(packet), None, None),
                // A switch's sample of another packet is no packet of the frame.
                Body::Sampled(_) => continue,
            };
            let payload = match &packet.body {
                Body::Tcp(head) => Some(head.payload),
                Body::Udp(payload) => Some(*payload),
                Body::IcmpError(_) | Body::Sampled(_) => None,
            };
            let payload =
                payload.filter(|_| self.wanted.application).map(|payload| batch.bytes(payload.captured));
            known.push(Known { packet, payload, connection, segment, spans });
        }
        known
    }

    /// Where the payload with the last byte of a message lies.
    fn place(&mut self, parts: &Parts, heeded: &Heeded) -> Option<Place> {
        let mine = |(_, order): &&(Packet, u64)| *order == heeded.message.at.order;
        let (packet, order) = parts.packets.iter().find(mine)?;
        let Body::Tcp(head) = &packet.body else { return None };
        let table = self.tables.get_mut(packet.flow.shard())?;
        Place::new(head.payload, table.sink().ends.get(order).copied())
    }

    /// The connection that an error quotes a packet of.
    fn quoted(&mut self, packet: &Packet) -> Option<&'a Connection> {
        let analysis = self.analysis;
        let by_flow = self.by_flow.get_or_insert_with(|| {
            let mut by_flow = BTreeMap::<FlowKey, Vec<u32>>::new();
            for one in &analysis.connections {
                by_flow
                    .entry(FlowKey::new(one.client, one.server, one.transport).0)
                    .or_default()
                    .push(one.id);
            }
            by_flow
        });
        let mut of_flow =
            by_flow.get(&packet.flow)?.iter().filter_map(|id| analysis.connections.get(*id as usize));
        of_flow.rfind(|one| one.first <= packet.at)
    }
}

/// The times of a datagram in its stream.
#[derive(Debug, Clone, Copy)]
struct Times {
    key: ConnectionKey,
    spans: (Span, Span),
}

/// Whether a field of this name is one of a protocol above the transport, so that conversations have to be heard for it.
pub fn is_of_application(name: &str) -> bool {
    let below = [
        "frame",
        "eth",
        "vlan",
        "ieee8021ad",
        "sll",
        "null",
        "raw",
        "arp",
        "ip",
        "ipv6",
        "icmp",
        "icmpv6",
        "tcp",
        "udp",
        "communityid",
        "gre",
        "mpls",
        "wlan",
        "llc",
        "ppp",
    ];
    let protocol = name.split('.').next().unwrap_or_default();
    // The protocols of a frame and the columns name the uppermost one.
    !below.contains(&protocol) || name == "frame.protocols"
}

/// The name of a transport in the column of protocols.
pub(super) fn transport_title(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "TCP",
        Transport::Udp => "UDP",
    }
}
