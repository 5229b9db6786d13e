//! Hides passwords, tokens and cookies in lines of text protocols.
//!
//! What is hidden is told by names (`Cookie:`, `PASS`, `password=`) and by place (what a client answers to a SASL
//! challenge). A name that is not known here is not hidden: a transcript is for people who may see the traffic.

use std::fmt::Write as _;

use crate::events::{PerSide, Side};

pub use crate::protocols::labels::MASK;

/// Headers whose value is a secret.
const HEADERS: [&str; 8] = [
    "authorization:",
    "proxy-authorization:",
    "cookie:",
    "set-cookie:",
    "x-api-key:",
    "x-auth-token:",
    "x-csrf-token:",
    "x-amz-security-token:",
];

/// Fields of forms, queries and JSON whose value is a password.
const PASSWORDS: [&str; 9] =
    ["password", "passwd", "passphrase", "passcode", "pwd", "pass", "pw", "client_secret", "secret"];

/// The same for tokens.
const TOKENS: [&str; 8] =
    ["access_token", "refresh_token", "id_token", "api_key", "apikey", "session_id", "sessionid", "token"];

/// Mechanisms that may stand behind AUTH in clear.
const MECHANISMS: [&str; 16] = [
    "plain",
    "login",
    "cram-md5",
    "digest-md5",
    "xoauth2",
    "oauthbearer",
    "ntlm",
    "gssapi",
    "scram-sha-1",
    "scram-sha-256",
    "scram-sha-1-plus",
    "scram-sha-256-plus",
    "external",
    "anonymous",
    "tls",
    "ssl",
];

/// How what is given of a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The line is whole.
    Line,
    /// It goes on, and only a part of it was kept.
    Cut,
    /// It was not ended, and the other side spoke.
    Turn,
}

/// Masks the lines of one connection.
#[derive(Debug, Default)]
pub struct Masker {
    /// Tokens and cookies are shown. Passwords never are.
    show_tokens: bool,
    /// A login by rounds is under way: AUTH was said, and the server has not ended it.
    rounds: bool,
    /// The server has asked for the client's next line.
    challenged: bool,
    /// The arguments of AUTH follow as lines of their own (RESP).
    arguments: bool,
    /// The last piece of a line of this side ended in a secret that the next one goes on with.
    goes_on: PerSide<bool>,
}

impl Masker {
    /// Shows tokens and cookies, or hides them too.
    pub fn new(show_tokens: bool) -> Self {
        Self { show_tokens, ..Self::default() }
    }

    /// The next line of a side, without its end, with secrets masked.
    pub fn line(&mut self, side: Side, line: &str, end: End) -> String {
        if self.goes_on[side] {
            self.goes_on[side] = end != End::Line;
            // The mask stands already.
            return String::new();
        }
        let named = self.named(line);
        let masked = match side {
            Side::Client => self.client(line),
            Side::Server => self.server(line),
        };
        // The value of a field ends with the turn; that of a header or command only with the line.
        self.goes_on[side] = masked.ends_with(MASK)
            && match end {
                End::Line => false,
                End::Cut => true,
                End::Turn => masked != named || is_header(line),
            };
        masked
    }

    /// Whether a piece of a line may be the beginning of a name by which a secret is known, so that it must not be
    /// shown before its rest is there.
    pub fn may_go_on(piece: &str) -> bool {
        let lower = piece.to_ascii_lowercase();
        let begins = |name: &&str| !lower.is_empty() && name.starts_with(lower.as_str());
        let ends = |name: &&str| lower.trim_end_matches([' ', '"', '=', ':']).ends_with(*name);
        HEADERS.iter().any(&begins)
            || ["pass ", "auth ", "acct ", "apop "].iter().any(begins)
            || PASSWORDS.iter().chain(&TOKENS).any(ends)
    }

    fn server(&mut self, line: &str) -> String {
        let asks = line.starts_with("334") || line.starts_with("+ ") || line == "+";
        self.challenged = self.rounds && asks;
        // An untagged or interim line does not end it.
        self.rounds &= asks || line.starts_with("* ");
        self.named(line)
    }

    fn client(&mut self, line: &str) -> String {
        if self.challenged {
            self.challenged = false;
            return MASK.to_owned();
        }
        if self.arguments {
            if line.starts_with('*') {
                self.arguments = false;
            } else if !line.starts_with('$') {
                return MASK.to_owned();
            }
        }
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        let first = words.next().unwrap_or_default();
        let is = |word: &str, name: &str| word.eq_ignore_ascii_case(name);
        if is(first, "auth") && line.trim() == first {
            self.arguments = true;
            return line.to_owned();
        }
        if is(first, "pass") || is(first, "acct") {
            return after(line, 1);
        }
        if is(first, "auth") {
            return self.auth(line, 1);
        }
        if is(first, "apop") {
            return after(line, 2);
        }
        // In IMAP a tag stands before the command.
        let second = words.next().unwrap_or_default();
        if is(second, "login") && words.next().is_some() {
            return after(line, 3);
        }
        if is(second, "authenticate") {
            return self.auth(line, 2);
        }
        self.named(line)
    }

