//! Rooms that sessions are on their way into or out of: asked for, and not answered by the room's home.

use std::collections::HashMap;

use crate::room_key::RoomKey;

/// Which way a session goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// What sessions wait for, by their keys. Only those who wait are in it, with a room in no more than one entry.
#[derive(Debug, Default)]
pub(super) struct Crossings(HashMap<u32, Vec<(RoomKey, Way)>>);

impl Crossings {
    /// Session `key` has asked to go `way`.
    pub(super) fn begin(&mut self, key: u32, room: RoomKey, way: Way) {
        self.0.entry(key).or_default().push((room, way));
    }

    /// Session `key` has its answer; says whether it waited for it.
    pub(super) fn end(&mut self, key: u32, room: &RoomKey) -> bool {
        let Some(rooms) = self.0.get_mut(&key) else { return false };
        let index = rooms.iter().position(|(other, _)| other == room);
        if let Some(index) = index {
            rooms.swap_remove(index);
        }
        if rooms.is_empty() {
            self.0.remove(&key);
        }
        index.is_some()
    }

    /// Session `key` is over, or as good as that.
    pub(super) fn forget(&mut self, key: u32) {
        self.0.remove(&key);
    }

    /// Whether session `key` waits to be in the room that it calls `label`, or to be out of it.
    pub(super) fn is_under_way(&self, key: u32, label: &str) -> bool {
        self.of(key).any(|(room, _)| room.label() == label)
    }

    /// Whether session `key` has asked to be out of a room.
    pub(super) fn is_leaving(&self, key: u32, room: &RoomKey) -> bool {
        self.of(key).any(|(other, way)| *way == Way::Out && other == room)
    }

    /// How many rooms session `key` waits to go this way.
    pub(super) fn count(&self, key: u32, way: Way) -> usize {
        self.of(key).filter(|(_, other)| *other == way).count()
    }

    fn of(&self, key: u32) -> impl Iterator<Item = &(RoomKey, Way)> {
        self.0.get(&key).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room_key::{RoomKeys, Space};

    #[test]
    fn what_a_session_waits_for_ends_once() {
        let keys = RoomKeys::default();
        let [a, b] = ["a", "b"].map(|name| keys.key(Space::Native, name));
        let mut crossings = Crossings::default();
        crossings.begin(1, a.clone(), Way::In);
        crossings.begin(1, b.clone(), Way::Out);
        assert!(crossings.is_under_way(1, "a") && crossings.is_under_way(1, "b"));
        assert!(crossings.is_leaving(1, &b) && !crossings.is_leaving(1, &a) && !crossings.is_leaving(2, &b));
        assert_eq!([Way::In, Way::Out].map(|way| crossings.count(1, way)), [1, 1]);
        assert!(crossings.end(1, &b) && !crossings.end(1, &b) && !crossings.is_under_way(1, "b"));
        crossings.begin(1, b.clone(), Way::In);
        crossings.forget(1);
        assert!(!crossings.end(1, &a) && crossings.0.is_empty());
    }
}
