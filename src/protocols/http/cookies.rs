//! Cookies that name a session (RFC 6265), told from those that do not.

use super::dates;
use crate::events::{Identity, IdentityKind, Strength, Use};
use crate::time::Span;

/// Names of cookies that hold a session, as the common frameworks call theirs (`domain.md` E.1).
const SESSIONS: &[&str] = &[
    "phpsessid",
    "jsessionid",
    "asp.net_sessionid",
    "connect.sid",
    "sessionid",
    "session_id",
    "_session",
    "laravel_session",
    "sid",
    "session",
    ".aspxauth",
    ".aspnetcore.cookies",
    "cfid",
    "cftoken",
];

/// Parts of names that speak of a session, where the value is long enough to be one.
const HINTS: &[&str] = &["sess", "auth", "login", "logged_in", "remember", "jwt", "sid"];

/// Beginnings of the names of cookies by which a load balancer finds its backend.
const AFFINITY: &[&str] = &["awsalb", "serverid", "bigipserver", "arraffinity", "routeid", "ingresscookie"];

/// Names learned on one connection.
const LEARNED: usize = 16;

/// Bits of a value below which it may be guessed, or repeat by chance.
const BITS: u32 = 64;

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It names a session.
    Session,
    /// It names a backend.
    Affinity,
    /// Anything else.
    Other,
}

/// The names of session cookies that this connection's answers taught.
#[derive(Debug, Clone, Default)]
pub(super) struct Jar {
    learned: Vec<Box<[u8]>>,
}

impl Jar {
    /// What a cookie of this name and value is for.
    pub(super) fn purpose(&self, name: &[u8], value: &[u8]) -> Purpose {
        if self.learned.iter().any(|learned| learned.as_ref() == name) {
            return Purpose::Session;
        }
        let name = name.to_ascii_lowercase();
        let name = name.strip_prefix(b"__host-").or(name.strip_prefix(b"__secure-")).unwrap_or(&name);
        let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word.as_bytes()));
        let has =
            |words: &[&str]| words.iter().any(|word| memchr::memmem::find(name, word.as_bytes()).is_some());
        if begins(AFFINITY) {
            Purpose::Affinity
        } else if has(&["csrf", "xsrf"]) {
            Purpose::Other
        } else if SESSIONS.iter().any(|known| known.as_bytes() == name)
            || name.ends_with(b"_session")
            || begins(&["aspsessionid"])
            || (has(HINTS) && bits(value) >= BITS)
        {
            Purpose::Session
        } else {
            Purpose::Other
        }
    }

    /// Learns from a cookie that scripts may not read and nobody can guess.
    pub(super) fn learn(&mut self, cookie: &SetCookie<'_>) {
        let known = self.learned.iter().any(|name| name.as_ref() == cookie.name);
        if cookie.http_only
            && bits(cookie.value) >= BITS
            && !known
            && self.learned.len() < LEARNED
            && self.purpose(cookie.name, cookie.value) == Purpose::Other
            && memchr::memmem::find(&cookie.name.to_ascii_lowercase(), b"srf").is_none()
        {
            self.learned.push(cookie.name.into());
        }
    }

    /// The identities in a `Cookie` field, with the names of their cookies.
    pub(super) fn shown<'c>(&'c self, field: &'c [u8]) -> impl Iterator<Item = (&'c [u8], Identity)> {
        field.split(|octet| *octet == b';').filter_map(|pair| {
            let (name, value) = pair_of(pair)?;
            self.identity(name, value, Use::Shows).map(|identity| (name, identity))
        })
    }

    /// The identity in a cookie, if it holds one.
    pub(super) fn identity(&self, name: &[u8], value: &[u8], used: Use) -> Option<Identity> {
        match self.purpose(name, value) {
            _ if value.is_empty() => None,
            Purpose::Session => Some(session(name, value, used)),
            Purpose::Affinity => {
                let hint = String::from_utf8_lossy(name);
                let parts = [name, value];
                Some(
                    Identity::new(IdentityKind::Affinity, used, Strength::Heuristic, "http", &parts)
                        .hinted(&hint),
                )
            }
            Purpose::Other => None,
        }
    }
}

/// The identity of a session cookie. A value that may be guessed may also repeat, and proves less.
pub(super) fn session(name: &[u8], value: &[u8], used: Use) -> Identity {
    let strength = if bits(value) >= BITS { Strength::Key } else { Strength::Protocol };
    Identity::new(IdentityKind::Cookie, used, strength, "http", &[name, value])
        .hinted(&String::from_utf8_lossy(name))
}

/// About how many bits of chance a value can hold: its length times those of the alphabet that it seems to use.
fn bits(value: &[u8]) -> u32 {
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let mut distinct = [false; 256];
    for octet in value {
        if let Some(seen) = distinct.get_mut(usize::from(*octet)) {
            *seen = true;
        }
    }
    let distinct = distinct.iter().filter(|seen| **seen).count() as u32;
    let alphabet: u32 = [
        (has(u8::is_ascii_digit), 10),
        (has(|octet| (b'a'..=b'f').contains(octet)), 6),
        (has(|octet| (b'g'..=b'z').contains(octet)), 20),
        (has(u8::is_ascii_uppercase), 26),
    ]
    .iter()
    .filter(|(used, _)| *used)
    .map(|(_, letters)| letters)
    .sum();
    // Few distinct octets mean a word or a repetition, whatever alphabet they are of.
    let alphabet = alphabet.min(distinct * 2).max(1);
    value.len() as u32 * alphabet.ilog2()
}

