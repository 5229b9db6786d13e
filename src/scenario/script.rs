//! What a story says, line by line, as plain data: the setting of the scene, then what happens on it.

use std::net::{IpAddr, SocketAddr};

/// One of the two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Who opens.
    Client,
    /// Who waits to be opened.
    Server,
}

impl Side {
    /// Both, the client first.
    pub(super) const BOTH: [Self; 2] = [Self::Client, Self::Server];

    /// The peer.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// The word of the language.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// Something that each side has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pair<T> {
    /// The client's.
    pub(super) client: T,
    /// The server's.
    pub(super) server: T,
}

impl<T> Pair<T> {
    /// That of `side`.
    pub(super) fn of(&self, side: Side) -> &T {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// That of `side`, to be changed.
    pub(super) fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

/// What the frames of the capture begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Link {
    /// Ethernet II, link type 1.
    #[default]
    Ethernet,
    /// Bare IPv4 or IPv6, link type 101.
    Raw,
    /// Linux cooked capture, version 1, link type 113.
    Cooked,
    /// BSD loopback with the address family in little-endian order, link type 0.
    Null,
}

impl Link {
    /// The LINKTYPE number of pcap files.
    pub fn number(self) -> u16 {
        match self {
            Self::Null => 0,
            Self::Ethernet => 1,
            Self::Raw => 101,
            Self::Cooked => 113,
        }
    }
}

/// One end: where packets come from and how far away it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) address: SocketAddr,
    pub(super) mac: [u8; 6],
    /// Time to live, or hop limit, as seen at the tap.
    pub(super) ttl: u8,
}

/// A wrapping around every packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tunnel {
    pub(super) kind: TunnelKind,
    /// Outer address at the client's end.
    pub(super) from: IpAddr,
    /// Outer address at the server's end.
    pub(super) to: IpAddr,
}

/// Which wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TunnelKind {
    /// RFC 7348, with its network identifier.
    Vxlan(u32),
    /// RFC 2784, with the key of RFC 2890 where there is one.
    Gre(Option<u32>),
}

/// How a connection and its ends are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setup {
    pub(super) ends: Pair<End>,
    /// Largest packet; decides the segment size where that is not given.
    pub(super) mtu: u16,
    /// Maximum segment size, as the option says it.
    pub(super) mss: Option<u16>,
    /// From the tap to the side and back, in nanoseconds.
    pub(super) turn: Pair<i64>,
    pub(super) timestamps: bool,
    pub(super) sack: bool,
    pub(super) window_scale: Option<u8>,
    /// Initial sequence number; none: one made from the connection's place in the story.
    pub(super) isn: Pair<Option<u32>>,
    /// Receive buffer in bytes.
    pub(super) window: Pair<u32>,
    pub(super) vlans: Vec<u16>,
    pub(super) tunnel: Option<Tunnel>,
    /// How often data are sent again before the sender gives up.
    pub(super) retries: u32,
    /// How long an acknowledgement may wait, in nanoseconds.
    pub(super) delayed_ack: i64,
}

impl Default for Setup {
    fn default() -> Self {
        let end = |host: u8, port: u16| End {
            address: SocketAddr::from(([10, 0, 0, host], port)),
            mac: [2, 0, 0, 0, 0, host],
            ttl: 64,
        };
        Self {
            ends: Pair { client: end(1, 40_000), server: end(2, 80) },
            mtu: 1500,
            mss: None,
            turn: Pair { client: 100_000, server: 20_000_000 },
            timestamps: true,
            sack: true,
            window_scale: Some(7),
            isn: Pair::default(),
            window: Pair { client: 64_240, server: 65_160 },
            vlans: Vec::new(),
            tunnel: None,
            retries: 15,
            delayed_ack: 40_000_000,
        }
    }
}

/// A statement with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: usize,
    /// The connection that the line names; none: the first one.
    pub(super) connection: Option<String>,
    /// Whether to act at once instead of waiting for what the peer has sent.
    pub(super) meanwhile: bool,
    pub(super) statement: Statement,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// What the story shows, for its reader.
    Title(String),
    /// When it begins, in nanoseconds since 1970.
    Start(i64),
    /// What the frames begin with.
    Link(Link),
    /// How connections are made.
    Settings(Vec<Setting>),
    /// A further connection: its name, and where it differs from the first.
    Connection(String, Vec<Setting>),
    /// Time passes, or the recording changes.
    Clock(Clock),
    /// Something happens on a connection.
    Action(Action),
    /// Something goes wrong on the way or in the recording.
    Fault(Side, Mishap),
}

/// One property of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Setting {
    End { side: Side, address: SocketAddr, mac: Option<[u8; 6]>, ttl: Option<u8> },
    Mtu(u16),
    Mss(u16),
    Rtt { far: i64, near: Option<i64> },
    Timestamps(bool),
    Sack(bool),
    WindowScale(Option<u8>),
    Isn(Side, u32),
    Window(Side, u32),
    Vlans(Vec<u16>),
    Tunnel(Option<Tunnel>),
    Retries(u32),
    DelayedAck(i64),
}

impl Setup {
    /// Takes over one property.
    pub(super) fn apply(&mut self, setting: &Setting) {
        match *setting {
            Setting::End { side, address, mac, ttl } => {
                let end = self.ends.of_mut(side);
                end.address = address;
                end.mac = mac.unwrap_or(end.mac);
                end.ttl = ttl.unwrap_or(end.ttl);
            }
            Setting::Mtu(mtu) => (self.mtu, self.mss) = (mtu, None),
            Setting::Mss(mss) => self.mss = Some(mss),
            Setting::Rtt { far, near } => {
                self.turn.server = far;
                self.turn.client = near.unwrap_or(self.turn.client);
            }
            Setting::Timestamps(on) => self.timestamps = on,
            Setting::Sack(on) => self.sack = on,
            Setting::WindowScale(shift) => self.window_scale = shift,
            Setting::Isn(side, isn) => *self.isn.of_mut(side) = Some(isn),
            Setting::Window(side, bytes) => *self.window.of_mut(side) = bytes,
            Setting::Vlans(ref vlans) => self.vlans.clone_from(vlans),
            Setting::Tunnel(tunnel) => self.tunnel = tunnel,
            Setting::Retries(retries) => self.retries = retries,
            Setting::DelayedAck(wait) => self.delayed_ack = wait,
        }
    }
}

