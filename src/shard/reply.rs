//! Replies. Each goes where its request came from: to the session's connection, or to the HTTP call that brought it.

use super::Shard;
use crate::broker::post::{Post, Ticket};
use crate::dialect::Dialect;
use crate::dialect::told::Told;
use crate::error::Fault;
use crate::session::Session;

impl Shard {
    /// Sends session `key` the reply to a request.
    pub(super) fn reply(&mut self, key: u32, ticket: Ticket<&str>, told: &Told<'_>) {
        match ticket.slot {
            None => self.tell_of(key, told),
            Some(slot) => {
                let bytes = self.tell_call(ticket, told);
                if let Some(stream) = self.session(key).and_then(Session::stream) {
                    stream.tells(slot.call, bytes);
                }
            }
        }
    }

    /// Gives the reply to the call that brought a request, if a call did. Returns its size. It needs no session.
    pub(super) fn tell_call(&mut self, ticket: Ticket<&str>, told: &Told<'_>) -> usize {
        let Some(slot) = ticket.slot else { return 0 };
        let text = Dialect::OF_STREAMS.text(told);
        let bytes = text.len();
        self.post(slot.call.shard, Post::Replied(slot, Some(text)));
        bytes
    }

    /// Sends the reply to a request that gets one only if it has an `id`.
    pub(super) fn acknowledge<'a>(
        &mut self,
        key: u32,
        ticket: Ticket<&'a str>,
        told: impl FnOnce(&'a str) -> Told<'a>,
    ) {
        match ticket.id {
            Some(id) => self.reply(key, ticket, &told(id)),
            None => self.keep_silent(ticket),
        }
    }

    /// A request is done without a reply. A call that brought it must be told.
    pub(super) fn keep_silent(&mut self, ticket: Ticket<&str>) {
        if let Some(slot) = ticket.slot {
            self.post(slot.call.shard, Post::Replied(slot, None));
        }
    }

    /// Refuses a request.
    pub(super) fn error(&mut self, key: u32, ticket: Ticket<&str>, room: Option<&str>, fault: Fault) {
        self.place().refused(fault.code());
        self.reply(key, ticket, &Told::Error { id: ticket.id, room, fault });
        self.note_refusal(key);
    }

    /// The session ended before the answer to its request came.
    pub(super) fn too_late(&mut self, ticket: Ticket<&str>) {
        self.tell_call(ticket, &Told::Error { id: ticket.id, room: None, fault: Fault::Unavailable });
    }
}
