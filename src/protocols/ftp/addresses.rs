//! Where a data connection is going to be listened for: PORT, EPRT, and the answers 227 and 229.

use std::net::{IpAddr, Ipv4Addr};

use crate::protocols::lines;

/// Six numbers `h1,h2,h3,h4,p1,p2` somewhere in the text: PORT's argument, or the answer 227, whose text is free and
/// whose brackets some servers leave out (RFC 959 §4.1.2, RFC 1123 §4.1.2.6).
pub(super) fn six_numbers(text: &[u8]) -> Option<(IpAddr, u16)> {
    let run = |octet: &u8| octet.is_ascii_digit() || *octet == b',';
    let mut rest = text;
    while let Some(start) = rest.iter().position(u8::is_ascii_digit) {
        rest = rest.get(start..)?;
        let length = rest.iter().take_while(|octet| run(octet)).count();
        let (numbers, after) = rest.split_at_checked(length)?;
        rest = after;
        let mut octets = [0_u8; 6];
        let mut count = 0;
        for part in numbers.split(|octet| *octet == b',') {
            let Some(octet) = lines::number(part).and_then(|number| u8::try_from(number).ok()) else { break };
            if let Some(place) = octets.get_mut(count) {
                *place = octet;
            }
            count += 1;
        }
        if count == octets.len() {
            let [a, b, c, d, high, low] = octets;
            return Some((Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low])));
        }
    }
    None
}

/// EPRT's argument: `|2|2001:db8::1|6446|` with any sign in place of the bar (RFC 2428 §2).
pub(super) fn extended(text: &[u8]) -> Option<(IpAddr, u16)> {
    let (bar, rest) = text.split_first()?;
    let mut parts = rest.split(|octet| octet == bar);
    let _family = parts.next()?;
    let ip = str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    Some((ip, port(parts.next()?)?))
}

/// The port in the answer 229: `(|||6446|)` (RFC 2428 §3).
pub(super) fn extended_port(text: &[u8]) -> Option<u16> {
    let start = text.iter().position(|octet| *octet == b'(')?;
    let (bar, rest) = text.get(start + 1..)?.split_first()?;
    port(rest.split(|octet| octet == bar).nth(2)?)
}

fn port(digits: &[u8]) -> Option<u16> {
    lines::number(digits).and_then(|number| u16::try_from(number).ok()).filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(found: Option<(IpAddr, u16)>) -> String {
        found.map_or_else(String::new, |(ip, port)| format!("{ip} {port}"))
    }

    #[test]
    fn addresses_of_version_four() {
        assert_eq!(shown(six_numbers(b"10,0,0,1,195,80")), "10.0.0.1 50000");
        assert_eq!(shown(six_numbers(b"Entering Passive Mode (10,0,0,2,4,1).")), "10.0.0.2 1025");
        assert_eq!(shown(six_numbers(b"=10,0,0,2,4,1")), "10.0.0.2 1025");
        assert_eq!(shown(six_numbers(b"Mode 2 of 3, (10,0,0,2,4,1)")), "10.0.0.2 1025");
        for bad in [&b"10,0,0,1,195"[..], b"10,0,0,256,1,1", b"", b"10,0,0,1,1,1,1", b",,,,,"] {
            assert_eq!(six_numbers(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn addresses_of_either_version() {
        assert_eq!(shown(extended(b"|1|132.235.1.2|6275|")), "132.235.1.2 6275");
        assert_eq!(shown(extended(b"#2#1080::8:800:200C:417A#5282#")), "1080::8:800:200c:417a 5282");
        assert_eq!(extended_port(b"Entering Extended Passive Mode (|||6446|)"), Some(6446));
        assert_eq!(extended_port(b"(!!!6446!)"), Some(6446));
        for bad in [&b""[..], b"|", b"|1|x|1|", b"|1|10.0.0.1|0|", b"|1|10.0.0.1|65536|"] {
            assert_eq!(extended(bad), None, "{bad:?}");
        }
        for bad in [&b"("[..], b"(|||)", b"|||1|", b"(|||x|)"] {
            assert_eq!(extended_port(bad), None, "{bad:?}");
        }
    }
}
