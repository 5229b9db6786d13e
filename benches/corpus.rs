//! Makes the input of the benches: captures of any number of packets, the same bytes each time.
//!
//! Many TCP connections lie interleaved. Each opens with a handshake, asks and answers some dozens of times and
//! closes with FIN; frames have 60 to 1514 bytes, most of them few, as databases, brokers and APIs have them. Half of
//! the connections carry timestamps. Only a bounded number is open at a time, and every packet is written as
//! soon as it is made, so that a capture of any size costs no memory. Checksums are valid, no packet is lost, and
//! the recorder stops at the last packet asked for: what is open then stays open. Downloads are the same with HTTP/1.1
//! requests and long contents behind their answers.

use std::borrow::Cow;
use std::io::{self, Write};

use etherparse::{
    IpHeaders, IpNumber, Ipv4Extensions, Ipv4Header, PacketBuilder, TcpHeader, TcpOptionElement,
};

/// Connections open at one time.
const LIVE: usize = 256;

/// Bytes of the pcap file header.
const FILE_HEADER: u64 = 24;

/// Bytes of the header of a record.
const RECORD_HEADER: u64 = 16;

/// Smallest frame on Ethernet, without its checksum; shorter ones are padded (IEEE 802.3 §3.2.8).
const SMALLEST_FRAME: usize = 60;

/// Largest payload of a segment without options.
const LARGEST_PAYLOAD: u16 = 1460;

/// Bytes of the timestamps option with its padding (RFC 7323, appendix A).
const TIMESTAMPS: u16 = 12;

/// When the first packet comes: seconds since 1970.
const BEGIN_S: u64 = 1_760_000_000;

/// The server port: echo (RFC 862), whose dissector in Wireshark is among the cheapest. On a port that Wireshark does
/// not know it would try dozens of heuristics on every payload, and comparing with it would flatter others.
const SERVER_PORT: u16 = 7;

/// The server port of downloads.
const DOWNLOAD_PORT: u16 = 80;

/// A request of a download.
const REQUEST: &[u8] = b"GET /archive/part.bin HTTP/1.1\r\nHost: files.example\r\nAccept: */*\r\n\r\n";

/// Client ports from here on, as Linux gives them.
const CLIENT_PORT: u64 = 32_768;

/// How many client ports a host uses before the next host comes.
const CLIENT_PORTS: u64 = 28_232;

/// Does not depend on the number of packets: a capture's beginning is the same however long it becomes.
const SEED: u64 = 0x67_686f_7374;

/// What the connections carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// Short questions and answers that no dissector knows.
    Short,
    /// HTTP/1.1 requests with long contents.
    #[allow(dead_code, reason = "only the example writes them")]
    Downloads,
}

/// Writes a pcap of that many packets, and returns its length in bytes.
///
/// # Errors
/// What `out` says.
pub(crate) fn write_capture(traffic: Traffic, packets: u64, out: &mut impl Write) -> io::Result<u64> {
    out.write_all(&file_header())?;
    let mut dice = Dice(SEED);
    let mut begun = 0;
    let mut live: Vec<Connection> =
        (0..LIVE).map(|_| Connection::next(traffic, &mut begun, &mut dice)).collect();
    let filler: Vec<u8> = (b' '..=b'~').cycle().take(usize::from(LARGEST_PAYLOAD)).collect();
    let mut frame = Vec::with_capacity(2048);
    let mut microseconds = BEGIN_S * 1_000_000;
    let mut length = FILE_HEADER;
    for _ in 0..packets {
        let slot = dice.below(LIVE as u64) as usize;
        let Some(connection) = live.get_mut(slot) else { continue };
        let segment = connection.step(&mut dice);
        microseconds += 1 + dice.below(30);
        frame.clear();
        let payload = connection.payload(&segment, &filler);
        connection.write(&segment, microseconds, &payload, &mut frame)?;
        if connection.expects == Expects::Nothing {
            *connection = Connection::next(traffic, &mut begun, &mut dice);
        }
        let size = frame.len() as u32;
        for field in [(microseconds / 1_000_000) as u32, (microseconds % 1_000_000) as u32, size, size] {
            out.write_all(&field.to_le_bytes())?;
        }
        out.write_all(&frame)?;
        length += RECORD_HEADER + u64::from(size);
    }
    out.flush()?;
    Ok(length)
}

