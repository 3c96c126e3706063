//! Rooms that sessions are on their way into or out of: asked for, and not answered by the room's home.

use std::collections::hash_map::Entry;
use std::iter;

use crate::key_map::KeyMap;
use crate::room_key::RoomKey;

/// Which way a session goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// What sessions wait for, by their keys. Only those who wait are in it, with a room in no more than one entry.
#[derive(Debug, Default)]
pub(super) struct Crossings(KeyMap<UnderWay>);

/// What one session waits for. Nearly always that is one room, and then there is nothing to allocate.
#[derive(Debug)]
struct UnderWay {
    one: (RoomKey, Way),
    more: Vec<(RoomKey, Way)>,
}

impl Crossings {
    /// Session `key` has asked to go `way`.
    pub(super) fn begin(&mut self, key: u32, room: RoomKey, way: Way) {
        match self.0.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(UnderWay { one: (room, way), more: Vec::new() });
            }
            Entry::Occupied(mut entry) => entry.get_mut().more.push((room, way)),
        }
    }

    /// Session `key` has its answer; says whether it waited for it.
    pub(super) fn end(&mut self, key: u32, room: &RoomKey) -> bool {
        let Entry::Occupied(mut entry) = self.0.entry(key) else { return false };
        let UnderWay { one, more } = entry.get_mut();
        if let Some(index) = more.iter().position(|(other, _)| other == room) {
            more.swap_remove(index);
        } else if one.0 != *room {
            return false;
        } else if let Some(other) = more.pop() {
            *one = other;
        } else {
            entry.remove();
        }
        true
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
        self.0.get(&key).into_iter().flat_map(|under_way| iter::once(&under_way.one).chain(&under_way.more))
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
