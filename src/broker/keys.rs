//! Idempotency keys: what was published under a key is not published again, and has the answer that it had.
//!
//! Whose a key is decides with whom it can clash and what it can push out: the app, each user and each guest's connection
//! have a space of their own. So nobody can take another's key by guessing it, and nobody who makes up many loses others theirs.

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

/// How long a key counts.
pub const KEPT: Duration = Duration::from_secs(300);

/// The longest key, in bytes.
pub const MAX_KEY: usize = 128;

/// Keys that one user, or one guest's connection, has on a shard at most: three a second for as long as they count.
const MAX_OWN: usize = 1_000;

/// What a key costs beside its text, in bytes, and what its first one costs an owner beside the name.
const COST: usize = 128;
const OWNER_COST: usize = 192;

/// Keys whose time has passed that are forgotten in one go: some 0.2 ms.
const SLICE: usize = 512;

/// Whose a key is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The app's: of all keys of the HTTP API together, so that one can be replaced, and of the program around the server.
    App,
    /// A user's, whichever connection says it.
    User(ArcStr),
    /// A guest's, who has no name that would outlast the connection.
    Guest(SessionId),
}

/// A key, and whose it is. It counts within its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whose.
    pub owner: Owner,
    /// The key.
    pub key: Box<str>,
}

/// The keys that one shard's rooms have seen lately.
#[derive(Debug)]
pub struct Keys {
    entries: Slab<Entry>,
    /// Entries by room, owner and key.
    index: HashTable<u32>,
    state: RandomState,
    owners: Slab<Own>,
    numbers: HashMap<Owner, u32>,
    /// The owners, the app apart: who has most comes last, and of those who have as many the one with the oldest.
    greedy: BTreeSet<(usize, Reverse<Tick>, u32)>,
    /// When the oldest key of each owner came.
    oldest: BTreeSet<(Tick, u32)>,
    /// What the app's keys cost, and everybody else's.
    bytes: (usize, usize),
    limit: usize,
}

#[derive(Debug)]
struct Entry {
    /// Rooms are told apart by their keyed hash, which nobody can aim.
    room: u64,
    owner: u32,
    at: Tick,
    key: Box<str>,
    answer: Option<Position>,
}

/// The keys of one owner, oldest first; there is at least one.
#[derive(Debug)]
struct Own {
    owner: Owner,
    entries: VecDeque<u32>,
}

impl Owner {
    /// Whose the key of a message is that `caller` publishes as the user `from`.
    pub fn of(caller: &Caller, from: Option<&ArcStr>) -> Self {
        match (caller, from) {
            (Caller::Session(..), Some(user)) => Self::User(user.clone()),
            (Caller::Session(session, _), None) => Self::Guest(*session),
            // What the app says that a message is from is its own claim.
            (Caller::Nobody | Caller::Call(..) | Caller::Program(..), _) => Self::App,
        }
    }

    fn cost(&self) -> usize {
        let name = if let Self::User(user) = self { user.len() } else { 0 };
        OWNER_COST + name
    }
}

impl Keys {
    /// Remembers keys of at most `limit` bytes; half of them are the app's alone.
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

    /// The answer that a publish in `room` under `mark` had, if it was not long ago.
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

    /// Forgets some of the keys whose time has passed; [`Keys::deadline`] says whether there are more.
    pub fn expire(&mut self, now: Tick) {
        for _ in 0..SLICE {
            let Some(&(at, owner)) = self.oldest.first() else { return };
            if at.after(KEPT) > now {
                return;
            }
            self.forget_oldest(owner);
        }
    }

    /// When [`Keys::expire`] has something to do.
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

    /// The number of an owner, who is about to have a key.
    fn number(&mut self, owner: Owner) -> u32 {
        if let Some(number) = self.numbers.get(&owner) {
            return *number;
        }
        *self.bytes_of(&owner) += owner.cost();
        let number = self.owners.insert(Own { owner: owner.clone(), entries: VecDeque::new() }) as u32;
        self.numbers.insert(owner, number);
        number
    }

    /// What is spent on keys of the kind that `owner` has.
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

    /// Pushes out what is too much now that `owner` has one more.
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
            // A burst of keys is not kept in memory for ever.
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

    /// The places of an owner on the list of the greedy, if it is not the app, and on that of the oldest keys.
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
