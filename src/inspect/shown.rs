//! Values as text: as `tshark -T fields` prints them, and as a line of a tree.

use std::fmt::Write as _;

use super::field::{Field, Value};
use super::link::address;
use crate::escape;

/// Numbers that people read in hex: name, and how many digits.
const HEX: [(&str, usize); 31] = [
    ("arp.proto.type", 4),
    ("eth.type", 4),
    ("icmp.checksum", 4),
    ("icmp.ident", 4),
    ("icmpv6.checksum", 4),
    ("icmpv6.echo.identifier", 4),
    ("ip.checksum", 4),
    ("ip.dsfield", 2),
    ("ip.flags", 2),
    ("ip.id", 4),
    ("ipv6.flow", 6),
    ("ipv6.fraghdr.ident", 8),
    ("ipv6.tclass", 8),
    ("mqtt.conack.flags", 2),
    ("mqtt.conflags", 2),
    ("mqtt.hdrflags", 2),
    ("openvpn.opcode", 2),
    ("openvpn.rsessionid", 16),
    ("openvpn.sessionid", 16),
    ("openvpn.type", 2),
    ("sll.etype", 4),
    ("sll.ltype", 4),
    ("tcp.checksum", 4),
    ("tcp.flags", 4),
    ("tls.handshake.ciphersuite", 4),
    ("tls.handshake.extensions.supported_version", 4),
    ("tls.handshake.version", 4),
    ("tls.record.version", 4),
    ("udp.checksum", 4),
    ("vlan.etype", 4),
    ("websocket.rsv", 2),
];

/// Octets of a value that a tree shows; what lies beyond is in the bytes beside it.
const OCTETS: usize = 32;

impl Field {
    /// The value as `tshark -T fields` prints it, safe for a terminal: flags as 1 and 0, octets in hex, times in
    /// seconds. A line without a value says its label.
    pub fn value_text(&self) -> String {
        match &self.value {
            // What exists and is no protocol's own line is only there or not.
            Value::Present if self.depth == 0 || self.label.is_empty() => escape::terminal(&self.label),
            Value::Present => "1".to_owned(),
            Value::Boolean(is_set) => u8::from(*is_set).to_string(),
            Value::Unsigned(number) => match digits(self.name) {
                0 => number.to_string(),
                digits => format!("0x{number:0digits$x}"),
            },
            Value::Signed(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Text(text) => escape::terminal(text),
            Value::Bytes(bytes) => hex(bytes),
            Value::Address(address) => address.to_string(),
            Value::Ethernet(octets) => address(*octets),
            Value::Time(time) => seconds(time.0),
            Value::Span(span) => seconds(span.0),
        }
    }

    /// The line of a tree, safe for a terminal: `Time to Live: 64`, `Flags: 0x0018 (PSH, ACK)`. Computed ones stand in
    /// brackets, as in Wireshark.
    pub fn line(&self) -> String {
        let label = escape::terminal(&self.label);
        let meaning = escape::terminal(&self.meaning);
        let mut line = match &self.value {
            Value::Present if meaning.is_empty() => label,
            Value::Present => format!("{label}: {meaning}"),
            Value::Boolean(_) if !meaning.is_empty() => format!("{label}: {meaning}"),
            Value::Time(time) if self.name == "frame.time" => format!("{label}: {}", time.rfc3339()),
            // The octets stand beside the tree, and what dissectors read of them stands below, its secrets masked.
            Value::Bytes(_) if is_payload(self.name) => label,
            Value::Bytes(bytes) if bytes.len() > OCTETS => {
                format!(
                    "{label}: {}... ({} bytes)",
                    hex(bytes.get(..OCTETS).unwrap_or_default()),
                    bytes.len()
                )
            }
            Value::Time(_) | Value::Span(_) => format!("{label}: {} s", self.value_text()),
            _ if meaning.is_empty() => format!("{label}: {}", self.value_text()),
            _ => format!("{label}: {} ({meaning})", self.value_text()),
        };
        if self.computed {
            line.insert(0, '[');
            line.push(']');
        }
        line
    }
}

/// Whether a field of this name holds all that a transport carries, secrets included.
pub fn is_payload(name: &str) -> bool {
    matches!(name, "tcp.payload" | "udp.payload")
}

/// How many hex digits a number of this name has; 0 for one that is read in decimal.
fn digits(name: &str) -> usize {
    HEX.binary_search_by_key(&name, |(known, _)| *known)
        .ok()
        .and_then(|at| HEX.get(at))
        .map_or(0, |(_, n)| *n)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for octet in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

/// Nanoseconds as seconds with nine digits.
fn seconds(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    format!("{sign}{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    #[test]
    fn the_table_of_hex_numbers_is_sorted() {
        let names: Vec<&str> = HEX.iter().map(|(name, _)| *name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(names, sorted);
    }

    #[test]
    fn values_look_as_in_tshark() {
        let field = |name, value| Field { name, label: "x".into(), value, depth: 1, ..Field::default() };
        for (name, value, text) in [
            ("tcp.flags", Value::Unsigned(0x18), "0x0018"),
            ("tcp.len", Value::Unsigned(10), "10"),
            ("tcp.flags.syn", Value::Boolean(true), "1"),
            ("tcp.time_delta", Value::Span(Span(-1_500_000)), "-0.001500000"),
            ("tcp.options", Value::Bytes(vec![1, 0xab]), "01ab"),
            ("ftp.request.arg", Value::Text("a\x1b[1m".to_owned()), "a\\u{1b}[1m"),
        ] {
            assert_eq!(field(name, value).value_text(), text, "{name}");
        }
        let mut computed = field("tcp.stream", Value::Unsigned(3));
        computed.computed = true;
        assert_eq!(computed.line(), "[x: 3]");
    }
}
