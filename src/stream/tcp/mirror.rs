//! Frames that a mirror port recorded twice.

use std::hash::BuildHasher;

use crate::packet::{Packet, TcpFlags, TcpHead};
use crate::time::Timestamp;

/// The same segment seen twice at one tap point, at most this far apart (`domain.md` C.1).
const SAME_POINT_NS: i64 = 1_000_000;

/// The same segment seen at two tap points one hop apart.
const ONE_HOP_NS: i64 = 20_000_000;

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
        let (length, options) = (head.payload.length, &head.options);
        let seed = foldhash::fast::FixedState::with_seed(1);
        let hash = seed.hash_one((
            (packet.ip.id, head.seq, head.ack, head.flags.0, head.window, length),
            (options.timestamps, options.sack, options.sack_blocks),
        )) as u32;
        let same = self.recent.iter().any(|earlier| {
            let apart = packet.time.0.saturating_sub(earlier.time.0).saturating_abs();
            earlier.hash == hash
                && match earlier.ttl.abs_diff(packet.ip.ttl) {
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
