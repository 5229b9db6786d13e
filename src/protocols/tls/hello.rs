//! The two hellos (RFC 5246 §7.4.1, RFC 8446 §4.1) and the extensions that sessions depend on.

use super::records;
use crate::protocols::read::Octets;

/// The random of a `ServerHello` that is a `HelloRetryRequest` (RFC 8446 §4.1.3).
pub(super) const RETRY: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2,
    0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// Drafts of TLS 1.3 have this in the high octet of their version.
const DRAFT: u16 = 0x7F00;

/// Whether this version behaves as TLS 1.3.
pub(super) fn is_13(version: u16) -> bool {
    version >= 0x0304
}

/// Extension numbers (IANA TLS `ExtensionType` Values).
mod extension {
    pub(super) const SERVER_NAME: u16 = 0;
    pub(super) const ALPN: u16 = 16;
    pub(super) const SESSION_TICKET: u16 = 35;
    pub(super) const PRE_SHARED_KEY: u16 = 41;
    pub(super) const EARLY_DATA: u16 = 42;
    pub(super) const SUPPORTED_VERSIONS: u16 = 43;
}

/// Octets of a record that holds an `EndOfEarlyData`, which has a key and thus a record of its own (RFC 8446 §4.5).
pub(super) const END_OF_EARLY_DATA: usize = 4 + records::ADDED_13;

/// Octets of a record that holds nothing but a Finished of TLS 1.3: as long as the hash of the cipher suite
/// (RFC 8446 §4.4.4, B.4).
pub(super) fn finished_13(cipher: Option<u16>) -> usize {
    const AES_256_GCM_SHA384: u16 = 0x1302;
    4 + if cipher == Some(AES_256_GCM_SHA384) { 48 } else { 32 } + records::ADDED_13
}

/// The list of pre-shared keys that a client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Psks<'b>(&'b [u8]);

impl<'b> Psks<'b> {
    /// Each key's name, and whether it stands for a ticket: one that was given out by other means has no age.
    pub(super) fn each(self) -> impl Iterator<Item = (&'b [u8], bool)> {
        let mut octets = Octets::new(self.0);
        std::iter::from_fn(move || Some((octets.counted16()?, octets.u32()? != 0)))
    }
}

/// What a client says first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ClientHello<'b> {
    /// Session id; empty for none.
    pub(super) session_id: &'b [u8],
    /// Server name (RFC 6066 §3).
    pub(super) server_name: Option<&'b [u8]>,
    /// The first application protocol offered (RFC 7301).
    pub(super) alpn: Option<&'b [u8]>,
    /// Ticket (RFC 5077); empty where the extension is and holds none.
    pub(super) ticket: Option<&'b [u8]>,
    /// The pre-shared keys offered (RFC 8446 §4.2.11).
    pub(super) psks: Option<Psks<'b>>,
    /// Early data follow.
    pub(super) early_data: bool,
    /// TLS 1.3 is among the versions offered.
    pub(super) offers_13: bool,
}

/// What a server answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ServerHello<'b> {
    /// The version selected: that of the extension, else of the message.
    pub(super) version: u16,
    /// Session id; in TLS 1.3 an echo without meaning.
    pub(super) session_id: &'b [u8],
    /// Cipher suite.
    pub(super) cipher: u16,
    /// Application protocol, where it is told in clear.
    pub(super) alpn: Option<&'b [u8]>,
    /// A pre-shared key was accepted.
    pub(super) psk: bool,
    /// It is no `ServerHello` but asks to try again.
    pub(super) retry: bool,
}

