//! A connection at rest as a row of bytes: a sixth of its size, and nothing lost.
//!
//! Of many connections in a capture few have a segment at a given time; the others are closed, or silent. Those
//! are packed, and unpacked when a segment comes after all, so that what is made of it does not depend on the
//! packing. Most of what is remembered of a connection is nought, or near to something else that is remembered:
//! numbers are written in as few bytes as they need, nought in none, and times and frames as distances from the ones
//! before.
//!
//! Types say by [`packed!`] which fields they have. Both directions are made from that one list, and a field that
//! is missing in it does not compile.

mod coder;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use coder::{LARGE_FROM, unzigzag, zigzag};
pub(super) use coder::{Packer, Unpacker};

use super::receiver::Origin;
use super::tcp::half::Act;
use crate::events::ConnectionKey;
use crate::events::side::Side;
use crate::events::transport::{RoleEvidence, RstClass, WiresharkCounters};
use crate::events::visibility::Gap;
use crate::packet::{Direction, FlowKey, IcmpError, IpFacts, TcpFlags};
use crate::place::PacketRef;
use crate::time::{Span, Timestamp};

/// What can be packed and unpacked.
pub(super) trait Pack: Sized {
    /// Writes it.
    fn pack(&self, to: &mut Packer);
    /// Reads what [`pack`](Self::pack) wrote.
    fn unpack(from: &mut Unpacker<'_>) -> Self;
}

/// Makes a type packable: its fields (all in one bit where they are those of the default), the one value in a
/// tuple, or its variants.
macro_rules! packed {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::stream::pack::Pack for $type {
            fn pack(&self, to: &mut $crate::stream::pack::Packer) {
                let Self { $($field),+ } = self;
                $($crate::stream::pack::Pack::pack($field, to);)+
            }

            fn unpack(from: &mut $crate::stream::pack::Unpacker<'_>) -> Self {
                Self { $($field: $crate::stream::pack::Pack::unpack(from)),+ }
            }
        }
    };
    ($type:ident, often default { $($field:ident),+ $(,)? }) => {
        impl $crate::stream::pack::Pack for $type {
            fn pack(&self, to: &mut $crate::stream::pack::Packer) {
                let usual = *self == Self::default();
                $crate::stream::pack::Pack::pack(&usual, to);
                if !usual {
                    let Self { $($field),+ } = self;
                    $($crate::stream::pack::Pack::pack($field, to);)+
                }
            }

            fn unpack(from: &mut $crate::stream::pack::Unpacker<'_>) -> Self {
                if $crate::stream::pack::Pack::unpack(from) {
                    return Self::default();
                }
                Self { $($field: $crate::stream::pack::Pack::unpack(from)),+ }
            }
        }
    };
    ($type:ident(_)) => {
        impl $crate::stream::pack::Pack for $type {
            fn pack(&self, to: &mut $crate::stream::pack::Packer) {
                $crate::stream::pack::Pack::pack(&self.0, to);
            }

            fn unpack(from: &mut $crate::stream::pack::Unpacker<'_>) -> Self {
                Self($crate::stream::pack::Pack::unpack(from))
            }
        }
    };
    ($type:ident: $first:ident $(| $variant:ident)*) => {
        impl $crate::stream::pack::Pack for $type {
            fn pack(&self, to: &mut $crate::stream::pack::Packer) {
                match self {
                    Self::$first $(| Self::$variant)* => $crate::stream::pack::Pack::pack(&(*self as u8), to),
                }
            }

            fn unpack(from: &mut $crate::stream::pack::Unpacker<'_>) -> Self {
                let code: u8 = $crate::stream::pack::Pack::unpack(from);
                $(if code == Self::$variant as u8 {
                    return Self::$variant;
                })*
                Self::$first
            }
        }
    };
}
pub(super) use packed;

packed!(TcpFlags(_));
packed!(ConnectionKey(_));
packed!(Origin { at, time, order });
packed!(Span(_));
packed!(IpFacts { ttl, traffic_class, id, v6, dont_fragment });
packed!(IcmpError { from, kind, code, mtu, quoted_seq, quoted_flags });
packed!(Gap { side, start, length, acknowledged, noticed });
packed!(WiresharkCounters, often default {
    retransmission,
    fast_retransmission,
    spurious_retransmission,
    out_of_order,
    lost_segment,
    ack_lost_segment,
    duplicate_ack,
    keep_alive,
    keep_alive_ack,
    zero_window,
    zero_window_probe,
    zero_window_probe_ack,
    window_full,
    window_update,
    reused_ports,
});
packed!(Direction: Up | Down);
packed!(Side: Client | Server);
packed!(RoleEvidence: Syn | SynAck | Signature | Port | Unknown);
packed!(RstClass:
    Refused | NoState | Abort | AfterClose | SynScan | ChallengeReply | ZeroWindowAbort | Forged);

