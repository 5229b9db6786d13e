//! What the tree of a packet is made of: named, typed values with their place in the frame.
//!
//! The tree that is shown and the values that a filter compares are the same fields.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::Range;

use crate::place::PacketRef;
use crate::time::{Span, Timestamp};

/// The value of a field, typed as Wireshark types it.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// A header, or a line of text: it exists and compares with nothing.
    #[default]
    Present,
    /// A flag.
    Boolean(bool),
    /// A number that is never negative.
    Unsigned(u64),
    /// A number that may be.
    Signed(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text as it came; it is escaped where it is shown. Never a secret.
    Text(String),
    /// Octets.
    Bytes(Vec<u8>),
    /// An IPv4 or IPv6 address.
    Address(IpAddr),
    /// A link-layer address.
    Ethernet([u8; 6]),
    /// A point in time.
    Time(Timestamp),
    /// A duration.
    Span(Span),
}

/// One line of a packet's tree.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Field {
    /// Its name in a display filter: Wireshark's where Wireshark knows it with this meaning, else our own; empty
    /// for a line that no filter can name.
    pub name: &'static str,
    /// What the line says before the value: `Time to Live`. Empty for a field that filters compare and no tree shows,
    /// as `ip.addr` beside `ip.src`.
    pub label: Cow<'static, str>,
    /// What it says behind the number or instead of it: `RST`, `Client Hello`; empty for none.
    pub meaning: Cow<'static, str>,
    /// The value.
    pub value: Value,
    /// Its octets in the frame; none where it was computed, or lies in another frame.
    pub bytes: Option<Range<u32>>,
    /// How deep it lies: 0 for a protocol.
    pub depth: u8,
    /// Whether it was computed and is not in the packet (Wireshark prints these in brackets).
    pub computed: bool,
}

/// A packet with its fields, in the order of the tree: every field stands behind the one that holds it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dissection {
    /// The frame.
    pub at: PacketRef,
    /// When it was captured.
    pub time: Timestamp,
    /// Ids of the connections that its packets belong to; mostly one.
    pub connections: Vec<u32>,
    /// Name of the uppermost protocol, as Wireshark's column shows it: `TLSv1.3`, `FTP`, `TCP`.
    pub protocol: Cow<'static, str>,
    /// What the packet says in one line.
    pub info: String,
    /// The tree.
    pub fields: Vec<Field>,
}

impl Dissection {
    /// All values of the field with this name, in order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.fields.iter().filter(move |field| field.name == name).map(|field| &field.value)
    }
}