/// Little-endian, microseconds, version 2.4, frames of up to 256 KiB, Ethernet.
fn file_header() -> [u8; FILE_HEADER as usize] {
    let mut header = [0; FILE_HEADER as usize];
    for (place, field) in header.chunks_exact_mut(4).zip([0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144_u32, 1]) {
        place.copy_from_slice(&field.to_le_bytes());
    }
    header
}

/// Numbers that look random and are the same each time (`SplitMix64`, Steele et al. 2014).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to `bound`, without it.
    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    /// From `low` up to and with `high`.
    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }
}

/// What a connection's next segment will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expects {
    Syn,
    SynAck,
    HandshakeAck,
    Request,
    /// The server's system acknowledges before its program answers.
    RequestAck,
    Response,
    ClientFin,
    ServerFin,
    LastAck,
    Nothing,
}

/// Who sends a segment; also an index of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    Client = 0,
    Server = 1,
}

/// One segment to be sent.
struct Segment {
    from: Sender,
    syn: bool,
    ack: bool,
    fin: bool,
    payload: u16,
}

/// One connection, as far as it is.
struct Connection {
    client: ([u8; 4], u16),
    server: ([u8; 4], u16),
    timestamps: bool,
    traffic: Traffic,
    /// Sequence numbers to be sent next: the client's and the server's.
    next: [u32; 2],
    expects: Expects,
    turns_left: u64,
    response_left: u64,
    /// Its whole length.
    response: u64,
    /// Segments of the response that the client has not acknowledged yet.
    owed: u8,
}

impl Connection {
    /// The next new one; `begun` counts them. No two have the same addresses and ports.
    fn next(traffic: Traffic, begun: &mut u64, dice: &mut Dice) -> Self {
        let [.., high, low] = (*begun / CLIENT_PORTS + 1).to_be_bytes();
        let port = CLIENT_PORT + *begun % CLIENT_PORTS;
        *begun += 1;
        let server = dice.below(16) as u8;
        Self {
            client: ([10, 1, high, low], port as u16),
            server: (
                [10, 2, 0, server + 1],
                if traffic == Traffic::Short { SERVER_PORT } else { DOWNLOAD_PORT },
            ),
            traffic,
            timestamps: dice.below(2) == 0,
            next: [dice.roll() as u32, dice.roll() as u32],
            expects: Expects::Syn,
            turns_left: dice.between(1, 40),
            response_left: 0,
            response: 0,
            owed: 0,
        }
    }

    /// The next segment; moves on.
    fn step(&mut self, dice: &mut Dice) -> Segment {
        let plain = |from| Segment { from, syn: false, ack: true, fin: false, payload: 0 };
        let (client, server) = (plain(Sender::Client), plain(Sender::Server));
        let (segment, expects) = match self.expects {
            Expects::Syn => (Segment { syn: true, ack: false, ..client }, Expects::SynAck),
            Expects::SynAck => (Segment { syn: true, ..server }, Expects::HandshakeAck),
            Expects::HandshakeAck => (client, Expects::Request),
            Expects::Request => {
                self.turns_left -= 1;
                self.owed = 0;
                self.response = match self.traffic {
                    Traffic::Short => response_size(dice),
                    Traffic::Downloads => dice.between(50_000, 1_500_000),
                };
                self.response_left = self.response;
                let expects = if dice.below(4) == 0 { Expects::RequestAck } else { Expects::Response };
                let payload = match self.traffic {
                    Traffic::Short => dice.between(6, 120) as u16,
                    Traffic::Downloads => REQUEST.len() as u16,
                };
                (Segment { payload, ..client }, expects)
            }
            Expects::RequestAck => (server, Expects::Response),
            Expects::Response if self.owed == 2 => {
                self.owed = 0;
                (client, Expects::Response)
            }
            Expects::Response => {
                let payload = self.response_left.min(u64::from(self.largest_payload())) as u16;
                self.response_left -= u64::from(payload);
                self.owed += 1;
                let expects = match (self.response_left, self.turns_left) {
                    (0, 0) => Expects::ClientFin,
                    (0, _) => Expects::Request,
                    _ => Expects::Response,
                };
                (Segment { payload, ..server }, expects)
            }
            Expects::ClientFin => (Segment { fin: true, ..client }, Expects::ServerFin),
            Expects::ServerFin => (Segment { fin: true, ..server }, Expects::LastAck),
            Expects::LastAck | Expects::Nothing => (client, Expects::Nothing),
        };
        self.expects = expects;
        segment
    }

