//! One TCP segment as the stacks of a story exchange it.

use super::script::Flag;

/// A segment. Sequence numbers are 64 bits wide and never wrap; the wire keeps their lower half.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) seq: u64,
    /// The acknowledgement; the ACK flag goes with it.
    pub(super) ack: Option<u64>,
    /// All flags but ACK.
    pub(super) flags: Flags,
    /// As on the wire, before scaling.
    pub(super) window: u16,
    pub(super) options: Options,
    pub(super) data: Vec<u8>,
    /// Another time to live than the sender's own.
    pub(super) ttl: Option<u8>,
    /// Another hardware address than the sender's own.
    pub(super) mac: Option<[u8; 6]>,
}

impl Segment {
    /// The sequence number behind the segment: SYN and FIN count as one each.
    pub(super) fn end(&self) -> u64 {
        self.seq + self.data.len() as u64 + u64::from(self.flags.syn) + u64::from(self.flags.fin)
    }

    /// Where the data begin.
    pub(super) fn data_start(&self) -> u64 {
        self.seq + u64::from(self.flags.syn)
    }

    /// A reset without a socket behind it (RFC 9293 section 3.5.2), in answer to `to`.
    pub(super) fn stateless_reset(to: &Self) -> Self {
        let flags = Flags { rst: true, ..Flags::default() };
        match to.ack {
            Some(ack) => Self { seq: ack, flags, ..Self::default() },
            None => Self { seq: 0, ack: Some(to.end()), flags, ..Self::default() },
        }
    }
}

/// The flags besides ACK.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) psh: bool,
    pub(super) urg: bool,
    pub(super) ece: bool,
    pub(super) cwr: bool,
}

impl Flags {
    /// From what a raw segment lists, and whether ACK is among it.
    pub(super) fn from_list(list: &[Flag]) -> (Self, bool) {
        let has = |flag| list.contains(&flag);
        let flags = Self {
            syn: has(Flag::Syn),
            fin: has(Flag::Fin),
            rst: has(Flag::Reset),
            psh: has(Flag::Push),
            urg: has(Flag::Urgent),
            ece: has(Flag::Echo),
            cwr: has(Flag::Reduced),
        };
        (flags, has(Flag::Ack))
    }
}

/// TCP options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) mss: Option<u16>,
    pub(super) window_scale: Option<u8>,
    pub(super) sack_permitted: bool,
    /// Blocks received out of order, the latest first (RFC 2018); a duplicate comes first of all (RFC 2883).
    pub(super) sack: Vec<(u64, u64)>,
    /// `TSval` and `TSecr` (RFC 7323).
    pub(super) timestamps: Option<(u32, u32)>,
    /// Cookie of TCP Fast Open (RFC 7413).
    pub(super) fast_open: Option<[u8; 8]>,
}

impl Options {
    /// The option bytes in the order that Linux uses, padded in front to keep numbers aligned.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(40);
        if let Some(mss) = self.mss {
            bytes.extend([2, 4]);
            bytes.extend(mss.to_be_bytes());
        }
        match (self.sack_permitted, self.timestamps) {
            (true, Some(_)) => bytes.extend([4, 2]),
            (true, None) => bytes.extend([1, 1, 4, 2]),
            (false, Some(_)) => bytes.extend([1, 1]),
            (false, None) => {}
        }
        if let Some((value, echo)) = self.timestamps {
            bytes.extend([8, 10]);
            bytes.extend(value.to_be_bytes());
            bytes.extend(echo.to_be_bytes());
        }
        if let Some(shift) = self.window_scale {
            bytes.extend([1, 3, 3, shift]);
        }
        if let Some(cookie) = self.fast_open {
            bytes.extend([1, 1, 34, 10]);
            bytes.extend(cookie);
        }
        let blocks = &self.sack[..self.sack.len().min(if self.timestamps.is_some() { 3 } else { 4 })];
        if !blocks.is_empty() {
            bytes.extend([1, 1, 5, 2 + 8 * blocks.len() as u8]);
            for (start, end) in blocks {
                bytes.extend((*start as u32).to_be_bytes());
                bytes.extend((*end as u32).to_be_bytes());
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_aligned_and_fit_the_header() {
        let syn = Options {
            mss: Some(1460),
            window_scale: Some(7),
            sack_permitted: true,
            timestamps: Some((1, 0)),
            fast_open: Some([7; 8]),
            ..Options::default()
        };
        let ack = Options { timestamps: Some((1, 2)), sack: vec![(1, 2); 6], ..Options::default() };
        for options in [syn, ack, Options::default()] {
            let bytes = options.to_bytes();
            assert_eq!(bytes.len() % 4, 0);
            assert!(bytes.len() <= 40);
        }
    }

    #[test]
    fn a_stateless_reset_answers_as_the_standard_says() {
        let syn = Segment { seq: 100, flags: Flags { syn: true, ..Flags::default() }, ..Segment::default() };
        let answer = Segment::stateless_reset(&syn);
        assert_eq!((answer.seq, answer.ack), (0, Some(101)));
        let data = Segment { seq: 100, ack: Some(7), data: vec![0; 5], ..Segment::default() };
        let answer = Segment::stateless_reset(&data);
        assert_eq!((answer.seq, answer.ack), (7, None));
    }
}
