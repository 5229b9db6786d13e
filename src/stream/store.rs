//! Where the packed connections of a shard lie: a few large blocks, so that what is freed goes back to the system
//! at once, and not in pieces of some hundred bytes.

/// Bytes of a block; what is larger has a block of its own. Small in tests, where little is packed.
const BLOCK: usize = if cfg!(test) { 2 << 10 } else { 256 << 10 };

/// Packed connections, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Store {
    blocks: Vec<Vec<u8>>,
    /// Bytes in use, and bytes of what was taken away.
    used: usize,
    free: usize,
}

/// Where one of them lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    block: u32,
    start: u32,
    length: u32,
}

impl Store {
    /// Puts bytes there.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Place {
        let fits = |block: &Vec<u8>| block.capacity() - block.len() >= bytes.len();
        if !self.blocks.last().is_some_and(fits) {
            self.blocks.push(Vec::with_capacity(BLOCK.max(bytes.len())));
        }
        let mut start = 0;
        if let Some(block) = self.blocks.last_mut() {
            start = block.len();
            block.extend_from_slice(bytes);
        }
        self.used += bytes.len();
        let block = self.blocks.len().saturating_sub(1);
        Place { block: block as u32, start: start as u32, length: bytes.len() as u32 }
    }

    /// The bytes that were put there.
    pub(super) fn get(&self, place: Place) -> &[u8] {
        let (start, length) = (place.start as usize, place.length as usize);
        let block = self.blocks.get(place.block as usize);
        block.and_then(|block| block.get(start..start + length)).unwrap_or_default()
    }

    /// Takes them away.
    pub(super) fn free(&mut self, place: Place) {
        self.used -= place.length as usize;
        self.free += place.length as usize;
    }

    /// Whether more lies about than is used: then it is worth moving all of it to another one.
    pub(super) fn is_wasteful(&self) -> bool {
        self.free > self.used + BLOCK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_there_is_found_there() {
        let mut store = Store::default();
        let pieces: Vec<Vec<u8>> =
            [1, 700, 0, BLOCK, 3, BLOCK + 1, BLOCK - 1, 9].map(|length| vec![length as u8; length]).into();
        let places: Vec<Place> = pieces.iter().map(|piece| store.put(piece)).collect();
        for (place, piece) in places.iter().zip(&pieces) {
            assert_eq!(store.get(*place), piece);
        }
        assert!(!store.is_wasteful());
        for place in places {
            store.free(place);
        }
        assert!(store.is_wasteful());
    }
}
