//! Who is writing something in a room: what the others are told of it, and for how long.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use arcstr::ArcStr;

use crate::time::Tick;

/// Silence after which somebody is not writing any more.
pub const SILENCE: Duration = Duration::from_secs(3);

/// The least time between two tellings that the same user has begun, so that nobody can flood a room by beginning.
const AGAIN: Duration = Duration::from_secs(1);

/// What is remembered of one who writes costs so many bytes. The name is the session's.
const TYPIST: usize = 96;

/// The people of one room who are writing. In most rooms nobody is, and then it owns nothing.
#[derive(Debug, Default)]
pub struct Typing(Option<Box<Typists>>);

#[derive(Debug, Default)]
struct Typists {
    by_name: HashMap<ArcStr, Typist>,
    /// When to look at whom, soonest first: one entry a user, not later than the user's deadline. It may be sooner, for
    /// whoever goes on writing moves the deadline with every word; so a word costs one look-up, however many write.
    due: BTreeSet<(Tick, ArcStr)>,
}

#[derive(Debug)]
struct Typist {
    /// The others were told that the user is writing, and not that this has ended.
    shown: bool,
    /// The others are to be told that the user is writing as soon as they may be.
    waits: bool,
    /// When the user has been silent for too long.
    until: Tick,
    /// When the others can be told again that the user is writing.
    next: Tick,
    /// When the user is looked at.
    looked: Tick,
}

impl Typist {
    /// When something is to be told of the user, or they can be forgotten.
    fn deadline(&self) -> Tick {
        if self.waits { self.next } else { self.until }
    }

    /// What is to be told of the user by now.
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
    /// `user` is writing. Whether the others are to be told now.
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

    /// Looks at the first user whose time has come: who that is, and what is to be told, if anything is.
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
    /// `user` is writing. Whether the others are to be told now; if it is too soon for that, [`Typing::due`] says when.
    pub fn begin(&mut self, user: &ArcStr, now: Tick) -> bool {
        self.0.get_or_insert_default().begin(user, now)
    }

    /// `user` is not writing any more. Whether the others are to be told.
    pub fn end(&mut self, user: &str) -> bool {
        let Some(typist) = self.0.as_mut().and_then(|all| all.by_name.get_mut(user)) else { return false };
        typist.waits = false;
        std::mem::take(&mut typist.shown)
    }

    /// Somebody of whom the others are to be told by now: that they are writing, or that they are not any more, because
    /// they have been silent.
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

    /// A time before which [`Typing::due`] has nothing to say.
    pub fn deadline(&self) -> Tick {
        self.0.as_ref().and_then(|all| all.due.first()).map_or(Tick::NEVER, |(at, _)| *at)
    }

    /// What it costs to remember who is writing, in bytes.
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
