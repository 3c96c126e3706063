//! When the next message is to be sent.

use crate::clock::{Nanos, SECOND};

/// How publishers are driven.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Drive {
    /// Closed loop: so many messages of a publisher may be under way at once.
    Window(u32),
    /// Open loop: each publisher sends so many messages per second, whatever the server does.
    Rate(f64),
}

/// The intended times of an open loop, spread evenly over several publishers. A late message keeps its intended time, so
/// that a stalled server is charged for all messages that should have been sent meanwhile (coordinated omission).
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    start: Nanos,
    /// Nanoseconds from one message to the next, over all publishers.
    step: f64,
    sent: u64,
    publishers: u64,
}

impl Pace {
    /// `rate` messages per second from each of `publishers`, from `start` on.
    pub(crate) fn new(start: Nanos, rate: f64, publishers: usize) -> Pace {
        let publishers = publishers.max(1) as u64;
        Pace { start, step: SECOND as f64 / (rate * publishers as f64), sent: 0, publishers }
    }

    /// When the next message is to be sent.
    pub(crate) fn next(&self) -> Nanos {
        self.start + (self.sent as f64 * self.step) as Nanos
    }

    /// The next publisher and its intended time, if that is not after `now`.
    pub(crate) fn due(&mut self, now: Nanos) -> Option<(usize, Nanos)> {
        let intended = self.next();
        if intended > now {
            return None;
        }
        let publisher = (self.sent % self.publishers) as usize;
        self.sent += 1;
        Some((publisher, intended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishers_take_turns_and_lateness_moves_nothing() {
        let mut pace = Pace::new(1_000, 500_000.0, 2);
        assert_eq!(pace.due(999), None);
        assert_eq!(pace.due(1_000), Some((0, 1_000)));
        assert_eq!(pace.due(1_000), None);
        let late: Vec<_> = std::iter::from_fn(|| pace.due(5_000)).collect();
        assert_eq!(late, [(1, 2_000), (0, 3_000), (1, 4_000), (0, 5_000)]);
        assert_eq!(pace.next(), 6_000);
    }
}
