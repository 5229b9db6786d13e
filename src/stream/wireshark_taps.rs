//! Where a dissector of tshark 4.0.17 reaches down into its TCP numbering, and parity must follow.
//!
//! SOCKS takes a `tcp.stream` of its own for what it carries. FTP, iSCSI and H.225 make the conversation of a
//! connection that they announce before its SYN comes. All go by their registered port, as tshark does by default.

mod ftp;
mod h225;
mod iscsi;

use std::collections::BTreeMap;

use super::pack::{Pack, Packer, Unpacker, packed};
use crate::packet::{Direction, Endpoint, FlowKey};

/// What a payload changes in tshark's numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noted {
    /// The first bytes carried by SOCKS: a stream number is used up.
    SocksData,
    /// A connection was announced.
    Expect(Endpoint, Announcer),
}

/// Who announces a connection. They differ in which connection fulfils it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Announcer {
    /// FTP in active mode: tshark expects the server's port 20.
    FtpActive,
    /// FTP in passive mode.
    FtpPassive,
    /// An iSCSI target's address.
    Iscsi,
    /// H.225: what is announced again while it waits is announced once.
    H225,
}

/// A connection that was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Announcement {
    /// Place in the run of the packet that did.
    pub order: u64,
    /// Who listens.
    pub listener: Endpoint,
    /// Who said so.
    pub by: Announcer,
}

/// The announcements of a run by listener, to be fulfilled by its connections.
#[derive(Debug, Default)]
pub struct Announcements(BTreeMap<Endpoint, Vec<Announcement>>);

impl Announcements {
    /// Of one run, in any order.
    pub fn new(mut all: Vec<Announcement>) -> Self {
        all.sort_unstable();
        let mut by_listener = BTreeMap::<Endpoint, Vec<Announcement>>::new();
        for announced in all {
            by_listener.entry(announced.listener).or_default().push(announced);
        }
        Self(by_listener)
    }

    /// Whether a connection that began at this place of the run had been announced. Each announcement serves one.
    pub fn fulfil(&mut self, order: u64, client: Endpoint, server: Endpoint) -> bool {
        let fits = |announced: &Announcement| {
            announced.order < order && (announced.by != Announcer::FtpActive || client.port == 20)
        };
        let Some(waiting) = self.0.get_mut(&server) else { return false };
        let Some(index) = waiting.iter().position(fits) else { return false };
        if waiting.remove(index).by == Announcer::H225 {
            waiting.retain(|other| other.by != Announcer::H225 || !fits(other));
        }
        true
    }
}

/// Follows the payload of one connection as far as numbering needs.
#[derive(Debug, Clone, Copy)]
pub(super) enum ApplicationTap {
    /// Nothing to follow.
    None,
    /// An FTP control connection.
    Ftp,
    /// iSCSI: bytes of text that are still to come, up and down.
    Iscsi([u32; 2]),
    /// H.225 call signalling.
    H225,
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
            Self::H225 => 3_u8.pack(to),
            Self::Iscsi(text) => (4_u8, (text[0], text[1])).pack(to),
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        match u8::unpack(from) {
            0 => Self::None,
            1 => Self::Ftp,
            3 => Self::H225,
            4 => Self::Iscsi([u32::unpack(from), u32::unpack(from)]),
            _ => Self::Socks(Direction::unpack(from), SocksStep::unpack(from)),
        }
    }
}

impl ApplicationTap {
    /// What to follow on this flow.
    pub(super) fn new(flow: FlowKey) -> Self {
        match (flow.low.port, flow.high.port) {
            (21, _) | (_, 21) => Self::Ftp,
            (860 | 3260, _) | (_, 860 | 3260) => Self::Iscsi([0; 2]),
            (1720, _) | (_, 1720) => Self::H225,
            (1080, _) => Self::Socks(Direction::Down, SocksStep::Request),
            (_, 1080) => Self::Socks(Direction::Up, SocksStep::Request),
            _ => Self::None,
        }
    }

    /// The next payload, which `sender` sent.
    pub(super) fn payload(
        &mut self,
        direction: Direction,
        sender: Endpoint,
        payload: &[u8],
        note: &mut impl FnMut(Noted),
    ) {
        match self {
            Self::None => {}
            Self::Ftp => {
                if let Some((address, port, by)) = ftp::announced(payload) {
                    let ip = address.map_or(sender.ip, Into::into);
                    note(Noted::Expect(Endpoint::new(ip, port), by));
                }
            }
            Self::Iscsi([up, down]) => {
                let waiting = if direction == Direction::Up { up } else { down };
                iscsi::announced(waiting, payload, &mut |target| {
                    note(Noted::Expect(target, Announcer::Iscsi));
                });
            }
            Self::H225 => h225::announced(payload, &mut |address| {
                note(Noted::Expect(address, Announcer::H225));
            }),
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
                        note(Noted::SocksData);
                    }
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: u8, port: u16) -> Endpoint {
        Endpoint::new([10, 0, 0, last].into(), port)
    }

    #[test]
    fn an_announcement_serves_one_later_connection() {
        for (by, first_port, answers) in [
            // The same announcement twice, then three connections.
            (Announcer::FtpPassive, 5000, [true, true, false]),
            (Announcer::Iscsi, 5000, [true, true, false]),
            (Announcer::H225, 5000, [true, false, false]),
            (Announcer::FtpActive, 5000, [false, true, true]),
            (Announcer::FtpActive, 20, [true, true, false]),
        ] {
            let all = [7, 5].map(|order| Announcement { order, listener: at(2, 9000), by });
            let mut all = Announcements::new(all.to_vec());
            assert!(!all.fulfil(5, at(1, 20), at(2, 9000)), "{by:?}: not before it was announced");
            assert!(!all.fulfil(9, at(1, 20), at(2, 9001)), "{by:?}: another port");
            let connections = [(first_port, 8), (20, 9), (20, 10)];
            let found = connections.map(|(port, order)| all.fulfil(order, at(1, port), at(2, 9000)));
            assert_eq!(found, answers, "{by:?} {first_port}");
        }
    }

    #[test]
    fn what_is_announced_again_after_it_was_fulfilled_serves_another() {
        let all = [5, 9].map(|order| Announcement { order, listener: at(2, 9000), by: Announcer::H225 });
        let mut all = Announcements::new(all.to_vec());
        assert!(all.fulfil(7, at(1, 1), at(2, 9000)));
        assert!(all.fulfil(11, at(1, 2), at(2, 9000)));
    }

    #[test]
    fn payloads_are_followed_by_port() {
        let text = b"227 Entering Passive Mode (10,0,0,2,195,80).\r\n";
        for (port, expected) in [
            (21, Some(Noted::Expect(at(2, 50_000), Announcer::FtpPassive))),
            (3260, None),
            (1720, None),
            (2121, None),
        ] {
            let transport = crate::packet::Transport::Tcp;
            let (flow, direction) = FlowKey::new(at(2, port), at(1, 40_000), transport);
            let mut found = None;
            ApplicationTap::new(flow).payload(direction, at(2, port), text, &mut |noted| found = Some(noted));
            assert_eq!(found, expected, "{port}");
        }
    }
}
