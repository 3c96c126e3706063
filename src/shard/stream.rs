//! Streams of Server-Sent Events: how one begins, what its rooms give it, and the requests of calls for it.
//!
//! An `id` must never cover messages that were not delivered. So it is written only where those messages are queued, right
//! after them.

use super::Shard;
use super::users::Next;
use crate::api::route::refusal;
use crate::api::stream::Subscription;
use crate::auth::access::Admission;
use crate::auth::denied::Denied;
use crate::broker::lane::Part;
use crate::broker::post::{Post, Slot, Standing, Ticket};
use crate::dialect::request::{Refused, Request};
use crate::dialect::told::Told;
use crate::error::Fault;
use crate::http::{Envelope, Head, Method, Response};
use crate::id::SessionId;
use crate::out_queue::Class;
use crate::position::Position;
use crate::room_key::{RoomKey, Space};
use crate::session::stream::{Stream, Waiting};
use crate::session::{Phase, Session};
use crate::sse;
use crate::time::Tick;

/// How long a client waits before it reconnects, unless it gets another time later.
const RETRY_MS: u64 = 2_000;

/// Requests of a stream that are carried out in one go: about 100 µs.
const SLICE: usize = 64;

/// Requests that may wait for one stream. A call that brings more gets `unavailable`.
const MAX_WAITING: usize = 1_000;

impl Shard {
    /// Turns an HTTP connection into a stream, or returns why not.
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
            // `no-transform`, because a proxy that compresses delays small pieces (RFC 9111 section 5.2.2.6).
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

