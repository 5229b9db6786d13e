//! The properties of MQTT 5.0 packets (§2.2.2), those that matter to a session.

use crate::protocols::read::Octets;

/// What of a packet's properties is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Properties<'b> {
    /// Seconds for which the session outlives its connection; all ones is for ever.
    pub(super) session_expiry: Option<u32>,
    /// The client id that the server gave.
    pub(super) assigned_id: Option<&'b [u8]>,
    /// The keep-alive that the server wants instead, in seconds.
    pub(super) server_keep_alive: Option<u16>,
    /// The method of an extended login.
    pub(super) method: Option<&'b [u8]>,
    /// Another server to be used.
    pub(super) reference: Option<&'b [u8]>,
    /// Why, in the sender's words.
    pub(super) reason: Option<&'b [u8]>,
    /// The number that stands for a topic on this connection.
    pub(super) topic_alias: Option<u16>,
}

impl<'b> Properties<'b> {
    /// Those at the place at hand, where the version has any.
    pub(super) fn of_version(version: u8, octets: &mut Octets<'b>) -> Option<Self> {
        if version < 5 { Some(Self::default()) } else { Self::read(octets) }
    }

    /// Those at the end of a packet, which may leave them out.
    pub(super) fn rest(octets: &mut Octets<'b>) -> Option<Self> {
        if octets.is_empty() { Some(Self::default()) } else { Self::read(octets) }
    }

    fn read(octets: &mut Octets<'b>) -> Option<Self> {
        let length = usize::try_from(varint(octets)?).ok()?;
        let mut list = Octets::new(octets.take(length)?);
        let mut found = Self::default();
        while !list.is_empty() {
            found.read_one(&mut list)?;
        }
        Some(found)
    }

    fn read_one(&mut self, list: &mut Octets<'b>) -> Option<()> {
        match varint(list)? {
            0x11 => self.session_expiry = Some(list.u32()?),
            0x12 => self.assigned_id = Some(list.counted16()?),
            0x13 => self.server_keep_alive = Some(list.u16()?),
            0x15 => self.method = Some(list.counted16()?),
            0x1c => self.reference = Some(list.counted16()?),
            0x1f => self.reason = Some(list.counted16()?),
            0x23 => self.topic_alias = Some(list.u16()?),
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2a => drop(list.u8()?),
            0x21 | 0x22 => drop(list.u16()?),
            0x02 | 0x18 | 0x27 => drop(list.u32()?),
            0x0b => drop(varint(list)?),
            0x03 | 0x08 | 0x09 | 0x16 | 0x1a => drop(list.counted16()?),
            0x26 => {
                list.counted16()?;
                list.counted16()?;
            }
            _ => return None,
        }
        Some(())
    }
}

/// A number of one to four octets, seven bits each, the low ones first (§1.5.5).
fn varint(octets: &mut Octets<'_>) -> Option<u32> {
    let mut number = 0;
    for shift in [0, 7, 14, 21] {
        let octet = octets.u8()?;
        number |= u32::from(octet & 0x7f) << shift;
        if octet & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_has_its_width() {
        let list = [
            &[0x11, 0, 0, 0, 60][..],
            &[0x21, 0, 20],
            &[0x26, 0, 1, b'a', 0, 1, b'b'],
            &[0x01, 1],
            &[0x0b, 0x81, 0x01],
            &[0x1f, 0, 3, b'w', b'h', b'y'],
            &[0x23, 0, 7],
        ]
        .concat();
        let whole = [&[list.len() as u8][..], &list].concat();
        let found = Properties::read(&mut Octets::new(&whole)).unwrap();
        let wanted = Properties {
            session_expiry: Some(60),
            reason: Some(b"why"),
            topic_alias: Some(7),
            ..Properties::default()
        };
        assert_eq!(found, wanted);
        for end in 0..whole.len() {
            assert_eq!(Properties::read(&mut Octets::new(&whole[..end])), None, "cut at {end}");
        }
        assert_eq!(Properties::read(&mut Octets::new(&[2, 0x7e, 0])), None, "unknown");
    }
}
