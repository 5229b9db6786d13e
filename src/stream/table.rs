//! The connections of one shard: found, created, succeeded by others on the same ports, and finished.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::Window;
use super::datagrams::Datagrams;
use super::ending::{self, Row};
use super::pack::{Packer, Unpacker, packed};
use super::receiver::{Counted, Ear, Heard, Origin, Receiver};
use super::store::{Place, Store};
use super::tcp::TcpConnection;
use super::wireshark::{Flags, WiresharkStream};
use super::wireshark_taps::{Announcement, ApplicationTap, Noted};
use crate::events::{ConnectionKey, Side};
use crate::limits::{ANNOUNCEMENTS_PER_SHARD, AWAKE_PER_SHARD, FINISHED_PER_SHARD, LIVE_PER_SHARD};
use crate::packet::{Body, FlowKey, IcmpError, Packet, ParityLength, Payload, TcpFlags, TcpHead};
use crate::place::PacketRef;
use crate::time::Timestamp;

/// A connection that is over is packed when so many frames, in sixteenths, have come after its last.
const CLOSED_RESTS: u64 = 1_024 << 4;

/// The same of one that is not: a segment may well come.
const OPEN_RESTS: u64 = 65_536 << 4;

/// The key of a flow: between whom, and whether in a tunnel that tshark leaves closed.
type Key = (FlowKey, bool);

/// All that has happened between two endpoints, and who listens.
#[derive(Debug)]
enum Flow<R> {
    Tcp(Box<Heeded<R>>),
    /// A [`TcpFlow`] to which nothing happens: its last packet, where it lies packed, and its listeners.
    Resting(u64, Place, Box<[R]>),
    Udp(Box<UdpFlow>),
}

/// A flow of TCP with the listeners of its connections, in the same order.
#[derive(Debug)]
struct Heeded<R> {
    flow: TcpFlow,
    receivers: Vec<R>,
}

/// The present `tcp.stream` of two endpoints, and the connections in it: more than one where the same addresses
/// live in two networks, or begin anew in a way that tshark does not notice.
#[derive(Debug)]
struct TcpFlow {
    wireshark: WiresharkStream,
    tap: ApplicationTap,
    stream_key: Option<u64>,
    connections: Vec<TcpConnection>,
    last: u64,
}

packed!(TcpFlow { connections, wireshark, tap, stream_key, last });

#[derive(Debug)]
struct UdpFlow {
    key: u64,
    stream_key: Option<u64>,
    datagrams: Datagrams,
    last: u64,
}

/// The connections of one shard, each with its own listener.
#[derive(Debug, Default)]
pub struct Table<R: Receiver> {
    flows: HashMap<Key, Flow<R>>,
    /// The keys of all flows of TCP that are not resting, and how many of them there may be before it is looked
    /// which of them could be.
    awake: Vec<Key>,
    awake_bound: usize,
    packer: Packer,
    store: Store,
    rows: Vec<Row>,
    /// First packets of every `tcp.stream`, and of every `udp.stream`.
    tcp_streams: Vec<u64>,
    udp_streams: Vec<u64>,
    /// Connections that a dissector of tshark would make before their SYN.
    announced: Vec<Announcement>,
    folded: u64,
    /// Connections that were folded since the listeners' work was last taken away.
    folded_keys: Vec<ConnectionKey>,
    evicted: u64,
    keep_duplicates: bool,
    listening: bool,
    sink: R::Sink,
}

/// What a table hands over at the end.
#[derive(Debug, Default)]
pub struct Finished {
    /// The connections, in no order that matters.
    pub rows: Vec<Row>,
    /// Keys of every `tcp.stream`, in no order.
    pub tcp_streams: Vec<u64>,
    /// Keys of every `udp.stream`, in no order.
    pub udp_streams: Vec<u64>,
    /// Connections that a dissector of tshark would make before their SYN.
    pub announced: Vec<Announcement>,
    /// Connections that were only counted.
    pub folded: u64,
    /// Connections whose state was given up while they may have lived.
    pub evicted: u64,
}

impl<R: Receiver> Table<R> {
    /// A table that keeps, or does not keep, what a mirror port recorded twice, and that lets its receivers listen
    /// or not.
    pub fn new(keep_duplicates: bool, listening: bool) -> Self {
        Self { keep_duplicates, listening, awake_bound: AWAKE_PER_SHARD, ..Self::default() }
    }

    /// Takes away what the listeners made of what they heard so far.
    pub fn take_sink(&mut self) -> R::Sink {
        std::mem::take(&mut self.sink)
    }

