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

impl Default for Bucket {
    fn default() -> Self {
        Self { debt: 0.0, at_ms: 0 }
    }
}

impl Bucket {
    /// Takes `cost` tokens; if they are not there, says in how many milliseconds they will be.
    ///
    /// What costs more than a full bucket holds is allowed when the bucket is full, and has to be waited off afterwards:
    /// one large message must not be impossible for ever.
    pub fn take(&mut self, rate: Rate, cost: f32, loop_ms: u64) -> Result<(), u64> {
        if rate.per_second <= 0.0 {
            return Ok(());
        }
        let now_ms = loop_ms as u32;
        let passed_ms = now_ms.wrapping_sub(self.at_ms);
        self.debt = (self.debt - rate.per_second * passed_ms as f32 / 1_000.0).max(0.0);
        self.at_ms = now_ms;
        let over = self.debt + cost.min(rate.burst) - rate.burst;
        if over > 0.0 {
            return Err((over / rate.per_second * 1_000.0).ceil().max(1.0) as u64);
        }
        self.debt += cost;
        Ok(())
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
        assert_eq!(bucket.take(Rate { per_second: 0.0, burst: 0.0 }, 1e9, 0), Ok(()));
    }

    #[test]
    fn a_bucket_is_small() {
        assert_eq!(size_of::<Bucket>(), 8);
    }
}
