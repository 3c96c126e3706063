//! Calls of the app that concern all connections of a user. Each turn handles a part, so that a user with many connections
//! delays nobody else.
//!
//! A walk covers the connections that existed when it began. Its answer comes after the last. The list of them is paid for
//! like queued bytes.

use std::collections::BTreeSet;

use arcstr::ArcStr;

use super::Shard;
use crate::broker::post::{Caller, Post};
use crate::error::Close;
use crate::id::SessionId;
use crate::room_key::{RoomKey, Space};

/// Connections that are closed, taken out of a room or looked at in one turn: each costs some microseconds.
const SLICE: usize = 32;

/// The reason when the app removes a user from a room.
const REMOVED: &str = "removed by the app";

/// A walk under way.
pub(super) struct Walk {
    /// The connections that are left. It goes from the last to the first.
    left: Vec<SessionId>,
    all: u32,
    /// Bytes that were paid for the list.
    paid: isize,
    what: What,
    caller: Caller,
}

/// What is done to each connection.
enum What {
    /// It is closed, for this reason.
    Disconnect(ArcStr),
    /// It is taken out of this room.
    Remove(RoomKey),
    /// Its rooms are collected: the numbers of audiences seen, and the rooms' keys.
    Seek(BTreeSet<u32>, Vec<RoomKey>),
}

impl Shard {
    /// Finds a user's connections and rooms.
    pub(super) fn seek(&mut self, user: &str, caller: Caller) {
        let keys = self.sessions_of(user);
        self.walk(keys, What::Seek(BTreeSet::new(), Vec::new()), caller);
    }

    /// Closes a user's connections.
    pub(super) fn disconnect(&mut self, user: &str, reason: &ArcStr, caller: Caller) {
        let keys = self.sessions_of(user);
        self.walk(keys, What::Disconnect(reason.clone()), caller);
    }

    /// Removes a user from a room.
    pub(super) fn remove_user(&mut self, room: &RoomKey, user: &str, caller: Caller) {
        let keys = self.seated_of(room, user);
        self.walk(keys, What::Remove(room.clone()), caller);
    }

    /// Begins a walk. A short one ends at once, unless others are under way.
    fn walk(&mut self, keys: Vec<u32>, what: What, caller: Caller) {
        let left: Vec<SessionId> = keys.into_iter().map(|key| self.id(key)).collect();
        let paid = size_of_val(&left[..]).cast_signed();
        self.spend(paid);
        let first = self.work.walks.is_empty();
        let short = left.len() <= SLICE;
        self.work.walks.push_back(Walk { all: left.len() as u32, left, paid, what, caller });
        if first && short {
            self.walk_some();
        }
    }

    /// Goes on with the first walk.
    pub(super) fn walk_some(&mut self) {
        let Some(mut walk) = self.work.walks.pop_front() else { return };
        for _ in 0..SLICE {
            let Some(id) = walk.left.pop() else { break };
            self.step(id, &mut walk.what);
        }
        if !walk.left.is_empty() {
            return self.work.walks.push_front(walk);
        }
        self.spend(-walk.paid);
        let all = walk.all;
        self.answer(walk.caller, |caller| match walk.what {
            What::Seek(_, rooms) => Post::Found(caller, all, rooms),
            What::Disconnect(_) | What::Remove(_) => Post::Counted(caller, all),
        });
    }

    fn step(&mut self, id: SessionId, what: &mut What) {
        if self.find(id).is_none_or(|session| !session.is_open()) {
            return;
        }
        match what {
            What::Disconnect(reason) => self.close(id.key, Close::by_app(reason)),
            What::Remove(room) => {
                let number = self.audiences.find_key(room);
                let session = self.sessions.get(id.key as usize);
                if session.zip(number).is_some_and(|(session, number)| session.seats.slot(number).is_some()) {
                    self.remove(id.key, room, REMOVED);
                }
            }
            What::Seek(known, rooms) => {
                let Some(session) = self.sessions.get(id.key as usize) else { return };
                for seat in session.seats.iter().filter(|seat| known.insert(seat.room)) {
                    let room = self.audiences.key(seat.room);
                    let shown = |room: &&RoomKey| room.space() == Space::Native && Self::is_counted(room);
                    rooms.extend(room.filter(shown).cloned());
                }
            }
        }
    }
}
