//! Closes the sessions with most in their queues when all queues together are too large.

use std::collections::BinaryHeap;
use std::sync::Arc;

use super::Shard;
use super::request::{Looked, Rostered};
use crate::broker::post::Roster;
use crate::error::{Close, Fault};
use crate::message::Message;
use crate::session::Session;
use crate::time::Tick;

/// Ticks between two lines of the log: 10 s.
const QUIET: u32 = 40;

/// Sessions that are closed in one turn after the total is no longer exceeded. Each costs some microseconds. While it is
/// exceeded, as many are closed as needed: what they hold was read and queued since the last turn, which took longer.
const SLICE: usize = 32;

/// With this many sessions or fewer, every turn may look at all of them: about 10 µs.
const FEW: usize = 1_024;

/// How many sessions may be looked at per microsecond since the last look, so that looking takes about a tenth of the time.
const LOOKS_PER_US: u64 = 20;

/// The sessions to close.
#[derive(Default)]
pub(super) struct Shedding {
    /// What sessions held at the last look, with their keys and generations.
    fullest: BinaryHeap<(usize, u32, u32)>,
    /// When that was, in microseconds.
    looked_us: u64,
    /// Closed sessions that are not in the log yet.
    lately: usize,
    /// When the log may have the next line.
    quiet_until: Tick,
}

impl Shard {
    /// Pays for what the queue of session `key` holds now, or gets back what it does not hold any more.
    pub(super) fn pay(&mut self, key: u32) {
        let queue = self.sessions.get_mut(key as usize).and_then(|session| session.queue.as_mut());
        let unpaid = queue.map_or(0, |queue| queue.take_unpaid());
        if unpaid != 0 {
            self.spend(unpaid);
        }
    }

    /// Whether an answer with these messages must be refused for now. It is a copy for one reader, and many may ask in one
    /// turn, before any session can be closed.
    pub(super) fn is_too_much(&self, messages: &[Arc<Message>]) -> bool {
        !messages.is_empty() && self.common.queued.is_overdrawn()
    }

    /// A home's answer, or a refusal if it has messages while too much waits already.
    pub(super) fn unless_too_much(&self, result: Looked) -> Looked {
        match result {
            Ok(Some(standing)) if self.is_too_much(&standing.excerpt.messages) => Err(Fault::Unavailable),
            result => result,
        }
    }

    /// What a home answered, unless it names people while too much waits already.
    pub(super) fn unless_too_many(&self, result: Rostered) -> Rostered {
        let names = |roster: &Roster| roster.people.as_ref().is_some_and(|people| !people.is_empty());
        match result {
            Ok(Some(roster)) if names(&roster) && self.common.queued.is_overdrawn() => {
                Err(Fault::Unavailable)
            }
            result => result,
        }
    }

    /// Pays for the buffers that queues share.
    fn pay_shared(&mut self) {
        let total = self.tally.total();
        let paid = std::mem::replace(&mut self.tallied, total);
        if total != paid {
            self.spend(total.cast_signed() - paid.cast_signed());
        }
    }

    pub(super) fn spend(&mut self, bytes: isize) {
        let (more, less) = if bytes > 0 { (bytes.unsigned_abs(), 0) } else { (0, bytes.unsigned_abs()) };
        self.queues.spend(&self.common.queued, more, less);
    }

    /// Closes the sessions with the fullest queues while all together are over `limits.queue_total`. Every shard frees the
    /// same part of what it holds, and an eighth more, so that this is not needed in every turn.
    pub(super) fn shed(&mut self) {
        self.pay_shared();
        if !self.common.queued.is_overdrawn() {
            self.shedding.fullest = BinaryHeap::new();
            return;
        }
        let goal = self.common.queued.share(self.queues.used()) / 8 * 7;
        let mut excess = self.queues.used().saturating_sub(goal);
        if excess > 0 {
            self.look_for_the_fullest();
        }
        let mut gone = 0;
        while excess > 0
            && self.queues.used() > goal
            && (gone < SLICE || self.common.queued.is_overdrawn())
            && let Some((key, held)) = self.next_fullest()
        {
            // Bytes that several sessions share are not free when one of them is closed. The next turn notices that.
            excess = excess.saturating_sub(held);
            gone += 1;
            self.let_go(key);
            self.pay(key);
            self.pay_shared();
        }
        self.log_shed(gone);
    }

    /// Notes what each session has waiting, also sessions that are closing, because a peer that does not read can delay its
    /// close. It is not done in every turn: there may be many sessions, and other shards may wait for a shard with a long
    /// turn.
    fn look_for_the_fullest(&mut self) {
        let (all, now_us) = (self.sessions.len(), self.now.us);
        let since = now_us.saturating_sub(self.shedding.looked_us);
        if all > FEW && since.saturating_mul(LOOKS_PER_US) < all as u64 {
            return;
        }
        let noted = |(key, session): (usize, &Session)| {
            let key = key as u32;
            (self.holds_of_total(key, session), key, session.generation)
        };
        let full = self.sessions.iter().map(noted).filter(|(held, ..)| *held > 0);
        self.shedding.fullest = full.collect::<Vec<_>>().into();
        self.shedding.looked_us = now_us;
    }

    /// What a session has waiting, in bytes.
    fn holds_of_total(&self, key: u32, session: &Session) -> usize {
        session.asked() + session.others() + self.input(key, session)
    }

    /// The session that held most at the last look and still holds something, with what it holds now.
    fn next_fullest(&mut self) -> Option<(u32, usize)> {
        loop {
            let (_, key, generation) = self.shedding.fullest.pop()?;
            let session = self.sessions.get(key as usize).filter(|session| session.generation == generation);
            let held = session.map_or(0, |session| self.holds_of_total(key, session));
            if held > 0 {
                return Some((key, held));
            }
        }
    }

    /// Drops what session `key` has not begun to read, and closes or ends it.
    pub(super) fn let_go(&mut self, key: u32) {
        let Some(session) = self.session(key) else { return };
        if !session.is_open() {
            if !self.drop_request(key) {
                self.end(key);
            }
            return;
        }
        self.close_unsettled(key, &Close::OVER_CAPACITY);
        if self.sessions.get(key as usize).is_some_and(|session| session.tail.is_some()) {
            // What it has sent goes as well, and then its frames cannot be told apart any more.
            self.linger(key);
        }
    }

    /// Any peer that does not read can cause this, so the log has it at a limited rate.
    fn log_shed(&mut self, gone: usize) {
        let now = self.now.tick();
        self.shedding.lately += gone;
        if self.shedding.lately > 0 && now >= self.shedding.quiet_until {
            let limit = self.common.settings.limits.queue_total;
            tracing::warn!(
                closed = self.shedding.lately,
                limit,
                "closed the fullest connections: all queues together are over limits.queue_total"
            );
            self.shedding.lately = 0;
            self.shedding.quiet_until = Tick(now.0.saturating_add(QUIET));
        }
    }
}
