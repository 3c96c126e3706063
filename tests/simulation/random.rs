//! Where every choice of a schedule comes from: a seed, or for a fuzzer the bytes that it made up.

use std::collections::VecDeque;

/// A source of choices.
pub struct Random {
    state: u64,
    bytes: Option<VecDeque<u8>>,
}

impl Random {
    /// The choices that follow from `seed`, on every machine.
    pub fn seeded(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5EED, bytes: None }
    }

    /// The choices that `bytes` spell; when they have run out, always the first.
    pub fn spelled(bytes: &[u8]) -> Self {
        Self { state: 0, bytes: Some(bytes.to_vec().into()) }
    }

    /// Whether nothing is left to choose by.
    pub fn is_spent(&self) -> bool {
        self.bytes.as_ref().is_some_and(|bytes| bytes.is_empty())
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        if end <= 1 {
            return 0;
        }
        match &mut self.bytes {
            Some(bytes) if end <= 256 => usize::from(bytes.pop_front().unwrap_or(0)) % end,
            Some(bytes) => {
                let [high, low] = [(); 2].map(|()| usize::from(bytes.pop_front().unwrap_or(0)));
                (high << 8 | low) % end
            }
            None => ((u128::from(self.next()) * end as u128) >> 64) as usize,
        }
    }

    /// Whether something happens that does so in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        // The first choice is the calm one.
        self.below(100) >= 100 - percent
    }

    /// One of some things.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// splitmix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
