//! What clients ask, and what they are answered.

use super::Shard;
use crate::auth::denied::Denied;
use crate::broker::post::{Caller, Post, Receipt, Roster, Slot, Standing, Ticket};
use crate::dialect::Dialect;
use crate::dialect::request::{Refused, Request, What};
use crate::dialect::speaks::Payload;
use crate::dialect::told::Told;
use crate::error::Fault;
use crate::id::SessionId;
use crate::message::{Draft, Kind};
use crate::room_key::{INBOX, RoomKey, Space};
use crate::session::facts::Fact;

pub(super) type Looked = Result<Option<Box<Standing>>, Fault>;
pub(super) type Rostered = Result<Option<Box<Roster>>, Fault>;

impl Shard {
    /// A request that came as a message of its own.
    pub(super) fn text(&mut self, key: u32, text: &str) {
        if !self.carry_out(key, text, None) {
            self.park(key, text);
        }
    }

    /// Carries out a request whose reply goes to `slot`. Not so if it has to wait: then it is to be tried again.
    pub(super) fn carry_out(&mut self, key: u32, text: &str, slot: Option<Slot>) -> bool {
        let newcomer = self.session(key).is_some_and(|session| session.facts.has(Fact::Newcomer));
        match self.dialect(key).read(text) {
            read if newcomer && !matches!(read, Ok(Request { what: What::Auth { .. }, .. })) => {
                self.turn_away(key, Denied::AuthFirst);
                true
            }
            // Rule 3: what follows a join or a leave about the same room waits for its answer.
            Ok(Request { what, .. })
                if what.room().is_some_and(|room| self.crossings.is_under_way(key, room)) =>
            {
                false
            }
            Ok(Request { what: What::Auth { .. }, .. }) if !self.may_check(key) => false,
            Ok(Request { id, what }) => {
                self.request(key, Ticket { id, slot }, what);
                true
            }
            Err(Refused { fault, id }) => {
                self.error(key, Ticket { id, slot }, None, fault);
                true
            }
        }
    }

    fn request(&mut self, key: u32, ticket: Ticket<&str>, what: What<'_>) {
        if !matches!(what, What::Ping) {
            self.wants(key);
        }
        match what {
            What::Ping => {
                let wall_ms = self.now.wall_ms;
                self.reply(key, ticket, &Told::Pong { id: ticket.id, wall_ms });
            }
            What::Auth { token } => self.authenticate(key, ticket, token.expose()),
            What::Join { room, span } => self.join(key, ticket, &room, span),
            What::Leave { room } => self.leave(key, ticket, &room),
            What::History { room, span } => {
                self.ask_home(key, ticket, &room, |room, caller| Post::Look(room, caller, span));
            }
            What::Members { room, page } => {
                self.ask_home(key, ticket, &room, |room, caller| Post::Members(room, caller, page));
            }
            What::Direct { to, event, data, key: mark } => {
                let data = bytes::Bytes::copy_from_slice(data.as_bytes());
                let from = self.user_of(key);
                let draft = Draft { from, event, store: true, key: mark, ..Draft::new(Kind::Direct, data) };
                self.direct(key, ticket, &to, draft);
            }
            What::Typing { room, active } => self.typing(key, ticket, &room, active),
            What::Publish { room, event, data, echo, store, key: mark } => {
                let session = self.id(key);
                let data = bytes::Bytes::copy_from_slice(data.as_bytes());
                let from = self.user_of(key);
                let draft = Draft {
                    kind: Kind::Message,
                    from,
                    event,
                    data,
                    store,
                    exclude: (!echo).then_some(session),
                    key: mark,
                };
                self.say(key, ticket, &room, draft);
            }
        }
    }

    /// A member asks the room's home for something that may be long: the next request waits for the answer.
    fn ask_home(
        &mut self,
        key: u32,
        ticket: Ticket<&str>,
        room: &str,
        ask: impl FnOnce(RoomKey, Caller) -> Post,
    ) {
        let Some((room, _)) = self.seated_in(key, room) else {
            return self.error(key, ticket, Some(room), Fault::NotJoined);
        };
        let caller = Caller::Session(self.id(key), ticket.keep());
        if let Some(session) = self.session(key) {
            session.awaiting = true;
        }
        self.post_home(&room, ask(room.clone(), caller));
    }

    pub(super) fn looked(&mut self, id: SessionId, ticket: Ticket<&str>, room: &RoomKey, result: Looked) {
        let result = self.unless_too_much(result);
        self.home_answered(id, ticket, room, result, |shard, standing| {
            shard.tell_gap_in(id.key, room);
            shard.reply(id.key, ticket, &Told::History { id: ticket.id, room, standing: &standing });
        });
    }

    pub(super) fn rostered(&mut self, id: SessionId, ticket: Ticket<&str>, room: &RoomKey, result: Rostered) {
        let result = self.unless_too_many(result);
        self.home_answered(id, ticket, room, result, |shard, roster| {
            shard.reply(id.key, ticket, &Told::Members { id: ticket.id, room, roster: &roster });
        });
    }

