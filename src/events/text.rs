//! A short text kept in place: commands and methods, of which there are millions, without an allocation each.

use std::fmt;

/// Bytes that fit.
const ROOM: usize = 23;

/// At most 23 bytes of UTF-8, copied and cut at a character.
///
/// It may come from the wire: whoever prints it escapes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ShortText {
    bytes: [u8; ROOM],
    length: u8,
}

impl ShortText {
    /// The text, or as much of it as fits.
    pub fn new(text: &str) -> Self {
        let mut length = text.len().min(ROOM);
        while !text.is_char_boundary(length) {
            length -= 1;
        }
        Self::copied(text.as_bytes(), length)
    }

    /// A command's name as the wire has it, in upper case; octets that are no printable ASCII become `?`.
    pub fn command(octets: &[u8]) -> Self {
        let mut new = Self::copied(octets, octets.len().min(ROOM));
        for octet in &mut new.bytes {
            *octet = match *octet {
                0 => 0,
                graphic if graphic.is_ascii_graphic() => graphic.to_ascii_uppercase(),
                _ => b'?',
            };
        }
        new
    }

    fn copied(octets: &[u8], length: usize) -> Self {
        let mut bytes = [0; ROOM];
        for (to, from) in bytes.iter_mut().zip(octets.iter().take(length)) {
            *to = *from;
        }
        Self { bytes, length: length as u8 }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.length)).and_then(|text| str::from_utf8(text).ok()).unwrap_or("")
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl fmt::Debug for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_a_character() {
        assert_eq!(ShortText::new("SUBSCRIBE").as_str(), "SUBSCRIBE");
        assert_eq!(ShortText::new("aaaaaaaaaaaaaaaaaaaaaaüb").as_str(), "aaaaaaaaaaaaaaaaaaaaaa");
        assert_eq!(ShortText::command(b"mail\x1b[1m").as_str(), "MAIL?[1M");
        assert!(ShortText::default().is_empty());
        assert_eq!(size_of::<ShortText>(), 24);
    }
}
