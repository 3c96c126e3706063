//! The rooms that are at home on this shard: who may make one, what they cost, and which are forgotten when there are too
//! many.
//!
//! A room outlives its members by its `ttl`, so one connection could make rooms for ever. So there is a rate, a number for
//! each address, and a total. Above the total, empty rooms are forgotten: first those without history, and of these the one
//! empty longest. A client is refused only if there is no empty room.

use std::collections::BTreeSet;

use super::Shard;
use crate::broker::home::{Home, Idle, Request};
use crate::broker::names::Names;
use crate::broker::place::Ask;
use crate::error::Fault;
use crate::id::SessionId;
use crate::ledger::Purse;
use crate::makers::Refused;
use crate::room_key::{RoomKey, Space, is_room_name};
use crate::time::Tick;

/// Rooms that are forgotten for one new room, at most. Some of them may be smaller than the new one.
const PUSHED: usize = 16;

/// The indexes of all rooms at home here.
#[derive(Default)]
pub(super) struct Rooms {
    /// What they cost.
    pub(super) purse: Purse,
    /// What waits in them for the engine, in bytes.
    pub(super) waiting: usize,
    /// The names of rooms that can be listed.
    pub(super) names: Names,
    /// Empty rooms, in the order in which they are forgotten.
    idle: BTreeSet<(Idle, u32)>,
}

impl Rooms {
    /// The idle state of a room has changed.
    pub(super) fn changes(&mut self, number: u32, before: Option<Idle>, after: Option<Idle>) {
        before.map(|idle| self.idle.remove(&(idle, number)));
        self.idle.extend(after.map(|idle| (idle, number)));
    }
}

impl Shard {
    /// Passes a request to a room at home here, and makes the room if needed. For the app, or after [`Shard::ensure_home`].
    pub(super) fn at_home(&mut self, room: &RoomKey, request: Request) {
        let number = match self.homes.find_key(room) {
            Some(number) => number,
            None => {
                // The app is never refused a room. When its rooms are empty, they are forgotten like others.
                self.has_space(room);
                self.make_home(room, 0)
            }
        };
        self.request_of(number, request);
    }

    /// Something is asked of the room with this number.
    pub(super) fn request_of(&mut self, number: u32, request: Request) {
        self.with_home(number, |home, desk| home.request(request, desk));
        self.consult();
    }

    /// Makes sure that there is a room for `session`, whose address has this mark. Returns the room's number.
    ///
    /// # Errors
    ///
    /// If there is no such room and the session may not make one.
    pub(super) fn ensure_home(
        &mut self,
        room: &RoomKey,
        session: SessionId,
        address: u32,
    ) -> Result<u32, Fault> {
        if let Some(number) = self.homes.find_key(room) {
            return Ok(number);
        }
        self.common.makers.make(session, address, self.now.shared_ms()).map_err(unmade)?;
        if !self.has_space(room) {
            self.common.makers.gone(address);
            return Err(Fault::Unavailable);
        }
        Ok(self.make_home(room, address))
    }

    /// The same for a user's inbox. It counts among no address's rooms; being empty, it is forgotten when others need the
    /// space.
    pub(super) fn ensure_inbox(
        &mut self,
        inbox: &RoomKey,
        session: SessionId,
        address: u32,
    ) -> Result<u32, Fault> {
        if let Some(number) = self.homes.find_key(inbox) {
            return Ok(number);
        }
        self.common.makers.pace(session, address, self.now.shared_ms()).map_err(unmade)?;
        if !self.has_space(inbox) {
            return Err(Fault::Unavailable);
        }
        Ok(self.make_home(inbox, 0))
    }

    fn make_home(&mut self, room: &RoomKey, maker: u32) -> u32 {
        let (shards, now) = (self.common.shards, self.now.tick());
        let settings = self.common.rules.settings(room.space(), room.name()).clone();
        let home = Home::new(room.clone(), settings, shards, maker, now);
        let number = self.homes.find_or_insert(room, || home);
        self.gauges.rooms += u64::from(Self::is_counted(room));
        self.pay_for_room(number);
        if is_listed(room) {
            self.rooms.names.insert(room.clone());
        }
        number
    }

    /// Whether there is space for one more room. Forgets idle rooms if needed.
    fn has_space(&mut self, room: &RoomKey) -> bool {
        let cost = Home::least_cost(room);
        let mut short = self.rooms.purse.spend(&self.common.rooms, cost, 0);
        for _ in 0..PUSHED {
            if !short {
                break;
            }
            let Some(&(_, number)) = self.rooms.idle.first() else { break };
            self.forget(number);
            short = self.common.rooms.is_overdrawn();
        }
        self.rooms.purse.spend(&self.common.rooms, 0, cost);
        self.consult();
        !short
    }

    /// Pays for what a room has come to hold, or gets back what it does not hold any more, and notes when it wants to work
    /// again.
    pub(super) fn pay_for_room(&mut self, number: u32) {
        let Some(home) = self.homes.get_mut(number) else { return };
        let (paid, mut held) = (home.paid(), home.holds());
        if held.history != paid.history {
            // What is kept too much goes where something new is kept, oldest first.
            let mut overdrawn = self.history.spend(&self.common.history, held.history, paid.history);
            while overdrawn && let Some(freed) = home.drop_oldest() {
                overdrawn = self.history.spend(&self.common.history, 0, freed);
                held = home.holds();
            }
        }
        home.pay(held);
        self.home_deadlines.set(number, home.deadline());
        if held.cost != paid.cost {
            self.rooms.purse.spend(&self.common.rooms, held.cost, paid.cost);
        }
        if held.idle != paid.idle {
            self.rooms.changes(number, paid.idle, held.idle);
        }
        if held.waiting != paid.waiting {
            self.rooms.waiting = self.rooms.waiting + held.waiting - paid.waiting;
            self.spend(held.waiting.cast_signed() - paid.waiting.cast_signed());
        }
    }

    /// Forgets an empty room.
    pub(super) fn forget(&mut self, number: u32) {
        self.home_deadlines.set(number, Tick::NEVER);
        let Some(room) = self.homes.key(number).cloned() else { return };
        let Some(home) = self.homes.remove(number) else { return };
        self.gauges.rooms -= u64::from(Self::is_counted(&room));
        let paid = home.paid();
        self.history.spend(&self.common.history, 0, paid.history);
        self.rooms.purse.spend(&self.common.rooms, 0, paid.cost);
        self.rooms.changes(number, paid.idle, None);
        self.rooms.waiting -= paid.waiting;
        self.spend(-paid.waiting.cast_signed());
        if home.maker() != 0 {
            self.common.makers.gone(home.maker());
        }
        if is_listed(&room) {
            self.rooms.names.remove(&room);
        }
        self.mail.asks.push(Ask::Close(room));
    }
}

/// What a client is told whose room is not made.
fn unmade(refused: Refused) -> Fault {
    match refused {
        Refused::TooMany => Fault::TooManyRooms,
        Refused::TooFast(wait_ms) => Fault::RateLimited(u32::try_from(wait_ms).unwrap_or(u32::MAX)),
    }
}

/// Whether a room can be in a list at all: the server's own, inboxes and raw rooms are not.
fn is_listed(room: &RoomKey) -> bool {
    room.space() == Space::Native && is_room_name(room.name())
}
