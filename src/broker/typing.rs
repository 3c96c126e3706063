//! Who is writing something in a room: what the others are told of it, and for how long.

use std::sync::Arc;
use std::time::Duration;

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
    user: Arc<str>,
    /// The others were told that the user is writing, and not that this has ended.
    shown: bool,
    /// When the user has been silent for too long, or can be told of again.
    until: Tick,
    /// When the others were last told that the user is writing.
    told: Tick,
}

impl Typing {
    /// `user` is writing. Whether the others are to be told.
    pub fn begin(&mut self, user: &Arc<str>, now: Tick) -> bool {
        let until = now.after(SILENCE);
        let Some(typist) = self.0.iter_mut().find(|typist| typist.user == *user) else {
            self.0.push(Typist { user: user.clone(), shown: true, until, told: now });
            return true;
        };
        if !typist.shown && now < typist.told.after(AGAIN) {
            return false;
        }
        typist.until = until;
        if typist.shown {
            return false;
        }
        (typist.shown, typist.told) = (true, now);
        true
    }

    /// `user` is not writing any more. Whether the others are to be told.
    pub fn end(&mut self, user: &str) -> bool {
        let typist = self.0.iter_mut().find(|typist| *typist.user == *user);
        typist.is_some_and(|typist| std::mem::take(&mut typist.shown))
    }

    /// Somebody of whom the others are to be told that they are not writing any more, because they have been silent.
    pub fn silent(&mut self, now: Tick) -> Option<Arc<str>> {
        self.0.retain(|typist| typist.shown || typist.until > now);
        let typist = self.0.iter_mut().find(|typist| typist.shown && typist.until <= now)?;
        typist.shown = false;
        Some(typist.user.clone())
    }

    /// When [`Typing::silent`] has something to say.
    pub fn deadline(&self) -> Tick {
        self.0.iter().map(|typist| typist.until).min().unwrap_or(Tick::NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Tick {
        Tick::ZERO.after(Duration::from_millis(ms))
    }

    #[test]
    fn the_others_hear_of_a_change_and_of_nothing_else() {
        let ann = Arc::from("ann");
        let mut typing = Typing::default();
        assert_eq!([at(0), at(2000)].map(|now| typing.begin(&ann, now)), [true, false]);
        assert_eq!((typing.silent(at(4750)), typing.deadline()), (None, at(5000)));
        assert_eq!(typing.silent(at(5000)), Some(ann.clone()));
        assert_eq!((typing.silent(at(5000)), typing.deadline()), (None, Tick::NEVER));
        assert!(
            typing.begin(&ann, at(6000)) && typing.end("ann") && !typing.end("ann") && !typing.end("bob")
        );
    }

    #[test]
    fn nobody_begins_more_than_once_a_second() {
        let ann = Arc::from("ann");
        let mut typing = Typing::default();
        assert!(typing.begin(&ann, at(0)) && typing.end("ann"));
        assert!(!typing.begin(&ann, at(750)) && !typing.end("ann"));
        assert!(typing.begin(&ann, at(1000)));
    }
}
