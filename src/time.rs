//! Time below the reactor: a value that is passed in. No clock is read there.

use std::time::{Duration, SystemTime};

/// The time, read once a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds that the loop has run. It never jumps: time in which the process was stopped does not count.
    pub loop_ms: u64,
    /// Milliseconds since 1970 by the wall clock, for texts that people read and for the expiry of tokens.
    pub wall_ms: u64,
    /// Microseconds by a clock that all shards of the process share, for measuring and for rates. A shard's own time
    /// stands still while it has nothing to wait for, so this one measures what concerns all shards.
    pub us: u64,
}

impl Now {
    /// Milliseconds of the clock that all shards share.
    pub fn shared_ms(self) -> u64 {
        self.us / 1_000
    }

    /// The tick that this moment falls in.
    pub fn tick(self) -> Tick {
        Tick::holding(self.loop_ms)
    }

    /// The first tick that begins when `wait` has passed. By the loop's milliseconds it is never early, and late by less
    /// than a tick.
    pub fn after(self, wait: Duration) -> Tick {
        let until_ms = self.loop_ms.saturating_add(millis(wait));
        if wait.is_zero() { self.tick() } else { Tick::holding(until_ms.saturating_add(Tick::MS - 1)) }
    }

    /// For a time that should not be longer than `wait`: the last tick that begins by then, unless that cuts off more
    /// than a quarter of `wait`.
    pub fn within(self, wait: Duration) -> Tick {
        let until = Tick::holding(self.loop_ms.saturating_add(millis(wait)));
        let least = self.after(wait / 4 * 3);
        until.max(least)
    }
}

/// A moment of the loop's clock, to a quarter of a second. 32 bits hold 34 years of it; after that it stands still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(pub u32);

impl Tick {
    /// Milliseconds in a tick.
    pub const MS: u64 = 250;
    /// The beginning of the loop's time.
    pub const ZERO: Self = Self(0);
    /// Later than every other tick: nothing is waited for.
    pub const NEVER: Self = Self(u32::MAX);

    /// The last tick that is a real moment.
    const LAST: Self = Self(u32::MAX - 1);

    /// The tick in which the loop has run for so long.
    fn holding(loop_ms: u64) -> Self {
        Self((loop_ms / Self::MS).min(u64::from(Self::LAST.0)) as u32)
    }

    /// The first tick by which `wait` has passed since any moment of this one, so that no duration ends early; it may end
    /// up to two ticks late. A `wait` of zero is over at once.
    pub fn after(self, wait: Duration) -> Self {
        self.later(millis(wait).div_ceil(Self::MS).saturating_add(u64::from(!wait.is_zero())))
    }

    /// The tick in which something that is repeated at the interval `every` is done next: on average at that interval, or
    /// a little sooner if `every` is not a multiple of a tick.
    pub fn next(self, every: Duration) -> Self {
        self.later((millis(every) / Self::MS).max(1))
    }

    fn later(self, ticks: u64) -> Self {
        Self(self.0.saturating_add(u32::try_from(ticks).unwrap_or(u32::MAX))).min(Self::LAST)
    }

    /// The time from `earlier` to this; zero if `earlier` is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::from(self.0.saturating_sub(earlier.0)) * Self::MS)
    }
}

/// Whole milliseconds, rounded up.
fn millis(wait: Duration) -> u64 {
    let rest = u64::from(wait.subsec_nanos().div_ceil(1_000_000));
    wait.as_secs().saturating_mul(1_000).saturating_add(rest)
}

/// One deadline for each entry of a slab: the first thing that it waits for.
///
/// To set one is a store, and to cancel one is to set another. A sweep four times per second finds what is due. It costs
/// half a nanosecond for each entry and needs no heap, wheel or map.
#[derive(Debug, Default)]
pub struct Deadlines {
    at: Vec<Tick>,
    soonest: Option<Tick>,
    swept: Option<Tick>,
    /// The chunk at which an unfinished sweep goes on.
    rest: Option<usize>,
}

impl Deadlines {
    /// Sets what entry `key` waits for; `Tick::NEVER` for nothing.
    pub fn set(&mut self, key: u32, at: Tick) {
        let key = key as usize;
        if key >= self.at.len() {
            self.at.resize(key + 1, Tick::NEVER);
        }
        self.at[key] = at;
        if at != Tick::NEVER {
            self.soonest = Some(self.soonest.map_or(at, |soonest| soonest.min(at)));
        }
    }

    /// Sets the deadline of `key` to `at`, if it is later now.
    pub fn hasten(&mut self, key: u32, at: Tick) {
        if self.get(key) > at {
            self.set(key, at);
        }
    }

    /// What entry `key` waits for.
    pub fn get(&self, key: u32) -> Tick {
        self.at.get(key as usize).copied().unwrap_or(Tick::NEVER)
    }

