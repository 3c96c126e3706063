//! Finds things by the key of their room, and gives each a small number.

use hashbrown::HashTable;
use slab::Slab;

use crate::room_key::{RoomKey, Space};

/// One `T` for each of some rooms.
pub struct Directory<T> {
    entries: Slab<(RoomKey, T)>,
    index: HashTable<u32>,
}

impl<T> Default for Directory<T> {
    fn default() -> Self {
        Self { entries: Slab::new(), index: HashTable::new() }
    }
}

impl<T> Directory<T> {
    /// The number of the room with this hash, space and name.
    pub fn find(&self, hash: u64, space: Space, name: &str) -> Option<u32> {
        let same = |&number: &u32| {
            let (key, _) = &self.entries[number as usize];
            key.hash() == hash && key.space() == space && key.name() == name
        };
        self.index.find(hash, same).copied()
    }

    /// The number of the room `key`.
    pub fn find_key(&self, key: &RoomKey) -> Option<u32> {
        self.index.find(key.hash(), |&number| self.entries[number as usize].0 == *key).copied()
    }

    /// The number of the room `key`, which is made with `make` if there is none.
    pub fn find_or_insert(&mut self, key: &RoomKey, make: impl FnOnce() -> T) -> u32 {
        self.find_key(key).unwrap_or_else(|| {
            let number = self.entries.insert((key.clone(), make())) as u32;
            let entries = &self.entries;
            self.index.insert_unique(key.hash(), number, |&other| entries[other as usize].0.hash());
            number
        })
    }

    /// Forgets a room; its number may be given to another.
    pub fn remove(&mut self, number: u32) -> Option<T> {
        let (key, value) = self.entries.try_remove(number as usize)?;
        if let Ok(entry) = self.index.find_entry(key.hash(), |&other| other == number) {
            entry.remove();
        }
        if self.entries.is_empty() {
            *self = Self::default();
        }
        Some(value)
    }

    /// The key of a room.
    pub fn key(&self, number: u32) -> Option<&RoomKey> {
        self.entries.get(number as usize).map(|(key, _)| key)
    }

    /// The entry of a room.
    pub fn get(&self, number: u32) -> Option<&T> {
        self.entries.get(number as usize).map(|(_, value)| value)
    }

    /// The entry of a room, to change it.
    pub fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.entries.get_mut(number as usize).map(|(_, value)| value)
    }

    /// All rooms in no order.
    #[cfg(feature = "internals")]
    pub fn iter(&self) -> impl Iterator<Item = (u32, &RoomKey, &T)> {
        self.entries.iter().map(|(number, (key, value))| (number as u32, key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room_key::RoomKeys;

    #[test]
    fn rooms_come_and_go() {
        let keys = RoomKeys::default();
        let mut directory = Directory::default();
        let names: Vec<_> = (0..1000).map(|n| keys.key(Space::Native, &format!("room:{n}"))).collect();
        let numbers: Vec<_> =
            names.iter().map(|key| directory.find_or_insert(key, || key.name().len())).collect();
        assert_eq!(directory.find_or_insert(&names[7], || 99), numbers[7]);
        for key in &names {
            let number = directory.find(key.hash(), Space::Native, key.name());
            assert_eq!(number, directory.find_key(key));
            assert_eq!(directory.find(key.hash(), Space::Raw, key.name()), None);
            assert_eq!(directory.get(number.unwrap()), Some(&key.name().len()));
        }
        for number in &numbers[1..] {
            assert!(directory.remove(*number).is_some());
            assert!(directory.remove(*number).is_none());
        }
        assert_eq!(directory.iter().count(), 1);
        assert_eq!(directory.find_key(&names[0]), Some(numbers[0]));
        assert_eq!(directory.find_key(&names[1]), None);
    }
}
