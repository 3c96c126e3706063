//! When slow members look whether the server has cut them off.
//!
//! A server that closes a slow consumer waits only a short time for it to read the close. Only a member that reads can
//! see the close, but a member that reads is no longer slow. So a few look early, one after another. When one of them
//! finds itself closed, it is known how long a member must not read, and the others look after that time.

use super::member::{Member, State};
use crate::clock::{Nanos, SECOND};

/// From one early look to the next: less than half of the five seconds for which Switchboard holds a close.
const EARLY: Nanos = 2 * SECOND;

/// How long a look lasts.
const LOOK: Nanos = SECOND;

/// How often members are chosen to look, and how many may begin at once. They have much to read, and that must not keep
/// the load test from reading the others.
const STEP: Nanos = SECOND / 50;
const AT_ONCE: usize = 10;

/// Who looks, and when.
#[derive(Clone, Debug)]
pub(super) struct Looks {
    /// The next early look, and who it is that looks.
    early: Nanos,
    turn: usize,
    /// How long the first member that was closed had not read.
    patience: Option<Nanos>,
    due: Nanos,
}

/// What a member is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Look(usize),
    Stop(usize),
}

impl Looks {
    /// All stop reading `now`.
    pub(super) fn begin(now: Nanos) -> Looks {
        Looks { early: now + EARLY, turn: 0, patience: None, due: now + STEP }
    }

    /// When [`Looks::steps`] has something to say again.
    pub(super) fn due(&self) -> Nanos {
        self.due
    }

    /// A member that had not read since then learned `now` that it is closed.
    pub(super) fn told(&mut self, since: Nanos, now: Nanos) {
        self.patience.get_or_insert(now - since);
    }

    /// Whether no member has learned it yet.
    pub(super) fn is_quiet(&self) -> bool {
        self.patience.is_none()
    }

    /// What the members have to do `now`. Their states have already changed.
    pub(super) fn steps(&mut self, members: &mut [Member], now: Nanos) -> Vec<Step> {
        if now < self.due {
            return Vec::new();
        }
        self.due = now + STEP;
        let early = self.early_look(members.len(), now);
        let mut steps = Vec::new();
        for (at, member) in members.iter_mut().enumerate() {
            match member.state {
                State::Looks { until, .. } if now >= until => {
                    member.state = State::Stopped(now);
                    steps.push(Step::Stop(at));
                }
                State::Stopped(since)
                    if steps.len() < AT_ONCE && (early == Some(at) || self.is_time(since, now)) =>
                {
                    member.state = State::Looks { since, until: now + LOOK };
                    steps.push(Step::Look(at));
                }
                _ => {}
            }
        }
        steps
    }

    /// The member that looks early now. The last one never does: one member has to be slow all the time.
    fn early_look(&mut self, members: usize, now: Nanos) -> Option<usize> {
        if self.patience.is_some() || now < self.early || self.turn + 1 >= members {
            return None;
        }
        self.early = now + EARLY;
        self.turn += 1;
        Some(self.turn - 1)
    }

    fn is_time(&self, since: Nanos, now: Nanos) -> bool {
        self.patience.is_some_and(|patience| now >= since + patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stopped(count: usize) -> Vec<Member> {
        let mut member = Member::default();
        member.state = State::Stopped(0);
        vec![member; count]
    }

    #[test]
    fn one_after_another_looks_until_one_is_closed() {
        let mut members = stopped(3);
        let mut looks = Looks::begin(0);
        assert_eq!(looks.steps(&mut members, EARLY - 1), []);
        assert_eq!(looks.steps(&mut members, looks.due().max(EARLY)), [Step::Look(0)]);
        assert_eq!(looks.steps(&mut members, EARLY + 2 * LOOK), [Step::Stop(0)]);
        assert_eq!(looks.steps(&mut members, 4 * EARLY), [Step::Look(1)]);
        assert_eq!(looks.steps(&mut members, 8 * EARLY), [Step::Stop(1)], "the last one stays slow");
    }

    #[test]
    fn the_others_look_when_they_have_been_slow_for_as_long() {
        let mut members = stopped(3);
        let mut looks = Looks::begin(0);
        members[0].state = State::Stopped(3 * SECOND);
        members[1].state = State::Told;
        looks.told(0, 10 * SECOND);
        assert_eq!(looks.steps(&mut members, 10 * SECOND), [Step::Look(2)]);
        members[2].state = State::Told;
        assert_eq!(looks.steps(&mut members, 12 * SECOND), []);
        assert_eq!(looks.steps(&mut members, 13 * SECOND), [Step::Look(0)]);
    }

    #[test]
    fn only_some_look_at_once() {
        let mut members = stopped(AT_ONCE + 2);
        let mut looks = Looks::begin(0);
        looks.told(0, SECOND);
        assert_eq!(looks.steps(&mut members, SECOND).len(), AT_ONCE);
        assert_eq!(looks.steps(&mut members, SECOND), [], "not before it is due");
        assert_eq!(looks.steps(&mut members, looks.due()).len(), 2);
    }
}
