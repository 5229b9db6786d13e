//! The fields of the protocols above the transport: what dissectors say of their bytes, put into the frame.

use std::borrow::Cow;

use super::field::{Dissection, Field, Value};
use super::hearing::Heeded;
use super::secrets::{End, Masker};
use crate::capture::Slice;
use crate::events::Side;
use crate::packet::Payload;
use crate::protocols::labels::{Label, LabelValue, Message};

/// Where the payload of a packet lies: in its frame, and in the stream of its side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its first byte in the frame.
    frame: u64,
    /// The same byte in the stream.
    stream: u64,
    /// Captured bytes.
    length: u64,
}

impl Place {
    /// Of a payload that ends at this offset of its stream; none where it lies in no frame of its own.
    pub(super) fn new(payload: Payload, end: Option<u64>) -> Option<Self> {
        let length = u64::from(payload.captured.length);
        let is_in_frame = payload.captured.buffer != Slice::SIDE;
        let stream = end?.checked_sub(length)?;
        is_in_frame.then_some(Self { frame: u64::from(payload.frame_offset), stream, length })
    }
}

/// Adds the fields of a message that this packet completes.
pub(super) fn add(dissection: &mut Dissection, heeded: &Heeded, place: Option<Place>, info: bool) {
    let Heeded { message, waited } = heeded;
    for label in &message.labels {
        let bytes = place.and_then(|place| in_frame(label, message, place));
        dissection.fields.push(field(label, bytes));
    }
    if let Some(waited) = waited {
        dissection.fields.push(Field {
            name: "http.time",
            label: Cow::Borrowed("Time since request"),
            value: Value::Span(*waited),
            depth: 1,
            computed: true,
            ..Field::default()
        });
    }
    if let Some((protocol, line)) = summary(message) {
        if info {
            // Several messages in one packet stand one behind the other.
            if is_transport(&dissection.protocol) {
                dissection.info = line;
            } else if !line.is_empty() && dissection.info.len() < LINE {
                dissection.info.push_str(if dissection.info.is_empty() { "" } else { ", " });
                dissection.info.push_str(&line);
            }
        }
        if is_transport(&dissection.protocol) || dissection.protocol == "TLS" {
            dissection.protocol = protocol;
        }
    }
}

/// Beyond, a line that sums up a packet says no more.
const LINE: usize = 200;

fn is_transport(protocol: &str) -> bool {
    matches!(protocol, "TCP" | "UDP")
}

/// The octets of a payload as a field of TCP.
pub(super) fn payload(name: &'static str, payload: Payload, bytes: &[u8]) -> Field {
    let start = payload.frame_offset;
    let in_frame = payload.captured.buffer != Slice::SIDE;
    Field {
        name,
        label: Cow::Owned(format!("Payload ({} bytes)", bytes.len())),
        value: Value::Bytes(bytes.to_vec()),
        bytes: in_frame.then(|| start..start + bytes.len() as u32),
        depth: 1,
        ..Field::default()
    }
}

fn in_frame(label: &Label, message: &Message, place: Place) -> Option<std::ops::Range<u32>> {
    if label.computed {
        return None;
    }
    let start = label.bytes.start.max(message.begins).max(place.stream);
    let end = label.bytes.end.min(place.stream + place.length);
    let there = |offset: u64| u32::try_from(offset - place.stream + place.frame).ok();
    if start < end { Some(there(start)?..there(end)?) } else { None }
}

fn field(label: &Label, bytes: Option<std::ops::Range<u32>>) -> Field {
    let value = match &label.value {
        LabelValue::Present => Value::Present,
        LabelValue::Boolean(is_set) => Value::Boolean(*is_set),
        LabelValue::Unsigned(number) => Value::Unsigned(*number),
        LabelValue::Text(text) => Value::Text(masked(text)),
        LabelValue::Bytes(bytes) => Value::Bytes(bytes.clone()),
    };
    Field {
        name: label.name,
        label: label.label.clone(),
        meaning: label.meaning.clone(),
        value,
        bytes,
        depth: label.depth,
        computed: label.computed,
    }
}

/// What dissectors know to be secret is masked already; what stands in targets, forms and addresses is masked here.
fn masked(text: &str) -> String {
    let end = text.len() - text.trim_end_matches(['\r', '\n']).len();
    let (line, end) = text.split_at(text.len() - end);
    let mut masked = Masker::new(false).line(Side::Server, line, End::Line);
    masked.push_str(end);
    masked
}

