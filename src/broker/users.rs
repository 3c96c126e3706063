//! The connected users that are at home on this shard: on which shards they are, how many connections they have, and whether
//! one more is admitted.
//!
//! A connected user costs one entry here. Messages to a user go to a room of their own, the inbox, which is made when first
//! needed.

use arcstr::ArcStr;
use hashbrown::HashTable;

use crate::id::{SessionId, ShardId};
use crate::room_key::{RoomKeys, Space};

/// How many connections a user may have, and what happens to one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The most at once. 0: any number.
    pub connections: usize,
    /// Whether the oldest is closed for the new one.
    pub evicts: bool,
}

/// The decision about a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It is admitted.
    In,
    /// It is admitted, and this one must be closed.
    Replaces(SessionId),
    /// The user has too many connections.
    Refused,
}

/// The connections of one user on one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Here {
    /// Which shard.
    pub shard: ShardId,
    /// All of them.
    pub connections: u32,
    /// Those that get messages to the user.
    pub listening: u32,
}

/// One user's connections.
#[derive(Debug)]
struct User {
    name: ArcStr,
    places: Places,
}

/// Where a user is connected. Most users are on one shard, and nobody counts their connections.
#[derive(Debug)]
enum Places {
    One(Here),
    Several(Box<Several>),
}

/// The connections of a user on several shards, or of a user whose number of connections is limited.
#[derive(Debug)]
struct Several {
    shards: Vec<Here>,
    /// The connections in order of arrival, if their number is limited.
    order: Vec<Held>,
}

/// A connection that counts, until it is told to close.
#[derive(Debug)]
struct Held {
    session: SessionId,
    evicted: bool,
}

/// The users at home on a shard.
#[derive(Debug, Default)]
pub struct Users {
    table: HashTable<User>,
}

impl Users {
    /// How many users are connected.
    pub fn count(&self) -> usize {
        self.table.len()
    }

    /// Where the user whose name has this hash is connected.
    pub fn shards(&self, hash: u64, name: &str) -> &[Here] {
        self.find(hash, name).map_or(&[], |user| user.places.all())
    }

    /// How many of the user's connections get messages to the user.
    pub fn listening(&self, hash: u64, name: &str) -> u32 {
        self.shards(hash, name).iter().map(|here| here.listening).sum()
    }

    /// A connection of `name` wants to be admitted.
    pub fn came(
        &mut self,
        keys: &RoomKeys,
        name: &ArcStr,
        session: SessionId,
        listens: bool,
        allowance: Allowance,
    ) -> Entry {
        let hash_of = |user: &User| keys.hash(Space::User, &user.name);
        let entry = self.table.entry(keys.hash(Space::User, name), |user| *user.name == **name, hash_of);
        let entry = entry.or_insert_with(|| User::new(name.clone(), session.shard));
        entry.into_mut().came(session, listens, allowance)
    }

    /// An admitted connection is gone. `listens` is its last state.
    pub fn went(&mut self, hash: u64, name: &str, session: SessionId, listens: bool) {
        let Ok(mut entry) = self.table.find_entry(hash, |user| *user.name == *name) else { return };
        if entry.get_mut().went(session, listens) {
            entry.remove();
        }
        if self.table.is_empty() {
            self.table = HashTable::new();
        }
    }

    /// A connection on `shard` begins or stops to get messages to its user.
    pub fn hears(&mut self, hash: u64, name: &str, shard: ShardId, listens: bool) {
        let user = self.table.find_mut(hash, |user| *user.name == *name);
        if let Some(here) = user.and_then(|user| user.places.find(shard)) {
            here.listening = if listens { here.listening + 1 } else { here.listening.saturating_sub(1) };
        }
    }

    fn find(&self, hash: u64, name: &str) -> Option<&User> {
        self.table.find(hash, |user| *user.name == *name)
    }
}

impl User {
    fn new(name: ArcStr, shard: ShardId) -> Self {
        Self { name, places: Places::One(Here::nobody(shard)) }
    }

    fn came(&mut self, session: SessionId, listens: bool, allowance: Allowance) -> Entry {
        let entry = match allowance.connections {
            0 => Entry::In,
            _ => self.places.several().hold(session, allowance),
        };
        if entry != Entry::Refused {
            self.places.add(session.shard, listens);
        }
        entry
    }

    /// Removes a connection. Returns whether it was the last.
    fn went(&mut self, session: SessionId, listens: bool) -> bool {
        // A refused connection that ended before it got the refusal was never counted.
        let counted = match &mut self.places {
            Places::One(_) => true,
            Places::Several(several) => several.release(session),
        };
        if counted {
            self.places.remove(session.shard, listens);
        }
        self.places.all().is_empty()
    }
}

impl Here {
    fn nobody(shard: ShardId) -> Self {
        Self { shard, connections: 0, listening: 0 }
    }
}

impl Places {
    /// Where there are connections.
    fn all(&self) -> &[Here] {
        match self {
            Self::One(here) if here.connections == 0 => &[],
            Self::One(here) => std::slice::from_ref(here),
            Self::Several(several) => &several.shards,
        }
    }

    fn find(&mut self, shard: ShardId) -> Option<&mut Here> {
        let all = match self {
            Self::One(here) => std::slice::from_mut(here),
            Self::Several(several) => &mut several.shards[..],
        };
        all.iter_mut().find(|here| here.shard == shard)
    }

