//! Maps by numbers that the server gives out itself, one after the other: the keys of sessions, the numbers of audiences.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map by such a number. Nobody outside can make one up, so that its hash needs no secret and costs a multiplication.
pub type KeyMap<T> = HashMap<u32, T, BuildHasherDefault<KeyHasher>>;

/// Hashes one number.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write_u32(&mut self, key: u32) {
        // Fibonacci hashing spreads keys that follow each other, whatever the step between them, over the upper bits; a map
        // takes its places from the lower.
        let spread = (self.0 ^ u64::from(key)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = spread ^ (spread >> 32);
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn no_step_between_keys_makes_them_meet() {
        let state = BuildHasherDefault::<KeyHasher>::default();
        for step in (0..20).map(|bits| 1_u32 << bits).chain([3, 10, 1_000]) {
            let hashes = (0..1_024).map(|index: u32| state.hash_one(index.wrapping_mul(step)));
            let places: HashSet<u64> = hashes.map(|hash| hash % 2_048).collect();
            assert!(places.len() > 512, "{} places at a step of {step}", places.len());
        }
    }
}
