//! Rates: how often something may happen, with a burst.

/// Tokens that come back at a steady rate. 8 bytes, and full when new.
///
/// What is owed is kept as the moment at which it is paid. Its 64 bits last for 584 years, so nothing wraps. A shard
/// whose clock is a little behind that of the last shard sees a little more owed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// When it is full again, in nanoseconds of the clock that all shards share.
    full_at: u64,
}

/// A rate and the burst that it allows. A rate of 0 allows everything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Tokens that come back per second.
    pub per_second: f32,
    /// Tokens in a full bucket.
    pub burst: f32,
}

/// Nanoseconds in a millisecond.
const NANOS: u64 = 1_000_000;

impl Rate {
    /// No limit.
    #[cfg(test)]
    pub(crate) const FREE: Self = Self { per_second: 0.0, burst: 0.0 };

    /// So many per second, and twice as many at once, so that people can come back together after a pause.
    pub fn per_second(number: u32) -> Self {
        Self { per_second: number as f32, burst: 2.0 * number as f32 }
    }

    /// Whether there is a limit.
    pub fn is_limit(self) -> bool {
        self.per_second > 0.0
    }

    /// Nanoseconds in which `cost` tokens come back.
    fn time(self, cost: f32) -> u64 {
        (f64::from(cost) / f64::from(self.per_second) * 1e9).round() as u64
    }
}

impl Bucket {
    /// Takes `cost` tokens at this millisecond of the clock that all shards share. If they are not there, it takes none
    /// and returns in how many milliseconds they will be.
    ///
    /// If the cost is more than a full bucket holds, it is allowed when the bucket is full, and the wait comes
    /// afterwards: one large message must not be impossible for ever.
    pub fn take(&mut self, rate: Rate, cost: f32, now_ms: u64) -> Result<(), u64> {
        match self.wait(rate, cost, now_ms) {
            0 => {
                self.draw(rate, cost, now_ms);
                Ok(())
            }
            wait_ms => Err(wait_ms),
        }
    }

    /// The milliseconds until `cost` tokens are there.
    pub fn wait(&self, rate: Rate, cost: f32, now_ms: u64) -> u64 {
        if !rate.is_limit() {
            return 0;
        }
        let wanted = self.owed(now_ms).saturating_add(rate.time(cost.min(rate.burst)));
        wanted.saturating_sub(rate.time(rate.burst)).div_ceil(NANOS)
    }

    /// Takes `cost` tokens, whether they are there or not.
    pub fn draw(&mut self, rate: Rate, cost: f32, now_ms: u64) {
        if rate.is_limit() {
            let since = self.full_at.max(now_ms.saturating_mul(NANOS));
            self.full_at = since.saturating_add(rate.time(cost));
        }
    }

    /// Nanoseconds until it is full.
    fn owed(&self, now_ms: u64) -> u64 {
        self.full_at.saturating_sub(now_ms.saturating_mul(NANOS))
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

    /// Where milliseconds, microseconds and ticks no longer fit into 32 bits.
    const EDGES: [u64; 4] = [1 << 32, (1 << 32) / 1_000, 250 * (1 << 32), 1 << 33];

    #[test]
    fn no_age_of_the_server_makes_a_rate_another() {
        for edge in EDGES {
            for begin in (edge.saturating_sub(4_000_000)..edge + 4_000_000).step_by(399_999) {
                let mut old = Bucket::default();
                old.draw(RATE, 20.0, 7);
                for mut bucket in [Bucket::default(), old] {
                    (0..20).for_each(|_| assert_eq!(bucket.take(RATE, 1.0, begin), Ok(()), "at {begin}"));
                    assert_eq!(bucket.take(RATE, 1.0, begin), Err(100), "at {begin}");
                    assert_eq!(bucket.take(RATE, 1.0, begin + 100), Ok(()), "at {begin}");
                }
            }
        }
        assert_eq!(Bucket::default().take(Rate::FREE, 1e9, 0), Ok(()));
    }

    #[test]
    fn what_is_taken_all_the_time_is_taken_at_the_rate_across_every_edge() {
        for edge in EDGES {
            let mut bucket = Bucket::default();
            let begin = edge.saturating_sub(60_000);
            let taken =
                (begin..edge + 60_000).step_by(10).filter(|&ms| bucket.take(RATE, 1.0, ms).is_ok()).count()
                    as u64;
            assert_eq!(taken, 20 + (edge + 60_000 - 10 - begin) / 100, "at {edge}");
        }
    }

    #[test]
    fn a_clock_that_is_behind_brings_nothing_back() {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(RATE, 20.0, 5_000), Ok(()));
        assert_eq!(bucket.take(RATE, 1.0, 4_990), Err(110));
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
