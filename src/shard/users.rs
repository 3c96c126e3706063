//! Users' connections: how they come and go, and how the app finds them.

use arcstr::ArcStr;

use super::Shard;
use super::inbox::hears_unasked;
use crate::broker::post::{Caller, Post, Ticket};
use crate::broker::users::{Allowance, Entry};
use crate::dialect::told::Told;
use crate::error::Close;
use crate::id::{SessionId, ShardId};
use crate::room_key::{RoomKey, Space, home};
use crate::session::facts::Fact;
use crate::settings::TooMany;

/// What a session does after its user's home has accepted it.
pub(super) enum Next {
    /// A WebSocket gets its `welcome`, and joins the rooms that it named.
    Welcome(Vec<String>),
    /// A stream gets its `welcome`, and joins its rooms.
    Stream,
    /// A WebSocket has authenticated after its `welcome`: it gets the answer, and joins the rooms that waited for it.
    Known(Ticket, Vec<String>),
}

impl Next {
    /// The rooms that it joins.
    pub(super) fn rooms(&self) -> Option<&Vec<String>> {
        match self {
            Self::Welcome(rooms) | Self::Known(_, rooms) => Some(rooms),
            Self::Stream => None,
        }
    }
}

impl Shard {
    /// Admits a session: a guest at once, a user's session after the user's home has accepted it. Only the home knows all of
    /// a user's connections and can limit them, and a session with a `welcome` must be reachable. Until then nothing is written
    /// to it, its handshake included.
    pub(super) fn arrive(&mut self, key: u32, next: Next) {
        let id = self.id(key);
        let Some(session) = self.session(key) else { return };
        let Some(user) = session.user().cloned() else { return self.come_in(key, next) };
        session.facts.set(Fact::Arrived, true);
        session.awaiting = true;
        let listens = hears_unasked(session);
        self.index(key, &user);
        self.post(self.user_home(&user), Post::Came(user, id, listens));
        self.entering.insert(key, next);
    }

    fn come_in(&mut self, key: u32, next: Next) {
        match next {
            Next::Welcome(rooms) if self.dialect(key).manners().replies => {
                self.greet(key);
                self.enter(key, &rooms);
            }
            Next::Welcome(rooms) => self.enter_unanswered(key, &rooms),
            Next::Stream => {
                self.greet(key);
                self.go_on_with_stream(key);
            }
            Next::Known(ticket, rooms) => {
                self.confirm(key, ticket.get());
                self.enter(key, &rooms);
            }
        }
    }

    /// Tells a session its user, and when its token ends.
    pub(super) fn confirm(&mut self, key: u32, ticket: Ticket<&str>) {
        let identity = self.sessions.get(key as usize).and_then(|session| session.identity.clone());
        if let Some(identity) = identity {
            let (user, expires_ms) = (&*identity.user, identity.expires_ms());
            self.reply(key, ticket, &Told::Known { id: ticket.id, user, expires_ms });
        }
    }

    /// The user's home has decided about a session.
    pub(super) fn entered(&mut self, id: SessionId, allowed: bool) {
        if self.find(id).is_none() {
            return;
        }
        let Some(next) = self.entering.remove(&id.key) else { return };
        if let Some(session) = self.session(id.key) {
            session.awaiting = false;
        }
        self.pay_input(id.key);
        // Nothing was written to it so far.
        self.touch(id.key);
        if allowed {
            self.come_in(id.key, next);
            self.hear_beside(id.key);
        } else {
            self.forsake_entry(next);
            let taken = self.names_are_unique();
            self.close(id.key, if taken { Close::NAME_TAKEN } else { Close::MAX_CONNECTIONS });
        }
        self.go_on(id.key, false);
    }

    /// A session is not admitted. A call that authenticated it gets its answer.
    fn forsake_entry(&mut self, next: Next) {
        if let Next::Known(ticket, _) = next {
            self.too_late(ticket.get());
        }
    }

