//! Which virtual network a packet belongs to, and who sent it on the link.
//!
//! Equal addresses in two virtual networks are two connections, so a packet carries a hash of the identifiers
//! around it: VLAN, VXLAN and GENEVE network, GRE key, outermost first.
//!
//! Only identifiers that *name a network* count. MPLS labels, GTP tunnel endpoints, L2TP sessions and PPTP
//! call ids are chosen by the receiver, so that the two directions of one connection carry different ones;
//! they stay out, and so do the addresses of tunnel ends, which change under a connection (handover, load
//! balancers that answer outside the tunnel).
//!
//! A mirror port may tag one direction only, and private VLANs use two ids for one network. The hash says
//! honestly what stood around *this* packet; a table of connections should therefore let a packet join a
//! connection of the same flow whose own context has so far been seen in the opposite direction only.

/// Kinds of identifier; part of the hash so that VLAN 5 and network 5 differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// IEEE 802.1Q VLAN id, 1 to 4095. The id 0 is only a priority.
    Vlan,
    /// VXLAN network identifier (RFC 7348).
    Vxlan,
    /// GENEVE virtual network identifier (RFC 8926).
    Geneve,
    /// GRE key (RFC 2890).
    GreKey,
    /// NVGRE virtual subnet (RFC 7637).
    Nvgre,
    /// IEEE 802.1ah backbone service instance.
    Backbone,
}

/// The context inside `outer` after meeting the identifier `id`.
pub(super) fn enter(outer: u32, kind: Network, id: u32) -> u32 {
    let word = u64::from(outer) << 32 ^ u64::from(id) ^ (kind as u64 + 1) << 56;
    nonzero(word)
}

/// The hash of a link-layer address.
#[inline]
pub(super) fn address(octets: [u8; 6]) -> u32 {
    nonzero(octets.iter().fold(1, |word, octet| word << 8 | u64::from(*octet)))
}

/// Mixes 64 bits to 32 that are never 0 (the finalizer of `SplitMix64`).
#[inline]
fn nonzero(word: u64) -> u32 {
    let mixed = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed >> 32) as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_differ_by_kind_id_and_nesting() {
        let seen = [
            enter(0, Network::Vlan, 5),
            enter(0, Network::Vlan, 6),
            enter(0, Network::Vxlan, 5),
            enter(enter(0, Network::Vlan, 5), Network::Vlan, 6),
            enter(enter(0, Network::Vlan, 6), Network::Vlan, 5),
        ];
        for (i, a) in seen.iter().enumerate() {
            assert_ne!(*a, 0);
            assert!(seen[i + 1..].iter().all(|b| a != b), "{i}");
        }
    }
}
