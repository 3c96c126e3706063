//! Work that is due because time has passed.

use std::task::Waker;
use std::time::Duration;

use super::Shard;
use crate::auth::denied::Denied;
use crate::error::Close;
use crate::room_key::Space;
use crate::session::Phase;
use crate::settings::Slow;
use crate::sse;
use crate::time::Tick;
use crate::ws::frame::{self, Control, OpCode};

/// Sessions, and as many rooms, whose due work is done in one turn. Each costs some microseconds, and sessions that came
/// together are due together.
const SLICE: usize = 64;

impl Shard {
    /// Does due work, a part in each turn.
    pub fn tick(&mut self) {
        let now = self.now.tick();
        let mut due = std::mem::take(&mut self.work.due);
        self.deadlines.sweep(now, SLICE, &mut due);
        for key in due.drain(..) {
            self.session_due(key);
        }
        self.home_deadlines.sweep(now, SLICE, &mut due);
        for number in due.drain(..) {
            self.home_due(number);
        }
        self.work.due = due;
        self.keys.expire(now);
        self.drain_some();
        self.make_places();
        self.tell_stats();
        self.consult();
        self.carry();
        self.pay_for_keys();
    }

    /// When [`Shard::tick`] next has work, if it has.
    pub fn next_tick(&self) -> Option<Tick> {
        let waits =
            [self.deadlines.soonest(), self.home_deadlines.soonest(), self.stats_due(), self.keys.deadline()];
        let soonest = waits.into_iter().flatten().min();
        // A drain closes some connections in every tick. The load of another shard, and idle connections, are checked in
        // every tick too.
        let next = self.now.tick().next(Duration::ZERO);
        if self.drain.is_some() || self.pressed || self.short_of_places() > 0 {
            Some(soonest.map_or(next, |soonest| soonest.min(next)))
        } else {
            soonest
        }
    }

    /// When the engine wants to be looked at, in milliseconds of the loop's clock; finer than a tick.
    pub fn engine_wakes_at(&self) -> Option<u64> {
        self.engine.wakes_at()
    }

    /// Gives the engine what makes a sleeping loop take its answers, which [`Shard::tick`] does.
    pub fn wake_by(&mut self, waker: Waker) {
        self.engine.wake_by(waker);
    }

    fn session_due(&mut self, key: u32) {
        let Some(session) = self.session(key) else { return };
        match session.phase {
            // What it has sent is here.
            Phase::Http(_) if session.waits_its_turn() => {
                self.deadlines.set(key, self.now.tick().next(Duration::ZERO));
            }
            Phase::Http(_) => self.exchange_late(key),
            Phase::Open(_) | Phase::Stream(_) => {
                let stream = session.is_stream();
                self.refuse_late_requests(key);
                self.release(key);
                match self.unwelcome(key) {
                    Some(close) if close == Close::AUTH_TIMEOUT => self.turn_away(key, Denied::AuthTimeout),
                    Some(close) => self.close(key, close),
                    None if self.is_stalled(key) => self.work.slow.push(key),
                    None if stream => self.comment(key),
                    None => self.beat(key),
                }
            }
            Phase::Closing(_) | Phase::Lingering(_) => self.end(key),
            Phase::Over => {}
        }
        self.carry();
    }

    fn home_due(&mut self, number: u32) {
        self.with_home(number, |home, desk| home.expire(desk));
        let over = self.homes.get(number).is_some_and(|home| home.is_over(self.now.tick()));
        if over {
            self.forget(number);
        }
        self.consult();
        self.carry();
    }

    /// Sets when a new WebSocket is first pinged: somewhere in the second half of the interval, so that connections that came
    /// together are not pinged together.
    pub(super) fn first_beat(&mut self, key: u32) {
        let interval = self.common.settings.heartbeat.interval;
        // Fibonacci hashing spreads keys that follow each other.
        let spread = f64::from(key.wrapping_mul(0x9E37_79B9)) / f64::from(u32::MAX);
        self.arm(key, self.now.tick().next(interval.mul_f64(0.5 + 0.5 * spread)));
    }

    /// Pings a silent session, or closes one that did not answer. A session that is not read is left alone.
    fn beat(&mut self, key: u32) {
        let now = self.now.tick();
        let heartbeat = self.common.settings.heartbeat.clone();
        if self.sessions.get(key as usize).is_some_and(|session| self.makes_wait(key, session)) {
            return self.arm(key, now.after(heartbeat.timeout));
        }
        let Some(session) = self.session(key) else { return };
        let (pinged, heard) = (session.pinged, session.heard);
        if pinged {
            // This may be called for another deadline, before the answer is due.
            let until = heard.after(heartbeat.timeout);
            return if until <= now { self.close(key, Close::NO_PONG) } else { self.arm(key, until) };
        }
        if now.since(heard) < heartbeat.interval / 2 {
            self.arm(key, heard.after(heartbeat.interval));
        } else {
            session.pinged = true;
            session.heard = now;
            self.own(key, |out| frame::encode(OpCode::Control(Control::Ping), &[], out));
            self.arm(key, now.after(heartbeat.timeout));
        }
    }

    /// Sends a comment on a silent stream, so that proxies do not cut it. If other bytes wait to be sent, they are enough.
    fn comment(&mut self, key: u32) {
        let now = self.now.tick();
        let interval = self.common.settings.heartbeat.interval;
        let Some(session) = self.session(key) else { return };
        let heard = session.heard;
        if now.since(heard) < interval / 2 {
            return self.arm(key, heard.next(interval));
        }
        session.heard = now;
        if session.queue.is_none() {
            self.own(key, |out| out.extend_from_slice(sse::COMMENT));
        }
        self.arm(key, now.next(interval));
    }

    /// Sets the next deadline of an open session: its ping, the progress of its queue, the end of its token, or
    /// of the time that its requests may wait.
    fn arm(&mut self, key: u32, beat: Tick) {
        let (now, stall) = (self.now.tick(), self.common.settings.limits.stall);
        let session = self.sessions.get(key as usize);
        let oldest = session.and_then(|session| session.queue.as_ref()?.oldest());
        // A stall in the past has been handled already. Sessions that may fall behind are not checked for it again.
        let stalls = oldest.map(|oldest| oldest.after(stall)).filter(|stalls| *stalls > now);
        let rest = session.and_then(|session| session.conduct.as_ref()).map(|conduct| conduct.rests_until);
        let rests = rest.filter(|until| *until > now);
        let others = [stalls, rests, self.welcome_ends(key), self.requests_late(key)];
        self.deadlines.set(key, others.into_iter().flatten().fold(beat, Tick::min));
    }

    /// Whether bytes from others have waited too long in the queue of a session that must not fall behind.
    fn is_stalled(&mut self, key: u32) -> bool {
        let (now, stall) = (self.now.tick(), self.common.settings.limits.stall);
        let Some(session) = self.sessions.get_mut(key as usize) else { return false };
        let oldest = session.queue.as_ref().and_then(|queue| queue.oldest());
        if oldest.is_none_or(|oldest| oldest.after(stall) > now) {
            return false;
        }
        let audiences = &self.audiences;
        let strict = |room| {
            audiences.get(room).is_some_and(|audience| audience.settings.slow == Slow::Disconnect)
                && audiences.key(room).is_some_and(|room| room.space() != Space::Beside)
        };
        session.slow |= session.seats.iter().any(|seat| strict(seat.room));
        session.slow
    }
}
