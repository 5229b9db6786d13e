//! Logins by SASL (RFC 4954): which mechanism, and whose name a response shows. Passwords are never looked at.

use crate::protocols::lines;

/// The mechanisms that are named in reports, and by what each shows the user.
const MECHANISMS: &[(&str, &str)] = &[
    ("PLAIN", "plain"),
    ("LOGIN", "login"),
    ("CRAM-MD5", "cram-md5"),
    ("DIGEST-MD5", "digest"),
    ("NTLM", "ntlm"),
    ("GSSAPI", "negotiate"),
    ("GSS-SPNEGO", "negotiate"),
    ("XOAUTH2", "bearer"),
    ("OAUTHBEARER", "bearer"),
    ("EXTERNAL", "certificate"),
];

/// The mechanism of an AUTH command, in words of the vocabulary.
pub(super) fn mechanism(name: &[u8]) -> &'static str {
    let known = MECHANISMS.iter().find(|(wire, _)| name.eq_ignore_ascii_case(wire.as_bytes()));
    match known {
        Some((_, word)) => word,
        None if name.len() >= 5 && lines::holds(name, "scram") => "scram",
        None => "other",
    }
}

/// The name of the user in a response of the client, where this response is the one that has it. `number` counts the
/// responses from 0 on.
pub(super) fn user(mechanism: &str, number: u32, response: &[u8]) -> Option<Box<[u8]>> {
    let text = lines::base64(response)?;
    let name = match (mechanism, number) {
        // [authzid] NUL authcid NUL passwd (RFC 4616)
        ("plain", 0) => text.split(|octet| *octet == 0).nth(1)?,
        ("login", 0) => &text,
        // user SP digest (RFC 2195)
        ("cram-md5", 0) => {
            let end = text.iter().rposition(|octet| *octet == b' ')?;
            text.get(..end)?
        }
        // n,,n=user,r=nonce (RFC 5802 §7)
        ("scram", 0) => text.split(|octet| *octet == b',').find_map(|part| part.strip_prefix(b"n="))?,
        // user=someone SOH auth=Bearer token, and n,a=someone, SOH … (RFC 7628 §3.1)
        ("bearer", 0) => {
            let first = text.split(|octet| *octet == 1).next()?;
            let named = first.strip_prefix(b"user=");
            named.or_else(|| first.split(|octet| *octet == b',').find_map(|part| part.strip_prefix(b"a=")))?
        }
        _ => return None,
    };
    let name = name.get(..crate::limits::EVENT_TEXT_BYTES).unwrap_or(name);
    (!name.is_empty()).then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    #[test]
    fn users_are_found_where_mechanisms_show_them() {
        let shown = |mechanism, number, text: &[u8]| {
            let response = base64::engine::general_purpose::STANDARD.encode(text);
            user(mechanism, number, response.as_bytes())
                .map(|name| String::from_utf8_lossy(&name).into_owned())
        };
        assert_eq!(shown("plain", 0, b"\0anna\0secret").as_deref(), Some("anna"));
        assert_eq!(shown("plain", 0, b"root\0anna\0secret").as_deref(), Some("anna"));
        assert_eq!(shown("login", 0, b"anna").as_deref(), Some("anna"));
        assert_eq!(shown("login", 1, b"secret"), None);
        assert_eq!(shown("cram-md5", 0, b"anna b 0123abcd").as_deref(), Some("anna b"));
        assert_eq!(shown("scram", 0, b"n,,n=anna,r=fyko").as_deref(), Some("anna"));
        assert_eq!(shown("bearer", 0, b"user=anna\x01auth=Bearer x\x01\x01").as_deref(), Some("anna"));
        assert_eq!(shown("bearer", 0, b"n,a=anna,\x01host=h\x01").as_deref(), Some("anna"));
        assert_eq!(user("plain", 0, b"not base64!"), None);
        assert_eq!(
            (mechanism(b"login"), mechanism(b"SCRAM-SHA-256"), mechanism(b"X")),
            ("login", "scram", "other")
        );
    }
}
