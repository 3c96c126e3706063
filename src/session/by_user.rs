//! Finds the sessions of a user: an index of keys alone, since every session knows its user.

use hashbrown::HashTable;

/// Keys of sessions by the hash of their user's name.
#[derive(Debug, Default)]
pub struct ByUser {
    index: HashTable<u32>,
}

impl ByUser {
    /// Adds session `key`, whose user has this `hash`; `hash_of` tells that of any session in the index.
    pub fn add(&mut self, key: u32, hash: u64, hash_of: impl Fn(u32) -> u64) {
        self.index.insert_unique(hash, key, |&other| hash_of(other));
    }

    /// Takes session `key` out again.
    pub fn remove(&mut self, key: u32, hash: u64) {
        if let Ok(entry) = self.index.find_entry(hash, |&other| other == key) {
            entry.remove();
        }
        if self.index.is_empty() {
            self.index = HashTable::new();
        }
    }

    /// The sessions whose user may have this `hash`; some others may be among them.
    pub fn find(&self, hash: u64) -> impl Iterator<Item = u32> {
        self.index.iter_hash(hash).copied()
    }
}
