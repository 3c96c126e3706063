//! Places: how many connections there may be, and who goes when they are short.
//!
//! What lasts and what is being answered has a place. An HTTP connection on which no request is whole has one only as long as
//! nobody else wants it, and so has any connection that has had its last words. Whoever has been like that for longest is closed
//! first, whether it was kept alive, never spoke, is slow to say what it wants, or lingers.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::Ordering;

use slab::Slab;

use super::Shard;
use crate::broker::post::Post;
use crate::http::Response;
use crate::id::ShardId;
use crate::session::conduct::Conduct;
use crate::session::idle::Idle;
use crate::session::{Phase, Session};
use crate::time::Tick;

/// Ticks for which nobody goes, at least a second: a client that has just connected, or a health check, has spoken by then.
const GRACE: u32 = 5;

/// Connections that are closed in one turn, at most.
const MOST: usize = 64;

/// Connections that are looked at to find one of some address, those that have been idle for longest.
const LOOKED_AT: usize = 1_000;

/// The connections of a shard on which no request is whole, whoever has been like that for longest in front; among them some
/// that are so no longer.
#[derive(Default)]
pub(super) struct Idlers {
    waiting: VecDeque<Waiting>,
    begun: u64,
    /// How many there may be before those are swept out that are idle no longer.
    sweep_at: usize,
    /// How many were closed to make room, and have not left yet.
    leaving: usize,
    /// When other shards were last asked to make room.
    asked: Tick,
}

#[cfg(test)]
impl Idlers {
    /// How many are remembered.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

struct Waiting {
    key: u32,
    since: Tick,
    number: u64,
}

impl Waiting {
    fn is_past_grace(&self, now: Tick) -> bool {
        now.0.saturating_sub(self.since.0) >= GRACE
    }

    /// Whether the connection has been idle since.
    fn is_still(&self, sessions: &Slab<Session>) -> bool {
        let idle = sessions.get(self.key as usize).and_then(Session::idle);
        idle.is_some_and(|idle| idle.number() == self.number)
    }
}

impl Shard {
    /// No request is whole on session `key` from now on, or it has had its last answer.
    pub(super) fn begin_idle(&mut self, key: u32) {
        let since = self.now.tick();
        let Some(session) = self.sessions.get_mut(key as usize) else { return };
        self.idlers.begun += 1;
        let number = self.idlers.begun;
        let idle = Idle::begin(number, &self.common.idle);
        match &mut session.phase {
            Phase::Http(exchange) => exchange.idle = Some(idle),
            Phase::Lingering(lingers) => *lingers = Some(Box::new(idle)),
            Phase::Open(_) | Phase::Stream(_) | Phase::Closing(_) | Phase::Over => return,
        }
        let Idlers { waiting, sweep_at, .. } = &mut self.idlers;
        waiting.push_back(Waiting { key, since, number });
        if waiting.len() > *sweep_at {
            waiting.retain(|waiting| waiting.is_still(&self.sessions));
            *sweep_at = 2 * waiting.len() + MOST;
        }
    }

    /// Refuses what lasts while all places are taken. Those of whoever is idle are not.
    pub(super) fn refuse_while_full(&self) -> Result<(), Response> {
        if self.short_of_places() > self.common.idle.load(Ordering::Relaxed) {
            return Err(Self::full("the server has as many connections as it may have"));
        }
        Ok(())
    }

    /// How many connections there are too many.
    pub(super) fn short_of_places(&self) -> usize {
        match self.common.settings.limits.connections {
            0 => 0,
            limit => {
                let open = self.common.connections.load(Ordering::Relaxed);
                open.saturating_sub(limit).saturating_sub(self.common.leaving.load(Ordering::Relaxed))
            }
        }
    }

    /// Closes idle connections where there are more connections than may be, and has the other shards do so if that is not
    /// enough.
    pub(super) fn make_places(&mut self) {
        self.close_while_short();
        let now = self.now.tick();
        if self.short_of_places() > 0 && self.idlers.asked != now {
            self.idlers.asked = now;
            self.ask_others(None);
        }
    }

    /// Another shard is short of places, or the client at `address` is.
    pub(super) fn make_places_for(&mut self, address: Option<IpAddr>) {
        match address {
            Some(address) => drop(self.close_idle_of(address)),
            None => self.close_while_short(),
        }
    }

    /// One at a time, for all shards do so at once.
    fn close_while_short(&mut self) {
        for _ in 0..MOST {
            if self.short_of_places() == 0 || self.close_idle(1) == 0 {
                return;
            }
        }
    }

    /// The sessions are gone that had to make room.
    pub(super) fn have_left(&mut self) {
        let left = std::mem::take(&mut self.idlers.leaving);
        if left > 0 {
            self.common.leaving.fetch_sub(left, Ordering::Relaxed);
        }
    }

    /// Closes the connections that have been idle for longest, `wanted` of them; says how many there were.
    pub fn close_idle(&mut self, wanted: usize) -> usize {
        let now = self.now.tick();
        let mut closed = 0;
        while closed < wanted.min(MOST)
            && let Some(first) = self.idlers.waiting.front()
        {
            let (key, still) = (first.key, first.is_still(&self.sessions));
            if still && !first.is_past_grace(now) {
                break;
            }
            self.idlers.waiting.pop_front();
            if still {
                self.idlers.leaving += 1;
                self.common.leaving.fetch_add(1, Ordering::Relaxed);
                self.end(key);
                closed += 1;
            }
        }
        closed
    }

    /// Closes the connection of `address` that has been idle for longest, but none that is about to speak for the first time;
    /// says whether there was one.
    pub(super) fn close_idle_of(&mut self, address: IpAddr) -> bool {
        let (sessions, now) = (&self.sessions, self.now.tick());
        let is_theirs = |waiting: &Waiting| {
            let Some(session) = sessions.get(waiting.key as usize) else { return false };
            let kept_alive = matches!(&session.phase, Phase::Http(exchange) if exchange.kept_alive);
            let theirs = |conduct: &Conduct| conduct.counted && conduct.client == Some(address);
            session.conduct.as_deref().is_some_and(theirs) && (kept_alive || waiting.is_past_grace(now))
        };
        let mut looked_at = self.idlers.waiting.iter().take(LOOKED_AT);
        let Some(at) = looked_at.position(|waiting| is_theirs(waiting) && waiting.is_still(sessions)) else {
            return false;
        };
        let Some(Waiting { key, .. }) = self.idlers.waiting.remove(at) else { return false };
        // Its place is free at once, and not when its socket is closed.
        self.count_out(key);
        self.end(key);
        true
    }

    /// Asks the other shards for a place: for anybody, or for the client at `address`.
    pub(super) fn ask_others(&mut self, address: Option<IpAddr>) {
        for shard in (0..self.common.shards).map(|shard| shard as ShardId).filter(|shard| *shard != self.me) {
            self.mail.others[usize::from(shard)].push(Post::MakePlace(address));
        }
    }
}