    /// A session does not belong to its user any more.
    pub(super) fn depart(&mut self, key: u32) {
        let id = self.id(key);
        if let Some(next) = self.entering.remove(&key) {
            self.forsake_entry(next);
        }
        self.early.remove(&key);
        let Some(session) = self.session(key) else { return };
        if !session.facts.take(Fact::Arrived) {
            return;
        }
        let listens = hears_unasked(session);
        let Some(user) = session.user().cloned() else { return };
        self.by_user.remove(key, self.user_hash(&user));
        self.post(self.user_home(&user), Post::Went(user, id, listens));
    }

    /// At a user's home: a connection wants to be admitted.
    pub(super) fn user_came(&mut self, user: &ArcStr, id: SessionId, listens: bool) {
        let allowance = self.allowance();
        let entry = self.users.came(&self.common.room_keys, user, id, listens, allowance);
        if let Entry::Replaces(oldest) = entry {
            self.post(oldest.shard, Post::Evict(oldest));
        }
        self.post(id.shard, Post::Entered(id, entry != Entry::Refused));
    }

    /// At a user's home: a connection is gone.
    pub(super) fn user_went(&mut self, user: &str, id: SessionId, listens: bool) {
        self.users.went(self.user_hash(user), user, id, listens);
    }

    /// At a user's home: a connection begins or stops to get messages of the user's inbox.
    pub(super) fn user_hears(&mut self, inbox: &RoomKey, shard: ShardId, listens: bool) {
        self.users.hears(inbox.hash(), inbox.name(), shard, listens);
    }

    /// A newer connection of the same user has come.
    pub(super) fn evict(&mut self, id: SessionId) {
        if self.find(id).is_some_and(|session| session.is_open()) {
            self.close(id.key, Close::REPLACED);
        }
    }

    /// The open sessions of a user.
    pub(super) fn sessions_of(&self, user: &str) -> Vec<u32> {
        self.sessions_under(self.user_hash(user), user).collect()
    }

    /// The same of a user whose hash is at hand.
    pub(super) fn sessions_under(&self, hash: u64, user: &str) -> impl Iterator<Item = u32> {
        let of_user = move |&key: &u32| {
            let session = self.sessions.get(key as usize);
            session
                .is_some_and(|session| session.is_open() && session.user().is_some_and(|own| **own == *user))
        };
        self.by_user.find(hash).filter(of_user)
    }

    /// The sessions of a user that are members of a room.
    pub(super) fn seated_of(&self, room: &RoomKey, user: &str) -> Vec<u32> {
        let Some(number) = self.audiences.find_key(room) else { return Vec::new() };
        let mut keys = self.sessions_of(user);
        keys.retain(|&key| self.sessions.get(key as usize).is_some_and(|s| s.seats.slot(number).is_some()));
        keys
    }

    fn index(&mut self, key: u32, user: &str) {
        let (names, sessions) = (&self.common.room_keys, &self.sessions);
        let user_of = |key: u32| sessions.get(key as usize).and_then(|session| session.user());
        let hash_of = |key| user_of(key).map_or(0, |user| names.hash(Space::User, user));
        self.by_user.add(key, names.hash(Space::User, user), hash_of);
    }

    /// How many connections a user may have.
    fn allowance(&self) -> Allowance {
        if self.names_are_unique() {
            return Allowance { connections: 1, evicts: false };
        }
        let limits = &self.common.settings.limits;
        Allowance {
            connections: limits.connections_per_user,
            evicts: limits.too_many == TooMany::EvictOldest,
        }
    }

    fn names_are_unique(&self) -> bool {
        self.common.settings.auth.unique_names && self.access.is_open()
    }

    /// The user of session `key`, if it has one.
    pub(super) fn user_of(&self, key: u32) -> Option<ArcStr> {
        self.sessions.get(key as usize)?.user().cloned()
    }

    fn user_home(&self, user: &str) -> ShardId {
        home(self.user_hash(user), self.common.shards) as ShardId
    }

    /// The hash under which a user, like the user's inbox, is found.
    fn user_hash(&self, user: &str) -> u64 {
        self.common.room_keys.hash(Space::User, user)
    }

    /// Sends this shard's part of an answer to the caller.
    pub(super) fn answer(&mut self, caller: Caller, post: impl FnOnce(Caller) -> Post) {
        if let Some(shard) = caller.shard() {
            self.post(shard, post(caller));
        }
    }
}
