//! Idempotency keys. A message with a known key is not published again, and gets the first answer.
//!
//! Every owner has a separate space of keys: the app, each user, and each guest's connection. So nobody can use another's key
//! by guessing it, and nobody with many keys pushes out those of others.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use arcstr::ArcStr;
use hashbrown::HashTable;
use slab::Slab;

use super::post::Caller;
use crate::id::SessionId;
use crate::position::Position;
use crate::room_key::RoomKey;
use crate::time::Tick;

/// How long a key is remembered.
pub const KEPT: Duration = Duration::from_secs(300);

/// The longest key, in bytes.
pub const MAX_KEY: usize = 128;

/// Keys of one user, or of one guest's connection, on a shard at most: about three per second.
const MAX_OWN: usize = 1_000;

/// The cost of a key without its text, in bytes. The first key of an owner costs as much again, and the name.
const COST: usize = 128;
const OWNER_COST: usize = 192;

/// Expired keys that are forgotten in one go: about 0.2 ms.
const SLICE: usize = 512;

/// The owner of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The app: all API keys together, so that one can be replaced, and the program around the server.
    App,
    /// A user, on any connection.
    User(ArcStr),
    /// A guest's connection. A guest has no name that outlasts it.
    Guest(SessionId),
}

/// A key and its owner. It is valid within its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The owner.
    pub owner: Owner,
    /// The key.
    pub key: Box<str>,
}

/// The recent keys of one shard's rooms.
#[derive(Debug)]
pub struct Keys {
    entries: Slab<Entry>,
    /// Entries by room, owner and key.
    index: HashTable<u32>,
    state: RandomState,
    owners: Slab<Own>,
    numbers: HashMap<Owner, u32>,
    /// The owners without the app, by number of keys. The last has most; of equal ones it is the one with the oldest key.
    greedy: BTreeSet<(usize, Reverse<Tick>, u32)>,
    /// When the oldest key of each owner came.
    oldest: BTreeSet<(Tick, u32)>,
    /// The cost of the app's keys, and of all others.
    bytes: (usize, usize),
    limit: usize,
}

#[derive(Debug)]
struct Entry {
    /// The keyed hash of the room, which nobody can choose.
    room: u64,
    owner: u32,
    at: Tick,
    key: Box<str>,
    answer: Option<Position>,
}

/// The keys of one owner, oldest first. There is at least one.
#[derive(Debug)]
struct Own {
    owner: Owner,
    entries: VecDeque<u32>,
}

impl Owner {
    /// The owner of a key that `caller` sends, publishing as the user `from`.
    pub fn of(caller: &Caller, from: Option<&ArcStr>) -> Self {
        match (caller, from) {
            (Caller::Session(..), Some(user)) => Self::User(user.clone()),
            (Caller::Session(session, _), None) => Self::Guest(*session),
            // `from` in a message of the app is the app's own claim, so the app owns the key.
            (Caller::Nobody | Caller::Call(..) | Caller::Program(..), _) => Self::App,
        }
    }

    fn cost(&self) -> usize {
        let name = if let Self::User(user) = self { user.len() } else { 0 };
        OWNER_COST + name
    }
}

impl Keys {
    /// Remembers keys of at most `limit` bytes. Half of them are for the app only.
    pub fn new(limit: usize) -> Self {
        Self {
            entries: Slab::new(),
            index: HashTable::new(),
            state: RandomState::new(),
            owners: Slab::new(),
            numbers: HashMap::new(),
            greedy: BTreeSet::new(),
            oldest: BTreeSet::new(),
            bytes: (0, 0),
            limit,
        }
    }

