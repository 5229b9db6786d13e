//! Bytes as people read them: an offset, sixteen octets in hex, and the same as text.

use std::fmt::Write as _;

/// Octets of a line.
pub const WIDTH: usize = 16;

/// The lines of these bytes: `0010  45 00 …  E.`. What is no printable ASCII is a dot.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = String> + '_ {
    let digits = if bytes.len() > 0xffff { 8 } else { 4 };
    bytes.chunks(WIDTH).enumerate().map(move |(number, octets)| {
        let mut line = format!("{:0digits$x}  ", number * WIDTH);
        for place in 0..WIDTH {
            // Writing to a String cannot fail.
            let _ = match octets.get(place) {
                Some(octet) => write!(line, "{octet:02x} "),
                None => write!(line, "   "),
            };
            if place == WIDTH / 2 - 1 {
                line.push(' ');
            }
        }
        line.push(' ');
        line.extend(octets.iter().map(|octet| character(*octet)));
        line
    })
}

/// An octet as a character that a terminal can show.
pub fn character(octet: u8) -> char {
    if matches!(octet, 0x20..=0x7e) { char::from(octet) } else { '.' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_sixteen_octets() {
        let bytes: Vec<u8> = (0x3a..0x4c).collect();
        let lines: Vec<String> = lines(&bytes).collect();
        assert_eq!(lines[0], "0000  3a 3b 3c 3d 3e 3f 40 41  42 43 44 45 46 47 48 49  :;<=>?@ABCDEFGHI");
        assert_eq!(lines[1], format!("0010  4a 4b {} JK", " ".repeat(3 * 14 + 1)));
        assert_eq!(character(0x1b), '.');
    }
}
