//! Literals: what a word means depends on the type of what it is compared with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::fields::{FieldInfo, Type};
use super::program::Operand;
use super::refusal::{Refusal, nearest};
use crate::inspect::Value;
use crate::rules;
use crate::time::{Span, Timestamp};

/// A literal as it stands in the filter.
#[derive(Debug, Clone, Copy)]
pub(super) enum Raw<'a> {
    /// Without quotes.
    Word(&'a str),
    /// In quotes.
    Text(&'a [u8]),
    /// One octet.
    Char(u8),
}

/// Units of durations, in nanoseconds.
const TIMES: [(&str, f64); 14] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("sec", 1e9),
    ("s", 1e9),
    ("min", 60e9),
    ("m", 60e9),
    ("h", 3600e9),
    ("d", 86_400e9),
    ("days", 86_400e9),
    ("hours", 3600e9),
    ("minutes", 60e9),
    ("seconds", 1e9),
];

/// Units of amounts.
const SIZES: [(&str, u64); 10] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// Names that Wireshark gives to values.
const NAMES: [(&str, &[(&str, u64)]); 3] = [
    (
        "tls.handshake.type",
        &[
            ("Hello Request", 0),
            ("Client Hello", 1),
            ("Server Hello", 2),
            ("New Session Ticket", 4),
            ("End of Early Data", 5),
            ("Encrypted Extensions", 8),
            ("Certificate", 11),
            ("Server Key Exchange", 12),
            ("Certificate Request", 13),
            ("Server Hello Done", 14),
            ("Certificate Verify", 15),
            ("Client Key Exchange", 16),
            ("Finished", 20),
        ],
    ),
    (
        "tls.record.content_type",
        &[("Change Cipher Spec", 20), ("Alert", 21), ("Handshake", 22), ("Application Data", 23)],
    ),
    ("tls.alert_message.level", &[("Warning", 1), ("Fatal", 2)]),
];

