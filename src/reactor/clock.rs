//! The loop's clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::time::Now;

/// The most that the loop's time advances in one turn.
///
/// A process that was stopped, or a machine that slept, wakes up with bytes waiting in its sockets. It must read them
/// before it holds their senders' silence against them, so it is not as old as the clock says.
const STRIDE_MS: u64 = 1_000;

/// Reads the time once a turn.
pub(super) struct Clock {
    last: Instant,
    loop_ms: u64,
    /// What a turn advanced less than a millisecond.
    rest_us: u64,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { last: Instant::now(), loop_ms: 0, rest_us: 0 }
    }

    pub(super) fn read(&mut self) -> Now {
        let now = Instant::now();
        let passed_us = now.duration_since(self.last).as_micros() as u64 + self.rest_us;
        self.last = now;
        self.loop_ms += (passed_us / 1_000).min(STRIDE_MS);
        self.rest_us = passed_us % 1_000;
        let wall_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |wall| wall.as_millis() as u64);
        Now { loop_ms: self.loop_ms, wall_ms }
    }
}