    /// What a segment carries that was just made.
    fn payload<'f>(&self, segment: &Segment, filler: &'f [u8]) -> Cow<'f, [u8]> {
        let length = usize::from(segment.payload);
        let plain = filler.get(..length).unwrap_or(filler);
        let first = self.response_left + u64::from(segment.payload) == self.response;
        match (self.traffic, segment.from) {
            (Traffic::Downloads, Sender::Client) if length > 0 => Cow::Borrowed(REQUEST),
            (Traffic::Downloads, Sender::Server) if length > 0 && first => {
                // The head counts to the response, so that its content is what is left; the number has seven digits.
                let head = |content: u64| format!("HTTP/1.1 200 OK\r\nContent-Length: {content:07}\r\n\r\n");
                let head = head(self.response - head(0).len() as u64);
                Cow::Owned([head.as_bytes(), plain.get(head.len()..).unwrap_or_default()].concat())
            }
            _ => Cow::Borrowed(plain),
        }
    }

    fn largest_payload(&self) -> u16 {
        if self.timestamps { LARGEST_PAYLOAD - TIMESTAMPS } else { LARGEST_PAYLOAD }
    }

    /// Appends a segment's frame to `frame`, and counts what it takes of the sequence numbers.
    fn write(
        &mut self,
        segment: &Segment,
        microseconds: u64,
        payload: &[u8],
        frame: &mut Vec<u8>,
    ) -> io::Result<()> {
        let [client_next, server_next] = &mut self.next;
        let (source, target, next, other) = match segment.from {
            Sender::Client => (self.client, self.server, client_next, *server_next),
            Sender::Server => (self.server, self.client, server_next, *client_next),
        };
        let mut tcp = TcpHeader::new(source.1, target.1, *next, if segment.syn { 64_240 } else { 502 });
        (tcp.syn, tcp.ack, tcp.fin) = (segment.syn, segment.ack, segment.fin);
        tcp.psh = segment.payload > 0 && (segment.from == Sender::Client || self.response_left == 0);
        tcp.acknowledgment_number = if segment.ack { other } else { 0 };
        *next =
            next.wrapping_add(u32::from(segment.payload) + u32::from(segment.syn) + u32::from(segment.fin));
        let clock = (microseconds / 1000) as u32;
        let echo = if segment.ack { clock.wrapping_sub(1) } else { 0 };
        let options = options(segment.syn, self.timestamps.then_some((clock, echo)));
        tcp.set_options(&options).map_err(io::Error::other)?;
        let mut ip = Ipv4Header { time_to_live: 64, protocol: IpNumber::TCP, ..Ipv4Header::default() };
        (ip.source, ip.destination) = (source.0, target.0);
        (ip.dont_fragment, ip.identification) = (true, *next as u16);
        PacketBuilder::ethernet2(hardware_address(source.0), hardware_address(target.0))
            .ip(IpHeaders::Ipv4(ip, Ipv4Extensions::default()))
            .tcp_header(tcp)
            .write(frame, payload)
            .map_err(io::Error::other)?;
        frame.resize(frame.len().max(SMALLEST_FRAME), 0);
        Ok(())
    }
}

/// Bytes of a response: most are short, some fill a segment, few are long.
fn response_size(dice: &mut Dice) -> u64 {
    match dice.below(100) {
        0..86 => dice.between(6, 180),
        86..98 => dice.between(300, u64::from(LARGEST_PAYLOAD)),
        _ => dice.between(3_000, 20_000),
    }
}

/// The options of a segment, as Linux arranges them.
fn options(syn: bool, timestamps: Option<(u32, u32)>) -> Vec<TcpOptionElement> {
    use TcpOptionElement::{
        MaximumSegmentSize, Noop, SelectiveAcknowledgementPermitted, Timestamp, WindowScale,
    };
    let stamp = timestamps.map(|(value, echo)| Timestamp(value, echo));
    match (syn, stamp) {
        (false, None) => vec![],
        (false, Some(stamp)) => vec![Noop, Noop, stamp],
        (true, Some(stamp)) => vec![
            MaximumSegmentSize(LARGEST_PAYLOAD),
            SelectiveAcknowledgementPermitted,
            stamp,
            Noop,
            WindowScale(7),
        ],
        (true, None) => vec![
            MaximumSegmentSize(LARGEST_PAYLOAD),
            Noop,
            Noop,
            SelectiveAcknowledgementPermitted,
            Noop,
            WindowScale(7),
        ],
    }
}

/// A locally administered hardware address for a host.
fn hardware_address([a, b, c, d]: [u8; 4]) -> [u8; 6] {
    [0x02, 0, a, b, c, d]
}
