//! Names that the server gives to shards, sessions and connections.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// The number of a shard, from 0.
pub type ShardId = u16;

/// The name of one session, on any shard, for its whole life.
///
/// Keys of the slab are reused, generations are not. So an answer to a session that has ended finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId {
    /// The shard that the session lives on.
    pub shard: ShardId,
    /// Its place in that shard's slab.
    pub key: u32,
    /// Which of the sessions that have had this place.
    pub generation: u32,
}

/// The longest user id, in bytes.
pub const MAX_USER: usize = 128;

/// Whether `user` may be a user's id: 1 to 128 bytes of UTF-8 without control characters.
pub fn is_user(user: &str) -> bool {
    (1..=MAX_USER).contains(&user.len()) && !user.chars().any(char::is_control)
}

/// Turns session ids into the connection names that peers see, and back.
///
/// A name holds the id and a keyed hash of it. So nobody can guess another connection's name, and no name is stored: it
/// costs an idle connection nothing.
#[derive(Clone)]
pub struct ConnectionNames {
    keys: [RandomState; 2],
}

impl ConnectionNames {
    /// Names under random keys of this process.
    pub fn new() -> Self {
        Self { keys: [RandomState::new(), RandomState::new()] }
    }

    /// The name of the connection of `id`.
    pub fn name(&self, id: SessionId) -> ConnectionName {
        let [first, second] = self.seal(id);
        ConnectionName { id, first, second }
    }

    /// The session that `name` stands for; `None` if this process never gave that name.
    pub fn id(&self, name: &str) -> Option<SessionId> {
        if name.len() != ConnectionName::LEN || !name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        {
            return None;
        }
        let field = |range| u64::from_str_radix(&name[range], 16).ok();
        let id = SessionId {
            shard: field(0..4)? as ShardId,
            key: field(4..12)? as u32,
            generation: field(12..20)? as u32,
        };
        (self.seal(id) == [field(20..36)?, field(36..52)?]).then_some(id)
    }

    fn seal(&self, id: SessionId) -> [u64; 2] {
        self.keys.each_ref().map(|key| key.hash_one(id))
    }
}

impl Default for ConnectionNames {
    fn default() -> Self {
        Self::new()
    }
}

/// The unguessable name of a connection, as it is written on the wire.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionName {
    id: SessionId,
    first: u64,
    second: u64,
}

impl ConnectionName {
    const LEN: usize = 52;
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SessionId { shard, key, generation } = self.id;
        write!(f, "{shard:04x}{key:08x}{generation:08x}{:016x}{:016x}", self.first, self.second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: SessionId = SessionId { shard: 3, key: 70_000, generation: 9 };

    #[test]
    fn a_name_leads_back_to_its_session() {
        let names = ConnectionNames::new();
        let name = names.name(ID).to_string();
        assert_eq!(name.len(), ConnectionName::LEN);
        assert_eq!(names.id(&name), Some(ID));
    }

    #[test]
    fn a_made_up_name_leads_nowhere() {
        let names = ConnectionNames::new();
        let name = names.name(ID).to_string();
        let next = format!("{}{}", &name[..19], &name[20..]);
        let other = name.replacen("00011170", "00011171", 1);
        let foreign = ConnectionNames::new().name(ID).to_string();
        for made_up in ["", "é", &next, &other, &foreign, &name.to_uppercase(), &name.replace('0', "+")] {
            assert_eq!(names.id(made_up), None, "{made_up}");
        }
    }
}
