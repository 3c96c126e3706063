//! Joins and leaves that a room's home has not answered yet.

use std::collections::hash_map::Entry;
use std::iter;

use crate::key_map::KeyMap;
use crate::room_key::RoomKey;

/// Join or leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// The joins and leaves that sessions wait for, by session key. A session has at most one entry for a room.
#[derive(Debug, Default)]
pub(super) struct Crossings(KeyMap<UnderWay>);

/// The joins and leaves of one session. Nearly always it is one, which needs no allocation.
#[derive(Debug)]
struct UnderWay {
    one: (RoomKey, Way),
    more: Vec<(RoomKey, Way)>,
}

impl Crossings {
    /// Session `key` has asked to join or leave.
    pub(super) fn begin(&mut self, key: u32, room: RoomKey, way: Way) {
        match self.0.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(UnderWay { one: (room, way), more: Vec::new() });
            }
            Entry::Occupied(mut entry) => entry.get_mut().more.push((room, way)),
        }
    }

    /// Session `key` has its answer. Returns whether it waited for one.
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

    /// Session `key` is over, or about to be.
    pub(super) fn forget(&mut self, key: u32) {
        self.0.remove(&key);
    }

    /// Whether session `key` waits to join or leave the room that it calls `label`.
    pub(super) fn is_under_way(&self, key: u32, label: &str) -> bool {
        self.of(key).any(|(room, _)| room.label() == label)
    }

    /// Whether session `key` has asked to leave a room.
    pub(super) fn is_leaving(&self, key: u32, room: &RoomKey) -> bool {
        self.of(key).any(|(other, way)| *way == Way::Out && other == room)
    }

    /// How many rooms session `key` waits to join, or to leave.
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
