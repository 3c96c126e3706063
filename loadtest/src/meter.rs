//! What a run counts: messages, latencies, and the first error.

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::clock::{Nanos, SECOND};

/// Latencies from a nanosecond to ten minutes, to three digits.
const LONGEST: Nanos = 600 * SECOND;

/// One interval of a run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Point {
    /// Seconds since measuring began, at the interval's end.
    pub(crate) at: f64,
    /// Deliveries per second.
    pub(crate) rate: f64,
    /// Median latency in microseconds.
    pub(crate) p50: f64,
    /// 99th percentile in microseconds.
    pub(crate) p99: f64,
}

/// The counts and latencies of one run.
#[derive(Debug)]
pub(crate) struct Meter {
    measuring: bool,
    delivered: u64,
    published: u64,
    latency: Histogram<u64>,
    /// The latencies of the current interval.
    interval: Histogram<u64>,
    interval_delivered: u64,
    /// How late the load test itself sent.
    lateness: Histogram<u64>,
    failure: Option<String>,
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are in order")
}

/// Nanoseconds as microseconds.
pub(crate) fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1_000.0
}

impl Meter {
    pub(crate) fn new() -> Meter {
        Meter {
            measuring: false,
            delivered: 0,
            published: 0,
            latency: histogram(),
            interval: histogram(),
            interval_delivered: 0,
            lateness: histogram(),
            failure: None,
        }
    }

    /// The warm-up is over: counting begins.
    pub(crate) fn start(&mut self) {
        self.measuring = true;
    }

    /// Counting ends. Messages that still come are checked, but not counted.
    pub(crate) fn stop(&mut self) {
        self.measuring = false;
    }

    /// A message should have been sent at `intended` and is sent `now`.
    pub(crate) fn published(&mut self, intended: Nanos, now: Nanos) {
        if self.measuring {
            self.published += 1;
            self.lateness.saturating_record(now.saturating_sub(intended).max(1));
        }
    }

    /// A message sent (or to be sent) at `sent` has come.
    pub(crate) fn delivered(&mut self, sent: Nanos, now: Nanos) {
        if self.measuring {
            self.delivered += 1;
            self.interval_delivered += 1;
            self.interval.saturating_record(now.saturating_sub(sent).max(1));
        }
    }

    /// A message has come whose latency does not matter.
    pub(crate) fn counted(&mut self) {
        if self.measuring {
            self.delivered += 1;
            self.interval_delivered += 1;
        }
    }

    /// Something was wrong. The first error is kept and ends the run.
    pub(crate) fn fail(&mut self, what: String) {
        self.failure.get_or_insert(what);
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    pub(crate) fn delivered_count(&self) -> u64 {
        self.delivered
    }

    pub(crate) fn published_count(&self) -> u64 {
        self.published
    }

    /// All latencies of the intervals that are over.
    pub(crate) fn latency(&self) -> &Histogram<u64> {
        &self.latency
    }

    /// All latencies so far, those of the current interval too.
    pub(crate) fn so_far(&self) -> Histogram<u64> {
        let mut all = self.latency.clone();
        all.add(&self.interval).expect("histograms of the same bounds");
        all
    }

    pub(crate) fn lateness(&self) -> &Histogram<u64> {
        &self.lateness
    }

    /// Ends an interval of so many seconds, `at` seconds after measuring began.
    pub(crate) fn end_interval(&mut self, at: f64, seconds: f64) -> Point {
        let point = Point {
            at,
            rate: self.interval_delivered as f64 / seconds.max(1e-9),
            p50: micros(self.interval.value_at_quantile(0.5)),
            p99: micros(self.interval.value_at_quantile(0.99)),
        };
        self.latency.add(&self.interval).expect("histograms of the same bounds");
        self.interval.reset();
        self.interval_delivered = 0;
        point
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_falls_in_the_measuring_counts() {
        let mut meter = Meter::new();
        meter.delivered(0, 5_000);
        meter.start();
        meter.published(100, 300);
        meter.delivered(1_000, 3_000);
        meter.stop();
        meter.delivered(0, 9_000);
        assert_eq!((meter.latency().len(), meter.so_far().len()), (0, 1));
        let point = meter.end_interval(1.0, 0.5);
        assert_eq!((meter.delivered_count(), meter.published_count()), (1, 1));
        assert_eq!((point.rate, point.p50, point.p99), (2.0, 2.0, 2.0));
        assert_eq!(meter.latency().len(), 1);
        assert_eq!(meter.lateness().max(), 200);
    }

    #[test]
    fn the_first_failure_is_kept() {
        let mut meter = Meter::new();
        meter.fail("one".to_owned());
        meter.fail("two".to_owned());
        assert_eq!(meter.failure(), Some("one"));
    }
}
