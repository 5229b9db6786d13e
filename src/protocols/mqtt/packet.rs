//! MQTT control packets on the wire: fixed headers, and the fields of those that have some (MQTT 3.1.1 §2–3, 5.0 §2–3).

use super::properties::Properties;
use crate::protocols::read::Octets;

/// The control packets, by their number (MQTT 5.0 §2.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Connect = 1,
    Connack,
    Publish,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Pingreq,
    Pingresp,
    Disconnect,
    Auth,
}

impl Kind {
    const ALL: [Self; 15] = [
        Self::Connect,
        Self::Connack,
        Self::Publish,
        Self::Puback,
        Self::Pubrec,
        Self::Pubrel,
        Self::Pubcomp,
        Self::Subscribe,
        Self::Suback,
        Self::Unsubscribe,
        Self::Unsuback,
        Self::Pingreq,
        Self::Pingresp,
        Self::Disconnect,
        Self::Auth,
    ];

    fn of(first: u8) -> Option<Self> {
        Self::ALL.get(usize::from(first >> 4).checked_sub(1)?).copied()
    }

    /// The packet's name.
    pub(super) fn name(self) -> &'static [u8] {
        match self {
            Self::Connect => b"CONNECT",
            Self::Connack => b"CONNACK",
            Self::Publish => b"PUBLISH",
            Self::Puback => b"PUBACK",
            Self::Pubrec => b"PUBREC",
            Self::Pubrel => b"PUBREL",
            Self::Pubcomp => b"PUBCOMP",
            Self::Subscribe => b"SUBSCRIBE",
            Self::Suback => b"SUBACK",
            Self::Unsubscribe => b"UNSUBSCRIBE",
            Self::Unsuback => b"UNSUBACK",
            Self::Pingreq => b"PINGREQ",
            Self::Pingresp => b"PINGRESP",
            Self::Disconnect => b"DISCONNECT",
            Self::Auth => b"AUTH",
        }
    }

    /// Whether the low bits of the first byte and the remaining length can belong to it. MQTT 3.1 lets senders set
    /// `QoS` and DUP in SUBSCRIBE, UNSUBSCRIBE and PUBREL (3.1 §3.6, §3.8, §3.10), and what other packets carry there
    /// is ignored.
    fn allows(self, flags: u8, remaining: usize) -> bool {
        match self {
            Self::Publish => flags & 0x06 != 0x06 && remaining >= 2,
            Self::Connect => flags == 0 && remaining >= 10,
            Self::Connack | Self::Puback | Self::Pubrec | Self::Pubcomp | Self::Unsuback => {
                flags == 0 && remaining >= 2
            }
            Self::Pubrel => flags & 0x06 == 0x02 && remaining >= 2,
            Self::Subscribe | Self::Unsubscribe => flags & 0x06 == 0x02 && remaining >= 4,
            Self::Suback => flags == 0 && remaining >= 3,
            Self::Pingreq | Self::Pingresp => flags == 0 && remaining == 0,
            Self::Disconnect | Self::Auth => flags == 0,
        }
    }
}

/// What every packet begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// The low four bits of the first byte.
    pub(super) flags: u8,
    /// Bytes of the header itself.
    pub(super) length: usize,
    /// Bytes after it.
    pub(super) remaining: usize,
}

impl Header {
    /// Bytes of the whole packet.
    pub(super) fn total(&self) -> usize {
        self.length + self.remaining
    }

    /// The quality of service of a PUBLISH.
    pub(super) fn qos(&self) -> u8 {
        self.flags >> 1 & 3
    }

    /// Whether a PUBLISH says that it is sent again.
    pub(super) fn repeated(&self) -> bool {
        self.flags & 0x08 != 0
    }

    /// Whether a PUBLISH is a retained message.
    pub(super) fn retained(&self) -> bool {
        self.flags & 0x01 != 0
    }
}

/// What stands where a packet should begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderRead {
    Whole(Header),
    Unfinished,
    Broken,
}

/// Reads a fixed header.
pub(super) fn header(bytes: &[u8]) -> HeaderRead {
    let Some((first, rest)) = bytes.split_first() else { return HeaderRead::Unfinished };
    let Some(kind) = Kind::of(*first) else { return HeaderRead::Broken };
    let mut remaining = 0;
    for (at, octet) in rest.iter().take(4).enumerate() {
        remaining |= usize::from(octet & 0x7f) << (7 * at);
        if octet & 0x80 == 0 {
            let flags = first & 0x0f;
            let header = Header { kind, flags, length: at + 2, remaining };
            return if kind.allows(flags, remaining) {
                HeaderRead::Whole(header)
            } else {
                HeaderRead::Broken
            };
        }
    }
    if rest.len() < 4 { HeaderRead::Unfinished } else { HeaderRead::Broken }
}

/// The fields of a CONNECT (§3.1) that matter. The password is not among them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connect<'b> {
    /// 3 for MQTT 3.1, 4 for 3.1.1, 5 for 5.0.
    pub(super) level: u8,
    /// A bridge between brokers says so in the high bit of the level.
    pub(super) bridge: bool,
    /// Clean session, or clean start.
    pub(super) clean: bool,
    pub(super) will: bool,
    /// Seconds; 0 is off.
    pub(super) keep_alive: u16,
    pub(super) client_id: &'b [u8],
    pub(super) user: Option<&'b [u8]>,
    pub(super) password: bool,
    pub(super) properties: Properties<'b>,
}

