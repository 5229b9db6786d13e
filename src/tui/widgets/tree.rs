//! The fields of a packet as a tree that folds.

use std::collections::BTreeSet;

use super::text::clean;
use crate::inspect::{Field, Value};

/// Bytes of a value that a line shows.
const SHOWN: usize = 16;

/// The places of the fields that are not folded away.
pub fn shown(fields: &[Field], folded: &BTreeSet<String>) -> Vec<usize> {
    let mut rows = Vec::new();
    let mut below: Option<u8> = None;
    for (place, field) in fields.iter().enumerate() {
        if below.is_some_and(|depth| field.depth > depth) {
            continue;
        }
        below = folded.contains(key(field)).then_some(field.depth);
        // What has no label is there for filters: the same value under a wider name.
        if !field.label.is_empty() || !field.meaning.is_empty() {
            rows.push(place);
        }
    }
    rows
}

/// By what a field is known in every packet: so that what is folded in one is folded in the next.
pub fn key(field: &Field) -> &str {
    if field.name.is_empty() { &field.label } else { field.name }
}

/// Whether a field holds others.
pub fn holds(fields: &[Field], place: usize) -> bool {
    match (fields.get(place), fields.get(place + 1)) {
        (Some(field), Some(next)) => next.depth > field.depth,
        _ => false,
    }
}

/// The place of the field that holds this one.
pub fn holder(fields: &[Field], place: usize) -> Option<usize> {
    let depth = fields.get(place)?.depth;
    (0..place).rev().find(|above| fields.get(*above).is_some_and(|field| field.depth < depth))
}

/// What a field says in one line, without its indent.
pub fn line(field: &Field) -> String {
    let label = clean(&field.label);
    let meaning = clean(&field.meaning);
    let value = value(&field.value);
    let said = match (value.is_empty(), meaning.is_empty()) {
        (true, true) => label,
        (true, false) => format!("{label}: {meaning}"),
        (false, true) => format!("{label}: {value}"),
        (false, false) => format!("{label}: {meaning} ({value})"),
    };
    if field.computed { format!("[{said}]") } else { said }
}

/// A value for people.
pub fn value(value: &Value) -> String {
    match value {
        Value::Present => String::new(),
        Value::Boolean(true) => "set".to_owned(),
        Value::Boolean(false) => "not set".to_owned(),
        Value::Unsigned(number) => number.to_string(),
        Value::Signed(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Text(text) => clean(text),
        Value::Bytes(bytes) => {
            let mut text: Vec<String> = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
            if bytes.len() > SHOWN {
                text.push("…".to_owned());
            }
            text.join(":")
        }
        Value::Address(address) => address.to_string(),
        Value::Ethernet(octets) => octets.map(|octet| format!("{octet:02x}")).join(":"),
        Value::Time(time) => time.rfc3339(),
        Value::Span(span) => format!("{:.9} s", span.as_secs()),
    }
}

/// The value as a display filter writes it; nothing for what no filter can name.
pub fn filter(field: &Field) -> Option<String> {
    if field.name.is_empty() {
        return None;
    }
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let value = match &field.value {
        Value::Present => return Some(field.name.to_owned()),
        Value::Boolean(on) => u8::from(*on).to_string(),
        Value::Text(text) => quoted(&clean(text)),
        Value::Time(time) => quoted(&time.rfc3339()),
        Value::Span(span) => format!("{:.9}", span.as_secs()),
        Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"),
        other => value(other),
    };
    Some(format!("{} == {value}", field.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_hides_what_is_held() {
        let field =
            |(depth, label): (u8, &'static str)| Field { depth, label: label.into(), ..Field::default() };
        let fields = [(0, "a"), (1, "b"), (2, "c"), (1, "d"), (0, "e"), (1, "f")].map(field);
        let folded =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
        assert_eq!(shown(&fields, &folded(&[])), [0, 1, 2, 3, 4, 5]);
        assert_eq!(shown(&fields, &folded(&["a"])), [0, 4, 5]);
        assert_eq!(shown(&fields, &folded(&["b", "e"])), [0, 1, 3, 4]);
        assert_eq!((holder(&fields, 3), holder(&fields, 2), holder(&fields, 0)), (Some(0), Some(1), None));
        assert!(holds(&fields, 1) && !holds(&fields, 3));
    }

    #[test]
    fn a_field_says_what_it_is() {
        let ttl = Field {
            name: "ip.ttl",
            label: "Time to Live".into(),
            value: Value::Unsigned(64),
            ..Field::default()
        };
        assert_eq!(line(&ttl), "Time to Live: 64");
        assert_eq!(filter(&ttl).as_deref(), Some("ip.ttl == 64"));
        let text = Field {
            name: "ftp.request.arg",
            label: "Argument".into(),
            value: Value::Text("a\"\u{1b}".into()),
            ..Field::default()
        };
        assert_eq!(line(&text), "Argument: a\"\\u{1b}");
        assert_eq!(filter(&text).as_deref(), Some("ftp.request.arg == \"a\\\"\\\\u{1b}\""));
    }
}