/// The literal as a value of this type; the field, where there is one, may have names for its values.
///
/// # Errors
/// Where it is none, in Wireshark's words where Wireshark has them.
pub(super) fn literal(
    raw: Raw<'_>,
    kind: Type,
    field: Option<&FieldInfo>,
    span: Range<usize>,
) -> Result<Operand, Refusal> {
    let refused = |reason: String| {
        let refusal = Refusal::new(span.clone(), reason);
        match field {
            Some(field) => refusal.example(field.example()),
            None => refusal,
        }
    };
    let text = match raw {
        Raw::Word(word) => word.to_owned(),
        Raw::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Raw::Char(octet) => char::from(octet).to_string(),
    };
    let value = match kind {
        Type::Unsigned(bits) => unsigned(raw, &text, bits, field).map_err(refused)?,
        Type::Signed => {
            let number = amount(&text).and_then(|number| i64::try_from(number).ok());
            match number.filter(|_| !matches!(raw, Raw::Text(_))) {
                Some(number) => Value::Signed(number),
                None => return Err(refused(format!("\"{text}\" is not a valid number"))),
            }
        }
        Type::Boolean => boolean(raw, &text, field).map_err(refused)?,
        Type::Float => match text.parse::<f64>().ok().filter(|n| n.is_finite()) {
            Some(number) if !matches!(raw, Raw::Text(_)) => Value::Float(number),
            _ => return Err(refused(format!("\"{text}\" is not a valid floating-point number"))),
        },
        Type::Text => Value::Text(text),
        Type::Word(words) | Type::Ranked(words) => {
            match words.iter().position(|word| word.eq_ignore_ascii_case(&text)) {
                Some(rank) if matches!(kind, Type::Ranked(_)) => Value::Unsigned(rank as u64),
                Some(place) => Value::Text(words[place].to_owned()),
                None => {
                    let near = nearest(&text, words.iter().copied());
                    return Err(refused(format!("\"{text}\" is none of {}", words.join(", "))).nearest(near));
                }
            }
        }
        Type::Rule => {
            let Some(rule) = rules::named(&text) else {
                let names = rules::CATALOGUE.iter().flat_map(|rule| [rule.code, rule.name]);
                return Err(refused(format!("there is no rule {text}")).nearest(nearest(&text, names)));
            };
            Value::Text(rule.code.to_owned())
        }
        Type::Id(letter) => match id(&text, letter) {
            Some(number) => Value::Unsigned(number.into()),
            None => return Err(refused(format!("\"{text}\" is not an id such as {letter}-0001"))),
        },
        Type::Bytes | Type::Protocol => Value::Bytes(
            octets(raw, &text).ok_or_else(|| refused(format!("\"{text}\" is not a valid byte string")))?,
        ),
        Type::Ethernet => {
            let octets = if matches!(raw, Raw::Text(_)) { hex(&text) } else { octets(raw, &text) };
            match octets.as_deref().map(<[u8; 6]>::try_from) {
                Some(Ok(address)) => Value::Ethernet(address),
                Some(Err(_)) if octets.is_some_and(|octets| octets.len() < 6) => {
                    return Err(refused(format!(
                        "\"{text}\" contains too few bytes to be a valid Ethernet address"
                    )));
                }
                Some(Err(_)) => {
                    return Err(refused(format!(
                        "\"{text}\" contains too many bytes to be a valid Ethernet address"
                    )));
                }
                None => {
                    return Err(refused(format!("\"{text}\" is not a valid hostname or Ethernet address")));
                }
            }
        }
        Type::Ipv4 | Type::Ipv6 | Type::Address => return address(&text, kind).map_err(refused),
        Type::Duration => {
            Value::Span(duration(&text).filter(|_| !matches!(raw, Raw::Char(_))).ok_or_else(|| {
                refused(format!("\"{text}\" is not a valid time; units are ns us ms s m h d"))
            })?)
        }
        Type::Time => Value::Time(moment(&text).ok_or_else(|| {
            refused(format!("\"{text}\" is not a valid absolute time, such as \"2026-01-01 12:00:00Z\""))
        })?),
        Type::Nothing => {
            let name = field.map_or("it", |field| field.name);
            return Err(refused(format!(
                "{name} has no value to compare; its name alone tests whether it is there"
            )));
        }
    };
    Ok(Operand::Constant(value))
}

fn unsigned(raw: Raw<'_>, text: &str, bits: u8, field: Option<&FieldInfo>) -> Result<Value, String> {
    let named = field.and_then(|field| NAMES.iter().find(|(name, _)| *name == field.name));
    if let Some((_, number)) =
        named.and_then(|(_, names)| names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)))
    {
        return Ok(Value::Unsigned(*number));
    }
    let number = match raw {
        Raw::Char(octet) => u64::from(octet),
        Raw::Text(_) if named.is_some() => {
            let name = field.map_or("", |field| field.name);
            return Err(format!("\"{text}\" cannot be found among the possible values for {name}"));
        }
        Raw::Text(_) => {
            return Err(format!(
                "{} cannot be converted from a string (\"{text}\")",
                Type::Unsigned(bits).name()
            ));
        }
        Raw::Word(word) => amount(word).ok_or_else(|| format!("\"{word}\" is not a valid number"))?,
    };
    let most = if bits >= 64 { u64::MAX } else { (1 << bits) - 1 };
    if number > most {
        return Err(format!("\"{text}\" too big for this field, maximum {most}"));
    }
    Ok(Value::Unsigned(number))
}

