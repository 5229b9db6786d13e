//! Other addresses for real ones: two addresses that share a prefix share one of the same length afterwards, so that
//! networks stay networks (the idea of Crypto-PAn: Xu, Fan, Ammar, Moon 2002), by a keyed hash.
//!
//! What says what an address is for stays: loopback, private and link-local networks, multicast groups, "nobody" and
//! "everybody".

use std::collections::BTreeMap;
use std::hash::Hasher as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use siphasher::sip::SipHasher24;

use crate::limits::REDACTED_ADDRESSES;

/// A prefix that maps to itself; below it all stays as it is, or only the prefix does.
struct Pinned<const N: usize> {
    octets: [u8; N],
    bits: u32,
    whole: bool,
}

const PINNED_4: [Pinned<4>; 8] = [
    Pinned { octets: [0, 0, 0, 0], bits: 32, whole: true },
    Pinned { octets: [255, 255, 255, 255], bits: 32, whole: true },
    Pinned { octets: [127, 0, 0, 0], bits: 8, whole: true },
    Pinned { octets: [224, 0, 0, 0], bits: 4, whole: true },
    Pinned { octets: [10, 0, 0, 0], bits: 8, whole: false },
    Pinned { octets: [172, 16, 0, 0], bits: 12, whole: false },
    Pinned { octets: [192, 168, 0, 0], bits: 16, whole: false },
    Pinned { octets: [169, 254, 0, 0], bits: 16, whole: false },
];

const PINNED_6: [Pinned<16>; 6] = [
    Pinned { octets: [0; 16], bits: 127, whole: true },
    Pinned { octets: [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], bits: 64, whole: false },
    Pinned { octets: [0xfc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], bits: 7, whole: false },
    // Groups of all who look for a neighbour: their last three octets are those of the neighbour.
    Pinned { octets: [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0], bits: 104, whole: false },
    Pinned { octets: [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], bits: 96, whole: true },
    Pinned { octets: [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], bits: 8, whole: false },
];

const PINNED_LINK: [Pinned<6>; 6] = [
    Pinned { octets: [0; 6], bits: 48, whole: true },
    Pinned { octets: [0xff; 6], bits: 48, whole: true },
    // Bridges and slow protocols.
    Pinned { octets: [1, 0x80, 0xc2, 0, 0, 0], bits: 24, whole: true },
    Pinned { octets: [1, 0, 0x5e, 0, 0, 0], bits: 24, whole: true },
    // A group's last octets may be those of a neighbour's address.
    Pinned { octets: [0x33, 0x33, 0xff, 0, 0, 0], bits: 24, whole: false },
    Pinned { octets: [0x33, 0x33, 0, 0, 0, 0], bits: 24, whole: true },
];

/// Gives every address another one, the same for the same key.
#[derive(Debug)]
pub(super) struct Addresses {
    key: [u8; 16],
    known: BTreeMap<IpAddr, IpAddr>,
    known_links: BTreeMap<[u8; 6], [u8; 6]>,
    /// Whether there were more than are listed.
    overflown: bool,
}

impl Addresses {
    pub(super) fn new(key: [u8; 16]) -> Self {
        Self { key, known: BTreeMap::new(), known_links: BTreeMap::new(), overflown: false }
    }

    /// The other address of an address.
    pub(super) fn ip(&mut self, address: IpAddr) -> IpAddr {
        if let Some(known) = self.known.get(&address) {
            return *known;
        }
        let other: IpAddr = match address {
            IpAddr::V4(address) => Ipv4Addr::from(self.mapped(4, address.octets(), &PINNED_4)).into(),
            IpAddr::V6(address) => Ipv6Addr::from(self.mapped(6, address.octets(), &PINNED_6)).into(),
        };
        if self.known.len() < REDACTED_ADDRESSES {
            self.known.insert(address, other);
        } else {
            self.overflown = true;
        }
        other
    }

    /// The other link-layer address of one. Who is a group, or names himself, stays one who does.
    pub(super) fn link(&mut self, address: [u8; 6]) -> [u8; 6] {
        if let Some(known) = self.known_links.get(&address) {
            return *known;
        }
        let mut other = self.mapped(2, address, &PINNED_LINK);
        if let (Some(other), Some(first)) = (other.first_mut(), address.first()) {
            *other = *other & !3 | first & 3;
        }
        if self.known_links.len() < REDACTED_ADDRESSES {
            self.known_links.insert(address, other);
        } else {
            self.overflown = true;
        }
        other
    }