/// Reads the body of a `ClientHello`, as far as it goes.
pub(super) fn client(body: &[u8]) -> Option<ClientHello<'_>> {
    let mut octets = Octets::new(body);
    octets.u16()?;
    octets.take(32)?;
    let mut hello = ClientHello { session_id: octets.counted8()?, ..ClientHello::default() };
    octets.counted16()?;
    octets.counted8()?;
    let Some(list) = octets.counted16() else { return Some(hello) };
    each_extension(list, |kind, data| {
        let mut data = Octets::new(data);
        match kind {
            extension::SERVER_NAME => hello.server_name = server_name(data).or(hello.server_name),
            extension::ALPN => hello.alpn = first_protocol(data),
            extension::SESSION_TICKET => hello.ticket = Some(data.rest()),
            extension::PRE_SHARED_KEY => hello.psks = Some(Psks(data.counted16().unwrap_or(&[]))),
            extension::EARLY_DATA => hello.early_data = true,
            extension::SUPPORTED_VERSIONS => {
                let versions = data.counted8().unwrap_or(&[]);
                hello.offers_13 = versions.chunks_exact(2).any(|version| match *version {
                    [high, low] => !is_grease([high, low]) && is_13(u16::from_be_bytes([high, low])),
                    _ => false,
                });
            }
            _ => {}
        }
    });
    Some(hello)
}

/// Reads the body of a `ServerHello`, as far as it goes.
pub(super) fn server(body: &[u8]) -> Option<ServerHello<'_>> {
    let mut octets = Octets::new(body);
    let version = octets.u16()?;
    let retry = octets.take(32)? == RETRY;
    let mut hello = ServerHello { version, retry, ..ServerHello::default() };
    // Drafts of TLS 1.3 before the 22nd had neither session id nor compression here.
    let old_draft = version & 0xFF00 == DRAFT;
    if !old_draft {
        hello.session_id = octets.counted8()?;
    }
    hello.cipher = octets.u16()?;
    if !old_draft {
        octets.u8()?;
    }
    let Some(list) = octets.counted16() else { return Some(hello) };
    each_extension(list, |kind, data| {
        let mut data = Octets::new(data);
        match kind {
            extension::ALPN => hello.alpn = first_protocol(data),
            extension::PRE_SHARED_KEY => hello.psk = true,
            extension::SUPPORTED_VERSIONS => hello.version = data.u16().unwrap_or(hello.version),
            _ => {}
        }
    });
    Some(hello)
}

fn each_extension<'b>(list: &'b [u8], mut read: impl FnMut(u16, &'b [u8])) {
    let mut octets = Octets::new(list);
    while let (Some(kind), Some(data)) = (octets.u16(), octets.counted16()) {
        read(kind, data);
    }
}

/// The first host name of the list.
fn server_name(mut data: Octets<'_>) -> Option<&[u8]> {
    let mut names = Octets::new(data.counted16()?);
    while let (Some(kind), Some(name)) = (names.u8(), names.counted16()) {
        if kind == 0 {
            return Some(name);
        }
    }
    None
}

fn first_protocol(mut data: Octets<'_>) -> Option<&[u8]> {
    let mut names = Octets::new(data.counted16()?);
    while let Some(name) = names.counted8() {
        if !matches!(*name, [high, low] if is_grease([high, low])) {
            return Some(name);
        }
    }
    None
}

/// Whether this is a value that means nothing and is there to keep peers tolerant (RFC 8701).
fn is_grease([high, low]: [u8; 2]) -> bool {
    high == low && high & 0x0F == 0x0A
}

/// The lifetime in seconds and the bytes of a ticket of TLS 1.2 and before (RFC 5077 §3.3).
pub(super) fn ticket(body: &[u8]) -> Option<(u32, &[u8])> {
    let mut octets = Octets::new(body);
    Some((octets.u32()?, octets.counted16()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hellos_cut_anywhere_are_no_trouble() {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
        let name = [0, 0, 0, 8, 0, 6, 0, 0, 3, b'a', b'.', b'b'];
        let versions = [0, 43, 0, 3, 2, 3, 4];
        body.extend(((name.len() + versions.len()) as u16).to_be_bytes());
        body.extend(name);
        body.extend(versions);
        let hello = client(&body).unwrap();
        assert_eq!(hello.server_name, Some(&b"a.b"[..]));
        assert!(hello.offers_13 && hello.ticket.is_none());
        for end in 0..body.len() {
            let _ = (client(&body[..end]), server(&body[..end]), ticket(&body[..end]));
        }
    }
}
