//! Streams of Server-Sent Events: how one begins, what each of its rooms gives it, and the requests made on its behalf.
//!
//! An `id` must never speak for what was not delivered. So it is written where the bytes that it speaks for are queued,
//! behind them, and nowhere else.

use std::sync::Arc;

use super::Shard;
use super::users::Next;
use crate::api::route::refusal;
use crate::api::stream::Subscription;
use crate::auth::access::Admission;
use crate::auth::denied::Denied;
use crate::broker::lane::Part;
use crate::broker::post::{Post, Slot, Standing, Ticket};
use crate::dialect::native::event;
use crate::dialect::native::request::{self, Refused, Request};
use crate::dialect::sse;
use crate::error::Fault;
use crate::http::{Envelope, Head, Method, Response};
use crate::id::SessionId;
use crate::message::Message;
use crate::out_queue::Class;
use crate::position::Position;
use crate::room_key::{RoomKey, Space};
use crate::session::stream::Stream;
use crate::session::{Phase, Session};

/// How long a client waits before it connects again, unless it is told otherwise later.
const RETRY_MS: u64 = 2_000;

/// Requests on behalf of a stream that are carried out in one go: some 100 µs.
const SLICE: usize = 64;

/// Requests that may wait on behalf of one stream; a call that brings more is answered with `unavailable`.
const MAX_WAITING: usize = 1_000;

impl Shard {
    /// Makes a stream of an HTTP connection, or says why not.
    pub(super) fn open_stream(
        &mut self,
        key: u32,
        head: &Head,
        wanted: Subscription,
    ) -> Result<(), Response> {
        self.refuse_while_full_or_draining()?;
        self.count_in(key)?;
        let admission = self.admission(key, head, None, wanted.user.as_deref(), false);
        let admission = admission.map_err(Denied::response)?;
        self.refuse_reader(key, head, &admission, &wanted.rooms)?;
        let limit = self.common.settings.limits.rooms_per_connection;
        if limit > 0 && wanted.rooms.len() > limit {
            return Err(refusal(Fault::RoomLimit));
        }
        let response = Response::new(200)
            // A proxy that compresses holds back what is too little to be worth it (RFC 9111 section 5.2.2.6).
            .header("Cache-Control", "no-cache, no-transform")
            .header("X-Accel-Buffering", "no")
            .stream(sse::CONTENT_TYPE);
        if head.method == Method::Head {
            return Err(response);
        }
        let envelope = Envelope { close: true, ..Envelope::answering(head, self.wall()) };
        self.push_response(key, &envelope, response);
        self.admit(key, admission, Vec::new());
        let rooms: Vec<RoomKey> = wanted.rooms.iter().map(|room| self.room_for(key, room)).collect();
        let Some(session) = self.session(key) else { return Ok(()) };
        let stream = Stream::new(rooms.into_iter().zip(wanted.since), wanted.history);
        session.phase = Phase::Stream(Box::new(stream));
        self.opened(key);
        self.first_beat(key);
        self.push(key, Class::Asked, |out| sse::retry(RETRY_MS, out));
        self.arrive(key, Next::Stream);
        Ok(())
    }

    /// Refuses whoever may not be in all of `rooms`.
    fn refuse_reader(
        &mut self,
        key: u32,
        head: &Head,
        admission: &Admission,
        rooms: &[String],
    ) -> Result<(), Response> {
        let identity = match admission {
            Admission::Known(identity) => Some(identity),
            Admission::Guest | Admission::Waits => None,
        };
        let asker = self.asker(identity);
        if rooms.iter().all(|room| self.common.rules.may_join(Space::Native, room, asker)) {
            return Ok(());
        }
        // Of a guest a token may change that.
        let denied = if asker.named || asker.open { Denied::Room } else { Denied::NoToken };
        self.note_denied(key, head, denied);
        Err(denied.response())
    }

    /// Joins the rooms of a stream one after the other, then carries out what was asked on its behalf, until something has
    /// to be waited for.
    pub(super) fn go_on_with_stream(&mut self, key: u32) {
        if self.sessions.get(key as usize).is_some_and(Session::is_stream) {
            self.carry_out_some(key);
            self.pay_input(key);
        }
    }

    fn carry_out_some(&mut self, key: u32) {
        let most = self.common.settings.limits.queue;
        for _ in 0..SLICE {
            let session = self.sessions.get(key as usize).filter(|session| session.is_stream());
            let Some(session) = session else { return };
            if self.waits(key, session) {
                return self.hold(key);
            }
            let Some(stream) = self.session(key).and_then(|session| session.stream()) else { return };
            if let Some((room, span)) = stream.next_room() {
                self.join(key, Ticket::default(), room.label(), span);
            } else if let Some((slot, text)) = stream.next_request() {
                if stream.told(slot.call) > most {
                    // Its answer waits until it is whole, and has become too large to go on with.
                    self.forsake(slot, &text);
                } else if !self.carry_out(key, &text, Some(slot)) {
                    return self.put_back(key, slot, text);
                }
            } else {
                return;
            }
        }
        self.go_on_later(key);
    }

    /// A request has to wait for a join or a leave about its room (rule 3).
    fn put_back(&mut self, key: u32, slot: Slot, text: Box<str>) {
        if let Some(stream) = self.session(key).and_then(|session| session.stream()) {
            stream.put_back(slot, text);
        }
        self.hold(key);
    }