    /// What the listeners made of what they heard so far, to be worked on in place.
    pub fn sink(&mut self) -> &mut R::Sink {
        &mut self.sink
    }

    /// Connections met so far and not forgotten: for people who wait.
    pub fn met(&self) -> u64 {
        (self.rows.len() + self.flows.len()) as u64
    }

    /// Takes away the keys of the connections that became a mere count.
    pub fn take_folded(&mut self) -> Vec<ConnectionKey> {
        std::mem::take(&mut self.folded_keys)
    }

    /// Takes the next packet of this shard. `order` is its place in the whole run; `payload` its captured bytes;
    /// `begun` the time of the run's first frame.
    pub fn packet(&mut self, packet: &Packet, order: u64, payload: &[u8], begun: Timestamp) {
        match &packet.body {
            Body::Tcp(head) => self.segment(packet, head, order, payload, begun),
            Body::Udp(_) => self.datagram(packet, order),
            Body::IcmpError(error) => self.icmp(packet, error, order),
            Body::Sampled(flags) => self.quoted(packet, *flags, order),
        }
        if self.flows.len() > LIVE_PER_SHARD {
            let now = Origin { at: packet.at, time: packet.time, order };
            self.evict(Window { start: begun, end: packet.time, ..Window::default() }, now);
        }
    }

