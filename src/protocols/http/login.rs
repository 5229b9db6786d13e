//! Who somebody says to be: credentials in fields (RFC 7617, 7616, 6750), login forms, and what asks for them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::head::Head;
use super::target;
use crate::events::{Hash128, Identity, IdentityKind, Principal, Strength, Use};

/// Names of form fields that hold a password, in lower case.
const PASSWORDS: &[&str] = &[
    "password",
    "passwd",
    "pass",
    "pwd",
    "pw",
    "passphrase",
    "pin",
    "j_password",
    "user_password",
    "login_password",
    "user[password]",
    "loginpassword",
    "userpassword",
    "userpass",
];

/// Names of form fields that hold a user, in lower case; the first that is there is taken.
const USERS: &[&str] = &[
    "username",
    "user",
    "login",
    "email",
    "user_name",
    "j_username",
    "userid",
    "user_id",
    "uid",
    "log",
    "account",
    "name",
    "user[login]",
    "user[email]",
    "loginname",
    "userlogin",
];

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// A proof of identity that a request carries.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    /// How it proves.
    pub(super) mechanism: &'static str,
    /// Who, where that can be read.
    pub(super) principal: Option<Principal>,
    /// What to know it by. A password never becomes one.
    pub(super) identity: Option<Identity>,
    /// Tells it from another proof on this connection; never leaves it.
    pub(super) fingerprint: Hash128,
    /// When it expires, in seconds since 1970.
    pub(super) expires: Option<i64>,
    /// It opens or goes on with a negotiation of several rounds.
    pub(super) is_round: bool,
}

/// Reads an `Authorization` or `Proxy-Authorization` field. `server` tells users of one server from those of another.
pub(super) fn credentials(field: &[u8], server: &[u8]) -> Option<Proof> {
    let (scheme, rest) = crate::protocols::lines::word(field.trim_ascii());
    let mechanism = mechanism(scheme)?;
    let mut proof = Proof {
        mechanism,
        principal: None,
        identity: None,
        fingerprint: Hash128::of(&[field]),
        expires: None,
        is_round: false,
    };
    let user = match mechanism {
        "basic" => {
            let decoded = STANDARD.decode(rest).ok()?;
            decoded.split(|octet| *octet == b':').next().map(<[u8]>::to_vec)
        }
        "digest" => {
            let user = parameter(rest, b"username").map(<[u8]>::to_vec);
            // Each request has its own answer to the challenge; the user is what stays.
            proof.fingerprint = Hash128::of(&[b"digest", user.as_deref().unwrap_or_default()]);
            user
        }
        "ntlm" | "negotiate" => {
            let token = STANDARD.decode(rest).unwrap_or_default();
            let is_ntlm = token.starts_with(b"NTLMSSP\0");
            if is_ntlm {
                proof.mechanism = "ntlm";
            }
            proof.is_round = is_ntlm && token.get(8) == Some(&1);
            is_ntlm.then(|| ntlm_user(&token)).flatten()
        }
        "bearer" => {
            proof.identity =
                Some(Identity::new(IdentityKind::Token, Use::Shows, Strength::Key, "http", &[rest]));
            let claims = rest.split(|octet| *octet == b'.').nth(1).and_then(|part| URL.decode(part).ok());
            let claims = claims.unwrap_or_default();
            proof.expires = json(&claims, "exp").and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
            json(&claims, "sub").map(<[u8]>::to_vec)
        }
        _ => None,
    };
    if let Some(user) = user.filter(|user| !user.is_empty()) {
        if proof.identity.is_none() {
            proof.identity = Some(user_identity(&user, server));
        }
        proof.principal = Some(Principal::new(&user));
    }
    Some(proof)
}

/// A user at a server.
pub(super) fn user_identity(user: &[u8], server: &[u8]) -> Identity {
    Identity::new(IdentityKind::User, Use::Shows, Strength::Protocol, "http", &[server, user])
}

