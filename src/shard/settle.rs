//! Settling: what a session has not got of its rooms is moved to its own queue, so that something else can follow it.

use bytes::Bytes;
use slab::Slab;

use super::Shard;
use crate::broker::lane::Part;
use crate::broker::seats::Seat;
use crate::dialect::Dialect;
use crate::dialect::told::Told;
use crate::message::Transport;
use crate::out_queue::{Class, OutQueue, SEGMENT_COST};
use crate::session::Session;
use crate::session::gap::Gap;

/// Keeps seats true while a lane moves its members.
pub(super) fn moved(sessions: &mut Slab<Session>, room: u32) -> impl FnMut(u32, u32) {
    move |session, slot| {
        if let Some(session) = sessions.get_mut(session as usize) {
            session.seats.moved(room, slot);
        }
    }
}

impl Shard {
    /// Queues bytes for one session alone, behind everything that its rooms have for it.
    pub(super) fn own(&mut self, key: u32, write: impl FnOnce(&mut Vec<u8>)) {
        if self.catch_up(key) {
            self.push(key, Class::Asked, write);
        }
    }

    /// Tells one session something of its own, behind everything that its rooms have for it.
    pub(super) fn tell_of(&mut self, key: u32, told: &Told<'_>) {
        if self.catch_up(key) {
            self.push_told(key, told);
        }
    }

    /// Settles a session that is about to be told something; says whether it is to be told. One that was not sent
    /// everything is about to be closed, and must not be answered as if it had been.
    fn catch_up(&mut self, key: u32) -> bool {
        self.settle(key);
        self.sessions.get(key as usize).is_some_and(|session| !session.slow)
    }

    /// Queues what one session alone is told, in the form of its wire.
    #[inline]
    pub(super) fn push_told(&mut self, key: u32, told: &Told<'_>) {
        let Some(wire) = self.sessions.get(key as usize).map(Session::own_wire) else { return };
        self.push(key, Class::Asked, |out| Dialect::on(wire).tell(told, wire.transport, out));
    }

    /// Queues bytes for one session alone.
    pub(super) fn push(&mut self, key: u32, class: Class, write: impl FnOnce(&mut Vec<u8>)) {
        let now = self.now.tick();
        self.with_queue(key, |queue| queue.push_own(class, now, write));
        self.touch(key);
    }

    /// Adds to the queue of session `key`, and counts it among what waits here.
    pub(super) fn with_queue(&mut self, key: u32, add: impl FnOnce(&mut OutQueue)) {
        let Some(session) = self.sessions.get_mut(key as usize) else { return };
        let queue = session.queue.get_or_insert_with(|| self.spare.pop().unwrap_or_default());
        let before = queue.cost();
        add(queue);
        self.queued = self.queued + queue.cost() - before;
    }

    /// Queues what session `key` has not got of any of its rooms.
    pub(super) fn settle(&mut self, key: u32) {
        let mut index = 0;
        while let Some(session) = self.sessions.get(key as usize)
            && let Some((place, seat)) = session.seats.from(index)
        {
            self.settle_seat(key, seat);
            index = place + 1;
        }
    }

    /// Queues what session `key` has not got of one room.
    pub(super) fn settle_seat(&mut self, key: u32, seat: Seat) {
        let Some(session) = self.sessions.get(key as usize) else { return };
        let wire = session.wire(seat.room);
        let Some(audience) = self.audiences.get_mut(seat.room) else { return };
        let skips = audience.skips();
        let Some(lane) = audience.lane(wire) else { return };
        if !lane.is_pending() {
            return;
        }
        lane.count(&self.tally);
        let parts = lane.settle(seat.slot, moved(&mut self.sessions, seat.room));
        for mut part in parts.into_iter().flatten() {
            if part.alone {
                part.bytes = self.tally.count(part.bytes);
            }
            self.enqueue(key, seat.room, skips, part, 0);
        }
    }

    /// Queues a part of a room's messages, of which the socket has already taken `sent` bytes, unless the session has
    /// too much queued: then the room's rule for slow members holds.
    pub(super) fn enqueue(&mut self, key: u32, room: u32, skips: bool, part: Part, sent: usize) {
        let Some(session) = self.sessions.get_mut(key as usize) else { return };
        if part.bytes.is_empty() || session.slow {
            return;
        }
        if session.gap(room).is_some() {
            return self.miss(key, room, &part);
        }
        let wire = session.wire(room);
        if !self.has_room(key, part.bytes.len()) {
            return if skips { self.miss(key, room, &part) } else { self.falls_behind(key) };
        }
        if wire.transport == Transport::Parts {
            return self.queue_parts(key, room, &part);
        }
        self.queue_shared(key, part.bytes, sent);
    }

