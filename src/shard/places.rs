//! Places: how many connections there may be, and which are closed when there are too many.
//!
//! WebSockets, streams and requests under way keep their places. An HTTP connection without a whole request is idle, and so
//! is a connection that has got its last bytes. Idle connections are closed when their places are needed, those idle longest
//! first: kept-alive, silent, slow and lingering ones alike.

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

/// Ticks before an idle connection may be closed, at least a second. A new client or a health check has sent its request by
/// then.
const GRACE: u32 = 5;

/// Connections that are closed in one turn, at most.
const MOST: usize = 64;

/// Connections that are looked at to find one of an address, those idle longest first.
const LOOKED_AT: usize = 1_000;

/// The idle connections of a shard, longest idle first. Some of them may not be idle any more.
#[derive(Default)]
pub(super) struct Idlers {
    waiting: VecDeque<Waiting>,
    begun: u64,
    /// The length at which those that are not idle any more are swept out.
    sweep_at: usize,
    /// How many were closed for others, and are not gone yet.
    leaving: usize,
    /// When other shards were last asked to close one.
    asked: Tick,
}

#[cfg(test)]
impl Idlers {
    /// The length of the list.
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
    /// Session `key` is idle from now on: it has no whole request, or has got its last response.
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

    /// Refuses WebSockets and streams while all places are taken. Places of idle connections count as free.
    pub(super) fn refuse_while_full(&self) -> Result<(), Response> {
        if self.short_of_places() > self.common.idle.load(Ordering::Relaxed) {
            return Err(Self::full("the server has too many connections"));
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

    /// Closes idle connections if there are too many connections, and asks the other shards to do so if that is not enough.
    pub(super) fn make_places(&mut self) {
        self.close_while_short();
        let now = self.now.tick();
        if self.short_of_places() > 0 && self.idlers.asked != now {
            self.idlers.asked = now;
            self.ask_others(None);
        }
    }

    /// Another shard needs a place, or one for the client at `address`.
    pub(super) fn make_places_for(&mut self, address: Option<IpAddr>) {
        match address {
            Some(address) => drop(self.close_idle_of(address)),
            None => self.close_while_short(),
        }
    }

    /// One at a time, because all shards do this at once.
    fn close_while_short(&mut self) {
        for _ in 0..MOST {
            if self.short_of_places() == 0 || self.close_idle(1) == 0 {
                return;
            }
        }
    }

    /// The sessions that were closed for others are gone.
    pub(super) fn have_left(&mut self) {
        let left = std::mem::take(&mut self.idlers.leaving);
        if left > 0 {
            self.common.leaving.fetch_sub(left, Ordering::Relaxed);
        }
    }

    /// Closes the `wanted` connections that have been idle longest. Returns how many it closed.
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

    /// Closes the connection of `address` that has been idle longest, but none that is still in its grace time. Returns
    /// whether there was one.
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
        // Its place is free at once, not only when its socket is closed.
        self.count_out(key);
        self.end(key);
        true
    }

    /// Asks the other shards to free a place: any, or one of the client at `address`.
    pub(super) fn ask_others(&mut self, address: Option<IpAddr>) {
        for shard in (0..self.common.shards).map(|shard| shard as ShardId).filter(|shard| *shard != self.me) {
            self.mail.others[usize::from(shard)].push(Post::MakePlace(address));
        }
    }
}
