//! What one session has said of its writing: enough to drop what says nothing new, and to bound the rest.

use crate::bucket::{Bucket, Rate};
use crate::time::Tick;

/// Changes that one session may tell of: nobody stops and begins again so often, in however many rooms. They have no reply that
/// could hold up the next, so without a rate they would come as fast as the network brings them.
const PACE: Rate = Rate { per_second: 20.0, burst: 40.0 };

/// What one session has said of its writing, in each of its rooms.
#[derive(Debug, Default)]
pub struct Typed {
    pace: Bucket,
    said: Vec<Said>,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    /// The number of the room's audience.
    room: u32,
    active: bool,
    at: Tick,
}

impl Typed {
    /// The session says whether it is writing in `room`. Whether the room is to hear of it: not where it says nothing new.
    /// Silence is counted in ticks, so the same word once more in a tick is nothing new; nor is that it is still not writing.
    ///
    /// # Errors
    ///
    /// In how many milliseconds it may be said, if there is too much of it.
    pub fn say(&mut self, room: u32, active: bool, now: Tick, now_ms: u64) -> Result<bool, u64> {
        let said = self.said.iter_mut().find(|said| said.room == room);
        if said.as_ref().is_some_and(|said| said.active == active && (!active || said.at == now)) {
            return Ok(false);
        }
        self.pace.take(PACE, 1.0, now_ms)?;
        let new = Said { room, active, at: now };
        match said {
            Some(said) => *said = new,
            None => self.said.push(new),
        }
        Ok(true)
    }

    /// What was said in `room` counts no more: the session has published there, or it is out.
    pub fn forget(&mut self, room: u32) {
        self.said.retain(|said| said.room != room);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_told() {
        let mut typed = Typed::default();
        let mut say = |room, active, tick| typed.say(room, active, Tick(tick), u64::from(tick) * Tick::MS);
        assert_eq!([say(1, true, 9), say(1, true, 9), say(2, true, 9)], [Ok(true), Ok(false), Ok(true)]);
        assert_eq!([say(1, true, 10), say(1, false, 10), say(1, false, 99)], [Ok(true), Ok(true), Ok(false)]);
        typed.forget(1);
        assert_eq!(typed.say(1, false, Tick(99), 25_000), Ok(true));
        assert_eq!(typed.said.len(), 2);
    }

    #[test]
    fn change_for_its_own_sake_has_an_end() {
        let mut typed = Typed::default();
        let told =
            (0..1_000u32).filter(|turn| typed.say(1, turn % 2 == 0, Tick(4), 1_000) == Ok(true)).count();
        assert_eq!(told, 40);
        assert_eq!(typed.say(1, true, Tick(4), 1_050), Ok(true));
        assert_eq!(typed.say(1, false, Tick(4), 1_050), Err(50));
        // What says nothing new is not refused: it costs nothing.
        assert_eq!(typed.say(1, true, Tick(4), 1_050), Ok(false));
    }
}