/// What the column of protocols and the line say of a message.
fn summary(message: &Message) -> Option<(Cow<'static, str>, String)> {
    let labels = &message.labels;
    let text = |name: &str| {
        labels.iter().find(|label| label.name == name).map(|label| match &label.value {
            LabelValue::Text(text) => masked(text),
            LabelValue::Unsigned(number) => number.to_string(),
            _ => label.meaning.to_string(),
        })
    };
    let joined = |names: &[&str]| names.iter().filter_map(|name| text(name)).collect::<Vec<_>>().join(" ");
    let first = labels.iter().find(|label| label.depth == 0)?;
    let meanings = |name: &str| {
        let all = labels.iter().filter(|label| label.name == name);
        all.map(|label| label.meaning.to_string())
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    };
    Some(match first.name {
        "ftp" => {
            let request = joined(&["ftp.request.command", "ftp.request.arg"]);
            let response = joined(&["ftp.response.code", "ftp.response.arg"]);
            (Cow::Borrowed("FTP"), one_of("Request: ", &request, "Response: ", &response))
        }
        "smtp" => {
            let request = joined(&["smtp.req.command", "smtp.req.parameter", "smtp.auth.username_password"]);
            let response = joined(&["smtp.response.code", "smtp.rsp.parameter"]);
            let line = one_of("C: ", &request, "S: ", &response);
            let line = if line.is_empty() { "C: DATA fragment".to_owned() } else { line };
            (Cow::Borrowed("SMTP"), line)
        }
        "http" => {
            let request = joined(&["http.request.method", "http.request.uri", "http.request.version"]);
            let response = joined(&["http.response.version", "http.response.code", "http.response.phrase"]);
            (Cow::Borrowed("HTTP"), one_of("", &request, "", &response))
        }
        "websocket" => (Cow::Borrowed("WebSocket"), format!("WebSocket {}", meanings("websocket.opcode"))),
        "mqtt" => {
            let topic = text("mqtt.topic").map(|topic| format!(" [{topic}]")).unwrap_or_default();
            (Cow::Borrowed("MQTT"), format!("{}{topic}", meanings("mqtt.msgtype")))
        }
        "openvpn" => (Cow::Borrowed("OpenVPN"), meanings("openvpn.opcode")),
        "tls" => tls(labels, &meanings),
        _ => return None,
    })
}

/// `TLSv1.2`, and the messages of the record.
fn tls(labels: &[Label], meanings: &dyn Fn(&str) -> String) -> (Cow<'static, str>, String) {
    let number = |name: &str| {
        labels.iter().rfind(|label| label.name == name).and_then(|label| match label.value {
            LabelValue::Unsigned(number) => Some(number),
            _ => None,
        })
    };
    let is_13 = labels.iter().any(|label| label.name == "tls.record.opaque_type")
        || (number("tls.handshake.type") == Some(2)
            && number("tls.handshake.extensions.supported_version") == Some(0x0304));
    let version = if is_13 { Some(0x0304) } else { number("tls.record.version") };
    let name = match version {
        Some(0x0300) => "SSLv3",
        Some(0x0301) => "TLSv1",
        Some(0x0302) => "TLSv1.1",
        Some(0x0303) => "TLSv1.2",
        Some(0x0304) => "TLSv1.3",
        _ => "TLS",
    };
    let messages = meanings("tls.handshake.type");
    let alert = meanings("tls.alert_message.desc");
    let line = match (messages.as_str(), alert.as_str()) {
        ("", "") => {
            let record = labels.iter().find(|label| label.name == "tls.record");
            let title = record.map_or("", |label| &*label.label);
            title.trim_start_matches("Record Layer: ").trim_end_matches(" Protocol").to_owned()
        }
        ("", alert) => format!("Alert ({alert})"),
        (messages, _) => messages.to_owned(),
    };
    (Cow::Borrowed(name), line)
}

/// The one of both that is said.
fn one_of(first: &str, one: &str, second: &str, other: &str) -> String {
    match (one.is_empty(), other.is_empty()) {
        (false, _) => format!("{first}{one}"),
        (true, false) => format!("{second}{other}"),
        (true, true) => String::new(),
    }
}
