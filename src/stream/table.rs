//! The connections of one shard: found, created, succeeded by others on the same ports, and finished.

use hashbrown::HashMap;

use super::Window;
use super::datagrams::Datagrams;
use super::ending::{self, Row};
use super::receiver::{Ear, Heard, Origin, Receiver};
use super::tcp::TcpConnection;
use super::wireshark::{Flags, WiresharkStream};
use super::wireshark_taps::{Announcement, ApplicationTap, Noted};
use crate::events::{ConnectionKey, Side};
use crate::limits::{ANNOUNCEMENTS_PER_SHARD, FINISHED_PER_SHARD, LIVE_PER_SHARD};
use crate::packet::{Body, FlowKey, IcmpError, Packet, ParityLength, TcpFlags, TcpHead};
use crate::place::PacketRef;
use crate::time::Timestamp;

/// All that has happened between two endpoints.
#[derive(Debug)]
enum Flow<R> {
    Tcp(Box<TcpFlow<R>>),
    Udp(Box<UdpFlow>),
}

/// The present `tcp.stream` of two endpoints, and the connections in it: more than one where the same addresses
/// live in two networks, or begin anew in a way that tshark does not notice.
#[derive(Debug)]
struct TcpFlow<R> {
    wireshark: WiresharkStream,
    tap: ApplicationTap,
    stream_key: Option<u64>,
    connections: Vec<Live<R>>,
    last: u64,
}

