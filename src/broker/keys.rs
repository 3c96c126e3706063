//! Idempotency keys: what was published under a key is not published again, and has the answer that it had.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::position::Position;
use crate::room_key::RoomKey;
use crate::time::Tick;

/// How long a key counts.
pub const KEPT: Duration = Duration::from_secs(300);

/// Keys that a whole server remembers, at most; the oldest go first.
pub const MAX_KEYS: usize = 100_000;

/// The longest key, in bytes.
pub const MAX_KEY: usize = 128;

/// A key counts within its room. Rooms are told apart by their keyed hash, which nobody can aim.
type Mark = (u64, Box<str>);

/// The keys that one shard's rooms have seen lately.
#[derive(Debug)]
pub struct Keys {
    seen: HashMap<Mark, Option<Position>>,
    order: VecDeque<(Tick, Mark)>,
    max: usize,
}

impl Keys {
    /// Remembers at most `max` keys.
    pub fn new(max: usize) -> Self {
        Self { seen: HashMap::new(), order: VecDeque::new(), max }
    }

    /// The answer that a publish in `room` under `key` had, if it was not long ago.
    pub fn answer(&mut self, room: &RoomKey, key: &str, now: Tick) -> Option<Option<Position>> {
        self.expire(now);
        self.seen.get(&(room.hash(), key.into())).copied()
    }

    /// Remembers the answer of a publish.
    pub fn remember(&mut self, room: &RoomKey, key: Box<str>, answer: Option<Position>, now: Tick) {
        let mark = (room.hash(), key);
        if self.seen.insert(mark.clone(), answer).is_none() {
            self.order.push_back((now, mark));
        }
        while self.order.len() > self.max {
            self.forget_oldest();
        }
    }

    fn expire(&mut self, now: Tick) {
        while self.order.front().is_some_and(|(at, _)| at.after(KEPT) <= now) {
            self.forget_oldest();
        }
        if self.order.is_empty() {
            // A burst of keys is not kept in memory for ever.
            (self.seen, self.order) = (HashMap::new(), VecDeque::new());
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, mark)) = self.order.pop_front() {
            self.seen.remove(&mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room_key::{RoomKeys, Space};

    fn at(offset: u64) -> Option<Position> {
        Some(Position { epoch: 1, offset })
    }

    #[test]
    fn a_key_counts_in_its_room_for_its_time() {
        let rooms = RoomKeys::default();
        let (a, b) = (rooms.key(Space::Native, "a"), rooms.key(Space::Native, "b"));
        let mut keys = Keys::new(9);
        keys.remember(&a, "k".into(), at(1), Tick(0));
        keys.remember(&a, "none".into(), None, Tick(0));
        let last = Tick(Tick(0).after(KEPT).0 - 1);
        assert_eq!(keys.answer(&a, "k", last), Some(at(1)));
        assert_eq!(keys.answer(&a, "none", last), Some(None));
        assert_eq!((keys.answer(&b, "k", last), keys.answer(&a, "l", last)), (None, None));
        assert_eq!(keys.answer(&a, "k", Tick(last.0 + 1)), None);
    }

    #[test]
    fn the_oldest_go_first() {
        let room = RoomKeys::default().key(Space::Native, "a");
        let mut keys = Keys::new(2);
        for (offset, key) in [(1, "a"), (2, "b"), (3, "c")] {
            keys.remember(&room, key.into(), at(offset), Tick(0));
        }
        let answers = ["a", "b", "c"].map(|key| keys.answer(&room, key, Tick(0)));
        assert_eq!(answers, [None, Some(at(2)), Some(at(3))]);
    }
}