    /// Refuses a client that may not join all of `rooms`.
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
        // A guest may try again with a token.
        let denied = if asker.named || asker.open { Denied::Room } else { Denied::NoToken };
        self.note_denied(key, head, denied);
        Err(denied.response())
    }

    /// Joins the rooms of a stream one after another, then carries out its requests, until one has to wait.
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
                self.time_requests(key);
                return self.hold(key);
            }
            let Some(stream) = self.session(key).and_then(|session| session.stream()) else { return };
            if let Some((room, span)) = stream.next_room() {
                self.join(key, Ticket::default(), room.label(), span);
            } else if let Some(request) = stream.next_request() {
                if stream.told(request.slot.call) > most {
                    // The call's gathered answers have become too large, so this request is not carried out.
                    self.forsake(key, &request);
                } else if !self.carry_out(key, &request.text, Some(request.slot)) {
                    return self.put_back(key, request);
                }
            } else {
                return;
            }
        }
        self.go_on_later(key);
    }

    /// A request has to wait for a join or a leave about its room (rule 3).
    fn put_back(&mut self, key: u32, request: Waiting) {
        if let Some(stream) = self.session(key).and_then(|session| session.stream()) {
            stream.put_back(request);
        }
        self.hold(key);
    }

    /// Requests of stream `key` wait, perhaps for a client that reads no more: whoever brought them gets an answer in time.
    fn time_requests(&mut self, key: u32) {
        if let Some(late) = self.requests_late(key) {
            self.deadlines.hasten(key, late);
        }
    }

    /// When the requests that wait for session `key`, if it is a stream and has some, have waited too long.
    pub(super) fn requests_late(&self, key: u32) -> Option<Tick> {
        let Phase::Stream(stream) = &self.sessions.get(key as usize)?.phase else { return None };
        stream.oldest_request().map(|came| came.after(self.common.settings.limits.stall))
    }

    /// Refuses the requests of stream `key` that have waited too long.
    pub(super) fn refuse_late_requests(&mut self, key: u32) {
        let now = self.now.tick();
        while self.requests_late(key).is_some_and(|late| late <= now) && self.forsake_next(key) {}
        self.pay_input(key);
    }

    /// Whether a join is for one of the rooms that a stream was opened with, not for a request.
    pub(super) fn is_feed(&self, key: u32, ticket: Ticket<&str>) -> bool {
        ticket.slot.is_none() && self.sessions.get(key as usize).is_some_and(Session::is_stream)
    }

    /// A stream has joined a room. It gets `joined`, then the messages that it missed, each with its position.
    pub(super) fn begin_feed(&mut self, key: u32, room: &RoomKey, mut standing: Standing) {
        let messages = std::mem::take(&mut standing.excerpt.messages);
        // The messages are consecutive up to the room's newest. So a client that has read only `joined` has everything before
        // the first of them, or knows from `recovered` that it has not.
        let first = messages.first().and_then(|message| message.position);
        let before = first.map(|first| Position { offset: first.offset.saturating_sub(1), ..first });
        let joined = Told::Joined { id: None, room, standing: &standing };
        self.settle(key);
        self.push_at(key, room, &joined, before.unwrap_or(standing.position));
        for message in messages {
            if let Some(position) = message.position {
                self.push_at(key, room, &Told::Message(&message), position);
            }
        }
    }

    /// Queues an event. After it the client has everything in `room` up to `position`.
    fn push_at(&mut self, key: u32, room: &RoomKey, told: &Told<'_>, position: Position) {
        let Some(stream) = self.session(key).and_then(|session| session.stream()) else { return };
        stream.joined(room, position);
        let id = stream.id().to_string();
        let text = self.dialect(key).text(told);
        self.push(key, Class::Asked, |out| sse::event_at(told.name(), &text, id, out));
    }

    /// Queues messages for a stream, each followed by an `id` with the client's position.
    pub(super) fn queue_parts(&mut self, key: u32, number: u32, part: &Part) {
        let now = self.now.tick();
        let mut from = 0;
        for mark in &*part.marks {
            let end = mark.end as usize;
            let Some(stream) = self.session(key).and_then(|session| session.stream()) else { return };
            // A reconnect does not ask for a room that was joined by a request.
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
        self.line_up_handed(key);
    }

    /// An HTTP call has brought requests of `user` for a stream.
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
            // One call may bring as much as a body may hold. More calls must fit besides what already waits.
            Some(stream) if stream.held() > 0 && stream.held() + bytes > most => Some(Fault::Unavailable),
            Some(_) => return self.queue_requests(id.key, call, texts),
        };
        self.post(call.shard, Post::Unheard(call, fault));
    }

    fn queue_requests(&mut self, key: u32, call: SessionId, texts: Vec<Box<str>>) {
        if let Some(stream) = self.session(key).and_then(Session::stream) {
            stream.begins(call);
        }
        let came = self.now.tick();
        for (index, text) in (0..).zip(texts) {
            let slot = Slot { call, index };
            if !self.sessions.get(key as usize).is_some_and(Session::is_stream) {
                // It had too many refusals and is closed, and so its requests end.
                self.too_late(Ticket { id: None, slot: Some(slot) });
            } else if self.is_heard(key, &text, Some(slot))
                && let Some(stream) = self.session(key).and_then(Session::stream)
            {
                stream.push_request(Waiting { slot, text, came });
            }
        }
        self.go_on_with_stream(key);
    }

    /// A stream has sent its last event.
    pub(super) fn end_stream(&mut self, key: u32) {
        self.forsake_requests(key);
        self.linger(key);
    }

    /// Tells the calls that wait for a stream that it has ended.
    pub(super) fn forsake_requests(&mut self, key: u32) {
        while self.forsake_next(key) {}
    }

    /// Tells whoever brought the next request of a stream that it is not carried out; says whether there was one.
    fn forsake_next(&mut self, key: u32) -> bool {
        let request = self.session(key).and_then(Session::stream).and_then(|stream| stream.next_request());
        if let Some(request) = &request {
            self.forsake(key, request);
        }
        request.is_some()
    }

    /// A request is not carried out.
    fn forsake(&mut self, key: u32, request: &Waiting) {
        let (Ok(Request { id, .. }) | Err(Refused { id, .. })) = self.dialect(key).read(&request.text);
        self.too_late(Ticket { id, slot: Some(request.slot) });
    }
}

#[cfg(test)]
mod tests;
