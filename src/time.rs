//! Time as everything below the reactor sees it: a value passed in, never a clock looked at.

use std::time::{Duration, SystemTime};

/// What time it is, read once a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds that the loop has lived. Never jumps: a process that was stopped is not older for it.
    pub loop_ms: u64,
    /// Milliseconds since 1970 by the wall clock, for what people read and for token expiry.
    pub wall_ms: u64,
    /// Microseconds by a clock that all shards of the process share, for measuring.
    pub us: u64,
}

impl Now {
    /// The tick that this moment falls in.
    pub fn tick(self) -> Tick {
        Tick((self.loop_ms / Tick::MS) as u32)
    }
}

/// A moment of the loop's clock to a quarter of a second; 32 bits hold 34 years of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(pub u32);

impl Tick {
    /// Milliseconds in a tick.
    pub const MS: u64 = 250;
    /// The beginning of the loop's time.
    pub const ZERO: Self = Self(0);
    /// Later than every other: what nobody waits for.
    pub const NEVER: Self = Self(u32::MAX);

    /// The first tick that is at least `wait` later.
    pub fn after(self, wait: Duration) -> Self {
        let ticks = (wait.as_millis() as u64).div_ceil(Self::MS).min(u64::from(u32::MAX - 1));
        Self(self.0.saturating_add(ticks as u32).min(u32::MAX - 1))
    }

    /// The time from `earlier` to this, zero if it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::from(self.0.saturating_sub(earlier.0)) * Self::MS)
    }
}

/// One deadline for each entry of a slab: the soonest thing that it waits for.
///
/// Setting one is a store and cancelling is setting another; what is due is found by a sweep four times a second, which
/// costs half a nanosecond an entry and needs no heap, wheel or map.
#[derive(Debug, Default)]
pub struct Deadlines {
    at: Vec<Tick>,
    soonest: Option<Tick>,
    swept: Option<Tick>,
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

    /// Brings the deadline of `key` forward to `at`, if it is later now.
    pub fn hasten(&mut self, key: u32, at: Tick) {
        if self.get(key) > at {
            self.set(key, at);
        }
    }

    /// What entry `key` waits for.
    pub fn get(&self, key: u32) -> Tick {
        self.at.get(key as usize).copied().unwrap_or(Tick::NEVER)
    }

    /// A tick before which nothing is due, or none when nothing waits.
    pub fn soonest(&self) -> Option<Tick> {
        // One sweep a tick: what was set for this one since is found by the next.
        let next = self.swept.map_or(Tick::ZERO, |swept| Tick(swept.0 + 1));
        self.soonest.map(|soonest| soonest.max(next))
    }

    /// Moves the entries that are due to `due` and clears their deadlines.
    pub fn sweep(&mut self, now: Tick, due: &mut Vec<u32>) {
        if self.swept == Some(now) || self.soonest.is_none_or(|soonest| soonest > now) {
            return;
        }
        self.swept = Some(now);
        let mut soonest = Tick::NEVER;
        for (index, chunk) in self.at.chunks_mut(CHUNK).enumerate() {
            let mut first = earliest(chunk);
            if first <= now {
                for (at, key) in chunk.iter_mut().zip(index * CHUNK..).filter(|(at, _)| **at <= now) {
                    *at = Tick::NEVER;
                    due.push(key as u32);
                }
                first = earliest(chunk);
            }
            soonest = soonest.min(first);
        }
        self.soonest = (soonest != Tick::NEVER).then_some(soonest);
    }
}

/// Deadlines that a sweep looks at together: in most chunks none is due.
const CHUNK: usize = 64;

/// The earliest of some deadlines. Over the bare numbers, so that the compiler compares whole vector registers.
fn earliest(deadlines: &[Tick]) -> Tick {
    Tick(deadlines.iter().map(|tick| tick.0).fold(Tick::NEVER.0, u32::min))
}

/// `wall_ms` as RFC 3339 in UTC with milliseconds, as every `time` on the wire is written.
pub fn rfc3339(wall_ms: u64) -> humantime::Rfc3339Timestamp {
    // Year 9999 is the last that RFC 3339 can say.
    const LAST: u64 = 253_402_300_799_999;
    humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + Duration::from_millis(wall_ms.min(LAST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_so_that_nothing_is_early() {
        assert_eq!(Tick(8).after(Duration::from_millis(1)), Tick(9));
        assert_eq!(Tick(8).after(Duration::from_secs(1)), Tick(12));
        assert_eq!(Tick(8).after(Duration::from_secs(u64::MAX / 2000)), Tick(u32::MAX - 1));
    }

    #[test]
    fn a_sweep_finds_what_is_due_once() {
        let mut deadlines = Deadlines::default();
        deadlines.set(3, Tick(5));
        deadlines.set(1, Tick(9));
        deadlines.set(1, Tick(6));
        deadlines.hasten(3, Tick(7));
        let mut due = Vec::new();
        deadlines.sweep(Tick(4), &mut due);
        assert!(due.is_empty());
        deadlines.sweep(Tick(5), &mut due);
        assert_eq!(due, [3]);
        assert_eq!(deadlines.soonest(), Some(Tick(6)));
        deadlines.sweep(Tick(50), &mut due);
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
            deadlines.sweep(Tick(now), &mut due);
            assert_eq!(due, (0..count).filter(|key| 10 + key % 7 == now).collect::<Vec<_>>());
        }
        assert_eq!(deadlines.soonest(), None);
    }

    #[test]
    fn a_deadline_set_for_the_tick_that_was_swept_is_not_forgotten() {
        let mut deadlines = Deadlines::default();
        let mut due = Vec::new();
        deadlines.set(0, Tick(5));
        deadlines.sweep(Tick(5), &mut due);
        deadlines.set(1, Tick(5));
        assert_eq!(
            deadlines.soonest(),
            Some(Tick(6)),
            "waiting for a tick that was swept would be waiting for nothing"
        );
        deadlines.sweep(Tick(6), &mut due);
        assert_eq!(due, [0, 1]);
    }

    #[test]
    fn times_are_utc_with_milliseconds() {
        assert_eq!(rfc3339(1_700_000_000_007).to_string(), "2023-11-14T22:13:20.007Z");
        assert!(rfc3339(u64::MAX).to_string().starts_with("9999-12-31"));
    }
}