    /// A tick before which nothing is due; `None` when nothing waits.
    pub fn soonest(&self) -> Option<Tick> {
        if self.is_cut_short() {
            return self.swept;
        }
        // One sweep a tick. Deadlines set for this tick after the sweep are found by the next.
        let next = self.swept.map_or(Tick::ZERO, |swept| swept.later(1));
        self.soonest.map(|soonest| soonest.max(next))
    }

    /// Whether the last sweep stopped early and is to go on.
    pub fn is_cut_short(&self) -> bool {
        self.rest.is_some()
    }

    /// Moves entries that are due to `due` and clears their deadlines. It stops at the end of the chunk in which it has
    /// found `most` of them, and the next call goes on. Until then the others keep their deadlines, which can be set
    /// anew.
    pub fn sweep(&mut self, now: Tick, most: usize, due: &mut Vec<u32>) {
        let begin = match self.rest.take() {
            Some(chunk) => chunk,
            None if self.swept == Some(now) || self.soonest.is_none_or(|soonest| soonest > now) => return,
            None => {
                (self.swept, self.soonest) = (Some(now), None);
                0
            }
        };
        let mut soonest = Tick::NEVER;
        // A chunk is swept as a whole. So entries that are set for this tick again do not delay those after them.
        for (index, chunk) in self.at.chunks_mut(CHUNK).enumerate().skip(begin) {
            let mut first = earliest(chunk);
            if first <= now {
                for (at, key) in chunk.iter_mut().zip(index * CHUNK..).filter(|(at, _)| **at <= now) {
                    *at = Tick::NEVER;
                    due.push(key as u32);
                }
                first = earliest(chunk);
            }
            soonest = soonest.min(first);
            if due.len() >= most {
                self.rest = Some(index + 1);
                break;
            }
        }
        if soonest != Tick::NEVER {
            self.soonest = Some(self.soonest.map_or(soonest, |other| other.min(soonest)));
        }
    }
}

/// Deadlines that a sweep checks together: in most chunks none is due.
const CHUNK: usize = 64;

/// The earliest of some deadlines. It compares plain numbers, so that the compiler uses whole vector registers.
fn earliest(deadlines: &[Tick]) -> Tick {
    Tick(deadlines.iter().map(|tick| tick.0).fold(Tick::NEVER.0, u32::min))
}

