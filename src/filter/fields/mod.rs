//! The catalogue of names that a filter may use: what each means, its type, where it comes from, an example.

mod catalogue;
mod known;
mod own;
mod words;

pub use own::end_kind;

use std::sync::LazyLock;

use super::refusal::{Refusal, nearest};
use crate::analysis::Analysis;
use crate::capture::FileFacts;
use crate::events::Connection;
use crate::inspect::Value;
use crate::rules::Finding;
use crate::session::{Phase, Session};

/// The type of a field: what it can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// It is there or it is not.
    Nothing,
    /// A protocol: its name tests whether it is there; its octets can be searched and sliced.
    Protocol,
    /// A flag.
    Boolean,
    /// A number of so many bits, never negative.
    Unsigned(u8),
    /// A number that may be negative.
    Signed,
    /// A number with a fraction.
    Float,
    /// Text.
    Text,
    /// Octets.
    Bytes,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An IPv4 or IPv6 address.
    Address,
    /// A link-layer address.
    Ethernet,
    /// A point in time.
    Time,
    /// A duration.
    Duration,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, in their order: the first is the least.
    Ranked(&'static [&'static str]),
    /// A name made of this letter and a number: `S-0001`.
    Id(char),
    /// The code or the name of a rule.
    Rule,
}

impl Type {
    /// What it is called, in Wireshark's words where Wireshark has it.
    pub fn name(self) -> String {
        match self {
            Self::Nothing => "Label".to_owned(),
            Self::Protocol => "Protocol".to_owned(),
            Self::Boolean => "Boolean".to_owned(),
            Self::Unsigned(8) => "Unsigned integer (1 byte)".to_owned(),
            Self::Unsigned(bits) => format!("Unsigned integer ({} bytes)", bits / 8),
            Self::Signed => "Signed integer".to_owned(),
            Self::Float => "Floating point".to_owned(),
            Self::Text => "Character string".to_owned(),
            Self::Bytes => "Sequence of bytes".to_owned(),
            Self::Ipv4 => "IPv4 address".to_owned(),
            Self::Ipv6 => "IPv6 address".to_owned(),
            Self::Address => "IPv4 or IPv6 address".to_owned(),
            Self::Ethernet => "Ethernet or other MAC address".to_owned(),
            Self::Time => "Date and time".to_owned(),
            Self::Duration => "Time offset".to_owned(),
            Self::Word(_) => "One of some words".to_owned(),
            Self::Ranked(_) => "One of some words in order".to_owned(),
            Self::Id(letter) => format!("{letter}-number"),
            Self::Rule => "Rule".to_owned(),
        }
    }

    /// A short name for tables.
    pub fn short(self) -> &'static str {
        match self {
            Self::Nothing => "label",
            Self::Protocol => "protocol",
            Self::Boolean => "boolean",
            Self::Unsigned(_) | Self::Signed => "number",
            Self::Float => "fraction",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
            Self::Address => "address",
            Self::Ethernet => "MAC",
            Self::Time => "time",
            Self::Duration => "duration",
            Self::Word(_) => "word",
            Self::Ranked(_) => "ordered word",
            Self::Id(_) => "id",
            Self::Rule => "rule",
        }
    }

    /// The words that it may be.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Word(words) | Self::Ranked(words) => words,
            _ => &[],
        }
    }

    /// Whether its values are text for `contains` and `matches`.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Word(_) | Self::Rule)
    }

    /// Whether its values are octets for `contains`, `matches` and slices.
    pub(super) fn is_octets(self) -> bool {
        matches!(self, Self::Bytes | Self::Protocol | Self::Ethernet)
    }

    /// Whether one can reckon with its values.
    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Unsigned(_) | Self::Signed | Self::Float | Self::Boolean | Self::Duration)
    }
}

/// What a field is a fact of, and how it is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// A packet: it is read from the inputs again.
    Packet,
    /// A session.
    Session(fn(&Session, &Analysis, &mut Vec<Value>)),
    /// A connection.
    Connection(fn(&Connection, &Analysis, &mut Vec<Value>)),
    /// A finding.
    Finding(fn(&Finding, &mut Vec<Value>)),
    /// A phase of a session.
    Phase(fn(&Phase, &mut Vec<Value>)),
    /// A capture.
    Capture(fn(&FileFacts, &Analysis, u16, &mut Vec<Value>)),
}

/// A name that a filter may use.
#[derive(Debug)]
pub struct FieldInfo {
    /// The name.
    pub name: &'static str,
    /// What it can be compared with.
    pub kind: Type,
    /// One line that says what it is.
    pub about: &'static str,
    /// A filter with it.
    sample: &'static str,
    /// What it is a fact of.
    pub(super) source: Source,
}

impl FieldInfo {
    /// Whether it has Wireshark's name and meaning; else it is our own.
    pub fn is_wireshark(&self) -> bool {
        matches!(self.source, Source::Packet)
    }