    fn segment(&mut self, packet: &Packet, head: &TcpHead, order: u64, payload: &[u8], begun: Timestamp) {
        let key = (packet.flow, packet.hidden);
        let heeded = match self.flows.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                self.awake.push(key);
                entry.insert(Flow::Tcp(Box::new(Heeded::new(packet, order, &mut self.tcp_streams))))
            }
        };
        let Some(heeded) = heeded.tcp(key, &mut self.awake, &mut self.store) else { return };
        heeded.flow.last = order;
        let window = Window { start: begun, end: packet.time, ..Window::default() };
        let now = Origin { at: packet.at, time: packet.time, order };
        let reused = heeded.flow.wireshark.is_reused_by(packet.direction, head);
        if reused {
            heeded.succeed(packet, window, now, &mut self.sink, &mut |row| self.rows.push(row));
            let flow = &mut heeded.flow;
            flow.wireshark = WiresharkStream::default();
            flow.tap = ApplicationTap::new(packet.flow);
            flow.stream_key = (!packet.hidden).then_some(order);
            self.tcp_streams.extend(flow.stream_key);
        }
        let mine = heeded.flow.find(packet);
        let index = match mine {
            Some(index) if heeded.flow.is_succeeded(index, packet, head) => {
                self.rows.extend(heeded.finish_one(index, window, now, &mut self.sink));
                None
            }
            found => found,
        };
        let index = index.unwrap_or_else(|| heeded.begin(packet, head, order));
        let Heeded { flow, receivers } = &mut **heeded;
        let (Some(connection), Some(receiver)) = (flow.connections.get_mut(index), receivers.get_mut(index))
        else {
            return;
        };
        let otherwise;
        let counted = match head.parity {
            ParityLength::Same => Some(head),
            ParityLength::Length(length) => {
                let payload = Payload { length, ..head.payload };
                otherwise = TcpHead { payload, ..*head };
                Some(&otherwise)
            }
            ParityLength::BadHeader(_) | ParityLength::Unknown => None,
        };
        let mut repeated = false;
        let mut analysed = None;
        if let Some(head) = counted {
            let flags = flow.wireshark.segment(packet.time, packet.direction, head, reused);
            flags.count(&mut connection.counters);
            repeated = flags.has(Flags::RETRANSMISSIONS);
            analysed = Some(flags);
        } else {
            flow.wireshark.unanalysed(head.flags);
        }
        if !payload.is_empty() && !repeated {
            let sender = packet.flow.source(packet.direction);
            flow.tap.payload(packet.direction, sender, payload, &mut |noted| match noted {
                Noted::SocksData => self.tcp_streams.push(order),
                Noted::Expect(listener, by) if self.announced.len() < ANNOUNCEMENTS_PER_SHARD => {
                    self.announced.push(Announcement { order, listener, by });
                }
                Noted::Expect(..) => {}
            });
        }
        connection.completeness = flow.wireshark.completeness();
        connection.initial_rtt = flow.wireshark.initial_rtt();
        let parties = connection.parties();
        let (listening, sink) = (self.listening, &mut self.sink);
        if listening {
            let (side, stream_key) = (connection.side(packet.direction), flow.stream_key);
            let stream = &flow.wireshark;
            let segment = Counted { packet, order, stream_key, side, flags: analysed, stream };
            receiver.counted(&segment, &parties, sink);
        }
        let wanted = listening && receiver.wants_bytes();
        let listener = &mut |side, heard: Heard<'_>| {
            if listening {
                receiver.hear(side, heard, now, &parties, sink);
            }
        };
        connection.segment(packet, head, payload, self.keep_duplicates, &mut Ear { now, wanted, listener });
        self.bound_rows();
        if self.awake.len() > self.awake_bound {
            self.rest(order);
        }
    }

    fn datagram(&mut self, packet: &Packet, order: u64) {
        let streams = &mut self.udp_streams;
        match self.flows.entry((packet.flow, packet.hidden)) {
            Entry::Occupied(mut entry) => {
                if let Flow::Udp(flow) = entry.get_mut() {
                    flow.last = order;
                    flow.datagrams.packet(packet);
                }
            }
            Entry::Vacant(entry) => {
                let stream_key = (!packet.hidden).then_some(order);
                streams.extend(stream_key);
                let datagrams = Datagrams::new(packet);
                entry.insert(Flow::Udp(Box::new(UdpFlow { key: order, stream_key, datagrams, last: order })));
            }
        }
    }

    /// An ICMP error creates no connection.
    fn icmp(&mut self, packet: &Packet, error: &IcmpError, order: u64) {
        let key = (packet.flow, packet.hidden);
        match self.flows.get_mut(&key) {
            Some(Flow::Udp(flow)) => flow.datagrams.icmp(packet, error),
            Some(flow) => {
                let heeded = flow.tcp(key, &mut self.awake, &mut self.store);
                if let Some(connection) = heeded.and_then(|heeded| heeded.flow.connections.last_mut()) {
                    connection.icmp(packet, error);
                }
            }
            None => {
                if let Some(flags) = error.quoted_flags {
                    self.quoted(packet, flags, order);
                }
            }
        }
    }

    /// tshark gives a stream number to a quoted TCP header of unknown endpoints, and so the number is taken.
    fn quoted(&mut self, packet: &Packet, flags: TcpFlags, order: u64) {
        let key = (packet.flow, packet.hidden);
        if let Entry::Vacant(entry) = self.flows.entry(key) {
            let mut heeded = Heeded::new(packet, order, &mut self.tcp_streams);
            heeded.flow.wireshark.unanalysed(flags);
            entry.insert(Flow::Tcp(Box::new(heeded)));
            self.awake.push(key);
        }
    }

    /// Folds away the longest idle eighth of the flows.
    fn evict(&mut self, window: Window<'_>, now: Origin) {
        let mut by_age: Vec<(u64, Key)> = self
            .flows
            .iter()
            .map(|(key, flow)| match flow {
                Flow::Tcp(heeded) => (heeded.flow.last, *key),
                Flow::Resting(last, ..) => (*last, *key),
                Flow::Udp(flow) => (flow.last, *key),
            })
            .collect();
        by_age.sort_unstable();
        for (_, key) in by_age.into_iter().take(LIVE_PER_SHARD / 8) {
            if let Some(flow) = self.flows.remove(&key) {
                self.evicted += 1;
                let place = if let Flow::Resting(_, place, _) = flow { Some(place) } else { None };
                finish_flow(key, flow, &self.store, window, now, &mut self.sink, &mut |mut row| {
                    row.connection.visibility.evicted = true;
                    self.rows.push(row);
                });
                if let Some(place) = place {
                    self.store.free(place);
                }
            }
        }
        self.awake.retain(|key| self.flows.contains_key(key));
        self.bound_rows();
    }

    /// Packs the flows of TCP to which nothing happens any more, or for long.
    fn rest(&mut self, order: u64) {
        let Self { flows, awake, packer, store, .. } = self;
        awake.retain(|key| {
            let Some(slot) = flows.get_mut(key) else { return false };
            let Flow::Tcp(heeded) = slot else { return false };
            let rests = heeded.may_rest(order);
            if rests {
                let receivers = std::mem::take(&mut heeded.receivers).into_boxed_slice();
                *slot = Flow::Resting(heeded.flow.last, store.put(packer.packed(&heeded.flow)), receivers);
            }
            !rests
        });
        self.awake_bound = AWAKE_PER_SHARD.max(2 * self.awake.len());
        if self.store.is_wasteful() {
            let old = std::mem::take(&mut self.store);
            self.flows.values_mut().for_each(|flow| {
                if let Flow::Resting(_, place, _) = flow {
                    *place = self.store.put(old.get(*place));
                }
            });
        }
    }

    /// Keeps the rows bounded; the oldest become a count.
    fn bound_rows(&mut self) {
        if self.rows.len() > FINISHED_PER_SHARD + FINISHED_PER_SHARD / 8 {
            let fold = self.rows.len() - FINISHED_PER_SHARD;
            self.folded_keys.extend(self.rows.drain(..fold).map(|row| row.key));
            self.folded += fold as u64;
        }
    }

    /// The run is over.
    pub fn finish(mut self, window: Window<'_>) -> (Finished, R::Sink) {
        let now = Origin { time: window.end, order: u64::MAX, ..Origin::default() };
        let mut flows: Vec<(Key, Flow<R>)> = self.flows.drain().collect();
        flows.sort_unstable_by_key(|(key, _)| *key);
        for (key, flow) in flows {
            finish_flow(key, flow, &self.store, window, now, &mut self.sink, &mut |row| self.rows.push(row));
        }
        let finished = Finished {
            rows: self.rows,
            tcp_streams: self.tcp_streams,
            udp_streams: self.udp_streams,
            announced: self.announced,
            folded: self.folded,
            evicted: self.evicted,
        };
        (finished, self.sink)
    }
}