fn mechanism(scheme: &[u8]) -> Option<&'static str> {
    Some(match scheme.to_ascii_lowercase().as_slice() {
        b"" => return None,
        b"basic" => "basic",
        b"digest" => "digest",
        b"bearer" | b"token" => "bearer",
        b"ntlm" => "ntlm",
        b"negotiate" => "negotiate",
        b"aws4-hmac-sha256" | b"hmac" | b"signature" => "signature",
        _ => "other",
    })
}

/// The strongest scheme that a `WWW-Authenticate` or `Proxy-Authenticate` asks for, and whether it goes on with a
/// negotiation: a challenge of its own follows the scheme, or an old nonce is to be replaced.
pub(super) fn challenge(head: &Head<'_>, field: &str) -> Option<(&'static str, bool)> {
    let rank =
        |mechanism: &str| ["basic", "digest", "ntlm", "negotiate"].iter().position(|one| *one == mechanism);
    head.all(field)
        .filter_map(|value| {
            let (scheme, rest) = crate::protocols::lines::word(value);
            let mechanism = mechanism(scheme.strip_suffix(b",").unwrap_or(scheme))?;
            let continues = match mechanism {
                "ntlm" | "negotiate" => rest.len() > 8 && !rest.contains(&b','),
                "digest" => {
                    parameter(rest, b"stale").is_some_and(|stale| stale.eq_ignore_ascii_case(b"true"))
                }
                _ => false,
            };
            Some((mechanism, continues))
        })
        .max_by_key(|(mechanism, continues)| (*continues, rank(mechanism)))
}

/// A parameter of a challenge or of credentials.
fn parameter<'v>(value: &'v [u8], name: &[u8]) -> Option<&'v [u8]> {
    value.split(|octet| *octet == b',').find_map(|one| {
        let one = one.trim_ascii();
        let (key, value) = one.split_at_checked(memchr::memchr(b'=', one)?)?;
        let value = value.get(1..)?.trim_ascii();
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        key.trim_ascii().eq_ignore_ascii_case(name).then(|| value.strip_suffix(b"\"").unwrap_or(value))
    })
}

/// The user in an NTLM authenticate message (MS-NLMP 2.2.1.3): its length and offset stand at 36.
fn ntlm_user(token: &[u8]) -> Option<Vec<u8>> {
    if token.get(8) != Some(&3) {
        return None;
    }
    let length = u16::from_le_bytes(token.get(36..38)?.try_into().ok()?);
    let offset = u32::from_le_bytes(token.get(40..44)?.try_into().ok()?) as usize;
    let user = token.get(offset..offset.checked_add(usize::from(length))?)?;
    // UTF-16 as a rule; the high octets of a plain name are zero.
    Some(user.iter().copied().filter(|octet| *octet != 0).collect())
}

/// The value of a member of a JSON object, a text or a number, found without reading the whole.
fn json<'j>(object: &'j [u8], name: &str) -> Option<&'j [u8]> {
    let key = format!("\"{name}\"");
    let at = memchr::memmem::find(object, key.as_bytes())? + key.len();
    let value = object.get(at..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    match value.strip_prefix(b"\"") {
        Some(text) => text.get(..memchr::memchr(b'"', text)?),
        None => value.get(..value.iter().position(|octet| !octet.is_ascii_digit())?),
    }
}

/// The user of a login form, where the content of a request is one: it has one password and is no change of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    /// The user, if a field has it.
    pub(super) user: Option<Principal>,
}

