//! The H.245 connections that H.225 call signalling announces (ITU-T H.225.0, "H245 address").
//!
//! Read are `Setup` and `Connect`, where the address stands in a fixed place. In the other messages it comes after
//! parts that only a decoder of all of ASN.1's packed encoding could step over.

use crate::packet::Endpoint;

/// Protocol discriminator of Q.931.
const Q931: u8 = 0x08;

/// The information element that holds the H.225 message, and its own protocol discriminator.
const USER_USER: u8 = 0x7e;
const ASN1: u8 = 0x05;

/// Calls `note` with the address in each message of a payload that begins with one.
pub(super) fn announced(payload: &[u8], note: &mut impl FnMut(Endpoint)) {
    let mut rest = payload;
    // RFC 1006 framing: version 3, a reserved byte, and a length that counts these four bytes.
    while let [3, _, high, low, ..] = *rest {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some((message, behind)) = rest.split_at_checked(length.max(4)) else { return };
        if let Some(address) = message.get(4..).and_then(user_information).and_then(h245_address) {
            note(address);
        }
        rest = behind;
    }
    // Some send the four bytes of framing in a segment of their own.
    if let Some(address) = user_information(rest).and_then(h245_address) {
        note(address);
    }
}

/// The H.225 message in one of Q.931 (ITU-T Q.931 §4): a call reference, a type, and information elements.
fn user_information(message: &[u8]) -> Option<&[u8]> {
    let [Q931, reference_length, rest @ ..] = message else { return None };
    let mut elements = rest.get(usize::from(reference_length & 0x0f) + 1..)?;
    loop {
        match *elements {
            // The length counts the discriminator.
            [USER_USER, high, low, ASN1, ref content @ ..] => {
                let length = usize::from(u16::from_be_bytes([high, low])).checked_sub(1)?;
                return content.get(..length);
            }
            [element, ref behind @ ..] if element & 0x80 != 0 => elements = behind,
            [_, length, ref behind @ ..] => elements = behind.get(usize::from(length)..)?,
            _ => return None,
        }
    }
}

/// The H.245 address of a `Setup` or `Connect`, both of which begin with a protocol identifier and this address.
fn h245_address(information: &[u8]) -> Option<Endpoint> {
    let [choice, optional, length, rest @ ..] = information else { return None };
    // Bits of the choice's octet: two of H323-UserInformation (extended, user data), two of H323-UU-PDU (extended,
    // non-standard data), then the message: an extension bit and three bits of number.
    // The second bit of the message says that the address is there.
    if !matches!(choice & 0x0f, 0 | 2) || optional & 0x40 == 0 {
        return None;
    }
    // An address that is IPv4 has the first number of its choice, which is not extended.
    let [0, a, b, c, d, high, low, ..] = *rest.get(usize::from(*length)..)? else { return None };
    let port = u16::from_be_bytes([high, low]);
    (port != 0 && [a, b, c, d] != [0; 4]).then(|| Endpoint::new([a, b, c, d].into(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message with these first bits, a protocol identifier of six octets, and this behind it.
    fn message(choice: u8, optional: u8, behind: &[u8]) -> Vec<u8> {
        let information = [&[choice, optional, 6, 0, 8, 0x91, 0x4a, 0, 3], behind].concat();
        let length = (information.len() + 1) as u16;
        let mut bytes = vec![8, 2, 0xf7, 0xf4, 7, 0xa1, 0x28, 4, b'A', b'N', b'N', b'A', 0x7e];
        bytes.extend(length.to_be_bytes());
        bytes.push(5);
        bytes.extend(information);
        bytes
    }

    fn framed(message: &[u8]) -> Vec<u8> {
        let length = (message.len() + 4) as u16;
        [&[3, 0], length.to_be_bytes().as_slice(), message].concat()
    }

    fn ports(payload: &[u8]) -> Vec<u16> {
        let mut found = Vec::new();
        announced(payload, &mut |address| {
            assert_eq!(address.ip.to_string(), "10.0.0.2");
            found.push(address.port);
        });
        found
    }

    const ADDRESS: [u8; 8] = [0, 10, 0, 0, 2, 0x27, 0x0f, 0x22];

    #[test]
    fn addresses_are_found_in_setup_and_connect() {
        for (name, choice, optional, address, expected) in [
            ("connect", 0x22, 0xc0, ADDRESS, vec![9999]),
            ("setup", 0x20, 0xe0, ADDRESS, vec![9999]),
            ("connect without extensions", 0x02, 0x40, ADDRESS, vec![9999]),
            ("alerting", 0x23, 0xc0, ADDRESS, vec![]),
            ("a later kind of message", 0x2a, 0xc0, ADDRESS, vec![]),
            ("no address", 0x22, 0x80, ADDRESS, vec![]),
            ("another kind of address", 0x22, 0xc0, [0x30, 10, 0, 0, 2, 0x27, 0x0f, 0x22], vec![]),
            ("no port", 0x22, 0xc0, [0, 10, 0, 0, 2, 0, 0, 0x22], vec![]),
        ] {
            assert_eq!(ports(&framed(&message(choice, optional, &address))), expected, "{name}");
        }
    }

    #[test]
    fn messages_may_come_together_or_without_their_framing() {
        let one = message(0x22, 0xc0, &ADDRESS);
        assert_eq!(ports(&[framed(&one), framed(&one)].concat()), [9999, 9999]);
        assert_eq!(ports(&one), [9999]);
        assert_eq!(ports(&[3, 0, 0, 0, 1]).len(), 0);
    }

    #[test]
    fn cut_messages_announce_nothing() {
        let whole = framed(&message(0x22, 0xc0, &ADDRESS));
        for length in 0..whole.len() {
            assert_eq!(ports(&whole[..length]).len(), 0, "{length}");
            let mut odd = whole.clone();
            odd[length] ^= 0xff;
            let mut any = 0;
            announced(&odd, &mut |_| any += 1);
            assert!(any <= 1);
        }
    }
}