    /// Whether a join is for one of the rooms that a stream was opened for, and not for a request on its behalf.
    pub(super) fn is_feed(&self, key: u32, ticket: Ticket<&str>) -> bool {
        ticket.slot.is_none() && self.sessions.get(key as usize).is_some_and(Session::is_stream)
    }

    /// A room has let a stream in: it is told so, then what it missed, each with where it stands by then.
    pub(super) fn begin_feed(&mut self, key: u32, room: &RoomKey, mut standing: Standing) {
        let messages = std::mem::take(&mut standing.excerpt.messages);
        // What follows is consecutive up to the room's newest message, so whoever has read this and nothing else has
        // everything before the first of them, or knows from `recovered` that it has not.
        let first = messages.first().and_then(|message| message.position);
        let before = first.map(|first| Position { offset: first.offset.saturating_sub(1), ..first });
        let mut json = Vec::new();
        event::joined(None, room, &standing, &mut json);
        self.settle(key);
        self.push_at(key, room, &json, before.unwrap_or(standing.position));
        for message in messages {
            self.push_missed(key, room, &message);
        }
    }

    fn push_missed(&mut self, key: u32, room: &RoomKey, message: &Arc<Message>) {
        if let Some(position) = message.position {
            self.push_at(key, room, message.payload(), position);
        }
    }

    /// Queues an event behind which the client has everything in `room` up to `position`.
    fn push_at(&mut self, key: u32, room: &RoomKey, json: &[u8], position: Position) {
        let Some(stream) = self.session(key).and_then(|session| session.stream()) else { return };
        stream.joined(room, position);
        let id = stream.id().to_string();
        self.push(key, Class::Asked, |out| sse::event_at(json, id, out));
    }

    /// Queues messages for a stream that ends them itself: each of them, and behind it where the client stands by then.
    pub(super) fn queue_parts(&mut self, key: u32, number: u32, part: &Part) {
        let now = self.now.tick();
        let mut from = 0;
        for mark in &*part.marks {
            let end = mark.end as usize;
            let Some(stream) = self.session(key).and_then(|session| session.stream()) else { return };
            // A room that was joined by a request is not one of those that a reconnect asks for.
            let id = stream.reached(number, mark.position).then(|| stream.id().to_string());
            self.with_queue(key, |queue| {
                queue.push_shared(part.bytes.slice(from..end), Class::Sent, now);
                queue.push_end(Class::Sent, now, |out| match id {
                    Some(id) => sse::end_at(id, out),
                    None => out.push(b'\n'),
                });
            });
            from = end;
        }
        self.with_queue(key, |queue| queue.push_shared(part.bytes.slice(from..), Class::Sent, now));
        self.touch(key);
    }

    /// Requests of `user` have come for a stream by an HTTP call.
    pub(super) fn requested(
        &mut self,
        id: SessionId,
        call: SessionId,
        user: Option<&str>,
        texts: Vec<Box<str>>,
    ) {
        let open = self.access.is_open();
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        let most = self.common.settings.limits.queue;
        let session = self.find(id);
        if session.as_ref().is_some_and(|session| !open && session.user().map(|own| &**own) != user) {
            return self.post(call.shard, Post::Unheard(call, Some(Fault::OtherUser)));
        }
        let stream = session.and_then(|session| session.stream());
        let fault = match stream {
            None => None,
            Some(stream) if stream.waiting() + texts.len() > MAX_WAITING => Some(Fault::Unavailable),
            // One call may bring as much as a body may hold; others have to fit beside what waits.
            Some(stream) if stream.held() > 0 && stream.held() + bytes > most => Some(Fault::Unavailable),
            Some(_) => return self.queue_requests(id.key, call, texts),
        };
        self.post(call.shard, Post::Unheard(call, fault));
    }

    fn queue_requests(&mut self, key: u32, call: SessionId, texts: Vec<Box<str>>) {
        if let Some(stream) = self.session(key).and_then(Session::stream) {
            stream.begins(call);
        }
        for (index, text) in (0..).zip(texts) {
            let slot = Slot { call, index };
            if !self.sessions.get(key as usize).is_some_and(Session::is_stream) {
                // It was refused once too often, and its requests end with it.
                self.too_late(Ticket { id: None, slot: Some(slot) });
            } else if self.is_heard(key, &text, Some(slot))
                && let Some(stream) = self.session(key).and_then(Session::stream)
            {
                stream.push_request(slot, text);
            }
        }
        self.go_on_with_stream(key);
    }

    /// A stream has told its client that it ends.
    pub(super) fn end_stream(&mut self, key: u32) {
        self.forsake_requests(key);
        self.linger(key);
    }

    /// The calls that wait for a stream are told that it is gone.
    pub(super) fn forsake_requests(&mut self, key: u32) {
        while let Some(stream) = self.session(key).and_then(Session::stream)
            && let Some((slot, text)) = stream.next_request()
        {
            self.forsake(slot, &text);
        }
    }

    /// A request is not carried out.
    fn forsake(&mut self, slot: Slot, text: &str) {
        let (Ok(Request { id, .. }) | Err(Refused { id, .. })) = request::read(text);
        self.too_late(Ticket { id, slot: Some(slot) });
    }
}

#[cfg(test)]
mod tests;
