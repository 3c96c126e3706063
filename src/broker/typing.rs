//! Who is writing something in a room: what the others are told of it, and for how long.

use std::time::Duration;

use arcstr::ArcStr;

use crate::time::Tick;

/// Silence after which somebody is not writing any more.
pub const SILENCE: Duration = Duration::from_secs(3);

/// The least time between two tellings that the same user has begun, so that nobody can flood a room by beginning.
const AGAIN: Duration = Duration::from_secs(1);

/// The people of one room who are writing.
#[derive(Debug, Default)]
pub struct Typing(Vec<Typist>);

#[derive(Debug)]
struct Typist {
    user: ArcStr,
    /// The others were told that the user is writing, and not that this has ended.
    shown: bool,
    /// The others are to be told that the user is writing as soon as they may be.
    waits: bool,
    /// When the user has been silent for too long.
    until: Tick,
    /// When the others can be told again that the user is writing.
    next: Tick,
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

impl Typing {
    /// `user` is writing. Whether the others are to be told now; if it is too soon for that, [`Typing::due`] says when.
    pub fn begin(&mut self, user: &ArcStr, now: Tick) -> bool {
        let index = self.0.iter().position(|typist| typist.user == *user).unwrap_or_else(|| {
            let (user, next) = (user.clone(), Tick::ZERO);
            self.0.push(Typist { user, shown: false, waits: false, until: now, next });
            self.0.len() - 1
        });
        let typist = &mut self.0[index];
        typist.until = now.after(SILENCE);
        typist.waits = !typist.shown;
        let begins = typist.waits && typist.next <= now;
        if begins {
            typist.show(now);
        }
        begins
    }

    /// `user` is not writing any more. Whether the others are to be told.
    pub fn end(&mut self, user: &str) -> bool {
        let Some(typist) = self.0.iter_mut().find(|typist| *typist.user == *user) else { return false };
        typist.waits = false;
        std::mem::take(&mut typist.shown)
    }

    /// Somebody of whom the others are to be told by now: that they are writing, or that they are not any more, because
    /// they have been silent.
    pub fn due(&mut self, now: Tick) -> Option<(ArcStr, bool)> {
        self.0.retain(|typist| typist.shown || typist.until > now);
        self.0.iter_mut().find_map(|typist| typist.due(now).map(|active| (typist.user.clone(), active)))
    }

    /// When [`Typing::due`] has something to say.
    pub fn deadline(&self) -> Tick {
        self.0.iter().map(Typist::deadline).min().unwrap_or(Tick::NEVER)
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
}