impl<R: Receiver> Flow<R> {
    /// The flow of TCP, unpacked; none if it is one of UDP.
    fn tcp(&mut self, key: Key, awake: &mut Vec<Key>, store: &mut Store) -> Option<&mut Box<Heeded<R>>> {
        if let Self::Resting(_, place, receivers) = self {
            let (place, receivers) = (*place, std::mem::take(receivers).into_vec());
            let flow = Unpacker::unpacked(store.get(place), key.0);
            *self = Self::Tcp(Box::new(Heeded { flow, receivers }));
            store.free(place);
            awake.push(key);
        }
        match self {
            Self::Tcp(heeded) => Some(heeded),
            Self::Resting(..) | Self::Udp(_) => None,
        }
    }
}

impl TcpFlow {
    fn new(packet: &Packet, order: u64, streams: &mut Vec<u64>) -> Self {
        let stream_key = (!packet.hidden).then_some(order);
        streams.extend(stream_key);
        let tap = ApplicationTap::new(packet.flow);
        Self { wireshark: WiresharkStream::default(), tap, stream_key, connections: Vec::new(), last: order }
    }

    /// The connection that a packet belongs to.
    fn find(&self, packet: &Packet) -> Option<usize> {
        let connections = self.connections.iter();
        connections.clone().rposition(|connection| connection.is_in(packet.context)).or_else(|| {
            connections.clone().rposition(|connection| connection.may_be_tagged_one_way(packet.direction))
        })
    }

    fn is_succeeded(&self, index: usize, packet: &Packet, head: &TcpHead) -> bool {
        self.connections.get(index).is_some_and(|old| old.is_succeeded_by(packet, head))
    }
}

impl<R: Receiver> Heeded<R> {
    fn new(packet: &Packet, order: u64, streams: &mut Vec<u64>) -> Self {
        Self { flow: TcpFlow::new(packet, order, streams), receivers: Vec::new() }
    }

    /// Begins a connection, and tells its index.
    fn begin(&mut self, packet: &Packet, head: &TcpHead, order: u64) -> usize {
        // Nearly always the only one: room for four, as a vector takes by itself, would be most of the memory.
        let connections = &mut self.flow.connections;
        connections.reserve_exact(1);
        connections.push(TcpConnection::new(packet, head, ConnectionKey(order), self.flow.stream_key));
        self.receivers.reserve_exact(1);
        self.receivers.push(R::default());
        self.receivers.len() - 1
    }

    /// Whether it is worth packing: nothing has come for some time before this packet, and nobody is in the middle
    /// of listening.
    fn may_rest(&self, order: u64) -> bool {
        let over = self.flow.connections.iter().all(TcpConnection::is_over);
        let long = order.saturating_sub(self.flow.last) >= if over { CLOSED_RESTS } else { OPEN_RESTS };
        long && self.receivers.iter().all(Receiver::may_rest)
    }

