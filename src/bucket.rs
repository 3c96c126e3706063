//! Rates: how often something may happen, with room for a burst.

/// Tokens that come back at a steady rate. 8 bytes, and full when new.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// What has been taken and has not come back.
    debt: f32,
    /// When that was so, in milliseconds of the loop, modulo 2^32.
    at_ms: u32,
}

/// A rate and the burst that it allows. A rate of 0 allows everything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Tokens that come back a second.
    pub per_second: f32,
    /// Tokens in a full bucket.
    pub burst: f32,
}

/// A clock that seems to be behind by less than this is: shards read the time one after another. One that seems to be
/// further behind has wrapped round.
const BEHIND_MS: i32 = 3_600_000;

impl Rate {
    /// No limit.
    pub const FREE: Self = Self { per_second: 0.0, burst: 0.0 };

    /// So many a second, and twice as many at once, which lets people come back together after a pause.
    pub fn per_second(number: u32) -> Self {
        Self { per_second: number as f32, burst: 2.0 * number as f32 }
    }

    /// Whether there is a limit.
    pub fn is_limit(self) -> bool {
        self.per_second > 0.0
    }
}

impl Default for Bucket {
    fn default() -> Self {
        Self { debt: 0.0, at_ms: 0 }
    }
}

impl Bucket {
    /// Takes `cost` tokens; if they are not there, takes none and says in how many milliseconds they will be.
    ///
    /// What costs more than a full bucket holds is allowed when the bucket is full, and has to be waited off afterwards:
    /// one large message must not be impossible for ever.
    pub fn take(&mut self, rate: Rate, cost: f32, loop_ms: u64) -> Result<(), u64> {
        match self.wait(rate, cost, loop_ms) {
            0 => {
                self.draw(rate, cost, loop_ms);
                Ok(())
            }
            wait_ms => Err(wait_ms),
        }
    }

    /// In how many milliseconds `cost` tokens will be there.
    pub fn wait(&self, rate: Rate, cost: f32, loop_ms: u64) -> u64 {
        let over = self.debt_at(rate, loop_ms) + cost.min(rate.burst) - rate.burst;
        if !rate.is_limit() || over <= 0.0 {
            return 0;
        }
        (over / rate.per_second * 1_000.0).ceil().max(1.0) as u64
    }

    /// Takes `cost` tokens, whether they are there or not.
    pub fn draw(&mut self, rate: Rate, cost: f32, loop_ms: u64) {
        if !rate.is_limit() {
            return;
        }
        self.debt = self.debt_at(rate, loop_ms) + cost;
        if self.passed_ms(loop_ms).is_some() {
            self.at_ms = loop_ms as u32;
        }
    }

    fn debt_at(&self, rate: Rate, loop_ms: u64) -> f32 {
        let passed_ms = self.passed_ms(loop_ms).unwrap_or_default();
        (self.debt - rate.per_second * passed_ms as f32 / 1_000.0).max(0.0)
    }

    /// Milliseconds since the debt was last reckoned; none for a shard whose clock is behind that of the last.
    fn passed_ms(&self, loop_ms: u64) -> Option<u32> {
        let passed = (loop_ms as u32).wrapping_sub(self.at_ms);
        (!(-BEHIND_MS..0).contains(&passed.cast_signed())).then_some(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10.0, burst: 20.0 };

    #[test]
    fn a_burst_then_the_rate() {
        let mut bucket = Bucket::default();
        for _ in 0..20 {
            assert_eq!(bucket.take(RATE, 1.0, 1_000), Ok(()));
        }
        assert_eq!(bucket.take(RATE, 1.0, 1_000), Err(100));
        assert_eq!(bucket.take(RATE, 1.0, 1_050), Err(50));
        assert_eq!(bucket.take(RATE, 1.0, 1_101), Ok(()));
        assert_eq!(bucket.take(RATE, 3.0, 1_101), Err(299));
    }

    #[test]
    fn what_is_larger_than_the_bucket_is_waited_off() {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(RATE, 50.0, 0), Ok(()));
        assert_eq!(bucket.take(RATE, 1.0, 0), Err(3_100));
        assert_eq!(bucket.take(RATE, 50.0, 5_001), Ok(()));
    }

    #[test]
    fn time_wraps_after_49_days_and_no_rate_is_no_limit() {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(RATE, 20.0, u64::from(u32::MAX)), Ok(()));
        assert_eq!(bucket.take(RATE, 10.0, u64::from(u32::MAX) + 1_001), Ok(()));
        assert_eq!(bucket.take(Rate::FREE, 1e9, 0), Ok(()));
    }

    #[test]
    fn a_clock_that_is_behind_brings_nothing_back() {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(RATE, 20.0, 5_000), Ok(()));
        assert_eq!(bucket.take(RATE, 1.0, 4_990), Err(100));
        bucket.draw(RATE, 1.0, 4_990);
        assert_eq!(bucket.wait(RATE, 1.0, 5_000), 200);
        assert_eq!(bucket.take(RATE, 1.0, 5_200), Ok(()));
    }

    #[test]
    fn what_is_drawn_is_waited_off() {
        let mut bucket = Bucket::default();
        bucket.draw(RATE, 25.0, 0);
        assert_eq!((bucket.wait(RATE, 0.0, 0), bucket.wait(RATE, 1.0, 0)), (500, 600));
        assert_eq!(bucket.wait(RATE, 1.0, 600), 0);
    }

    #[test]
    fn a_bucket_is_small() {
        assert_eq!(size_of::<Bucket>(), 8);
    }
}