    /// What it is a fact of: `packet`, `session`, `connection`, `finding`, `phase`, `capture`.
    pub fn scope(&self) -> &'static str {
        match self.source {
            Source::Packet => "packet",
            Source::Session(_) => "session",
            Source::Connection(_) => "connection",
            Source::Finding(_) => "finding",
            Source::Phase(_) => "phase",
            Source::Capture(_) => "capture",
        }
    }

    /// A filter with it that works.
    pub fn example(&self) -> String {
        if !self.sample.is_empty() {
            return format!("{} {}", self.name, self.sample);
        }
        let name = self.name;
        match self.kind {
            Type::Nothing | Type::Protocol => name.to_owned(),
            Type::Boolean => format!("{name} == 1"),
            Type::Unsigned(_) | Type::Signed => format!("{name} > 0"),
            Type::Float => format!("{name} > 0.5"),
            Type::Text => format!("{name} contains \"a\""),
            Type::Bytes => format!("{name}[0] == 16"),
            Type::Ipv4 | Type::Address => format!("{name} == 10.0.0.0/8"),
            Type::Ipv6 => format!("{name} == fe80::/10"),
            Type::Ethernet => format!("{name}[0:3] == 00:00:83"),
            Type::Time => format!("{name} > \"2026-01-01T00:00:00Z\""),
            Type::Duration => format!("{name} > 1.5s"),
            Type::Word(words) | Type::Ranked(words) => {
                format!("{name} == \"{}\"", words.first().copied().unwrap_or_default())
            }
            Type::Id(letter) => format!("{name} == {letter}-0001"),
            Type::Rule => format!("{name} == \"GST101\""),
        }
    }
}

/// All names, sorted.
pub fn all() -> &'static [&'static FieldInfo] {
    static ALL: LazyLock<Vec<&'static FieldInfo>> = LazyLock::new(|| {
        let mut all: Vec<&'static FieldInfo> = catalogue::FIELDS.iter().chain(own::FIELDS).collect();
        all.sort_by_key(|field| field.name);
        all
    });
    &ALL
}

/// The field of this name.
pub fn named(name: &str) -> Option<&'static FieldInfo> {
    all().binary_search_by_key(&name, |field| field.name).ok().map(|at| all()[at])
}

/// Names that stand for what is a session in itself, and are answered from the analysis where rows are asked about.
pub(super) fn protocol(name: &str) -> Option<&'static str> {
    let catalogued = ["ftp", "http", "mqtt", "openvpn", "smtp", "tls", "websocket"];
    catalogued.into_iter().find(|known| *known == name)
}

/// The full name of a name that may be shortened: `ws`.
pub(super) fn alias(name: &str) -> &str {
    match name {
        "ws" => "websocket",
        "ssl" => "tls",
        name => name,
    }
}

/// Why there is no field of this name, with what may help.
pub(super) fn missing(name: &str, span: std::ops::Range<usize>) -> Refusal {
    let names = || all().iter().map(|field| field.name);
    if let Some((_, hint, example)) = known::HINTS.iter().find(|(known, _, _)| *known == name) {
        return Refusal::new(span, *hint).example(*example);
    }
    let prefix = name.split('.').next().unwrap_or(name);
    let ours = ["session", "conn", "finding", "phase", "capture"].contains(&prefix);
    if !ours && (known::FIELDS.contains(&name) || known::is_protocol(name)) {
        let refusal = Refusal::new(
            span,
            format!("{name} is known to Wireshark, not decoded here; Y copies it for Wireshark"),
        );
        let near = nearest(name, names()).filter(|near| near.split('.').next() == Some(prefix));
        return refusal.nearest(near).example(sample_of(prefix));
    }
    if !ours && name.contains('.') && known::is_protocol(prefix) && named(prefix).is_none() {
        let reason = format!(
            "{name}: the protocol {prefix} is known to Wireshark, not decoded here; Y copies it for Wireshark"
        );
        return Refusal::new(span, reason).example(sample_of(prefix));
    }
    let near = nearest(name, names());
    let reason = format!("{name} is neither a field nor a protocol name");
    let example = near.and_then(named).map_or_else(|| sample_of(prefix), FieldInfo::example);
    Refusal::new(span, reason).nearest(near).example(example)
}

/// A filter that works, with a name of this beginning where there is one.
fn sample_of(prefix: &str) -> String {
    let begin = format!("{prefix}.");
    all()
        .iter()
        .find(|field| field.name.starts_with(&begin))
        .map_or_else(|| "tcp.port == 443".to_owned(), |field| field.example())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::CATALOGUE;

    #[test]
    fn a_name_is_there_once_and_is_explained() {
        for pair in all().windows(2) {
            assert!(pair[0].name < pair[1].name, "{}", pair[1].name);
        }
        for field in all() {
            assert!(!field.about.is_empty(), "{}", field.name);
            let own = ["session", "conn", "finding", "phase", "capture"];
            let begins = own.iter().any(|name| field.name.split('.').next() == Some(name));
            let verdict =
                ["tls.resume", "http.dup", "ftp.rest.result", "mqtt.session.lost"].contains(&field.name);
            assert_eq!(!field.is_wireshark(), begins || verdict, "{}", field.name);
        }
    }

    #[test]
    fn protocols_of_the_catalogue_are_names() {
        for catalogued in CATALOGUE.iter().filter(|protocol| protocol.name != "opaque") {
            assert_eq!(protocol(catalogued.name), Some(catalogued.name));
            assert!(named(catalogued.name).is_some(), "{}", catalogued.name);
        }
    }

    #[test]
    fn what_is_known_to_wireshark_is_told_so() {
        for (name, part) in [
            ("quic.connection.number", "known to Wireshark, not decoded here"),
            ("smb2.sesid", "known to Wireshark, not decoded here"),
            ("bgp", "known to Wireshark, not decoded here"),
            ("bgp.type", "known to Wireshark, not decoded here"),
            ("community_id", "communityid"),
            ("http.range", "session.resume"),
            ("ftp.rest", "ftp.rest.result"),
            ("tcp.prot", "nearest: tcp.port"),
            ("TCP.port", "nearest: tcp.port"),
            ("session.sever", "nearest: session.server"),
            ("smb2.durable.result", "not decoded"),
            ("qwertzuiop", "neither a field"),
        ] {
            let sentence = missing(name, 0..1).sentence();
            assert!(sentence.contains(part), "{name}: {sentence}");
        }
    }
}
