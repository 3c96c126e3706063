//! Settings for some rooms.

use std::time::Duration;

use crate::settings::{RoomRule, RoomSettings, Slow};

/// Settings for the rooms that match a pattern; for [`Builder::rooms`](crate::Builder::rooms). A setting that is not given
/// has the default of [`RoomSettings`], which also explains each.
#[derive(Clone, Debug)]
#[must_use = "it does nothing until a builder gets it"]
pub struct Rooms(RoomRule);

impl Rooms {
    /// Settings for the rooms that `pattern` matches: a room's name in which `*` stands for any characters, or none.
    pub fn matching(pattern: &str) -> Self {
        Self(RoomRule { pattern: pattern.to_owned(), room: RoomSettings::default() })
    }

    /// Messages kept for clients that reconnect or join later. 0: none.
    pub fn history(self, messages: u32) -> Self {
        self.with(|room| room.history = messages)
    }

    /// The most bytes that the kept messages of one room may take.
    pub fn history_bytes(self, bytes: usize) -> Self {
        self.with(|room| room.history_bytes = bytes)
    }

    /// How long a message is kept, and how long an empty room without messages is remembered.
    pub fn ttl(self, ttl: Duration) -> Self {
        self.with(|room| room.ttl = ttl)
    }

    /// Whether members are told who joins and leaves, and may list members.
    pub fn presence(self, presence: bool) -> Self {
        self.with(|room| room.presence = presence)
    }

    /// Above this many people a room reports only their number.
    pub fn presence_limit(self, people: u32) -> Self {
        self.with(|room| room.presence_limit = people)
    }

    /// How long a user has to come back after the last connection ended, before the others are told.
    pub fn presence_grace(self, grace: Duration) -> Self {
        self.with(|room| room.presence_grace = grace)
    }

    /// Whether clients may publish, or only the app.
    pub fn client_publish(self, allowed: bool) -> Self {
        self.with(|room| room.client_publish = allowed)
    }

    /// Whether members see each other's typing.
    pub fn typing(self, told: bool) -> Self {
        self.with(|room| room.typing = told)
    }

    /// Whether guests, clients without a user name, may join.
    pub fn anonymous(self, allowed: bool) -> Self {
        self.with(|room| room.anonymous = allowed)
    }

    /// Whether a client needs a token that names the room.
    pub fn private(self, private: bool) -> Self {
        self.with(|room| room.private = private)
    }

    /// The most connections in a room. 0: any number.
    pub fn max_members(self, members: u32) -> Self {
        self.with(|room| room.max_members = members)
    }

    /// What happens to a member that does not keep up.
    pub fn slow(self, slow: Slow) -> Self {
        self.with(|room| room.slow = slow)
    }

    fn with(mut self, change: impl FnOnce(&mut RoomSettings)) -> Self {
        change(&mut self.0.room);
        self
    }
}

impl From<Rooms> for RoomRule {
    fn from(Rooms(rule): Rooms) -> Self {
        rule
    }
}
