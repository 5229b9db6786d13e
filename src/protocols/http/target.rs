//! What a request is aimed at: host and path, the session ids in it, and how it is shown without its secrets.

use std::borrow::Cow;

use crate::events::{Hash128, Identity, IdentityKind, Strength, Use};

/// Names of parameters whose values are secrets, in lower case.
const SECRETS: &[&str] = &[
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "client_secret",
    "code",
    "credential",
    "id_token",
    "jsessionid",
    "jwt",
    "key",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "phpsessid",
    "pin",
    "pw",
    "pwd",
    "refresh_token",
    "secret",
    "session",
    "session_id",
    "sessionid",
    "sid",
    "sig",
    "signature",
    "ticket",
    "token",
    "upload_id",
    "uploadid",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-signature",
];

/// Host and path of a target in whichever form it came (RFC 9112 §3.2).
pub(super) fn split<'t>(target: &'t [u8], host: Option<&'t [u8]>) -> (&'t [u8], &'t [u8]) {
    let host = host.unwrap_or_default();
    let Some(scheme) =
        memchr::memmem::find(target, b"://").filter(|at| *at <= 8 && !target.starts_with(b"/"))
    else {
        return (host, target);
    };
    let rest = target.get(scheme + 3..).unwrap_or_default();
    let path = memchr::memchr(b'/', rest).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path);
    let authority =
        memchr::memrchr(b'@', authority).and_then(|at| authority.get(at + 1..)).unwrap_or(authority);
    (authority, if path.is_empty() { b"/" } else { path })
}

/// The path without its query.
pub(super) fn path(target: &[u8]) -> &[u8] {
    target.split(|octet| matches!(octet, b'?' | b'#')).next().unwrap_or_default()
}

/// Name and value of each parameter of a query or a form.
pub(super) fn parameters(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    query.split(|octet| matches!(octet, b'&' | b';')).map(|one| {
        let equals = memchr::memchr(b'=', one).unwrap_or(one.len());
        (one.get(..equals).unwrap_or_default(), one.get(equals + 1..).unwrap_or_default())
    })
}

/// The parameters of a target, those of its path (`;jsessionid=…`) included.
pub(super) fn parameters_of(target: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let begin =
        target.iter().position(|octet| matches!(octet, b'?' | b';')).map_or(target.len(), |at| at + 1);
    let rest = target.get(begin..).unwrap_or_default();
    rest.split(|octet| *octet == b'?').flat_map(parameters)
}

/// The target as it may be shown: values of secrets, and a user and password before a host, become `*`.
pub(super) fn shown(target: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(target.len());
    let mut rest = target;
    if let Some(scheme) = memchr::memmem::find(target, b"://").filter(|at| *at <= 8) {
        let authority_end = memchr::memchr(b'/', target.get(scheme + 3..).unwrap_or_default())
            .map_or(target.len(), |at| at + scheme + 3);
        let authority = target.get(scheme + 3..authority_end).unwrap_or_default();
        if let Some(at) = memchr::memrchr(b'@', authority) {
            shown.extend_from_slice(target.get(..scheme + 3).unwrap_or_default());
            shown.push(b'*');
            rest = target.get(scheme + 3 + at..).unwrap_or_default();
        }
    }
    let mut in_query = false;
    for piece in rest.split_inclusive(|octet| matches!(octet, b'?' | b'&' | b';' | b'#')) {
        let (content, end) = match piece.split_last() {
            Some((last, content)) if matches!(last, b'?' | b'&' | b';' | b'#') => (content, Some(*last)),
            _ => (piece, None),
        };
        match memchr::memchr(b'=', content) {
            Some(equals) if in_query && is_secret(content.get(..equals).unwrap_or_default()) => {
                shown.extend_from_slice(content.get(..=equals).unwrap_or_default());
                shown.push(b'*');
            }
            _ => shown.extend_from_slice(content),
        }
        shown.extend(end);
        in_query = true;
    }
    shown
}

/// Whether a parameter of this name holds a secret.
pub(super) fn is_secret(name: &[u8]) -> bool {
    let name = decoded(name).to_ascii_lowercase();
    SECRETS.iter().any(|secret| secret.as_bytes() == name)
}

/// Percent-encoding undone, and `+` for a blank.
pub(super) fn decoded(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.iter().any(|octet| matches!(octet, b'%' | b'+')) {
        return Cow::Borrowed(value);
    }
    let digit = |octet: Option<&u8>| octet.and_then(|octet| (*octet as char).to_digit(16));
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, digit(tail.first()), digit(tail.get(1))) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high << 4 | low) as u8);
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'+', ..) => decoded.push(b' '),
            _ => decoded.push(*first),
        }
    }
    Cow::Owned(decoded)
}

