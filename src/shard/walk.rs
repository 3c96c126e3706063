//! Calls of the app that concern all connections of a user. Each turn handles a part, so that a user with many connections
//! delays nobody else.
//!
//! A walk covers the connections that existed when it began. Its answer comes after the last, and it goes its way whether its
//! caller is still there or not. So what it holds is paid for like queued bytes, and all walks together hold only so much.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arcstr::ArcStr;

use super::Shard;
use crate::broker::names::Names;
use crate::broker::post::{Caller, Page, Post};
use crate::broker::weight::ENTRY;
use crate::error::Close;
use crate::id::SessionId;
use crate::room_key::{RoomKey, Space};
use crate::settings::MIB;

/// Connections that are closed, taken out of a room or looked at in one turn, for all walks together: each costs some
/// microseconds.
const SLICE: usize = 32;

/// Rooms of a connection that are looked at in the time of one connection more.
const ROOMS: usize = 16;

/// Bytes that walks hold above which no more calls for them are accepted: lists of some 65,000 connections.
const MOST_WAITING: isize = MIB as isize;

/// The reason when the app removes a user from a room.
const REMOVED: &str = "removed by the app";

/// Walks, made one after another.
#[derive(Default)]
pub(super) struct Walks {
    queue: VecDeque<Walk>,
    /// Connections that this turn has come to.
    steps: usize,
}

impl Walks {
    /// Whether none is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// A new turn begins.
    pub(super) fn begin(&mut self) {
        self.steps = 0;
    }
}

/// A walk under way.
struct Walk {
    /// The connections that are left. It goes from the last to the first.
    left: Vec<SessionId>,
    all: u32,
    /// Bytes that were paid for it.
    paid: isize,
    what: What,
    caller: Caller,
}

impl Walk {
    /// Bytes of memory that it holds.
    fn held(&self) -> usize {
        let found = match &self.what {
            What::Seek(page, rooms) => page.after.len() + rooms.count() * ENTRY,
            What::Disconnect(_) | What::Remove(_) => 0,
        };
        size_of::<Self>() + self.left.capacity() * size_of::<SessionId>() + found
    }
}

/// What is done to each connection.
enum What {
    /// It is closed, for this reason.
    Disconnect(ArcStr),
    /// It is taken out of this room.
    Remove(RoomKey),
    /// Of its rooms those of this page are collected.
    Seek(Arc<Page>, Names),
}

impl Shard {
    /// Finds a user's connections and rooms.
    pub(super) fn seek(&mut self, user: &str, caller: Caller, page: Arc<Page>) {
        let keys = self.sessions_of(user);
        self.walk(keys, What::Seek(page, Names::default()), caller);
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

    /// Whether walks hold so much, on all shards together, that no more calls for them are accepted. The shard of a call may
    /// have little of it: all connections of a user may be on another.
    pub(super) fn walks_are_full(&self) -> bool {
        self.common.walking.load(Ordering::Relaxed) > MOST_WAITING
    }

    /// Begins a walk. It ends at once if this turn has time.
    fn walk(&mut self, keys: Vec<u32>, what: What, caller: Caller) {
        let left: Vec<SessionId> = keys.into_iter().map(|key| self.id(key)).collect();
        let mut walk = Walk { all: left.len() as u32, left, paid: 0, what, caller };
        if walk.left.is_empty() {
            return self.end_walk(walk);
        }
        self.pay_walk(&mut walk);
        self.work.walks.queue.push_back(walk);
        self.walk_some();
    }

    /// Goes on with the walks.
    pub(super) fn walk_some(&mut self) {
        while self.work.walks.steps < SLICE
            && let Some(mut walk) = self.work.walks.queue.pop_front()
        {
            while self.work.walks.steps < SLICE
                && let Some(id) = walk.left.pop()
            {
                self.work.walks.steps += self.step(id, &mut walk.what);
            }
            if walk.left.is_empty() {
                self.end_walk(walk);
            } else {
                self.pay_walk(&mut walk);
                self.work.walks.queue.push_front(walk);
            }
        }
    }

    fn end_walk(&mut self, walk: Walk) {
        self.spend_on_walks(-walk.paid);
        let all = walk.all;
        self.answer(walk.caller, |caller| match walk.what {
            What::Seek(_, rooms) => Post::Found(caller, all, rooms.into_rooms()),
            What::Disconnect(_) | What::Remove(_) => Post::Counted(caller, all),
        });
    }

    /// Pays for what a walk holds.
    fn pay_walk(&mut self, walk: &mut Walk) {
        let held = walk.held().cast_signed();
        self.spend_on_walks(held - walk.paid);
        walk.paid = held;
    }

    fn spend_on_walks(&mut self, bytes: isize) {
        self.spend(bytes);
        self.common.walking.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Comes to a connection. Returns how many steps of the turn that takes.
    fn step(&mut self, id: SessionId, what: &mut What) -> usize {
        if self.find(id).is_none_or(|session| !session.is_open()) {
            return 1;
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
            What::Seek(page, rooms) => return self.collect(id.key, page, rooms),
        }
        1
    }

    fn collect(&self, key: u32, page: &Page, rooms: &mut Names) -> usize {
        let Some(session) = self.sessions.get(key as usize) else { return 1 };
        let mut looked = 0;
        for seat in session.seats.iter() {
            looked += 1;
            let room = self.audiences.key(seat.room);
            let shown = |room: &&RoomKey| room.space() == Space::Native && Self::is_counted(room);
            if let Some(room) = room.filter(shown).filter(|room| room.name() > &*page.after) {
                rooms.insert_first(room, page.limit);
            }
        }
        1 + looked / ROOMS
    }
}
