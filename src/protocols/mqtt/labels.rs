//! The fields of MQTT, by Wireshark's names.

use super::packet::{Header, Kind};
use crate::protocols::labels::Labeller;
use crate::protocols::read::Cursor;

/// A packet, of which so many bytes are at hand.
pub(super) fn packet(mut labels: Labeller<'_>, header: &Header, version: Option<u8>, bytes: &[u8]) {
    let name = String::from_utf8_lossy(header.kind.name()).into_owned();
    labels.protocol("mqtt", format!("MQ Telemetry Transport Protocol, {name}"), 0..header.total());
    labels.number(
        "mqtt.hdrflags",
        "Header Flags",
        u64::from(bytes.first().copied().unwrap_or_default()),
        0..1,
    );
    labels.open();
    labels.number("mqtt.msgtype", "Message Type", header.kind as u64, 0..1);
    labels.meaning(name);
    if header.kind == Kind::Publish {
        labels.flag("mqtt.dupflag", "DUP Flag", header.repeated(), 0..1);
        labels.number("mqtt.qos", "QoS Level", u64::from(header.qos()), 0..1);
        labels.flag("mqtt.retain", "Retain", header.retained(), 0..1);
    } else {
        labels.number("mqtt.hdr_reserved", "Reserved", u64::from(header.flags), 0..1);
    }
    labels.close();
    labels.number("mqtt.len", "Msg Len", header.remaining as u64, 1..header.length);
    let end = header.total().min(bytes.len());
    let mut content = Cursor::new(bytes.get(header.length..end).unwrap_or_default(), header.length);
    let version = version.unwrap_or(4);
    // What a peer sends wrong is shown as far as it can be read.
    let _ = match header.kind {
        Kind::Connect => connect(&mut labels, &mut content),
        Kind::Connack => connack(&mut labels, version, &mut content),
        Kind::Publish => publish(&mut labels, header, version, &mut content),
        Kind::Puback | Kind::Pubrec | Kind::Pubrel | Kind::Pubcomp => {
            answer(&mut labels, header.kind, &mut content)
        }
        Kind::Subscribe | Kind::Unsubscribe => subscribe(&mut labels, header.kind, version, &mut content),
        Kind::Suback | Kind::Unsuback => suback(&mut labels, header.kind, version, &mut content),
        Kind::Disconnect => reason(&mut labels, "mqtt.disconnect.reason_code", &mut content),
        Kind::Auth => reason(&mut labels, "mqtt.auth.reason_code", &mut content),
        Kind::Pingreq | Kind::Pingresp => Some(()),
    };
    // What of the packet is passed over belongs to it too.
    let rest = content.at()..header.total();
    if !rest.is_empty() {
        let bytes = rest.len();
        let message = header.kind == Kind::Publish;
        let name = if message { "mqtt.msg" } else { "" };
        labels.line(name, format!("{}, {bytes} bytes", if message { "Message" } else { "Rest" }), rest);
    }
}

/// Bytes in which no packet was found.
pub(super) fn other(mut labels: Labeller<'_>, length: usize) {
    labels.protocol("mqtt", "MQ Telemetry Transport Protocol", 0..length);
    labels.line("", format!("{length} bytes before the next packet"), 0..length);
}

/// A text behind its length.
fn counted<'b>(
    labels: &mut Labeller<'_>,
    content: &mut Cursor<'b>,
    length: (&'static str, &'static str),
    name: &'static str,
    label: &'static str,
) -> Option<&'b [u8]> {
    let (number, at) = content.number(2)?;
    labels.number(length.0, length.1, number, at);
    let (text, at) = content.take(number as usize)?;
    labels.text(name, label, text, at);
    Some(text)
}

/// Properties of version 5, where there are any.
fn properties(
    labels: &mut Labeller<'_>,
    version: u8,
    name: &'static str,
    content: &mut Cursor<'_>,
) -> Option<()> {
    if version < 5 || content.is_empty() {
        return Some(());
    }
    let start = content.at();
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        let (octet, _) = content.number(1)?;
        length |= (octet & 0x7f) << shift;
        if octet & 0x80 == 0 {
            break;
        }
    }
    let end = content.at() + length as usize;
    labels.line(name, format!("Properties, {length} bytes"), start..end);
    labels.open();
    labels.number("mqtt.property_len", "Total Length", length, start..content.at());
    let mut list = content.inner(length as usize)?;
    while let Some(()) = property(labels, &mut list) {}
    labels.close();
    Some(())
}

