//! When clients come back to a server that they had to leave, and how evenly.

use crate::clock::{Nanos, SECOND};

/// What counts as one instant. If all clients come back within one, that is a stampede.
pub(crate) const INSTANT: Nanos = SECOND / 10;

/// The times of the returns, one for each client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Returns {
    times: Vec<Nanos>,
}

impl Returns {
    pub(crate) fn add(&mut self, at: Nanos) {
        self.times.push(at);
    }

    /// The time by which this share of all has come back; `None` if there are no clients.
    pub(crate) fn by(&self, share: f64) -> Option<Nanos> {
        let sorted = self.sorted();
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied()
    }

    /// The largest share of all that comes back within any one instant.
    pub(crate) fn busiest(&self) -> f64 {
        let sorted = self.sorted();
        let mut most = 0;
        let mut first = 0;
        for (last, at) in sorted.iter().enumerate() {
            while at - sorted[first] >= INSTANT {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most as f64 / sorted.len().max(1) as f64
    }

    fn sorted(&self) -> Vec<Nanos> {
        let mut sorted = self.times.clone();
        sorted.sort_unstable();
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returns(millis: &[u64]) -> Returns {
        Returns { times: millis.iter().map(|at| at * SECOND / 1_000).collect() }
    }

    #[test]
    fn the_busiest_instant_wherever_it_begins() {
        assert_eq!(returns(&[]).busiest(), 0.0);
        assert_eq!(returns(&[500, 0, 100, 250]).busiest(), 0.25);
        assert_eq!(returns(&[0, 90, 150, 160, 189, 190]).busiest(), 4.0 / 6.0);
        assert_eq!(returns(&[7, 7, 7]).busiest(), 1.0);
    }

    #[test]
    fn by_when_a_share_is_back() {
        let four = returns(&[30, 10, 40, 20]);
        let millis = |share| four.by(share).map(|at| at / 1_000_000);
        assert_eq!([millis(0.5), millis(0.99), millis(1.0)], [Some(20), Some(40), Some(40)]);
        assert_eq!(returns(&[]).by(0.5), None);
    }
}