    fn add(&mut self, shard: ShardId, listens: bool) {
        if self.find(shard).is_none() {
            self.several().shards.push(Here::nobody(shard));
        }
        if let Some(here) = self.find(shard) {
            here.connections += 1;
            here.listening += u32::from(listens);
        }
    }

    fn remove(&mut self, shard: ShardId, listens: bool) {
        if let Some(here) = self.find(shard) {
            here.connections = here.connections.saturating_sub(1);
            here.listening = here.listening.saturating_sub(u32::from(listens));
        }
        if let Self::Several(several) = self {
            several.shards.retain(|here| here.connections > 0);
            if let ([here], []) = (&several.shards[..], &several.order[..]) {
                *self = Self::One(*here);
            }
        }
    }

    fn several(&mut self) -> &mut Several {
        if let Self::One(here) = *self {
            let shards = if here.connections > 0 { vec![here] } else { Vec::new() };
            *self = Self::Several(Box::new(Several { shards, order: Vec::new() }));
        }
        let Self::Several(several) = self else { unreachable!("made above") };
        several
    }
}

impl Several {
    /// Counts a connection against the limit.
    fn hold(&mut self, session: SessionId, allowance: Allowance) -> Entry {
        let mut entry = Entry::In;
        let mut counted = self.order.iter_mut().filter(|held| !held.evicted);
        if let Some(oldest) = counted.next()
            && 1 + counted.count() >= allowance.connections
        {
            if !allowance.evicts {
                return Entry::Refused;
            }
            oldest.evicted = true;
            entry = Entry::Replaces(oldest.session);
        }
        self.order.push(Held { session, evicted: false });
        entry
    }

    /// Forgets a connection. Returns whether it was counted.
    fn release(&mut self, session: SessionId) -> bool {
        // Without a limit no connection is held.
        let index = self.order.iter().position(|held| held.session == session);
        index.map(|index| self.order.remove(index)).is_some() || self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Allowance = Allowance { connections: 0, evicts: false };

    fn session(shard: ShardId, key: u32) -> SessionId {
        SessionId { shard, key, generation: 0 }
    }

    struct Bench {
        keys: RoomKeys,
        users: Users,
        ann: ArcStr,
    }

    impl Bench {
        fn new() -> Self {
            Self { keys: RoomKeys::default(), users: Users::default(), ann: "ann".into() }
        }

        fn came(&mut self, session: SessionId, listens: bool, allowance: Allowance) -> Entry {
            self.users.came(&self.keys, &self.ann, session, listens, allowance)
        }

        fn went(&mut self, session: SessionId, listens: bool) {
            self.users.went(self.keys.hash(Space::User, "ann"), "ann", session, listens);
        }

        fn here(&self) -> Vec<(ShardId, u32, u32)> {
            let shards = self.users.shards(self.keys.hash(Space::User, "ann"), "ann");
            shards.iter().map(|here| (here.shard, here.connections, here.listening)).collect()
        }
    }

    #[test]
    fn connections_are_counted_by_shard() {
        let mut bench = Bench::new();
        bench.came(session(0, 1), true, ANY);
        bench.came(session(2, 1), false, ANY);
        bench.came(session(2, 2), true, ANY);
        assert_eq!((bench.here(), bench.users.count()), (vec![(0, 1, 1), (2, 2, 1)], 1));
        bench.users.hears(bench.keys.hash(Space::User, "ann"), "ann", 2, true);
        bench.went(session(0, 1), true);
        assert_eq!(bench.here(), [(2, 2, 2)]);
        bench.went(session(2, 1), true);
        bench.went(session(2, 2), true);
        assert_eq!((bench.here(), bench.users.count()), (vec![], 0));
    }

    #[test]
    fn one_too_many_is_refused() {
        let mut bench = Bench::new();
        let two = Allowance { connections: 2, evicts: false };
        let entries = [1, 2, 3].map(|key| bench.came(session(0, key), true, two));
        assert_eq!(entries, [Entry::In, Entry::In, Entry::Refused]);
        // Whoever was refused changes nothing by going.
        bench.went(session(0, 3), true);
        assert_eq!(bench.here(), [(0, 2, 2)]);
        bench.went(session(0, 1), true);
        assert_eq!(bench.came(session(1, 4), true, two), Entry::In);
    }

    #[test]
    fn the_oldest_makes_room_once() {
        let mut bench = Bench::new();
        let two = Allowance { connections: 2, evicts: true };
        let entries = [1, 2, 3, 4].map(|key| bench.came(session(0, key), true, two));
        let (first, second) = (Entry::Replaces(session(0, 1)), Entry::Replaces(session(0, 2)));
        assert_eq!(entries, [Entry::In, Entry::In, first, second]);
        for key in [1, 2] {
            bench.went(session(0, key), true);
        }
        assert_eq!(bench.here(), [(0, 2, 2)]);
        assert_eq!(bench.came(session(0, 5), true, two), Entry::Replaces(session(0, 3)));
    }

    #[test]
    fn a_user_is_small() {
        assert!(size_of::<User>() <= 24, "{}", size_of::<User>());
    }
}
