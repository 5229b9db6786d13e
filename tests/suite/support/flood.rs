//! Captures of very many connections, as a scan or a flood makes them.

use std::net::IpAddr;

use ghostshark::packet::{Endpoint, Transport, endpoint::FlowKey};
use ghostshark::scenario::{Frame, Link, Recording};
use ghostshark::time::Timestamp;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// What the connections of a flood do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A SYN that nobody answers.
    HalfOpen,
    /// A SYN that is answered by a reset.
    Refused,
    /// Opened and closed by both.
    Closed,
}

impl Kind {
    /// Who sends (the client: true), sequence and acknowledgment number, flags.
    fn segments(self) -> &'static [(bool, u32, u32, u8)] {
        match self {
            Self::HalfOpen => &[(true, 1_000, 0, SYN)],
            Self::Refused => &[(true, 1_000, 0, SYN), (false, 0, 1_001, RST | ACK)],
            Self::Closed => &[
                (true, 1_000, 0, SYN),
                (false, 5_000, 1_001, SYN | ACK),
                (true, 1_001, 5_001, ACK),
                (true, 1_001, 5_001, FIN | ACK),
                (false, 5_001, 1_002, FIN | ACK),
                (true, 1_002, 5_002, ACK),
            ],
        }
    }
}

/// An endless row of connections of different clients, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Flood {
    kind: Kind,
    /// The one shard that all flows fall into. Its bounds are reached by thousands of connections where those of
    /// all shards together would need millions.
    shard: Option<usize>,
    next: u32,
    now: Timestamp,
}

impl Flood {
    /// A flood over all shards.
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, shard: None, next: 0, now: Timestamp::from_parts(1_767_225_600, 0) }
    }

    /// A flood into one shard.
    pub(crate) fn into_one_shard(kind: Kind) -> Self {
        Self { shard: Some(17), ..Self::new(kind) }
    }

    /// The clients to come.
    fn client(&mut self) -> (Endpoint, Endpoint) {
        loop {
            let number = self.next;
            self.next += 1;
            let client = Endpoint::new(
                IpAddr::from((0x0a00_0000 | (number >> 15)).to_be_bytes()),
                0x8000 | (number & 0x7fff) as u16,
            );
            let server = Endpoint::new(IpAddr::from([192, 0, 2, 1]), 443);
            let key = FlowKey::new(client, server, Transport::Tcp).0;
            if self.shard.is_none_or(|shard| key.shard() == shard) {
                return (client, server);
            }
        }
    }

    /// The next `connections` connections.
    pub(crate) fn take(&mut self, connections: usize) -> Recording {
        let mut frames = Vec::new();
        for _ in 0..connections {
            let (client, server) = self.client();
            for (by_client, seq, ack, flags) in self.kind.segments() {
                let (from, to) = if *by_client { (client, server) } else { (server, client) };
                let bytes = frame(from, to, *seq, *ack, *flags);
                let original = bytes.len() as u32;
                frames.push(Frame { time: self.now, bytes, original, interface: 0 });
                self.now.0 += 20_000;
            }
        }
        Recording { title: String::new(), interfaces: vec![Link::default()], frames }
    }
}

/// Ethernet, IPv4 and TCP without payload. Checksums are left zero, as offloading leaves them.
fn frame(from: Endpoint, to: Endpoint, seq: u32, ack: u32, flags: u8) -> Vec<u8> {
    let (IpAddr::V4(source), IpAddr::V4(destination)) = (from.ip, to.ip) else { panic!("IPv4 only") };
    let mut bytes = Vec::with_capacity(54);
    bytes.extend([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00]);
    bytes.extend([0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0]);
    bytes.extend(source.octets());
    bytes.extend(destination.octets());
    bytes.extend(from.port.to_be_bytes());
    bytes.extend(to.port.to_be_bytes());
    bytes.extend(seq.to_be_bytes());
    bytes.extend(ack.to_be_bytes());
    bytes.extend([0x50, flags]);
    bytes.extend(64_240_u16.to_be_bytes());
    bytes.extend([0; 4]);
    bytes
}