/// A number in decimal, hexadecimal, octal or binary, or with a unit of amounts.
pub(super) fn amount(word: &str) -> Option<u64> {
    let radix = |prefix: [&str; 2], radix| {
        let digits = word.strip_prefix(prefix[0]).or_else(|| word.strip_prefix(prefix[1]))?;
        u64::from_str_radix(digits, radix).ok()
    };
    if let Some(number) = radix(["0x", "0X"], 16).or_else(|| radix(["0b", "0B"], 2)) {
        return Some(number);
    }
    if word.len() > 1 && word.starts_with('0') && word.bytes().all(|b| b.is_ascii_digit()) {
        return u64::from_str_radix(word, 8).ok();
    }
    if let Ok(number) = word.parse() {
        return Some(number);
    }
    let (digits, size) = SIZES.iter().find_map(|(unit, size)| Some((word.strip_suffix(unit)?, *size)))?;
    if let Ok(whole) = digits.parse::<u64>() {
        return whole.checked_mul(size);
    }
    let part = plain(digits)? * size as f64;
    (0.0..1e18).contains(&part).then_some(part.round() as u64)
}

fn boolean(raw: Raw<'_>, text: &str, field: Option<&FieldInfo>) -> Result<Value, String> {
    let names = [("true", true), ("false", false), ("set", true), ("not set", false)];
    if let Some((_, set)) = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Ok(Value::Boolean(*set));
    }
    if let (Raw::Word(_), Some(number)) = (raw, amount(text)) {
        return Ok(Value::Boolean(number != 0));
    }
    let name = field.map_or("a boolean", |field| field.name);
    Err(format!("\"{text}\" cannot be found among the possible values for {name}"))
}

/// Octets: of a string its own, of a word those that its hex digits are, of a constant that one.
fn octets(raw: Raw<'_>, text: &str) -> Option<Vec<u8>> {
    match raw {
        Raw::Text(text) => Some(text.to_vec()),
        Raw::Char(octet) => Some(vec![octet]),
        Raw::Word(word) => match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
            Some(_) => u8::try_from(amount(word)?).ok().map(|octet| vec![octet]),
            None => hex(text),
        },
    }
}

/// `16:03:01`, `16-03-01`, `16.03.01`, `1603.01`, `160301`, `:16`.
fn hex(word: &str) -> Option<Vec<u8>> {
    let word = word.strip_prefix(':').unwrap_or(word);
    let mut octets = Vec::new();
    for group in word.split([':', '-', '.']) {
        match group.len() {
            1 => octets.push(u8::from_str_radix(group, 16).ok()?),
            n if n > 0 && n % 2 == 0 && group.is_ascii() => {
                for at in (0..n).step_by(2) {
                    octets.push(u8::from_str_radix(group.get(at..at + 2)?, 16).ok()?);
                }
            }
            _ => return None,
        }
    }
    Some(octets)
}

fn address(text: &str, kind: Type) -> Result<Operand, String> {
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let sort = match kind {
        Type::Ipv4 => "IPv4 address",
        Type::Ipv6 => "IPv6 address",
        _ => "IP address",
    };
    let wrong = || format!("\"{text}\" is not a valid hostname or {sort}");
    let parsed = match kind {
        Type::Ipv4 => address.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        Type::Ipv6 => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => address.parse::<IpAddr>().ok(),
    };
    let parsed = parsed.ok_or_else(wrong)?;
    let longest = if parsed.is_ipv4() { 32 } else { 128 };
    match prefix.map(str::parse::<u8>) {
        None => Ok(Operand::Constant(Value::Address(parsed))),
        Some(Ok(length)) if length <= longest => Ok(Operand::Network(parsed, length)),
        Some(_) => Err(format!("the prefix of {text} is not between 0 and {longest}")),
    }
}

/// A number with digits and at most one point: `15`, `1.5`.
fn plain(text: &str) -> Option<f64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (digits && text.starts_with(|c: char| c.is_ascii_digit())).then(|| text.parse().ok())?
}

/// `350s`, `15m`, `1.5h`, `2h30m`; a number alone is seconds.
pub fn duration(text: &str) -> Option<Span> {
    let (sign, text) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    let mut rest = text.trim();
    let mut total = 0.0;
    if let Some(seconds) = plain(rest) {
        total = exact(rest).unwrap_or(seconds * 1e9);
    } else {
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let number = plain(&rest[..digits])?;
            let after = rest[digits..].trim_start();
            let length = after.find(|c: char| c.is_ascii_digit() || c == ' ').unwrap_or(after.len());
            let (unit, more) = after.split_at(length);
            let (_, nanos) = TIMES.iter().find(|(name, _)| *name == unit)?;
            total += number * nanos;
            rest = more.trim_start();
        }
    }
    (total.abs() < 9.2e18).then(|| Span((sign * total).round() as i64))
}

