//! The cost of a room, and which empty rooms are forgotten first.

use super::Home;
use crate::room_key::RoomKey;
use crate::time::Tick;

/// What a room costs that nobody is in, beside its name, in bytes: its home and the places where it is found. Memory
/// grows by some 500 bytes a room when 100,000 are made.
pub const ROOM: usize = 512;

/// Its additional cost on each shard with members: the audience and its lane. A member costs 8 bytes more.
const AUDIENCE: usize = 192;

/// The order in which empty rooms are forgotten, first the smallest. Rooms without history come first, because they lose only
/// their position; then the room that has been empty longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Idle {
    history: bool,
    since: Tick,
}

/// What a room holds of what there is for all rooms together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// What its kept messages cost, in bytes.
    pub history: usize,
    /// What it costs beside them, in bytes.
    pub cost: usize,
    /// What waits in it for the engine, in bytes.
    pub waiting: usize,
    /// How little it would be missed; none while somebody is in it or waits for it.
    pub idle: Option<Idle>,
}

impl Home {
    /// What the room holds now.
    pub fn holds(&self) -> Holding {
        let waiting = self.waiting.bytes() + self.held();
        Holding { history: self.history.bytes(), cost: self.cost(), waiting, idle: self.idle() }
    }

    /// What of that was paid for.
    pub fn paid(&self) -> Holding {
        self.paid
    }

    /// So much is paid for.
    pub fn pay(&mut self, paid: Holding) {
        self.paid = paid;
    }

    fn cost(&self) -> usize {
        let audiences = self.members.shards() * AUDIENCE;
        Self::least_cost(&self.key) + audiences + self.presence.bytes() + self.typing.bytes()
    }

    /// What a room of this name costs at least.
    pub fn least_cost(room: &RoomKey) -> usize {
        ROOM + room.name().len()
    }

    fn idle(&self) -> Option<Idle> {
        self.is_unused().then_some(Idle { history: self.history.bytes() > 0, since: self.used })
    }

    /// The mark of the address that the room was made for; 0: the app.
    pub fn maker(&self) -> u32 {
        self.maker
    }

    pub(super) fn is_unused(&self) -> bool {
        self.connections() == 0 && self.waiting.is_empty() && self.presence.count() == 0
    }
}
