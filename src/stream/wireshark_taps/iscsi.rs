//! The targets that iSCSI names by address and port (RFC 7143 §13.8): their portal is announced.

use std::net::Ipv4Addr;

use crate::packet::Endpoint;

/// The basic header segment that begins every message (RFC 7143 §11.2.1).
const HEADER: usize = 48;

/// Calls `note` with each `TargetAddress=a.b.c.d:port` in the text of logins and text requests, and of the answers
/// to both. `waiting`: bytes of text that belong to a header which this direction sent before. tshark 4.0.17
/// follows neither names of hosts nor IPv6, nor an address without a port.
pub(super) fn announced(waiting: &mut u32, payload: &[u8], note: &mut impl FnMut(Endpoint)) {
    let mut content = payload;
    if *waiting == 0 {
        let Some((header, behind)) = payload.split_first_chunk::<HEADER>() else { return };
        let [operation, _, _, _, additional, high, middle, low, ..] = *header;
        // The second bit from the top asks for immediate delivery.
        if !matches!(operation & 0x3f, 0x03 | 0x04 | 0x23 | 0x24) || additional != 0 {
            return;
        }
        *waiting = u32::from_be_bytes([0, high, middle, low]);
        content = behind;
    }
    let text = content.get(..*waiting as usize).unwrap_or(content);
    *waiting -= text.len() as u32;
    for pair in text.split(|&byte| byte == 0) {
        if let Some(target) = pair.strip_prefix(b"TargetAddress=").and_then(portal) {
            note(target);
        }
    }
}

/// `a.b.c.d:port`, and a group behind a comma.
fn portal(value: &[u8]) -> Option<Endpoint> {
    let portal = std::str::from_utf8(value).ok()?.split(',').next()?;
    let (address, port) = portal.split_once(':')?;
    let address: Ipv4Addr = address.parse().ok()?;
    Some(Endpoint::new(address.into(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(operation: u8, text: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        bytes[0] = operation;
        bytes[7] = text.len() as u8;
        bytes.extend(text);
        bytes
    }

    /// The ports announced by segments of one direction.
    fn ports(segments: &[&[u8]]) -> Vec<u16> {
        let (mut waiting, mut found) = (0, Vec::new());
        for segment in segments {
            announced(&mut waiting, segment, &mut |target| found.push(target.port));
        }
        found
    }

    #[test]
    fn targets_are_found_in_text() {
        let one = b"TargetName=iqn.x\0TargetAddress=10.0.0.2:9999,1\0";
        for (text, expected) in [
            (one.as_slice(), vec![9999]),
            (b"TargetAddress=10.0.0.2:1,1\0TargetAddress=10.0.0.3:2\0", vec![1, 2]),
            (b"TargetAddress=10.0.0.2,1\0", vec![]),
            (b"TargetAddress=[fd00::1]:9999,1\0", vec![]),
            (b"TargetAddress=storage.example:9999,1\0", vec![]),
            (b"targetaddress=10.0.0.2:9999,1\0", vec![]),
        ] {
            assert_eq!(ports(&[&message(0x24, text)]), expected, "{}", String::from_utf8_lossy(text));
        }
        for (operation, expected) in
            [(0x03, 1), (0x04, 1), (0x23, 1), (0x43, 1), (0x25, 0), (0x01, 0), (0x3f, 0)]
        {
            assert_eq!(ports(&[&message(operation, one)]).len(), expected, "{operation:#x}");
        }
    }

    #[test]
    fn header_and_text_may_come_apart() {
        let text = b"A=1\0TargetAddress=10.0.0.2:9999,1\0";
        let message = message(0x24, text);
        assert_eq!(ports(&[&message[..48], &message[48..]]), [9999]);
        assert_eq!(ports(&[&message[..52], &message[52..]]), [9999]);
        assert_eq!(ports(&[&message[..48], &message[48..], text]), [9999]);
        assert_eq!(ports(&[&message[..47], &message[47..]]).len(), 0);
    }
}