/// Nanoseconds of seconds in decimal, without the rounding that a fraction of many digits suffers.
fn exact(text: &str) -> Option<f64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let nanos: i64 = format!("{part:0<9}").get(..9)?.parse().ok()?;
    let total = whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)?;
    (total < 1 << 53).then_some(total as f64)
}

/// A point in time: ISO form, with an offset or in UTC, or Wireshark's `Jan 1, 2026 12:00:00`.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let nanos = |at: jiff::Timestamp| i64::try_from(at.as_nanosecond()).ok().map(Timestamp);
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return nanos(at);
    }
    let bare = text.strip_suffix(['Z', 'z']).or_else(|| text.strip_suffix("UTC")).unwrap_or(text).trim_end();
    let civil = bare.parse::<jiff::civil::DateTime>().or_else(|_| {
        let forms = ["%b %d, %Y %H:%M:%S%.f", "%b %d, %Y %H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
        forms.iter().find_map(|form| jiff::civil::DateTime::strptime(form, bare).ok()).ok_or(())
    });
    nanos(jiff::tz::TimeZone::UTC.to_timestamp(civil.ok()?).ok()?)
}

fn id(text: &str, letter: char) -> Option<u32> {
    let lower = [letter, letter.to_ascii_lowercase()];
    let digits = text.strip_prefix(lower).map_or(text, |rest| rest.strip_prefix('-').unwrap_or(rest));
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, nanos) in [
            ("350s", Some(350_000_000_000)),
            ("15m", Some(900_000_000_000)),
            ("1.5h", Some(5_400_000_000_000)),
            ("2h30m", Some(9_000_000_000_000)),
            ("250ms", Some(250_000_000)),
            ("0.000001", Some(1_000)),
            ("1767225600.5", Some(1_767_225_600_500_000_000)),
            ("-1", Some(-1_000_000_000)),
            ("1e-3", None),
            ("", None),
            ("s", None),
            ("5 parsecs", None),
            ("1.2.3", None),
        ] {
            assert_eq!(duration(text).map(|span| span.0), nanos, "{text}");
        }
    }

    #[test]
    fn amounts_have_units_and_bases() {
        for (text, number) in [
            ("10KiB", Some(10_240)),
            ("1.5MiB", Some(1_572_864)),
            ("2kB", Some(2_000)),
            ("0x1bb", Some(443)),
            ("0b10", Some(2)),
            ("0673", Some(443)),
            ("0", Some(0)),
            ("https", None),
            ("1.5", None),
            ("-1", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(amount(text), number, "{text}");
        }
    }

    #[test]
    fn times_are_utc_unless_they_say_otherwise() {
        let noon = moment("2026-01-01T12:00:00Z");
        assert!(noon.is_some());
        for text in [
            "2026-01-01 12:00:00",
            "2026-01-01 12:00",
            "2026-01-01T14:00:00+02:00",
            "2026-01-01 12:00:00Z",
            "Jan 1, 2026 12:00:00",
            "Jan 1, 2026 12:00:00.000 UTC",
        ] {
            assert_eq!(moment(text), noon, "{text}");
        }
        assert_eq!(moment("2026-01-01"), moment("2026-01-01T00:00:00Z"));
        assert_eq!(moment("yesterday"), None);
    }

    #[test]
    fn octets_are_written_in_several_ways() {
        for text in ["16:03:01", "16-03-01", "16.03.01", "160301", ":16:03:1"] {
            assert_eq!(hex(text), Some(vec![0x16, 3, 1]), "{text}");
        }
        for text in ["xy", "163", "16::03", "", "16é"] {
            assert_eq!(hex(text), None, "{text}");
        }
    }
}