/// A cookie that an answer sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SetCookie<'c> {
    /// Its name.
    pub(super) name: &'c [u8],
    /// Its value.
    pub(super) value: &'c [u8],
    /// Whether it is deleted by this: it has expired at once.
    pub(super) deletes: bool,
    /// How long it is good for, where that is said.
    pub(super) lifetime: Option<Span>,
    http_only: bool,
}

impl<'c> SetCookie<'c> {
    /// Reads a `Set-Cookie` field; `present` is the speaker's time in seconds since 1970.
    pub(super) fn read(field: &'c [u8], present: i64) -> Option<Self> {
        let mut parts = field.split(|octet| *octet == b';');
        let (name, value) = pair_of(parts.next()?)?;
        let (mut max_age, mut expires, mut http_only) = (None, None, false);
        for part in parts {
            let (attribute, value) = pair_of(part).unwrap_or((part.trim_ascii(), b""));
            match attribute.to_ascii_lowercase().as_slice() {
                b"max-age" => max_age = str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok()),
                b"expires" => {
                    // Some write a date that no calendar has, or "0", to say that it is over.
                    expires = Some(dates::seconds(value).map_or(-1, |date| date - present));
                }
                b"httponly" => http_only = true,
                _ => {}
            }
        }
        // Max-Age wins over Expires (RFC 6265 §5.3).
        let left = max_age.or(expires);
        let deletes = left.is_some_and(|left| left <= 0);
        Some(Self {
            name,
            value,
            deletes,
            lifetime: left.filter(|left| *left > 0).and_then(dates::span),
            http_only,
        })
    }
}

fn pair_of(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = memchr::memchr(b'=', pair)?;
    let (name, value) = pair.split_at_checked(equals)?;
    let value = value.get(1..)?.trim_ascii();
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    let name = name.trim_ascii();
    (!name.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_cookies_are_told_from_others() {
        let jar = Jar::default();
        for (name, value, wanted) in [
            ("PHPSESSID", "abc", Purpose::Session),
            ("__Host-sid", "abc", Purpose::Session),
            ("_shop_session", "abc", Purpose::Session),
            ("AWSALBCORS", "x", Purpose::Affinity),
            ("SERVERID", "s1", Purpose::Affinity),
            ("auth", "yes", Purpose::Other),
            ("auth", "9f8a7b6c5d4e3f2a1b0c9d8e", Purpose::Session),
            ("csrf_session", "9f8a7b6c5d4e3f2a1b0c9d8e", Purpose::Other),
            ("_ga", "GA1.2.1234567890.1234567890", Purpose::Other),
            ("theme", "dark", Purpose::Other),
        ] {
            assert_eq!(jar.purpose(name.as_bytes(), value.as_bytes()), wanted, "{name}");
        }
    }

    #[test]
    fn a_name_is_learned_where_the_value_cannot_be_guessed() {
        let mut jar = Jar::default();
        let value = "9f8a7b6c5d4e3f2a1b0c9d8e7f";
        jar.learn(&SetCookie::read(format!("zz={value}; HttpOnly").as_bytes(), 0).unwrap());
        jar.learn(&SetCookie::read(format!("open={value}").as_bytes(), 0).unwrap());
        let shown: Vec<_> = jar.shown(b"a=1; zz=9f8a; open=2").map(|(name, _)| name).collect();
        assert_eq!(shown, [b"zz"]);
    }

    #[test]
    fn lifetimes_and_deletions() {
        let read = |field: &'static str| {
            let cookie = SetCookie::read(field.as_bytes(), 784_111_777).unwrap();
            (cookie.deletes, cookie.lifetime)
        };
        assert_eq!(
            read("a=b; Max-Age=60; Expires=Sun, 06 Nov 1994 08:49:30 GMT"),
            (false, Some(Span::from_secs(60)))
        );
        assert_eq!(read("a=b; Expires=Sun, 06 Nov 1994 08:49:40 GMT"), (false, Some(Span::from_secs(3))));
        assert_eq!(read("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"), (true, None));
        assert_eq!(read("a=b; max-age=0"), (true, None));
        assert_eq!(read("a=b; Path=/"), (false, None));
    }

    #[test]
    fn a_cookie_set_is_the_cookie_shown() {
        let jar = Jar::default();
        let set = SetCookie::read(b"sid=\"abc\"; Path=/", 0).unwrap();
        let issued = jar.identity(set.name, set.value, Use::Issues).unwrap();
        let (_, shown) = jar.shown(b"x=1; sid=abc").next().unwrap();
        assert_eq!(issued.hash, shown.hash);
    }
}
