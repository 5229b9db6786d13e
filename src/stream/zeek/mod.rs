//! Zeek's view of a conversation: `conn_state` and `history` as its conn.log writes them.
//!
//! Zeek sees two ends, the *originator* and the *responder*, each in one of seven states; `conn_state` is
//! read off the pair at the end, and `history` is a letter for each notable thing, upper case for the
//! originator. The rules are those of Zeek 6 and 7 with default settings (docs.zeek.org:
//! `base/protocols/conn/main.zeek`, conn.log).
//!
//! Zeek writes a row when it forgets a connection. A closed one is forgotten after five seconds, so that a
//! RST to a stray segment a minute later is a row of its own; where that happened, the account here is that
//! of the last row. Zeek's other timers (five minutes without traffic, five seconds without an answer) are
//! left out on purpose: a connection that was idle is still one. Checksums are not verified (no `C`, and
//! nothing is dropped for it), and no analysis is given up half-way (no `X`). `docs/parity.md` counts what
//! follows from it.

mod end;
mod history;
mod tcp;
mod udp;

pub use tcp::ZeekTcp;
pub use udp::ZeekUdp;

use std::net::{IpAddr, Ipv4Addr};

use crate::packet::TcpFlags;

/// TCP ports that Zeek 7 takes for a server's when it has to guess: those of the analyzers that its default
/// scripts register (`likely_server_ports`).
const TCP_SERVER_PORTS: [u16; 48] = [
    21, 22, 25, 53, 79, 80, 81, 88, 110, 135, 139, 143, 389, 443, 445, 465, 502, 563, 585, 587, 614, 631,
    636, 989, 990, 992, 993, 995, 1080, 1434, 1883, 2811, 3128, 3268, 3306, 3389, 5222, 5223, 5269, 5432,
    6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000,
];

/// UDP ports of the same list.
const UDP_SERVER_PORTS: [u16; 23] = [
    53, 67, 88, 123, 137, 161, 162, 389, 443, 514, 1812, 2123, 2152, 3268, 3389, 3544, 4789, 5060, 5072,
    5353, 5355, 6081, 20000,
];

/// Whether Zeek takes the sender of a row's first segment for its responder. A pure SYN is believed; a
/// SYN-ACK between two plausible servers is not, since scanners send them.
fn tcp_server_speaks(source: u16, destination: u16, flags: TcpFlags) -> bool {
    let is_server = |port: u16| TCP_SERVER_PORTS.contains(&port);
    if flags.is_pure_syn() || !is_server(source) {
        return false;
    }
    !is_server(destination) || (!flags.has(TcpFlags::SYN) && source < destination)
}

/// The same for a first datagram: only its sender's port is one of a server.
fn udp_server_speaks(source: u16, destination: u16) -> bool {
    UDP_SERVER_PORTS.contains(&source) && !UDP_SERVER_PORTS.contains(&destination)
}

/// An address that Zeek never takes for an originator.
fn is_broadcast(ip: IpAddr) -> bool {
    ip == IpAddr::V4(Ipv4Addr::BROADCAST)
}