    /// A home has answered what a session asked by [`Shard::ask_home`]; there is nothing where there is no such room.
    fn home_answered<T>(
        &mut self,
        id: SessionId,
        ticket: Ticket<&str>,
        room: &RoomKey,
        result: Result<Option<T>, Fault>,
        tell: impl FnOnce(&mut Self, T),
    ) {
        if self.find(id).is_none_or(|session| !session.is_open()) {
            return self.too_late(ticket);
        }
        match result.and_then(|found| found.ok_or(Fault::Unavailable)) {
            Ok(found) => {
                tell(self, found);
                self.pay(id.key);
            }
            Err(fault) => self.error(id.key, ticket, Some(room.label()), fault),
        }
        self.go_on(id.key, true);
    }

    /// Tells a member what it missed, before an answer says where the room stands: a client that resumes behind that
    /// position would never hear of it.
    pub(super) fn tell_gap_in(&mut self, key: u32, room: &RoomKey) {
        self.settle(key);
        if self.sessions.get(key as usize).is_some_and(|session| session.gaps.is_some())
            && let Some(number) = self.audiences.find_key(room)
        {
            self.tell_gaps(key, Some(number));
        }
    }

    /// A member of a room has something to say.
    fn say(&mut self, key: u32, ticket: Ticket<&str>, room: &str, draft: Draft) {
        let Some((room, seat)) = self.seated_in(key, room) else {
            return self.error(key, ticket, Some(room), Fault::NotJoined);
        };
        if !self.may_publish(key, &room, seat) {
            return self.error(key, ticket, Some(room.label()), Fault::Forbidden);
        }
        let caller = Caller::Session(self.id(key), ticket.keep());
        self.counters.messages_in += 1;
        self.forget_typing(key, seat.room);
        self.post_home(&room, Post::Publish(room.clone(), caller, draft));
    }

    /// A member is writing, or is not any more. Nobody is told of a guest, who has no name to be told by.
    fn typing(&mut self, key: u32, ticket: Ticket<&str>, room: &str, active: bool) {
        let Some((room, seat)) = self.seated_in(key, room) else {
            return self.error(key, ticket, Some(room), Fault::NotJoined);
        };
        if self.audiences.get(seat.room).is_none_or(|audience| !audience.settings.typing) {
            return self.error(key, ticket, Some(room.label()), Fault::Forbidden);
        }
        let Some(user) = self.user_of(key) else { return self.keep_silent(ticket) };
        match self.note_typing(key, seat.room, active) {
            Ok(true) => self.post_home(&room, Post::Typing(room.clone(), user, active)),
            Ok(false) => {}
            Err(fault) => return self.error(key, ticket, Some(room.label()), fault),
        }
        self.keep_silent(ticket);
    }

    /// The member of one room has something to say, and its dialect has no reply to that.
    pub(super) fn say_unanswered(&mut self, key: u32, payload: Payload<'_>) {
        let id = self.id(key);
        let Some(session) = self.session(key) else { return };
        let echo = session.facts.has(Fact::Echo);
        let Some(seat) = session.seats.iter().next() else { return };
        let Some(room) = self.audiences.key(seat.room).cloned() else { return };
        if !self.may_publish(key, &room, seat) {
            return;
        }
        let draft = payload.draft((!echo).then_some(id));
        self.counters.messages_in += 1;
        self.wants(key);
        self.post_home(&room, Post::Publish(room.clone(), Caller::Nobody, draft));
    }

    /// Session `key` gives other shards something to do: it is not read while they have too much.
    pub(super) fn wants(&mut self, key: u32) {
        let now = self.now.tick();
        if let Some(session) = self.session(key) {
            // Tick zero means never.
            session.wanted = now.max(crate::time::Tick(1));
        }
    }

    pub(super) fn published(
        &mut self,
        id: SessionId,
        ticket: Ticket<&str>,
        room: &RoomKey,
        result: Result<Receipt, Fault>,
    ) {
        if self.find(id).is_none_or(|session| !session.is_open()) {
            return self.published_without(ticket, room, result);
        }
        match result {
            _ if room.space() == Space::User => self.delivered(id.key, ticket, room, result),
            Ok(Receipt { position, .. }) => {
                self.acknowledge(id.key, ticket, |id| Told::Published { id, room, position });
            }
            Err(fault) => self.error(id.key, ticket, Some(room.label()), fault),
        }
    }

    /// What was published is published, even if the session that did it has ended meanwhile: a call that waits is told so.
    fn published_without(&mut self, ticket: Ticket<&str>, room: &RoomKey, result: Result<Receipt, Fault>) {
        match result {
            Ok(Receipt { connections, .. }) if room.space() == Space::User => {
                self.tell_call(ticket, &Told::Delivered { id: ticket.id, to: room.name(), connections });
            }
            Ok(Receipt { position, .. }) => match ticket.id {
                Some(id) => {
                    self.tell_call(ticket, &Told::Published { id, room, position });
                }
                None => self.keep_silent(ticket),
            },
            Err(_) => self.too_late(ticket),
        }
    }

    /// The key of the room that session `key` calls `name`.
    pub(super) fn room_for(&self, key: u32, name: &str) -> RoomKey {
        match self.sessions.get(key as usize).and_then(|session| session.user()) {
            Some(user) if name == INBOX => self.room(Space::User, user),
            _ => self.room(self.space(key), name),
        }
    }

    pub(super) fn space(&self, key: u32) -> Space {
        self.dialect(key).manners().space
    }

    /// What session `key` speaks.
    pub(super) fn dialect(&self, key: u32) -> Dialect {
        self.sessions.get(key as usize).map_or(Dialect::OF_STREAMS, |session| session.dialect)
    }
}