fn property(labels: &mut Labeller<'_>, list: &mut Cursor<'_>) -> Option<()> {
    let (id, at) = list.number(1)?;
    labels.number("mqtt.property_id", "ID", id, at);
    labels.meaning(property_name(id));
    match id {
        0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2a => {
            let (number, at) = list.number(1)?;
            labels.number("mqtt.prop_number", "Value", number, at);
        }
        0x13 | 0x21..=0x23 => {
            let (number, at) = list.number(2)?;
            labels.number("mqtt.prop_number", "Value", number, at);
        }
        0x02 | 0x11 | 0x18 | 0x27 => {
            let (number, at) = list.number(4)?;
            labels.number("mqtt.prop_number", "Value", number, at);
        }
        // The data of a login by an extended method.
        0x16 => {
            let (length, at) = list.number(2)?;
            labels.number("mqtt.prop_string_len", "Length", length, at);
            let (_, at) = list.take(length as usize)?;
            labels.secret("mqtt.prop_string", "Value", at);
        }
        0x03 | 0x08 | 0x09 | 0x12 | 0x15 | 0x1a | 0x1c | 0x1f => {
            counted(labels, list, ("mqtt.prop_string_len", "Length"), "mqtt.prop_string", "Value")?;
        }
        0x26 => {
            counted(labels, list, ("mqtt.prop_key_len", "Length"), "mqtt.prop_key", "Key")?;
            counted(labels, list, ("mqtt.prop_value_len", "Length"), "mqtt.prop_value", "Value")?;
        }
        _ => {
            let (rest, at) = list.rest();
            labels.line("mqtt.prop_unknown", format!("{} bytes", rest.len()), at);
        }
    }
    Some(())
}

fn connect(labels: &mut Labeller<'_>, content: &mut Cursor<'_>) -> Option<()> {
    counted(labels, content, ("mqtt.proto_len", "Protocol Name Length"), "mqtt.protoname", "Protocol Name")?;
    let (level, at) = content.number(1)?;
    labels.number("mqtt.ver", "Version", level, at);
    labels.meaning(match level & 0x7f {
        3 => "MQTT v3.1",
        4 => "MQTT v3.1.1",
        5 => "MQTT v5.0",
        _ => "",
    });
    let version = (level & 0x7f) as u8;
    let (flags, at) = content.number(1)?;
    labels.number("mqtt.conflags", "Connect Flags", flags, at.clone());
    labels.open();
    for (name, label, bit) in [
        ("mqtt.conflag.uname", "User Name Flag", 0x80),
        ("mqtt.conflag.passwd", "Password Flag", 0x40),
        ("mqtt.conflag.retain", "Will Retain", 0x20),
    ] {
        labels.flag(name, label, flags & bit != 0, at.clone());
    }
    labels.number("mqtt.conflag.qos", "QoS Level", flags >> 3 & 3, at.clone());
    labels.flag("mqtt.conflag.willflag", "Will Flag", flags & 0x04 != 0, at.clone());
    labels.flag("mqtt.conflag.cleansess", "Clean Session Flag", flags & 0x02 != 0, at.clone());
    labels.flag("mqtt.conflag.reserved", "(Reserved)", flags & 0x01 != 0, at);
    labels.close();
    let (seconds, at) = content.number(2)?;
    labels.number("mqtt.kalive", "Keep Alive", seconds, at);
    properties(labels, version, "mqtt.properties", content)?;
    counted(labels, content, ("mqtt.clientid_len", "Client ID Length"), "mqtt.clientid", "Client ID")?;
    if flags & 0x04 != 0 {
        properties(labels, version, "mqtt.will_properties", content)?;
        counted(
            labels,
            content,
            ("mqtt.willtopic_len", "Will Topic Length"),
            "mqtt.willtopic",
            "Will Topic",
        )?;
        let (length, at) = content.number(2)?;
        labels.number("mqtt.willmsg_len", "Will Message Length", length, at);
        let (message, at) = content.take(length as usize)?;
        labels.bytes("mqtt.willmsg", "Will Message", message, at);
    }
    if flags & 0x80 != 0 {
        counted(labels, content, ("mqtt.username_len", "User Name Length"), "mqtt.username", "User Name")?;
    }
    if flags & 0x40 != 0 {
        let (length, at) = content.number(2)?;
        labels.number("mqtt.passwd_len", "Password Length", length, at);
        let (_, at) = content.take(length as usize)?;
        labels.secret("mqtt.passwd", "Password", at);
    }
    Some(())
}

