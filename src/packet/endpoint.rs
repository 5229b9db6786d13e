//! Endpoints and flows: who talks to whom, without an order of who began.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::limits::SHARDS;

/// An address with a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The IP address.
    pub ip: IpAddr,
    /// The TCP or UDP port.
    pub port: u16,
}

impl Endpoint {
    /// From its two parts.
    pub fn new(ip: IpAddr, port: u16) -> Self {
        Self { ip, port }
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        Self { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 0 }
    }
}

/// `10.0.0.1:80`, `[2001:db8::1]:80`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&SocketAddr::new(self.ip, self.port).to_string())
    }
}

/// TCP or UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// RFC 9293.
    Tcp,
    /// RFC 768.
    Udp,
}

impl Transport {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Which way a packet goes in its flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Direction {
    /// From the flow's lower endpoint to its higher one.
    #[default]
    Up,
    /// From the higher endpoint to the lower one.
    Down,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub fn reverse(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }

    /// 0 or 1, to index a pair of sides.
    pub fn index(self) -> usize {
        self as usize
    }
}

/// The unordered pair of endpoints, and the transport.
///
/// A flow between an endpoint and itself (a capture of loopback) has only the direction [`Direction::Up`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlowKey {
    /// The endpoint that sorts first.
    pub low: Endpoint,
    /// The endpoint that sorts second.
    pub high: Endpoint,
    /// The transport they speak.
    pub transport: Transport,
}

/// Every packet's flow is hashed twice; one of IPv4 is one number.
impl Hash for FlowKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ports = u64::from(self.low.port) << 32 | u64::from(self.high.port) << 16 | self.transport as u64;
        match (self.low.ip, self.high.ip) {
            (IpAddr::V4(low), IpAddr::V4(high)) => {
                let addresses = u64::from(low.to_bits()) << 32 | u64::from(high.to_bits());
                state.write_u128(u128::from(addresses) << 64 | u128::from(ports));
            }
            (low, high) => {
                low.hash(state);
                high.hash(state);
                state.write_u64(ports);
            }
        }
    }
}

impl FlowKey {
    /// The flow of a packet, and which way it goes.
    #[inline]
    pub fn new(source: Endpoint, destination: Endpoint, transport: Transport) -> (Self, Direction) {
        let ascending = match (source.ip, destination.ip) {
            // The order of the derived comparison, in one step.
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                (from.to_bits(), source.port) <= (to.to_bits(), destination.port)
            }
            _ => source <= destination,
        };
        if ascending {
            (Self { low: source, high: destination, transport }, Direction::Up)
        } else {
            (Self { low: destination, high: source, transport }, Direction::Down)
        }
    }

    /// Who sends in this direction.
    pub fn source(&self, direction: Direction) -> Endpoint {
        match direction {
            Direction::Up => self.low,
            Direction::Down => self.high,
        }
    }

    /// The shard that works on this flow; the same in every run.
    pub fn shard(&self) -> usize {
        let seed = foldhash::fast::FixedState::with_seed(0x6768_6f73_7473_686b);
        (seed.hash_one(self) >> 32) as usize % SHARDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_forgets_who_asked() {
        let a = Endpoint::new(IpAddr::from([10, 0, 0, 1]), 40000);
        let b = Endpoint::new(IpAddr::from([10, 0, 0, 2]), 80);
        let (there, up) = FlowKey::new(a, b, Transport::Tcp);
        let (back, down) = FlowKey::new(b, a, Transport::Tcp);
        assert_eq!((there, up), (back, down.reverse()));
        assert_eq!(there.source(down), b);
        assert_eq!(there.shard(), back.shard());
    }
}
