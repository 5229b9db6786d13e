//! Who is the client, where no SYN tells (`domain.md` C.2).

use crate::events::side::Side;
use crate::packet::Endpoint;

/// First port that systems hand out to clients and that is no service's.
const EPHEMERAL: u16 = 32_768;

/// Well-known TCP services beyond the first 1023 ports (IANA), sorted.
const SERVICES: [u16; 43] = [
    1080, 1194, 1433, 1434, 1521, 1723, 1883, 2049, 2181, 2379, 2404, 3128, 3260, 3268, 3269, 3306, 3389,
    3478, 4222, 4840, 5060, 5061, 5222, 5269, 5432, 5671, 5672, 5900, 6379, 6443, 6667, 6697, 7001, 8000,
    8008, 8080, 8443, 8883, 9042, 9092, 9200, 11211, 27017,
];

/// Which side sends such first bytes: verbs and hellos are a client's, greetings and status lines a server's.
pub(super) fn signature(first_bytes: &[u8]) -> Option<Side> {
    const CLIENT: [&[u8]; 12] = [
        b"GET ",
        b"POST ",
        b"HEAD ",
        b"PUT ",
        b"DELETE ",
        b"OPTIONS ",
        b"PATCH ",
        b"CONNECT ",
        b"PRI * HTTP/2",
        b"EHLO ",
        b"HELO ",
        b"USER ",
    ];
    const SERVER: [&[u8]; 7] = [b"HTTP/1.", b"220 ", b"220-", b"+OK", b"* OK", b"* PREAUTH", b"RFB 00"];
    if CLIENT.iter().any(|verb| first_bytes.starts_with(verb)) {
        return Some(Side::Client);
    }
    if SERVER.iter().any(|greeting| first_bytes.starts_with(greeting)) {
        return Some(Side::Server);
    }
    match first_bytes {
        // A TLS handshake record with ClientHello (RFC 8446 §5.1), MQTT CONNECT (§3.1).
        [0x16, 3, 0..=4, _, _, 1, ..] | [0x10, _, 0, 4, b'M', b'Q', b'T', b'T', ..] => Some(Side::Client),
        // The same with ServerHello, MQTT CONNACK (§3.2).
        [0x16, 3, 0..=4, _, _, 2, ..] | [0x20, 2, 0 | 1, _, ..] => Some(Side::Server),
        _ => None,
    }
}

/// Whether the ports alone make `one` the client of `other`.
pub(super) fn port_makes_client(one: Endpoint, other: Endpoint) -> bool {
    let is_service = |port: u16| port < 1024 || SERVICES.binary_search(&port).is_ok();
    is_service(other.port) && one.port >= EPHEMERAL && !SERVICES.contains(&one.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_sorted() {
        assert!(SERVICES.is_sorted());
    }

    #[test]
    fn hellos_and_greetings_tell() {
        assert_eq!(signature(b"GET / HTTP/1.1\r\n"), Some(Side::Client));
        assert_eq!(signature(b"HTTP/1.1 200 OK"), Some(Side::Server));
        assert_eq!(signature(&[0x16, 3, 1, 2, 0, 1, 0]), Some(Side::Client));
        assert_eq!(signature(&[0x16, 3, 3, 0, 80, 2, 0]), Some(Side::Server));
        assert_eq!(signature(b"\x00\x01"), None);
    }
}