    fn mapped<const N: usize>(&self, kind: u8, octets: [u8; N], pinned: &[Pinned<N>]) -> [u8; N] {
        let within = |pin: &&Pinned<N>| shared(&octets, &pin.octets) >= pin.bits;
        if pinned.iter().filter(within).max_by_key(|pin| pin.bits).is_some_and(|pin| pin.whole) {
            return octets;
        }
        // On the way to a pinned prefix nothing may change, or somebody else would come to lie in it.
        let kept = |pin: &Pinned<N>| shared(&octets, &pin.octets).saturating_add(1).min(pin.bits);
        let from = pinned.iter().map(kept).max().unwrap_or(0);
        let mut other = octets;
        for bit in from..(N as u32 * 8) {
            let (at, mask) = ((bit / 8) as usize, 0x80_u8 >> (bit % 8));
            if self.turns(kind, &octets, bit)
                && let Some(octet) = other.get_mut(at)
            {
                *octet ^= mask;
            }
        }
        other
    }

    /// Whether the bit behind a prefix of this length is turned: the key and the prefix decide.
    fn turns(&self, kind: u8, octets: &[u8], bit: u32) -> bool {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write_u8(kind);
        hasher.write_u32(bit);
        let whole = (bit / 8) as usize;
        hasher.write(octets.get(..whole).unwrap_or_default());
        let rest = octets.get(whole).copied().unwrap_or_default();
        hasher.write_u8(rest & !(0xff_u8 >> (bit % 8)));
        hasher.finish() & 1 == 1
    }

    /// Every address that was met and the one that stands for it, one a line, with a tab between them.
    pub(super) fn list(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::from("# real\twritten\n");
        for (old, new) in &self.known {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{old}\t{new}");
        }
        let colons = |octets: &[u8; 6]| octets.map(|octet| format!("{octet:02x}")).join(":");
        for (old, new) in &self.known_links {
            let _ = writeln!(text, "{}\t{}", colons(old), colons(new));
        }
        if self.overflown {
            text.push_str("# there were more than are listed\n");
        }
        text
    }

    /// How many addresses were met.
    pub(super) fn count(&self) -> usize {
        self.known.len() + self.known_links.len()
    }
}

/// How many bits two addresses have in common from the front.
fn shared(one: &[u8], other: &[u8]) -> u32 {
    let mut bits = 0;
    for (a, b) in one.iter().zip(other) {
        let same = (a ^ b).leading_zeros();
        bits += same;
        if same < 8 {
            break;
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn addresses() -> Addresses {
        Addresses::new(*b"0123456789abcdef")
    }

    #[test]
    fn what_says_what_an_address_is_for_stays() {
        let mut all = addresses();
        for same in
            ["0.0.0.0", "255.255.255.255", "127.0.0.1", "224.0.0.251", "::", "::1", "ff02::1", "ff02::fb"]
        {
            let address: IpAddr = same.parse().unwrap();
            assert_eq!(all.ip(address), address);
        }
        for (real, start) in [
            ("10.1.2.3", "10."),
            ("192.168.4.5", "192.168."),
            ("169.254.9.9", "169.254."),
            ("fe80::1234:5", "fe80::"),
        ] {
            let other = all.ip(real.parse().unwrap()).to_string();
            assert!(other.starts_with(start) && other != real, "{real} -> {other}");
        }
        assert_eq!(all.link([0xff; 6]), [0xff; 6]);
        assert_eq!(all.link([1, 0x80, 0xc2, 0, 0, 0]), [1, 0x80, 0xc2, 0, 0, 0]);
        assert_eq!(all.link([2, 0, 0, 0, 0, 1])[0] & 3, 2);
        assert_ne!(all.ip("ff02::1:ff12:3456".parse().unwrap()).to_string(), "ff02::1:ff12:3456");
    }

    #[test]
    fn another_key_gives_other_addresses() {
        let address = "203.0.113.77".parse().unwrap();
        assert_ne!(addresses().ip(address), Addresses::new([7; 16]).ip(address));
        assert_eq!(addresses().ip(address), addresses().ip(address));
    }

    proptest! {
        #[test]
        fn prefixes_are_preserved(one: [u8; 4], other: [u8; 4], keep in 0_u32..=32) {
            let mask = u32::MAX.checked_shl(32 - keep).unwrap_or(0);
            let near = u32::from_be_bytes(one) & mask | u32::from_be_bytes(other) & !mask;
            let (a, b) = (IpAddr::from(one), IpAddr::from(near.to_be_bytes()));
            let mut all = addresses();
            let (IpAddr::V4(x), IpAddr::V4(y)) = (all.ip(a), all.ip(b)) else { panic!() };
            prop_assert_eq!(shared(&one, &near.to_be_bytes()), shared(&x.octets(), &y.octets()));
        }

        #[test]
        fn long_prefixes_too(one: [u8; 16], other: [u8; 16], keep in 0_u32..=128) {
            let mask = u128::MAX.checked_shl(128 - keep).unwrap_or(0);
            let near = u128::from_be_bytes(one) & mask | u128::from_be_bytes(other) & !mask;
            let mut all = addresses();
            let (IpAddr::V6(x), IpAddr::V6(y)) = (all.ip(one.into()), all.ip(near.to_be_bytes().into())) else { panic!() };
            prop_assert_eq!(shared(&one, &near.to_be_bytes()), shared(&x.octets(), &y.octets()));
        }
    }
}