    /// Queues bytes that others sent to one session alone, behind everything that its rooms have for it.
    pub(super) fn hand(&mut self, key: u32, bytes: Bytes) {
        if !self.catch_up(key) {
            return;
        }
        if self.has_room(key, bytes.len()) {
            self.queue_shared(key, bytes, 0)
        } else {
            self.falls_behind(key)
        }
    }

    /// Whether `len` bytes more from others can wait in the queue of session `key`; then they have a time to get on.
    fn has_room(&mut self, key: u32, len: usize) -> bool {
        let now = self.now.tick();
        let limits = &self.common.settings.limits;
        let Some(session) = self.sessions.get(key as usize) else { return false };
        let others = session.others();
        let oldest = session.queue.as_ref().and_then(|queue| queue.oldest());
        let stalled = oldest.is_some_and(|oldest| oldest.after(limits.stall) <= now);
        if others == 0 {
            self.deadlines.hasten(key, now.after(limits.stall));
        }
        let full = others + len + SEGMENT_COST > limits.queue || stalled;
        !(session.blocked && others > 0 && full)
    }

    /// Notes that a session does not keep up, and is to be closed for it.
    fn falls_behind(&mut self, key: u32) {
        if let Some(session) = self.session(key) {
            session.slow = true;
            self.work.slow.push(key);
        }
    }

    fn queue_shared(&mut self, key: u32, bytes: Bytes, sent: usize) {
        let now = self.now.tick();
        self.with_queue(key, |queue| {
            queue.push_shared(bytes, Class::Sent, now);
            queue.advance(sent);
        });
        self.line_up_handed(key);
    }

    /// A session is not sent a part of what a room says. Messages without a position are for who is there now: nobody can
    /// ask for them later.
    fn miss(&mut self, key: u32, room: u32, part: &Part) {
        let Some(session) = self.session(key) else { return };
        let gaps = session.gaps.get_or_insert_default();
        let index = gaps.iter().position(|gap| gap.room == room).unwrap_or_else(|| {
            gaps.push(Gap::new(room));
            gaps.len() - 1
        });
        gaps[index].widen(part);
        if gaps[index].is_empty() {
            gaps.swap_remove(index);
        }
        if gaps.is_empty() {
            session.gaps = None;
        }
        if !part.news.is_empty() && self.keep_gaps(key) > self.common.settings.limits.queue {
            self.falls_behind(key);
        }
    }

    /// Counts what the gaps of a session take; says how much that is.
    fn keep_gaps(&mut self, key: u32) -> usize {
        let gaps = self.sessions.get(key as usize).and_then(|session| session.gaps.as_ref());
        let kept = gaps.map_or(0, |gaps| gaps.iter().map(Gap::cost).sum());
        self.with_queue(key, |queue| queue.keep(kept));
        self.pay(key);
        kept
    }

    /// A session is not to be told any more of what it was not sent.
    pub(super) fn forget_gaps(&mut self, key: u32) {
        if self.session(key).is_some_and(|session| session.gaps.take().is_some()) {
            self.keep_gaps(key);
        }
    }

    /// Tells the gaps of a session whose queue has become short enough, or of one room that it leaves: which messages it
    /// missed, and what became of the people there.
    pub(super) fn tell_gaps(&mut self, key: u32, only: Option<u32>) {
        // Nearly always there is none.
        if self.sessions.get(key as usize).is_some_and(|session| session.gaps.is_some()) {
            self.tell_gaps_there(key, only);
        }
    }

    #[cold]
    fn tell_gaps_there(&mut self, key: u32, only: Option<u32>) {
        let half = self.common.settings.limits.queue / 2;
        let Some(session) = self.session(key) else { return };
        if only.is_none() && session.others() > half {
            return;
        }
        let Some(mut gaps) = session.gaps.take() else { return };
        let told: Vec<Gap> = gaps.extract_if(.., |gap| only.is_none_or(|room| room == gap.room)).collect();
        if !gaps.is_empty() {
            session.gaps = Some(gaps);
        }
        self.keep_gaps(key);
        for gap in told {
            let Some(name) = self.audiences.key(gap.room).cloned() else { continue };
            if let Some((from, to)) = gap.missed {
                self.push_told(key, &Told::Gap { room: name.label(), from, to });
            }
            for notice in gap.news() {
                self.push_told(key, &Told::Notice { room: name.label(), notice: &notice });
            }
        }
    }
}
