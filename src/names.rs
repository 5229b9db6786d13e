//! Names that the user gives to hosts and services, in the syntax of `hosts(5)`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// Names by address, or by address and port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<(IpAddr, Option<u16>), Box<str>>);

/// Why a line gives no name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unnamed {
    /// The line, from 1.
    pub line: usize,
    /// Why, in one sentence.
    pub reason: String,
}

impl Names {
    /// Reads lines of an address, or an address with a port, and a name: `10.0.0.5 orders-db`,
    /// `10.0.0.5:6379 cache`, `[2001:db8::5]:5432 orders-db`. Of several names in a line the first counts; what
    /// stands behind a `#` is no part of it.
    ///
    /// # Errors
    /// The first line that is neither empty nor an address with a name.
    pub fn parse(text: &str) -> Result<Self, Unnamed> {
        let mut names = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(address) = words.next() else { continue };
            let wrong = |reason: String| Unnamed { line: index + 1, reason };
            let name = words.next().ok_or_else(|| wrong(format!("{address} is given no name")))?;
            names.add(address, name).map_err(wrong)?;
        }
        Ok(names)
    }

    /// Gives a name to an address, or to an address with a port. A later name takes the place of an earlier one.
    ///
    /// # Errors
    /// Why it is no address, in one sentence.
    pub fn add(&mut self, address: &str, name: &str) -> Result<(), String> {
        let host = address.trim_start_matches('[').trim_end_matches(']');
        let key = match (host.parse::<IpAddr>(), address.parse::<SocketAddr>()) {
            (Ok(ip), _) => (ip, None),
            (_, Ok(place)) => (place.ip(), Some(place.port())),
            _ => {
                return Err(format!("{address} is no address; lines are written `10.0.0.5 orders-db`"));
            }
        };
        self.0.insert(key, name.into());
        Ok(())
    }

    /// Takes names over where there are none yet.
    pub fn fill(&mut self, other: Self) {
        for (key, name) in other.0 {
            self.0.entry(key).or_insert(name);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of a service: that of its address and port before that of its address.
    pub fn service(&self, ip: IpAddr, port: u16) -> Option<&str> {
        self.0.get(&(ip, Some(port))).or_else(|| self.0.get(&(ip, None))).map(|name| &**name)
    }

    /// The text with names in place of the addresses in it. An address with a port of its own name loses both, any other
    /// keeps its port: `orders-db:5432`.
    pub fn in_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.is_empty() || !text.bytes().any(|byte| byte.is_ascii_digit() || byte == b':') {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(is_of_address) {
            let (before, run) = rest.split_at(start);
            let end = run.find(|letter| !is_of_address(letter)).unwrap_or(run.len());
            let (word, after) = run.split_at(end);
            out.push_str(before);
            // A dot, colon or bracket at the end belongs to the sentence.
            let bare = word.trim_end_matches(['.', ':']);
            match self.named(bare) {
                Some(name) => {
                    out.push_str(&name);
                    out.push_str(&word[bare.len()..]);
                }
                None => out.push_str(word),
            }
            rest = after;
        }
        out.push_str(rest);
        Cow::Owned(out)
    }

    fn named(&self, word: &str) -> Option<String> {
        if let Ok(ip) = word.parse::<IpAddr>() {
            return self.0.get(&(ip, None)).map(ToString::to_string);
        }
        let place = word.parse::<SocketAddr>().ok()?;
        if let Some(name) = self.0.get(&(place.ip(), Some(place.port()))) {
            return Some(name.to_string());
        }
        self.0.get(&(place.ip(), None)).map(|name| format!("{name}:{}", place.port()))
    }
}

/// Letters of addresses of both families, with brackets and a port.
fn is_of_address(letter: char) -> bool {
    letter.is_ascii_hexdigit() || matches!(letter, '.' | ':' | '[' | ']')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTS: &str =
        "# the shop\n10.0.0.5 orders-db orders\n10.0.0.5:6379\tcache # redis\n2001:db8::5 web\n";

    #[test]
    fn addresses_in_sentences_become_names() {
        let names = Names::parse(HOSTS).unwrap();
        for (text, named) in [
            ("10.0.0.5:5432 reset 10.0.0.9.", "orders-db:5432 reset 10.0.0.9."),
            ("the client of 10.0.0.5:6379, that is 10.0.0.5.", "the client of cache, that is orders-db."),
            ("[2001:db8::5]:443 and 2001:db8::5", "web:443 and web"),
            ("110.0.0.5 and 10.0.0.51 and 10.0.0.5.6", "110.0.0.5 and 10.0.0.51 and 10.0.0.5.6"),
            ("after 7.17 s: a dead beef", "after 7.17 s: a dead beef"),
        ] {
            assert_eq!(names.in_text(text), named);
        }
        let ip = "10.0.0.5".parse().unwrap();
        assert_eq!((names.service(ip, 6379), names.service(ip, 1)), (Some("cache"), Some("orders-db")));
    }

    #[test]
    fn a_line_without_an_address_is_told() {
        let wrong = Names::parse("10.0.0.5 db\n\ndb 10.0.0.5\n").unwrap_err();
        assert_eq!(wrong.line, 3);
        assert_eq!(Names::parse("10.0.0.5\n").unwrap_err().line, 1);
    }
}
