//! Names of a connection that other tools can compute too, and one that only depends on the connection.
//!
//! The *Community ID* (version 1, seed 0; Corelight's specification) is shared with Zeek, Suricata, Wireshark
//! and others. The *uid* is ours: the first eight bytes, read as a big-endian number, of the SHA-1 of
//!
//! | bytes | what |
//! |---|---|
//! | 8 | time of the first frame, nanoseconds since 1970, big-endian |
//! | 1 + 4 or 1 + 16 | client: 4 or 6 for the IP version, then the address |
//! | 2 | client's port, big-endian |
//! | 1 + 4 or 1 + 16 | server, likewise |
//! | 2 | server's port, big-endian |
//! | 1 | protocol number: 6 for TCP, 17 for UDP |
//! | 4 | initial sequence number of the client, big-endian; 0 for UDP or where it was not seen |

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use crate::packet::{Endpoint, Transport};
use crate::time::Timestamp;

/// Community ID version 1 with seed 0: `1:` and 28 characters; the same for both directions.
///
/// Source: <https://github.com/corelight/community-id-spec>.
pub fn community_id(client: Endpoint, server: Endpoint, transport: Transport) -> String {
    let (first, second) = if client <= server { (client, server) } else { (server, client) };
    let mut hash = Sha1::new();
    hash.update(0_u16.to_be_bytes());
    hash_address(&mut hash, first.ip);
    hash_address(&mut hash, second.ip);
    hash.update([protocol_number(transport), 0]);
    hash.update(first.port.to_be_bytes());
    hash.update(second.port.to_be_bytes());
    let mut id = String::with_capacity(30);
    id.push_str("1:");
    STANDARD.encode_string(hash.finalize(), &mut id);
    id
}

/// The stable name of a connection; the module's head tells how it is made.
pub fn uid(first: Timestamp, client: Endpoint, server: Endpoint, transport: Transport, isn: u32) -> u64 {
    let mut hash = Sha1::new();
    hash.update(first.0.to_be_bytes());
    for end in [client, server] {
        hash.update([if end.ip.is_ipv4() { 4 } else { 6 }]);
        hash_address(&mut hash, end.ip);
        hash.update(end.port.to_be_bytes());
    }
    hash.update([protocol_number(transport)]);
    hash.update(isn.to_be_bytes());
    hash.finalize().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn hash_address(hash: &mut Sha1, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => hash.update(ip.octets()),
        IpAddr::V6(ip) => hash.update(ip.octets()),
    }
}

/// The protocol's number in the IP header (IANA).
fn protocol_number(transport: Transport) -> u8 {
    match transport {
        Transport::Tcp => 6,
        Transport::Udp => 17,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> Endpoint {
        let at: std::net::SocketAddr = text.parse().unwrap();
        Endpoint::new(at.ip(), at.port())
    }

    /// From the specification's baseline files, seed 0.
    const PUBLISHED: [(&str, &str, Transport, &str); 3] = [
        ("128.232.110.120:34855", "66.35.250.204:80", Transport::Tcp, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        ("192.168.1.52:54585", "8.8.8.8:53", Transport::Udp, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
        (
            "[2001:470:e5bf:dead:4957:2174:e82c:4887]:63943",
            "[2607:f8b0:400c:c03::1a]:25",
            Transport::Tcp,
            "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
        ),
    ];

    #[test]
    fn community_ids_are_the_published_ones_in_both_directions() {
        for (client, server, transport, id) in PUBLISHED {
            let (client, server) = (end(client), end(server));
            let there = community_id(client, server, transport);
            assert_eq!(there, id, "{client} {server}");
            assert_eq!(there, community_id(server, client, transport));
        }
    }

    #[test]
    fn a_uid_depends_on_each_of_its_parts() {
        let (a, b) = (end("10.0.0.1:40000"), end("10.0.0.2:80"));
        let base = (Timestamp(5), a, b, Transport::Tcp, 7);
        let of = |(first, client, server, transport, isn)| uid(first, client, server, transport, isn);
        // sha1 of 0000000000000005 04 0a000001 9c40 04 0a000002 0050 06 00000007.
        assert_eq!(of(base), 0x3204_5797_11d9_0cd8);
        for other in [
            (Timestamp(6), a, b, Transport::Tcp, 7),
            (Timestamp(5), b, a, Transport::Tcp, 7),
            (Timestamp(5), a, end("[::a00:2]:80"), Transport::Tcp, 7),
            (Timestamp(5), a, end("10.0.0.2:81"), Transport::Tcp, 7),
            (Timestamp(5), a, b, Transport::Udp, 7),
            (Timestamp(5), a, b, Transport::Tcp, 8),
        ] {
            assert_ne!(of(base), of(other), "{other:?}");
        }
    }
}