/// A connection and who listens to it.
#[derive(Debug)]
struct Live<R> {
    connection: TcpConnection,
    receiver: R,
}

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
    flows: HashMap<(FlowKey, bool), Flow<R>>,
    rows: Vec<Row>,
    /// First packets of every `tcp.stream`, and of every `udp.stream`.
    tcp_streams: Vec<u64>,
    udp_streams: Vec<u64>,
    /// Connections that others announced.
    announced: Vec<Announcement>,
    folded: u64,
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
    /// Connections that others announced, in no order.
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
        Self { keep_duplicates, listening, ..Self::default() }
    }

    /// Takes away what the listeners made of what they heard so far.
    pub fn take_sink(&mut self) -> R::Sink {
        std::mem::take(&mut self.sink)
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
            self.evict(Window { start: begun, end: packet.time }, now);
        }
    }

    fn segment(&mut self, packet: &Packet, head: &TcpHead, order: u64, payload: &[u8], begun: Timestamp) {
        let key = (packet.flow, packet.hidden);
        let streams = &mut self.tcp_streams;
        let flow = self
            .flows
            .entry(key)
            .or_insert_with(|| Flow::Tcp(Box::new(TcpFlow::new(packet, order, streams))));
        let Flow::Tcp(flow) = flow else { return };
        flow.last = order;
        let window = Window { start: begun, end: packet.time };
        let now = Origin { at: packet.at, time: packet.time, order };
        let reused = flow.wireshark.is_reused_by(packet.direction, head);
        if reused {
            flow.succeed(packet, window, now, &mut self.sink, &mut |row| self.rows.push(row));
            flow.wireshark = WiresharkStream::default();
            flow.tap = ApplicationTap::new(packet.flow);
            flow.stream_key = (!packet.hidden).then_some(order);
            self.tcp_streams.extend(flow.stream_key);
        }
        let found =
            flow.connections.iter().rposition(|live| live.connection.is_in(packet.context)).or_else(|| {
                let untagged = |live: &Live<R>| live.connection.may_be_tagged_one_way(packet.direction);
                flow.connections.iter().rposition(untagged)
            });
        let index = match found {
            Some(index)
                if flow
                    .connections
                    .get(index)
                    .is_some_and(|old| old.connection.is_succeeded_by(packet, head)) =>
            {
                let old = flow.connections.swap_remove(index);
                self.rows.push(old.finish(window, true, now, &mut self.sink));
                None
            }
            found => found,
        };
        let index = index.unwrap_or_else(|| {
            // Nearly always the only one: room for four, as a vector takes by itself, would be most of the memory.
            flow.connections.reserve_exact(1);
            let connection = TcpConnection::new(packet, head, ConnectionKey(order), flow.stream_key);
            flow.connections.push(Live { connection, receiver: R::default() });
            flow.connections.len() - 1
        });
        let Some(Live { connection, receiver }) = flow.connections.get_mut(index) else { return };
        let counted = match head.parity {
            ParityLength::Same => Some(*head),
            ParityLength::Length(length) => {
                let mut head = *head;
                head.payload.length = length;
                Some(head)
            }
            ParityLength::BadHeader(_) | ParityLength::Unknown => None,
        };
        let mut repeated = false;
        if let Some(head) = &counted {
            let flags = flow.wireshark.segment(packet.time, packet.direction, head, reused);
            flags.count(&mut connection.counters);
            repeated = flags.has(Flags::RETRANSMISSIONS);
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
        let wanted = listening && receiver.wants_bytes();
        let listener = &mut |side, heard: Heard<'_>| {
            if listening {
                receiver.hear(side, heard, now, &parties, sink);
            }
        };
        connection.segment(packet, head, payload, self.keep_duplicates, &mut Ear { now, wanted, listener });
        self.bound_rows();
    }

    fn datagram(&mut self, packet: &Packet, order: u64) {
        let streams = &mut self.udp_streams;
        match self.flows.entry((packet.flow, packet.hidden)) {
            hashbrown::hash_map::Entry::Occupied(mut entry) => {
                if let Flow::Udp(flow) = entry.get_mut() {
                    flow.last = order;
                    flow.datagrams.packet(packet);
                }
            }
            hashbrown::hash_map::Entry::Vacant(entry) => {
                let stream_key = (!packet.hidden).then_some(order);
                streams.extend(stream_key);
                let datagrams = Datagrams::new(packet);
                entry.insert(Flow::Udp(Box::new(UdpFlow { key: order, stream_key, datagrams, last: order })));
            }
        }
    }

    /// An ICMP error creates no connection.
    fn icmp(&mut self, packet: &Packet, error: &IcmpError, order: u64) {
        match self.flows.get_mut(&(packet.flow, packet.hidden)) {
            Some(Flow::Tcp(flow)) => {
                if let Some(live) = flow.connections.last_mut() {
                    live.connection.icmp(packet, error);
                }
            }
            Some(Flow::Udp(flow)) => flow.datagrams.icmp(packet, error),
            None => {
                if let Some(flags) = error.quoted_flags {
                    self.quoted(packet, flags, order);
                }
            }
        }
    }

    /// tshark gives a stream number to a quoted TCP header of unknown endpoints, and so the number is taken.
    fn quoted(&mut self, packet: &Packet, flags: TcpFlags, order: u64) {
        let streams = &mut self.tcp_streams;
        self.flows.entry((packet.flow, packet.hidden)).or_insert_with(|| {
            let mut flow = TcpFlow::new(packet, order, streams);
            flow.wireshark.unanalysed(flags);
            Flow::Tcp(Box::new(flow))
        });
    }

    /// Folds away the longest idle eighth of the flows.
    fn evict(&mut self, window: Window, now: Origin) {
        let mut by_age: Vec<(u64, (FlowKey, bool))> = self
            .flows
            .iter()
            .map(|(key, flow)| match flow {
                Flow::Tcp(flow) => (flow.last, *key),
                Flow::Udp(flow) => (flow.last, *key),
            })
            .collect();
        by_age.sort_unstable();
        for (_, key) in by_age.into_iter().take(LIVE_PER_SHARD / 8) {
            if let Some(flow) = self.flows.remove(&key) {
                self.evicted += 1;
                finish_flow(flow, window, now, &mut self.sink, &mut |mut row| {
                    row.connection.visibility.evicted = true;
                    self.rows.push(row);
                });
            }
        }
        self.bound_rows();
    }

    /// Keeps the rows bounded; the oldest become a count.
    fn bound_rows(&mut self) {
        if self.rows.len() > FINISHED_PER_SHARD + FINISHED_PER_SHARD / 8 {
            let fold = self.rows.len() - FINISHED_PER_SHARD;
            self.rows.drain(..fold);
            self.folded += fold as u64;
        }
    }

    /// The run is over.
    pub fn finish(mut self, window: Window) -> (Finished, R::Sink) {
        let now = Origin { time: window.end, order: u64::MAX, ..Origin::default() };
        let mut flows: Vec<((FlowKey, bool), Flow<R>)> = self.flows.drain().collect();
        flows.sort_unstable_by_key(|(key, _)| *key);
        for (_, flow) in flows {
            finish_flow(flow, window, now, &mut self.sink, &mut |row| self.rows.push(row));
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

impl<R: Receiver> TcpFlow<R> {
    fn new(packet: &Packet, order: u64, streams: &mut Vec<u64>) -> Self {
        let stream_key = (!packet.hidden).then_some(order);
        streams.extend(stream_key);
        let tap = ApplicationTap::new(packet.flow);
        Self { wireshark: WiresharkStream::default(), tap, stream_key, connections: Vec::new(), last: order }
    }

    /// A SYN begins a new stream: what lived in its network is over. The same addresses in another network live on.
    fn succeed(
        &mut self,
        packet: &Packet,
        window: Window,
        now: Origin,
        sink: &mut R::Sink,
        out: &mut impl FnMut(Row),
    ) {
        let elsewhere = |live: &mut Live<R>| {
            let connection = &live.connection;
            let tagged_both = connection.contexts.iter().all(Option::is_some);
            !connection.is_in(packet.context)
                && (tagged_both || !connection.may_be_tagged_one_way(packet.direction))
        };
        let kept: Vec<Live<R>> = self.connections.extract_if(.., elsewhere).collect();
        self.finish(window, true, now, sink, out);
        self.connections = kept;
    }

    /// Finishes all its connections; the stream's last one bears what tshark counts in its second pass.
    fn finish(
        &mut self,
        window: Window,
        superseded: bool,
        now: Origin,
        sink: &mut R::Sink,
        out: &mut impl FnMut(Row),
    ) {
        let mut late = self.wireshark.reused_in_second_pass();
        for live in self.connections.drain(..) {
            let mut row = live.finish(window, superseded, now, sink);
            row.connection.wireshark.reused_ports += std::mem::take(&mut late);
            out(row);
        }
    }
}

impl<R: Receiver> Live<R> {
    /// Nothing more comes of it: the listener hears so, and its account is made.
    fn finish(mut self, window: Window, superseded: bool, now: Origin, sink: &mut R::Sink) -> Row {
        let at = if now.at == PacketRef::default() { self.connection.last } else { now.at };
        let now = Origin { at, ..now };
        self.receiver.hear(Side::Client, Heard::Over, now, &self.connection.parties(), sink);
        ending::finish(&self.connection, window, superseded)
    }
}

fn finish_flow<R: Receiver>(
    flow: Flow<R>,
    window: Window,
    now: Origin,
    sink: &mut R::Sink,
    out: &mut impl FnMut(Row),
) {
    match flow {
        Flow::Tcp(mut flow) => flow.finish(window, false, now, sink, out),
        Flow::Udp(flow) => {
            let connection = flow.datagrams.finish(window.end, window.start);
            out(Row {
                key: ConnectionKey(flow.key),
                stream_key: flow.stream_key,
                connection,
                closing: None,
                facts: ending::Facts::default(),
            });
        }
    }
}
