//! Coming into a room and going out of it.

use super::Shard;
use super::crossing::Way;
use crate::auth::denied::Denied;
use crate::broker::audience::Audience;
use crate::broker::post::{Caller, Join, Post, Span, Standing, Ticket};
use crate::broker::seats::Seat;
use crate::dialect::told::Told;
use crate::error::{Close, Fault};
use crate::id::SessionId;
use crate::room_key::{INBOX, RoomKey, Space};
use crate::session::facts::Fact;

impl Shard {
    /// Asks the room's home to let a session in; the answer comes as a post.
    pub(super) fn join(&mut self, key: u32, ticket: Ticket<&str>, room: &str, span: Span) {
        let session_id = self.id(key);
        let space = self.space(key);
        if !self.may_join(key, space, room) {
            return self.not_let_in(key, ticket, room, Fault::Forbidden);
        }
        let room = self.room_for(key, room);
        let number = self.audiences.find_key(&room);
        let beside = self.seat_beside(key);
        let limit = self.common.settings.limits.rooms_per_connection;
        let Some(session) = self.sessions.get_mut(key as usize) else { return };
        let again = number.is_some_and(|number| session.seats.slot(number).is_some());
        let rooms = session.seats.count() - usize::from(beside.is_some());
        let (comes, goes) = (self.crossings.count(key, Way::In), self.crossings.count(key, Way::Out));
        if !again && limit > 0 && (rooms + comes).saturating_sub(goes) >= limit {
            return self.error(key, ticket, Some(room.label()), Fault::RoomLimit);
        }
        // History is as large as its room allows: the next request waits, so that answers cannot pile up unread.
        session.awaiting |= span != Span::Nothing;
        let (user, site) = (session.user().cloned(), session.site);
        self.crossings.begin(key, room.clone(), Way::In);
        let join = Join { session: session_id, site, user, ticket: ticket.keep(), span, again };
        self.post_home(&room, Post::Join(room.clone(), Box::new(join)));
    }

    /// Rule 2: a session is a member from here on. What the room had said before is in the answer, what it says
    /// afterwards comes behind it.
    pub(super) fn joined(&mut self, room: &RoomKey, mut join: Join, result: Result<Box<Standing>, Fault>) {
        if join.again && result.is_ok() && self.has_lost_seat(join.session, room) {
            // Whoever asks once more and is taken out meanwhile asks to be let in.
            join.again = false;
            return self.post_home(room, Post::Join(room.clone(), Box::new(join)));
        }
        let (key, ticket) = (join.session.key, join.ticket.get());
        let open = self.find(join.session).map(|session| session.is_open());
        if open.is_some() {
            self.crossings.end(key, room);
        }
        if open != Some(true) {
            // Rule 4: nobody is there to become a member, so the count is put right at once.
            if result.is_ok() && !join.again {
                self.post_home(room, Post::Leave(room.clone(), Caller::Nobody, self.me, join.user));
            }
            return self.too_late(join.ticket.get());
        }
        let refusal = match &result {
            // A fresh token came between the request and its answer.
            _ if !self.may_join(key, room.space(), room.label()) => Some(Fault::Forbidden),
            Ok(standing) if self.is_too_much(&standing.excerpt.messages) => Some(Fault::Unavailable),
            _ => None,
        };
        if refusal.is_some() && result.is_ok() && !join.again {
            self.post_home(room, Post::Leave(room.clone(), Caller::Nobody, self.me, join.user.clone()));
        }
        match result.and_then(|standing| refusal.map_or(Ok(standing), Err)) {
            Ok(mut standing) => {
                if room.space() != Space::Raw {
                    self.tell_gap_in(key, room);
                    if room.space() == Space::User {
                        self.forget_early(key, &mut standing);
                    }
                    self.admitted(key, ticket, room, *standing);
                    self.pay(key);
                }
                if !join.again {
                    self.sit(key, room);
                }
            }
            Err(_) if room.space() == Space::Raw => self.close(key, Close::NO_ROOM),
            Err(fault) => self.not_let_in(key, ticket, room.label(), fault),
        }
        self.go_on(key, join.span != Span::Nothing || room.space() == Space::Raw);
    }

