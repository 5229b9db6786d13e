//! The two facts of a certificate that tell backends and clocks apart: its serial number and its last day
//! (RFC 5280 §4.1), read by walking the DER and nothing more.

use std::fmt::Write as _;

use crate::events::security::CertificateFacts;
use crate::protocols::read::Octets;

/// Octets of a serial number at most (RFC 5280 §4.1.2.2).
const SERIAL: usize = 20;

/// Facts of the first certificate of a Certificate message of TLS 1.2 or before; none where it shows none, or one that
/// cannot be read.
pub(super) fn first(body: &[u8]) -> Option<CertificateFacts> {
    facts(Octets::new(Octets::new(body).counted24()?).counted24()?)
}

/// Whether a Certificate message of TLS 1.2 or before shows none.
pub(super) fn is_empty(body: &[u8]) -> bool {
    body == [0, 0, 0]
}

/// Certificate ::= SEQUENCE { tbs SEQUENCE { \[0\] version, serial INTEGER, signature, issuer, validity … } }
fn facts(der: &[u8]) -> Option<CertificateFacts> {
    let (_, certificate, _) = element(der)?;
    let (_, tbs, _) = element(certificate)?;
    let (tag, mut value, mut rest) = element(tbs)?;
    if tag == 0xA0 {
        (_, value, rest) = element(rest)?;
    }
    // A leading zero only keeps the number from being negative.
    let value = value.strip_prefix(&[0]).filter(|rest| !rest.is_empty()).unwrap_or(value);
    let mut serial = String::new();
    for octet in value.iter().take(SERIAL) {
        let _ = write!(serial, "{octet:02x}");
    }
    let (_, _, rest) = element(rest)?;
    let (_, _, rest) = element(rest)?;
    let (_, validity, _) = element(rest)?;
    let (_, _, after) = element(validity)?;
    let (kind, text, _) = element(after)?;
    Some(CertificateFacts { serial: serial.into(), not_after: time(kind, text) })
}

/// Tag, value and what follows of one DER element.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let mut octets = Octets::new(der);
    let tag = octets.u8()?;
    let short = octets.u8()?;
    let length = match short {
        0..=0x7F => usize::from(short),
        0x81 => usize::from(octets.u8()?),
        0x82 => usize::from(octets.u16()?),
        0x83 => octets.u24()? as usize,
        _ => return None,
    };
    let value = octets.take(length)?;
    Some((tag, value, octets.rest()))
}

/// `UTCTime` (`YYMMDDHHMMSSZ`) or `GeneralizedTime` (`YYYYMMDDHHMMSSZ`) as Unix seconds.
fn time(kind: u8, text: &[u8]) -> Option<i64> {
    let text = str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = match kind {
        0x17 => {
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            format!("{century}{text}")
        }
        _ => text.to_owned(),
    };
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i8>().ok();
    let year = text.get(..4)?.parse::<i16>().ok()?;
    let date = jiff::civil::DateTime::new(
        year,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?,
        0,
    )
    .ok()?;
    Some(jiff::tz::Offset::UTC.to_timestamp(date).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_both_kinds() {
        assert_eq!(time(0x17, b"260102030405Z"), Some(1_767_323_045));
        assert_eq!(time(0x18, b"20260102030405Z"), Some(1_767_323_045));
        assert_eq!(time(0x17, b"991231235959Z"), Some(946_684_799));
        assert_eq!(time(0x17, b"26Z"), None);
    }

    #[test]
    fn a_list_may_be_empty_or_cut() {
        for body in [&[0, 0, 0][..], &[0, 0, 9, 1], &[0, 0, 4, 0, 0, 1, 0x30]] {
            assert_eq!(first(body), None, "{body:?}");
        }
        assert!(is_empty(&[0, 0, 0]) && !is_empty(&[0, 0, 4, 0, 0, 1, 0x30]) && !is_empty(&[]));
    }
}