impl Form {
    /// Reads the content of a `POST`.
    pub(super) fn read(head: &Head<'_>, content: &[u8]) -> Option<Self> {
        if head.is_coded() {
            return None;
        }
        if head.is_of_type("application/x-www-form-urlencoded") {
            let fields: Vec<_> = target::parameters(content)
                .map(|(name, value)| (target::decoded(name).to_ascii_lowercase(), value))
                .filter(|(_, value)| !value.is_empty())
                .collect();
            let is_one = |name: &[u8], of: &[&str]| of.iter().any(|one| one.as_bytes() == name);
            let passwords = fields.iter().filter(|(name, _)| {
                is_one(name, PASSWORDS) || memchr::memmem::find(name, b"password").is_some()
            });
            if passwords.count() != 1 {
                return None;
            }
            let user = USERS.iter().find_map(|user| {
                fields.iter().find(|(name, _)| name == user.as_bytes()).map(|(_, value)| *value)
            });
            return Some(Self { user: user.map(|user| Principal::new(&target::decoded(user))) });
        }
        if head.is_of_type("application/json") {
            PASSWORDS.iter().find_map(|name| json(content, name))?;
            let user = USERS.iter().find_map(|name| json(content, name));
            return Some(Self { user: user.map(Principal::new) });
        }
        None
    }
}

/// Whether a page asks for a password.
pub(super) fn asks_for_password(page: &[u8]) -> bool {
    let page = page.to_ascii_lowercase();
    [&b"type=\"password\""[..], b"type='password'", b"type=password"]
        .iter()
        .any(|mark| memchr::memmem::find(&page, mark).is_some())
}

#[cfg(test)]
mod tests {
    use super::super::head::HeadRead;
    use super::*;
    use crate::events::Side;

    /// The user of a form, `-` where it has none.
    fn form(head: &str, content: &[u8]) -> Option<String> {
        let text = format!("POST /login HTTP/1.1\r\nContent-Type: {head}\r\n\r\n");
        let HeadRead::Whole(head) = Head::read(Side::Client, text.as_bytes()) else { panic!() };
        Form::read(&head, content).map(|form| form.user.map_or("-".into(), |user| user.name.into()))
    }

    #[test]
    fn credentials_of_all_schemes() {
        let read = |field: &str| {
            let proof = credentials(field.as_bytes(), b"s").unwrap();
            (proof.mechanism, proof.principal.map(|one| one.name.to_string()), proof.expires)
        };
        assert_eq!(read("Basic YW5uYTpzZWNyZXQ="), ("basic", Some("anna".into()), None));
        assert_eq!(read("Digest username=\"anna\", realm=\"x, y\""), ("digest", Some("anna".into()), None));
        // {"sub":"anna","exp":1700000000}
        let jwt = "Bearer e30.eyJzdWIiOiJhbm5hIiwiZXhwIjoxNzAwMDAwMDAwfQ.sig";
        assert_eq!(read(jwt), ("bearer", Some("anna".into()), Some(1_700_000_000)));
        assert_eq!(read("Bearer opaque"), ("bearer", None, None));
        assert!(credentials(b"NTLM TlRMTVNTUAABAAAA", b"s").unwrap().is_round);
        assert!(credentials(b"", b"s").is_none());
        assert!(credentials(b"Basic !!!", b"s").is_none());
    }

    #[test]
    fn a_password_is_in_no_identity() {
        let one = credentials(b"Basic YW5uYTpzZWNyZXQ=", b"s").unwrap().identity.unwrap();
        let other = credentials(b"Basic YW5uYTpvdGhlcg==", b"s").unwrap().identity.unwrap();
        assert_eq!(one, other);
    }

    #[test]
    fn forms() {
        let url = "application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(form(url, b"user=anna%40x&pw=s&next=/"), Some("anna@x".into()));
        assert_eq!(form(url, b"log=anna&pwd=s"), Some("anna".into()));
        assert_eq!(form(url, b"password=s"), Some("-".into()));
        assert_eq!(form(url, b"old_password=a&new_password=b"), None);
        assert_eq!(form(url, b"user=anna&q=1"), None);
        assert_eq!(
            form("application/json", b"{\"email\": \"a@b\", \"password\" : \"s\"}"),
            Some("a@b".into())
        );
        assert_eq!(form("text/plain", b"user=a&pw=b"), None);
    }
}
