//! What clients ask, and what they are answered.

use tungstenite::protocol::frame::coding::OpCode;

use super::Shard;
use crate::broker::post::{Caller, Join, Page, Post, Roster, Slot, Span, Standing, Ticket};
use crate::broker::seats::Seat;
use crate::dialect::native::event;
use crate::dialect::native::request::{self, Refused, Request, What};
use crate::dialect::{Dialect, raw};
use crate::error::{Close, Fault};
use crate::id::SessionId;
use crate::message::Draft;
use crate::position::Position;
use crate::room_key::{RoomKey, Space};

type Looked = Result<Option<Box<Standing>>, Fault>;
type Rostered = Result<Option<Box<Roster>>, Fault>;

impl Shard {
    /// A text frame of the native dialect.
    pub(super) fn text(&mut self, key: u32, text: &str) {
        if !self.carry_out(key, text, None) {
            self.park(key, text);
        }
    }

    /// Carries out a request whose reply goes to `slot`. Not so if it has to wait: then it is to be tried again.
    pub(super) fn carry_out(&mut self, key: u32, text: &str, slot: Option<Slot>) -> bool {
        let newcomer = self.session(key).is_some_and(|session| session.newcomer);
        match request::read(text) {
            read if newcomer && !matches!(read, Ok(Request { what: What::Auth { .. }, .. })) => {
                self.close(key, Close::AUTH_FIRST);
                true
            }
            // Rule 3: what follows a join about the same room waits for its answer.
            Ok(Request { what, .. }) if what.room().is_some_and(|room| self.is_joining(key, room)) => false,
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

    fn is_joining(&self, key: u32, room: &str) -> bool {
        self.joining.get(&key).is_some_and(|rooms| rooms.iter().any(|key| key.name() == room))
    }

    fn request(&mut self, key: u32, ticket: Ticket<&str>, what: What<'_>) {
        match what {
            What::Ping => {
                let wall_ms = self.now.wall_ms;
                self.reply(key, ticket, |out| event::pong(ticket.id, wall_ms, out));
            }
            What::Auth { token } => self.authenticate(key, ticket, token.expose()),
            What::Join { room, span } => self.join(key, ticket, &room, span),
            What::Leave { room } => self.leave(key, ticket, &room),
            What::History { room, span } => self.history(key, ticket, &room, span),
            What::Members { room, page } => self.members(key, ticket, &room, page),
            What::Publish { room, event, data, echo, store, key: mark } => {
                let session = self.id(key);
                let data = bytes::Bytes::copy_from_slice(data.as_bytes());
                let from = self.session(key).and_then(|session| session.user().cloned());
                let draft =
                    Draft { from, event, data, store, exclude: (!echo).then_some(session), key: mark };
                self.say(key, ticket, &room, draft);
            }
        }
    }

    /// Asks the room's home to let a session in; the answer comes as a post.
    pub(super) fn join(&mut self, key: u32, ticket: Ticket<&str>, room: &str, span: Span) {
        let session_id = self.id(key);
        let space = self.space(key);
        if !self.may_join(key, space, room) {
            return self.not_let_in(key, ticket, room, Fault::Forbidden);
        }
        let room = self.room(space, room);
        let number = self.audiences.find_key(&room);
        let limit = self.common.settings.limits.rooms_per_connection;
        let Some(session) = self.session(key) else { return };
        let again = number.is_some_and(|number| session.seats.slot(number).is_some());
        if !again && limit > 0 && session.seats.len() + usize::from(session.joins) >= limit {
            return self.error(key, ticket, Some(room.name()), Fault::RoomLimit);
        }
        session.joins += 1;
        // History is as large as its room allows: the next request waits, so that answers cannot pile up unread.
        session.awaiting |= span != Span::Nothing;
        let user = session.user().cloned();
        self.joining.entry(key).or_default().push(room.clone());
        let join = Join { session: session_id, user, ticket: ticket.keep(), span, again };
        self.post_home(&room, Post::Join(room.clone(), Box::new(join)));
    }

    /// Rule 2: a session is a member from here on. What the room had said before is in the answer, what it says
    /// afterwards comes behind it.
    pub(super) fn joined(&mut self, room: &RoomKey, join: Join, result: Result<Box<Standing>, Fault>) {
        let (key, ticket) = (join.session.key, join.ticket.get());
        self.join_answered(join.session, room);
        if self.find(join.session).is_none_or(|session| !session.is_open()) {
            // Rule 4: nobody is there to become a member, so the count is put right at once.
            if result.is_ok() && !join.again {
                self.post_home(room, Post::Leave(room.clone(), self.me, join.user));
            }
            return self.too_late(join.ticket.get());
        }
        let allowed = self.may_join(key, room.space(), room.name());
        if !allowed && result.is_ok() && !join.again {
            // A fresh token came between the request and its answer.
            self.post_home(room, Post::Leave(room.clone(), self.me, join.user.clone()));
        }
        match result.and_then(|standing| if allowed { Ok(standing) } else { Err(Fault::Forbidden) }) {
            Ok(standing) => {
                if room.space() == Space::Native {
                    self.tell_gap_in(key, room);
                    self.admitted(key, ticket, room, *standing);
                }
                if !join.again {
                    self.sit(key, room);
                }
            }
            Err(_) if room.space() == Space::Raw => self.close(key, Close::NO_ROOM),
            Err(fault) => self.not_let_in(key, ticket, room.name(), fault),
        }
        self.go_on(key, join.span != Span::Nothing || room.space() == Space::Raw);
    }

    /// A session is told that it is not in a room.
    fn not_let_in(&mut self, key: u32, ticket: Ticket<&str>, room: &str, fault: Fault) {
        self.error(key, ticket, Some(room), fault);
        if self.is_feed(key, ticket) {
            // Without one of its rooms a stream is not what its client asked for; trying again may give it.
            self.close(key, if fault == Fault::Forbidden { Close::FORBIDDEN } else { Close::NO_ROOM });
        }
    }

    /// A session is told that it is in a room.
    fn admitted(&mut self, key: u32, ticket: Ticket<&str>, room: &RoomKey, standing: Standing) {
        if self.is_feed(key, ticket) {
            self.begin_feed(key, room, standing);
        } else {
            self.reply(key, ticket, |out| event::joined(ticket.id, room, &standing, out));
        }
    }

    fn join_answered(&mut self, id: SessionId, room: &RoomKey) {
        let Some(session) = self.find(id) else { return };
        session.joins -= 1;
        if let Some(rooms) = self.joining.get_mut(&id.key) {
            if let Some(index) = rooms.iter().position(|other| other == room) {
                rooms.swap_remove(index);
            }
            if rooms.is_empty() {
                self.joining.remove(&id.key);
            }
        }
    }

    /// Gives a session its seat in a room.
    fn sit(&mut self, key: u32, room: &RoomKey) {
        let settings = self.common.rules.settings(room.space(), room.name());
        let number =
            self.audiences.find_or_insert(room, || crate::broker::audience::Audience::new(settings.clone()));
        let (Some(session), Some(audience)) =
            (self.sessions.get_mut(key as usize), self.audiences.get_mut(number))
        else {
            return;
        };
        if let Some(stream) = session.stream() {
            stream.sits(room, number);
        }
        let lane = audience.lane_for(session.wire(number));
        let slot = lane.join(key, super::settle::moved(&mut self.sessions, number));
        if let Some(session) = self.session(key) {
            session.seats.add(Seat { room: number, slot });
        }
    }

    /// Lets what waited for an answer go on.
    fn go_on(&mut self, key: u32, awaited: bool) {
        if let Some(session) = self.session(key) {
            session.awaiting &= !awaited;
        }
        self.unpark(key);
        self.release(key);
        self.after_input(key);
    }

    /// The room that session `key` is in under that name.
    fn seated_in(&self, key: u32, room: &str) -> Option<(RoomKey, Seat)> {
        let space = self.space(key);
        let number = self.audiences.find(self.common.room_keys.hash(space, room), space, room)?;
        let slot = self.sessions.get(key as usize)?.seats.slot(number)?;
        Some((self.audiences.key(number)?.clone(), Seat { room: number, slot }))
    }

    /// Rule 4: a leave takes effect at once, and home hears of it once.
    fn leave(&mut self, key: u32, ticket: Ticket<&str>, room: &str) {
        let Some((room, seat)) = self.seated_in(key, room) else {
            return self.error(key, ticket, Some(room), Fault::NotJoined);
        };
        self.settle(key);
        self.tell_gaps(key, Some(seat.room));
        self.stand_up(key, seat.room);
        self.acknowledge(key, ticket, |id, out| event::left(Some(id), room.name(), None, out));
    }

    fn history(&mut self, key: u32, ticket: Ticket<&str>, room: &str, span: Span) {
        let Some((room, _)) = self.seated_in(key, room) else {
            return self.error(key, ticket, Some(room), Fault::NotJoined);
        };
        let caller = Caller::Session(self.id(key), ticket.keep());
        if let Some(session) = self.session(key) {
            session.awaiting = true;
        }
        self.post_home(&room, Post::Look(room.clone(), caller, span));
    }

    pub(super) fn looked(&mut self, id: SessionId, ticket: Ticket<&str>, room: &RoomKey, result: Looked) {
        if self.find(id).is_none_or(|session| !session.is_open()) {
            return self.too_late(ticket);
        }
        match result {
            Ok(Some(standing)) => {
                self.tell_gap_in(id.key, room);
                self.reply(id.key, ticket, |out| event::history(ticket.id, room, &standing, out));
            }
            Ok(None) => self.error(id.key, ticket, Some(room.name()), Fault::Unavailable),
            Err(fault) => self.error(id.key, ticket, Some(room.name()), fault),
        }
        self.go_on(id.key, true);
    }

    fn members(&mut self, key: u32, ticket: Ticket<&str>, room: &str, page: Page) {
        let Some((room, _)) = self.seated_in(key, room) else {
            return self.error(key, ticket, Some(room), Fault::NotJoined);
        };
        let caller = Caller::Session(self.id(key), ticket.keep());
        if let Some(session) = self.session(key) {
            session.awaiting = true;
        }
        self.post_home(&room, Post::Members(room.clone(), caller, page));
    }

    pub(super) fn rostered(&mut self, id: SessionId, ticket: Ticket<&str>, room: &RoomKey, result: Rostered) {
        if self.find(id).is_none_or(|session| !session.is_open()) {
            return self.too_late(ticket);
        }
        match result {
            Ok(Some(roster)) => {
                self.reply(id.key, ticket, |out| event::members(ticket.id, room, &roster, out))
            }
            Ok(None) => self.error(id.key, ticket, Some(room.name()), Fault::Unavailable),
            Err(fault) => self.error(id.key, ticket, Some(room.name()), fault),
        }
        self.go_on(id.key, true);
    }

    /// Tells a member what it missed, before an answer says where the room stands: a client that resumes behind that
    /// position would never hear of it.
    fn tell_gap_in(&mut self, key: u32, room: &RoomKey) {
        self.settle(key);
        if let Some(number) = self.audiences.find_key(room) {
            self.tell_gaps(key, Some(number));
        }
    }

    /// A member of a native room has something to say.
    fn say(&mut self, key: u32, ticket: Ticket<&str>, room: &str, draft: Draft) {
        let Some((room, _)) = self.seated_in(key, room) else {
            return self.error(key, ticket, Some(room), Fault::NotJoined);
        };
        if !self.may_publish(key, &room) {
            return self.error(key, ticket, Some(room.name()), Fault::Forbidden);
        }
        let caller = Caller::Session(self.id(key), ticket.keep());
        self.spoke(key);
        self.post_home(&room, Post::Publish(room.clone(), caller, draft));
    }

    /// A member of a raw room has something to say.
    pub(super) fn say_raw(&mut self, key: u32, opcode: OpCode, payload: &[u8], echo: bool) {
        let session = self.id(key);
        let Some(seat) = self.session(key).and_then(|session| session.seats.iter().next()) else { return };
        let Some(room) = self.audiences.key(seat.room).cloned() else { return };
        if !self.may_publish(key, &room) {
            return;
        }
        let draft = raw::draft(opcode, payload, (!echo).then_some(session));
        self.spoke(key);
        self.post_home(&room, Post::Publish(room.clone(), Caller::Nobody, draft));
    }

    fn spoke(&mut self, key: u32) {
        let now = self.now.tick();
        self.counters.messages_in += 1;
        if let Some(session) = self.session(key) {
            // Tick zero means never.
            session.published = now.max(crate::time::Tick(1));
        }
    }

    pub(super) fn published(
        &mut self,
        id: SessionId,
        ticket: Ticket<&str>,
        room: &RoomKey,
        result: Result<Option<Position>, Fault>,
    ) {
        // What was published is published, even if the session that did it has ended meanwhile.
        if ticket.slot.is_none() && self.find(id).is_none_or(|session| !session.is_open()) {
            return;
        }
        match result {
            Ok(position) => {
                self.acknowledge(id.key, ticket, |id, out| event::published(id, room, position, out));
            }
            Err(fault) => self.error(id.key, ticket, Some(room.name()), fault),
        }
    }

    fn space(&self, key: u32) -> Space {
        match self.sessions.get(key as usize).map(|session| session.dialect) {
            Some(Dialect::Raw { .. }) => Space::Raw,
            _ => Space::Native,
        }
    }
}