    /// What they cost, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.0 + self.bytes.1
    }

    /// The answer to an earlier publish in `room` with `mark`, if it is still remembered.
    pub fn answer(&self, room: &RoomKey, mark: &Mark, now: Tick) -> Option<Option<Position>> {
        let owner = *self.numbers.get(&mark.owner)?;
        let entry = &self.entries[self.find(room, owner, &mark.key)? as usize];
        (entry.at.after(KEPT) > now).then_some(entry.answer)
    }

    /// Remembers the answer of a publish.
    pub fn remember(&mut self, room: &RoomKey, mark: Mark, answer: Option<Position>, now: Tick) {
        let owner = self.number(mark.owner);
        match self.find(room, owner, &mark.key) {
            Some(known) => self.entries[known as usize].answer = answer,
            None => {
                self.unlist(owner);
                self.insert(Entry { room: room.hash(), owner, at: now, key: mark.key, answer });
                self.list(owner);
                self.fit(owner);
            }
        }
    }

    /// Forgets some expired keys. [`Keys::deadline`] shows whether there are more.
    pub fn expire(&mut self, now: Tick) {
        for _ in 0..SLICE {
            let Some(&(at, owner)) = self.oldest.first() else { return };
            if at.after(KEPT) > now {
                return;
            }
            self.forget_oldest(owner);
        }
    }

    /// When [`Keys::expire`] has work.
    pub fn deadline(&self) -> Option<Tick> {
        self.oldest.first().map(|(at, _)| at.after(KEPT))
    }

    fn hash(&self, room: u64, owner: u32, key: &str) -> u64 {
        self.state.hash_one((room, owner, key))
    }

    fn find(&self, room: &RoomKey, owner: u32, key: &str) -> Option<u32> {
        let same = |&number: &u32| {
            let entry = &self.entries[number as usize];
            (entry.room, entry.owner, &*entry.key) == (room.hash(), owner, key)
        };
        self.index.find(self.hash(room.hash(), owner, key), same).copied()
    }

    /// The number of an owner. Adds the owner if it has no key yet.
    fn number(&mut self, owner: Owner) -> u32 {
        if let Some(number) = self.numbers.get(&owner) {
            return *number;
        }
        *self.bytes_of(&owner) += owner.cost();
        let number = self.owners.insert(Own { owner: owner.clone(), entries: VecDeque::new() }) as u32;
        self.numbers.insert(owner, number);
        number
    }

    /// The bytes spent on keys of the app, or of all others, depending on `owner`.
    fn bytes_of(&mut self, owner: &Owner) -> &mut usize {
        if *owner == Owner::App { &mut self.bytes.0 } else { &mut self.bytes.1 }
    }

    fn insert(&mut self, entry: Entry) {
        let (owner, hash) = (entry.owner, self.hash(entry.room, entry.owner, &entry.key));
        let cost = COST + entry.key.len();
        let number = self.entries.insert(entry) as u32;
        let (entries, state) = (&self.entries, &self.state);
        self.index.insert_unique(hash, number, |&other| {
            let other = &entries[other as usize];
            state.hash_one((other.room, other.owner, &*other.key))
        });
        let Own { owner, entries } = &mut self.owners[owner as usize];
        entries.push_back(number);
        let owner = owner.clone();
        *self.bytes_of(&owner) += cost;
    }

    /// Drops keys that are too many, after `owner` got one more.
    fn fit(&mut self, owner: u32) {
        if self.owners[owner as usize].owner == Owner::App {
            while self.bytes.0 > self.limit / 2 {
                self.forget_oldest(owner);
            }
            return;
        }
        if self.owners[owner as usize].entries.len() > MAX_OWN {
            self.forget_oldest(owner);
        }
        while self.bytes.1 > self.limit / 2
            && let Some(&(_, _, greediest)) = self.greedy.last()
        {
            self.forget_oldest(greediest);
        }
    }

    fn forget_oldest(&mut self, owner: u32) {
        self.unlist(owner);
        let own = &mut self.owners[owner as usize];
        let whose = own.owner.clone();
        if let Some(number) = own.entries.pop_front() {
            let entry = self.entries.remove(number as usize);
            *self.bytes_of(&whose) -= COST + entry.key.len();
            let hash = self.hash(entry.room, owner, &entry.key);
            if let Ok(found) = self.index.find_entry(hash, |&other| other == number) {
                found.remove();
            }
        }
        if self.owners[owner as usize].entries.is_empty() {
            self.owners.remove(owner as usize);
            self.numbers.remove(&whose);
            *self.bytes_of(&whose) -= whose.cost();
        }
        self.list(owner);
        if self.entries.is_empty() {
            // Frees the memory of a past burst of keys.
            *self = Self::new(self.limit);
        }
    }

    /// Puts an owner on the lists, if there still is one.
    fn list(&mut self, owner: u32) {
        if let Some((rank, oldest)) = self.places(owner) {
            self.oldest.insert(oldest);
            self.greedy.extend(rank);
        }
    }

    /// Takes an owner off the lists, before its keys change.
    fn unlist(&mut self, owner: u32) {
        if let Some((rank, oldest)) = self.places(owner) {
            self.oldest.remove(&oldest);
            rank.map(|rank| self.greedy.remove(&rank));
        }
    }

    /// The entries of an owner in `greedy`, if it is not the app, and in `oldest`.
    #[expect(clippy::type_complexity)]
    fn places(&self, owner: u32) -> Option<(Option<(usize, Reverse<Tick>, u32)>, (Tick, u32))> {
        let own = self.owners.get(owner as usize)?;
        let oldest = self.entries[*own.entries.front()? as usize].at;
        let rank = (own.owner != Owner::App).then_some((own.entries.len(), Reverse(oldest), owner));
        Some((rank, (oldest, owner)))
    }
}

#[cfg(test)]
mod tests;
