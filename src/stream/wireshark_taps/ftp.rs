//! The data connections that FTP announces (RFC 959 §4.1.2, RFC 2428 §3).

use std::net::Ipv4Addr;

use super::Announcer;

/// What `PORT h1,h2,h3,h4,p1,p2`, `227 … (h1,…,p2)` and `229 … (|||port|)` announce: the address, where the text
/// names one, and the port. tshark 4.0.17 does not follow `EPRT`.
pub(super) fn announced(payload: &[u8]) -> Option<(Option<Ipv4Addr>, u16, Announcer)> {
    let line = payload.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
    let text = std::str::from_utf8(line).ok()?;
    let active = text.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case("PORT "));
    if active || text.starts_with("227 ") {
        let from = text.find('(').or_else(|| text.rfind(' '))?;
        let numbers =
            text.get(from + 1..)?.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        let octets: Vec<u8> = numbers.take(6).map_while(|part| part.parse().ok()).collect();
        let [a, b, c, d, high, low] = *octets.as_slice() else { return None };
        let by = if active { Announcer::FtpActive } else { Announcer::FtpPassive };
        return Some((Some(Ipv4Addr::new(a, b, c, d)), u16::from_be_bytes([high, low]), by));
    }
    if text.starts_with("229 ") {
        let port =
            text.trim_end_matches([')', '.', ' ']).trim_end_matches('|').rsplit('|').next()?.parse().ok()?;
        return Some((None, port, Announcer::FtpPassive));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_of_ftp() {
        for (line, port) in [
            ("PORT 10,0,0,1,4,1\r\n", Some(1025)),
            ("227 Entering Passive Mode (10,0,0,2,195,80).\r\n", Some(50_000)),
            ("EPRT |2|fd00::1|5282|\r\n", None),
            ("229 Entering Extended Passive Mode (|||6446|)\r\n", Some(6446)),
            ("USER anna\r\n", None),
            ("PORT 1,2\r\n", None),
        ] {
            assert_eq!(announced(line.as_bytes()).map(|(_, port, _)| port), port, "{line}");
        }
    }
}