/// `wall_ms` as RFC 3339 in UTC with milliseconds, as every `time` on the wire is written.
pub fn rfc3339(wall_ms: u64) -> humantime::Rfc3339Timestamp {
    // Year 9999 is the last that RFC 3339 can express.
    const LAST: u64 = 253_402_300_799_999;
    humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + Duration::from_millis(wall_ms.min(LAST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_so_that_nothing_is_early() {
        for wait_ms in [1, 249, 250, 251, 300, 500, 1_000] {
            let wait = Duration::from_millis(wait_ms);
            for ms in 2_000..2_250 {
                let now = Now { loop_ms: ms, wall_ms: 0, us: 0 };
                for (until, late_ms) in [(now.after(wait), 249), (now.tick().after(wait), 500)] {
                    let waited = u64::from(until.0) * Tick::MS - ms;
                    assert!(
                        (wait_ms..=wait_ms + late_ms).contains(&waited),
                        "{waited} ms for {wait_ms} ms at {ms}"
                    );
                }
            }
        }
    }

    #[test]
    fn nothing_to_wait_for_is_over_at_once() {
        assert_eq!(Tick(8).after(Duration::ZERO), Tick(8));
        assert_eq!(Now { loop_ms: 2_249, wall_ms: 0, us: 0 }.after(Duration::ZERO), Tick(8));
        assert_eq!(Tick(8).after(Duration::from_micros(1)), Tick(10));
    }

    #[test]
    fn what_is_done_every_second_is_done_every_fourth_tick() {
        assert_eq!(Tick(8).next(Duration::from_secs(1)), Tick(12));
        assert_eq!(Tick(8).next(Duration::from_millis(1)), Tick(9));
    }

    #[test]
    fn patience_is_over_in_time_and_not_much_sooner() {
        for loop_ms in 0..1_000 {
            let now = Now { loop_ms, wall_ms: 0, us: 0 };
            for wait_ms in [1, 200, 250, 251, 1_000, 1_001, 5_000] {
                let lasts = u64::from(now.within(Duration::from_millis(wait_ms)).0) * Tick::MS - loop_ms;
                let most = if wait_ms < 4 * Tick::MS { wait_ms + Tick::MS } else { wait_ms };
                assert!((wait_ms * 3 / 4..=most).contains(&lasts), "{loop_ms} {wait_ms}: {lasts}");
            }
        }
    }

    #[test]
    fn the_last_tick_stays_and_what_waits_is_due_in_it() {
        let for_ever = Duration::from_secs(u64::MAX / 2_000);
        assert_eq!([Tick(8).after(for_ever), Tick(8).after(Duration::MAX)], [Tick::LAST; 2]);
        let end = Now { loop_ms: u64::MAX, wall_ms: 0, us: 0 };
        assert_eq!(
            (end.tick(), end.after(Duration::MAX), Tick::LAST.next(for_ever)),
            (Tick::LAST, Tick::LAST, Tick::LAST)
        );
        let mut deadlines = Deadlines::default();
        let mut due = Vec::new();
        deadlines.sweep(Tick(u32::MAX - 2), usize::MAX, &mut due);
        deadlines.set(0, Tick(u32::MAX - 2).after(Duration::from_secs(9)));
        deadlines.sweep(Tick::LAST, usize::MAX, &mut due);
        assert_eq!((due, deadlines.soonest()), (vec![0], None));
    }

    #[test]
    fn a_sweep_finds_what_is_due_once() {
        let mut deadlines = Deadlines::default();
        deadlines.set(3, Tick(5));
        deadlines.set(1, Tick(9));
        deadlines.set(1, Tick(6));
        deadlines.hasten(3, Tick(7));
        let mut due = Vec::new();
        deadlines.sweep(Tick(4), usize::MAX, &mut due);
        assert!(due.is_empty());
        deadlines.sweep(Tick(5), usize::MAX, &mut due);
        assert_eq!(due, [3]);
        assert_eq!(deadlines.soonest(), Some(Tick(6)));
        deadlines.sweep(Tick(50), usize::MAX, &mut due);
        assert_eq!(due, [3, 1]);
        assert_eq!(deadlines.soonest(), None);
    }

    #[test]
    fn a_sweep_finds_what_is_due_in_every_chunk() {
        let mut deadlines = Deadlines::default();
        let count = 3 * CHUNK as u32 + 1;
        (0..count).for_each(|key| deadlines.set(key, Tick(10 + key % 7)));
        for now in 10..17 {
            let mut due = Vec::new();
            deadlines.sweep(Tick(now), usize::MAX, &mut due);
            assert_eq!(due, (0..count).filter(|key| 10 + key % 7 == now).collect::<Vec<_>>());
        }
        assert_eq!(deadlines.soonest(), None);
    }

    #[test]
    fn a_sweep_goes_on_where_it_was_cut_short() {
        let mut deadlines = Deadlines::default();
        let count = 5 * CHUNK as u32;
        (0..count).for_each(|key| deadlines.set(key, Tick(10)));
        let (mut found, mut due) = (Vec::new(), Vec::new());
        deadlines.sweep(Tick(10), 1, &mut due);
        assert_eq!((due.len(), deadlines.is_cut_short(), deadlines.soonest()), (CHUNK, true, Some(Tick(10))));
        // One entry that was found is due again at once, one no longer waits, and one waits for something earlier than
        // all others.
        deadlines.set(0, Tick(10));
        deadlines.set(count - 1, Tick::NEVER);
        deadlines.set(1, Tick(12));
        found.append(&mut due);
        while deadlines.is_cut_short() {
            deadlines.sweep(Tick(11), 2 * CHUNK, &mut due);
            assert!(due.len() <= 2 * CHUNK);
            found.append(&mut due);
        }
        assert_eq!(found, (0..count - 1).collect::<Vec<_>>());
        assert_eq!(deadlines.soonest(), Some(Tick(11)));
        deadlines.sweep(Tick(11), 1, &mut due);
        assert!(deadlines.is_cut_short());
        deadlines.sweep(Tick(12), usize::MAX, &mut due);
        assert_eq!((&due[..], deadlines.soonest()), (&[0][..], Some(Tick(12))));
        deadlines.sweep(Tick(12), usize::MAX, &mut due);
        assert_eq!((&due[..], deadlines.soonest()), (&[0, 1][..], None));
    }

    #[test]
    fn a_deadline_set_for_the_tick_that_was_swept_is_not_forgotten() {
        let mut deadlines = Deadlines::default();
        let mut due = Vec::new();
        deadlines.set(0, Tick(5));
        deadlines.sweep(Tick(5), usize::MAX, &mut due);
        deadlines.set(1, Tick(5));
        assert_eq!(
            deadlines.soonest(),
            Some(Tick(6)),
            "waiting for a tick that was swept would be waiting for nothing"
        );
        deadlines.sweep(Tick(6), usize::MAX, &mut due);
        assert_eq!(due, [0, 1]);
    }

    #[test]
    fn times_are_utc_with_milliseconds() {
        assert_eq!(rfc3339(1_700_000_000_007).to_string(), "2023-11-14T22:13:20.007Z");
        assert!(rfc3339(u64::MAX).to_string().starts_with("9999-12-31"));
    }
}
