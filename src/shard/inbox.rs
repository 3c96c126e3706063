//! What is sent to users: asked for here, put in order by the user's inbox, and handed to the connections that listen.
//!
//! An inbox is a room that is at home like any other. A stream hears it as a member, as it hears any room; a WebSocket
//! of the native dialect hears it from its welcome on, member or not.

use std::sync::Arc;

use super::Shard;
use crate::broker::post::{Caller, Post, Receipt, Standing, Ticket};
use crate::dialect::Dialect;
use crate::dialect::native::event;
use crate::error::Fault;
use crate::message::{Draft, Message};
use crate::position::Position;
use crate::room_key::{RoomKey, Space};
use crate::session::Session;

impl Shard {
    /// A client has something to say to a user.
    pub(super) fn direct(&mut self, key: u32, ticket: Ticket<&str>, to: &str, draft: Draft) {
        if !self.common.settings.allows_direct() {
            return self.error(key, ticket, None, Fault::NoDirect);
        }
        let caller = Caller::Session(self.id(key), ticket.keep());
        self.spoke(key);
        let inbox = self.room(Space::User, to);
        self.post_home(&inbox, Post::Publish(inbox.clone(), caller, draft));
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
                self.reply(key, ticket, |out| event::delivered(ticket.id, inbox.name(), connections, out));
            }
            Err(fault) => self.error(key, ticket, None, fault),
        }
    }

    /// Hands a message to those of its user's WebSockets that are not members of the inbox.
    pub(super) fn deliver_beside(&mut self, message: &Message) {
        let number = self.audiences.find_key(&message.room);
        for key in self.sessions_of(message.room.name()) {
            let Some(session) = self.sessions.get(key as usize) else { continue };
            let member = number.is_some_and(|number| session.seats.slot(number).is_some());
            if member || !hears_unasked(session) || self.entering.contains_key(&key) {
                continue;
            }
            if let Some(position) = message.position {
                let first = self.early.entry(key).or_insert(position);
                // Of an epoch that was lost nothing is given again.
                if first.epoch != position.epoch {
                    *first = position;
                }
            }
            self.counters.messages_out += 1;
            self.hand(key, message.frame().clone());
        }
    }

    /// A session becomes a member of its inbox: what it was handed before must not come again as history.
    pub(super) fn forget_early(&mut self, key: u32, standing: &mut Standing) {
        let Some(first) = self.early.remove(&key) else { return };
        let is_new = |position: Position| position.epoch != first.epoch || position.offset < first.offset;
        standing.excerpt.messages.retain(|message: &Arc<Message>| message.position.is_none_or(is_new));
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
    session.dialect == Dialect::Native && !session.is_stream()
}
