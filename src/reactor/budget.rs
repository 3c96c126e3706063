//! How long one turn may write.

use std::time::{Duration, Instant};

/// Time for writing rooms in one turn. A 10,000-member room takes 30 ms to write; in slices of this, whoever else is on
/// the same reactor waits for one slice at most.
const SLICE: Duration = Duration::from_micros(500);

/// Writes between two looks at the clock: a write costs about 3 µs, so the slice is kept to within a twentieth.
const STEP: u32 = 16;

/// What is left of a turn's time for writing.
pub(super) struct Budget {
    ends: Option<Instant>,
    writes: u32,
    spent: bool,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { ends: None, writes: 0, spent: false }
    }

    pub(super) fn is_spent(&mut self) -> bool {
        let ends = *self.ends.get_or_insert_with(|| Instant::now() + SLICE);
        self.writes += 1;
        if self.writes.is_multiple_of(STEP) {
            self.spent = Instant::now() >= ends;
        }
        self.spent
    }
}
