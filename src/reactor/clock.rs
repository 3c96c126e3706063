//! The loop's clock.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::time::Now;

/// The moment from which all clocks of the process measure.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The most that the loop's time advances in one turn, beyond the time that the loop meant to sleep.
///
/// A process that was stopped, or a machine that slept, wakes up with bytes waiting in its sockets. It must read them before
/// it treats their senders as silent, so the loop's time does not follow the clock.
const STRIDE_MS: u64 = 1_000;

/// Reads the time once a turn.
pub(super) struct Clock {
    last: Instant,
    loop_ms: u64,
    /// Microseconds of past turns that do not make a whole millisecond yet.
    rest_us: u64,
    /// The most that the next turn may advance.
    stride_ms: u64,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { last: Instant::now(), loop_ms: 0, rest_us: 0, stride_ms: STRIDE_MS }
    }

    /// The loop is about to sleep, for at most `timeout`. Without a timeout nothing is due.
    pub(super) fn sleep(&mut self, timeout: Option<Duration>) {
        self.stride_ms = STRIDE_MS + timeout.map_or(0, |timeout| timeout.as_millis() as u64);
    }

    /// Reads both clocks.
    pub(super) fn read(&mut self) -> Now {
        self.advance(wall().as_millis() as u64)
    }

    /// Reads the loop's clock again, but not the wall clock: a turn is too short for a difference there.
    pub(super) fn read_again(&mut self, before: Now) -> Now {
        self.advance(before.wall_ms)
    }

    fn advance(&mut self, wall_ms: u64) -> Now {
        let now = Instant::now();
        let passed_us = now.duration_since(self.last).as_micros() as u64 + self.rest_us;
        self.last = now;
        self.loop_ms += (passed_us / 1_000).min(self.stride_ms);
        self.stride_ms = STRIDE_MS;
        self.rest_us = passed_us % 1_000;
        let us = now.saturating_duration_since(*ORIGIN).as_micros() as u64;
        Now { loop_ms: self.loop_ms, wall_ms, us }
    }
}

/// The time since 1970; zero if the clock shows an earlier time.
pub fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64, timeout: Option<Duration>) -> u64 {
        let mut clock = Clock::new();
        clock.sleep(timeout);
        clock.last =
            Instant::now().checked_sub(Duration::from_secs(seconds)).expect("the machine is up for so long");
        clock.read().loop_ms
    }

    #[test]
    fn a_sleep_that_was_meant_counts_in_full() {
        assert_eq!(after(5, Some(Duration::from_secs(5))) / 100, 50);
    }

    #[test]
    fn a_stop_counts_for_a_second() {
        assert_eq!(after(40, Some(Duration::ZERO)), 1_000);
        assert_eq!(after(40, Some(Duration::from_millis(250))), 1_250);
    }
}
