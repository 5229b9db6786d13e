//! What is looked for in panes and packets: a text, a regular expression (`/re/`), or bytes (`hex:16 03`).

use regex::{Regex, RegexBuilder};

use crate::limits::FILTER_REGEX_BYTES;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Seek {
    /// As it was typed.
    pub typed: String,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// A text in small letters: whatever the case is.
    Text(String),
    Regex(Regex),
    Bytes(Vec<u8>),
}

impl Seek {
    /// Understands what was typed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(typed: &str) -> Result<Self, String> {
        let what = if let Some(digits) = typed.strip_prefix("hex:") {
            What::Bytes(bytes(digits)?)
        } else if let Some(inner) = typed.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'))
            && !inner.is_empty()
        {
            let built =
                RegexBuilder::new(inner).case_insensitive(true).size_limit(FILTER_REGEX_BYTES).build();
            What::Regex(built.map_err(|cause| {
                let why = cause.to_string();
                let last = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                format!("/{inner}/: {last}")
            })?)
        } else {
            What::Text(typed.to_lowercase())
        };
        Ok(Self { typed: typed.to_owned(), what })
    }

    /// Whether a line of a pane holds it. Bytes are found in panes of hex.
    pub fn is_in(&self, line: &str) -> bool {
        match &self.what {
            What::Text(text) => line.to_lowercase().contains(text),
            What::Regex(regex) => regex.is_match(line),
            What::Bytes(_) => false,
        }
    }

    /// Where in a packet's bytes it is first, from a place on.
    pub fn in_bytes(&self, packet: &[u8], from: usize) -> Option<std::ops::Range<usize>> {
        let rest = packet.get(from..)?;
        let found = match &self.what {
            What::Bytes(wanted) => find(rest, wanted)?,
            // A byte of a packet that is no sign of ASCII is in no text that somebody types.
            What::Text(text) => find(&rest.to_ascii_lowercase(), text.as_bytes())?,
            What::Regex(regex) => {
                let plain: String = rest
                    .iter()
                    .map(|byte| if byte.is_ascii() { char::from(*byte) } else { '\u{1}' })
                    .collect();
                let found = regex.find(&plain)?;
                // Every sign of it is one byte.
                found.range()
            }
        };
        Some(from + found.start..from + found.end)
    }

    /// Whether it is bytes, which only packets have.
    pub fn is_bytes(&self) -> bool {
        matches!(self.what, What::Bytes(_))
    }
}

fn find(all: &[u8], wanted: &[u8]) -> Option<std::ops::Range<usize>> {
    let at = memchr::memmem::find(all, wanted)?;
    Some(at..at + wanted.len())
}

/// Bytes as people write them: `16 03 01`, `16:03:01`, `0x160301`.
fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("hex:{text}: bytes are written as in hex:16 03 01");
    let plain = text.trim().trim_start_matches("0x");
    let digits: String = plain.chars().filter(|c| !matches!(c, ' ' | ':' | '-' | '.')).collect();
    if digits.is_empty()
        || !digits.len().is_multiple_of(2)
        || !digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return Err(wrong());
    }
    (0..digits.len())
        .step_by(2)
        .map(|at| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(wrong))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_expressions_and_bytes_are_found() {
        let packet = b"\x16\x03\x01GET /Index HTTP/1.1\xff\xfe";
        for (typed, at) in [
            ("index", Some(8..13)),
            ("/http.\\d/", Some(14..20)),
            ("hex:16 03", Some(0..2)),
            ("hex:FF:fe", Some(22..24)),
            ("0x16", None),
            ("/nope/", None),
        ] {
            assert_eq!(Seek::of(typed).unwrap().in_bytes(packet, 0), at, "{typed}");
        }
        assert_eq!(Seek::of("hex:16").unwrap().in_bytes(packet, 1), None);
        assert!(Seek::of("/^get/").unwrap().is_in("GET /"));
        assert!(Seek::of("Straße").unwrap().is_in("die STRAßE"));
        assert!(!Seek::of("hex:47").unwrap().is_in("GET /"));
        for wrong in ["hex:", "hex:1", "hex:1g", "/(/", "hex:16 0"] {
            assert!(Seek::of(wrong).is_err(), "{wrong}");
        }
    }
}