    /// Whether a session that goes on is not in a room any more.
    fn has_lost_seat(&mut self, id: SessionId, room: &RoomKey) -> bool {
        let number = self.audiences.find_key(room);
        self.find(id).is_some_and(|session| {
            session.is_open() && number.is_none_or(|number| session.seats.slot(number).is_none())
        })
    }

    /// A session is told that it is not in a room.
    fn not_let_in(&mut self, key: u32, ticket: Ticket<&str>, room: &str, fault: Fault) {
        self.error(key, ticket, Some(room), fault);
        if self.is_feed(key, ticket) {
            // Without one of its rooms a stream is not what its client asked for; trying again may give it.
            match fault {
                Fault::Forbidden => self.turn_away(key, Denied::Room),
                _ => self.close(key, Close::NO_ROOM),
            }
        }
    }

    /// A session is told that it is in a room.
    fn admitted(&mut self, key: u32, ticket: Ticket<&str>, room: &RoomKey, standing: Standing) {
        if self.is_feed(key, ticket) {
            self.begin_feed(key, room, standing);
        } else {
            self.reply(key, ticket, &Told::Joined { id: ticket.id, room, standing: &standing });
        }
    }

    /// Gives a session its seat in a room.
    pub(super) fn sit(&mut self, key: u32, room: &RoomKey) {
        let rules = &self.common.rules;
        let number = self
            .audiences
            .find_or_insert(room, || Audience::new(rules.settings(room.space(), room.name()).clone()));
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
        self.note_hearing(key, room, true);
    }

    /// Lets what waited for an answer go on.
    pub(super) fn go_on(&mut self, key: u32, awaited: bool) {
        let Some(session) = self.session(key) else { return };
        session.awaiting &= !awaited;
        // Nearly always nothing has waited, and the peer is there.
        if session.held || session.tail.is_some() || session.facts.has(Fact::Eof) {
            self.unpark(key);
            self.release(key);
            self.after_input(key);
        }
    }

    /// The room that session `key` is in under that name.
    pub(super) fn seated_in(&self, key: u32, room: &str) -> Option<(RoomKey, Seat)> {
        let session = self.sessions.get(key as usize)?;
        let (space, name) = match session.user() {
            Some(user) if room == INBOX => (Space::User, &**user),
            _ => (self.space(key), room),
        };
        let number = self.audiences.find(self.common.room_keys.hash(space, name), space, name)?;
        let slot = session.seats.slot(number)?;
        Some((self.audiences.key(number)?.clone(), Seat { room: number, slot }))
    }

    /// Rule 4: a leave takes effect where home puts it among what the room says, so that it comes behind what the session
    /// has published before. Home hears of it once.
    pub(super) fn leave(&mut self, key: u32, ticket: Ticket<&str>, room: &str) {
        let Some((room, _)) = self.seated_in(key, room) else {
            return self.error(key, ticket, Some(room), Fault::NotJoined);
        };
        let caller = Caller::Session(self.id(key), ticket.keep());
        let user = self.user_of(key);
        self.note_hearing(key, &room, false);
        self.crossings.begin(key, room.clone(), Way::Out);
        self.post_home(&room, Post::Leave(room.clone(), caller, self.me, user));
    }

    /// A session that asked to leave has all that the room has said to it, and is no member any more.
    pub(super) fn left(&mut self, id: SessionId, ticket: Ticket<&str>, room: &RoomKey) {
        if self.find(id).is_none_or(|session| !session.is_open()) {
            return self.too_late(ticket);
        }
        // It may have been taken out meanwhile.
        if let Some(number) = self.audiences.find_key(room) {
            self.settle(id.key);
            self.tell_gaps(id.key, Some(number));
            self.give_up_seat(id.key, number);
        }
        self.crossings.end(id.key, room);
        if room.space() == Space::User {
            self.hear_beside(id.key);
        }
        self.acknowledge(id.key, ticket, |id| Told::Left { id: Some(id), room: room.label(), reason: None });
        self.go_on(id.key, false);
    }
}