/// What concerns time and the recording as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// Let this many nanoseconds pass.
    Sleep(i64),
    /// Let time pass until so long after the start.
    At(i64),
    /// Let everything under way arrive.
    Settle,
    /// The recording begins here: let everything arrive, then forget the frames so far.
    Begin,
    /// The recording stops here.
    End,
    /// Keep so many bytes of each frame from here on.
    Cut(Option<u32>),
    /// Record nothing from this side from here on; none: record both again.
    Blind(Option<Side>),
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Payload {
    /// As written.
    Bytes(Vec<u8>),
    /// So many bytes that look like nothing in particular.
    Filler(usize),
}

impl Payload {
    /// How many bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Filler(count) => *count,
        }
    }

    /// The bytes. Filler is always the same: printable, with a period (95) that divides no usual segment size,
    /// so that two segments of one transfer rarely hold equal bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Filler(count) => (b' '..=b'~').cycle().take(*count).collect(),
        }
    }
}

/// What happens on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Open(Opening),
    /// The application sends bytes.
    Say(Side, Payload),
    /// The application stops sending but still reads (`shutdown`).
    Fin(Side),
    /// The application closes; data that come later are answered by a reset.
    Close(Side),
    /// One side closes, the other closes as soon as it sees that.
    CloseBy(Side),
    /// A reset at the side's own next sequence number; `bare` without the ACK flag.
    Reset {
        side: Side,
        bare: bool,
    },
    /// Keep-alive probes.
    KeepAlive {
        side: Side,
        byte: bool,
        times: u32,
        every: i64,
    },
    /// The receive buffer becomes so large, and the peer is told at once.
    Window(Side, u32),
    /// The application stops reading, so that the window closes.
    Stall(Side),
    /// The application reads all and goes on reading.
    Read(Side),
    /// A bare acknowledgement, needed or not.
    Ack(Side),
    /// The side loses its state: what comes is answered by bare resets.
    Forget(Side),
    /// The side neither sends nor hears any more.
    Vanish(Side),
    /// It does again.
    Return(Side),
    /// A segment that passes the tap and that neither stack knows of.
    Segment(Side, RawSegment),
    /// A box on the way resets the connection in the name of the other end.
    MiddleboxReset {
        towards: Vec<Side>,
        ttl: Option<u8>,
        mac: Option<[u8; 6]>,
        bare: bool,
    },
    /// Somebody complains about the last packet of `quoting`.
    Icmp {
        kind: Unreachable,
        from: Option<IpAddr>,
        quoting: Side,
    },
    /// A UDP datagram.
    Datagram(Side, Payload),
}

/// How a connection is opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Opening {
    pub(super) reception: Reception,
    /// Initial sequence number of the client for this time.
    pub(super) isn: Option<u32>,
    /// Data in the SYN (RFC 7413).
    pub(super) early: Option<Vec<u8>>,
}

/// How the SYN fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Reception {
    /// A handshake.
    #[default]
    Accepted,
    /// Answered by RST and ACK.
    Refused,
    /// No answer; the SYN is sent again so many times.
    Unanswered(u32),
    /// Both ends open at the same time.
    Crossing,
    /// Whoever sent the SYN answers the SYN-ACK with a reset.
    Scan,
    /// Data in the SYN are not accepted.
    EarlyIgnored,
}

/// A segment written by hand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RawSegment {
    /// Where it begins; none: where the side would send next.
    pub(super) seq: Option<Place>,
    /// What it acknowledges; none: what the side would.
    pub(super) ack: Option<Place>,
    /// Letters of SAFRPUEC; none: ACK.
    pub(super) flags: Option<Vec<Flag>>,
    pub(super) data: Vec<u8>,
    pub(super) window: Option<u16>,
    pub(super) ttl: Option<u8>,
}

/// A sequence number of a raw segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Counted from the initial sequence number, which is 0 as in Wireshark.
    Relative(u32),
    /// Counted from what the stack would write there.
    Shifted(i64),
}

/// One flag of the TCP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    Syn,
    Ack,
    Fin,
    Reset,
    Push,
    Urgent,
    Echo,
    Reduced,
}

/// What ICMP complains about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreachable {
    Network,
    Host,
    Protocol,
    Port,
    Prohibited,
    TimeExceeded,
    TooBig { mtu: u16 },
}

/// What goes wrong with one or several packets of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mishap {
    pub(super) kind: MishapKind,
    /// So many packets pass unharmed first.
    pub(super) after: u32,
    /// So many are hit; none: all from here on, until `none`, which is zero.
    pub(super) count: Option<u32>,
}

/// The kinds of mishap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MishapKind {
    /// Lost behind the tap: recorded, never delivered.
    LoseBehind,
    /// Lost before the tap: neither recorded nor delivered.
    LoseBefore,
    /// Delivered, but missing in the recording.
    Miss,
    /// Recorded twice, the second time later and with another time to live.
    Repeat { later: i64, ttl: i16 },
    /// Passes the tap after the side's next packet.
    Swap,
    /// Arrives later than it should.
    Delay(i64),
    /// Travels in IP fragments of at most so many bytes.
    Fragment(u16),
}
