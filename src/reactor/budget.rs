//! How long one turn may read, and how long it may write.

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

/// Time for reading in one turn. What a small message costs is far below its share of this; 64 KiB of frames of one byte, or of
/// requests that are refused, take some milliseconds, and whoever is not read for them is first in the next turn.
const READING: Duration = Duration::from_millis(2);

/// Bytes between two looks at the clock while reading, beside one in [`STEP`] reads: only a long read can be a slow one.
const LONG: usize = 4_096;

/// What is left of a turn's time for reading. One read may go beyond it.
pub(super) struct Reading {
    ends: Option<Instant>,
    reads: u32,
}

impl Reading {
    pub(super) fn new() -> Self {
        Self { ends: None, reads: 0 }
    }

    /// A read is about to begin.
    pub(super) fn begin(&mut self) {
        self.ends.get_or_insert_with(|| Instant::now() + READING);
    }

    /// Whether the time is over, after a read of so many bytes was carried out.
    pub(super) fn is_spent(&mut self, bytes: usize) -> bool {
        self.reads += 1;
        let look = bytes >= LONG || self.reads.is_multiple_of(STEP);
        look && self.ends.is_some_and(|ends| Instant::now() >= ends)
    }
}
