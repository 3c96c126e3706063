//! One member that stops reading, and what became of it.

use crate::clock::Nanos;
use crate::net::End;

/// The close code of a slow consumer.
const SLOW: u16 = 4100;

/// A member that stops reading when it is told to.
#[derive(Clone, Debug, Default)]
pub(super) struct Member {
    pub(super) joined: bool,
    /// The sequence that it should see next; its first message may have any.
    next: Option<u64>,
    pub(super) state: State,
}

/// What a slow member does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// It reads like all others.
    #[default]
    Reads,
    /// It has not read since then.
    Stopped(Nanos),
    /// It reads until that time, and had not read since the other.
    Looks { since: Nanos, until: Nanos },
    /// It was closed with 4100.
    Told,
    /// It was closed with another code.
    Closed,
    /// It was cut off without a close frame.
    Gone,
}

impl Member {
    /// A message has come. Returns what is wrong with it, if anything.
    pub(super) fn see(&mut self, sequence: u64) -> Result<(), String> {
        match self.next.replace(sequence + 1) {
            Some(next) if next != sequence => {
                Err(format!("a slow member sees message {sequence} where {next} was due"))
            }
            _ => Ok(()),
        }
    }

    /// Its connection is over.
    ///
    /// # Errors
    ///
    /// It had not been slow.
    pub(super) fn end(&mut self, end: &End) -> Result<(), String> {
        if self.state == State::Reads {
            return Err(format!("the connection is over before it was slow: {end}"));
        }
        self.state = match end {
            End::Closed(SLOW, _) => State::Told,
            End::Closed(..) => State::Closed,
            _ => State::Gone,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_sees_is_without_a_gap() {
        let mut member = Member::default();
        assert_eq!((member.see(7), member.see(8)), (Ok(()), Ok(())));
        assert!(member.see(10).is_err_and(|why| why.contains("message 10 where 9 was due")));
    }

    #[test]
    fn only_who_is_slow_is_cut_off() {
        let mut member = Member::default();
        assert!(member.end(&End::Closed(SLOW, String::new())).is_err());
        member.state = State::Stopped(5);
        member.end(&End::Closed(SLOW, String::new())).expect("it was slow");
        assert_eq!(member.state, State::Told);
        member.state = State::Looks { since: 5, until: 6 };
        member.end(&End::Closed(1000, String::new())).expect("it was slow");
        assert_eq!(member.state, State::Closed);
        member.end(&End::Eof).expect("it was slow");
        assert_eq!(member.state, State::Gone);
    }
}