/// The sessions that a target names: the same identities as the cookies of these names, and an Engine.IO session.
pub(super) fn sessions(target: &[u8]) -> impl Iterator<Item = Identity> {
    let is_engine = memchr::memmem::find(target, b"EIO=").is_some();
    parameters_of(target).filter_map(move |(name, value)| {
        if value.is_empty() {
            return None;
        }
        let cookie = |name: &str| super::cookies::session(name.as_bytes(), value, Use::Shows);
        match name.to_ascii_lowercase().as_slice() {
            b"jsessionid" => Some(cookie("JSESSIONID")),
            b"phpsessid" => Some(cookie("PHPSESSID")),
            b"sid" if is_engine => Some(engine_session(value, Use::Shows)),
            b"sid" => Some(cookie("sid")),
            _ => None,
        }
    })
}

/// A session of Engine.IO, on which socket.io runs: its polling and its WebSocket belong together.
pub(in crate::protocols) fn engine_session(id: &[u8], used: Use) -> Identity {
    Identity::new(IdentityKind::SessionId, used, Strength::Key, "engine.io", &[id]).hinted("sid")
}

/// The object at a host, whose versions are told apart by a validator (RFC 9110 §8.8).
pub(super) fn version(host: &[u8], target: &[u8], validator: &[u8], used: Use) -> Identity {
    Identity::new(IdentityKind::Object, used, Strength::Protocol, "http", &[host, target, validator])
        .hinted("etag")
}

/// A fingerprint of what a request works on.
pub(super) fn fingerprint(method: &[u8], host: &[u8], target: &[u8], content: &[u8]) -> Hash128 {
    Hash128::of(&[b"http", method, &host.to_ascii_lowercase(), target, content])
}

/// The octets of a path that are letters, in lower case, where a path of another language or case hides its meaning.
fn letters(path: &[u8]) -> Vec<u8> {
    path.iter().filter(|octet| !matches!(octet, b'-' | b'_')).map(u8::to_ascii_lowercase).collect()
}

fn has_any(path: &[u8], words: &[&str]) -> bool {
    let letters = letters(self::path(path));
    words.iter().any(|word| memchr::memmem::find(&letters, word.as_bytes()).is_some())
}

/// Whether a path is that of a login page.
pub(super) fn is_login(path: &[u8]) -> bool {
    has_any(path, &["login", "logon", "signin", "authenticate"])
}

/// Whether a path is that of a logout.
pub(super) fn is_logout(path: &[u8]) -> bool {
    has_any(path, &["logout", "logoff", "signout", "signoff"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_in_all_forms() {
        assert_eq!(split(b"/a?b", Some(b"h:80")), (&b"h:80"[..], &b"/a?b"[..]));
        assert_eq!(split(b"http://u:p@h/a", Some(b"x")), (&b"h"[..], &b"/a"[..]));
        assert_eq!(split(b"http://h", None), (&b"h"[..], &b"/"[..]));
        assert_eq!(split(b"/go?to=http://x/", Some(b"h")), (&b"h"[..], &b"/go?to=http://x/"[..]));
        assert_eq!(split(b"h:443", None), (&b""[..], &b"h:443"[..]));
    }

    #[test]
    fn secrets_are_not_shown() {
        for (target, wanted) in [
            ("/a?x=1&token=abc&y=2", "/a?x=1&token=*&y=2"),
            ("/a;jsessionid=ABC?q=1", "/a;jsessionid=*?q=1"),
            ("/a?Access_Token=abc#f", "/a?Access_Token=*#f"),
            ("/a?pass%77ord=abc", "/a?pass%77ord=*"),
            ("http://anna:pw@h/a?key=1", "http://*@h/a?key=*"),
            ("/key=1/a", "/key=1/a"),
        ] {
            assert_eq!(String::from_utf8_lossy(&shown(target.as_bytes())), wanted);
        }
        assert_eq!(decoded(b"a%40b+c%zz").as_ref(), b"a@b c%zz");
    }

    #[test]
    fn session_ids_in_targets_are_those_of_cookies() {
        let ids: Vec<_> = sessions(b"/a;jsessionid=AB?sid=CD&x=1").collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(ids[0].hash, super::super::cookies::session(b"JSESSIONID", b"AB", Use::Issues).hash);
        let engine: Vec<_> = sessions(b"/socket.io/?EIO=4&sid=CD").collect();
        assert_eq!(engine[0].hash, engine_session(b"CD", Use::Issues).hash);
    }
}
