//! Histograms of durations, written by one thread and read by any.

use std::sync::atomic::{AtomicU64, Ordering};

/// The upper bound of each bucket, in microseconds. One more bucket counts what took longer.
pub const BOUNDS_US: [u32; 19] = [
    10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
    1_000_000, 2_000_000, 5_000_000, 10_000_000,
];

const BUCKETS: usize = BOUNDS_US.len() + 1;

/// Adds to a number that only one thread writes: a load and a store, no locked instruction.
pub(super) fn add(to: &AtomicU64, more: u64) {
    to.store(to.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}

/// Durations since the start. Only one thread may record.
#[derive(Debug, Default)]
pub struct Histogram {
    counts: [AtomicU64; BUCKETS],
    sum_us: AtomicU64,
}

impl Histogram {
    /// Counts something that took this many microseconds.
    pub fn record(&self, us: u32) {
        add(&self.counts[bucket(us)], 1);
        add(&self.sum_us, u64::from(us));
    }

    /// Everything recorded so far. A record under way may be half in it.
    pub fn read(&self) -> Distribution {
        let counts = self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        Distribution { counts, sum_us: self.sum_us.load(Ordering::Relaxed) }
    }
}

fn bucket(us: u32) -> usize {
    BOUNDS_US.partition_point(|bound| *bound < us)
}

/// Durations of the current second and the one before. Only one thread may record.
#[derive(Debug, Default)]
pub struct Recent {
    /// Even seconds and odd ones.
    windows: [Window; 2],
}

#[derive(Debug, Default)]
struct Window {
    second: AtomicU64,
    counts: [AtomicU64; BUCKETS],
}

impl Recent {
    /// Counts something that took this many microseconds and ended in this second.
    pub fn record(&self, us: u32, second: u64) {
        let window = &self.windows[(second % 2) as usize];
        if window.second.load(Ordering::Relaxed) != second {
            window.counts.iter().for_each(|count| count.store(0, Ordering::Relaxed));
            window.second.store(second, Ordering::Relaxed);
        }
        add(&window.counts[bucket(us)], 1);
    }

    /// What was recorded in this second and the one before it.
    pub fn read(&self, second: u64) -> Distribution {
        let mut sum = Distribution::default();
        for window in &self.windows {
            let age = second.wrapping_sub(window.second.load(Ordering::Relaxed));
            if age <= 1 {
                let counts = window.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
                sum.add(&Distribution { counts, sum_us: 0 });
            }
        }
        sum
    }
}

/// How many things took how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    counts: [u64; BUCKETS],
    sum_us: u64,
}

impl Distribution {
    /// Adds what another shard counted.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.sum_us = self.sum_us.wrapping_add(other.sum_us);
    }

    /// How many things there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long they took together, in microseconds.
    pub fn sum_us(&self) -> u64 {
        self.sum_us
    }

    /// How many are in each bucket, with the bucket's bound in microseconds; `None` for the last, which has no bound.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<u32>, u64)> {
        BOUNDS_US.iter().copied().map(Some).chain([None]).zip(self.counts)
    }

    /// The quantile at `share`, in microseconds. Exact to the bucket; within a bucket it assumes an even spread. `None` if
    /// nothing was recorded.
    pub fn quantile_us(&self, share: f64) -> Option<u64> {
        let count = self.count();
        let rank = ((count as f64 * share).ceil() as u64).clamp(1, count.max(1));
        let mut below = 0;
        let mut from = 0;
        for (bound, here) in self.buckets() {
            // The last bucket has no upper bound.
            let to = bound.map_or(from, u64::from);
            if here > 0 && below + here >= rank {
                return Some(from + (to - from) * (rank - below) / here);
            }
            (below, from) = (below + here, to);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_counted_up_to_its_bound() {
        let histogram = Histogram::default();
        for us in [0, 10, 11, 10_000_000, 10_000_001, u32::MAX] {
            histogram.record(us);
        }
        let read = histogram.read();
        let filled: Vec<_> = read.buckets().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(Some(10), 2), (Some(20), 1), (Some(10_000_000), 1), (None, 2)]);
        assert_eq!((read.count(), read.sum_us()), (6, 20_000_022 + u64::from(u32::MAX)));
    }

    #[test]
    fn quantiles_lie_in_their_bucket() {
        let histogram = Histogram::default();
        assert_eq!(histogram.read().quantile_us(0.5), None);
        (0..98).for_each(|_| histogram.record(150));
        (0..2).for_each(|_| histogram.record(30_000));
        let read = histogram.read();
        assert_eq!((read.quantile_us(0.5), read.quantile_us(0.98)), (Some(151), Some(200)));
        assert_eq!((read.quantile_us(0.99), read.quantile_us(1.0)), (Some(35_000), Some(50_000)));
        histogram.record(u32::MAX);
        assert_eq!(histogram.read().quantile_us(1.0), Some(10_000_000));
    }

    #[test]
    fn shards_are_added_up() {
        let [a, b] = [Histogram::default(), Histogram::default()];
        a.record(15);
        b.record(15);
        b.record(5);
        let mut sum = a.read();
        sum.add(&b.read());
        assert_eq!((sum.count(), sum.sum_us()), (3, 35));
    }

    #[test]
    fn what_is_recent_is_this_second_and_the_last() {
        let recent = Recent::default();
        let count = |second| recent.read(second).count();
        recent.record(15, 100);
        recent.record(15, 101);
        recent.record(15, 101);
        assert_eq!([count(100), count(101), count(102), count(103)], [1, 3, 2, 0]);
        recent.record(15, 102);
        assert_eq!([count(102), count(103)], [3, 1]);
        // A clock that was set back starts again.
        recent.record(15, 50);
        assert_eq!(count(50), 1);
    }
}