impl<'b> Connect<'b> {
    /// Reads what follows the fixed header.
    pub(super) fn read(content: &'b [u8]) -> Option<Self> {
        let mut octets = Octets::new(content);
        let name = octets.counted16()?;
        let level = octets.u8()?;
        let (level, bridge) = (level & 0x7f, level & 0x80 != 0);
        match (name, level) {
            (b"MQIsdp", 3) | (b"MQTT", 4 | 5) => {}
            _ => return None,
        }
        let flags = octets.u8()?;
        let keep_alive = octets.u16()?;
        let properties = Properties::of_version(level, &mut octets)?;
        let client_id = octets.counted16()?;
        let will = flags & 0x04 != 0;
        if will {
            Properties::of_version(level, &mut octets)?;
            octets.counted16()?;
            octets.counted16()?;
        }
        let user = if flags & 0x80 != 0 { Some(octets.counted16()?) } else { None };
        let (clean, password) = (flags & 0x02 != 0, flags & 0x40 != 0);
        Some(Self { level, bridge, clean, will, keep_alive, client_id, user, password, properties })
    }
}

/// The head of a PUBLISH (§3.3).
#[derive(Debug, Clone, Copy)]
pub(super) struct Publish<'b> {
    /// Empty where an alias stands for it.
    pub(super) topic: &'b [u8],
    pub(super) alias: Option<u16>,
    /// Only with `QoS` 1 and 2.
    pub(super) id: Option<u16>,
    /// As much of the message as is at hand.
    pub(super) payload: &'b [u8],
}

impl<'b> Publish<'b> {
    /// Reads what follows the fixed header, or as much as is at hand of it.
    pub(super) fn read(header: &Header, version: Option<u8>, content: &'b [u8]) -> Option<Self> {
        let mut octets = Octets::new(content);
        let topic = octets.counted16()?;
        let id = if header.qos() > 0 { Some(octets.u16()?) } else { None };
        let properties = Properties::of_version(version.unwrap_or(4), &mut octets)?;
        let named = !topic.is_empty() || properties.topic_alias.is_some();
        (named && is_topic(topic) && id != Some(0)).then_some(Self {
            topic,
            alias: properties.topic_alias,
            id,
            payload: octets.rest(),
        })
    }
}

/// Whether this can be the name of a topic: text without control characters and wildcards (§4.7).
fn is_topic(octets: &[u8]) -> bool {
    str::from_utf8(octets)
        .is_ok_and(|text| !text.chars().any(|letter| letter.is_control() || matches!(letter, '+' | '#')))
}

/// A packet id with what may follow it in answers: PUBACK and its kin (§3.4–3.7).
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'b> {
    pub(super) id: u16,
    /// 0 where the packet has none.
    pub(super) code: u8,
    pub(super) properties: Properties<'b>,
}

impl<'b> Answer<'b> {
    /// Reads what follows the fixed header. Only version 5 has reason codes, so one that is there tells the version.
    pub(super) fn read(content: &'b [u8]) -> Option<Self> {
        let mut octets = Octets::new(content);
        let id = octets.u16()?;
        let code = octets.u8().unwrap_or(0);
        let properties = Properties::rest(&mut octets)?;
        Some(Self { id, code, properties })
    }
}

/// Topic filters behind a packet id, of SUBSCRIBE and UNSUBSCRIBE (§3.8, §3.10), at most `most` of them.
pub(super) fn filters(
    kind: Kind,
    version: Option<u8>,
    content: &[u8],
    most: usize,
) -> Option<(u16, Vec<&[u8]>)> {
    let mut octets = Octets::new(content);
    let id = octets.u16()?;
    Properties::of_version(version.unwrap_or(4), &mut octets)?;
    let mut found = Vec::new();
    while found.len() < most
        && let Some(filter) = octets.counted16()
    {
        found.push(filter);
        if kind == Kind::Subscribe {
            octets.u8()?;
        }
    }
    (!found.is_empty()).then_some((id, found))
}

/// The codes of SUBACK and UNSUBACK (§3.9, §3.11), one for each filter; MQTT 3 has none in UNSUBACK.
pub(super) fn codes(version: Option<u8>, content: &[u8]) -> Option<(u16, Properties<'_>, &[u8])> {
    let mut octets = Octets::new(content);
    let id = octets.u16()?;
    let properties = Properties::of_version(version.unwrap_or(4), &mut octets)?;
    Some((id, properties, octets.rest()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_their_length_in_one_to_four_octets() {
        let read = |bytes: &[u8]| match header(bytes) {
            HeaderRead::Whole(header) => Some((header.kind, header.length, header.remaining)),
            HeaderRead::Unfinished | HeaderRead::Broken => None,
        };
        assert_eq!(read(&[0xc0, 0]), Some((Kind::Pingreq, 2, 0)));
        assert_eq!(read(&[0x30, 0x7f]), Some((Kind::Publish, 2, 127)));
        assert_eq!(read(&[0x32, 0x80, 0x01]), Some((Kind::Publish, 3, 128)));
        assert_eq!(read(&[0x34, 0xff, 0xff, 0xff, 0x7f]), Some((Kind::Publish, 5, 268_435_455)));
        for unfinished in [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x80, 0x80, 0x80]] {
            assert_eq!(header(unfinished), HeaderRead::Unfinished, "{unfinished:x?}");
        }
        for broken in
            [&[0x00, 0][..], &[0x30, 0x80, 0x80, 0x80, 0x80], &[0x36, 9], &[0xc1, 0], &[0xd0, 1], &[0x80, 9]]
        {
            assert_eq!(header(broken), HeaderRead::Broken, "{broken:x?}");
        }
    }

    #[test]
    fn topics_are_text_without_wildcards() {
        for (topic, good) in [
            (&b"plant/level"[..], true),
            ("caf\u{e9}".as_bytes(), true),
            (b"a/#", false),
            (b"\x02\x01", false),
        ] {
            assert_eq!(is_topic(topic), good, "{topic:x?}");
        }
    }
}
