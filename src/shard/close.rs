//! How a session ends: by a close frame of either side, by a last response, or with its socket.

use super::Shard;
use super::settle::moved;
use crate::broker::post::{Caller, Post};
use crate::dialect::told::Told;
use crate::error::Close;
use crate::out_queue::{Class, OutQueue};
use crate::room_key::Space;
use crate::session::{Phase, Session};
use crate::ws::connection::Connection;
use crate::ws::frame;

/// The code for a close frame without a code (RFC 6455 section 7.1.5).
const NO_CODE: u16 = 1005;

/// The code for a connection that ends without a close frame (RFC 6455 section 7.1.5).
const ABNORMAL: u16 = 1006;

impl Shard {
    /// Closes a WebSocket or a stream after the messages that its rooms have for it. A WebSocket gets a close frame and waits
    /// for the peer's; a stream gets its last event.
    pub(super) fn close(&mut self, key: u32, close: Close) {
        if self.sessions.get(key as usize).is_some_and(Session::is_open) {
            self.settle(key);
            self.say_close(key, &close, Phase::closing);
        }
    }

    /// Closes a session that fell too far behind. Messages that it has not begun to read are dropped.
    fn close_slow(&mut self, key: u32) {
        self.counters.slow += 1;
        self.close_unsettled(key, &Close::SLOW_CONSUMER);
    }

    /// Closes a session without the messages that its rooms have for it, and drops those that it has not begun to read.
    pub(super) fn close_unsettled(&mut self, key: u32, close: &Close) {
        self.with_queue(key, OutQueue::cut);
        self.say_close(key, close, Phase::closing);
    }

    /// RFC 6455 section 7.1.7: after a violation the peer's input is ignored.
    pub(super) fn violated(&mut self, key: u32, close: Close) {
        self.settle(key);
        if self.sessions.get(key as usize).is_some_and(|session| session.is_open()) {
            self.say_close(key, &close, Phase::closing);
        }
        self.linger(key);
        self.carry();
    }

    /// RFC 6455 section 5.5.1: a close frame is answered with the same code, and the server closes first.
    pub(super) fn close_received(&mut self, key: u32, code: Option<u16>) {
        if self.sessions.get(key as usize).is_some_and(|session| session.is_open()) {
            self.settle(key);
            let close = Close { code: code.unwrap_or(NO_CODE), reason: "".into() };
            self.say_close(key, &close, Phase::closing);
        }
        self.linger(key);
    }

    fn say_close(&mut self, key: u32, close: &Close, phase: impl FnOnce(Connection) -> Phase) {
        self.stand_up_everywhere(key);
        self.push_close(key, close);
        let until = self.now.within(self.common.settings.limits.close);
        self.deadlines.set(key, until);
        self.closed(key, close.code);
        self.forget_gaps(key);
        let Some(session) = self.session(key) else { return };
        session.slow = false;
        session.awaiting = false;
        match &mut session.phase {
            Phase::Open(connection) => session.phase = phase(std::mem::take(connection)),
            Phase::Stream(_) => self.end_stream(key),
            Phase::Http(_) | Phase::Closing(_) | Phase::Lingering(_) | Phase::Over => {}
        }
        // A request that waits for a room is never carried out.
        if let Some(tail) = self.session(key).and_then(|session| session.tail.as_mut()) {
            tail.request = None;
        }
        self.pay_input(key);
        self.log_end(key, close.code, &close.reason);
        self.release(key);
    }

    fn push_close(&mut self, key: u32, close: &Close) {
        if self.sessions.get(key as usize).is_some_and(Session::is_stream) {
            self.push_told(key, &Told::Close(close));
        } else {
            self.push(key, Class::Asked, |out| frame::close(close.code, &close.reason, out));
        }
    }

