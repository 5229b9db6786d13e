//! UDP: who spoke.

use super::history::{History, Role};
use super::{is_broadcast, udp_server_speaks};
use crate::packet::Endpoint;

/// Zeek's account of one UDP conversation.
#[derive(Debug, Clone, Copy)]
pub struct ZeekUdp {
    history: History,
    flipped: bool,
    originator_spoke: bool,
    responder_spoke: bool,
}

impl ZeekUdp {
    /// For a conversation whose first datagram goes from `sender` to `receiver`; give that datagram to
    /// [`datagram`](Self::datagram) too. The roles are flipped if only the sender's port is one of a server.
    pub fn new(sender: Endpoint, receiver: Endpoint) -> Self {
        let flipped = udp_server_speaks(sender.port, receiver.port) && !is_broadcast(receiver.ip);
        let mut new =
            Self { history: History::new(), flipped, originator_spoke: false, responder_spoke: false };
        if flipped {
            new.history.push(Role::Originator, b'^');
        }
        new
    }

    /// Takes the next datagram; `from_first_sender` says whether the first datagram had the same source.
    pub fn datagram(&mut self, from_first_sender: bool) {
        if from_first_sender == self.flipped {
            self.responder_spoke = true;
            self.history.push_once(Role::Responder, History::DATA, b'D');
        } else {
            self.originator_spoke = true;
            self.history.push_once(Role::Originator, History::DATA, b'D');
        }
    }

    /// `conn_state` as of now: S0, SF, SHR, or OTH before the first datagram.
    pub fn conn_state(&self) -> &'static str {
        match (self.originator_spoke, self.responder_spoke) {
            (true, true) => "SF",
            (true, false) => "S0",
            (false, true) => "SHR",
            (false, false) => "OTH",
        }
    }

    /// `history` as of now: `D`, `d` and `^`.
    pub fn history(&self) -> &str {
        self.history.as_str()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn endpoint(host: u8, port: u16) -> Endpoint {
        Endpoint::new(IpAddr::from([10, 0, 0, host]), port)
    }

    #[test]
    fn datagrams_know_three_states() {
        for (ports, script, state, history) in [
            ((40000, 53), ">>", "S0", "D"),
            ((40000, 53), "><><", "SF", "Dd"),
            ((40000, 53), "<", "SHR", "^d"),
            ((40000, 53), "<>", "SF", "^dD"),
            ((123, 53), "<>", "SF", "Dd"),
        ] {
            let (client, server) = (endpoint(1, ports.0), endpoint(2, ports.1));
            let first_is_client = script.starts_with('>');
            let mut zeek =
                if first_is_client { ZeekUdp::new(client, server) } else { ZeekUdp::new(server, client) };
            for side in script.chars() {
                zeek.datagram((side == '>') == first_is_client);
            }
            assert_eq!((zeek.conn_state(), zeek.history()), (state, history), "{script}");
        }
    }
}