    /// AUTH with a mechanism and perhaps the first answer; or with a password alone.
    fn auth(&mut self, line: &str, before: usize) -> String {
        let mechanism = line.split(' ').filter(|word| !word.is_empty()).nth(before).unwrap_or_default();
        if MECHANISMS.iter().any(|known| known.eq_ignore_ascii_case(mechanism)) {
            self.rounds = true;
            return after(line, before + 1);
        }
        after(line, before)
    }

    /// Secrets that have names.
    fn named(&self, line: &str) -> String {
        let lower = line.to_ascii_lowercase();
        if let Some(header) = HEADERS.iter().find(|header| lower.starts_with(**header)) {
            let (name, value) = line.split_at(header.len());
            let value = value.trim_start();
            let scheme =
                value.split(' ').next().filter(|_| header.ends_with("authorization:")).unwrap_or_default();
            let password = scheme.eq_ignore_ascii_case("basic");
            if self.show_tokens && !password {
                return line.to_owned();
            }
            let scheme = if scheme.len() == value.len() { "" } else { scheme };
            let space = if scheme.is_empty() { "" } else { " " };
            return format!("{name} {scheme}{space}{MASK}");
        }
        let mut masked = line.to_owned();
        for name in PASSWORDS {
            masked = fields(&masked, name);
        }
        if !self.show_tokens {
            for name in TOKENS {
                masked = fields(&masked, name);
            }
        }
        in_urls(&masked)
    }
}

fn is_header(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    HEADERS.iter().any(|header| lower.starts_with(*header))
}

/// The first `words` words, and the mask for the rest if there is any.
fn after(line: &str, words: usize) -> String {
    let mut end = 0;
    for _ in 0..words {
        let rest = line.get(end..).unwrap_or_default();
        let spaces = rest.len() - rest.trim_start_matches(' ').len();
        let word = rest.trim_start_matches(' ').find(' ').unwrap_or(rest.len() - spaces);
        end += spaces + word;
    }
    let (kept, rest) = line.split_at_checked(end).unwrap_or((line, ""));
    if rest.trim().is_empty() { line.to_owned() } else { format!("{kept} {MASK}") }
}

/// `name=value`, `"name": "value"`: the value masked, wherever the name stands.
fn fields(line: &str, name: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let mut out = String::with_capacity(line.len());
    let mut done = 0;
    for (at, _) in lower.match_indices(name) {
        let begins = lower.get(..at).is_none_or(|before| !before.ends_with(|c: char| c.is_alphanumeric()));
        if at < done || !begins {
            continue;
        }
        let rest = line.get(at + name.len()..).unwrap_or_default();
        let Some((lead, quoted)) = separator(rest) else { continue };
        let from = at + name.len() + lead;
        let value = line.get(from..).unwrap_or_default();
        let length = if quoted {
            value.find('"').unwrap_or(value.len())
        } else {
            value.find(['&', ';', ',', ' ', '"', '}', '\'']).unwrap_or(value.len())
        };
        if length == 0 {
            continue;
        }
        out.push_str(line.get(done..from).unwrap_or_default());
        out.push_str(MASK);
        done = from + length;
    }
    out.push_str(line.get(done..).unwrap_or_default());
    out
}

/// How long what separates a name from its value is, and whether the value is in quotes.
fn separator(rest: &str) -> Option<(usize, bool)> {
    let mut lead = 0;
    let skip = |lead: &mut usize, of: &[char]| {
        let left = rest.get(*lead..).unwrap_or_default();
        let found = left.len() - left.trim_start_matches(of).len();
        *lead += found;
        found > 0
    };
    skip(&mut lead, &['"', '\'']);
    skip(&mut lead, &[' ']);
    if !skip(&mut lead, &['=', ':']) {
        return None;
    }
    skip(&mut lead, &[' ']);
    let quoted = skip(&mut lead, &['"']);
    Some((lead, quoted))
}