    /// Nothing more is queued. The queue is written, then input is read to its end for a while.
    pub(super) fn linger(&mut self, key: u32) {
        let until = self.now.within(self.common.settings.limits.close);
        let Some(session) = self.session(key) else { return };
        session.phase = Phase::Lingering(None);
        session.tail = None;
        self.pay_input(key);
        let Some(session) = self.session(key) else { return };
        // Writing an empty queue to its end also finishes the connection.
        session.queue.get_or_insert_default();
        self.deadlines.set(key, until);
        self.begin_idle(key);
        self.touch(key);
        self.release(key);
    }

    /// Ends a session at once.
    pub(super) fn end(&mut self, key: u32) {
        let Some(session) = self.session(key) else { return };
        if session.is_over() {
            return;
        }
        if session.is_open() {
            self.log_end(key, ABNORMAL, "gone without a close");
        }
        self.closed(key, ABNORMAL);
        self.drop_queue(key);
        let Some(session) = self.session(key) else { return };
        session.tail = None;
        session.awaiting = false;
        self.stand_up_everywhere(key);
        self.forsake_requests(key);
        if let Some(session) = self.session(key) {
            session.phase = Phase::Over;
        }
        self.pay_input(key);
        self.work.ended.push(key);
    }

    /// Logs the end of a WebSocket or stream, once, whatever the cause.
    fn log_end(&self, key: u32, code: u16, reason: &str) {
        let Some(session) = self.sessions.get(key as usize) else { return };
        let (client, user) = (session.client().map(tracing::field::display), session.user());
        tracing::debug!(
            session = key,
            client,
            user = user.map(|user| &**user),
            code,
            reason,
            "connection closed"
        );
    }

    /// Drops what is queued for a session, and the queue with it.
    fn drop_queue(&mut self, key: u32) {
        let Some(queue) = self.session(key).and_then(|session| session.queue.as_mut()) else { return };
        let unsent = queue.cost();
        queue.clear();
        self.queued -= unsent;
        self.pay(key);
        if let Some(session) = self.session(key) {
            session.queue = None;
        }
    }

    /// Removes a session from one room.
    pub(super) fn stand_up(&mut self, key: u32, number: u32) {
        let (room, user) = (self.audiences.key(number).cloned(), self.user_of(key));
        let Some(room) = room.filter(|_| self.give_up_seat(key, number)) else { return };
        // If it has asked to leave, home knows already, and must hear of it only once.
        if room.space() != Space::Beside && !self.crossings.is_leaving(key, &room) {
            self.note_hearing(key, &room, false);
            self.post_home(&room, Post::Leave(room.clone(), Caller::Nobody, self.me, user));
        }
    }

    /// Takes a session out of one room of which home has heard, or need not hear. Whether it was in it.
    pub(super) fn give_up_seat(&mut self, key: u32, number: u32) -> bool {
        let Some(session) = self.session(key) else { return false };
        let wire = session.wire(number);
        let Some(slot) = session.seats.remove(number) else { return false };
        if let Some(stream) = session.stream() {
            stream.stood_up(number);
        }
        self.forget_typing(key, number);
        let Some(audience) = self.audiences.get_mut(number) else { return false };
        if let Some(lane) = audience.lane(wire) {
            lane.leave(slot, moved(&mut self.sessions, number));
        }
        if audience.is_empty() {
            self.audiences.remove(number);
            self.heard.remove(&number);
        }
        true
    }

    /// Removes a session from all its rooms.
    fn stand_up_everywhere(&mut self, key: u32) {
        self.newcomers.remove(&key);
        while let Some(seat) = self.sessions.get(key as usize).and_then(|session| session.seats.iter().next())
        {
            self.stand_up(key, seat.room);
        }
        // The answer to a join under way will find the session closed and correct the count.
        self.crossings.forget(key);
        self.depart(key);
    }

    /// Closes the sessions that fell too far behind in this turn.
    pub(super) fn cut_off_the_slow(&mut self) {
        for key in std::mem::take(&mut self.work.slow) {
            if self.sessions.get(key as usize).is_some_and(|session| session.slow && session.is_open()) {
                self.close_slow(key);
            }
        }
    }
}
