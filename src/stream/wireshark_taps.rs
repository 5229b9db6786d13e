//! Where a dissector of tshark 4.0.17 reaches down into its TCP numbering, and parity must follow.
//!
//! Two do in practice: SOCKS takes a `tcp.stream` of its own for what it carries, and FTP makes the conversation
//! of a data connection before its SYN comes. Both go by their registered port, as tshark does by default.

use std::net::Ipv4Addr;

use super::pack::{Pack, Packer, Unpacker, packed};
use crate::packet::{Direction, FlowKey};

/// What a payload changes in tshark's numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noted {
    /// The first bytes carried by SOCKS: a stream number is used up.
    SocksData,
    /// FTP announced a data connection.
    Expect(Announcement),
}

/// A data connection that FTP announced: whoever listens, and whether the peer comes from port 20 (active mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Announcement {
    /// The address named in the text; else the sender's own.
    pub(super) address: Option<Ipv4Addr>,
    /// The port.
    pub(super) port: u16,
    /// Whether the client listens: tshark then expects the server's port 20.
    pub(super) active: bool,
}

/// Follows the payload of one connection as far as numbering needs.
#[derive(Debug, Clone, Copy)]
pub(super) enum ApplicationTap {
    /// Nothing to follow.
    None,
    /// An FTP control connection.
    Ftp,
    /// SOCKS: the direction of the client, and whether the server has granted the connection.
    Socks(Direction, SocksStep),
}

/// What a SOCKS connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SocksStep {
    Request,
    Reply,
    Data,
}

packed!(SocksStep: Request | Reply | Data);

impl Pack for ApplicationTap {
    fn pack(&self, to: &mut Packer) {
        match self {
            Self::None => 0_u8.pack(to),
            Self::Ftp => 1_u8.pack(to),
            Self::Socks(client, step) => (2_u8, (*client, *step)).pack(to),
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        match u8::unpack(from) {
            0 => Self::None,
            1 => Self::Ftp,
            _ => Self::Socks(Direction::unpack(from), SocksStep::unpack(from)),
        }
    }
}

impl ApplicationTap {
    /// What to follow on this flow.
    pub(super) fn new(flow: FlowKey) -> Self {
        match (flow.low.port, flow.high.port) {
            (21, _) | (_, 21) => Self::Ftp,
            (1080, _) => Self::Socks(Direction::Down, SocksStep::Request),
            (_, 1080) => Self::Socks(Direction::Up, SocksStep::Request),
            _ => Self::None,
        }
    }

    /// The next payload.
    pub(super) fn payload(&mut self, direction: Direction, payload: &[u8]) -> Option<Noted> {
        match self {
            Self::None => None,
            Self::Ftp => announced(payload).map(Noted::Expect),
            Self::Socks(client, step) => {
                let from_client = direction == *client;
                match (*step, payload) {
                    (SocksStep::Request, [4, 1 | 2, ..] | [5, 1..=3, 0, 1 | 3 | 4, ..]) if from_client => {
                        *step = SocksStep::Reply;
                    }
                    (SocksStep::Reply, [0, 90, ..] | [5, 0, 0, 1 | 3 | 4, ..]) if !from_client => {
                        *step = SocksStep::Data;
                    }
                    (SocksStep::Data, _) => {
                        *self = Self::None;
                        return Some(Noted::SocksData);
                    }
                    _ => {}
                }
                None
            }
        }
    }
}

/// What `PORT h1,h2,h3,h4,p1,p2`, `227 … (h1,…,p2)` and `229 … (|||port|)` announce (RFC 959 §4.1.2,
/// RFC 2428 §3). tshark 4.0.17 does not follow `EPRT`.
fn announced(payload: &[u8]) -> Option<Announcement> {
    let line = payload.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
    let text = std::str::from_utf8(line).ok()?;
    let active = text.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case("PORT "));
    if active || text.starts_with("227 ") {
        let from = text.find('(').or_else(|| text.rfind(' '))?;
        let numbers =
            text.get(from + 1..)?.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        let octets: Vec<u8> = numbers.take(6).map_while(|part| part.parse().ok()).collect();
        let [a, b, c, d, high, low] = *octets.as_slice() else { return None };
        let port = u16::from_be_bytes([high, low]);
        return Some(Announcement { address: Some(Ipv4Addr::new(a, b, c, d)), port, active });
    }
    if text.starts_with("229 ") {
        let port =
            text.trim_end_matches([')', '.', ' ']).trim_end_matches('|').rsplit('|').next()?.parse().ok()?;
        return Some(Announcement { address: None, port, active: false });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_of_ftp() {
        for (line, port) in [
            ("PORT 10,0,0,1,4,1\r\n", Some(1025)),
            ("227 Entering Passive Mode (10,0,0,2,195,80).\r\n", Some(50_000)),
            ("EPRT |2|fd00::1|5282|\r\n", None),
            ("229 Entering Extended Passive Mode (|||6446|)\r\n", Some(6446)),
            ("USER anna\r\n", None),
            ("PORT 1,2\r\n", None),
        ] {
            assert_eq!(announced(line.as_bytes()).map(|announced| announced.port), port, "{line}");
        }
    }
}
