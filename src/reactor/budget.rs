//! How long one turn may read, and how long it may write.

use std::time::{Duration, Instant};

/// Time for writing rooms in one turn. A 10,000-member room takes 30 ms to write. In slices of this length, everybody
/// else on the same reactor waits for one slice at most.
const SLICE: Duration = Duration::from_micros(500);

/// Writes between two readings of the clock. A write costs about 3 µs, so the slice is exact to a twentieth.
const STEP: u32 = 16;

/// The time that a turn has left for writing.
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

/// Time for reading in one turn, for going on with what was read before, and for what other shards have posted. A small
/// message costs far less than this, and one visit takes at most about 0.1 ms of small ones, however many have come.
/// Sessions for which no time is left are first in the next turn.
const SHARE: Duration = Duration::from_millis(2);

/// Bytes between two readings of the clock, beside one reading for every [`FEW`] things: mostly only a long read is slow.
const LONG: usize = 4_096;

/// Things done between two readings of the clock. A request of a few bytes can take 0.3 ms; a reading costs 25 ns.
const FEW: u32 = 4;

/// The time that a turn has left for one kind of work. What is begun within it is finished.
pub(super) struct Share<Clock = fn() -> Instant> {
    clock: Clock,
    ends: Option<Instant>,
    done: u32,
}

impl Share {
    pub(super) fn new() -> Self {
        Self::by(Instant::now)
    }
}

impl<Clock: FnMut() -> Instant> Share<Clock> {
    /// A budget by this clock.
    pub(super) fn by(clock: Clock) -> Self {
        Self { clock, ends: None, done: 0 }
    }

    /// Something is about to be done. The time runs from the first call.
    pub(super) fn begin(&mut self) {
        if self.ends.is_none() {
            self.ends = Some((self.clock)() + SHARE);
        }
    }

    /// Something with so many bytes is done. Returns whether the time is over.
    pub(super) fn is_spent(&mut self, bytes: usize) -> bool {
        self.done += 1;
        let look = bytes >= LONG || self.done.is_multiple_of(FEW);
        look && self.ends.is_some_and(|ends| (self.clock)() >= ends)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How many things are done before the time is over, if each takes so long.
    fn done(each: Duration, bytes: usize) -> u32 {
        let now = Cell::new(Instant::now());
        let mut share = Share::by(|| now.get());
        (1..)
            .find(|_| {
                share.begin();
                now.set(now.get() + each);
                share.is_spent(bytes)
            })
            .unwrap()
    }

    #[test]
    fn a_share_ends_with_what_is_done_when_its_time_is_over() {
        let [long, short] = [64 * 1024, 10];
        let us = Duration::from_micros;
        assert_eq!([1, 100, 1_000, 8_000].map(|each| done(us(each), long)), [2_000, 20, 2, 1]);
        assert_eq!([1, 100, 1_000, 8_000].map(|each| done(us(each), short)), [2_000, 20, 4, 4]);
    }

    #[test]
    fn the_time_runs_from_what_is_done_first() {
        let now = Cell::new(Instant::now());
        let mut share = Share::by(|| now.get());
        now.set(now.get() + 10 * SHARE);
        share.begin();
        assert!(!share.is_spent(LONG));
        now.set(now.get() + SHARE);
        assert!(share.is_spent(LONG));
    }
}
