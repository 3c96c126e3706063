//! The names of rooms in byte order, so that the cost of a page does not depend on the number of rooms.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound;

use crate::room_key::RoomKey;

/// Names of rooms of one space. An entry is a pointer to the room's own name.
#[derive(Default)]
pub struct Names(BTreeSet<Name>);

struct Name(RoomKey);

impl Names {
    /// Adds a room.
    pub fn insert(&mut self, room: RoomKey) {
        self.0.insert(Name(room));
    }

    /// Adds a room to the first `most` in byte order, and lets go of any behind them.
    pub fn insert_first(&mut self, room: &RoomKey, most: usize) {
        let is_full = self.0.len() >= most;
        if is_full && self.0.last().is_none_or(|Name(last)| last.name() <= room.name()) {
            return;
        }
        self.0.insert(Name(room.clone()));
        if self.0.len() > most {
            self.0.pop_last();
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them, in byte order.
    pub fn into_rooms(self) -> Vec<RoomKey> {
        self.0.into_iter().map(|Name(room)| room).collect()
    }

    /// Removes a room.
    pub fn remove(&mut self, room: &RoomKey) {
        self.0.remove(room.name());
    }

    /// The rooms whose names begin with `prefix` and are greater than `after`, in byte order.
    pub fn after<'a>(&'a self, prefix: &'a str, after: &'a str) -> impl Iterator<Item = &'a RoomKey> {
        let begin = if prefix > after { Bound::Included(prefix) } else { Bound::Excluded(after) };
        let rest = self.0.range::<str, _>((begin, Bound::Unbounded)).map(|Name(room)| room);
        rest.take_while(move |room| room.name().starts_with(prefix))
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self.0.name()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.name() == other.0.name()
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.name().cmp(other.0.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room_key::{RoomKeys, Space};

    #[test]
    fn the_first_are_kept() {
        let keys = RoomKeys::default();
        for (most, kept) in [(0, ""), (1, "a"), (2, "a b"), (9, "a b c d")] {
            let mut names = Names::default();
            for name in ["c", "a", "d", "a", "b", "c"] {
                names.insert_first(&keys.key(Space::Native, name), most);
            }
            assert_eq!(names.count(), most.min(4));
            let rooms = names.into_rooms();
            assert_eq!(rooms.iter().map(RoomKey::name).collect::<Vec<_>>().join(" "), kept);
        }
    }

    #[test]
    fn pages_follow_each_other() {
        let keys = RoomKeys::default();
        let mut names = Names::default();
        for name in ["b:2", "a", "b:1", "c", "b", "b:3", "B"] {
            names.insert(keys.key(Space::Native, name));
        }
        let page = |prefix, after| {
            names.after(prefix, after).map(|room| room.name().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(page("", ""), "B a b b:1 b:2 b:3 c");
        assert_eq!((page("b:", ""), page("b:", "b:1")), ("b:1 b:2 b:3".into(), "b:2 b:3".into()));
        assert_eq!(
            (page("b:", "a"), page("b:", "b:3"), page("b:", "c")),
            ("b:1 b:2 b:3".into(), "".into(), "".into())
        );
        assert_eq!((page("", "b:2"), page("x", "")), ("b:3 c".into(), "".into()));
        names.remove(&keys.key(Space::Native, "b:2"));
        names.remove(&keys.key(Space::Native, "nobody"));
        assert_eq!(names.after("b:", "b:1").map(RoomKey::name).collect::<Vec<_>>(), ["b:3"]);
    }
}
