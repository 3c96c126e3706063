//! What some rooms are like.

use std::time::Duration;

use crate::settings::{RoomRule, RoomSettings, Slow};

/// What the rooms that match a pattern are like; for [`Builder::rooms`](crate::Builder::rooms). What is not said has the
/// default of [`RoomSettings`], which also says what each of these means in full.
#[derive(Clone, Debug)]
#[must_use = "it does nothing until a builder gets it"]
pub struct Rooms(RoomRule);

impl Rooms {
    /// The rooms that `pattern` matches: a room's name in which `*` stands for any run of characters.
    pub fn matching(pattern: &str) -> Self {
        Self(RoomRule { pattern: pattern.to_owned(), room: RoomSettings::default() })
    }

    /// Messages kept for who comes late or comes back; 0: none.
    pub fn history(self, messages: u32) -> Self {
        self.with(|room| room.history = messages)
    }

    /// Bytes that the kept messages of one room may take.
    pub fn history_bytes(self, bytes: usize) -> Self {
        self.with(|room| room.history_bytes = bytes)
    }

    /// How long a message is kept, and how long an empty and silent room is remembered.
    pub fn ttl(self, ttl: Duration) -> Self {
        self.with(|room| room.ttl = ttl)
    }

    /// Whether people are told of and listed.
    pub fn presence(self, presence: bool) -> Self {
        self.with(|room| room.presence = presence)
    }

    /// Above this many people a room tells their number only.
    pub fn presence_limit(self, people: u32) -> Self {
        self.with(|room| room.presence_limit = people)
    }

    /// How long a user whose last connection went may take to come back before anybody is told.
    pub fn presence_grace(self, grace: Duration) -> Self {
        self.with(|room| room.presence_grace = grace)
    }

    /// Whether clients may publish, or only the app.
    pub fn client_publish(self, allowed: bool) -> Self {
        self.with(|room| room.client_publish = allowed)
    }

    /// Whether members hear of each other's typing.
    pub fn typing(self, told: bool) -> Self {
        self.with(|room| room.typing = told)
    }

    /// Whether clients without a name may join.
    pub fn anonymous(self, allowed: bool) -> Self {
        self.with(|room| room.anonymous = allowed)
    }

    /// Whether only a token that names it opens a room.
    pub fn private(self, private: bool) -> Self {
        self.with(|room| room.private = private)
    }

    /// Connections that a room takes; 0: any number.
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