macro_rules! packed_numbers {
    ($($type:ty),+) => {$(
        impl Pack for $type {
            fn pack(&self, to: &mut Packer) {
                to.number(u64::from(*self));
            }

            fn unpack(from: &mut Unpacker<'_>) -> Self {
                from.number() as $type
            }
        }
    )+};
}
packed_numbers!(u8, u16, u64);

/// Small ones are even. A large one is odd, and a distance: from nothing, or from one that was seen, and which.
impl Pack for u32 {
    fn pack(&self, to: &mut Packer) {
        if *self < LARGE_FROM {
            to.number(u64::from(*self) << 1);
            return;
        }
        let near = to.seen.large.iter().position(|seen| self.abs_diff(*seen) < LARGE_FROM);
        let from = near.and_then(|index| to.seen.large.get(index)).copied().unwrap_or(0);
        let which = near.map_or(0, |index| index as u64 + 1);
        to.number(zigzag(i64::from(*self) - i64::from(from)) << 4 | which << 1 | 1);
        if from != *self {
            to.seen.note_large(*self);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        let code = from.number();
        if code & 1 == 0 {
            return (code >> 1) as u32;
        }
        let near = ((code >> 1 & 7) as usize).checked_sub(1).and_then(|index| from.seen.large.get(index));
        let near = near.copied().unwrap_or(0);
        let number = (i64::from(near) + unzigzag(code >> 4)) as u32;
        if number != near {
            from.seen.note_large(number);
        }
        number
    }
}

impl Pack for bool {
    fn pack(&self, to: &mut Packer) {
        to.bit(*self);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        from.bit()
    }
}

impl Pack for i8 {
    fn pack(&self, to: &mut Packer) {
        i64::from(*self).pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        i64::unpack(from) as i8
    }
}

impl Pack for i64 {
    fn pack(&self, to: &mut Packer) {
        to.signed(*self);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        from.signed()
    }
}

impl Pack for usize {
    fn pack(&self, to: &mut Packer) {
        to.number(*self as u64);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        from.number() as usize
    }
}

impl Pack for f32 {
    fn pack(&self, to: &mut Packer) {
        to.number(self.to_bits().into());
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        Self::from_bits(from.number() as u32)
    }
}

impl<T: Pack> Pack for Option<T> {
    fn pack(&self, to: &mut Packer) {
        to.bit(self.is_some());
        if let Some(value) = self {
            value.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        from.bit().then(|| T::unpack(from))
    }
}

impl<T: Pack, const N: usize> Pack for [T; N] {
    fn pack(&self, to: &mut Packer) {
        for value in self {
            value.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        std::array::from_fn(|_| T::unpack(from))
    }
}

impl<T: Pack> Pack for Vec<T> {
    fn pack(&self, to: &mut Packer) {
        self.len().pack(to);
        for value in self {
            value.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        (0..usize::unpack(from)).map(|_| T::unpack(from)).collect()
    }
}

impl<T: Pack> Pack for VecDeque<T> {
    fn pack(&self, to: &mut Packer) {
        self.len().pack(to);
        for value in self {
            value.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        Vec::unpack(from).into()
    }
}

impl<A: Pack, B: Pack> Pack for (A, B) {
    fn pack(&self, to: &mut Packer) {
        self.0.pack(to);
        self.1.pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        (A::unpack(from), B::unpack(from))
    }
}

/// A flow is the key that its connection is found by, and is not written.
impl Pack for FlowKey {
    fn pack(&self, _: &mut Packer) {}

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        from.flow
    }
}

impl Pack for IpAddr {
    fn pack(&self, to: &mut Packer) {
        match self {
            Self::V4(ip) => (false, ip.octets()).pack(to),
            Self::V6(ip) => (true, ip.octets()).pack(to),
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        if bool::unpack(from) {
            Self::V6(Ipv6Addr::from(<[u8; 16]>::unpack(from)))
        } else {
            Self::V4(Ipv4Addr::from(<[u8; 4]>::unpack(from)))
        }
    }
}

impl Pack for Timestamp {
    fn pack(&self, to: &mut Packer) {
        to.signed(self.0.wrapping_sub(to.seen.time));
        to.seen.time = self.0;
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        from.seen.time = from.seen.time.wrapping_add(from.signed());
        Self(from.seen.time)
    }
}

/// The same acts are remembered for several reasons: each is written once, and is a number after that.
impl Pack for Act {
    fn pack(&self, to: &mut Packer) {
        let known = to.seen.acts.iter().position(|act| act.at.number == self.at.number && act == self);
        to.bit(known.is_some());
        if let Some(index) = known {
            to.number(index as u64);
            return;
        }
        let last = to.seen.last();
        to.place(self.at, last.at);
        to.signed(self.time.0.wrapping_sub(last.time.0));
        to.seen.time = self.time.0;
        to.seen.acts.push(*self);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        if from.bit() {
            let index = from.number() as usize;
            return from.seen.acts.get(index).copied().unwrap_or_else(|| from.seen.last());
        }
        let last = from.seen.last();
        let at = from.place(last.at);
        let time = Timestamp(last.time.0.wrapping_add(from.signed()));
        from.seen.time = time.0;
        from.seen.acts.push(Self { at, time });
        Self { at, time }
    }
}

impl Pack for PacketRef {
    fn pack(&self, to: &mut Packer) {
        let known = to.seen.acts.iter().position(|act| act.at.number == self.number && act.at == *self);
        to.bit(known.is_some());
        if let Some(index) = known {
            to.number(index as u64);
        } else {
            let last = to.seen.last();
            to.place(*self, last.at);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        if from.bit() {
            let index = from.number() as usize;
            from.seen.acts.get(index).map_or_else(|| from.seen.last().at, |act| act.at)
        } else {
            from.place(from.seen.last().at)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::packet::{Endpoint, Transport};
    use crate::place::FileId;

    fn there_and_back<T: Pack>(value: &T) -> T {
        let (flow, _) = FlowKey::new(Endpoint::default(), Endpoint::default(), Transport::Tcp);
        let mut packer = Packer::default();
        // Nothing of what was packed before may show.
        packer.packed(&[u32::MAX, 7]);
        Unpacker::unpacked(packer.packed(value), flow)
    }

    #[test]
    fn the_ends_of_every_range_come_back() {
        let numbers: Vec<u64> =
            (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit]).chain([u64::MAX]).collect();
        assert_eq!(there_and_back(&numbers), numbers);
        let small: Vec<u32> = numbers.iter().map(|number| *number as u32).collect();
        assert_eq!(there_and_back(&small), small);
        let signed: Vec<i64> =
            numbers.iter().flat_map(|number| [*number as i64, (*number as i64).wrapping_neg()]).collect();
        assert_eq!(there_and_back(&signed), signed);
        let times: Vec<Timestamp> = signed.iter().map(|time| Timestamp(*time)).collect();
        assert_eq!(there_and_back(&times), times);
        let options = [None, Some((true, (i8::MIN, f32::MAX))), Some((false, (-2, 0.35)))];
        assert_eq!(there_and_back(&options), options);
        let addresses: [IpAddr; 2] = [[10, 0, 0, 1].into(), [0xfe80, 0, 0, 0, 1, 2, 3, 0xffff].into()];
        assert_eq!(there_and_back(&addresses), addresses);
    }

    #[test]
    fn what_is_usual_is_short() {
        let mut packer = Packer::default();
        let head = size_of::<u32>() + size_of::<u64>();
        assert_eq!(packer.packed(&[0_u64; 60]).len(), head, "nought has no bytes");
        let sequence = [3_000_000_000_u32, 3_000_000_000, 3_000_001_460, 3_000_001_461];
        assert_eq!(packer.packed(&sequence).len(), head + 5 + 1 + 2 + 2, "numbers near to one that was seen");
        let at = PacketRef { number: 5, offset: 700, frame: 5, length: 60, file: FileId(0) };
        let act = Act { at, time: Timestamp(9) };
        assert_eq!(packer.packed(&[act; 8]).len(), packer.packed(&[act; 1]).len(), "an act is written once");
    }

    proptest! {
        #[test]
        fn numbers_and_places_come_back(
            numbers in prop::collection::vec(any::<u32>(), 0..40),
            wide in prop::collection::vec((any::<u64>(), any::<bool>()), 0..40),
            places in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u32>(), any::<i64>()), 0..20),
        ) {
            let acts: Vec<Act> = places
                .iter()
                .map(|&(number, offset, length, time)| {
                    let at = PacketRef { number, offset, frame: number ^ 3, length, file: FileId(length as u16) };
                    Act { at, time: Timestamp(time) }
                })
                .collect();
            let twice = (acts.clone(), acts.iter().rev().map(|act| act.at).collect::<Vec<_>>());
            prop_assert_eq!(there_and_back(&numbers), numbers);
            prop_assert_eq!(there_and_back(&wide), wide);
            prop_assert_eq!(there_and_back(&twice), twice);
        }
    }
}