fn connack(labels: &mut Labeller<'_>, version: u8, content: &mut Cursor<'_>) -> Option<()> {
    let (flags, at) = content.number(1)?;
    labels.number("mqtt.conack.flags", "Acknowledge Flags", flags, at.clone());
    labels.open();
    labels.flag("mqtt.conack.flags.reserved", "Reserved", flags & 0xfe != 0, at.clone());
    labels.flag("mqtt.conack.flags.sp", "Session Present", flags & 1 != 0, at);
    labels.close();
    let (code, at) = content.number(1)?;
    let name = if version >= 5 { "mqtt.connack.reason_code" } else { "mqtt.conack.val" };
    labels.number(name, if version >= 5 { "Reason Code" } else { "Return Code" }, code, at);
    properties(labels, version, "mqtt.properties", content)
}

fn message_id(labels: &mut Labeller<'_>, content: &mut Cursor<'_>) -> Option<()> {
    let (id, at) = content.number(2)?;
    labels.number("mqtt.msgid", "Message Identifier", id, at);
    Some(())
}

fn publish(labels: &mut Labeller<'_>, header: &Header, version: u8, content: &mut Cursor<'_>) -> Option<()> {
    counted(labels, content, ("mqtt.topic_len", "Topic Length"), "mqtt.topic", "Topic")?;
    if header.qos() > 0 {
        message_id(labels, content)?;
    }
    properties(labels, version, "mqtt.properties", content)
}

fn answer(labels: &mut Labeller<'_>, kind: Kind, content: &mut Cursor<'_>) -> Option<()> {
    message_id(labels, content)?;
    let name = match kind {
        Kind::Puback => "mqtt.puback.reason_code",
        Kind::Pubrec => "mqtt.pubrec.reason_code",
        Kind::Pubrel => "mqtt.pubrel.reason_code",
        _ => "mqtt.pubcomp.reason_code",
    };
    reason(labels, name, content)
}

/// A reason code with its properties, which only version 5 has.
fn reason(labels: &mut Labeller<'_>, name: &'static str, content: &mut Cursor<'_>) -> Option<()> {
    let (code, at) = content.number(1)?;
    labels.number(name, "Reason Code", code, at);
    properties(labels, 5, "mqtt.properties", content)
}

fn subscribe(labels: &mut Labeller<'_>, kind: Kind, version: u8, content: &mut Cursor<'_>) -> Option<()> {
    message_id(labels, content)?;
    properties(labels, version, "mqtt.properties", content)?;
    while !content.is_empty() {
        counted(labels, content, ("mqtt.topic_len", "Topic Length"), "mqtt.topic", "Topic")?;
        if kind == Kind::Subscribe {
            let (options, at) = content.number(1)?;
            if version >= 5 {
                labels.number("mqtt.subscription_options", "Subscription Options", options, at.clone());
                labels.number("mqtt.subscription_options_qos", "QoS", options & 3, at);
            } else {
                labels.number("mqtt.sub.qos", "Requested QoS", options & 3, at);
            }
        }
    }
    Some(())
}

fn suback(labels: &mut Labeller<'_>, kind: Kind, version: u8, content: &mut Cursor<'_>) -> Option<()> {
    message_id(labels, content)?;
    properties(labels, version, "mqtt.properties", content)?;
    let name = match (kind, version >= 5) {
        (Kind::Suback, false) => "mqtt.suback.qos",
        (Kind::Suback, true) => "mqtt.suback.reason_code",
        _ => "mqtt.unsuback.reason_code",
    };
    while let Some((code, at)) = content.number(1) {
        labels.number(name, "Reason Code", code, at);
    }
    Some(())
}

/// Properties (MQTT 5.0 §2.2.2.2).
fn property_name(id: u64) -> &'static str {
    match id {
        0x01 => "Payload Format Indicator",
        0x02 => "Publication Expiry Interval",
        0x03 => "Content Type",
        0x08 => "Response Topic",
        0x09 => "Correlation Data",
        0x0b => "Subscription Identifier",
        0x11 => "Session Expiry Interval",
        0x12 => "Assigned Client Identifier",
        0x13 => "Server Keep Alive",
        0x15 => "Authentication Method",
        0x16 => "Authentication Data",
        0x17 => "Request Problem Information",
        0x18 => "Will Delay Interval",
        0x19 => "Request Response Information",
        0x1a => "Response Information",
        0x1c => "Server Reference",
        0x1f => "Reason String",
        0x21 => "Receive Maximum",
        0x22 => "Topic Alias Maximum",
        0x23 => "Topic Alias",
        0x24 => "Maximum QoS",
        0x25 => "Retain Available",
        0x26 => "User Property",
        0x27 => "Maximum Packet Size",
        0x28 => "Wildcard Subscription Available",
        0x29 => "Subscription Identifier Available",
        0x2a => "Shared Subscription Available",
        _ => "",
    }
}
