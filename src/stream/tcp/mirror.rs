//! Frames that a mirror port recorded twice.

use std::hash::{BuildHasher as _, Hasher as _};

use crate::packet::{Packet, TcpFlags, TcpHead};
use crate::stream::pack::{Pack, Packer, Unpacker, packed};
use crate::time::Timestamp;

/// The same segment seen twice at one tap point, at most this far apart (`domain.md` C.1).
const SAME_POINT_NS: i64 = 1_000_000;

/// The same segment seen at two tap points one hop apart.
pub(super) const ONE_HOP_NS: i64 = 20_000_000;

/// How many earlier segments of a direction are compared.
const REMEMBERED: usize = 6;

#[derive(Debug, Clone, Copy, Default)]
struct Print {
    hash: u32,
    ttl: u8,
    time: Timestamp,
}

/// The last segments of one direction, as fingerprints.
#[derive(Debug, Clone, Default)]
pub struct Mirror {
    recent: [Print; REMEMBERED],
    next: u8,
}

impl Pack for Print {
    fn pack(&self, to: &mut Packer) {
        (u64::from(self.hash) << 8 | u64::from(self.ttl), self.time).pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Self {
        let (print, time): (u64, _) = Pack::unpack(from);
        Self { hash: (print >> 8) as u32, ttl: print as u8, time }
    }
}

packed!(Mirror { recent, next });

impl Mirror {
    /// Whether this segment is a second recording of an earlier one. A real repetition has another IP
    /// identification, or comes later; what nothing can tell apart (two equal pure ACKs without
    /// identification) is taken for two.
    pub fn is_duplicate(&mut self, packet: &Packet, head: &TcpHead) -> bool {
        let telling = packet.ip.id != 0
            || (head.payload.length > 0 || head.flags.has(TcpFlags::SYN | TcpFlags::FIN))
                && !head.flags.has(TcpFlags::RST);
        if !telling {
            return false;
        }
        let hash = fingerprint(packet, head);
        let same = self.recent.iter().filter(|earlier| earlier.hash == hash).any(|earlier| {
            let apart = packet.time.0.saturating_sub(earlier.time.0).saturating_abs();
            match earlier.ttl.abs_diff(packet.ip.ttl) {
                0 => apart <= SAME_POINT_NS,
                1 => apart <= ONE_HOP_NS,
                _ => false,
            }
        });
        if !same && let Some(slot) = self.recent.get_mut(usize::from(self.next) % REMEMBERED) {
            *slot = Print { hash, ttl: packet.ip.ttl, time: packet.time };
            self.next = self.next.wrapping_add(1);
        }
        same
    }
}

/// A hash of all that is equal in two recordings of a segment, in as few steps as it takes: every segment has one.
pub(super) fn fingerprint(packet: &Packet, head: &TcpHead) -> u32 {
    let pair = |(high, low): (u32, u32)| u64::from(high) << 32 | u64::from(low);
    let options = &head.options;
    let mut hasher = foldhash::fast::FixedState::with_seed(1).build_hasher();
    hasher.write_u64(pair((head.seq, head.ack)));
    hasher.write_u64(
        u64::from(packet.ip.id) << 48 | u64::from(head.flags.0) << 32 | u64::from(head.payload.length),
    );
    // An absent option is not one of noughts.
    let present = u64::from(options.timestamps.is_some()) << 8 | u64::from(options.sack_blocks);
    hasher.write_u64(present << 16 | u64::from(head.window));
    hasher.write_u64(options.timestamps.map_or(0, pair));
    for edges in options.sack.iter().take(usize::from(options.sack_blocks)) {
        hasher.write_u64(pair(*edges));
    }
    hasher.finish() as u32
}
