//! What happens because time has passed.

use std::time::Duration;

use super::Shard;
use crate::auth::denied::Denied;
use crate::dialect::sse;
use crate::error::Close;
use crate::room_key::Space;
use crate::session::Phase;
use crate::settings::Slow;
use crate::time::Tick;
use crate::ws::frame::{self, Control, OpCode};

/// Sessions for which something is done in one turn because it is due, and as many rooms: each costs some microseconds. Of
/// those that came together many are due together.
const SLICE: usize = 64;

impl Shard {
    /// Does what is due, a part in each turn.
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

    /// The tick by which [`Shard::tick`] has something to do, if there is one.
    pub fn next_tick(&self) -> Option<Tick> {
        let waits =
            [self.deadlines.soonest(), self.home_deadlines.soonest(), self.stats_due(), self.keys.deadline()];
        let soonest = waits.into_iter().flatten().min();
        // A drain closes some connections in every tick, and nobody says when another shard's load has fallen, or when whoever is
        // idle has been so for long enough.
        let next = self.now.tick().next(Duration::ZERO);
        if self.drain.is_some() || self.pressed || self.short_of_places() > 0 {
            Some(soonest.map_or(next, |soonest| soonest.min(next)))
        } else {
            soonest
        }
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

    /// Sets when a new WebSocket is first asked for a sign of life: somewhere in the second half of the interval, so that
    /// connections which came together are not all asked together for ever after.
    pub(super) fn first_beat(&mut self, key: u32) {
        let interval = self.common.settings.heartbeat.interval;
        // Fibonacci hashing spreads keys that follow each other.
        let spread = f64::from(key.wrapping_mul(0x9E37_79B9)) / f64::from(u32::MAX);
        self.arm(key, self.now.tick().next(interval.mul_f64(0.5 + 0.5 * spread)));
    }

    /// Asks a silent session for a sign of life, or closes one that gave none. Not one that is not read.
    fn beat(&mut self, key: u32) {
        let now = self.now.tick();
        let heartbeat = self.common.settings.heartbeat.clone();
        if self.sessions.get(key as usize).is_some_and(|session| self.makes_wait(key, session)) {
            return self.arm(key, now.after(heartbeat.timeout));
        }
        let Some(session) = self.session(key) else { return };
        let (pinged, heard) = (session.pinged, session.heard);
        if pinged {
            // Something else may have been due before the answer is.
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

    /// Lets a silent stream be heard of, so that nobody on its way takes it for dead. Whatever still waits to be sent will
    /// do as well.
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

    /// Sets the next deadline of an open session: a sign of life, progress of what others sent, or the end of its welcome.
    fn arm(&mut self, key: u32, beat: Tick) {
        let (now, stall) = (self.now.tick(), self.common.settings.limits.stall);
        let session = self.sessions.get(key as usize);
        let oldest = session.and_then(|session| session.queue.as_ref()?.oldest());
        // A stall that is past was judged already: who may fall behind is not asked about it again.
        let stalls = oldest.map(|oldest| oldest.after(stall)).filter(|stalls| *stalls > now);
        let rest = session.and_then(|session| session.conduct.as_ref()).map(|conduct| conduct.rests_until);
        let rests = rest.filter(|until| *until > now);
        let others = [stalls, rests, self.welcome_ends(key)];
        self.deadlines.set(key, others.into_iter().flatten().fold(beat, Tick::min));
    }

    /// Whether what others sent has waited too long in the queue of a session that must not fall behind.
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
