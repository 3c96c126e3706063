//! What is sent to users: asked for here, put in order by the user's inbox, and handed to the connections that listen.
//!
//! An inbox is a room that is at home like any other. A stream hears it as a member, as it hears any room; a WebSocket
//! of a dialect that has it so hears it from its welcome on, member or not.

use std::sync::Arc;

use bytes::Bytes;

use super::Shard;
use crate::broker::post::{Direct, Post, Receipt, Standing, Ticket};
use crate::dialect::forms::Forms;
use crate::dialect::told::Told;
use crate::error::Fault;
use crate::message::{Draft, Message, Wire};
use crate::position::Position;
use crate::room_key::{RoomKey, Space};
use crate::session::Session;

/// Connections of one user on a shard that are handed what is sent to the user one by one: about 100 µs of a turn. More are
/// gathered, which costs each a seat.
const FEW: usize = 32;

/// What those who hear an inbox without being members were handed, since they were gathered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    /// The first that is kept.
    first: Position,
    /// The last.
    last: Position,
}

impl Shard {
    /// A client has something to say to a user.
    pub(super) fn direct(&mut self, key: u32, ticket: Ticket<&str>, to: &str, draft: Draft) {
        if !self.common.settings.allows_direct() {
            return self.error(key, ticket, None, Fault::NoDirect);
        }
        let Some(site) = self.sessions.get(key as usize).map(|session| session.site) else { return };
        let direct = Direct { session: self.id(key), site, ticket: ticket.keep(), draft };
        self.counters.messages_in += 1;
        let inbox = self.room(Space::User, to);
        self.post_home(&inbox, Post::Direct(inbox.clone(), Box::new(direct)));
    }

    /// The answer to a client that had something to say to a user.
    pub(super) fn delivered(
        &mut self,
        key: u32,
        ticket: Ticket<&str>,
        inbox: &RoomKey,
        result: Result<Receipt, Fault>,
    ) {
        match result {
            Ok(Receipt { connections, .. }) => {
                self.reply(key, ticket, &Told::Delivered { id: ticket.id, to: inbox.name(), connections });
            }
            Err(fault) => self.error(key, ticket, None, fault),
        }
    }

    /// Hands a message to those of its user's WebSockets that are not members of the inbox. A few are handed it one by one;
    /// many are gathered, once, and served like a room: within the turn's budget and after one append for each message.
    pub(super) fn deliver_beside(&mut self, message: &Message, forms: &mut Forms<'_>) {
        let (hash, user) = (message.room.hash(), message.room.name());
        if self.audiences.find(hash, Space::Beside, user).is_none() {
            let mut hearing = std::mem::take(&mut self.work.hearing);
            hearing.extend(self.hearing(&message.room));
            if hearing.len() <= FEW {
                self.hand_letters(&hearing, forms);
                hearing.clear();
                self.work.hearing = hearing;
                return;
            }
            let beside = self.room(Space::Beside, user);
            hearing.into_iter().for_each(|key| self.sit(key, &beside));
        }
        let Some(number) = self.audiences.find(hash, Space::Beside, user) else { return };
        if let Some(position) = message.position {
            self.heard.entry(number).or_insert(Heard { first: position, last: position }).last = position;
        }
        self.counters.messages_out += self.append_to(number, forms) as u64;
    }

    /// The WebSockets that hear an inbox without being members.
    fn hearing(&self, inbox: &RoomKey) -> impl Iterator<Item = u32> {
        let number = self.audiences.find_key(inbox);
        self.sessions_under(inbox.hash(), inbox.name()).filter(move |&key| {
            let session = self.sessions.get(key as usize);
            let hears = |session: &Session| {
                let member = number.is_some_and(|number| session.seats.slot(number).is_some());
                !member && hears_unasked(session)
            };
            session.is_some_and(hears) && !self.entering.contains_key(&key)
        })
    }

    /// Hands a message to these sessions: its bytes count once, as long as one of them has them waiting.
    fn hand_letters(&mut self, keys: &[u32], forms: &mut Forms<'_>) {
        // Nearly always all of a user's sessions read on one wire.
        let mut last: Option<(Wire, Bytes)> = None;
        for &key in keys {
            let Some(wire) = self.sessions.get(key as usize).map(Session::own_wire) else { continue };
            last.take_if(|(made, _)| *made != wire);
            let (_, form) = last.get_or_insert_with(|| (wire, self.tally.count(forms.on(wire))));
            self.hand_letter(key, forms.position, form.clone());
        }
    }

    fn hand_letter(&mut self, key: u32, position: Option<Position>, frame: Bytes) {
        if let Some(position) = position {
            let first = self.early.entry(key).or_insert(position);
            // Of an epoch that was lost nothing is given again.
            if first.epoch != position.epoch {
                *first = position;
            }
        }
        self.counters.messages_out += 1;
        self.hand(key, frame);
    }

    /// A WebSocket hears its user's inbox from now on without being a member: where such are gathered, it is among them.
    pub(super) fn hear_beside(&mut self, key: u32) {
        let Some(session) = self.sessions.get(key as usize).filter(|session| session.is_open()) else {
            return;
        };
        let Some(user) = session.user().filter(|_| hears_unasked(session)) else { return };
        let hash = self.common.room_keys.hash(Space::Beside, user);
        let Some(number) = self.audiences.find(hash, Space::Beside, user) else { return };
        if session.seats.slot(number).is_some() {
            return;
        }
        let Some(beside) = self.audiences.key(number).cloned() else { return };
        if let Some(Heard { last, .. }) = self.heard.get(&number) {
            self.early.insert(key, Position { offset: last.offset + 1, ..*last });
        }
        self.sit(key, &beside);
    }

    /// A session, which is settled, becomes a member of its inbox: what it was handed before must not come again as history,
    /// and what comes from now on comes once.
    pub(super) fn forget_early(&mut self, key: u32, standing: &mut Standing) {
        let early = self.early.remove(&key);
        let beside = self.seat_beside(key);
        let heard = beside.and_then(|number| self.heard.get(&number).copied());
        if let Some(number) = beside {
            self.stand_up(key, number);
        }
        let Some(first) = early.or(heard.map(|heard| heard.first)) else { return };
        // Of a later epoch everything was handed.
        let later = heard.map(|heard| heard.last.epoch).filter(|epoch| *epoch != first.epoch);
        let is_new = |position: Position| {
            let handed = position.epoch == first.epoch && position.offset >= first.offset;
            !handed && later != Some(position.epoch)
        };
        standing.excerpt.messages.retain(|message: &Arc<Message>| message.position.is_none_or(is_new));
    }

    /// The audience in which a session hears its inbox without being a member.
    pub(super) fn seat_beside(&self, key: u32) -> Option<u32> {
        let session = self.sessions.get(key as usize)?;
        let beside =
            |number: &u32| self.audiences.key(*number).is_some_and(|room| room.space() == Space::Beside);
        session.seats.iter().map(|seat| seat.room).find(beside)
    }

    /// A stream hears its user's inbox from now on, or does not any more; a WebSocket always does.
    pub(super) fn note_hearing(&mut self, key: u32, room: &RoomKey, listens: bool) {
        let stream = self.sessions.get(key as usize).is_some_and(Session::is_stream);
        if stream && room.space() == Space::User {
            self.post_home(room, Post::Hears(room.clone(), self.me, listens));
        }
    }
}

/// Whether a session hears its user's inbox without being a member.
pub(super) fn hears_unasked(session: &Session) -> bool {
    session.dialect.manners().inbox && !session.is_stream()
}