    /// A SYN begins a new stream: what lived in its network is over. The same addresses in another network live on.
    fn succeed(
        &mut self,
        packet: &Packet,
        window: Window<'_>,
        now: Origin,
        sink: &mut R::Sink,
        out: &mut impl FnMut(Row),
    ) {
        let elsewhere = |connection: &TcpConnection| {
            let tagged_both = connection.contexts.iter().all(Option::is_some);
            !connection.is_in(packet.context)
                && (tagged_both || !connection.may_be_tagged_one_way(packet.direction))
        };
        let all =
            std::mem::take(&mut self.flow.connections).into_iter().zip(std::mem::take(&mut self.receivers));
        let (kept, over): (Vec<_>, Vec<_>) = all.partition(|(connection, _)| elsewhere(connection));
        (self.flow.connections, self.receivers) = over.into_iter().unzip();
        self.finish(window, true, now, sink, out);
        (self.flow.connections, self.receivers) = kept.into_iter().unzip();
    }

    /// One of its connections is over: the listener hears so, and its account is made.
    fn finish_one(
        &mut self,
        index: usize,
        window: Window<'_>,
        now: Origin,
        sink: &mut R::Sink,
    ) -> Option<Row> {
        if index >= self.flow.connections.len() || index >= self.receivers.len() {
            return None;
        }
        let connection = self.flow.connections.swap_remove(index);
        let receiver = self.receivers.swap_remove(index);
        Some(finish(&connection, receiver, window, true, now, sink))
    }

    /// Finishes all its connections; the stream's last one bears what tshark counts in its second pass.
    fn finish(
        &mut self,
        window: Window<'_>,
        superseded: bool,
        now: Origin,
        sink: &mut R::Sink,
        out: &mut impl FnMut(Row),
    ) {
        let mut late = self.flow.wireshark.reused_in_second_pass();
        for (connection, receiver) in self.flow.connections.drain(..).zip(self.receivers.drain(..)) {
            let mut row = finish(&connection, receiver, window, superseded, now, sink);
            row.connection.wireshark.reused_ports += std::mem::take(&mut late);
            out(row);
        }
    }
}

/// Nothing more comes of a connection.
fn finish<R: Receiver>(
    connection: &TcpConnection,
    mut receiver: R,
    window: Window<'_>,
    superseded: bool,
    now: Origin,
    sink: &mut R::Sink,
) -> Row {
    let at = if now.at == PacketRef::default() { connection.last } else { now.at };
    receiver.hear(Side::Client, Heard::Over, Origin { at, ..now }, &connection.parties(), sink);
    ending::finish(connection, window, superseded)
}

