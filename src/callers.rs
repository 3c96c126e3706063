//! How often API keys and users may act: one bucket for each name, which all shards share.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::bucket::{Bucket, Rate};

/// So few names are not worth a sweep.
const FEW: usize = 1_000;

/// The buckets of API keys or users, by their names. A key that is reloaded, and a user who comes back, keep their
/// buckets.
#[derive(Debug)]
pub struct Callers {
    rate: Rate,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    buckets: HashMap<Box<str>, Bucket>,
    /// How many names the last sweep left.
    swept: usize,
}

impl Callers {
    /// No buckets yet; everybody may act at this rate.
    pub fn new(rate: Rate) -> Self {
        Self { rate, book: Mutex::default() }
    }

    /// Whether there is a limit.
    pub fn is_limit(&self) -> bool {
        self.rate.is_limit()
    }

    /// The key or user called `name` acts.
    ///
    /// # Errors
    ///
    /// If this is too soon: in how many milliseconds they may act.
    pub fn take(&self, name: &str, now_ms: u64) -> Result<(), u64> {
        let rate = self.rate;
        self.with(name, now_ms, |bucket| bucket.take(rate, 1.0, now_ms)).unwrap_or(Ok(()))
    }

    /// The key or user called `name` has acted, which cannot be refused. Returns in how many milliseconds they may act
    /// again.
    pub fn suffer(&self, name: &str, now_ms: u64) -> u64 {
        let rate = self.rate;
        let draw = |bucket: &mut Bucket| {
            bucket.draw(rate, 1.0, now_ms);
            bucket.wait(rate, 1.0, now_ms)
        };
        self.with(name, now_ms, draw).unwrap_or_default()
    }

    /// Calls `act` with the bucket of `name`, if there is a limit.
    fn with<T>(&self, name: &str, now_ms: u64, act: impl FnOnce(&mut Bucket) -> T) -> Option<T> {
        if !self.is_limit() {
            return None;
        }
        // A bucket is whole between any two steps.
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = book.buckets.get_mut(name) {
            return Some(act(bucket));
        }
        book.sweep(self.rate, now_ms);
        Some(act(book.buckets.entry(name.into()).or_default()))
    }
}

impl Book {
    /// Forgets full buckets, whenever there are twice as many names as the last sweep left.
    fn sweep(&mut self, rate: Rate, now_ms: u64) {
        if self.buckets.len() < (2 * self.swept).max(FEW) {
            return;
        }
        self.buckets.retain(|_, bucket| bucket.wait(rate, rate.burst, now_ms) > 0);
        self.buckets.shrink_to(FEW);
        self.swept = self.buckets.len();
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
        assert!(callers.book.lock().unwrap().buckets.is_empty());
    }

    #[test]
    fn whoever_is_still_is_forgotten() {
        let callers = Callers::new(Rate::per_second(1));
        for name in 0..FEW {
            assert_eq!(callers.take(&name.to_string(), 0), Ok(()));
        }
        assert_eq!(callers.suffer("loud", 60_000), 0);
        assert_eq!(callers.book.lock().unwrap().buckets.len(), 1);
        assert_eq!([callers.suffer("loud", 60_000), callers.suffer("loud", 60_000)], [1_000, 2_000]);
    }
}
