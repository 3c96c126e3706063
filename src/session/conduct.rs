//! How a session conducts itself: how it came, what it says a second, and how often it was refused.

use std::net::IpAddr;

use super::typed::Typed;
use crate::bucket::{Bucket, Rate};
use crate::settings::Limits;
use crate::time::Tick;

/// Refusals within [`WINDOW`] at which a connection is closed: a client that works never comes near.
const MOST_REFUSALS: u8 = 100;

/// Ticks from the first of the refusals that are counted together: 10 s.
const WINDOW: u32 = 40;

/// What every connection may send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    messages: Rate,
    bytes: Rate,
}

impl Pace {
    /// The pace that `limits` allow, if they limit it.
    pub fn of(limits: &Limits) -> Option<Self> {
        let mut messages = Rate::per_second(limits.messages_per_second);
        if limits.messages_burst > 0 {
            messages.burst = limits.messages_burst as f32;
        }
        let bytes = limits.bytes_per_second as f32;
        let bytes = Rate { per_second: bytes, burst: 2.0 * bytes };
        (messages.is_limit() || bytes.is_limit()).then_some(Self { messages, bytes })
    }
}

/// What is remembered of one session's conduct.
#[derive(Debug, Default)]
pub struct Conduct {
    /// The client's address, where a proxy told it or addresses are limited.
    pub client: Option<IpAddr>,
    /// It is counted among the connections of its client's address.
    pub counted: bool,
    /// What it has said of its writing, if it ever has.
    pub typed: Option<Box<Typed>>,
    messages: Bucket,
    bytes: Bucket,
    /// What it says is not read before.
    pub rests_until: Tick,
    refused_since: Tick,
    refusals: u8,
}

impl Conduct {
    /// A message of so many bytes has come. One that comes too soon counts for nothing.
    ///
    /// # Errors
    ///
    /// In how many milliseconds it may come.
    pub fn say(&mut self, pace: Pace, bytes: usize, now_ms: u64) -> Result<(), u32> {
        let bytes = bytes as f32;
        let wait = self.messages.wait(pace.messages, 1.0, now_ms);
        let wait = wait.max(self.bytes.wait(pace.bytes, bytes, now_ms));
        if wait > 0 {
            return Err(u32::try_from(wait).unwrap_or(u32::MAX));
        }
        self.messages.draw(pace.messages, 1.0, now_ms);
        self.bytes.draw(pace.bytes, bytes, now_ms);
        Ok(())
    }

    /// A message of so many bytes has come that cannot be refused; says in how many milliseconds the next may.
    pub fn suffer(&mut self, pace: Pace, bytes: usize, now_ms: u64) -> u64 {
        self.messages.draw(pace.messages, 1.0, now_ms);
        self.bytes.draw(pace.bytes, bytes as f32, now_ms);
        self.messages.wait(pace.messages, 1.0, now_ms).max(self.bytes.wait(pace.bytes, 0.0, now_ms))
    }

    /// Something was refused; says whether that was once too often.
    pub fn refuse(&mut self, now: Tick) -> bool {
        if self.refusals == 0 || now.0.saturating_sub(self.refused_since.0) > WINDOW {
            (self.refusals, self.refused_since) = (0, now);
        }
        self.refusals += 1;
        self.refusals >= MOST_REFUSALS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(messages_per_second: u32, messages_burst: u32, bytes_per_second: usize) -> Pace {
        let limits = Limits { messages_per_second, messages_burst, bytes_per_second, ..Limits::default() };
        Pace::of(&limits).unwrap()
    }

    #[test]
    fn nothing_configured_is_no_pace() {
        assert_eq!(Pace::of(&Limits::default()), None);
    }

    #[test]
    fn messages_and_bytes_have_each_their_rate() {
        let mut conduct = Conduct::default();
        let pace = pace(10, 0, 1_000);
        for _ in 0..20 {
            assert_eq!(conduct.say(pace, 10, 0), Ok(()));
        }
        assert_eq!(conduct.say(pace, 10, 0), Err(100));
        assert_eq!(conduct.say(pace, 1_950, 100), Err(50), "100 of the 200 bytes came back");
        assert_eq!(conduct.say(pace, 1_950, 150), Ok(()));
        // What is larger than any burst has to wait until nothing is owed.
        assert_eq!(conduct.say(pace, 1_000_000, 250), Err(1_900));
        assert_eq!(conduct.say(pace, 1_000_000, 2_150), Ok(()));
    }

    #[test]
    fn a_burst_is_what_was_set() {
        let mut conduct = Conduct::default();
        let pace = pace(10, 1, 0);
        assert_eq!([conduct.say(pace, 9, 0), conduct.say(pace, 9, 0)], [Ok(()), Err(100)]);
    }

    #[test]
    fn what_cannot_be_refused_is_rested_off() {
        let mut conduct = Conduct::default();
        let pace = pace(10, 2, 1_000);
        assert_eq!([conduct.suffer(pace, 10, 0), conduct.suffer(pace, 10, 0)], [0, 100]);
        assert_eq!(conduct.suffer(pace, 4_000, 1_000), 2_000);
    }

    #[test]
    fn a_hundred_refusals_in_ten_seconds_are_too_many() {
        let refuse = |conduct: &mut Conduct, times, at| (0..times).any(|_| conduct.refuse(Tick(at)));
        let mut conduct = Conduct::default();
        assert!(!refuse(&mut conduct, 99, 1));
        assert!(!refuse(&mut conduct, 99, 2 + WINDOW));
        assert!(refuse(&mut conduct, 1, 2 + WINDOW * 2));
    }
}
