//! Who is typing in a room, and what the others are told.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use arcstr::ArcStr;

use crate::time::Tick;

/// Silence after which a user counts as not typing any more.
pub const SILENCE: Duration = Duration::from_secs(3);

/// The least time between two reports that the same user has begun, so that nobody can flood a room.
const AGAIN: Duration = Duration::from_secs(1);

/// The cost of one user who is typing, in bytes. The name is shared with the session.
const TYPIST: usize = 96;

/// The users of one room who are typing. In most rooms nobody is, and then it owns nothing.
#[derive(Debug, Default)]
pub struct Typing(Option<Box<Typists>>);

#[derive(Debug, Default)]
struct Typists {
    by_name: HashMap<ArcStr, Typist>,
    /// When to look at which user, soonest first, one entry per user. An entry is never later than the user's deadline. It
    /// may be earlier, because every `typing` moves the deadline but not the entry; so a `typing` costs one look-up, however
    /// many users type.
    due: BTreeSet<(Tick, ArcStr)>,
}

#[derive(Debug)]
struct Typist {
    /// The others were told that the user is typing, and not that it has ended.
    shown: bool,
    /// The others must be told that the user is typing, as soon as allowed.
    waits: bool,
    /// When the user has been silent for too long.
    until: Tick,
    /// When the others may be told again that the user is typing.
    next: Tick,
    /// When the user is looked at.
    looked: Tick,
}

impl Typist {
    /// When something about the user must be reported, or the user can be forgotten.
    fn deadline(&self) -> Tick {
        if self.waits { self.next } else { self.until }
    }

    /// What must be reported about the user now.
    fn due(&mut self, now: Tick) -> Option<bool> {
        if self.shown && self.until <= now {
            self.shown = false;
            return Some(false);
        }
        let begins = self.waits && self.next <= now && self.until > now;
        if begins {
            self.show(now);
        }
        begins.then_some(true)
    }

    fn show(&mut self, now: Tick) {
        (self.shown, self.waits, self.next) = (true, false, now.after(AGAIN));
    }
}

impl Typists {
    /// `user` is typing. Returns whether to tell the others now.
    fn begin(&mut self, user: &ArcStr, now: Tick) -> bool {
        let fresh = Typist { shown: false, waits: false, until: now, next: Tick::ZERO, looked: Tick::NEVER };
        let typist = self.by_name.entry(user.clone()).or_insert(fresh);
        typist.until = now.after(SILENCE);
        typist.waits = !typist.shown;
        let begins = typist.waits && typist.next <= now;
        if begins {
            typist.show(now);
        }
        let deadline = typist.deadline();
        if deadline < typist.looked {
            if typist.looked != Tick::NEVER {
                self.due.remove(&(typist.looked, user.clone()));
            }
            typist.looked = deadline;
            self.due.insert((deadline, user.clone()));
        }
        begins
    }

    /// Takes the first user who is due: the name, and what to report, if anything.
    fn look(&mut self, now: Tick) -> Option<(ArcStr, Option<bool>)> {
        self.due.first().filter(|(at, _)| *at <= now)?;
        let (_, user) = self.due.pop_first()?;
        let typist = self.by_name.get_mut(&user)?;
        let told = typist.due(now);
        if typist.shown || typist.until > now {
            typist.looked = typist.deadline();
            self.due.insert((typist.looked, user.clone()));
        } else {
            self.by_name.remove(&user);
        }
        Some((user, told))
    }
}

impl Typing {
    /// `user` is typing. Returns whether to tell the others now. If it is too soon, [`Typing::due`] reports it later.
    pub fn begin(&mut self, user: &ArcStr, now: Tick) -> bool {
        self.0.get_or_insert_default().begin(user, now)
    }

    /// `user` has stopped typing. Returns whether to tell the others.
    pub fn end(&mut self, user: &str) -> bool {
        let Some(typist) = self.0.as_mut().and_then(|all| all.by_name.get_mut(user)) else { return false };
        typist.waits = false;
        std::mem::take(&mut typist.shown)
    }

    /// A user to report now: typing, or not any more because of silence.
    pub fn due(&mut self, now: Tick) -> Option<(ArcStr, bool)> {
        let all = self.0.as_mut()?;
        while let Some((user, told)) = all.look(now) {
            if let Some(active) = told {
                return Some((user, active));
            }
        }
        if all.by_name.is_empty() {
            self.0 = None;
        }
        None
    }

    /// A time before which [`Typing::due`] has no result.
    pub fn deadline(&self) -> Tick {
        self.0.as_ref().and_then(|all| all.due.first()).map_or(Tick::NEVER, |(at, _)| *at)
    }

    /// The cost of all users who are typing, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |all| all.by_name.len() * TYPIST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Tick {
        Tick((ms / Tick::MS) as u32)
    }

    #[test]
    fn the_others_hear_of_a_change_and_of_nothing_else() {
        let ann = ArcStr::from("ann");
        let mut typing = Typing::default();
        assert_eq!([at(0), at(2000)].map(|now| typing.begin(&ann, now)), [true, false]);
        assert_eq!((typing.due(at(5000)), typing.deadline()), (None, at(5250)));
        assert_eq!(typing.due(at(5250)), Some((ann.clone(), false)));
        assert_eq!((typing.due(at(5250)), typing.deadline()), (None, Tick::NEVER));
        assert!(
            typing.begin(&ann, at(6000)) && typing.end("ann") && !typing.end("ann") && !typing.end("bob")
        );
    }

    #[test]
    fn nobody_is_told_of_more_than_once_a_second() {
        let ann = ArcStr::from("ann");
        let mut typing = Typing::default();
        assert!(typing.begin(&ann, at(0)) && typing.end("ann"));
        assert!(!typing.begin(&ann, at(500)) && !typing.begin(&ann, at(750)));
        assert_eq!((typing.due(at(750)), typing.deadline()), (None, at(1250)));
        assert_eq!(typing.due(at(1250)), Some((ann.clone(), true)));
        assert_eq!((typing.due(at(1250)), typing.deadline()), (None, at(4000)));
        // Whoever stops before that was never told of.
        assert!(typing.end("ann") && !typing.begin(&ann, at(1500)) && !typing.end("ann"));
        assert_eq!(typing.due(at(2000)), None);
    }

    #[test]
    fn whoever_goes_on_writing_is_one_entry() {
        let people: Vec<ArcStr> = (0..50).map(|number| ArcStr::from(format!("user{number}"))).collect();
        let mut typing = Typing::default();
        for now in 0..100 {
            people.iter().for_each(|user| _ = typing.begin(user, at(now * 10)));
        }
        let all = typing.0.as_ref().unwrap();
        assert_eq!((all.by_name.len(), all.due.len()), (50, 50));
        assert_eq!(typing.bytes(), 50 * TYPIST);
        let silent = std::iter::from_fn(|| typing.due(at(9_000))).filter(|(_, active)| !active).count();
        assert_eq!((silent, typing.bytes(), typing.deadline()), (50, 0, Tick::NEVER));
    }
}
