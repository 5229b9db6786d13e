//! Internet checksums (RFC 1071): what was right is right again, and what was wrong is wrong again, though not by the
//! old number, which would tell of the old octets.

/// An IP header in a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ip {
    pub(super) v6: bool,
    pub(super) start: usize,
}

/// What a checksum covers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Covered {
    /// The octets from here to there.
    Only(usize, usize),
    /// The same, and the addresses of an IP header.
    WithAddresses { ip: Ip, protocol: u8, start: usize, end: usize },
}

/// A checksum in a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum {
    /// Where it stands.
    pub(super) at: usize,
    /// What it covers.
    pub(super) covered: Covered,
    /// Whether all of that was captured.
    pub(super) whole: bool,
}

impl Sum {
    /// Writes it for the new octets.
    pub(super) fn write(self, old: &[u8], new: &mut [u8], cut: bool) {
        let stands =
            |bytes: &[u8]| Some(u16::from_be_bytes(bytes.get(self.at..self.at + 2)?.try_into().ok()?));
        let Some(before) = stands(old) else { return };
        let is_udp = matches!(self.covered, Covered::WithAddresses { protocol: 17, .. });
        let header_only = matches!(self.covered, Covered::Only(start, _) if start + 10 == self.at);
        let value = if is_udp && before == 0 || !self.whole || cut && !header_only {
            // None was sent, or nobody can tell what it has to be.
            0
        } else {
            let right = self.covered.sum(old, self.at);
            let now = self.covered.sum(new, self.at);
            let now = if is_udp && now == 0 { 0xffff } else { now };
            // Of two numbers one is neither the right one nor "none".
            let wrong = if now == 0x5aa5 { 0xa55a } else { 0x5aa5 };
            if same(before, right) { now } else { wrong }
        };
        if let Some(to) = new.get_mut(self.at..self.at + 2) {
            to.copy_from_slice(&value.to_be_bytes());
        }
    }
}

/// Zero has two forms.
fn same(one: u16, other: u16) -> bool {
    let plain = |sum: u16| if sum == 0xffff { 0 } else { sum };
    plain(one) == plain(other)
}

impl Covered {
    /// What the checksum that stands at `at` has to be.
    fn sum(self, bytes: &[u8], at: usize) -> u16 {
        let (start, end, mut total) = match self {
            Self::Only(start, end) => (start, end, 0),
            Self::WithAddresses { ip, protocol, start, end } => {
                let (from, length) = if ip.v6 { (8, 32) } else { (12, 8) };
                let addresses = bytes.get(ip.start + from..ip.start + from + length).unwrap_or_default();
                let length = (end - start) as u64;
                (start, end, words(addresses) + u64::from(protocol) + (length >> 16) + (length & 0xffff))
            }
        };
        total += words(bytes.get(start..end).unwrap_or_default());
        let standing = bytes.get(at..at + 2).unwrap_or_default();
        // The checksum itself counts as zero; it stands at an even place of what it covers.
        total -= words(standing);
        while total > 0xffff {
            total = (total >> 16) + (total & 0xffff);
        }
        !(total as u16)
    }
}

fn words(bytes: &[u8]) -> u64 {
    let pair = |pair: &[u8]| match pair {
        [high, low] => u64::from(u16::from_be_bytes([*high, *low])),
        [high] => u64::from(*high) << 8,
        _ => 0,
    };
    bytes.chunks(2).map(pair).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_stays_right_and_wrong_stays_wrong() {
        // The header of RFC 1071's time: 45 00 00 3c 1c 46 40 00 40 06 b1 e6 ac 10 0a 63 ac 10 0a 0c.
        let header = [
            0x45, 0, 0, 0x3c, 0x1c, 0x46, 0x40, 0, 0x40, 6, 0xb1, 0xe6, 0xac, 0x10, 0x0a, 0x63, 0xac, 0x10,
            0x0a, 0x0c,
        ];
        let sum = Sum { at: 10, covered: Covered::Only(0, 20), whole: true };
        let mut same = header;
        sum.write(&header, &mut same, false);
        assert_eq!(same, header);
        let mut other = header;
        other[12] = 10;
        sum.write(&header, &mut other, false);
        assert_eq!(sum.covered.sum(&other, 10).to_be_bytes(), other[10..12]);
        let mut broken = header;
        broken[11] ^= 1;
        let mut still = broken;
        sum.write(&broken, &mut still, false);
        assert_ne!(sum.covered.sum(&still, 10).to_be_bytes(), still[10..12]);
        assert_ne!(still[10..12], broken[10..12]);
    }
}