fn finish_flow<R: Receiver>(
    key: Key,
    flow: Flow<R>,
    store: &Store,
    window: Window<'_>,
    now: Origin,
    sink: &mut R::Sink,
    out: &mut impl FnMut(Row),
) {
    match flow {
        Flow::Tcp(mut heeded) => heeded.finish(window, false, now, sink, out),
        Flow::Resting(_, place, receivers) => {
            let flow = Unpacker::unpacked::<TcpFlow>(store.get(place), key.0);
            Heeded { flow, receivers: receivers.into_vec() }.finish(window, false, now, sink, out);
        }
        Flow::Udp(flow) => {
            let key = ConnectionKey(flow.key);
            let connection = flow.datagrams.finish(window.end, window.start);
            out(Row { key, stream_key: flow.stream_key, connection, facts: ending::Facts::default() });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::packet::{Endpoint, IpFacts, TcpFlags, TcpOptions, Transport};
    use crate::place::{FileId, PacketRef};
    use crate::stream::receiver::Deaf;

    /// Flags that connections are made of, the usual ones more often.
    const FLAGS: [u16; 12] = [0x02, 0x12, 0x10, 0x10, 0x10, 0x18, 0x18, 0x11, 0x11, 0x04, 0x14, 0x29];

    /// What is drawn of a packet: port, way and flags; numbers; length, window and time; network, TTL and id.
    type Drawn = ((u16, bool, usize), (u32, u32), (u32, u16, i64), (u32, u8, u16));

    fn drawn() -> impl Strategy<Value = Drawn> {
        let step = prop_oneof![Just(0), 0..2_000_000_i64, 0..4_000_000_000_i64, -5_000_000..0_i64];
        let length = prop_oneof![Just(0), Just(1), 0..3_000_u32];
        let window = prop_oneof![Just(0), Just(500), any::<u16>()];
        (
            (prop_oneof![Just(21_u16), Just(1080), Just(443)], any::<bool>(), 0..FLAGS.len()),
            (0..6_000_u32, 0..6_000_u32),
            (length, window, step),
            (prop_oneof![4 => Just(0), 1 => 0..3_u32], 60..66_u8, 0..4_u16),
        )
    }

    fn packet(number: u64, time: Timestamp, drawn: Drawn) -> Packet {
        let ((port, up, flags), (seq, ack), (length, window, _), (context, ttl, id)) = drawn;
        let ends = [(9, 50_000), (1, port)].map(|(host, port)| Endpoint::new([10, 0, 0, host].into(), port));
        let (flow, ascending) = FlowKey::new(ends[1], ends[0], Transport::Tcp);
        let (own, other) = if up { (u32::MAX - 2_000, 70_000) } else { (70_000, u32::MAX - 2_000) };
        let timestamps = (id % 2 == 0).then_some((number as u32, ack));
        let head = TcpHead {
            seq: own.wrapping_add(seq),
            ack: other.wrapping_add(ack),
            flags: TcpFlags(FLAGS[flags]),
            window,
            options: TcpOptions { timestamps, window_scale: Some(3), ..TcpOptions::default() },
            payload: Payload { length, ..Payload::default() },
            parity: if seq == 7 { ParityLength::Length(seq) } else { ParityLength::Same },
        };
        let error = IcmpError {
            from: [10, 0, 0, 7].into(),
            kind: 3,
            code: 1,
            mtu: None,
            quoted_seq: Some(head.seq),
            quoted_flags: Some(head.flags),
        };
        Packet {
            at: PacketRef {
                number,
                offset: number * 100,
                frame: number,
                length: 90 + length,
                file: FileId(context as u16),
            },
            time,
            flow,
            direction: if up { ascending } else { ascending.reverse() },
            context,
            hidden: seq % 13 == 5,
            link_source: u32::from(ttl),
            ip: IpFacts { ttl, id, ..IpFacts::default() },
            body: if window == 7 || ack == 77 { Body::IcmpError(error) } else { Body::Tcp(head) },
        }
    }

    proptest! {
        /// Whether and when a connection is packed makes no difference to what is told of it.
        #[test]
        fn nothing_is_lost_at_rest(packets in prop::collection::vec(drawn(), 1..200), often in 1..8_usize) {
            let (mut awake, mut resting) = (Table::<Deaf>::new(false, false), Table::<Deaf>::new(false, false));
            let begun = Timestamp(1_700_000_000_000_000_000);
            let mut time = begun;
            for (index, drawn) in packets.into_iter().enumerate() {
                time = Timestamp(time.0 + drawn.2.2);
                let packet = packet(index as u64 + 1, time, drawn);
                let payload: &[u8] = if index % 3 == 0 { b"PORT 10,0,0,1,4,1\r\n" } else { &[5, 1, 0, 1] };
                for table in [&mut awake, &mut resting] {
                    table.packet(&packet, packet.at.number << 4, payload, begun);
                }
                if index % often == 0 {
                    resting.rest(u64::MAX);
                    prop_assert!(resting.awake.is_empty());
                }
            }
            let window = Window { start: begun, end: time, ..Window::default() };
            let [awake, resting] = [awake, resting].map(|table| format!("{:#?}", table.finish(window)));
            prop_assert_eq!(awake, resting);
        }
    }

    #[test]
    fn closed_connections_rest_and_take_little() {
        let mut table = Table::<Deaf>::new(false, false);
        let up = |flags: usize, seq: u32, ack: u32| ((443, true, flags), (seq, ack), (0, 500, 0), (0, 64, 1));
        let down =
            |flags: usize, seq: u32, ack: u32| ((443, false, flags), (seq, ack), (0, 500, 0), (0, 64, 1));
        let script = [up(0, 0, 0), down(1, 0, 1), up(2, 1, 1), up(7, 1, 1), down(7, 1, 2), up(2, 2, 2)];
        for (number, drawn) in (1..).zip(script) {
            let packet = packet(number, Timestamp(number as i64 * 1_000_000), drawn);
            table.packet(&packet, number << 4, &[], Timestamp(0));
        }
        table.rest(7 << 4);
        assert_eq!(table.awake.len(), 1, "its last segments may still come");
        table.rest(CLOSED_RESTS + (6 << 4));
        let sizes: Vec<usize> = table
            .flows
            .values()
            .filter_map(|flow| {
                if let Flow::Resting(_, place, _) = flow { Some(table.store.get(*place).len()) } else { None }
            })
            .collect();
        assert!(matches!(sizes.as_slice(), [..=600]), "{sizes:?}");
    }
}