/// `://user:password@`: the password masked.
fn in_urls(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let authority = after.find(['/', '?', '#', ' ', '"']).unwrap_or(after.len());
        let (authority, behind) = after.split_at_checked(authority).unwrap_or((after, ""));
        match authority.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => {
                let user = user.split(':').next().unwrap_or_default();
                let _ = write!(out, "{user}:{MASK}@{host}");
            }
            _ => out.push_str(authority),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use Side::{Client, Server};

    fn masked(lines: &[(Side, &str)]) -> Vec<String> {
        let mut masker = Masker::new(false);
        lines.iter().map(|(side, line)| masker.line(*side, line, End::Line)).collect()
    }

    #[test]
    fn named_secrets_are_hidden_and_their_neighbours_stay() {
        for (line, shown) in [
            ("PASS geheim", "PASS <masked>"),
            ("pass with spaces in it", "pass <masked>"),
            ("USER ada", "USER ada"),
            ("AUTH TLS", "AUTH TLS"),
            ("AUTH PLAIN AGFkYQBwdw==", "AUTH PLAIN <masked>"),
            ("AUTH geheim", "AUTH <masked>"),
            ("a1 LOGIN ada geheim", "a1 LOGIN ada <masked>"),
            ("Authorization: Basic YTpi", "Authorization: Basic <masked>"),
            ("authorization: Bearer abc.def", "authorization: Bearer <masked>"),
            ("Cookie: sid=1; theme=dark", "Cookie: <masked>"),
            ("user=ada&password=geheim&go=1", "user=ada&password=<masked>&go=1"),
            (
                r#"{"user":"ada","password": "ge heim","n":1}"#,
                r#"{"user":"ada","password": "<masked>","n":1}"#,
            ),
            ("GET /x?access_token=abc HTTP/1.1", "GET /x?access_token=<masked> HTTP/1.1"),
            ("GET http://a:b@host/x HTTP/1.1", "GET http://a:<masked>@host/x HTTP/1.1"),
            ("the compass=north", "the compass=north"),
            ("Host: pass.example", "Host: pass.example"),
        ] {
            assert_eq!(masked(&[(Client, line)]), [shown], "{line}");
        }
    }

    #[test]
    fn answers_to_challenges_are_hidden_until_the_login_is_over() {
        let lines = [
            (Client, "AUTH LOGIN"),
            (Server, "334 VXNlcm5hbWU6"),
            (Client, "YWRh"),
            (Server, "334 UGFzc3dvcmQ6"),
            (Client, "Z2VoZWlt"),
            (Server, "235 2.7.0 ok"),
            (Client, "MAIL FROM:<a@b>"),
        ];
        let shown = masked(&lines);
        assert_eq!((shown[2].as_str(), shown[4].as_str()), (MASK, MASK));
        assert_eq!(shown[6], "MAIL FROM:<a@b>");
    }

    #[test]
    fn arguments_on_lines_of_their_own_are_hidden() {
        let shown =
            masked(&["*2", "$4", "AUTH", "$6", "geheim", "*1", "$4", "PING"].map(|line| (Client, line)));
        assert_eq!(shown, ["*2", "$4", "AUTH", "$6", MASK, "*1", "$4", "PING"]);
    }

    #[test]
    fn a_secret_that_is_cut_stays_hidden() {
        let mut masker = Masker::new(false);
        assert_eq!(masker.line(Client, "Cookie: sid=ab", End::Turn), "Cookie: <masked>");
        assert_eq!(masker.line(Client, "cdef", End::Line), "");
        assert_eq!(masker.line(Client, "Host: x", End::Line), "Host: x");
        assert_eq!(masker.line(Client, "PASS ge", End::Cut), "PASS <masked>");
        assert_eq!(masker.line(Client, "heim", End::Line), "");
        // The body of a form has no end of line, and the next request is none of it.
        assert_eq!(masker.line(Client, "user=eve&pw=right", End::Turn), "user=eve&pw=<masked>");
        assert_eq!(masker.line(Client, "GET / HTTP/1.1", End::Line), "GET / HTTP/1.1");
        for piece in ["Cook", "pas", "a=1&password=", "{\"token\": \""] {
            assert!(Masker::may_go_on(piece), "{piece}");
        }
        assert!(!Masker::may_go_on("user=eve") && !Masker::may_go_on("Username: "));
    }

    #[test]
    fn passwords_stay_hidden_where_tokens_are_shown() {
        let mut masker = Masker::new(true);
        assert_eq!(masker.line(Client, "Cookie: sid=1", End::Line), "Cookie: sid=1");
        assert_eq!(
            masker.line(Client, "Authorization: Basic YTpi", End::Line),
            "Authorization: Basic <masked>"
        );
        assert_eq!(masker.line(Client, "PASS x", End::Line), "PASS <masked>");
    }
}
