//! Room names, and the keys by which rooms are found.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// The longest room name, in bytes.
pub const MAX_NAME: usize = 200;

/// Rooms of different spaces may have the same name and have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// Rooms of the native dialect, Server-Sent Events and the HTTP API.
    Native,
    /// Rooms of the raw dialect.
    Raw,
    /// Inboxes, each named as its user; their user calls them [`INBOX`].
    User,
    /// Connections that hear an inbox without being its members. Each is named as its user, and is found by the hash of
    /// the inbox. They belong to one shard: no home knows of them.
    Beside,
}

/// What users call their own inbox.
pub const INBOX: &str = "$me";

/// What clients call the room of the server's live figures.
pub const STATS: &str = "$stats";

/// Whether `name` may name a room: 1 to 200 bytes of `A-Z a-z 0-9 _ - = @ , . ; : /`.
///
/// The server's own names begin with `$`. Clients cannot make them.
pub fn is_room_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_room_byte)
}

/// Whether a client may ask to join the room called `name`: a room, or one of the server's own.
pub fn is_joinable(name: &str) -> bool {
    is_room_name(name) || [INBOX, STATS].contains(&name)
}

/// Whether `byte` may stand in a room's name.
pub fn is_room_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-=@,.;:/".contains(&byte)
}

/// Makes keys under a random hash of this process, so that nobody outside can aim many rooms at one shard or at one
/// bucket.
#[derive(Clone, Default)]
pub struct RoomKeys {
    state: RandomState,
}

impl RoomKeys {
    /// The hash of a room's name in its space.
    pub fn hash(&self, space: Space, name: &str) -> u64 {
        // A delivery to an inbox also looks for the sessions beside it.
        let space = if space == Space::Beside { Space::User } else { space };
        self.state.hash_one((space, name))
    }

    /// The key of the room called `name`.
    pub fn key(&self, space: Space, name: &str) -> RoomKey {
        RoomKey(Arc::new(Inner { hash: self.hash(space, name), space, name: name.into() }))
    }
}

/// Which of `shards` shards is home to the room with this hash.
pub fn home(hash: u64, shards: usize) -> usize {
    // The high half, because the low bits already choose the bucket in a directory.
    ((hash >> 32) as usize) % shards
}

/// A room's name, shared, and its hash beside it, so that a look-up does not hash.
#[derive(Clone)]
pub struct RoomKey(Arc<Inner>);

struct Inner {
    hash: u64,
    space: Space,
    name: Box<str>,
}

impl RoomKey {
    /// The keyed hash of space and name.
    pub fn hash(&self) -> u64 {
        self.0.hash
    }

    /// The space of the name.
    pub fn space(&self) -> Space {
        self.0.space
    }

    /// The name by which it is found: a room's own, an inbox's user.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The name that members know.
    pub fn label(&self) -> &str {
        if self.space() == Space::User { INBOX } else { self.name() }
    }

    /// Which of `shards` shards is the room's home.
    pub fn home(&self, shards: usize) -> usize {
        home(self.0.hash, shards)
    }
}

impl PartialEq for RoomKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.hash == other.0.hash && self.0.space == other.0.space && self.0.name == other.0.name)
    }
}

impl Eq for RoomKey {}

impl fmt::Debug for RoomKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{}", self.0.space, self.0.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_an_alphabet_and_a_length() {
        for good in ["a", "chat:1", "A-Z_=@,.;:/9", &"x".repeat(200)] {
            assert!(is_room_name(good), "{good}");
        }
        for bad in ["", "$me", "a b", "é", "a*", "a\0", "\"", &"x".repeat(201)] {
            assert!(!is_room_name(bad), "{bad}");
        }
    }

    #[test]
    fn spaces_keep_rooms_apart() {
        let keys = RoomKeys::default();
        assert_eq!(keys.key(Space::Raw, "a"), keys.key(Space::Raw, "a"));
        assert_ne!(keys.key(Space::Raw, "a"), keys.key(Space::Native, "a"));
        assert_ne!(keys.key(Space::Raw, "a"), keys.key(Space::Raw, "b"));
    }
}
