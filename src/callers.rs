//! How often API keys are used: one bucket for each, which all shards share.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::bucket::{Bucket, Rate};

/// The buckets of API keys, by their names. A key that is read again keeps its own.
#[derive(Debug)]
pub struct Callers {
    rate: Rate,
    buckets: Mutex<HashMap<Box<str>, Bucket>>,
}

impl Callers {
    /// Every key may make calls at this rate.
    pub fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::default() }
    }

    /// Whether there is a limit.
    pub fn is_limit(&self) -> bool {
        self.rate.is_limit()
    }

    /// The key called `name` makes a call.
    ///
    /// # Errors
    ///
    /// In how many milliseconds it may make the next, if that is too soon.
    pub fn take(&self, name: &str, loop_ms: u64) -> Result<(), u64> {
        if !self.is_limit() {
            return Ok(());
        }
        // A bucket is whole between any two steps.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(name) {
            return bucket.take(self.rate, 1.0, loop_ms);
        }
        buckets.entry(name.into()).or_default().take(self.rate, 1.0, loop_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_rate() {
        let callers = Callers::new(Rate::per_second(1));
        let take = |name, ms| callers.take(name, ms);
        assert_eq!([take("a", 0), take("a", 0), take("a", 0)], [Ok(()), Ok(()), Err(1_000)]);
        assert_eq!((take("b", 0), take("a", 1_000)), (Ok(()), Ok(())));
    }

    #[test]
    fn without_a_rate_nothing_is_kept() {
        let callers = Callers::new(Rate::FREE);
        assert_eq!(callers.take("a", 0), Ok(()));
        assert!(callers.buckets.lock().unwrap().is_empty());
    }
}
